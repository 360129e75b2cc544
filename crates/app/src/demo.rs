//! `guerdon demo`: an empty folder becomes a running, seeded system.
//!
//! The server is the real one, with the real store and the real background work; what is pretended
//! is the world around it ([`outside`]): two publishers' servers that receive rewards, and advertisers
//! that people are sent to. Everything that happens to users goes over HTTP ([`caller`]), as it would
//! from anywhere else.

mod caller;
mod folder;
mod guide;
mod outside;
mod people;
mod stock;
mod walk;

use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::cli::DemoArgs;
use crate::commands::verify;
use crate::output::{Finding, Output, counted};
use crate::serve::{Server, StopSignal};
use crate::telemetry::Telemetry;
use caller::Caller;
use folder::Folder;
use outside::Outside;

/// Runs the demo until it is told to stop, or, with `--walk`, until the walk has ended.
pub(crate) async fn run(args: DemoArgs, out: Output) -> anyhow::Result<()> {
    // Whatever may be in the way is looked for before anything is written.
    folder::check(&args.folder)?;
    let listener = bind(args.port).await?;
    // The other port is the next one, so that it stays the same from run to run.
    let outside_port = if args.port == 0 { 0 } else { args.port.checked_add(1).unwrap_or(0) };
    let outside_listener = bind(outside_port).await?;
    let folder = Folder::open(&args)?;
    let telemetry = Telemetry::start(&folder.loaded.config)?;
    let server = Server::start_on(&folder.loaded, listener, telemetry).await?;
    let outside = Outside::serve(outside_listener, server.address, &folder.keys)?;
    let scene = Scene {
        caller: Caller::new(server.address)?,
        folder: &folder,
        outside: &outside,
        server: server.address,
    };
    folder.note_address(server.address)?;
    let is_new = stock::fill(&server.engine, &folder, &outside.base()).await?;
    if is_new {
        people::seed(&scene).await.context("the demo's users could not be seeded")?;
    }
    if args.walk {
        return walk_and_verify(&scene, server, out).await;
    }
    let mut stop = StopSignal::new()?;
    guide::show(&scene, out).await?;
    tokio::select! {
        () = stop.wait() => {}
        () = outside.announce(), if !out.json => {}
    }
    server.stop().await
}

/// What runs, for those who act on it.
struct Scene<'a> {
    caller: Caller,
    folder: &'a Folder,
    outside: &'a Outside,
    server: SocketAddr,
}

async fn walk_and_verify(scene: &Scene<'_>, server: Server, out: Output) -> anyhow::Result<()> {
    let mut walked = walk::walk(scene, out).await?;
    // The books are verified at rest.
    server.stop().await?;
    let checked = verify::check(&scene.folder.loaded).await?;
    let findings = checked.findings();
    walked.end(checked, out)?;
    match findings {
        0 => Ok(()),
        count => Err(Finding(counted(count, "finding", "findings")).into()),
    }
}

async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {port} is taken by another program; choose another with --port, or any with \
             --port 0 (the demo also uses the port after it, for the pretend publishers)"
        ),
        _ => error.into(),
    })
}
