//! `Users::commit`: the guards of budget moves, checked inside it (M2).

use domain::budget::{Breach, BudgetMove, Guard, Level, Limits, Used};
use domain::ids::LineItemId;
use domain::money::Micros;
use domain::time::Day;

use super::check::{all, fresh};
use super::sample::{self, Draft, LINE_ITEM, NOW, TODAY};
use super::{Checked, Failure, Fixture};
use crate::{Outcome, StateStore};

const START: Guard = Guard::Start { paced: None };
const TOMORROW: Day = Day(TODAY.0 + 1);

/// A line item's limits, the moves that are tried one after the other, each as a change of its own,
/// and the limit that each breaks.
#[derive(Clone)]
struct Row {
    name: &'static str,
    limits: Limits,
    moves: Vec<(BudgetMove, Option<Breach>)>,
}

/// A move is made if the limits and its guard allow it on top of what was made before, and refused
/// with the first limit that it breaks otherwise.
pub async fn users_commit_guards_budgets(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    for (row, number) in [totals(), days(), graces()].concat().into_iter().zip(1..) {
        check_row(&*state, LineItemId(number), row).await?;
    }
    Ok(())
}

/// Participations are counted ever and by day; only a move that adds one is refused for them.
pub async fn users_commit_guards_starts(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let limits = Limits { starts: Some(3), daily_starts: Some(2), ..sample::limits(100) };
    let start = sample::hold(1);
    let tomorrow = BudgetMove { day: TOMORROW, ..start };
    let without = BudgetMove { starts: 0, ..start };
    let two = BudgetMove { starts: 2, ..tomorrow };
    let rows = [
        Row {
            name: "one by one",
            limits,
            moves: vec![
                (start, None),
                (start, None),
                (start, Some(Breach::DailyStarts)),
                (without, None),
                (tomorrow, None),
                (tomorrow, Some(Breach::Starts)),
                (BudgetMove { day: TOMORROW, ..without }, None),
            ],
        },
        Row {
            name: "two at once",
            limits,
            moves: vec![
                (start, None),
                (start, None),
                (two, Some(Breach::Starts)),
                (tomorrow, None),
            ],
        },
        Row {
            name: "none at all",
            limits: Limits { starts: Some(0), ..sample::limits(100) },
            moves: vec![(start, Some(Breach::Starts)), (without, None)],
        },
    ];
    for (row, number) in rows.into_iter().zip(1..) {
        check_row(&*state, LineItemId(number), row).await?;
    }
    Ok(())
}

/// Two moves of one budget in one change are checked one on top of the other.
pub async fn users_commit_guards_two_moves_of_one_budget(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let limits = Limits { daily: Some(Micros(8)), ..sample::limits(10) };
    state.set_limits(LINE_ITEM, limits, NOW).await?;
    let on = |day, amount| BudgetMove { day, ..sample::hold(amount) };
    let release = BudgetMove { starts: 0, ..sample::booking(0, 4, Guard::Free) };
    let rows = [
        (vec![on(TODAY, 6), on(TOMORROW, 5)], Some(Breach::Total)),
        (vec![on(TODAY, 4), on(TODAY, 5)], Some(Breach::Daily)),
        (vec![on(TODAY, 11), on(TODAY, 1)], Some(Breach::Total)),
        (vec![on(TODAY, 4), on(TODAY, 4)], None),
        (vec![on(TOMORROW, 3), release], Some(Breach::Total)),
        (vec![release, on(TOMORROW, 3)], None),
        (vec![on(TOMORROW, 2), on(TOMORROW, 2)], Some(Breach::Total)),
        (vec![on(TOMORROW, 1), on(TOMORROW, 2)], None),
    ];
    let mut wanted = Level { limits, ..untouched(LINE_ITEM) };
    for ((moves, breach), number) in rows.into_iter().zip(0..) {
        let outcome = commit(&*state, &format!("user {number}"), &moves).await?;
        if breach.is_none() {
            moves.iter().for_each(|by| wanted = moved(wanted, by));
        }
        check_outcome(&format!("change {number}"), &outcome, breach, wanted)?;
    }
    Ok(())
}

