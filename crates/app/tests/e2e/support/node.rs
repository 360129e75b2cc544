//! The binary as a server with a folder of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use super::PATIENCE;
use super::binary::{Ran, command, run};
use super::clock::Clock;
use super::http::Client;
use super::shape::{Backing, Shape};

/// How many lines of its log a server of a failed test shows, the latest first.
const COMPLAINTS_SHOWN: usize = 20;

/// How a server is set up, where that is not as usual.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    /// Networks that postbacks may reach although they are not public.
    pub(crate) allow_private: &'static str,
    /// What is logged.
    pub(crate) log: &'static str,
    /// Whether its clock can be put forward.
    pub(crate) has_own_clock: bool,
    /// Which stores it has.
    pub(crate) shape: Shape,
}

impl Setup {
    /// The usual one on a shape.
    pub(crate) fn on(shape: Shape) -> Self {
        Self { shape, ..Self::default() }
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            allow_private: "127.0.0.0/8",
            log: "info",
            has_own_clock: false,
            shape: Shape::Embedded,
        }
    }
}

/// A server that is started, stopped, killed and started again on one database.
///
/// In the shape `scaled` it is two processes, one that answers and one that works, which live and die
/// together. Every test ends with [`Node::finish`]: the server stops in order, nothing it logged is an
/// error, and the books are right.
pub(crate) struct Node {
    home: Arc<TempDir>,
    pub(crate) admin_key: String,
    pub(crate) clock: Clock,
    shape: Shape,
    log: Arc<Mutex<Vec<String>>>,
    running: Vec<Running>,
    is_finished: bool,
}

/// A process that does not serve yet.
struct Starting {
    child: Child,
    /// Tells where it serves.
    served: mpsc::Receiver<SocketAddr>,
    reader: thread::JoinHandle<()>,
}

struct Running {
    child: Child,
    address: SocketAddr,
    reader: thread::JoinHandle<()>,
}

impl Node {
    /// A server with this catalogue, not yet running.
    pub(crate) fn set_up(catalog: &str, setup: Setup) -> Self {
        Self::set_up_at(catalog, setup, &Backing::shared(setup.shape))
    }

    /// The same on servers that the test has chosen.
    pub(crate) fn set_up_at(catalog: &str, setup: Setup, backing: &Backing) -> Self {
        let home = tempfile::tempdir().unwrap();
        let init = ["init", "--json", "--shape", setup.shape.name()];
        let written = run(home.path(), &init).expect(0).json();
        configure(home.path(), setup, backing);
        let clock = match setup.has_own_clock {
            true => Clock::in_folder(home.path()),
            false => Clock::default(),
        };
        let node = Self {
            home: Arc::new(home),
            admin_key: written["admin_key"].as_str().unwrap().to_owned(),
            clock,
            shape: setup.shape,
            log: Arc::default(),
            running: Vec::new(),
            is_finished: false,
        };
        std::fs::write(node.folder().join("catalog.toml"), catalog).unwrap();
        node.run(&["migrate"]).expect(0);
        node.run(&["catalog", "apply", "catalog.toml"]).expect(0);
        node
    }

    /// Another server on the same configuration and stores, not yet running.
    pub(crate) fn sibling(&self) -> Self {
        Self {
            home: Arc::clone(&self.home),
            admin_key: self.admin_key.clone(),
            clock: self.clock.clone(),
            shape: self.shape,
            log: Arc::default(),
            running: Vec::new(),
            is_finished: false,
        }
    }

