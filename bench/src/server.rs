//! The server under test: the `guerdon` binary beside this one, its commands, and a running server.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::client::Conn;
use crate::feed;

/// How long a server may take until it is ready, or until it has stopped.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks at a server that starts or stops: a small part of what is measured.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// Lines of a server's log that are shown when it fails.
const LOG_LINES: usize = 20;

/// The binary.
pub(crate) struct Guerdon {
    binary: PathBuf,
}

impl Guerdon {
    /// The binary that was built beside this one.
    pub(crate) fn beside_this() -> Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("guerdon");
        if !binary.is_file() {
            bail!("{} is missing; `cargo xtask bench` builds it", binary.display());
        }
        Ok(Self { binary })
    }

    /// Its name and version.
    pub(crate) fn version(&self) -> Result<String> {
        let output = succeeded(Command::new(&self.binary).arg("--version").output()?)?;
        Ok(output.trim().to_owned())
    }

    /// Runs a command on the configuration in `folder` and reads its JSON answer.
    pub(crate) fn ask(&self, folder: &Path, arguments: &[&str]) -> Result<Value> {
        let shown = || format!("guerdon {}", arguments.join(" "));
        let mut command = self.command(folder);
        let output = command.arg("--json").args(arguments).output().with_context(shown)?;
        let text = succeeded(output).with_context(shown)?;
        serde_json::from_str(&text).with_context(|| format!("{}: the answer is no JSON", shown()))
    }

    /// Starts a server on the data in `folder` and waits until it is ready.
    pub(crate) async fn serve(&self, folder: &Path) -> Result<Running> {
        self.start(folder, &["serve"]).await
    }

    /// The same for a command that serves, or works, until it is told to stop.
    pub(crate) async fn start(&self, folder: &Path, arguments: &[&str]) -> Result<Running> {
        let address = free_address()?;
        // Several nodes may have one folder.
        let log = folder.join(format!("{}-{}.log", arguments.join(""), address.port()));
        let mut command = self.command(folder);
        command.args(arguments).args(["--listen", &address.to_string()]);
        Running::start(command, address, log).await
    }

    /// Starts a server under another program, which `under` gives for it.
    pub(crate) async fn serve_under(
        &self,
        under: &dyn Fn(&Path) -> Command,
        folder: &Path,
    ) -> Result<Running> {
        let address = free_address()?;
        let mut command = under(&self.binary);
        command.arg("--config").arg(folder.join("guerdon.toml"));
        command.args(["serve", "--listen", &address.to_string()]);
        Running::start(command, address, folder.join("serve.log")).await
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = services::command(&self.binary);
        command.arg("--config").arg(folder.join("guerdon.toml"));
        // The DynamoDB of a benchmark takes any.
        command.env("AWS_ACCESS_KEY_ID", "bench").env("AWS_SECRET_ACCESS_KEY", "bench");
        command
    }
}

/// A server that runs; it is killed if it is dropped without a stop.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first time it said that it is ready.
    pub(crate) ready_after: Duration,
}

impl Running {
    /// Starts a command that serves at the address, and waits until it says that it is ready.
    pub(crate) async fn start(
        mut command: Command,
        address: SocketAddr,
        log: PathBuf,
    ) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let begun = Instant::now();
        let child = command.spawn().context("the server cannot be started")?;
        let mut running = Self { child, address, log, ready_after: Duration::ZERO };
        while !is_ready(address).await {
            running.check_alive()?;
            if begun.elapsed() > PATIENCE {
                bail!("the server is not ready after {PATIENCE:?}\n{}", running.log_tail());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        running.ready_after = begun.elapsed();
        Ok(running)
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = self.pid().to_string();
        succeeded(Command::new("kill").args(["-TERM", &pid]).output()?)?;
        let begun = Instant::now();
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("the server ended with {status}\n{}", self.log_tail()),
                None if begun.elapsed() > PATIENCE => bail!("the server does not stop"),
                None => std::thread::sleep(LOOK_EVERY),
            }
        }
    }

    fn check_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("the server ended with {status}\n{}", self.log_tail()),
            None => Ok(()),
        }
    }

    fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) && self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut conn) = Conn::open(address).await else { return false };
    let answer = conn.ask(&feed::get(address, "/readyz", "")).await;
    answer.is_ok_and(|answer| answer.status == 200)
}

/// An address that nobody listened on a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// What a command printed, or what it complained about.
pub(crate) fn succeeded(output: Output) -> Result<String> {
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8_lossy(&output.stdout);
        bail!("{}: {}\n{}", output.status, said.trim(), printed.trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}
