//! Bytes on the wire that are not quite HTTP, or HTTP that wants to be taken for something else.
//!
//! The server answers or closes the connection, never with 5xx, and serves everybody else meanwhile.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Target;
use crate::support::PATIENCE;
use crate::support::catalog::{GENERIC, LIVE_KEY};
use crate::support::crowd::at_once;
use crate::support::http::{Request, encode, read_answer};

/// Sends bytes, says that nothing follows, and gives what came back until the server closed.
async fn exchange(target: &Target, sent: &[u8]) -> Vec<u8> {
    let talk = async {
        let mut stream = TcpStream::connect(target.client.address()).await.unwrap();
        // A server that has heard enough may close while we still write.
        let _ = stream.write_all(sent).await;
        let _ = stream.shutdown().await;
        let mut back = Vec::new();
        let _ = stream.read_to_end(&mut back).await;
        back
    };
    timeout(PATIENCE, talk).await.expect("the server neither answers nor closes")
}

/// The statuses of all answers in what came back.
fn statuses(back: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(back);
    let heads = text.match_indices("HTTP/1.1 ").chain(text.match_indices("HTTP/1.0 "));
    heads.filter_map(|(at, _)| text.get(at + 9..at + 12)?.parse().ok()).collect()
}

/// A head with these lines.
fn head(lines: &[&str]) -> Vec<u8> {
    (lines.join("\r\n") + "\r\n\r\n").into_bytes()
}

