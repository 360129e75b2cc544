//! `Reports`: figures that can always be made anew from the journal (S1).

use domain::change::Loaded;
use domain::ids::{AppId, Mode};
use domain::journal::{Chain, Record};
use domain::time::{DAY_MS, Day, Timestamp};

use super::check::all;
use super::sample::{self, APP, Draft, LINE_ITEM, NOW, TODAY};
use super::{Checked, Fixture};
use crate::{DayFigures, ReportKey, Reports, Seq, Stored};

/// Every day there is.
const ALL_DAYS: (Day, Day) = (Day(i32::MIN), Day(i32::MAX));
/// What one reward of the samples adds.
const ONE: DayFigures = DayFigures {
    participations: 0,
    rewards: 1,
    reversals: 0,
    payout: 1_000_000,
    reward_value: 600_000,
    publisher_share: 300_000,
    margin: 100_000,
    points: 600,
};

/// The cursor is the place of the last record that was added, whatever is in it.
pub async fn reports_cursor_follows_the_journal(fixture: &dyn Fixture) -> Checked {
    let reports = fixture.fresh().await?.reports;
    ensure_eq!(reports.cursor().await?, 0, "the cursor at the beginning");
    ensure_eq!(reports.add(&[]).await?, 0, "the cursor after nothing");
    let records = [rewards(1, NOW), stored(2, sample::trace(None, "install"))];
    for record in records {
        let seq = record.seq;
        ensure_eq!(reports.add(&[record]).await?, seq, "the cursor after place {seq}");
        ensure_eq!(reports.cursor().await?, seq, "the cursor, asked for");
    }
    ensure_eq!(reports.add(&[]).await?, 2, "the cursor after nothing more");
    Ok(())
}

/// Records at or before the cursor are passed over, also if several add the same at once.
pub async fn reports_add_twice_is_adding_once(fixture: &dyn Fixture) -> Checked {
    let reports = fixture.fresh().await?.reports;
    let records: Vec<Stored> = (1..=8).map(|seq| rewards(seq, NOW)).collect();
    for (from, to, cursor) in [(0, 5, 5), (0, 5, 5), (2, 6, 6), (1, 3, 6), (6, 7, 7)] {
        let found = reports.add(&records[from..to]).await?;
        ensure_eq!(found, cursor, "the cursor after records {from} to {to}");
    }
    let adding = (0..6).map(|_| reports.add(&records));
    for cursor in all(adding).await {
        ensure_eq!(cursor?, 8, "the cursor of one of six at once");
    }
    let key = ReportKey { day: TODAY, line_item: LINE_ITEM, app: APP };
    ensure_eq!(whole(&*reports).await?, [(key, times(8))], "the figures of eight records");
    Ok(())
}

/// Test bookings move the cursor and nothing else.
pub async fn reports_add_passes_over_test_bookings(fixture: &dyn Fixture) -> Checked {
    let reports = fixture.fresh().await?.reports;
    let user = sample::stranger(APP, Mode::Test, "ann");
    let start = record(&user, Draft::of(&user, NOW).start(2, 5).grant(1));
    ensure_eq!(reports.add(&[stored(1, start)]).await?, 1, "the cursor");
    ensure_eq!(whole(&*reports).await?, [], "the figures");
    Ok(())
}

/// Figures are summed by UTC day of the booking, payer and app, and given in that order for the
/// days that are asked for.
pub async fn reports_figures_add_up_by_day_and_key(fixture: &dyn Fixture) -> Checked {
    let reports = fixture.fresh().await?.reports;
    let midnight = Timestamp(i64::from(TODAY.0) * DAY_MS);
    let other = sample::stranger(AppId(2), Mode::Live, "ann");
    let start = |user: &Loaded, at| record(user, Draft::of(user, at).start(2, 5).grant(1));
    let ann = sample::user("ann");
    let records = [
        stored(1, start(&ann, midnight)),
        stored(2, start(&other, Timestamp(midnight.0 - 1))),
        stored(3, record(&ann, Draft::of(&ann, NOW).grant(1).grant(3).reverse(3))),
        stored(4, start(&other, NOW)),
        stored(5, start(&ann, Timestamp(midnight.0 + DAY_MS))),
    ];
    reports.add(&records[..3]).await?;
    reports.add(&records[3..]).await?;
    let key = |day, app| ReportKey { day: Day(TODAY.0 + day), line_item: LINE_ITEM, app };
    let started = DayFigures { participations: 1, ..ONE };
    let today = DayFigures { participations: 1, rewards: 3, reversals: 1, ..times(2) };
    let wanted = [
        (key(-1, AppId(2)), started),
        (key(0, APP), today),
        (key(0, AppId(2)), started),
        (key(1, APP), started),
    ];
    ensure_eq!(whole(&*reports).await?, wanted, "all figures");
    let yesterday = Day(TODAY.0 - 1);
    for (from, to, range) in
        [(TODAY, TODAY, 1..3), (yesterday, TODAY, 0..3), (TODAY, yesterday, 0..0)]
    {
        let found = reports.figures(from, to).await?;
        ensure_eq!(found, wanted[range], "the figures from {from:?} to {to:?}");
    }
    Ok(())
}

/// After clearing, everything can be added again and gives the same.
pub async fn reports_clear_forgets_everything(fixture: &dyn Fixture) -> Checked {
    let reports = fixture.fresh().await?.reports;
    let records: Vec<Stored> = (1..=3).map(|seq| rewards(seq, NOW)).collect();
    let mut figures = Vec::new();
    for _ in 0..2 {
        reports.add(&records).await?;
        figures.push(whole(&*reports).await?);
        reports.clear().await?;
        ensure_eq!(reports.cursor().await?, 0, "the cursor after clearing");
        ensure_eq!(whole(&*reports).await?, [], "the figures after clearing");
    }
    ensure!(!figures[0].is_empty(), "there was nothing to clear");
    ensure_eq!(figures[0], figures[1], "the figures before and after");
    Ok(())
}

async fn whole(reports: &dyn Reports) -> Result<Vec<(ReportKey, DayFigures)>, crate::StoreError> {
    reports.figures(ALL_DAYS.0, ALL_DAYS.1).await
}

/// A record of one reward at that place.
fn rewards(seq: Seq, at: Timestamp) -> Stored {
    let user = sample::user("ann");
    stored(seq, record(&user, Draft::of(&user, at).grant(1)))
}

fn stored(seq: Seq, record: Record) -> Stored {
    Stored { seq, chain: Chain::default(), record }
}

fn record(user: &Loaded, draft: Draft<'_>) -> Record {
    let key = user.state.key();
    draft.change().record.unwrap_or_else(|| sample::trace(Some(key), ""))
}

/// What so many rewards of the samples add.
fn times(count: u64) -> DayFigures {
    let signed = count as i64;
    DayFigures {
        participations: 0,
        rewards: count,
        reversals: 0,
        payout: ONE.payout * signed,
        reward_value: ONE.reward_value * signed,
        publisher_share: ONE.publisher_share * signed,
        margin: ONE.margin * signed,
        points: ONE.points * signed,
    }
}
