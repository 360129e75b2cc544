//! Many random changes of a few budgets, and every sum of them.

use std::collections::BTreeMap;

use domain::budget::Limits;
use domain::ids::LineItemId;

use super::audit::Audit;
use super::plan::{PHASES, Plan, line_items};
use super::sums::Sums;
use super::tally::{LIMITS, Tally};
use super::worker::Worker;
use super::{Failure, Nodes};
use crate::contract::Checked;

/// Those who work at the same time: as many as keep several nodes' group commits filled.
const WORKERS: usize = 96;
/// What is done at each checkpoint while nobody else does anything.
const ALONE: usize = 60;

/// What everybody together knows to be so.
struct Ledger {
    nodes: Nodes,
    plan: Plan,
    workers: Vec<Worker>,
    sums: Sums,
    limits: BTreeMap<LineItemId, Limits>,
    tally: Tally,
    audit: Audit,
}

/// Participations, bookings within and beyond their holds, expiries, reversals and changes of
/// limits, `operations` in all, from many at once at all nodes. What was acknowledged is added up
/// beside the store. At every checkpoint each node's levels, each day of the budgets and the journal
/// are exactly that sum; what a budget has left is given and not more is; and in the end the books
/// verify. No level that anybody is told in between is beyond a limit and its grace.
///
/// # Errors
/// What was found instead, with the seed.
pub async fn books(nodes: &Nodes, operations: usize, seed: u64) -> Result<Tally, Failure> {
    let plan = Plan { operations };
    let workers = (0..WORKERS).map(|number| Worker::new(number, nodes, plan, seed)).collect();
    let mut ledger = Ledger {
        nodes: nodes.clone(),
        plan,
        workers,
        sums: Sums::default(),
        limits: BTreeMap::new(),
        tally: Tally::default(),
        audit: Audit::new(nodes),
    };
    let done = ledger.work_through().await;
    let repeat =
        |failure| Failure::new(format!("GUERDON_SEED={seed}, {operations} operations: {failure}"));
    done.map_err(repeat)?;
    Ok(ledger.tally)
}

impl Ledger {
    async fn work_through(&mut self) -> Checked {
        for phase in 0..PHASES {
            let done = self.stretch(phase).await;
            let so_far =
                |failure| Failure::new(format!("stretch {phase}, {}: {failure}", self.tally));
            done.map_err(so_far)?;
        }
        let audit = std::mem::replace(&mut self.audit, Audit::new(&self.nodes));
        audit.finish(self.nodes.state(0)).await?;
        self.tally.check(self.plan.operations)
    }

    /// Sets new limits, lets everybody work for a while, and then looks at everything.
    async fn stretch(&mut self, phase: usize) -> Checked {
        for worker in &mut self.workers {
            worker.set_limits(phase).await?;
        }
        let acts = self.plan.operations / PHASES / WORKERS;
        let workers = std::mem::take(&mut self.workers).into_iter();
        let workers = workers.map(|worker| worker.work(phase, acts)).collect();
        for worker in self.nodes.together(workers).await? {
            self.workers.push(worker?);
        }
        self.add_up();
        for number in 0..ALONE {
            let worker = &mut self.workers[number];
            let limits = |line_item| self.limits.get(&line_item).copied().unwrap_or_default();
            worker.act_alone(phase, &self.sums, limits).await?;
            self.add_up();
        }
        self.check_budgets().await?;
        self.check_journal(phase).await
    }

    /// Takes account of what the workers have done.
    fn add_up(&mut self) {
        for worker in &mut self.workers {
            self.sums.merge(std::mem::take(&mut worker.sums));
            self.tally.merge(std::mem::take(&mut worker.tally));
            self.limits.extend(worker.limits());
        }
    }

    async fn check_budgets(&self) -> Checked {
        let limits = |line_item| self.limits.get(&line_item).copied().unwrap_or_default();
        let levels: Vec<_> = line_items().map(|one| self.sums.level(one, limits(one))).collect();
        let rows: Vec<_> = line_items().map(|one| self.sums.row(one, limits(one))).collect();
        levels.iter().try_for_each(|level| self.plan.check(level))?;
        for number in 0..self.nodes.count() {
            ensure_eq!(self.nodes.state(number).levels().await?, levels, "levels, node {number}");
            let found = self.nodes.node(number).transfer.budget_rows().await?;
            ensure_eq!(found, rows, "the budgets by day, node {number}");
        }
        Ok(())
    }

    async fn check_journal(&mut self, phase: usize) -> Checked {
        self.audit.read_on(self.nodes.state(phase)).await?;
        ensure_eq!(self.audit.sums, self.sums, "what the journal adds up to");
        ensure_eq!(self.audit.limits, self.limits, "the latest limits of the journal");
        let changes = self.tally.count(LIMITS);
        ensure_eq!(self.audit.changes as u64, changes, "changes of limits in the journal");
        Ok(())
    }
}
