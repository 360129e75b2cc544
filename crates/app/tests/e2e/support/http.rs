//! A client of HTTP/1.1 that keeps its connections, and says exactly what it got.
//!
//! It is small on purpose: it sends what it is told, repeats nothing by itself, and reads an answer
//! to the byte, so that a test can tell an answer from a connection that was cut.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::sync::Mutex;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

/// The host that is asked for unless a request names another.
const HOST: &str = "host: guerdon.example\r\n";

/// A request that is not sent yet.
#[derive(Clone)]
pub(crate) struct Request {
    method: &'static str,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A request for a path with its query.
    pub(crate) fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn post(target: impl Into<String>) -> Self {
        Self::new("POST", target)
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Says who calls.
    pub(crate) fn bearer(self, key: &str) -> Self {
        self.header("authorization", format!("Bearer {key}"))
    }

    /// Sends bytes of that type.
    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        if content_type.is_empty() { self } else { self.header("content-type", content_type) }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// The request as it goes over the wire.
    fn bytes(&self) -> Vec<u8> {
        let Self { method, target, headers, body } = self;
        let host = if headers.iter().any(|(name, _)| name == "host") { "" } else { HOST };
        let mut head = format!("{method} {target} HTTP/1.1\r\n{host}");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || *method != "GET" {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        [head.as_bytes(), b"\r\n", body].concat()
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The same, if it has that status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let read = serde_json::from_slice(&self.body);
        read.unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// How many calls the store has got for it.
    #[track_caller]
    pub(crate) fn store_calls(&self) -> u32 {
        let timing = self.header("server-timing").unwrap_or_default();
        let count = timing.split("desc=\"").nth(1).and_then(|rest| rest.split('"').next());
        count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{timing:?}"))
    }
}

/// Connections to one server.
pub(crate) struct Client {
    address: SocketAddr,
    idle: Mutex<Vec<BufReader<TcpStream>>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, idle: Mutex::default() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request whose answer has to come.
    pub(crate) async fn send(&self, request: &Request) -> Answer {
        self.try_send(request)
            .await
            .unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.target))
    }

    /// Sends a request. Without an answer it is not known whether it was carried out.
    pub(crate) async fn try_send(&self, request: &Request) -> Result<Answer> {
        timeout(PATIENCE, self.exchange(request)).await?
    }

    /// A connection that was used before and that the server has not closed since.
    fn kept(&self) -> Option<BufReader<TcpStream>> {
        let mut idle = self.idle.lock().unwrap();
        let is_open = |stream: &BufReader<TcpStream>| {
            let waiting = stream.get_ref().try_read(&mut [0]);
            waiting.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
        };
        std::iter::from_fn(|| idle.pop()).find(is_open)
    }

    async fn exchange(&self, request: &Request) -> Result<Answer> {
        let mut stream = match self.kept() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(self.address).await?),
        };
        stream.get_mut().set_nodelay(true)?;
        // Whoever is sent too much answers and hangs up: the answer counts, not the broken pipe.
        let _ = stream.write_all(&request.bytes()).await;
        let answer = read_answer(&mut stream, request.method == "HEAD").await?;
        let is_read = answer.status < 400 || request.body.is_empty();
        if is_read && answer.header("connection") != Some("close") {
            self.idle.lock().unwrap().push(stream);
        }
        Ok(answer)
    }
}

/// Reads one answer; interim ones are passed over.
pub(crate) async fn read_answer(
    stream: &mut BufReader<TcpStream>,
    is_headless: bool,
) -> Result<Answer> {
    loop {
        let mut answer = read_head(stream).await?;
        if answer.status >= 200 {
            let has_body = !is_headless && !matches!(answer.status, 204 | 304);
            if has_body {
                answer.body = read_body(stream, &answer).await?;
            }
            return Ok(answer);
        }
    }
}

async fn read_head(stream: &mut BufReader<TcpStream>) -> Result<Answer> {
    let line = read_line(stream).await?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| Error::new(ErrorKind::InvalidData, line))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream).await?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(Answer { status, headers, body: Vec::new() })
}

async fn read_body(stream: &mut BufReader<TcpStream>, head: &Answer) -> Result<Vec<u8>> {
    if let Some(length) = head.header("content-length") {
        let mut body = vec![0; length.parse().map_err(|_| ErrorKind::InvalidData)?];
        stream.read_exact(&mut body).await?;
        return Ok(body);
    }
    let mut body = Vec::new();
    if head.header("transfer-encoding") != Some("chunked") {
        stream.read_to_end(&mut body).await?;
        return Ok(body);
    }
    loop {
        let size = read_line(stream).await?;
        let size = usize::from_str_radix(&size, 16).map_err(|_| ErrorKind::InvalidData)?;
        let begin = body.len();
        body.resize(begin + size, 0);
        stream.read_exact(&mut body[begin..]).await?;
        read_line(stream).await?;
        if size == 0 {
            return Ok(body);
        }
    }
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await?;
    match line.strip_suffix(b"\r\n") {
        Some(line) => Ok(String::from_utf8_lossy(line).into_owned()),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

/// Percent-encodes everything but unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// `name=value` joined by `&`, escaped.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{}={}", encode(name), encode(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}
