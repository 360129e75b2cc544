//! Lists and conversions while users grow, beside the smallest catalogue.

use anyhow::Result;

use super::{Bench, catalogues};
use crate::conversions::pays;
use crate::data::{Data, Size};
use crate::feed::Feed;
use crate::measure::{self, Row};
use crate::plays;
use crate::server::Running;
use crate::world::World;

/// What grows.
pub(super) const OVER: &str = "users";
/// Users.
const USERS: [u32; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
/// Enrollments of each of them: one that is done, and one that can go on.
const ENROLLMENTS: u32 = 2;
/// More users than this are many gigabytes, so they are measured where they were seeded and are gone
/// afterwards.
const COPIED_MAX: u32 = 1_000_000;
/// Partners' connections that report at once.
const REPORTERS: usize = 32;
/// Conversions of one run, if there are users enough.
const BATCH: usize = 5_000;

/// All of them.
pub(super) async fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let sizes = if bench.options.quick { &[600, 2_000][..] } else { &USERS };
    for &users in sizes {
        let size =
            Size { users, enrollments: ENROLLMENTS, in_progress: 0, line_items: 500, kinds: 30 };
        let data = Data::prepare(bench.guerdon, size)?;
        let (folder, world) = match users {
            ..=COPIED_MAX => (data.copy()?, data.world),
            _ => data.take()?,
        };
        let server = bench.guerdon.serve(folder.path()).await?;
        let at = (OVER, f64::from(users));
        catalogues::lists(bench, at, &world, &server).await?;
        conversions(bench, at, &world, &server).await?;
        server.stop()?;
        let bytes = crate::data::database_bytes(folder.path())? as f64 / f64::from(users);
        bench.found.fact(at, "bytes of the database for a user", bytes, "");
        bench.contents = Some(world.contents);
    }
    Ok(())
}

/// Conversions that pay, of users from the whole range.
async fn conversions(
    bench: &mut Bench<'_>,
    at: (&'static str, f64),
    world: &World,
    server: &Running,
) -> Result<()> {
    let runs = bench.options.repetitions() + 1;
    // Every user has one run of at least one step.
    let batch = BATCH.min(world.contents.users as usize / runs);
    let requests = plays::postbacks(world, server.address, batch * runs).await?;
    let plan = measure::closed(bench.options, server.address, REPORTERS, pays);
    // A run ends with its requests.
    let plan = crate::load::Plan { lasts: crate::conversions::LASTS_MAX, ..plan };
    let mut samples = Vec::new();
    for run in 0..runs {
        let feed = Feed::once(&requests, run * batch..(run + 1) * batch);
        samples.push(measure::sample(server.pid(), &plan, &feed).await?);
    }
    let (over, size) = at;
    let row = Row::of(&format!("{size} {over}: conversion"), &plan, &samples[1..]);
    bench.found.conversions(at, &row);
    bench.add(row);
    Ok(())
}
