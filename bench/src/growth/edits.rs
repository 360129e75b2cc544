//! An edit of one line item while lists are asked for: when it is served, and what it does to lists.

use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Bench, found};
use crate::client::Conn;
use crate::feed::bearer;
use crate::measure::Spread;
use crate::process;
use crate::server::{Guerdon, Running};
use crate::world::World;

/// Edits one after the other; the figures are their medians.
const EDITS: usize = 5;
const MIB: f64 = 1_048_576.0;

/// A key that may edit.
pub(super) struct Key(String);

impl Key {
    /// Makes one for the server that will run in `folder`.
    pub(super) fn make(guerdon: &Guerdon, folder: &Path) -> Result<Self> {
        let made = guerdon.ask(folder, &["key", "admin", "growth"])?;
        let text = |name: &str| made[name].as_str().with_context(|| format!("a key has no {name}"));
        let mut config = OpenOptions::new().append(true).open(folder.join("guerdon.toml"))?;
        write!(config, "\n{}", text("config")?)?;
        Ok(Self(text("key")?.to_owned()))
    }

    /// The request that gives a line item another name.
    fn rename(&self, address: SocketAddr, line_item: u32, name: &str) -> Vec<u8> {
        let body = serde_json::json!({ "name": name }).to_string();
        let headers = bearer(&self.0);
        format!(
            "PATCH /v1/admin/line_items/{line_item} HTTP/1.1\r\nhost: {address}\r\n{headers}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

/// One edit, as somebody sees it who asks for lists all the time.
struct Edit {
    /// Until the edit was answered.
    answered: Duration,
    /// Until a list came from the new revision.
    served: Duration,
    /// The longest that a list took meanwhile.
    slowest: Duration,
}

/// Makes some edits on a server that answers lists.
pub(super) async fn measure(
    bench: &mut Bench<'_>,
    at: (&'static str, f64),
    world: &World,
    server: &Running,
    key: &Key,
) -> Result<()> {
    let mut edits = Vec::new();
    for number in 0..EDITS {
        let rename = key.rename(server.address, 1, &format!("renamed {number}"));
        edits.push(edit(world, server.address, &[server.address], &rename).await?);
    }
    let median = |of: fn(&Edit) -> Duration| {
        Spread::of(edits.iter().map(|one| of(one).as_secs_f64() * 1e3)).median
    };
    let memory = process::resident_bytes(server.pid())? as f64 / MIB;
    for (name, value, unit) in [
        ("edit of a line item until it is answered", median(|one| one.answered), "ms"),
        (found::SERVED_AFTER, median(|one| one.served), "ms"),
        ("slowest list during an edit, median of edits", median(|one| one.slowest), "ms"),
        ("memory after edits", memory, "MiB"),
    ] {
        bench.found.fact(at, name, value, unit);
    }
    Ok(())
}

/// How long an edit takes until each of these nodes has served it, in milliseconds; the slowest node.
pub(super) async fn served_by_all(
    world: &World,
    nodes: &[SocketAddr],
    key: &Key,
    name: &str,
) -> Result<f64> {
    let first = *nodes.first().context("there is no node")?;
    let rename = key.rename(first, 1, name);
    Ok(edit(world, first, nodes, &rename).await?.served.as_secs_f64() * 1e3)
}

async fn edit(
    world: &World,
    editor: SocketAddr,
    nodes: &[SocketAddr],
    rename: &[u8],
) -> Result<Edit> {
    let mut conn = Conn::open(editor).await?;
    let before = revision(&conn.ask(&world.missions(editor, 0)).await?.json(&[200])?)?;
    let (begun, slowest) = (Instant::now(), Cell::new(Duration::ZERO));
    let answered = async {
        let answer = conn.ask(rename).await?;
        ensure!(answer.status == 200, "{}", answer.shown());
        anyhow::Ok(begun.elapsed())
    };
    let watched = nodes.iter().map(|&node| watch(world, node, before, &slowest));
    let watched = futures_util::future::try_join_all(watched);
    let (answered, _) = tokio::try_join!(answered, watched)?;
    Ok(Edit { answered, served: begun.elapsed().max(answered), slowest: slowest.get() })
}

/// Asks a node for lists until one is of a newer revision.
async fn watch(
    world: &World,
    node: SocketAddr,
    before: u64,
    slowest: &Cell<Duration>,
) -> Result<()> {
    let mut conn = Conn::open(node).await?;
    let users = world.contents.users;
    for user in (0..users).cycle() {
        let asked = Instant::now();
        let answer = conn.ask(&world.missions(node, user)).await?;
        ensure!(answer.status == 200, "{}", answer.shown());
        slowest.set(slowest.get().max(asked.elapsed()));
        if revision(&answer.json(&[200])?)? > before {
            return Ok(());
        }
    }
    Ok(())
}

fn revision(list: &Value) -> Result<u64> {
    list["catalog_revision"].as_u64().context("the list has no revision")
}
