//! Background work: what was committed to the outbox leaves the house from here, time's doings are
//! carried out, and what this node holds in memory is kept fresh.
//!
//! [`Worker`] runs four loops beside each other: deliveries, sweeps, the catalogue and budgets, and
//! reports. Any number of nodes may run them at once: deliveries are leased, and everything else is
//! idempotent. A loop never ends before it is told to: a store's error is logged once and waited out,
//! and a panic is an error of the work it happened in.

mod attempt;
mod deliver;
mod lanes;
mod metric;
mod outbound;
mod refresh;
mod reports;
mod schedule;
mod sweep;
mod worker;

pub use worker::{Clock, Jitter, Settings, Worker};
