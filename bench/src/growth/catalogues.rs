//! Lists, starts and edits while line items grow.

use anyhow::Result;

use super::found::START;
use super::{Bench, CALLERS, edits, found, is_list};
use crate::client::Conn;
use crate::data::{Data, Size};
use crate::feed::{Draw, Requests};
use crate::measure::{self, Row, Spread};
use crate::process;
use crate::server::Running;
use crate::world::World;

/// What grows.
pub(super) const OVER: &str = "line items";
/// Line items, and the kinds of users that they are for.
const CATALOGUES: [(u32, u32); 3] = [(500, 30), (5_000, 300), (50_000, 3_000)];
/// Users beside catalogues that grow: each kind has some.
const USERS_BESIDE: u32 = 10_000;
/// Enrollments of each of them.
const ENROLLMENTS: u32 = 10;
/// Different users who ask, at most.
const ASKERS_MAX: usize = 200_000;
/// Lists that are looked at closely.
const SAMPLED: usize = 100;
const MIB: f64 = 1_048_576.0;

/// All catalogues.
pub(super) async fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let catalogues = if bench.options.quick { &CATALOGUES[..2] } else { &CATALOGUES };
    for &(line_items, kinds) in catalogues {
        let users = if bench.options.quick { 600 } else { USERS_BESIDE };
        let size = Size { users, enrollments: ENROLLMENTS, in_progress: 0, line_items, kinds };
        let data = Data::prepare(bench.guerdon, size)?;
        let folder = data.copy()?;
        let key = edits::Key::make(bench.guerdon, folder.path())?;
        let server = bench.guerdon.serve(folder.path()).await?;
        let at = (OVER, f64::from(line_items));
        lists(bench, at, &data.world, &server).await?;
        edits::measure(bench, at, &data.world, &server, &key).await?;
        server.stop()?;
    }
    Ok(())
}

/// Lists of users at random: how long they take, how long they are, and the memory of the server.
pub(super) async fn lists(
    bench: &mut Bench<'_>,
    at: (&'static str, f64),
    world: &World,
    server: &Running,
) -> Result<()> {
    let (draw, users) = (Draw::new(), world.contents.users as usize);
    let mut conn = Conn::open(server.address).await?;
    let (mut missions, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLED {
        let ask = world.missions(server.address, draw.below(users) as u32);
        let answer = conn.ask(&ask).await?;
        let list = answer.json(&[200])?;
        missions.push(list["missions"].as_array().map_or(0, Vec::len) as f64);
        bytes.push(answer.body.len() as f64);
    }
    let askers = (0..ASKERS_MAX.min(users)).map(|_| draw.below(users) as u32);
    let requests: Requests = askers.map(|user| world.missions(server.address, user)).collect();
    let plan = measure::closed(bench.options, server.address, CALLERS, is_list);
    let (over, size) = at;
    let what = format!("{size} {over}");
    let row = measure::repeated(&what, bench.options, server.pid(), &plan, &requests).await?;
    let memory = process::resident_bytes(server.pid())? as f64 / MIB;
    let facts = [
        ("missions in a list, median", Spread::of(missions).median, ""),
        ("bytes of a list, median", Spread::of(bytes).median, ""),
        (START, server.ready_after.as_secs_f64(), "s"),
        (found::MEMORY, memory, "MiB"),
    ];
    facts.into_iter().for_each(|(name, value, unit)| bench.found.fact(at, name, value, unit));
    bench.found.lists(at, &row);
    bench.add(row);
    Ok(())
}

impl Bench<'_> {
    /// Keeps a row, and shows that there is progress.
    pub(super) fn add(&mut self, row: Row) {
        eprintln!("{}: {:.1} µs of the server's", row.what, row.server_cpu_us.median);
        self.rows.push(row);
    }
}
