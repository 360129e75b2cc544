//! `claim_deliveries` and `finish_delivery`: reward postbacks on their way out. Sending is the
//! jobs' work; what follows from an attempt is decided here.
//!
//! | step | store calls |
//! |---|---|
//! | lease what is due | 1 |
//! | settle one attempt | 1 |

use domain::dialect::Dialect;
use domain::ids::{AppId, DeliveryId, Mode};
use domain::time::Timestamp;
use store::{
    AttemptNote, Claim, Claimed, Delivery, DeliveryFilter, DeliveryState, Replay, Settled,
    Settlement, Topic,
};

use crate::{Ctx, Engine, EngineError};

/// How an attempt ended, as the sender saw it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AttemptOutcome {
    /// The publisher acknowledged it.
    Delivered,
    /// It failed and may be tried again; the publisher may have asked for a pause in seconds.
    Retry {
        /// From `Retry-After`.
        after_seconds: Option<u32>,
    },
    /// It must not be tried again.
    Stop,
}

/// An attempt that has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
    /// The lease under which it was made.
    pub claimed: Claimed,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What to remember of it.
    pub note: AttemptNote,
    /// A random number that spreads the next attempt.
    pub jitter: u16,
}

impl Engine {
    /// Leases deliveries that are due.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn claim_deliveries(
        &self,
        ctx: &Ctx,
        claim: Claim,
    ) -> Result<Vec<Claimed>, EngineError> {
        Ok(ctx.metered("outbox.claim", self.stores.state.claim(claim)).await?)
    }

    /// Settles an attempt: delivered, to be tried again by the dialect's plan, stopped or parked.
    ///
    /// # Errors
    /// [`EngineError::Store`]; the lease then runs out and the delivery is tried again.
    pub async fn finish_delivery(
        &self,
        ctx: &Ctx,
        dialect: &Dialect,
        finished: Finished,
    ) -> Result<(Settlement, Settled), EngineError> {
        let settlement = settlement(ctx.now, dialect, &finished);
        let id = finished.claimed.delivery.message.id;
        let settle =
            self.stores.state.settle(id, finished.claimed.fence, settlement.clone(), finished.note);
        let settled = ctx.metered("outbox.settle", settle).await?;
        if settlement == Settlement::Delivered {
            // A reversal may have waited for this one.
            self.ring(Topic::Work);
        }
        Ok((settlement, settled))
    }

    /// Makes deliveries due now, and says how many.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a delivery that is not the app's.
    pub async fn replay_deliveries(
        &self,
        ctx: &Ctx,
        (app, mode): (AppId, Mode),
        which: Replay,
    ) -> Result<u64, EngineError> {
        if let Replay::One(id) = &which {
            self.read_delivery(ctx, (app, mode), *id).await?;
        }
        let replayed =
            ctx.metered("outbox.replay", self.stores.state.replay(which, ctx.now)).await?;
        self.ring(Topic::Work);
        Ok(replayed)
    }

    /// Deliveries in the order of their booking: the log, and the pull API.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn list_deliveries(
        &self,
        ctx: &Ctx,
        filter: DeliveryFilter,
    ) -> Result<Vec<Delivery>, EngineError> {
        Ok(ctx.metered("outbox.deliveries", self.stores.state.deliveries(filter)).await?)
    }

    /// One delivery of the app.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if it is not the app's.
    pub async fn read_delivery(
        &self,
        ctx: &Ctx,
        (app, mode): (AppId, Mode),
        id: DeliveryId,
    ) -> Result<Delivery, EngineError> {
        let found = ctx.metered("outbox.deliveries_of", self.stores.state.delivery(id)).await?;
        let is_own = |one: &Delivery| one.endpoint.app == app && one.endpoint.mode == mode;
        found.filter(is_own).ok_or(EngineError::NotFound("delivery"))
    }

    /// How many deliveries are in each state, and when the next one is due.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn backlog(
        &self,
        ctx: &Ctx,
    ) -> Result<(Vec<(DeliveryState, u64)>, Option<Timestamp>), EngineError> {
        Ok(ctx.metered("outbox.backlog", self.stores.state.backlog()).await?)
    }
}

fn settlement(now: Timestamp, dialect: &Dialect, finished: &Finished) -> Settlement {
    match finished.outcome {
        AttemptOutcome::Delivered => Settlement::Delivered,
        AttemptOutcome::Stop => Settlement::Stopped,
        AttemptOutcome::Retry { after_seconds } => {
            let attempts = finished.claimed.delivery.attempts + 1;
            let delay = dialect.retry.next_delay_after(attempts, finished.jitter, after_seconds);
            delay.map_or(Settlement::Parked, |seconds| {
                Settlement::RetryAt(now.plus_seconds(seconds.into()))
            })
        }
    }
}
