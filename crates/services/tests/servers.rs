//! Every server starts, is killed and started again on its data, and freezes.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as it does")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use services::{Dynamo, MariaDb, Nginx, RedisCluster, RedisNode, Server};

/// So long nothing comes from a server that is frozen.
const SILENCE: Duration = Duration::from_millis(200);
/// A port that no program of ours can be given.
const NOBODY: u16 = 1;

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Sends a command and reads as many bytes as the expected answer has.
fn expect(stream: &mut TcpStream, command: &str, answer: &str) {
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut read = vec![0; answer.len()];
    stream.read_exact(&mut read).unwrap();
    assert_eq!(String::from_utf8_lossy(&read), answer, "{command}");
}

fn is_refused(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_err()
}

#[test]
fn mariadb_is_durable_and_survives_a_kill() {
    let db = MariaDb::start().unwrap();
    let settings = "SELECT @@log_bin, @@sync_binlog, @@innodb_flush_log_at_trx_commit";
    assert_eq!(db.sql(settings).unwrap(), "1\t1\t1\n");
    let url = db.url("shop");
    assert_eq!(url, format!("mysql://root@127.0.0.1:{}/shop", db.port()));
    db.sql("CREATE TABLE shop.t (id INT PRIMARY KEY); INSERT INTO shop.t VALUES (7)").unwrap();
    db.kill().unwrap();
    assert!(is_refused(db.address()));
    assert!(db.sql("SELECT 1").is_err());
    db.restart().unwrap();
    assert_eq!(db.url("shop"), url);
    assert_eq!(db.sql("SELECT id FROM shop.t").unwrap(), "7\n");
}

#[test]
fn what_was_saved_is_there_in_another_server() {
    let folder = tempfile::tempdir().unwrap();
    let saved = |name: &str| folder.path().join(name);
    let db = MariaDb::start().unwrap();
    db.url("shop");
    db.sql("CREATE TABLE shop.t (id INT PRIMARY KEY); INSERT INTO shop.t VALUES (7)").unwrap();
    db.save(&saved("mariadb")).unwrap();
    // It goes on, and what comes later is not in the copy.
    db.sql("INSERT INTO shop.t VALUES (8)").unwrap();
    let other = MariaDb::start_from(&saved("mariadb"), &["--sync-binlog=0"]).unwrap();
    assert_eq!(other.sql("SELECT id FROM shop.t; SELECT @@sync_binlog").unwrap(), "7\n0\n");

    let redis = RedisNode::start().unwrap();
    expect(&mut connect(&redis), "SET a b", "+OK\r\n");
    redis.save(&saved("redis")).unwrap();
    let other = RedisNode::start_from(&saved("redis")).unwrap();
    expect(&mut connect(&other), "GET a", "$1\r\nb\r\n");
    expect(&mut connect(&redis), "GET a", "$1\r\nb\r\n");
}

#[test]
fn mariadb_options_win_and_users_have_only_their_grants() {
    let db = MariaDb::start_with(&["--sync-binlog=0"]).unwrap();
    assert_eq!(db.sql("SELECT @@sync_binlog").unwrap(), "0\n");
    db.url("shop");
    let url = db.create_user("reader", "shop", &["SELECT ON shop.*"]).unwrap();
    assert_eq!(url, format!("mysql://reader@127.0.0.1:{}/shop", db.port()));
    let grants = db.sql("SHOW GRANTS FOR reader@'127.0.0.1'").unwrap();
    assert!(grants.contains("GRANT SELECT ON `shop`.*") && !grants.contains("INSERT"), "{grants}");
}

#[test]
fn a_server_that_does_not_start_is_an_error_with_its_log() {
    let failed = MariaDb::start_with(&["--no-such-option"]).err().unwrap();
    let shown = format!("{failed:#}");
    assert!(shown.contains("mariadbd, log:") && shown.contains("no-such-option"), "{shown}");
}

#[test]
fn redis_keeps_its_writes_and_answers_after_a_thaw() {
    let node = RedisNode::start_with(&["--maxmemory", "50mb"]).unwrap();
    assert_eq!(node.url(), format!("redis://127.0.0.1:{}", node.port()));
    expect(&mut connect(&node), "SET color green", "+OK\r\n");
    node.kill().unwrap();
    assert!(is_refused(node.address()));
    node.restart().unwrap();
    let mut stream = connect(&node);
    expect(&mut stream, "GET color", "$5\r\ngreen\r\n");

    node.freeze().unwrap();
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    stream.write_all(b"PING\r\n").unwrap();
    assert!(stream.read(&mut [0]).is_err(), "a frozen server answered");
    node.thaw().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
}

#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let node = thread::spawn(|| RedisNode::start().unwrap()).join().unwrap();
    expect(&mut connect(&node), "PING", "+PONG\r\n");
}

#[test]
fn a_dropped_server_is_gone_and_so_is_its_folder() {
    let node = RedisNode::start().unwrap();
    let (address, folder) = (node.address(), node.folder().to_owned());
    drop(node);
    assert!(is_refused(address));
    assert!(!folder.exists());
}

