//! Connections: kept over requests in both HTTPs, told apart without TLS, limited, and ended in order.

use h2::client::{self, Connection, SendRequest};
use h2::{Reason, RecvStream};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::catalog::{AMPLE, LIVE_KEY, base, campaign, on_event};
use crate::support::http::read_answer;
use crate::support::node::Node;

/// Most requests under way on one HTTP/2 connection, as the server announces it.
const STREAMS_MAX: usize = 100;
/// Streams that a flooder opens and resets at once: many times what is let through.
const FLOOD: u32 = 500;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `GET http://a/` in HPACK, of the static table.
const GET_ROOT: &[u8] = &[0x82, 0x86, 0x84, 0x41, 1, b'a'];
const SESSION: &str = r#"{"unit_id":1,"user_id":"ann"}"#;

fn start() -> Node {
    Node::start(
        &(base("http://127.0.0.1:9") + &campaign(11, AMPLE, &[&on_event("install", 1_000)])),
    )
}

/// A connection by HTTP/2, whose beginning says so; and how it ends.
struct Http2 {
    sender: SendRequest<bytes::Bytes>,
    ended: JoinHandle<Result<(), h2::Error>>,
}

impl Http2 {
    async fn open(node: &Node) -> Self {
        let stream = TcpStream::connect(node.address()).await.unwrap();
        let (sender, mut connection): (_, Connection<_, _>) =
            client::handshake(stream).await.unwrap();
        // The server's settings come with its answer to a ping at the latest.
        let mut pings = connection.ping_pong().unwrap();
        let ended = tokio::spawn(connection);
        pings.ping(h2::Ping::opaque()).await.unwrap();
        Self { sender, ended }
    }

