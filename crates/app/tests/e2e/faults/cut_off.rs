//! One node of three is cut off from the database, or freezes in the middle of a commit.

use std::time::{Duration, Instant};

use services::{MariaDb, Nginx, Proxy};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::BACK;
use super::fleet::{Fleet, STORE_ERRORS, Servers, replaced, through, without_jobs};
use super::load::{Doors, Life, Load};
use crate::support::PATIENCE;
use crate::support::http::{Client, Request};
use crate::support::node::Node;
use crate::support::shape::Shape;

/// How soon a node that is cut off says so.
const NOT_READY_WITHIN: Duration = Duration::from_secs(5);
/// For how long a node that freezes in a commit holds up the others at most.
const HELD_UP_MAX: Duration = Duration::from_secs(8);
/// How much later requests of a slow node arrive, so that it can be caught in the middle.
const SLOW: Duration = Duration::from_secs(1);
/// Freezes of one scene.
const FREEZES: usize = 2;
/// Conversions that nodes have to acknowledge to count as well.
const EVENTS_OF_EACH: usize = 5;
/// The user of the database by whom the slow node is known there.
const SLOW_USER: &str = "slow";

pub(crate) async fn a_node_without_its_database_is_left_out_and_comes_back(shape: Shape) {
    let servers = Servers::start(shape);
    let proxy = Proxy::start(servers.mysql.address()).unwrap();
    let (backing, ports) = (servers.backing(), (servers.mysql.port(), proxy.port()));
    let fleet =
        Fleet::start_at(servers, &backing, &|config| through(config, ports.0, ports.1)).await;
    let ports: Vec<u16> = fleet.nodes.iter().map(|node| node.address().port()).collect();
    let balancer = Nginx::start(&ports).unwrap();
    let mut load = Load::begin(&Doors::new([balancer.address()]), "balanced");
    let (last, mut lives) = (fleet.doors.at(2), Vec::new());
    becomes(&last, 200).await;
    for cut in ["gone", "silent"] {
        load.acknowledges(EVENTS_OF_EACH).await;
        match cut {
            "gone" => {
                proxy.refuse();
                proxy.cut_all();
            }
            _ => proxy.freeze().unwrap(),
        }
        let took = becomes(&last, 503).await;
        println!("{cut}: not ready after {took:?}");
        assert!(took < NOT_READY_WITHIN, "{cut}: {took:?}");
        // The balancer still asks it, and clients are served by the others all the same.
        load.acknowledges(20 * EVENTS_OF_EACH).await;
        proxy.pass().unwrap();
        let took = becomes(&last, 200).await;
        assert!(took < BACK, "{cut}: ready again after {took:?}");
        let mut own = Load::begin(&fleet.doors.only(&[2]), cut);
        let took = own.acknowledges(EVENTS_OF_EACH).await;
        assert!(took < BACK, "{cut}: back after {took:?}");
        lives.extend(own.end().await);
    }
    lives.extend(load.end().await);
    drop((last, balancer));
    fleet.settled(lives, &STORE_ERRORS).await;
}

/// Asks until the node is ready, or until it is not.
async fn becomes(client: &Client, status: u16) -> Duration {
    let begun = Instant::now();
    while client.send(&Request::get("/readyz")).await.status != status {
        assert!(begun.elapsed() < PATIENCE, "it does not become {status}");
    }
    begun.elapsed()
}

/// The slow node is stopped after its changes have reached the database and before its `COMMIT` has
/// been sent: it holds the lock that all others need.
pub(crate) async fn a_node_that_freezes_in_a_commit_holds_up_nobody_for_long(shape: Shape) {
    let servers = Servers::start(shape);
    let proxy = Proxy::start(servers.mysql.address()).unwrap();
    let (backing, ports) = (servers.backing(), (servers.mysql.port(), proxy.port()));
    servers.mysql.create_user(SLOW_USER, "faults", &["ALL ON *.*"]).unwrap();
    let edit = |config: String| {
        let config = replaced(&config, "mysql://root@", &format!("mysql://{SLOW_USER}@"));
        without_jobs(through(config, ports.0, ports.1))
    };
    let fleet = Fleet::start_at(servers, &backing, &edit).await;
    let mut life = Life::open(&fleet.doors, "frozen").await;
    let mut load = Load::begin(&fleet.doors.only(&[0, 1]), "others");
    let (mut times, mut number) = (Vec::new(), 0);
    while times.len() < FREEZES {
        number += 1;
        load.acknowledges_everywhere(EVENTS_OF_EACH).await;
        let event_id = format!("frozen-{number}");
        proxy.delay(SLOW).unwrap();
        let (client, request) = (fleet.doors.at(2), life.conversion(&event_id));
        let asked = tokio::spawn(async move { client.try_send(&request).await });
        if is_frozen_in_its_commit(&fleet.servers.mysql, &fleet.nodes[2], &asked) {
            times.push(load.acknowledges_everywhere(EVENTS_OF_EACH).await);
        }
        signal(&fleet.nodes[2], "CONT");
        proxy.pass().unwrap();
        // Whatever it was told, the event is booked once.
        let answer = timeout(PATIENCE, asked).await.unwrap().unwrap().unwrap();
        assert!(matches!(answer.status, 200 | 503), "{}", answer.text());
        life.report_all(&fleet.doors.only(&[2]), &[event_id]).await;
    }
    println!("the others were held up for {times:?}");
    assert!(times.iter().all(|time| *time < HELD_UP_MAX), "{times:?}");
    let mut lives = load.end().await;
    lives.push(life);
    fleet.settled(lives, &STORE_ERRORS).await;
}

/// Stops the node when it has the lock and its changes are on their way, and waits until they are there.
/// `false` if the moment was missed.
fn is_frozen_in_its_commit<T>(mysql: &MariaDb, node: &Node, asked: &JoinHandle<T>) -> bool {
    tokio::task::block_in_place(|| {
        while open_changes(mysql) != Some(0) {
            if asked.is_finished() {
                return false;
            }
        }
        signal(node, "STOP");
        loop {
            match open_changes(mysql) {
                Some(0) => {}
                changes => return changes.is_some(),
            }
        }
    })
}

/// How many rows the slow node has changed in its transaction, if it has one with a lock.
fn open_changes(mysql: &MariaDb) -> Option<u64> {
    // The table of transactions is made anew only if nobody has looked for a tenth of a second.
    let rows = mysql.sql(&format!(
        "DO SLEEP(0.11); SELECT trx_rows_modified FROM information_schema.innodb_trx JOIN \
         information_schema.processlist ON id = trx_mysql_thread_id \
         WHERE user = '{SLOW_USER}' AND trx_rows_locked > 0"
    ));
    rows.unwrap().trim().parse().ok()
}

fn signal(node: &Node, name: &str) {
    for pid in node.pids() {
        let mut kill = std::process::Command::new("sh");
        let told = kill.args(["-c", &format!("kill -{name} {pid}")]).status().unwrap();
        assert!(told.success(), "{name}");
    }
}
