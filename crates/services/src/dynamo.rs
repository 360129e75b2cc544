//! A DynamoDB-compatible server: the program `dynoxide` on a database file.

use std::io::{Read, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use tempfile::TempDir;

use crate::server::{self, Recipe, Server};
use crate::{folders, ports, program};

/// Where the tables are when they are to outlive the process.
const IN_A_FILE: [&str; 2] = ["--db-path", "tables.db"];

/// A private `dynoxide`. It takes any region and credentials. Tables outlive a kill; the tokens of
/// idempotent transactions do not, as it keeps them in memory.
pub struct Dynamo {
    server: Server,
}

impl Dynamo {
    /// Starts a server without tables.
    pub fn start() -> Result<Self> {
        Self::start_with(folders::temporary("dynamo")?, &IN_A_FILE)
    }

    /// The same on a copy of what [`save`](Self::save) has written.
    pub fn start_from(saved: &Path) -> Result<Self> {
        Self::start_with(folders::temporary_copy("dynamo", saved)?, &IN_A_FILE)
    }

    /// Stops it, copies its tables, which a kill does not harm, to a new folder, and starts it again.
    pub fn save(&self, to: &Path) -> Result<()> {
        self.server.kill()?;
        folders::copy(self.folder(), to)?;
        self.restart()
    }

    /// The same with tables in memory, which a kill loses. A file is synced for every single item,
    /// so who writes many waits for the disk as nobody does for DynamoDB.
    pub fn start_in_memory() -> Result<Self> {
        Self::start_with(folders::temporary("dynamo")?, &[])
    }

    fn start_with(folder: TempDir, options: &[&str]) -> Result<Self> {
        let (program, port) = (find()?, ports::reserve()?);
        let port_text = port.to_string();
        let words = ["serve", "--log", "quiet", "--port", &port_text];
        let arguments = words.iter().chain(options).map(|word| (*word).to_owned()).collect();
        let recipe = Recipe { program, arguments, answers: is_healthy };
        Ok(Self { server: Server::start(folder, port, recipe)? })
    }

    /// The address for the client's `endpoint_url`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }
}

impl Deref for Dynamo {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// `cargo xtask services` builds it under the target folder; it is looked for nowhere else, so
/// that its version is the pinned one.
fn find() -> Result<PathBuf> {
    let path = folders::services().join("dynoxide").join("bin").join("dynoxide");
    if !path.is_file() {
        bail!("{}", program::missing("dynoxide"));
    }
    Ok(path)
}

fn is_healthy(port: u16) -> bool {
    let Some(mut stream) = server::connect(port) else {
        return false;
    };
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut answer = String::new();
    let asked = stream.write_all(request.as_bytes());
    asked.and_then(|()| stream.read_to_string(&mut answer)).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}