    /// Another server on the same stores with a configuration of its own, not yet running.
    pub(crate) fn sibling_with(&self, edit: impl Fn(String) -> String) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::copy(self.folder().join("master.key"), home.path().join("master.key")).unwrap();
        let config = std::fs::read_to_string(self.folder().join("guerdon.toml")).unwrap();
        std::fs::write(home.path().join("guerdon.toml"), edit(config)).unwrap();
        let mut sibling = self.sibling();
        sibling.home = Arc::new(home);
        sibling
    }

    /// A server with this catalogue, running.
    pub(crate) fn start(catalog: &str) -> Self {
        Self::start_with(catalog, Setup::default())
    }

    /// The same on a shape.
    pub(crate) fn start_on(shape: Shape, catalog: &str) -> Self {
        Self::start_with(catalog, Setup::on(shape))
    }

    /// The same, set up in another way.
    pub(crate) fn start_with(catalog: &str, setup: Setup) -> Self {
        let mut node = Self::set_up(catalog, setup);
        node.serve();
        node
    }

    pub(crate) fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Runs a command in the server's folder.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        run(self.folder(), args)
    }

    /// Starts the server, and waits until it serves.
    pub(crate) fn serve(&mut self) {
        assert!(self.running.is_empty(), "it is running already");
        let commands: &[&[&str]] = match self.shape {
            Shape::Scaled => &[&["serve", "--no-jobs"], &["worker"]],
            _ => &[&["serve"]],
        };
        // As under a supervisor, none waits for the other.
        let starting: Vec<Starting> = commands.iter().map(|command| self.begin(command)).collect();
        self.running = starting.into_iter().map(|one| self.wait_until_it_serves(one)).collect();
    }

    fn begin(&self, args: &[&str]) -> Starting {
        let mut serve = command(self.folder(), args);
        self.clock.give_to(&mut serve);
        let mut child = serve.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let (sender, served) = mpsc::channel();
        let (stderr, log) = (child.stderr.take().unwrap(), Arc::clone(&self.log));
        let reader = thread::spawn(move || read_log(stderr, &log, &sender));
        Starting { child, served, reader }
    }

    fn wait_until_it_serves(&self, starting: Starting) -> Running {
        let Starting { mut child, served, reader } = starting;
        let Ok(address) = served.recv_timeout(PATIENCE) else {
            drop(child.kill());
            panic!("it does not serve: {:#?}", self.log());
        };
        Running { child, address, reader }
    }

    /// Where the server listens that answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.running.first().expect("it is not running").address
    }

    /// The processes that it consists of.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.running.iter().map(|running| running.child.id()).collect()
    }

    /// A client with connections of its own.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address())
    }

    /// Ends the server as a power cut does.
    pub(crate) fn kill(&mut self) {
        assert!(!self.running.is_empty(), "it is not running");
        for running in &mut self.running {
            running.child.kill().unwrap();
        }
        for mut running in self.running.drain(..) {
            running.child.wait().unwrap();
            running.reader.join().unwrap();
        }
    }

    /// Ends the process that works in the shape `scaled`, and that one alone.
    pub(crate) fn kill_worker(&mut self) {
        assert_eq!(self.running.len(), 2, "no process of it works alone");
        let mut worker = self.running.remove(1);
        worker.child.kill().unwrap();
        worker.child.wait().unwrap();
        worker.reader.join().unwrap();
    }

    /// Starts a killed worker again.
    pub(crate) fn serve_worker(&mut self) {
        assert_eq!(self.running.len(), 1, "the worker is running already");
        let worker = self.begin(&["worker"]);
        self.running.push(self.wait_until_it_serves(worker));
    }

    /// Tells the server to stop, as a supervisor does.
    pub(crate) fn tell_to_stop(&self) {
        assert!(!self.running.is_empty(), "it is not running");
        for running in &self.running {
            let id = running.child.id().to_string();
            let mut kill = std::process::Command::new("sh");
            assert!(kill.args(["-c", "kill -TERM \"$0\"", &id]).status().unwrap().success());
        }
    }

    /// Waits until a server that was told to stop has ended.
    pub(crate) fn wait(&mut self) {
        for mut running in std::mem::take(&mut self.running) {
            let status = running.child.wait().unwrap();
            running.reader.join().unwrap();
            assert_eq!(status.code(), Some(0), "a graceful stop is no failure: {:#?}", self.log());
        }
    }

    /// Stops the server in order.
    pub(crate) fn stop(&mut self) {
        self.tell_to_stop();
        self.wait();
    }

    /// Proves that the books are right, beside the server if it runs, and gives the figures.
    #[track_caller]
    pub(crate) fn verify(&self) -> Value {
        let verified = self.run(&["verify", "--json"]);
        let report = verified.expect(0).json();
        assert_eq!(report["findings"], serde_json::json!([]), "{report}");
        report
    }

    /// The lines that the server has logged, over all its starts.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Strikes lines with these words from the log, because the test has brought them about.
    pub(crate) fn expected(&self, words: &str) {
        self.log.lock().unwrap().retain(|line| !line.contains(words));
    }

    /// Ends a test: everything is in order, and the books are right.
    #[track_caller]
    pub(crate) fn finish(self) {
        self.finish_after_errors(&[]);
    }

    /// The same, where errors with these words had to come.
    #[track_caller]
    pub(crate) fn finish_after_errors(mut self, expected: &[&str]) {
        if !self.running.is_empty() {
            self.stop();
        }
        let is_error =
            |line: &String| line.contains("\"level\":\"ERROR\"") || line.contains("panicked");
        let is_new = |line: &String| !expected.iter().any(|words| line.contains(words));
        let errors = self.log().into_iter().filter(|line| is_error(line) && is_new(line));
        assert_eq!(errors.collect::<Vec<_>>(), Vec::<String>::new());
        self.verify();
        self.is_finished = true;
    }
}

impl Drop for Node {
    /// Leaves no process behind; a test that forgot to check the books has failed. One that has failed
    /// shows what the server complained of.
    fn drop(&mut self) {
        for mut running in self.running.drain(..) {
            drop(running.child.kill());
            drop(running.child.wait());
        }
        if !thread::panicking() {
            assert!(self.is_finished, "the test must end with `finish`");
            return;
        }
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let complaints = log.iter().filter(|line| !line.contains("\"level\":\"INFO\""));
        complaints.rev().take(COMPLAINTS_SHOWN).for_each(|line| println!("{line}"));
    }
}

fn configure(folder: &Path, setup: Setup, backing: &Backing) {
    let path = folder.join("guerdon.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let mut config = backing.put_into(setup.shape, config);
    let allowed = match setup.allow_private {
        "" => "allow_private = []".to_owned(),
        network => format!("allow_private = [\"{network}\"]"),
    };
    let filter = format!("filter = \"{}\"", setup.log);
    let edits = [
        ("listen = \"127.0.0.1:8080\"", "listen = \"127.0.0.1:0\""),
        ("allow_private = []", allowed.as_str()),
        ("format = \"text\"", "format = \"json\""),
        ("filter = \"info\"", filter.as_str()),
    ];
    for (old, new) in edits {
        assert!(config.contains(old), "{old} in {config}");
        config = config.replace(old, new);
    }
    std::fs::write(path, config).unwrap();
}

/// Keeps what the server logs, and tells where it serves as soon as it says so.
fn read_log(stderr: ChildStderr, log: &Mutex<Vec<String>>, served: &mpsc::Sender<SocketAddr>) {
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        if event["message"] == "guerdon serves" || event["message"] == "guerdon works" {
            let address = event["address"].as_str().and_then(|text| text.parse().ok());
            // Nobody listens any more once the test has given up.
            let _ = served.send(address.expect("an address"));
        }
        log.lock().unwrap().push(line);
    }
}
