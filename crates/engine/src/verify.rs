//! `verify`: re-derives every balance and invariant from the journal.
//!
//! | step | store calls |
//! |---|---|
//! | read the journal, the users, the budgets and the outbox, page by page | many |

use std::collections::BTreeSet;

use domain::ids::Mode;
use domain::verify::{Order, Report, Verifier};
use store::{Delivery, DeliveryFilter};

use crate::{Ctx, Engine, EngineError};

/// Rows of one page.
const PAGE: usize = 2_000;

impl Engine {
    /// Checks M1 to M9, I7 and D1 over everything that is stored. `progress` is told how many
    /// records and users have been looked at.
    ///
    /// The books are read as they stand at the beginning, so verify a store at rest, or a backup:
    /// changes that are made meanwhile may be seen on one side only.
    ///
    /// # Errors
    /// [`EngineError::Store`] if something cannot be read; findings are an answer.
    pub async fn verify(
        &self,
        ctx: &Ctx,
        mut progress: impl FnMut(u64, u64) + Send,
    ) -> Result<Report, EngineError> {
        let state = &self.stores.state;
        let order = if state.is_total_order() { Order::Total } else { Order::ByUser };
        let mut verifier = Verifier::new(order);
        let head = ctx.metered("journal.head", state.head()).await?;
        let (mut after, mut users) = (0, 0);
        while after < head {
            let page = ctx.metered("journal.read", state.read(after, PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for one in &page {
                verifier.record(one.seq, one.chain, &one.record);
            }
            progress(after, users);
        }
        let mut last_user = None;
        loop {
            let page = ctx.metered("users.scan", state.scan(last_user, PAGE)).await?;
            let Some((key, _)) = page.last() else { break };
            last_user = Some(*key);
            users += page.len() as u64;
            for (key, loaded) in &page {
                verifier.user(key, loaded);
            }
            progress(after, users);
        }
        for level in ctx.metered("budgets.levels", state.levels()).await? {
            verifier.level(&level);
        }
        self.verify_deliveries(ctx, &mut verifier).await?;
        Ok(verifier.finish(head, ctx.now))
    }

    async fn verify_deliveries(
        &self,
        ctx: &Ctx,
        verifier: &mut Verifier,
    ) -> Result<(), EngineError> {
        let snapshot = self.snapshot();
        let apps = snapshot.catalog().apps.keys();
        let mut endpoints: BTreeSet<_> =
            apps.flat_map(|app| [(*app, Mode::Live), (*app, Mode::Test)]).collect();
        // An app may have been deleted since; what it was told is still there.
        endpoints.extend(verifier.endpoints());
        for (app, mode) in endpoints {
            let mut after = None;
            loop {
                let filter = DeliveryFilter { app, mode, state: None, after, limit: PAGE };
                let page = self.stores.state.deliveries(filter);
                let page = ctx.metered("outbox.deliveries", page).await?;
                page.iter().for_each(|one| check(verifier, one));
                let Some(last) = page.last() else { break };
                after = Some((last.seq, last.message.id));
            }
        }
        Ok(())
    }
}

fn check(verifier: &mut Verifier, delivery: &Delivery) {
    let message = &delivery.message;
    verifier.delivery(message.id, message.transaction, message.kind);
}
