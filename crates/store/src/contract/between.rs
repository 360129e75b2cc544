//! Somebody who stands before an end of a move: for tests in which one of its calls is slow, fails, or
//! does something else.

use async_trait::async_trait;
use domain::ids::{DeliveryId, UserKey};

use crate::{BudgetRow, Claimed, Phase, RunNumber, Seq, StoreError, Stored, Transfer, UserRow};

/// The calls, once: each is passed on by default, and a store with somebody before it answers through
/// him.
macro_rules! passed_on {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)+) => {
        /// Passes every call of [`Transfer`] on that it does not answer itself.
        #[async_trait]
        pub trait Between: Send + Sync {
            /// The end that is behind.
            fn inner(&self) -> &dyn Transfer;

            $(
                /// As in [`Transfer`].
                async fn $name(&self, $($argument: $kind),*) -> Result<$answer, StoreError> {
                    self.inner().$name($($argument),*).await
                }
            )+
        }

        #[async_trait]
        impl<T: Between> Transfer for T {
            $(
                async fn $name(&self, $($argument: $kind),*) -> Result<$answer, StoreError> {
                    Between::$name(self, $($argument),*).await
                }
            )+
        }
    };
}

passed_on! {
    phase() -> Phase;
    take_over() -> (RunNumber, Phase);
    set_phase(run: RunNumber, phase: Phase) -> ();
    touched(run: RunNumber, after: Seq, limit: usize) -> (Vec<UserKey>, Seq);
    users(after: Option<UserKey>, limit: usize) -> Vec<UserRow>;
    users_of(keys: &[UserKey]) -> Vec<UserRow>;
    budget_rows() -> Vec<BudgetRow>;
    delivery_rows(after: Option<(Seq, DeliveryId)>, limit: usize) -> Vec<Claimed>;
    delivery_rows_of(places: &[(Seq, DeliveryId)]) -> Vec<Claimed>;
    put_order(run: RunNumber, is_total: bool) -> ();
    put_users(run: RunNumber, rows: Vec<UserRow>) -> ();
    put_records(run: RunNumber, records: Vec<Stored>) -> ();
    put_budgets(run: RunNumber, rows: Vec<BudgetRow>) -> ();
    put_deliveries(run: RunNumber, rows: Vec<Claimed>) -> ();
}
