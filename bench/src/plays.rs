//! Events that pay: the postbacks that take seeded users through the missions they have started.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use serde_json::Value;

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
    let runs = runs(world, address, wanted).await?;
    let events = world.events.iter().enumerate();
    let requests: Vec<_> = events
        .flat_map(|(place, event)| {
            let having = runs.iter().enumerate().filter(move |(_, run)| place < run.steps);
            having.map(move |(number, run)| {
                world.postback(address, &run.click, event, &format!("{number}-{place}"))
            })
        })
        .take(wanted)
        .collect();
    ensure!(requests.len() == wanted, "only {} of {wanted} events can pay", requests.len());
    Ok(requests.into_iter().collect())
}

/// The click ids of users who have all started one mission, in their order.
pub(crate) async fn clicks(
    world: &World,
    address: SocketAddr,
    mission: u64,
    users: u32,
) -> Result<Vec<String>> {
    let (next, clicks) = (Cell::new(0), RefCell::new(vec![String::new(); users as usize]));
    let ask = async || -> Result<()> {
        let mut conn = Conn::open(address).await?;
        while next.get() < users {
            let user = next.replace(next.get() + 1);
            let started = conn.ask(&world.participate(address, user, mission)).await?;
            clicks.borrow_mut()[user as usize] = click_of(&started.json(&[200])?)?;
        }
        Ok(())
    };
    try_join_all((0..ASKERS).map(|_| ask())).await?;
    Ok(clicks.into_inner())
}

fn click_of(started: &Value) -> Result<String> {
    Ok(started["click_id"].as_str().context("the run has no click_id")?.to_owned())
}

/// A run that can go on.
struct Run {
    click: String,
    /// Each of them is done by one event.
    steps: usize,
}

/// Runs that can go on, with so many steps together, or all if there are fewer.
async fn runs(world: &World, address: SocketAddr, wanted: usize) -> Result<Vec<Run>> {
    let collector = Collector {
        world,
        address,
        wanted,
        visited: Cell::new(0),
        steps: Cell::new(0),
        runs: RefCell::new(Vec::with_capacity(wanted)),
    };
    try_join_all((0..ASKERS).map(|_| collector.collect())).await?;
    Ok(collector.runs.into_inner())
}

/// Collects runs; shared by several connections.
struct Collector<'a> {
    world: &'a World,
    address: SocketAddr,
    /// Steps that are needed.
    wanted: usize,
    visited: Cell<u32>,
    /// Steps that have been found.
    steps: Cell<usize>,
    runs: RefCell<Vec<Run>>,
}

impl Collector<'_> {
    async fn collect(&self) -> Result<()> {
        let mut conn = Conn::open(self.address).await?;
        while self.steps.get() < self.wanted {
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
            let click = click_of(&started)?;
            let steps = started["steps"].as_array().map_or(0, Vec::len);
            self.steps.set(self.steps.get() + steps);
            self.runs.borrow_mut().push(Run { click, steps });
        }
        Ok(())
    }
}
