//! A client for one connection that costs as little as possible: it shares the machine with the
//! server it measures.
//!
//! Requests are bytes that were made before. Of an answer it reads the status and the length, and
//! it keeps the connection. It knows no chunked bodies and no redirects: an answer without a length
//! is an error.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Room for one answer at first, in bytes; most fit, so one read takes them.
const BUFFER_BYTES: usize = 128 * 1024;
/// An answer longer than this is a mistake of the server's, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A kept connection.
pub(crate) struct Conn {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, as long as the next request has not been sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// The status line and the headers.
    head: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl Conn {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES] })
    }

    /// Sends a whole request and reads its whole answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        let (mut filled, mut searched) = (0, 0);
        let head = loop {
            filled += self.read(filled).await?;
            // The mark may have been cut by the end of the last read.
            let from = usize::saturating_sub(searched, 3);
            if let Some(at) = end_of_head(&self.buffer[from..filled]) {
                break from + at;
            }
            searched = filled;
        };
        let (status, length) = read_head(&self.buffer[..head])?;
        let whole = head + length;
        self.make_room(whole)?;
        while filled < whole {
            filled += self.read(filled).await?;
        }
        if filled > whole {
            bail!("{} bytes came after the answer", filled - whole);
        }
        Ok(Answer { status, head: &self.buffer[..head], body: &self.buffer[head..whole] })
    }

    async fn read(&mut self, filled: usize) -> Result<usize> {
        self.make_room(filled + 1)?;
        match self.stream.read(&mut self.buffer[filled..]).await? {
            0 => bail!("the server closed the connection"),
            count => Ok(count),
        }
    }

    fn make_room(&mut self, bytes: usize) -> Result<()> {
        if bytes > ANSWER_BYTES_MAX {
            bail!("an answer of more than {ANSWER_BYTES_MAX} bytes");
        }
        if bytes > self.buffer.len() {
            self.buffer.resize(bytes.next_power_of_two(), 0);
        }
        Ok(())
    }
}

impl Answer<'_> {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }

    /// The body as JSON, if the status is the one that is wanted.
    pub(crate) fn json(&self, wanted: &[u16]) -> Result<Value> {
        if !wanted.contains(&self.status) {
            bail!("{}", self.shown());
        }
        serde_json::from_slice(self.body).context("the answer is not JSON")
    }

    /// The status and the beginning of the body, for messages.
    pub(crate) fn shown(&self) -> String {
        let begin = &self.body[..self.body.len().min(300)];
        format!("status {}: {}", self.status, String::from_utf8_lossy(begin))
    }
}

/// The place behind the empty line that ends the headers.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn read_head(head: &[u8]) -> Result<(u16, usize)> {
    let digits = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    let status = digits.and_then(|digits| digits.parse().ok());
    let status: u16 = status.context("the answer does not begin with a status")?;
    if matches!(status, 204 | 304) {
        return Ok((status, 0));
    }
    let length = header(head, "content-length").and_then(|text| text.parse().ok());
    Ok((status, length.context("the answer has no content-length")?))
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let mut lines = head.split(|byte| *byte == b'\n');
    let value = lines.find_map(|line| {
        let (begin, rest) = line.split_at_checked(name.len())?;
        let value = rest.strip_prefix(b":")?;
        begin.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
    })?;
    std::str::from_utf8(value.trim_ascii()).ok()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Serves one connection: sends the parts one after the other for each request.
    async fn server(parts: &'static [&'static [u8]]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 64];
            while stream.read(&mut request).await.unwrap() > 0 {
                for part in parts {
                    stream.write_all(part).await.unwrap();
                    stream.flush().await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn answers_in_pieces_are_put_together_and_the_connection_is_kept() {
        let parts: &[&[u8]] = &[
            b"HTTP/1.1 201 Created\r\nServer-Timing: a\r\nContent-",
            b"Length: 5\r\n\r",
            b"\nhe",
            b"llo",
        ];
        let mut conn = Conn::open(server(parts).await).await.unwrap();
        for _ in 0..3 {
            let answer = conn.ask(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            assert_eq!((answer.status, answer.body), (201, b"hello".as_slice()));
            assert_eq!(answer.header("server-timing"), Some("a"));
            assert_eq!(answer.header("server"), None);
        }
    }

    #[tokio::test]
    async fn an_answer_larger_than_the_buffer_is_read() {
        const LARGE: usize = 3 * BUFFER_BYTES;
        static TEXT: [u8; LARGE] = [b'x'; LARGE];
        static PARTS: [&[u8]; 2] = [b"HTTP/1.1 200 OK\r\ncontent-length: 393216\r\n\r\n", &TEXT];
        let mut conn = Conn::open(server(&PARTS).await).await.unwrap();
        assert_eq!(conn.ask(b"GET").await.unwrap().body.len(), LARGE);
    }

    #[tokio::test]
    async fn an_unchanged_answer_has_no_body() {
        let parts: &[&[u8]] = &[b"HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n"];
        let mut conn = Conn::open(server(parts).await).await.unwrap();
        assert_eq!(conn.ask(b"GET").await.unwrap().status, 304);
    }

    #[tokio::test]
    async fn what_is_not_an_answer_is_an_error() {
        let cases: [&'static [&'static [u8]]; 3] = [
            &[b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"],
            &[b"nonsense\r\n\r\n"],
            &[b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab"],
        ];
        for parts in cases {
            let mut conn = Conn::open(server(parts).await).await.unwrap();
            assert!(conn.ask(b"GET").await.is_err(), "{parts:?}");
        }
    }
}
