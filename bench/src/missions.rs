//! `bench missions`: the list of missions, which every user's page asks for first.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::Options;
use crate::bare::BareServer;
use crate::client::{Answer, Conn};
use crate::data::Data;
use crate::feed::{self, Draw, Feed, Requests};
use crate::measure::{self, Row, Spread};
use crate::process;
use crate::report::{Aim, Report};
use crate::server::{Guerdon, Running};
use crate::world::{self, World};

/// Connections of the kinds of load.
const CALLERS: [usize; 3] = [1, 8, 32];
/// Lists that are looked at closely before the load.
const SAMPLED: u32 = 200;
/// Users who have a session.
const SESSIONS: u32 = 2_000;
/// Users who come back to a list that they have.
const RETURNING: u32 = 500;
/// Least share of returning users who must find their list unchanged. It may change once a minute.
const UNCHANGED_MIN: f64 = 0.5;
const MIB: f64 = 1_048_576.0;

/// The benchmark under way.
struct Bench<'a> {
    options: &'a Options,
    world: World,
    server: Running,
    report: Report,
}

/// Runs it.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let guerdon = Guerdon::beside_this()?;
    let data = Data::prepare(&guerdon, options.size())?;
    let folder = data.copy()?;
    let world = data.world;
    let mut report = Report::new("missions", options, &guerdon, world.contents)?;
    let server = cold_starts(options, &guerdon, &folder, &mut report).await?;
    let mut bench = Bench { options, world, server, report };
    let body_bytes = bench.look_closely().await?;
    let everybody = bench.all_users();
    bench.closed("app key", &everybody).await?;
    bench.with_sessions().await?;
    bench.returning().await?;
    bench.at_fixed_rate(&everybody).await?;
    let busy = process::resident_bytes(bench.server.pid())? as f64 / MIB;
    bench.report.fact("memory under load", busy, "MiB");
    bench.server.stop()?;
    bare(options, body_bytes, &mut bench.report).await?;
    judge(options, &mut bench.report)?;
    bench.report.publish(options)
}

/// Starts the server several times; the last one is kept.
async fn cold_starts(
    options: &Options,
    guerdon: &Guerdon,
    folder: &TempDir,
    report: &mut Report,
) -> Result<Running> {
    let mut seconds = Vec::new();
    let server = loop {
        let server = guerdon.serve(folder.path()).await?;
        seconds.push(server.ready_after.as_secs_f64());
        if seconds.len() == options.repetitions() {
            break server;
        }
        server.stop()?;
    };
    let seconds = Spread::of(seconds).median;
    let idle = process::resident_bytes(server.pid())? as f64 / MIB;
    report.fact("start until ready, file in the page cache", seconds, "s");
    report.fact("idle memory", idle, "MiB");
    report.aim(Aim::at_most("start", seconds, 1.0, "s"));
    report.aim(Aim::at_most("idle memory", idle, 100.0, "MiB"));
    Ok(server)
}

