//! Lists and conversions on one shape, and what they cost its stores.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::Shape;
use super::place::Node;
use crate::Options;
use crate::client::{Answer, Conn};
use crate::conversions::pays;
use crate::feed::{Feed, Requests};
use crate::figures::Figures;
use crate::load::Plan;
use crate::measure::{self, Row};
use crate::plays;
use crate::report::Report;
use crate::world::{self, World};

/// Connections that ask for lists.
pub(super) const LISTS: [usize; 3] = [1, 8, 32];
/// Partners' connections that report at once.
pub(super) const REPORTERS: [usize; 2] = [1, 64];
/// Lists and conversions that are looked at closely before the load.
const SAMPLED: usize = 20;
/// A run of requests that are good for one use ends with them; if they last longer, without them.
const LASTS_MAX: Duration = Duration::from_secs(120);
/// What of its requests to DynamoDB a node makes before it answers; the rest follows in the
/// background.
const BEFORE_THE_ANSWER: [&str; 6] =
    ["LoadUser", "WriteGroup", "ReadGroup", "ReadHead", "ReadBudget", "ReadVersion"];

/// The loads of a shape under way.
pub(super) struct Loads<'a> {
    pub(super) options: &'a Options,
    pub(super) shape: Shape,
    pub(super) world: &'a World,
    pub(super) node: &'a Node,
    pub(super) report: &'a mut Report,
}

/// A kind of load whose requests are good for one use.
pub(super) struct Level {
    pub(super) what: &'static str,
    pub(super) callers: usize,
    /// Requests of each run.
    pub(super) batch: usize,
    pub(super) is_wanted: fn(&Answer<'_>) -> bool,
}

impl Loads<'_> {
    /// A figure of this shape.
    fn fact(&mut self, what: &str, value: f64, unit: &'static str) {
        self.report.fact(&format!("{}: {what}", self.shape.name()), value, unit);
    }

    /// Lists of any user, by 1, 8 and 32 callers.
    pub(super) async fn lists(&mut self) -> Result<()> {
        let (address, users) = (self.node.address(), self.world.contents.users);
        let everybody: Requests =
            (0..users).map(|user| self.world.missions(address, user)).collect();
        self.look_closely("a list", &everybody, is_list).await?;
        let what = format!("{}: list", self.shape.name());
        for callers in self.options.callers(&LISTS) {
            let plan = measure::closed(self.options, address, callers, is_list);
            let pid = self.node.pid();
            let row = measure::repeated(&what, self.options, pid, &plan, &everybody).await?;
            self.report.row(row);
        }
        Ok(())
    }

    /// Conversions that pay, by 1 and 64 callers.
    pub(super) async fn conversions(&mut self) -> Result<()> {
        let levels = self.options.callers(&REPORTERS);
        let wanted: usize = levels.iter().map(|callers| self.batch(*callers) * self.runs()).sum();
        let wanted = wanted + SAMPLED;
        eprintln!("collecting click ids for {wanted} conversions …");
        let requests = plays::postbacks(self.world, self.node.address(), wanted).await?;
        let mut used = self.look_closely("a conversion", &requests, pays).await?;
        for callers in levels {
            let batch = self.batch(callers);
            let level = Level { what: "conversion", callers, batch, is_wanted: pays };
            used = self.level(&level, &requests, used).await?;
        }
        Ok(())
    }

    /// How many requests of one run are good for one use.
    pub(super) fn batch(&self, callers: usize) -> usize {
        if self.options.quick { 5 * callers } else { 500 + 40 * callers }
    }

    /// Runs of a level, the one that warms up among them.
    pub(super) fn runs(&self) -> usize {
        self.options.repetitions() + 1
    }

    /// One kind of load several times, after a run that warms up. Returns the place of the first
    /// request that is left.
    pub(super) async fn level(
        &mut self,
        level: &Level,
        requests: &Requests,
        begin: usize,
    ) -> Result<usize> {
        let &Level { what, callers, batch, is_wanted } = level;
        let plan = measure::closed(self.options, self.node.address(), callers, is_wanted);
        let (plan, mut used) = (Plan { lasts: LASTS_MAX, ..plan }, begin);
        let before = self.figures().await?;
        let mut samples = Vec::new();
        for _ in 0..self.runs() {
            let feed = Feed::once(requests, used..used + batch);
            samples.push(measure::sample(self.node.pid(), &plan, &feed).await?);
            used += batch;
        }
        self.report.row(Row::of(&format!("{}: {what}", self.shape.name()), &plan, &samples[1..]));
        let after = self.figures().await?;
        let what = format!("a {what}, callers {callers}");
        self.units(&what, (&before, &after), used - begin, true);
        Ok(used)
    }

    /// Some requests one after the other: their store calls, and what they cost in DynamoDB. Returns
    /// the place of the first that is left.
    async fn look_closely(
        &mut self,
        what: &str,
        requests: &Requests,
        is_wanted: fn(&Answer<'_>) -> bool,
    ) -> Result<usize> {
        let mut conn = Conn::open(self.node.address()).await?;
        let end = SAMPLED.min(requests.len());
        let (feed, before) = (Feed::once(requests, 0..end), self.figures().await?);
        let mut most = 0;
        while let Some(request) = feed.take() {
            let answer = conn.ask(request).await?;
            ensure!(is_wanted(&answer), "{}", answer.shown());
            most = most.max(world::store_calls(&answer)?);
        }
        self.fact(&format!("store calls of {what}, most"), f64::from(most), "");
        let after = self.figures().await?;
        self.units(&format!("{what}, one by one"), (&before, &after), end, false);
        Ok(end)
    }

    async fn figures(&self) -> Result<Figures> {
        Figures::of(&self.node.addresses()).await
    }

    /// What one of `count` requests has cost in DynamoDB.
    fn units(
        &mut self,
        what: &str,
        (before, after): (&Figures, &Figures),
        count: usize,
        with_the_rest: bool,
    ) {
        if !self.shape.is_on_dynamo() {
            return;
        }
        let is_first = |labels: &str| {
            BEFORE_THE_ANSWER.iter().any(|name| labels.contains(&format!("\"{name}\"")))
        };
        for (name, figure) in [
            ("read units", "guerdon_dynamo_read_units_total"),
            ("write units", "guerdon_dynamo_write_units_total"),
        ] {
            let grown = |is_wanted: &dyn Fn(&str) -> bool| {
                (after.sum(figure, is_wanted) - before.sum(figure, is_wanted)) / count as f64
            };
            self.fact(&format!("{name} of {what}"), grown(&is_first), "");
            if with_the_rest {
                let all = grown(&|_| true);
                self.fact(&format!("{name} of {what}, with what follows"), all, "");
            }
        }
    }
}

/// Whether it is a list.
pub(super) fn is_list(answer: &Answer<'_>) -> bool {
    answer.status == 200
}
