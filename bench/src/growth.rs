//! `bench growth`: what a list costs while the catalogue and the users grow, its own size held.
//!
//! Line items grow together with the kinds of users that they are for, so that a user fits about
//! fifty missions whatever there is beside them. Users grow alone.

use anyhow::{Context, Result};

use crate::Options;
use crate::client::{Answer, Conn};
use crate::data::{Data, Size};
use crate::feed::{Draw, Requests};
use crate::measure::{self, Row, Spread};
use crate::process;
use crate::report::{Aim, Report};
use crate::server::Guerdon;
use crate::world::Contents;

/// Line items, and the kinds of users that they are for.
const CATALOGUES: [(u32, u32); 3] = [(500, 30), (5_000, 300), (50_000, 3_000)];
/// Users beside catalogues that grow: each kind has some.
const USERS_BESIDE: u32 = 10_000;
/// Users, beside the first catalogue.
const USERS: [u32; 3] = [10_000, 100_000, 1_000_000];
/// Enrollments of each of them.
const ENROLLMENTS: u32 = 10;
/// The same where there are so many users that seeding would take hours.
const ENROLLMENTS_OF_MANY: u32 = 2;
/// Connections.
const CALLERS: usize = 8;
/// Different users who ask, at most.
const ASKERS_MAX: usize = 200_000;
/// Lists that are looked at closely.
const SAMPLED: usize = 100;
const MIB: f64 = 1_048_576.0;

/// Runs it.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let guerdon = Guerdon::beside_this()?;
    let (rows, facts) = (Vec::new(), Vec::new());
    let mut bench = Bench { options, guerdon: &guerdon, largest: None, rows, facts };
    let catalogues = if options.quick { &CATALOGUES[..2] } else { &CATALOGUES };
    for &(line_items, kinds) in catalogues {
        let users = if options.quick { 600 } else { USERS_BESIDE };
        let size = Size { users, enrollments: ENROLLMENTS, in_progress: 0, line_items, kinds };
        bench.measure(&format!("{line_items} line items"), size).await?;
    }
    let users = if options.quick { &[600, 2_000][..] } else { &USERS };
    for &users in users {
        let (enrollments, line_items, kinds) = (ENROLLMENTS_OF_MANY, 500, 30);
        let size = Size { users, enrollments, in_progress: 0, line_items, kinds };
        bench.measure(&format!("{users} users"), size).await?;
    }
    bench.publish()
}

/// The benchmark under way.
struct Bench<'a> {
    options: &'a Options,
    guerdon: &'a Guerdon,
    /// What the data of the last row are.
    largest: Option<Contents>,
    rows: Vec<Row>,
    facts: Vec<(String, f64, &'static str)>,
}

impl Bench<'_> {
    /// One size: the start, the memory, and lists of users at random.
    async fn measure(&mut self, what: &str, size: Size) -> Result<()> {
        let data = Data::prepare(self.guerdon, size)?;
        let folder = data.copy()?;
        let server = self.guerdon.serve(folder.path()).await?;
        let started = server.ready_after.as_secs_f64();
        let (draw, users) = (Draw::new(), size.users as usize);
        let mut conn = Conn::open(server.address).await?;
        let (mut missions, mut bytes) = (Vec::new(), Vec::new());
        for _ in 0..SAMPLED {
            let ask = data.world.missions(server.address, draw.below(users) as u32);
            let answer = conn.ask(&ask).await?;
            let list = answer.json(&[200])?;
            let own = list["missions"].as_array().context("the list has no missions")?;
            missions.push(own.len() as f64);
            bytes.push(answer.body.len() as f64);
        }
        let askers = (0..ASKERS_MAX.min(users)).map(|_| draw.below(users) as u32);
        let requests: Requests =
            askers.map(|user| data.world.missions(server.address, user)).collect();
        let plan = measure::closed(self.options, server.address, CALLERS, is_list);
        let row = measure::repeated(what, self.options, server.pid(), &plan, &requests).await?;
        let memory = process::resident_bytes(server.pid())? as f64 / MIB;
        server.stop()?;
        self.largest = Some(data.world.contents);
        eprintln!("{what}: {:.1} µs of the server's for a list", row.server_cpu_us.median);
        self.rows.push(row);
        self.fact(what, "missions in a list, median", Spread::of(missions).median, "");
        self.fact(what, "bytes of a list, median", Spread::of(bytes).median, "");
        self.fact(what, "start until ready, the catalogue compiled", started, "s");
        self.fact(what, "memory under load", memory, "MiB");
        Ok(())
    }

    fn fact(&mut self, what: &str, of: &str, value: f64, unit: &'static str) {
        self.facts.push((format!("{what}: {of}"), value, unit));
    }

    fn publish(self) -> Result<()> {
        let contents = self.largest.context("nothing was measured")?;
        let mut report = Report::new("growth", self.options, self.guerdon, contents)?;
        report.note("These are the data of the last row; the others say what differs.".to_owned());
        let cpu = |place: usize| self.rows.get(place).map(|row| row.server_cpu_us.median);
        if let (false, Some(few), Some(many)) = (self.options.quick, cpu(0), cpu(2)) {
            let what = "server CPU of a list among 50,000 line items, times that among 500";
            report.aim(Aim::at_most(what, many / few, 1.3, ""));
        }
        let named = |name: &str| self.facts.iter().find(|(what, ..)| what.as_str() == name);
        if let Some((what, memory, unit)) = named("50000 line items: memory under load") {
            report.aim(Aim::at_most(what, *memory, 400.0, unit));
        }
        let start = "50000 line items: start until ready, the catalogue compiled";
        if let Some((what, seconds, unit)) = named(start) {
            report.aim(Aim::at_most(what, *seconds, 1.0, unit));
        }
        for (what, value, unit) in &self.facts {
            report.fact(what, *value, unit);
        }
        self.rows.into_iter().for_each(|row| report.row(row));
        report.publish(self.options)
    }
}

fn is_list(answer: &Answer<'_>) -> bool {
    answer.status == 200
}
