//! The state goes to another store while the server is under load, and the command that moves it is
//! killed again and again.
//!
//! Every event is sent until it is answered. The only answer that is none is a 503 that says when to
//! try again, and that only while the stores change over.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::crash::{all_told, catalog};
use crate::support::PATIENCE;
use crate::support::binary::command;
use crate::support::chance::Chance;
use crate::support::http::Client;
use crate::support::node::{Node, Setup};
use crate::support::people::{User, Verdict, conversion};
use crate::support::publisher::Publisher;

/// Users whose events come at the same time, each one after the other.
const CALLERS: usize = 8;
/// Runs that are killed at most, before one may end by itself.
const KILLS: usize = 12;
/// Events between two kills, at most.
const EVENTS_BETWEEN: u64 = 120;

/// What callers have seen so far.
#[derive(Default)]
struct Seen {
    answered: AtomicUsize,
    refused: AtomicUsize,
}

/// A user, his click, and the verdict on each event that was sent for him.
type Told = (User, String, Vec<(String, Verdict)>);

/// Callers under way.
pub(crate) struct Load {
    seen: Arc<Seen>,
    news: watch::Receiver<()>,
    stop: watch::Sender<bool>,
    callers: JoinSet<Told>,
}

impl Load {
    pub(crate) async fn begin(client: &Arc<Client>) -> Self {
        let (teller, news) = watch::channel(());
        let (stop, is_over) = watch::channel(false);
        let (seen, teller) = (Arc::new(Seen::default()), Arc::new(teller));
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let user = User::open(client, &format!("moving-{caller}")).await;
            let click = user.start(11).await;
            let (client, seen) = (Arc::clone(client), Arc::clone(&seen));
            let (teller, is_over) = (Arc::clone(&teller), is_over.clone());
            callers.spawn(async move {
                let mut answers = Vec::new();
                while !*is_over.borrow() {
                    let event = format!("{}-{}", user.id, answers.len());
                    let verdict = report(&client, &click, &event, &seen, &teller).await;
                    answers.push((event, verdict));
                }
                (user, click, answers)
            });
        }
        Self { seen, news, stop, callers }
    }

    /// Waits until so many more events are answered.
    pub(crate) async fn answers(&mut self, more: usize) {
        let seen = Arc::clone(&self.seen);
        let wanted = seen.answered.load(Ordering::SeqCst) + more;
        let enough = self.news.wait_for(|()| seen.answered.load(Ordering::SeqCst) >= wanted);
        timeout(PATIENCE, enough).await.expect("the load is stuck").expect("the load is over");
    }

    /// Waits until somebody is told to try again.
    pub(crate) async fn refusal(&mut self) {
        let seen = Arc::clone(&self.seen);
        let known = seen.refused.load(Ordering::SeqCst);
        let refused = self.news.wait_for(|()| seen.refused.load(Ordering::SeqCst) > known);
        refused.await.expect("the load is over");
    }

    /// Stops it. Every event that was answered is known, paid once, and told to the publisher.
    pub(crate) async fn end(self, client: &Client, publisher: &Publisher) {
        let Self { seen, stop, callers, .. } = self;
        stop.send_replace(true);
        let mut transactions = BTreeSet::new();
        for (user, click, answers) in callers.join_all().await {
            for (event, first) in &answers {
                let now = Verdict::of(&client.send(&conversion(&click, "round", event)).await);
                assert_eq!(now.said(), ("duplicate", "seen_before"), "{event} was lost");
                assert_eq!(now.transaction, first.transaction, "{event}");
                transactions.insert(now.transaction.expect("a transaction"));
            }
            let wanted = 60 * i64::try_from(answers.len()).unwrap();
            assert_eq!(user.balance().await, wanted, "{}", user.id);
        }
        assert_eq!(transactions.len(), seen.answered.load(Ordering::SeqCst));
        all_told(publisher, &transactions).await;
    }
}