fn crooked(click: &str) -> Vec<(&'static str, Vec<u8>)> {
    let pay = format!("GET /v1/postbacks/{GENERIC}?event=install&click_id={click} HTTP/1.1");
    let post = format!("POST /v1/postbacks/{GENERIC} HTTP/1.1");
    let post = post.as_str();
    let paid = format!("event=install&click_id={click}");
    let form = "Content-Type: application/x-www-form-urlencoded";
    let with = |lines: &[&str], body: &str| [head(lines), body.as_bytes().to_vec()].concat();
    let long = format!("X-Long: {}", "x".repeat(1_000_000));
    let path = format!("GET /{} HTTP/1.1", "x".repeat(2_000_000));
    let many: Vec<String> = (0..20_000).map(|number| format!("X-{number}: y")).collect();
    let many: Vec<&str> = ["GET /livez HTTP/1.1", "Host: a"]
        .into_iter()
        .chain(many.iter().map(String::as_str))
        .collect();
    vec![
        ("no version", b"GET /livez\r\n\r\n".to_vec()),
        ("a future version", head(&["GET /livez HTTP/9.9", "Host: a"])),
        ("no method", head(&["/livez HTTP/1.1", "Host: a"])),
        ("a method of blanks", head(&["   /livez HTTP/1.1", "Host: a"])),
        ("a NUL in a header", head(&[&pay, "Host: a", "X-A: a\0b"])),
        ("a folded header", head(&[&pay, "Host: a", "X-A: a", "  b", "X: "])),
        ("a blank before the colon", with(&[post, "Host: a", form, "Content-Length : 5"], &paid)),
        (
            "two lengths",
            with(&[post, "Host: a", form, "Content-Length: 5", "Content-Length: 9"], "12345"),
        ),
        ("a negative length", with(&[post, "Host: a", form, "Content-Length: -1"], &paid)),
        (
            "a huge length",
            with(&[post, "Host: a", form, "Content-Length: 99999999999999999999"], &paid),
        ),
        ("a length with a plus", with(&[post, "Host: a", form, "Content-Length: +5"], &paid)),
        (
            "a length that does not come",
            with(&[post, "Host: a", form, "Content-Length: 5000"], &paid),
        ),
        (
            "a bad chunk",
            with(&[post, "Host: a", form, "Transfer-Encoding: chunked"], "zz\r\nabc\r\n0\r\n\r\n"),
        ),
        (
            "a huge chunk",
            with(&[post, "Host: a", form, "Transfer-Encoding: chunked"], "fffffffffffffffff\r\n"),
        ),
        (
            "a chunk cut short",
            with(&[post, "Host: a", form, "Transfer-Encoding: chunked"], "ff\r\nevent="),
        ),
        ("an unknown encoding", with(&[post, "Host: a", form, "Transfer-Encoding: gzip"], &paid)),
        (
            "chunked, but not last",
            with(&[post, "Host: a", form, "Transfer-Encoding: chunked, gzip"], &paid),
        ),
        ("a megabyte of header", head(&["GET /livez HTTP/1.1", "Host: a", &long])),
        ("20,000 headers", head(&many)),
        ("a path of two megabytes", head(&[&path, "Host: a"])),
        ("only line ends", b"\r\n\r\n\r\n\r\n".to_vec()),
        ("only noise", (0..=255).cycle().take(10_000).collect()),
        ("a TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        (
            "HTTP/2 and then noise",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        ),
        (
            "a proxy's greeting",
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /livez HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        ),
        ("a tunnel", head(&["CONNECT evil.example:443 HTTP/1.1", "Host: evil.example:443"])),
        ("a trace", head(&["TRACE /livez HTTP/1.1", "Host: a"])),
        (
            "an upgrade",
            head(&[
                "GET /livez HTTP/1.1",
                "Host: a",
                "Connection: Upgrade, HTTP2-Settings",
                "Upgrade: h2c",
                "HTTP2-Settings: AAA",
            ]),
        ),
        (
            "somebody else's address",
            head(&["GET http://evil.example/livez HTTP/1.1", "Host: evil.example"]),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crooked_requests_are_answered_or_cut() {
    let target = Target::new().await;
    for (name, sent) in crooked(&target.click) {
        let back = exchange(&target, &sent).await;
        let found = statuses(&back);
        assert!(found.iter().all(|status| *status < 500), "{name}: {found:?}");
        target.client.send(&Request::get("/livez")).await.expect(200);
    }
    target.must_be_unharmed().await;
}

/// Two lengths in one request, of which each hides another request: the body is read as chunks or the
/// request is refused, and what is left over never pays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_cannot_be_smuggled_in_another() {
    let target = Target::new().await;
    let hidden = format!(
        "GET /v1/postbacks/{GENERIC}?event=install&click_id={} HTTP/1.1\r\nHost: a\r\n\r\n",
        encode(&target.click)
    );
    let length = format!("Content-Length: {}", hidden.len() + 5);
    let shapes = [
        vec![length.as_str(), "Transfer-Encoding: chunked"],
        vec!["Transfer-Encoding: chunked", length.as_str()],
        vec![length.as_str(), "Transfer-Encoding:\tchunked"],
        vec![length.as_str(), "Transfer-Encoding: xchunked"],
        vec![length.as_str(), "Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        vec![length.as_str(), "Transfer-Encoding : chunked"],
    ];
    for shape in shapes {
        // Read by its length the hidden request is the body; it must not be run as one of its own.
        let lines = [&["POST /livez HTTP/1.1", "Host: a"], shape.as_slice()].concat();
        let sent = [head(&lines), b"0\r\n\r\n".to_vec(), hidden.clone().into_bytes()].concat();
        let back = exchange(&target, &sent).await;
        let found = statuses(&back);
        assert!(
            found.len() <= 1 && found.iter().all(|status| (400..500).contains(status)),
            "{shape:?}: {found:?}"
        );
    }
    target.must_be_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unusual_but_right_requests_are_answered() {
    let target = Target::new().await;
    let client = &target.client;
    let head_only =
        client.send(&Request::new("HEAD", "/v1/missions").bearer(&target.user.token)).await;
    assert_eq!((head_only.status, head_only.body.len()), (200, 0));
    assert!(head_only.header("etag").is_some());
    let options = client.send(&Request::new("OPTIONS", "/v1/wallet")).await;
    assert_eq!(options.status, 405);
    assert!(options.header("allow").is_some_and(|allow| allow.contains("GET")), "{options:?}");
    // A forged address of the caller changes nothing.
    let forged = Request::get("/livez")
        .header("x-forwarded-for", "127.0.0.1")
        .header("x-forwarded-host", "evil.example");
    client.send(&forged).await.expect(200);
    let wish =
        Request::post("/v1/sessions").bearer(LIVE_KEY).header("x-forwarded-host", "evil.example");
    let opened = client
        .send(&wish.json(&serde_json::json!({"unit_id": 1, "user_id": "u"})))
        .await
        .expect(201);
    assert!(!opened.text().contains("evil"), "{}", opened.text());
    for id in ["a b", "a\"b", "<b>", &"x".repeat(65), "ä"] {
        let answer =
            client.send(&Request::get("/livez").header("x-request-id", id)).await.expect(200);
        assert_ne!(answer.header("x-request-id"), Some(id));
    }
    let kept = client.send(&Request::get("/livez").header("x-request-id", "trace-1.2_3")).await;
    assert_eq!(kept.header("x-request-id"), Some("trace-1.2_3"));

    let mut stream = BufReader::new(TcpStream::connect(client.address()).await.unwrap());
    let body = r#"{"unit_id":1,"user_id":"u"}"#;
    let length = format!("Content-Length: {}", body.len());
    let key = format!("Authorization: Bearer {LIVE_KEY}");
    let lines = [
        "POST /v1/sessions HTTP/1.1",
        "Host: a",
        &key,
        "Content-Type: application/json",
        &length,
        "Expect: 100-continue",
    ];
    stream.write_all(&head(&lines)).await.unwrap();
    let mut interim = [0; 25];
    timeout(PATIENCE, stream.read_exact(&mut interim)).await.unwrap().unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    let answer = timeout(PATIENCE, read_answer(&mut stream, false)).await.unwrap().unwrap();
    assert_eq!(answer.status, 201);
    target.must_be_unharmed().await;
}

/// The beginnings that a slow sender never brings to an end.
const BEGINNINGS: [&[u8]; 5] = [
    b"",
    b"G",
    b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    b"PRI * HT",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

/// Sends a beginning and then a byte a second, until the server hangs up; gives what it said.
async fn drip(address: std::net::SocketAddr, beginning: &'static [u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(beginning).await.unwrap();
    let (mut back, mut some) = (Vec::new(), [0; 512]);
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.tick().await;
    loop {
        tokio::select! {
            read = stream.read(&mut some) => match read {
                Ok(count @ 1..) => back.extend_from_slice(&some[..count]),
                _ => return back,
            },
            _ = second.tick(), if beginning.ends_with(b" ") => drop(stream.write_all(b"x").await),
        }
    }
}

/// Connections that send a byte now and then hold up nobody, and are cut in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_senders_hold_up_nobody() {
    const SLOW: usize = 200;
    let target = Target::new().await;
    let address = target.client.address();
    let slow = at_once(SLOW, move |number| async move {
        let beginning = BEGINNINGS[number % BEGINNINGS.len()];
        let ended = timeout(PATIENCE, drip(address, beginning)).await;
        let said = String::from_utf8_lossy(beginning);
        statuses(&ended.unwrap_or_else(|_| panic!("{said:?} is never cut")))
    });
    let slow = tokio::spawn(slow);
    let mut every = tokio::time::interval(Duration::from_millis(20));
    let mut served = 0;
    while !slow.is_finished() {
        target.client.send(&Request::get("/livez")).await.expect(200);
        served += 1;
        every.tick().await;
    }
    let found: Vec<u16> = slow.await.unwrap().into_iter().flatten().collect();
    assert!(found.iter().all(|status| (400..500).contains(status)), "{found:?}");
    assert!(served > 50, "only {served} were served meanwhile");
    target.must_be_unharmed().await;
}
