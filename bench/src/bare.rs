//! Bare limits: the least that anything could do on this machine for the same bytes, so that
//! figures can be told as shares of what is possible.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use axum::http::header;
use axum::routing::get;
use bytes::Bytes;

/// A server of the same framework, runtime and allocator as ours, in a process of its own, that
/// answers every request with the same bytes from memory.
pub(crate) struct BareServer {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl BareServer {
    /// Starts it.
    pub(crate) fn start(answer_bytes: u64) -> Result<Self> {
        Self::start_under(&services::command, answer_bytes)
    }

    /// Starts it under another program, which `under` gives for it.
    pub(crate) fn start_under(under: &dyn Fn(&Path) -> Command, answer_bytes: u64) -> Result<Self> {
        let mut command = under(&std::env::current_exe()?);
        command.args(["bare-server", "--answer-bytes", &answer_bytes.to_string()]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let read = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        let address = line.trim().parse();
        let server = Self { child, address: address.unwrap_or(([127, 0, 0, 1], 0).into()) };
        read.context("the bare server prints nothing")??;
        if server.address.port() == 0 {
            anyhow::bail!("the bare server printed {line:?} instead of its address");
        }
        Ok(server)
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for BareServer {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// Serves until it is killed; prints its address first.
pub(crate) async fn serve(answer_bytes: usize) -> Result<()> {
    let answer = Bytes::from(vec![b'x'; answer_bytes]);
    let router = Router::new().route(
        "/",
        get(move || std::future::ready(([(header::CONTENT_TYPE, "application/json")], answer))),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

/// Appends groups of records to a new file in `folder`, each group with one `fdatasync`, and says
/// how many groups were durable in a second.
pub(crate) fn durable_groups_per_second(
    folder: &Path,
    group_bytes: usize,
    lasts: Duration,
) -> Result<f64> {
    let path = folder.join("bare.log");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    let group = vec![b'x'; group_bytes];
    let begun = Instant::now();
    let mut groups = 0_u32;
    while begun.elapsed() < lasts {
        file.write_all(&group)?;
        file.sync_data()?;
        groups += 1;
    }
    let took = begun.elapsed();
    std::fs::remove_file(&path)?;
    Ok(f64::from(groups) / took.as_secs_f64())
}
