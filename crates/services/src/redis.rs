//! One Redis node, and what is asked of any node.

use std::io::{Read, Write};
use std::ops::Deref;
use std::path::Path;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::server::{self, Recipe, Server};
use crate::{folders, ports, program};

/// Every write is in the append-only file before it is answered, so a killed process loses none;
/// snapshots beside it would only cost time.
const OPTIONS: [&str; 6] = ["--bind", "127.0.0.1", "--appendonly", "yes", "--save", ""];

/// A private `redis-server` that is not part of a cluster.
pub struct RedisNode {
    server: Server,
}

impl RedisNode {
    /// Starts an empty node.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// The same with more options of `redis-server`, such as `["--maxmemory", "10mb"]`.
    pub fn start_with(options: &[&str]) -> Result<Self> {
        Ok(Self { server: start_server(options)? })
    }

    /// The same on a copy of what [`save`](Self::save) has written.
    pub fn start_from(saved: &Path) -> Result<Self> {
        Ok(Self { server: start_in(folders::temporary_copy("redis", saved)?, &[])? })
    }

    /// Stops it in order, copies its data to a new folder, and starts it again.
    pub fn save(&self, to: &Path) -> Result<()> {
        self.server.save(to, || {
            // It ends without an answer.
            let _ended = ask(self.port(), "SHUTDOWN");
            Ok(())
        })
    }

    /// The address as clients want it.
    pub fn url(&self) -> String {
        url(self.port())
    }
}

impl Deref for RedisNode {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

pub(crate) fn start_server(options: &[&str]) -> Result<Server> {
    start_in(folders::temporary("redis")?, options)
}

fn start_in(folder: TempDir, options: &[&str]) -> Result<Server> {
    let (program, port) = (program::find("redis-server")?, ports::reserve()?);
    let mut arguments = vec!["--port".to_owned(), port.to_string()];
    arguments.extend(OPTIONS.iter().chain(options).map(|option| (*option).to_owned()));
    let answers = |port| ask(port, "PING").is_ok_and(|answer| answer == "+PONG");
    Server::start(folder, port, Recipe { program, arguments, answers })
}

pub(crate) fn url(port: u16) -> String {
    format!("redis://127.0.0.1:{port}")
}

/// Sends one command without spaces in its words and returns the answer: a line with its mark, or
/// the text that follows it.
pub(crate) fn ask(port: u16, command: &str) -> Result<String> {
    let mut stream = server::connect(port).context("no connection")?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let line = read_line(&mut stream)?;
    let Some(length) = line.strip_prefix('$') else {
        return Ok(line);
    };
    let mut text = vec![0; length.parse().context("the answer has no length")?];
    stream.read_exact(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn read_line(stream: &mut impl Read) -> Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") {
        if stream.read(&mut byte)? == 0 {
            bail!("the connection ended");
        }
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