#[test]
fn a_replica_takes_over_from_a_killed_master() {
    let cluster = RedisCluster::start(3, 1).unwrap();
    assert_eq!(cluster.urls().len(), 6);
    let before = cluster.masters().unwrap();
    assert_eq!(before.len(), 3);
    cluster.kill_node(before[0]).unwrap();
    cluster.wait_until_whole().unwrap();
    let after = cluster.masters().unwrap();
    assert!(after.len() == 3 && !after.contains(&before[0]), "{after:?}");
    cluster.restart_node(before[0]).unwrap();
    cluster.wait_until_whole().unwrap();
    assert_eq!(cluster.masters().unwrap().len(), 3);
}

#[test]
fn a_cluster_without_replicas_is_whole_again_when_its_master_is_back() {
    let cluster = RedisCluster::start(3, 0).unwrap();
    assert_eq!(cluster.masters().unwrap(), [0, 1, 2]);
    cluster.kill_node(1).unwrap();
    assert_eq!(cluster.masters().unwrap(), [0, 2]);
    cluster.restart_node(1).unwrap();
    cluster.wait_until_whole().unwrap();
    assert_eq!(cluster.urls().len(), cluster.masters().unwrap().len());
}

/// Calls one operation of DynamoDB and returns the whole answer.
fn dynamo_call(dynamo: &Dynamo, operation: &str, body: &str) -> String {
    let mut stream = connect(dynamo);
    let signature = "AWS4-HMAC-SHA256 Credential=a/20200101/eu-west-1/dynamodb/aws4_request, \
                     SignedHeaders=host, Signature=0";
    let request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         X-Amz-Target: DynamoDB_20120810.{operation}\r\nX-Amz-Date: 20200101T000000Z\r\n\
         Content-Type: application/x-amz-json-1.0\r\nAuthorization: {signature}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn dynamo_keeps_its_items_when_killed() {
    let dynamo = Dynamo::start().unwrap();
    assert_eq!(dynamo.endpoint(), format!("http://127.0.0.1:{}", dynamo.port()));
    let table = r#"{"TableName":"shop","BillingMode":"PAY_PER_REQUEST",
        "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
        "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]}"#;
    let answer = dynamo_call(&dynamo, "CreateTable", table);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let item = r#"{"TableName":"shop","Item":{"pk":{"S":"a"},"color":{"S":"green"}}}"#;
    assert!(dynamo_call(&dynamo, "PutItem", item).starts_with("HTTP/1.1 200"));
    dynamo.kill().unwrap();
    assert!(is_refused(dynamo.address()));
    dynamo.restart().unwrap();
    let key = r#"{"TableName":"shop","Key":{"pk":{"S":"a"}}}"#;
    assert!(dynamo_call(&dynamo, "GetItem", key).contains("green"));

    let folder = tempfile::tempdir().unwrap();
    dynamo.save(&folder.path().join("saved")).unwrap();
    assert!(dynamo_call(&dynamo, "GetItem", key).contains("green"));
    let other = Dynamo::start_from(&folder.path().join("saved")).unwrap();
    assert!(dynamo_call(&other, "GetItem", key).contains("green"));
}

/// An HTTP node that gives every request the same answer and tells who it is.
fn start_node(status: &'static str, name: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || answer_all(stream, status, name));
        }
    });
    port
}

fn answer_all(mut stream: TcpStream, status: &str, name: &str) {
    let mut head = Vec::new();
    let mut byte = [0];
    while stream.read_exact(&mut byte).is_ok() {
        head.push(byte[0]);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            let length = name.len();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{name}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    }
}

/// The answer to one request through the balancer.
fn through(nginx: &Nginx, method: &str) -> String {
    let mut stream = connect(nginx);
    let head = "HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(format!("{method} / {head}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn nginx_takes_turns_and_goes_on_to_the_next_node_only_where_that_is_safe() {
    let nginx = Nginx::start(&[start_node("200 OK", "one"), start_node("200 OK", "two")]).unwrap();
    let answers: Vec<String> = (0..4).map(|_| through(&nginx, "GET")).collect();
    assert_eq!(answers.iter().filter(|answer| answer.ends_with("one")).count(), 2);
    assert_eq!(answers.iter().filter(|answer| answer.ends_with("two")).count(), 2);

    let down = Nginx::start(&[NOBODY, start_node("200 OK", "one")]).unwrap();
    for method in ["GET", "POST", "GET", "POST"] {
        assert!(through(&down, method).ends_with("one"), "{method} did not reach the node");
    }

    let busy = start_node("503 Service Unavailable", "busy");
    let partly = Nginx::start(&[busy, start_node("200 OK", "one")]).unwrap();
    assert!((0..4).all(|_| through(&partly, "GET").ends_with("one")));
    let posts: Vec<String> = (0..4).map(|_| through(&partly, "POST")).collect();
    assert_eq!(posts.iter().filter(|answer| answer.contains("503")).count(), 2, "{posts:?}");
    partly.kill().unwrap();
    assert!(is_refused(partly.address()));
    partly.restart().unwrap();
    assert!(through(&partly, "GET").ends_with("one"));
}