impl Bench<'_> {
    fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Looks at some lists: how long they are, and what they cost the store. Returns the usual size
    /// of a body.
    async fn look_closely(&mut self) -> Result<u64> {
        let mut conn = Conn::open(self.address()).await?;
        let (mut counts, mut bytes, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for user in self.some_users(SAMPLED) {
            let answer = conn.ask(&self.world.missions(self.address(), user)).await?;
            let list = answer.json(&[200])?;
            let missions = list["missions"].as_array().context("the list has no missions")?;
            counts.push(missions.len() as f64);
            bytes.push(answer.body.len() as f64);
            calls.push(f64::from(world::store_calls(&answer)?));
        }
        let bytes = Spread::of(bytes).median;
        self.report.fact("missions in a list, median", Spread::of(counts).median, "");
        self.report.fact("bytes of a list, median", bytes, "");
        self.report.fact("store calls of a list, most", Spread::of(calls).max, "");
        Ok(bytes as u64)
    }

    async fn with_sessions(&mut self) -> Result<()> {
        let address = self.address();
        let mut conn = Conn::open(address).await?;
        let mut requests = Requests::default();
        for user in self.some_users(SESSIONS) {
            let token = self.world.session(&mut conn, address, user).await?;
            requests.push(&world::missions_of_session(address, &token));
        }
        self.closed("session", &requests).await
    }

    /// As many as can be answered, by 1, 8 and 32 callers.
    async fn closed(&mut self, what: &str, requests: &Requests) -> Result<()> {
        let address = self.address();
        for callers in self.options.callers(&CALLERS) {
            let plan = measure::closed(self.options, address, callers, is_list);
            let row = measure::repeated(what, self.options, self.server.pid(), &plan, requests);
            self.report.row(row.await?);
        }
        Ok(())
    }

    /// Users who have the list and ask whether it has changed. What they know is refreshed before
    /// each run, because a list is kept for a minute at most.
    async fn returning(&mut self) -> Result<()> {
        let callers = most(self.options);
        let plan = measure::closed(self.options, self.address(), callers, is_list_or_unchanged);
        let mut samples = Vec::new();
        for _ in 0..self.options.repetitions() {
            let requests = self.with_etags().await?;
            samples
                .push(measure::sample(self.server.pid(), &plan, &Feed::random(&requests)).await?);
        }
        let row = Row::of("unchanged (304)", &plan, &samples);
        if row.unchanged.median < UNCHANGED_MIN {
            bail!("only a share of {:.2} of the lists was unchanged", row.unchanged.median);
        }
        self.report.row(row);
        Ok(())
    }

    async fn with_etags(&self) -> Result<Requests> {
        let address = self.address();
        let mut conn = Conn::open(address).await?;
        let mut requests = Requests::default();
        for user in self.some_users(RETURNING) {
            let answer = conn.ask(&self.world.missions(address, user)).await?;
            let etag = answer.header("etag").context("the list has no ETag")?;
            requests.push(&self.world.missions_unless(address, user, etag));
        }
        Ok(requests)
    }

    /// What users see at half of the most that can be answered.
    async fn at_fixed_rate(&mut self, requests: &Requests) -> Result<()> {
        let callers = most(self.options);
        let rate = self.report.find("app key", callers)?.per_second.median;
        let address = self.address();
        let plan = measure::closed(self.options, address, callers, is_list).at_half_of(rate);
        let row = measure::repeated("app key", self.options, self.server.pid(), &plan, requests);
        self.report.row(row.await?);
        Ok(())
    }

    /// A list for every user there is.
    fn all_users(&self) -> Requests {
        (0..self.world.contents.users)
            .map(|user| self.world.missions(self.address(), user))
            .collect()
    }

    /// Users from the whole range, the same in each run.
    fn some_users(&self, count: u32) -> Vec<u32> {
        let draw = Draw::new();
        (0..count).map(|_| draw.below(self.world.contents.users as usize) as u32).collect()
    }
}

/// The same bytes from a server that does nothing else.
async fn bare(options: &Options, body_bytes: u64, report: &mut Report) -> Result<()> {
    let server = BareServer::start(body_bytes)?;
    let request = feed::get(server.address, "/", "");
    let requests: Requests = std::iter::once(request).collect();
    let mut plans = Vec::new();
    for callers in options.callers(&CALLERS) {
        plans.push(measure::closed(options, server.address, callers, is_list));
    }
    // At the same rate as ours, so that what waking up costs is told apart from what a list costs.
    let ours = report.find("app key", most(options))?.per_second.median;
    let due = measure::closed(options, server.address, most(options), is_list);
    plans.push(due.at_half_of(ours));
    for plan in plans {
        let row = measure::repeated("bare server", options, server.pid(), &plan, &requests);
        report.row(row.await?);
    }
    Ok(())
}

fn judge(options: &Options, report: &mut Report) -> Result<()> {
    let callers = most(options);
    let ours = report.find("app key", callers)?;
    let (rate, p99) = (ours.per_second.median, ours.p99_ms.median);
    let bare = report.find("bare server", callers)?.per_second.median;
    report.fact("share of the bare server's rate", rate / bare, "");
    report.aim(Aim::at_least("lists", rate, 15_000.0, "a second"));
    report.aim(Aim::at_most("p99 of a list", p99, 10.0, "ms"));
    Ok(())
}

fn most(options: &Options) -> usize {
    options.callers(&CALLERS).into_iter().max().unwrap_or(1)
}

fn is_list(answer: &Answer<'_>) -> bool {
    answer.status == 200
}

fn is_list_or_unchanged(answer: &Answer<'_>) -> bool {
    matches!(answer.status, 200 | 304)
}
