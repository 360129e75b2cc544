//! Users, budgets, outbox and journal on one DynamoDB table.
//!
//! # How a commit gets its place
//!
//! A user belongs to one of a fixed number of shards. Each node has one task for each shard, a lane,
//! which writes whatever waits as one transaction ([`lane`]): the users' states, their records with
//! their users, the deliveries, the budgets' slots, and the shard's head, whose condition puts the
//! transactions of all nodes in one order. Places in the journal as a whole are given later, when
//! somebody reads it ([`merge`]). So a commit costs a share of one transaction, a load one query.
//!
//! # What is guaranteed
//!
//! - A commit is answered after its transaction; a load after that sees it, on every node.
//! - A refused change writes nothing, and disturbs nobody who shares its group.
//! - A budget is never gone over, whoever writes it at the same time ([`budgets`]).
//! - A lost answer is resolved by what stands in the table; only if that cannot be read is the caller
//!   told that the outcome is unknown, and asking again with the same change resolves it.
//! - The records of a user are in the order of his commits. Across users the order is fixed by whoever
//!   reads first, and any order is one in which it could have happened.
//!
//! # What it does not do
//!
//! It uses no streams, keeps no catalogue and no reports, and never scans the table.

mod base;
mod budgets;
mod checks;
mod client;
mod draft;
mod error;
mod explain;
mod faults;
mod group;
mod head;
mod identity;
mod journal;
mod keys;
mod lane;
mod merge;
mod outbox;
mod phase;
mod requests;
mod state;
mod table;
mod transfer;
mod users;
mod value;
mod work;
mod write;

use std::sync::Arc;

pub use checks::{Check, are_one, checks};
pub use client::Place;
pub use error::OpenError;
pub use faults::FaultPlan;
pub use requests::{Consumed, Meter, REQUESTS, RequestInfo};
pub use table::{SHARDS_DEFAULT, SHARDS_MAX, create};

use store::MarkGiver;

use base::Base;
use lane::Lanes;
use users::KnownParts;

/// The state of a service on one table.
///
/// Dropping it lets its lanes finish what waits.
#[derive(Debug)]
pub struct DynamoStore {
    base: Arc<Base>,
    lanes: Lanes,
    parts: KnownParts,
    marks: MarkGiver,
}

impl DynamoStore {
    /// Opens a table that [`create`] has made.
    ///
    /// # Errors
    /// It is not there or not complete, of a newer release, or DynamoDB refuses.
    pub async fn open(place: &Place) -> Result<Self, OpenError> {
        let base = Arc::new(table::open(place).await?);
        let lanes = Lanes::start(&base);
        Ok(Self { base, lanes, parts: KnownParts::default(), marks: MarkGiver::new() })
    }

    /// What was asked of DynamoDB so far.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        self.base.db.meter()
    }

    /// Lets requests go wrong from now on, as the plan says; `None` lets them be.
    pub fn follow_faults(&self, plan: Option<FaultPlan>) {
        self.base.db.faults().follow(plan);
    }
}
