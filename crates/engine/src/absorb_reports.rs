//! `absorb_reports` and `read_reports`: figures by day, derived from the journal.
//!
//! | step | store calls |
//! |---|---|
//! | read the cursor | 1 |
//! | read a page of the journal, add it | 2 |

use std::collections::BTreeMap;

use domain::ids::{AppId, LineItemId};
use domain::money::CurrencyCode;
use domain::time::Day;
use store::DayFigures;

use crate::{Ctx, Engine, EngineError};

/// Records that one [`Engine::absorb_reports`] adds at most.
pub const REPORT_BATCH: usize = 1_000;

/// Figures of one day, one subject and one currency: sums of two currencies would mean nothing (M7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReportRow<Id> {
    /// The UTC day.
    pub day: Day,
    /// The line item or the app.
    pub id: Id,
    /// What the money in it is counted in.
    pub currency: CurrencyCode,
    /// The sums.
    pub figures: DayFigures,
}

impl Engine {
    /// Adds what the journal has gained, and says how many records that were.
    ///
    /// # Errors
    /// [`EngineError::Store`]; adding is idempotent, so the next call goes on where this one failed.
    pub async fn absorb_reports(&self, ctx: &Ctx) -> Result<usize, EngineError> {
        let cursor = ctx.metered("reports.cursor", self.stores.reports.cursor()).await?;
        let records =
            ctx.metered("journal.read", self.stores.state.read(cursor, REPORT_BATCH)).await?;
        if !records.is_empty() {
            ctx.metered("reports.add", self.stores.reports.add(&records)).await?;
        }
        Ok(records.len())
    }

    /// Forgets the figures and derives them anew from the whole journal.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn rebuild_reports(&self, ctx: &Ctx) -> Result<usize, EngineError> {
        ctx.metered("reports.clear", self.stores.reports.clear()).await?;
        let mut total = 0;
        loop {
            match self.absorb_reports(ctx).await? {
                0 => return Ok(total),
                added => total += added,
            }
        }
    }

    /// Sums by day and line item.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn report_line_items(
        &self,
        ctx: &Ctx,
        from: Day,
        to: Day,
    ) -> Result<Vec<ReportRow<LineItemId>>, EngineError> {
        self.report(ctx, from, to, |key| key.line_item).await
    }

    /// Sums by day and app.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn report_apps(
        &self,
        ctx: &Ctx,
        from: Day,
        to: Day,
    ) -> Result<Vec<ReportRow<AppId>>, EngineError> {
        self.report(ctx, from, to, |key| key.app).await
    }

    async fn report<Id: Ord + Copy>(
        &self,
        ctx: &Ctx,
        from: Day,
        to: Day,
        subject: impl Fn(&store::ReportKey) -> Id,
    ) -> Result<Vec<ReportRow<Id>>, EngineError> {
        while self.absorb_reports(ctx).await? == REPORT_BATCH {}
        let figures = ctx.metered("reports.figures", self.stores.reports.figures(from, to)).await?;
        let snapshot = self.snapshot();
        let mut sums: BTreeMap<(Day, Id, CurrencyCode), DayFigures> = BTreeMap::new();
        for (key, one) in &figures {
            // A line item that users have started stays known, also when it is deleted.
            let Some(payer) = snapshot.catalog().any_line_item(key.line_item) else { continue };
            add(sums.entry((key.day, subject(key), payer.currency)).or_default(), one);
        }
        let row = |((day, id, currency), figures)| ReportRow { day, id, currency, figures };
        Ok(sums.into_iter().map(row).collect())
    }
}

fn add(sum: &mut DayFigures, one: &DayFigures) {
    sum.participations += one.participations;
    sum.rewards += one.rewards;
    sum.reversals += one.reversals;
    sum.payout += one.payout;
    sum.reward_value += one.reward_value;
    sum.publisher_share += one.publisher_share;
    sum.margin += one.margin;
    sum.points += one.points;
}
