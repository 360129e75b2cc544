//! The ports: what the engine needs of a store, split by consistency boundary.
//!
//! One method is one round trip and one atomic unit on every store: one transaction of SQLite or
//! MySQL, one `Query` or one `TransactWriteItems` of at most 100 items on DynamoDB. Reads of what was
//! never written answer with an empty value; conditional writes answer with an outcome. Each port has
//! a real implementation in memory ([`memory`]) and one contract ([`contract`]) that every adapter
//! must pass, case by case.
//!
//! What may be lost at any time has ports of its own, which never fail: [`Cache`] and [`Broker`].
//!
//! What is *not* here: pools, tables, retries and vendors' words.

mod error;
mod ports;
mod summary;
mod tally;
mod switch;
mod tap;

pub mod contract;
pub mod counting;
pub mod explain;
pub mod fault;
pub mod memory;

pub use error::StoreError;
pub use ports::StateStore;
pub use ports::broker::{Broker, Topic};
pub use ports::budgets::{Budgets, FreshLevels, LevelsMark, LimitsOutcome, MarkGiver};
pub use ports::cache::{Ages, Allowance, Cache, CacheKey, Entry, Found, Rate, Ticket};
pub use ports::catalog::{CatalogStore, Saved, SavedRevision};
pub use ports::identity::{Identity, StateId};
pub use ports::journal::{Journal, Seq, Stored};
pub use ports::outbox::{
    AttemptNote, Claim, Claimed, Delivery, DeliveryFilter, DeliveryState, Endpoint, Outbox, Replay,
    Settled, Settlement,
};
pub use ports::reports::{DayFigures, ReportKey, Reports};
pub use ports::transfer::{BudgetRow, Movable, Phase, RunNumber, Transfer, UserRow, Writing};
pub use ports::users::{Committed, Glance, LedgerPage, Outcome, Users};
pub use summary::summary_of;
pub use switch::{LOOK_EVERY, Opener, PAUSE_MAX, READ_WITHIN, Switch};
pub use tally::{add_figures, figures_of};
pub use tap::{Tap, Tapped};
