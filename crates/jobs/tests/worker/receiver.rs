//! A publisher's server: reads requests off a socket, remembers them and answers as it is told.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::world::in_time;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query as they stood on the request line.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The header of that name, in lower case.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The decoded query.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// The decoded form in the body.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What the server does.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Status, further headers, body.
    Say(u16, &'static str, String),
    /// It keeps the connection open and says nothing.
    Silence,
    /// It hangs up in the middle of the answer.
    HangUp,
    /// 200 and a body without end.
    Endless,
}

/// A status and nothing else.
pub(crate) fn status(status: u16) -> Answer {
    Answer::Say(status, "", String::new())
}

/// Decides by the request and by its number, from 1.
type Script = dyn Fn(&Request, usize) -> Answer + Send + Sync;

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    requests: watch::Receiver<Vec<Request>>,
    endless_ended: watch::Receiver<Option<u64>>,
}

struct State {
    script: Box<Script>,
    requests: watch::Sender<Vec<Request>>,
    endless_ended: watch::Sender<Option<u64>>,
}

impl Receiver {
    /// Listens on a free port of this machine.
    pub(crate) async fn start(
        script: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, seen) = watch::channel(Vec::new());
        let (endless_ended, ended) = watch::channel(None);
        let state = Arc::new(State { script: Box::new(script), requests, endless_ended });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&state)));
            }
        });
        Self { address, requests: seen, endless_ended: ended }
    }

    /// One that answers every request with 200.
    pub(crate) async fn kind() -> Self {
        Self::start(|_, _| status(200)).await
    }

    /// The address of a path of this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.requests.borrow().clone()
    }

    /// Waits until so many requests have come, and answers all there are.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Request> {
        let mut requests = self.requests.clone();
        let enough = requests.wait_for(|seen| seen.len() >= count);
        in_time(enough).await.unwrap().clone()
    }

    /// How many bytes of an endless body could be written until the reader hung up.
    pub(crate) async fn endless_bytes(&self) -> u64 {
        let mut ended = self.endless_ended.clone();
        let bytes = in_time(ended.wait_for(Option::is_some)).await.unwrap();
        bytes.unwrap()
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let mut nth = 0;
        state.requests.send_modify(|seen| {
            seen.push(request.clone());
            nth = seen.len();
        });
        match (state.script)(&request, nth) {
            Answer::Say(status, headers, body) => {
                let length = body.len();
                let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n");
                let answer = format!("{head}\r\n{body}");
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
            Answer::Silence => {
                // Until the other side gives up.
                let _ = stream.read(&mut [0; 1]).await;
                return;
            }
            Answer::HangUp => {
                let head = b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\nbroken";
                let _ = stream.write_all(head).await;
                return;
            }
            Answer::Endless => return pour(&mut stream, &state).await,
        }
    }
}

async fn pour(stream: &mut BufReader<TcpStream>, state: &State) {
    let head = b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n";
    let _ = stream.write_all(head).await;
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let mut bytes = 0;
    while stream.write_all(chunk.as_bytes()).await.is_ok() {
        bytes += 0x4000;
    }
    state.endless_ended.send_replace(Some(bytes));
}

/// Reads one request; `None` at the end of the connection.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let line = read_line(stream).await?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream).await?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { method, target, headers, body })
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}
