//! A server does not outlive the process that started it, even when that is killed.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as it does")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use services::RedisNode;

/// Set for the process that starts a server and waits to be killed.
const HOLDER: &str = "SERVICES_TEST_HOLDER";
const MARK: &str = "port=";

#[test]
fn a_killed_process_takes_its_servers_along() {
    if std::env::var_os(HOLDER).is_some() {
        return hold_a_server();
    }
    // This test runs itself once more in a process of its own, and that one holds the server.
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_killed_process_takes_its_servers_along", "--nocapture"])
        .env(HOLDER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port: u16 = lines
        .into_iter()
        .find_map(|line| line.split_once(MARK).map(|(_, port)| port.parse().unwrap()))
        .unwrap();
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    connection.write_all(b"PING\r\n").unwrap();
    let mut answer = [0; 7];
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
    holder.kill().unwrap();
    holder.wait().unwrap();
    // The connection ends with the server; one that lived on would keep this waiting.
    assert_eq!(connection.read(&mut answer).unwrap(), 0);
}

/// Tells its port and waits for the end of its input, which comes only with a kill.
fn hold_a_server() {
    let node = RedisNode::start().unwrap();
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{MARK}{}", node.port()).unwrap();
    stdout.flush().unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}
