//! The proxy passes, refuses, freezes, delays and cuts, for live connections as for new ones.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as it does")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use services::Proxy;

/// Long enough that only a hanging test reaches it.
const PATIENCE: Duration = Duration::from_secs(30);
/// So long nothing comes through a frozen proxy.
const SILENCE: Duration = Duration::from_millis(200);

/// A port that no program of ours can be given.
const NOBODY: u16 = 1;

/// A server that sends every piece back and reports it.
fn start_echo() -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (report, reported) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let report = report.clone();
            thread::spawn(move || echo(stream, &report));
        }
    });
    (address, reported)
}

fn echo(mut stream: TcpStream, report: &Sender<Vec<u8>>) {
    let mut piece = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        // Both fail only after the test has ended.
        let _reported = report.send(piece[..length].to_vec());
        let _sent = stream.write_all(&piece[..length]);
    }
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn is_refused(proxy: &Proxy) -> bool {
    TcpStream::connect(("127.0.0.1", proxy.port())).is_err()
}

fn expect_echo(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
    expect(stream, text);
}

fn expect(stream: &mut TcpStream, text: &str) {
    let mut read = vec![0; text.len()];
    stream.read_exact(&mut read).unwrap();
    assert_eq!(String::from_utf8_lossy(&read), text);
}

/// Whether the other side has ended the connection.
fn is_cut(stream: &mut TcpStream) -> bool {
    !matches!(stream.read(&mut [0]), Ok(1..))
}

#[test]
fn bytes_pass_in_both_directions_and_so_does_an_end() {
    let proxy = Proxy::start(start_echo().0).unwrap();
    let mut stream = connect(&proxy);
    expect_echo(&mut stream, "first");
    expect_echo(&mut stream, "second");
    stream.write_all(b"last").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "last");
}

#[test]
fn a_closed_port_refuses_new_connections_and_opens_again() {
    let proxy = Proxy::start(start_echo().0).unwrap();
    let mut live = connect(&proxy);
    expect_echo(&mut live, "before");
    proxy.refuse();
    assert!(is_refused(&proxy));
    expect_echo(&mut live, "meanwhile");
    proxy.cut_all();
    assert!(is_cut(&mut live));
    proxy.pass().unwrap();
    expect_echo(&mut connect(&proxy), "after");
}

#[test]
fn nothing_passes_while_frozen_and_everything_afterwards() {
    let (target, reported) = start_echo();
    let proxy = Proxy::start(target).unwrap();
    let mut live = connect(&proxy);
    expect_echo(&mut live, "before");
    reported.recv().unwrap();
    proxy.freeze().unwrap();
    let mut new = connect(&proxy);
    live.write_all(b"held").unwrap();
    new.write_all(b"held").unwrap();
    assert!(reported.recv_timeout(SILENCE).is_err(), "a frozen proxy passed something on");
    proxy.pass().unwrap();
    expect(&mut live, "held");
    expect(&mut new, "held");
}

#[test]
fn what_is_held_back_is_lost_with_its_connection() {
    let (target, reported) = start_echo();
    let proxy = Proxy::start(target).unwrap();
    let mut live = connect(&proxy);
    expect_echo(&mut live, "before");
    reported.recv().unwrap();
    proxy.freeze().unwrap();
    live.write_all(b"lost").unwrap();
    proxy.cut_all();
    assert!(is_cut(&mut live));
    proxy.pass().unwrap();
    expect_echo(&mut connect(&proxy), "after");
    assert_eq!(reported.recv().unwrap(), b"after");
}

#[test]
fn requests_arrive_later_when_delayed() {
    let proxy = Proxy::start(start_echo().0).unwrap();
    let mut live = connect(&proxy);
    expect_echo(&mut live, "quick");
    let delay = Duration::from_millis(150);
    proxy.delay(delay).unwrap();
    let start = Instant::now();
    expect_echo(&mut live, "slow");
    assert!(start.elapsed() >= delay);
    // A piece that waits need not wait to the end when the mode changes.
    proxy.delay(PATIENCE * 10).unwrap();
    live.write_all(b"released").unwrap();
    proxy.pass().unwrap();
    expect(&mut live, "released");
}

#[test]
fn the_answer_to_a_chosen_request_is_lost_once() {
    let (target, reported) = start_echo();
    let proxy = Proxy::start(target).unwrap();
    let (mut chosen, mut other) = (connect(&proxy), connect(&proxy));
    proxy.cut_answer_after(b"COMMIT");
    expect_echo(&mut chosen, "BEGIN");
    expect_echo(&mut other, "BEGIN");
    // The pattern is found although it comes in two pieces; the echo of the first is awaited so
    // that they cannot become one.
    expect_echo(&mut chosen, "COM");
    assert_eq!(proxy.answers_cut(), 0);
    chosen.write_all(b"MIT").unwrap();
    assert!(is_cut(&mut chosen));
    assert_eq!(proxy.answers_cut(), 1);
    let arrived: Vec<Vec<u8>> = reported.try_iter().collect();
    assert!(arrived.contains(&b"MIT".to_vec()), "the request did not arrive: {arrived:?}");
    expect_echo(&mut other, "COMMIT");
    assert_eq!(proxy.answers_cut(), 1);
}

#[test]
fn a_pattern_that_was_not_seen_is_forgotten_by_pass() {
    let proxy = Proxy::start(start_echo().0).unwrap();
    let mut stream = connect(&proxy);
    expect_echo(&mut stream, "COMMIT");
    proxy.cut_answer_after(b"COMMIT");
    proxy.pass().unwrap();
    expect_echo(&mut stream, "COMMIT");
    assert_eq!(proxy.answers_cut(), 0);
}

#[test]
fn a_target_that_is_down_and_a_dropped_proxy_end_connections() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], NOBODY));
    let down = Proxy::start(nobody).unwrap();
    assert!(is_cut(&mut connect(&down)));

    let proxy = Proxy::start(start_echo().0).unwrap();
    let mut live = connect(&proxy);
    expect_echo(&mut live, "before");
    drop(proxy);
    assert!(is_cut(&mut live));
}