/// What gives back or captures a promise is booked whatever the limits are, and counts.
pub async fn users_commit_never_refuses_a_free_move(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let limits = Limits {
        daily: Some(Micros(5)),
        starts: Some(0),
        daily_starts: Some(0),
        ..sample::limits(10)
    };
    state.set_limits(LINE_ITEM, limits, NOW).await?;
    let free = BudgetMove { starts: 1, ..sample::booking(40, 0, Guard::Free) };
    let without_limits = LineItemId(2);
    for line_item in [LINE_ITEM, without_limits] {
        let by = BudgetMove { line_item, ..free };
        let limits = if line_item == LINE_ITEM { limits } else { Limits::default() };
        let wanted = moved(Level { limits, ..untouched(line_item) }, &by);
        let outcome = commit(&*state, &format!("user {line_item}"), &[by]).await?;
        check_outcome(&format!("line item {line_item}"), &outcome, None, wanted)?;
    }
    ensure_eq!(state.level(without_limits).await?, None, "a budget without limits");
    let below = state.set_limits(without_limits, sample::limits(39), NOW).await?;
    let is_below = matches!(below, crate::LimitsOutcome::BelowCommitted(_));
    ensure!(is_below, "limits below what was booked without any: {below:?}");
    state.set_limits(without_limits, sample::limits(40), NOW).await?;
    let total = state.level(without_limits).await?.map(|level| level.total.booked);
    ensure_eq!(total, Some(Micros(40)), "what was booked before there were limits");
    Ok(())
}

/// A line item whose limits were never set has nothing to spend, not even nothing.
pub async fn users_commit_without_limits_is_over_budget(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    for guard in [START, Guard::Extra] {
        for amount in [0, 5] {
            let by = BudgetMove { guard, ..sample::hold(amount) };
            let outcome = commit(&*state, "ann", &[by]).await?;
            let name = format!("{guard:?} of {amount}");
            check_outcome(&name, &outcome, Some(Breach::Total), untouched(LINE_ITEM))?;
        }
    }
    ensure_eq!(state.level(LINE_ITEM).await?, None, "the budget");
    ensure_eq!(state.levels().await?, [], "all budgets");
    Ok(())
}

/// A thousand users race for the last unit of a budget, and exactly one gets it.
pub async fn users_commit_gives_the_last_unit_to_one_of_a_thousand(
    fixture: &dyn Fixture,
) -> Checked {
    let state = fresh(fixture).await?;
    state.set_limits(LINE_ITEM, sample::limits(1), NOW).await?;
    let names: Vec<String> = (0..1_000).map(|number| format!("user {number}")).collect();
    let by = [sample::hold(1)];
    let outcomes = all(names.iter().map(|name| commit(&*state, name, &by))).await;
    let mut winners = 0;
    for outcome in outcomes {
        match outcome? {
            Outcome::Applied(_) => winners += 1,
            Outcome::OverBudget { breach: Breach::Total, .. } => {}
            other => return Err(Failure::new(format!("one of a thousand got {other:?}"))),
        }
    }
    ensure_eq!(winners, 1, "how many got the last unit");
    ensure_eq!(state.head().await?, 2, "the end of the journal");
    let total = state.level(LINE_ITEM).await?.map(|level| (level.total.held.0, level.total.starts));
    ensure_eq!(total, Some((1, 1)), "what is held for how many");
    Ok(())
}

/// Whatever the order, what is granted adds up to what is held, and whoever was refused asked for
/// more than is left.
pub async fn users_commit_race_takes_what_fits(fixture: &dyn Fixture) -> Checked {
    const TOTAL: i64 = 100;
    let state = fresh(fixture).await?;
    state.set_limits(LINE_ITEM, sample::limits(TOTAL), NOW).await?;
    let wishes: Vec<(String, i64)> =
        (0..60).map(|number| (format!("user {number}"), 1 + number % 7)).collect();
    let ask = |(name, amount): &(String, i64)| {
        let (state, name, by) = (&*state, name.clone(), [sample::hold(*amount)]);
        async move { commit(state, &name, &by).await }
    };
    let outcomes = all(wishes.iter().map(ask)).await;
    let (mut held, mut smallest) = (0, TOTAL + 1);
    for ((_, amount), outcome) in wishes.iter().zip(outcomes) {
        match outcome? {
            Outcome::Applied(_) => held += amount,
            Outcome::OverBudget { .. } => smallest = smallest.min(*amount),
            other => return Err(Failure::new(format!("a hold of {amount} got {other:?}"))),
        }
    }
    let left = TOTAL - held;
    ensure!(left >= 0, "{held} of {TOTAL} were held");
    ensure!(smallest > left, "a hold of {smallest} was refused although {left} are left");
    let level = state.level(LINE_ITEM).await?.map(|level| level.total.held.0);
    ensure_eq!(level, Some(held), "what is held");
    Ok(())
}

