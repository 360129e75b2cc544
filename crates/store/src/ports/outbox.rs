//! Messages to publishers: born in a commit, claimed with a lease, settled once.

use async_trait::async_trait;
use domain::ids::{AppId, DeliveryId, Mode, UserKey};
use domain::journal::Message;
use domain::time::Timestamp;

use super::journal::Seq;
use crate::StoreError;

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DeliveryState {
    /// Never tried.
    Queued,
    /// Tried in vain; will be tried again.
    Retrying,
    /// The publisher acknowledged it.
    Delivered,
    /// The publisher told us to stop, or the dialect cannot say it.
    Stopped,
    /// Every attempt of the plan failed; it can be replayed.
    Parked,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Queued, Self::Retrying, Self::Delivered, Self::Stopped, Self::Parked];

    /// The name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Retrying => "retrying",
            Self::Delivered => "delivered",
            Self::Stopped => "stopped",
            Self::Parked => "parked",
        }
    }

    /// Whether it waits for an attempt.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Retrying)
    }
}

/// Where deliveries go: one app, one mode. Endpoints do not delay each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Endpoint {
    /// The app.
    pub app: AppId,
    /// Live or test.
    pub mode: Mode,
}

/// What is remembered of the latest attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttemptNote {
    /// When it was made.
    pub at: Timestamp,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// What went wrong, or the head of the answer; at most 1 KiB.
    pub note: String,
    /// How long it took.
    pub duration_ms: u32,
}

/// One message and how far it has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Place of the record that it was born in; orders the pull API without gaps.
    pub seq: Seq,
    /// Whose reward.
    pub user: UserKey,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// What it says.
    pub message: Message,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// When it is tried next; `None` if it is not.
    pub due_at: Option<Timestamp>,
    /// The latest attempt.
    pub last: Option<AttemptNote>,
}

/// A delivery leased to one worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// The delivery.
    pub delivery: Delivery,
    /// Number of the lease; a settlement with an older one is refused (O1).
    pub fence: u64,
}

/// What a worker asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The moment.
    pub now: Timestamp,
    /// Until when nobody else gets what is claimed.
    pub lease_until: Timestamp,
    /// Most deliveries in all.
    pub limit: usize,
    /// Most deliveries of one endpoint.
    pub per_endpoint: usize,
    /// Endpoints that are busy and get nothing now.
    pub skip: Vec<Endpoint>,
}

/// How an attempt ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settlement {
    /// Acknowledged.
    Delivered,
    /// To be tried again at that moment.
    RetryAt(Timestamp),
    /// Not to be tried again.
    Stopped,
    /// The plan is used up.
    Parked,
}

/// What became of a settlement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settled {
    /// It is durable.
    Done,
    /// The lease had passed to somebody else; nothing was changed.
    Fenced,
}

/// Which deliveries to list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryFilter {
    /// Whose.
    pub app: AppId,
    /// Live or test.
    pub mode: Mode,
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only after this place and message; messages of one record are ordered by id.
    pub after: Option<(Seq, DeliveryId)>,
    /// Most of them.
    pub limit: usize,
}

/// Which deliveries to try again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Replay {
    /// One.
    One(DeliveryId),
    /// Those of an app in a state, booked from one moment until before another.
    Range {
        /// Whose.
        app: AppId,
        /// Live or test.
        mode: Mode,
        /// In which state; an open delivery is brought forward.
        state: DeliveryState,
        /// First moment.
        from: Timestamp,
        /// First moment that is too late.
        to: Timestamp,
    },
}

/// The outbox.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Leases deliveries that are due, fairly over endpoints, oldest first within one. A reversal
    /// is not leased before its grant is delivered (D6), and nothing is leased twice at a time (D4).
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError>;

    /// Records how the attempt under that lease ended. A grant that ends undelivered parks the
    /// reversal that waits for it.
    async fn settle(
        &self,
        id: DeliveryId,
        fence: u64,
        settlement: Settlement,
        note: AttemptNote,
    ) -> Result<Settled, StoreError>;

    /// Makes deliveries due now, with a fresh plan of attempts, and says how many.
    async fn replay(&self, which: Replay, now: Timestamp) -> Result<u64, StoreError>;

    /// Deliveries in the order of their booking. The pull API is this list (D5).
    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError>;

    /// Those of some deliveries that are there, in no certain order. No id is named twice.
    async fn deliveries_of(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError>;

    /// One delivery.
    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        Ok(self.deliveries_of(&[id]).await?.pop())
    }

    /// How many deliveries are in each state, and the earliest moment at which one is due.
    async fn backlog(&self) -> Result<(Vec<(DeliveryState, u64)>, Option<Timestamp>), StoreError>;
}
