//! The journal, read on and on beside what everybody knows that he has made.

use std::collections::BTreeMap;

use domain::budget::Limits;
use domain::ids::LineItemId;
use domain::journal::Cause;
use domain::verify::{Order, Verifier};

use super::sums::Sums;
use super::{Failure, Nodes};
use crate::contract::Checked;
use crate::contract::sample::NOW;
use crate::{DeliveryFilter, Seq, StateStore};

/// Records, users or deliveries of one page.
const PAGE: usize = 1_000;

/// What the journal says.
#[derive(Debug)]
pub(super) struct Audit {
    verifier: Verifier,
    after: Seq,
    /// What all moves add up to.
    pub(super) sums: Sums,
    /// The latest limits.
    pub(super) limits: BTreeMap<LineItemId, Limits>,
    /// How often limits were changed.
    pub(super) changes: usize,
}

impl Audit {
    pub(super) fn new(nodes: &Nodes) -> Self {
        let is_total = nodes.state(0).is_total_order();
        let order = if is_total { Order::Total } else { Order::ByUser };
        Self {
            verifier: Verifier::new(order),
            after: 0,
            sums: Sums::default(),
            limits: BTreeMap::new(),
            changes: 0,
        }
    }

    /// Reads to the end.
    pub(super) async fn read_on(&mut self, state: &dyn StateStore) -> Checked {
        let head = state.head().await?;
        while self.after < head {
            let page = state.read(self.after, PAGE).await?;
            ensure!(!page.is_empty(), "the journal ends at {} instead of {head}", self.after);
            for stored in page {
                self.verifier.record(stored.seq, stored.chain, &stored.record);
                stored.record.moves.iter().for_each(|by| self.sums.add(by));
                if let Cause::LimitsSet { line_item, limits } = stored.record.cause {
                    self.limits.insert(line_item, limits);
                    self.changes += 1;
                }
                self.after = stored.seq;
            }
        }
        ensure_eq!(self.after, head, "the end of the journal");
        Ok(())
    }

    /// Compares it with everything that is stored: every invariant of the books, of every user.
    pub(super) async fn finish(mut self, state: &dyn StateStore) -> Checked {
        let mut after = None;
        loop {
            let users = state.scan(after, PAGE).await?;
            users.iter().for_each(|(key, loaded)| self.verifier.user(key, loaded));
            let Some((last, _)) = users.last() else { break };
            after = Some(*last);
        }
        state.levels().await?.iter().for_each(|level| self.verifier.level(level));
        self.add_deliveries(state).await?;
        let report = self.verifier.finish(state.head().await?, NOW);
        let first: Vec<_> = report.findings.iter().take(10).collect();
        ensure!(first.is_empty(), "{} findings: {first:#?}", report.findings.len());
        Ok(())
    }

    async fn add_deliveries(&mut self, state: &dyn StateStore) -> Result<(), Failure> {
        for (app, mode) in self.verifier.endpoints() {
            let mut after = None;
            loop {
                let filter = DeliveryFilter { app, mode, state: None, after, limit: PAGE };
                let page = state.deliveries(filter).await?;
                for delivery in &page {
                    let message = &delivery.message;
                    self.verifier.delivery(message.id, message.transaction, message.kind);
                }
                let Some(last) = page.last() else { break };
                after = Some((last.seq, last.message.id));
            }
        }
        Ok(())
    }
}
