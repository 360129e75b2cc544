//! Where a cache pays: lists with each cache, of users who come now and then and of users who come
//! all the time.

use anyhow::Result;

use super::loads::{LISTS, is_list};
use super::place::{Home, Servers};
use super::{Bench, Shape};
use crate::feed::Requests;
use crate::figures::Figures;
use crate::measure;

/// Users who come all the time: so few that each is asked for several times a second, as long as a
/// cache may show him at most.
const BUSY_USERS: u32 = 100;

/// What remembers users.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Caching {
    /// Nothing.
    None,
    /// The process itself.
    InProcess,
    /// One Redis.
    Redis,
    /// A Redis Cluster.
    Cluster,
}

impl Caching {
    fn name(self) -> &'static str {
        match self {
            Self::None => "no cache",
            Self::InProcess => "cache in process",
            Self::Redis => "cache in one Redis",
            Self::Cluster => "cache in a Redis Cluster",
        }
    }
}

/// Lists with every cache that goes with the shape.
pub(super) async fn compare(bench: &mut Bench<'_>, home: &Home, servers: &Servers) -> Result<()> {
    let caches: &[Caching] = match home.shape {
        Shape::Embedded => &[],
        Shape::Compact | Shape::Standard => &[Caching::None, Caching::InProcess, Caching::Redis],
        Shape::Scaled => &[Caching::Cluster],
    };
    for &cache in caches {
        home.configure(servers, cache)?;
        lists(bench, home, cache).await?;
    }
    Ok(())
}

async fn lists(bench: &mut Bench<'_>, home: &Home, cache: Caching) -> Result<()> {
    let node = home.serve(&bench.guerdon).await?;
    let callers = bench.options.callers(&LISTS).into_iter().max().unwrap_or(1);
    let plan = measure::closed(bench.options, node.address(), callers, is_list);
    let all = bench.data.world.contents.users;
    for (whose, users) in [("any user", all), ("busy users", BUSY_USERS.min(all))] {
        let what = format!("{}, {}: list of {whose}", home.shape.name(), cache.name());
        let ask = |user| bench.data.world.missions(node.address(), user);
        let requests: Requests = (0..users).map(ask).collect();
        let before = Figures::of(&node.addresses()).await?;
        let row = measure::repeated(&what, bench.options, node.pid(), &plan, &requests).await?;
        let after = Figures::of(&node.addresses()).await?;
        bench.report.row(row);
        if cache != Caching::None {
            let shown = |is_wanted: &dyn Fn(&str) -> bool| {
                let name = "guerdon_shown_users_total";
                after.sum(name, is_wanted) - before.sum(name, is_wanted)
            };
            let share = shown(&|labels| labels.contains("\"cache\"")) / shown(&|_| true);
            bench.report.fact(&format!("{what}, share from the cache"), share, "");
        }
    }
    node.stop()
}
