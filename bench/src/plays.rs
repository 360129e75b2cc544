//! Events that pay: the postbacks that take seeded users through the missions they have started.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;

use crate::client::Conn;
use crate::feed::Requests;
use crate::world::World;

/// Connections that ask for click ids before anything is measured.
const ASKERS: usize = 32;
/// Runs of one user whose events are reported at most: a user plays a few, and there are many users.
const RUNS_EACH: usize = 4;
/// Users are visited in steps of this prime, so that they come from the whole range.
const STRIDE: u64 = 100_003;

/// Writes the postbacks of so many events, each of which pays.
///
/// First come the first events of all runs, then the second ones, and so on. So the events of one
/// run are far apart, and callers who take the requests in order do not overtake each other on it.
pub(crate) async fn postbacks(
    world: &World,
    address: SocketAddr,
    wanted: usize,
) -> Result<Requests> {
    let runs = wanted.div_ceil(world.events.len().max(1));
    let clicks = clicks(world, address, runs).await?;
    ensure!(clicks.len() >= runs, "only {} of {runs} runs can go on", clicks.len());
    let events = world.events.iter().enumerate();
    let requests = events.flat_map(|(place, event)| {
        let id = move |run| format!("{run}-{place}");
        let runs = clicks.iter().take(runs).enumerate();
        runs.map(move |(run, click)| world.postback(address, click, event, &id(run)))
    });
    Ok(requests.take(wanted).collect())
}

/// The click ids of so many runs that can go on, or of all if there are fewer.
async fn clicks(world: &World, address: SocketAddr, wanted: usize) -> Result<Vec<String>> {
    let collector = Collector {
        world,
        address,
        wanted,
        visited: Cell::new(0),
        clicks: RefCell::new(Vec::with_capacity(wanted)),
    };
    try_join_all((0..ASKERS).map(|_| collector.collect())).await?;
    Ok(collector.clicks.into_inner())
}

/// Collects click ids; shared by several connections.
struct Collector<'a> {
    world: &'a World,
    address: SocketAddr,
    wanted: usize,
    visited: Cell<u32>,
    clicks: RefCell<Vec<String>>,
}

impl Collector<'_> {
    async fn collect(&self) -> Result<()> {
        let mut conn = Conn::open(self.address).await?;
        while self.clicks.borrow().len() < self.wanted {
            let Some(user) = self.next_user() else { break };
            self.visit(&mut conn, user).await.with_context(|| format!("user {user}"))?;
        }
        Ok(())
    }

    fn next_user(&self) -> Option<u32> {
        let (visited, users) = (self.visited.get(), self.world.contents.users);
        self.visited.set(visited + 1);
        let user = u64::from(visited) * STRIDE % u64::from(users);
        (visited < users).then_some(user as u32)
    }

    /// Taps again on missions that the user has started; that is answered with the same click id.
    async fn visit(&self, conn: &mut Conn, user: u32) -> Result<()> {
        let list = conn.ask(&self.world.missions(self.address, user)).await?.json(&[200])?;
        let missions = list["missions"].as_array().context("the list has no missions")?;
        let runs = missions.iter().filter(|mission| mission["enrollment_id"].is_string());
        for run in runs.take(RUNS_EACH) {
            let mission = run["id"].as_u64().context("the mission has no id")?;
            let request = self.world.participate(self.address, user, mission);
            let started = conn.ask(&request).await?.json(&[200])?;
            let click = started["click_id"].as_str().context("the run has no click_id")?;
            self.clicks.borrow_mut().push(click.to_owned());
        }
        Ok(())
    }
}
