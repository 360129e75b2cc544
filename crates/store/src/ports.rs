//! The traits. `Users`, `Budgets`, `Outbox` and `Journal` live in one state store, because they
//! change in one transaction; there is never a transaction across two stores.

pub(crate) mod broker;
pub(crate) mod budgets;
pub(crate) mod cache;
pub(crate) mod catalog;
pub(crate) mod identity;
pub(crate) mod journal;
pub(crate) mod outbox;
pub(crate) mod reports;
pub(crate) mod transfer;
pub(crate) mod users;

/// The four ports that change in one transaction, as one thing to hand around.
pub trait StateStore: users::Users + budgets::Budgets + outbox::Outbox + journal::Journal {}

impl<T: users::Users + budgets::Budgets + outbox::Outbox + journal::Journal> StateStore for T {}