fn totals() -> Vec<Row> {
    let capture = |amount| sample::booking(amount, amount, Guard::Free);
    vec![
        Row {
            name: "total",
            limits: sample::limits(100),
            moves: vec![
                (sample::hold(101), Some(Breach::Total)),
                (sample::hold(100), None),
                (sample::hold(1), Some(Breach::Total)),
                (sample::hold(0), None),
                (capture(60), None),
                (sample::booking(1, 0, Guard::Extra), Some(Breach::Total)),
                (sample::booking(-60, 0, Guard::Free), None),
                (sample::hold(61), Some(Breach::Total)),
                (sample::hold(60), None),
            ],
        },
        Row {
            name: "nothing",
            limits: Limits::default(),
            moves: vec![(sample::hold(1), Some(Breach::Total)), (sample::hold(0), None)],
        },
    ]
}

fn days() -> Vec<Row> {
    let daily = Limits { daily: Some(Micros(50)), ..sample::limits(70) };
    let tomorrow = |amount| BudgetMove { day: TOMORROW, ..sample::hold(amount) };
    let paced = |amount| {
        let guard = Guard::Start { paced: Some(Micros(30)) };
        BudgetMove { guard, ..sample::hold(amount) }
    };
    vec![
        Row {
            name: "daily",
            limits: daily,
            moves: vec![
                (sample::hold(51), Some(Breach::Daily)),
                (sample::hold(50), None),
                (sample::hold(1), Some(Breach::Daily)),
                (tomorrow(21), Some(Breach::Total)),
                (tomorrow(20), None),
            ],
        },
        Row {
            name: "paced",
            limits: daily,
            moves: vec![
                (paced(31), Some(Breach::Paced)),
                (paced(30), None),
                (paced(1), Some(Breach::Paced)),
                (paced(21), Some(Breach::Daily)),
                (sample::hold(20), None),
            ],
        },
    ]
}

fn graces() -> Vec<Row> {
    let grace = Limits { grace: Micros(10), ..sample::limits(100) };
    let extra = |amount, held| sample::booking(amount, held, Guard::Extra);
    vec![
        Row {
            name: "grace on the total",
            limits: grace,
            moves: vec![
                (sample::hold(101), Some(Breach::Total)),
                (sample::hold(100), None),
                (extra(51, 40), Some(Breach::Total)),
                (extra(50, 40), None),
                (extra(1, 0), Some(Breach::Total)),
                (sample::hold(0), Some(Breach::Total)),
            ],
        },
        Row {
            name: "grace on the day",
            limits: Limits { daily: Some(Micros(50)), ..grace },
            moves: vec![
                (sample::hold(50), None),
                (extra(11, 0), Some(Breach::Daily)),
                (extra(10, 0), None),
                (extra(1, 0), Some(Breach::Daily)),
            ],
        },
    ]
}

async fn check_row(state: &dyn StateStore, line_item: LineItemId, row: Row) -> Checked {
    state.set_limits(line_item, row.limits, NOW).await?;
    let mut level = Level { limits: row.limits, ..untouched(line_item) };
    for ((by, breach), place) in row.moves.into_iter().zip(1..) {
        let by = BudgetMove { line_item, ..by };
        let name = format!("{}, move {place}", row.name);
        if breach.is_none() {
            level = moved(level, &by);
        }
        let outcome = commit(state, &name, &[by]).await?;
        check_outcome(&name, &outcome, breach, level)?;
        ensure_eq!(state.level(line_item).await?, Some(level), "{name}: the budget afterwards");
    }
    Ok(())
}

/// Commits moves as the first change of a user of that name.
async fn commit(
    state: &dyn StateStore,
    name: &str,
    moves: &[BudgetMove],
) -> Result<Outcome, Failure> {
    let user = sample::user(name);
    let draft = moves.iter().fold(Draft::of(&user, NOW), |draft, by| draft.moving(*by));
    Ok(state.commit(draft.change()).await?)
}

/// An applied change and a refused one both say how the budget stands now.
fn check_outcome(name: &str, outcome: &Outcome, breach: Option<Breach>, level: Level) -> Checked {
    let wanted = (breach, vec![level]);
    let found = match outcome {
        Outcome::Applied(committed) => (None, committed.levels.clone()),
        Outcome::OverBudget { line_item, breach, level } if *line_item == level.line_item => {
            (Some(*breach), vec![*level])
        }
        other => return Err(Failure::new(format!("{name}: {other:?}"))),
    };
    ensure_eq!(found, wanted, "{name}: the limit it breaks, and the budget");
    Ok(())
}

fn untouched(line_item: LineItemId) -> Level {
    let (total, today) = (Used::default(), Used::default());
    Level { line_item, limits: Limits::default(), total, day: Day::default(), today }
}

/// The level after a move of its latest day or of a later one.
fn moved(level: Level, by: &BudgetMove) -> Level {
    let day = level.day.max(by.day);
    let today = if by.day == day { level.on(day).moved(by) } else { level.today };
    Level { total: level.total.moved(by), day, today, ..level }
}
