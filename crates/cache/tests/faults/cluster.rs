//! A Redis Cluster.

use std::process::Command;
use std::time::Duration;

use cache::{RedisSettings, Shape};
use services::RedisCluster;

use crate::crowd::{Confirmed, Crowd};

/// Within what a cluster that works again is used again.
const SOON: Duration = Duration::from_secs(10);

fn settings(cluster: &RedisCluster) -> RedisSettings {
    let mut settings = RedisSettings::new(Shape::Cluster, cluster.urls());
    // Six servers and two nodes on a small machine are slow now and then.
    settings.answer_within = Duration::from_millis(200);
    settings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_without_replica_is_killed_and_comes_back() {
    let cluster = RedisCluster::start(3, 0).unwrap();
    let crowd = Crowd::start(&settings(&cluster), Confirmed::Holds).await;
    for victim in [0, 1] {
        cluster.kill_node(victim).unwrap();
        crowd.until_it_is_missed().await;
        crowd.reads(500).await;
        cluster.restart_node(victim).unwrap();
        cluster.wait_until_whole().unwrap();
        let back = crowd.until_it_works().await;
        assert!(back < SOON, "it took {back:?}");
    }
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_takes_over_from_a_killed_master() {
    let cluster = RedisCluster::start(3, 1).unwrap();
    let crowd = Crowd::start(&settings(&cluster), Confirmed::MayBeLost).await;
    for _ in 0..2 {
        let victim = cluster.masters().unwrap()[0];
        cluster.kill_node(victim).unwrap();
        crowd.until_it_is_missed().await;
        cluster.wait_until_whole().unwrap();
        let back = crowd.until_it_works().await;
        assert!(back < SOON, "it took {back:?}");
        cluster.restart_node(victim).unwrap();
        cluster.wait_until_whole().unwrap();
    }
    crowd.end().await;
}

/// What `redis-cli` answers about the cluster.
fn cli(arguments: &[&str]) -> String {
    let output = Command::new("redis-cli").args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "redis-cli {arguments:?}: {text}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_move_while_they_are_in_use() {
    let cluster = RedisCluster::start(3, 0).unwrap();
    let crowd = Crowd::start(&settings(&cluster), Confirmed::Holds).await;
    let ports = [0, 1, 2].map(|place| cluster.node(place).port().to_string());
    let ids = ports.each_ref().map(|port| cli(&["-p", port, "CLUSTER", "MYID"]).trim().to_owned());
    for (from, to) in [(0, 1), (1, 2), (2, 0)] {
        let entry = format!("127.0.0.1:{}", ports[0]);
        let (from, to) = (ids[from].clone(), ids[to].clone());
        let moved = tokio::task::spawn_blocking(move || {
            let what = ["--cluster-from", &from, "--cluster-to", &to, "--cluster-slots", "2000"];
            let how = ["--cluster-yes", "--cluster-pipeline", "10"];
            cli(&[&["--cluster", "reshard", &entry][..], &what, &how].concat())
        });
        moved.await.unwrap();
        crowd.reads(100).await;
    }
    let back = crowd.until_it_works().await;
    assert!(back < SOON, "it took {back:?}");
    crowd.end().await;
}
