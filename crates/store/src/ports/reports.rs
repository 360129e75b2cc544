//! Figures by day, derived from the journal and rebuildable from it (S1).

use async_trait::async_trait;
use domain::ids::{AppId, LineItemId};
use domain::time::Day;

use super::journal::{Seq, Stored};
use crate::StoreError;

/// What figures are kept for. Days are UTC days of the booking.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReportKey {
    /// The day.
    pub day: Day,
    /// Who pays.
    pub line_item: LineItemId,
    /// Where.
    pub app: AppId,
}

/// Sums of one day. Test bookings are not in them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DayFigures {
    /// Participations.
    pub participations: u64,
    /// Rewards granted.
    pub rewards: u64,
    /// Rewards taken back.
    pub reversals: u64,
    /// What the advertiser owes, in micro-units; reversals are taken off.
    pub payout: i64,
    /// The worth of the users' points.
    pub reward_value: i64,
    /// The publisher's share.
    pub publisher_share: i64,
    /// The platform's margin.
    pub margin: i64,
    /// Points.
    pub points: i64,
}

/// Derived figures.
#[async_trait]
pub trait Reports: Send + Sync {
    /// How far the journal has been added.
    async fn cursor(&self) -> Result<Seq, StoreError>;

    /// Adds records; one at or before the cursor is passed over, so adding twice is adding once.
    async fn add(&self, records: &[Stored]) -> Result<Seq, StoreError>;

    /// The figures of the days from `from` to `to`, both included, by key.
    async fn figures(&self, from: Day, to: Day)
    -> Result<Vec<(ReportKey, DayFigures)>, StoreError>;

    /// Forgets everything, to be built anew.
    async fn clear(&self) -> Result<(), StoreError>;
}
