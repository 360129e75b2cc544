//! Lists and conversions while nodes grow, on MariaDB, a DynamoDB and a Redis.
//!
//! All nodes, the stores and the generator share this machine, so the rate cannot grow with the nodes.
//! What can be seen is whether a request costs more when there are more of them: processor time, calls
//! of the stores, units of DynamoDB.

use std::net::SocketAddr;

use anyhow::{Result, ensure};

use super::{Bench, edits, found, is_list};
use crate::client::{Answer, Conn};
use crate::conversions::{LASTS_MAX, pays};
use crate::data::{Data, Size};
use crate::feed::{Feed, Requests};
use crate::figures::Figures;
use crate::load::Plan;
use crate::measure::{self, Row, Sample};
use crate::plays;
use crate::process;
use crate::server::Running;
use crate::shapes::Shape;
use crate::shapes::place::{Home, Servers};
use crate::world::{self, World};

/// What grows.
pub(super) const OVER: &str = "nodes";
/// The most nodes.
const NODES_MAX: usize = 3;
/// Connections that ask for lists, and partners' that report.
const CALLERS: usize = 32;
/// Users: a move to a local DynamoDB takes its time.
const USERS: u32 = 5_000;
/// Conversions of one run.
const BATCH: usize = 600;
/// Lists and conversions that are looked at closely, one by one.
const SAMPLED: usize = 20;

/// One node after the other joins.
pub(super) async fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let users = if bench.options.quick { 150 } else { USERS };
    let line_items = if bench.options.quick { 150 } else { 500 };
    let size = Size { users, enrollments: 10, in_progress: 0, line_items, kinds: 30 };
    let data = Data::prepare(bench.guerdon, size)?;
    let servers = Servers::start()?;
    eprintln!("moving {users} users to DynamoDB …");
    let from = Home { shape: Shape::Embedded, folder: data.copy()? };
    let (home, _) = Home::grow(bench.guerdon, Shape::Standard, &servers, &from)?;
    let key = edits::Key::make(bench.guerdon, home.folder.path())?;
    let first = bench.guerdon.serve(home.folder.path()).await?;
    let batch = if bench.options.quick { 40 } else { BATCH };
    let runs = bench.options.repetitions() + 1;
    let each = batch * runs + SAMPLED;
    let events = plays::postbacks(&data.world, first.address, each * NODES_MAX).await?;
    let mut nodes = Nodes { bench, world: &data.world, servers: &servers, running: vec![first] };
    for count in 1..=NODES_MAX {
        if count > 1 {
            let answers = ["serve", "--no-jobs"];
            nodes.running.push(nodes.bench.guerdon.start(home.folder.path(), &answers).await?);
        }
        nodes.lists().await?;
        nodes.conversions(&events, (count - 1) * each, batch).await?;
        let served =
            edits::served_by_all(&data.world, &nodes.addresses(), &key, &format!("{count}"))
                .await?;
        nodes.fact(&format!("{} on all nodes", found::SERVED_AFTER), served, "ms");
    }
    nodes.bench.notes.push(format!(
        "The nodes have {users} users with 10 enrollments each on MariaDB, a local server in place of \
         DynamoDB, and a Redis; nodes, stores and generator share the cores."
    ));
    nodes.running.into_iter().rev().try_for_each(Running::stop)
}

/// The nodes that run.
struct Nodes<'a, 'b> {
    bench: &'a mut Bench<'b>,
    world: &'a World,
    servers: &'a Servers,
    running: Vec<Running>,
}

/// What the stores have done so far.
struct Stores {
    cpu_us: f64,
    read_units: f64,
    write_units: f64,
}

impl Nodes<'_, '_> {
    fn addresses(&self) -> Vec<SocketAddr> {
        self.running.iter().map(|node| node.address).collect()
    }

    fn at(&self) -> (&'static str, f64) {
        (OVER, self.running.len() as f64)
    }

    fn fact(&mut self, name: &str, value: f64, unit: &'static str) {
        let at = self.at();
        self.bench.found.fact(at, name, value, unit);
    }