/// Sends an event until it has a verdict.
async fn report(
    client: &Client,
    click: &str,
    event: &str,
    seen: &Seen,
    teller: &watch::Sender<()>,
) -> Verdict {
    loop {
        let answer = client.send(&conversion(click, "round", event)).await;
        if answer.status == 200 {
            seen.answered.fetch_add(1, Ordering::SeqCst);
            teller.send_replace(());
            return Verdict::of(&answer);
        }
        assert_eq!(answer.status, 503, "{}", answer.text());
        let seconds = answer.header("retry-after").and_then(|text| text.parse::<u64>().ok());
        let seconds = seconds.unwrap_or_else(|| panic!("no Retry-After: {}", answer.text()));
        assert!((1..=30).contains(&seconds), "{seconds}");
        seen.refused.fetch_add(1, Ordering::SeqCst);
        teller.send_replace(());
        // Sooner than one was told, so that much is refused.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs the command; `None` if it was killed before its end.
async fn run(node: &Node, load: &mut Load, kill: Option<Kill>) -> Option<Value> {
    let mut command: tokio::process::Command =
        command(node.folder(), &["migrate-state", "--json"]).into();
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut running = piped.spawn().unwrap();
    let done = {
        let ended = ended(&mut running);
        match kill {
            Some(Kill::After(events)) => tokio::select! {
                done = ended => Some(done),
                () = load.answers(events) => None,
            },
            Some(Kill::AtFirstRefusal) => tokio::select! {
                done = ended => Some(done),
                () = load.refusal() => None,
            },
            None => Some(timeout(PATIENCE, ended).await.expect("the move does not end")),
        }
    };
    let Some((status, told, errors)) = done else {
        // The next run needs the file that this one has until it is gone.
        running.kill().await.unwrap();
        return None;
    };
    assert!(status.success(), "{errors}");
    Some(serde_json::from_str(&told).unwrap())
}

/// What became of the command, and what it has said.
async fn ended(running: &mut Child) -> (ExitStatus, String, String) {
    let (mut told, mut errors) = (String::new(), String::new());
    let (mut out, mut err) = (running.stdout.take().unwrap(), running.stderr.take().unwrap());
    let read = tokio::try_join!(out.read_to_string(&mut told), err.read_to_string(&mut errors));
    read.unwrap();
    (running.wait().await.unwrap(), told, errors)
}

/// When a run is killed.
enum Kill {
    /// After so many events.
    After(usize),
    /// When a caller is first refused, which is in the pause.
    AtFirstRefusal,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_moves_under_load_although_the_command_is_killed() {
    let publisher = Publisher::open().await;
    let mut node = Node::set_up(&catalog(&publisher), Setup::default());
    let config = std::fs::OpenOptions::new().append(true).open(node.folder().join("guerdon.toml"));
    config.unwrap().write_all(b"\n[next_state]\nkind = \"sqlite\"\npath = \"moved.db\"\n").unwrap();
    node.serve();
    let client = Arc::new(node.client());
    let mut load = Load::begin(&client).await;
    load.answers(200).await;
    let survey = node.run(&["migrate-state", "--dry-run", "--json"]).expect(0).json();
    assert_eq!((&survey["is_begun"], &survey["users"]), (&false.into(), &CALLERS.into()));
    assert!(!node.folder().join("moved.db").exists(), "a look has made a file");
    let mut chance = Chance::new(11);
    let mut killed = 0;
    let report = loop {
        let kill = match chance.below(3) {
            _ if killed >= KILLS => None,
            0 => Some(Kill::AtFirstRefusal),
            _ => Some(Kill::After(usize::try_from(chance.below(EVENTS_BETWEEN)).unwrap())),
        };
        match run(&node, &mut load, kill).await {
            Some(report) => break report,
            None => killed += 1,
        }
    };
    assert!(killed > 0, "no run was killed");
    assert_eq!(report["was_begun"], true, "{report}");
    load.answers(200).await;
    load.end(&client, &publisher).await;
    let again = node.run(&["migrate-state", "--json"]).expect(0).json();
    assert_eq!(again["was_done"], true, "{again}");
    let late = node.run(&["migrate-state", "--abort"]).expect(1);
    assert!(late.err.contains("cannot be undone"), "{}", late.err);
    drop(client);
    // A server that starts afterwards finds the state where it is.
    node.stop();
    node.serve();
    let client = Arc::new(node.client());
    let user = User::open(&client, "moving-0").await;
    assert!(user.balance().await > 0);
    drop((client, user));
    node.finish();
}
