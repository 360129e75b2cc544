//! A process of our own that serves a port from a folder.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{folders, program, spawner, wait};

/// How long a probe waits for an answer before it is made anew.
const PROBE_LIMIT: Duration = Duration::from_secs(1);
/// How much of the log an error quotes: enough for a stack of complaints, not for a whole start.
const LOG_LINES_SHOWN: usize = 30;

/// How a server is started, and how one sees that it serves.
pub(crate) struct Recipe {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Whether the server on this port answers.
    pub(crate) answers: fn(u16) -> bool,
}

/// A running program with a port and a folder of its own; both stay the same when it is started
/// again. It is killed, and the folder removed, when the value is dropped.
pub struct Server {
    recipe: Recipe,
    port: u16,
    process: Mutex<Option<Child>>,
    folder: TempDir,
}

impl Server {
    /// Starts the program in the folder and waits until it answers.
    pub(crate) fn start(folder: TempDir, port: u16, recipe: Recipe) -> Result<Self> {
        let server = Self { recipe, port, process: Mutex::new(None), folder };
        server.restart()?;
        Ok(server)
    }

    /// The TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens, as [`Proxy::start`](crate::Proxy::start) wants it.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The process, while there is one.
    pub fn pid(&self) -> Option<u32> {
        self.process().as_ref().map(Child::id)
    }

    /// Its folder: data, configuration, and the log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills it with SIGKILL and waits until it is gone; nothing happens when it is down already.
    pub fn kill(&self) -> Result<()> {
        let Some(mut child) = self.process().take() else {
            return Ok(());
        };
        child.kill().context("cannot kill the server")?;
        child.wait().context("the killed server does not end")?;
        Ok(())
    }

    /// Starts it again on the same port and data, killed first if it still runs; waits until it
    /// answers, and quotes its log when it does not.
    pub fn restart(&self) -> Result<()> {
        self.kill()?;
        *self.process() = Some(spawner::spawn(self.command()?)?);
        let ready = wait::until("the server answers", || {
            self.check_alive()?;
            Ok((self.recipe.answers)(self.port))
        });
        ready.with_context(|| format!("{}, log:\n{}", self.name(), self.log()))
    }

    /// Has it stop by itself, copies its folder to a new one, and starts it again.
    pub(crate) fn save(&self, to: &Path, stop: impl FnOnce() -> Result<()>) -> Result<()> {
        stop()?;
        wait::until("the server has stopped", || Ok(self.check_alive().is_err()))?;
        folders::copy(self.folder(), to)?;
        self.restart()
    }

    /// Stops it with SIGSTOP: connections stay open and are even accepted, and nothing answers.
    pub fn freeze(&self) -> Result<()> {
        self.signal("STOP")?;
        wait::until("the server is stopped", || Ok(self.state()? == 'T'))
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    pub fn thaw(&self) -> Result<()> {
        self.signal("CONT")?;
        wait::until("the server runs again", || Ok(self.state()? != 'T'))
    }

    /// The end of what it printed.
    pub(crate) fn log(&self) -> String {
        let text = fs::read(self.log_path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }

    fn command(&self) -> Result<Command> {
        let path = self.log_path();
        let log = File::options().append(true).create(true).open(&path);
        let log = log.with_context(|| format!("cannot open {}", path.display()))?;
        let mut command = spawner::command(&self.recipe.program);
        command.args(&self.recipe.arguments).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }

    fn check_alive(&self) -> Result<()> {
        let mut process = self.process();
        let child = process.as_mut().context("the server was killed while it started")?;
        match child.try_wait()? {
            Some(status) => bail!("the server ended ({status})"),
            None => Ok(()),
        }
    }

    fn signal(&self, name: &str) -> Result<()> {
        let pid = self.pid().context("the server is down")?;
        // The shell's own `kill`: a minimal system has no program of that name.
        program::output(Command::new("sh").args(["-c", &format!("kill -{name} {pid}")])).map(drop)
    }

    /// The state letter of the process, as the kernel reports it.
    fn state(&self) -> Result<char> {
        let pid = self.pid().context("the server is down")?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name before it stands in brackets and may hold anything.
        let after_name = stat.rsplit_once(") ").map(|(_, rest)| rest);
        after_name.and_then(|rest| rest.chars().next()).context("the process has no state")
    }

    fn name(&self) -> String {
        let name = self.recipe.program.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A process that cannot be killed is gone already.
        let _gone_already = self.kill();
    }
}

/// A connection to a port of this machine on which neither reading nor writing waits long.
pub(crate) fn connect(port: u16) -> Option<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, PROBE_LIMIT).ok()?;
    stream.set_read_timeout(Some(PROBE_LIMIT)).ok()?;
    stream.set_write_timeout(Some(PROBE_LIMIT)).ok()?;
    Some(stream)
}
