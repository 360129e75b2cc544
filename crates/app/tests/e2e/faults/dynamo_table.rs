//! `guerdon migrate` is killed at each of its steps: no node starts on what it has left behind, and
//! the next one finishes it.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::fleet::{Servers, replaced};
use crate::crash::catalog;
use crate::support::binary::command;
use crate::support::node::{Node, Setup};
use crate::support::people::{User, convert};
use crate::support::publisher::Publisher;
use crate::support::shape::Shape;

/// How often a migration is looked at that may end or be stopped.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Steps that a new table takes at least: to look for it, to make it, to see it ready, to write the
/// items that everything stands on.
const STEPS_MIN: usize = 4;

pub(crate) async fn a_migration_that_is_killed_is_finished_by_the_next(shape: Shape) {
    let servers = Servers::start(shape);
    let publisher = Publisher::open().await;
    let whole = Node::set_up_at(&catalog(&publisher), Setup::on(shape), &servers.backing());
    let mut steps = 0;
    while is_killed_after(&whole, &servers, steps) {
        let mut node = whole.sibling_with(|config| on_its_own(&config, &servers, steps));
        let refused = node.run(&["verify"]).expect(1).err;
        assert!(refused.contains("guerdon migrate"), "after {steps} steps: {refused}");
        node.run(&["migrate"]).expect(0);
        std::fs::write(node.folder().join("catalog.toml"), catalog(&publisher)).unwrap();
        node.run(&["catalog", "apply", "catalog.toml"]).expect(0);
        node.serve();
        let client = Arc::new(node.client());
        let click = User::open(&client, &format!("user-{steps}")).await.start(11).await;
        let verdict = convert(&client, &click, "round", "1").await;
        assert_eq!(verdict.said(), ("rewarded", "step_done"), "after {steps} steps");
        // Nobody else tells of it: no other node has this table.
        steps += 1;
        publisher.wait_for_rewards(steps).await;
        drop(client);
        node.finish();
    }
    println!("killed after each of {steps} steps");
    assert!(steps >= STEPS_MIN, "only {steps} steps");
    whole.finish();
}

/// A configuration with a table of its own for each step, and a catalogue, because that belongs to one
/// state.
fn on_its_own(config: &str, servers: &Servers, steps: usize) -> String {
    let database = servers.mysql.url(&format!("faults_{steps}"));
    let config = replaced(config, &servers.mysql.url("faults"), &database);
    replaced(&config, "table = \"faults\"", &format!("table = \"faults-{steps}\""))
}

/// Makes a new table and is killed when so many requests were answered; `false` if it ended before.
fn is_killed_after(node: &Node, servers: &Servers, requests: usize) -> bool {
    let dynamo = servers.dynamo.as_ref().unwrap();
    let (gate, stopped) = gate_before(dynamo.address(), requests);
    let config = std::fs::read_to_string(node.folder().join("guerdon.toml")).unwrap();
    let config = on_its_own(&config, servers, requests);
    let config = replaced(&config, &dynamo.endpoint(), &format!("http://{gate}"));
    std::fs::write(node.folder().join("gated.toml"), config).unwrap();
    let migrate = command(node.folder(), &["--config", "gated.toml", "migrate"]);
    is_killed_when(migrate, &stopped)
}

fn is_killed_when(mut command: Command, stopped: &mpsc::Receiver<()>) -> bool {
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    loop {
        if stopped.recv_timeout(LOOK_EVERY).is_ok() {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return false;
        }
    }
}

/// A way to a server that lets so many requests through, and tells of the next one, which it keeps.
fn gate_before(server: SocketAddr, requests: usize) -> (SocketAddr, mpsc::Receiver<()>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let (address, (sender, stopped)) = (listener.local_addr().unwrap(), mpsc::channel());
    let listener = TcpListener::from_std(listener).unwrap();
    let left = Arc::new(AtomicUsize::new(requests));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (client_in, mut client_out) = client.into_split();
            let (mut server_in, server_out) =
                TcpStream::connect(server).await.unwrap().into_split();
            tokio::spawn(pass(client_in, server_out, Arc::clone(&left), sender.clone()));
            tokio::spawn(async move { copy(&mut server_in, &mut client_out).await });
        }
    });
    (address, stopped)
}

/// Passes requests on as long as any may pass. Each begins with a piece that names the operation.
async fn pass(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    left: Arc<AtomicUsize>,
    stopped: mpsc::Sender<()>,
) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = client.read(&mut piece).await {
        let piece = &piece[..length];
        let is_request = piece.windows(12).any(|part| part.eq_ignore_ascii_case(b"x-amz-target"));
        let take = |left: usize| left.checked_sub(1);
        if is_request && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_err() {
            // Nobody listens any more once the migration has ended.
            let _ = stopped.send(());
            return std::future::pending().await;
        }
        if server.write_all(piece).await.is_err() {
            return;
        }
    }
}