    /// Lists of any user.
    async fn lists(&mut self) -> Result<()> {
        let (address, users) = (self.running[0].address, self.world.contents.users);
        let all: Requests = (0..users).map(|user| self.world.missions(address, user)).collect();
        let plan = measure::closed(self.bench.options, address, CALLERS, is_list);
        self.calls("a list", &plan, &Feed::random(&all)).await?;
        let before = self.stores().await?;
        let mut samples = Vec::new();
        for _ in 0..=self.bench.options.repetitions() {
            samples.push(self.sample(&plan, &Feed::random(&all)).await?);
        }
        self.spent("a list", &before, &samples).await?;
        let row = Row::of(&format!("{} nodes: list", self.running.len()), &plan, &samples[1..]);
        self.bench.found.lists(self.at(), &row);
        self.bench.add(row);
        Ok(())
    }

    /// Conversions that pay.
    async fn conversions(&mut self, events: &Requests, begin: usize, batch: usize) -> Result<()> {
        let plan = measure::closed(self.bench.options, self.running[0].address, CALLERS, pays);
        let plan = Plan { lasts: LASTS_MAX, ..plan };
        let mut used = begin + SAMPLED;
        self.calls("a conversion", &plan, &Feed::once(events, begin..used)).await?;
        let before = self.stores().await?;
        let mut samples = Vec::new();
        for _ in 0..=self.bench.options.repetitions() {
            let feed = Feed::once(events, used..used + batch);
            samples.push(self.sample(&plan, &feed).await?);
            used += batch;
        }
        self.spent("a conversion", &before, &samples).await?;
        let what = format!("{} nodes: conversion", self.running.len());
        let row = Row::of(&what, &plan, &samples[1..]);
        self.bench.found.conversions(self.at(), &row);
        self.bench.add(row);
        Ok(())
    }

    async fn sample(&self, plan: &Plan, feed: &Feed<'_>) -> Result<Sample> {
        let pids: Vec<u32> = self.running.iter().map(Running::pid).collect();
        measure::sample_on(&self.addresses(), &pids, plan, feed).await
    }

    /// The most calls of the stores that a request makes, whichever node is asked.
    async fn calls(&mut self, what: &str, plan: &Plan, feed: &Feed<'_>) -> Result<()> {
        let mut most = 0;
        for (place, &node) in self.addresses().iter().cycle().take(SAMPLED).enumerate() {
            let Some(request) = feed.take() else { break };
            let mut conn = Conn::open(node).await?;
            let answer: Answer<'_> = conn.ask(request).await?;
            ensure!((plan.is_wanted)(&answer), "{what} {place}: {}", answer.shown());
            most = most.max(world::store_calls(&answer)?);
        }
        self.fact(&format!("store calls of {what}, most"), f64::from(most), "");
        Ok(())
    }

    async fn stores(&self) -> Result<Stores> {
        let figures = Figures::of(&self.addresses()).await?;
        let cpu = process::cpu_time_of(&self.servers.pids())?;
        Ok(Stores {
            cpu_us: cpu.as_secs_f64() * 1e6,
            read_units: figures.sum("guerdon_dynamo_read_units_total", |_| true),
            write_units: figures.sum("guerdon_dynamo_write_units_total", |_| true),
        })
    }

    /// What these samples have cost the stores, for each request, with all that the nodes did beside.
    async fn spent(&mut self, what: &str, before: &Stores, samples: &[Sample]) -> Result<()> {
        let after = self.stores().await?;
        let answers = samples.iter().map(|one| one.answers as f64).sum::<f64>();
        for (name, grown, unit) in [
            ("the stores' CPU", after.cpu_us - before.cpu_us, "µs"),
            ("read units", after.read_units - before.read_units, ""),
            ("write units", after.write_units - before.write_units, ""),
        ] {
            self.fact(&format!("{name} of {what}"), grown / answers, unit);
        }
        Ok(())
    }
}