    /// Sends a request that is whole.
    async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> (u16, Vec<u8>) {
        let mut request = http::Request::get(format!("http://guerdon.example{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut sender = self.sender.clone().ready().await.unwrap();
        let (answer, _) = sender.send_request(request.body(()).unwrap(), true).unwrap();
        read(answer).await
    }
}

async fn read(answer: client::ResponseFuture) -> (u16, Vec<u8>) {
    let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
    let status = answer.status().as_u16();
    (status, body(answer.into_body()).await)
}

async fn body(mut stream: RecvStream) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(part) = timeout(PATIENCE, stream.data()).await.unwrap() {
        let part = part.unwrap();
        stream.flow_control().release_capacity(part.len()).unwrap();
        all.extend_from_slice(&part);
    }
    all
}

fn opening() -> http::request::Builder {
    http::Request::post("http://guerdon.example/v1/sessions")
        .header("authorization", format!("Bearer {LIVE_KEY}"))
        .header("content-type", "application/json")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_kept_over_requests() {
    let node = start();
    let mut stream = BufReader::new(TcpStream::connect(node.address()).await.unwrap());
    let ask = b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n";
    for _ in 0..3 {
        stream.write_all(ask).await.unwrap();
        let answer = timeout(PATIENCE, read_answer(&mut stream, false)).await.unwrap().unwrap();
        assert_eq!((answer.status, answer.header("connection")), (200, None));
    }
    // Two at once are answered one after the other.
    stream.write_all(&ask.repeat(2)).await.unwrap();
    for _ in 0..2 {
        let answer = timeout(PATIENCE, read_answer(&mut stream, false)).await.unwrap().unwrap();
        assert_eq!(answer.status, 200);
    }
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let answer = timeout(PATIENCE, read_answer(&mut stream, false)).await.unwrap().unwrap();
    assert_eq!(answer.header("connection"), Some("close"));
    let rest = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    assert_eq!(rest, 0, "the connection is closed by the one who was asked to");
    node.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_is_spoken_without_tls() {
    let node = start();
    let mut http2 = Http2::open(&node).await;
    let sender = http2.sender.clone();
    assert_eq!(sender.current_max_send_streams(), STREAMS_MAX, "what the server announces");
    let mut sender = sender.ready().await.unwrap();
    let (answer, mut sent) = sender.send_request(opening().body(()).unwrap(), false).unwrap();
    sent.send_data(SESSION.into(), true).unwrap();
    let (status, opened) = read(answer).await;
    let opened: Value = serde_json::from_slice(&opened).unwrap();
    assert_eq!(status, 201, "{opened}");
    let bearer = format!("Bearer {}", opened["token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    // Many at once on one connection, each with its own answer.
    let lists = (0..20).map(|_| {
        let mut one = Http2 { sender: http2.sender.clone(), ended: tokio::spawn(async { Ok(()) }) };
        async move { one.get("/v1/missions", &headers).await }
    });
    for (status, list) in futures_util::future::join_all(lists).await {
        let list: Value = serde_json::from_slice(&list).unwrap();
        assert_eq!((status, &list["missions"][0]["id"]), (200, &json!(11)));
    }
    let (status, _) = http2.get("/nowhere", &[]).await;
    assert_eq!(status, 404);
    drop((sender, sent, http2.sender));
    timeout(PATIENCE, http2.ended).await.unwrap().unwrap().unwrap();
    node.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_answers_what_is_under_way_and_takes_nothing_more() {
    let mut node = start();
    let mut http2 = Http2::open(&node).await;
    let mut http1 = BufReader::new(TcpStream::connect(node.address()).await.unwrap());
    let (answer, mut sent) = http2.sender.send_request(opening().body(()).unwrap(), false).unwrap();
    let head = format!(
        "POST /v1/sessions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {LIVE_KEY}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        SESSION.len()
    );
    http1.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    timeout(PATIENCE, http1.read_exact(&mut interim)).await.unwrap().unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n", "it is under way");
    assert_eq!(http2.get("/livez", &[]).await.0, 200, "so is what was sent before this");
    node.tell_to_stop();
    // The server says that it goes, and takes no further request.
    let refused = async {
        loop {
            let mut sender = match http2.sender.clone().ready().await {
                Ok(sender) => sender,
                Err(error) => break error,
            };
            let ask = http::Request::get("http://guerdon.example/livez").body(()).unwrap();
            let Ok((answer, _)) = sender.send_request(ask, true) else { continue };
            if let Err(error) = answer.await {
                break error;
            }
        }
    };
    let refused = timeout(PATIENCE, refused).await.expect("the server goes on taking requests");
    assert_eq!(refused.reason(), Some(Reason::NO_ERROR), "{refused}");
    assert!(refused.is_go_away() && refused.is_remote(), "{refused}");
    sent.send_data(SESSION.into(), true).unwrap();
    assert_eq!(read(answer).await.0, 201, "what was under way by HTTP/2");
    http1.write_all(SESSION.as_bytes()).await.unwrap();
    let last = timeout(PATIENCE, read_answer(&mut http1, false)).await.unwrap().unwrap();
    assert_eq!((last.status, last.header("connection")), (201, Some("close")));
    drop(http2.sender);
    timeout(PATIENCE, http2.ended).await.unwrap().unwrap().unwrap();
    node.wait();
    node.finish();
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Reads frames until the server says that it goes; why.
async fn reason_of_go_away(stream: &mut TcpStream) -> Reason {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == GO_AWAY {
            return u32::from_be_bytes(payload[4..8].try_into().unwrap()).into();
        }
    }
}

/// Whoever opens streams only to reset them is cut, and everybody else is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_resets_ends_its_connection() {
    let node = start();
    let mut stream = TcpStream::connect(node.address()).await.unwrap();
    let mut sent = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &[])].concat();
    for number in 0..FLOOD {
        let stream = 2 * number + 1;
        sent.extend(frame(HEADERS, END_STREAM | END_HEADERS, stream, GET_ROOT));
        sent.extend(frame(RST_STREAM, 0, stream, &u32::from(Reason::CANCEL).to_be_bytes()));
    }
    // The server hangs up before it has read all of it.
    let _ = stream.write_all(&sent).await;
    let reason = timeout(PATIENCE, reason_of_go_away(&mut stream)).await.unwrap();
    assert_eq!(reason, Reason::ENHANCE_YOUR_CALM);
    assert_eq!(Http2::open(&node).await.get("/livez", &[]).await.0, 200);
    node.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_is_too_large_is_refused() {
    let node = start();
    let mut http2 = Http2::open(&node).await;
    let long = "x".repeat(40_000);
    assert_eq!(http2.get("/livez", &[("x-long", &long)]).await.0, 200);
    assert_eq!(http2.get("/livez", &[("x-long", &long), ("x-more", &long)]).await.0, 431);
    assert_eq!(http2.get("/livez", &[]).await.0, 200, "the connection goes on");
    node.finish();
}
