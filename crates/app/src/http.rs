//! Connections: who may hold one, how long a request may take to arrive, and how they end.
//!
//! HTTP/1.1 and HTTP/2 without TLS are told apart by their first bytes. Every limit is here, so a
//! client that sends slowly, sends endless headers, or opens streams only to reset them takes what
//! one connection may take and no more.

mod untaken;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use api::{ClientAddress, Served};
use axum::http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use untaken::{Taking, Untaken};

/// Connections that are open at once; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 16_384;
/// How long a client has to send the first byte, and then the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// What a client of HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Rest before a beginning that may be either HTTP is looked at again: no client of good will cuts
/// the preface in two.
const PREFACE_REST: Duration = Duration::from_millis(50);
/// After how long a silent HTTP/2 connection is asked whether anybody is there.
const PING_AFTER: Duration = Duration::from_secs(20);
/// How long that may be answered.
const PONG_WITHIN: Duration = Duration::from_secs(10);
/// How long a client has to take what was sent to him.
#[cfg(target_os = "linux")]
const READ_WITHIN: Duration = Duration::from_secs(30);
/// Descriptors that are wanted: the connections, the database and the postbacks.
const DESCRIPTORS: u64 = CONNECTIONS_MAX as u64 + 4_096;
/// Most headers of a request.
const HEADERS_MAX: usize = 100;
/// Most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Most requests under way on one HTTP/2 connection: the least that clients may count on (RFC 9113,
/// 6.5.2).
const STREAMS_MAX: u32 = 100;
/// Most streams of one connection that were reset before they were looked at.
const RESETS_MAX: usize = 20;
/// Most streams of one connection that had to be reset because of what the client sent.
const FAULTS_MAX: usize = 64;
/// Rest after a failed accept, such as for want of file descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Serves until told to stop, and then until the requests that are under way have been answered.
pub(crate) async fn serve(
    listener: TcpListener,
    served: Served,
    proxies: usize,
    stop: CancellationToken,
) {
    let builder = Arc::new(builder());
    let open = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let untaken_of_all = Arc::new(AtomicUsize::new(0));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &open) => accepted,
            () = stop.cancelled() => break,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        let untaken = Untaken::counted_in(&untaken_of_all);
        let (served, counted) = (served.clone(), Arc::clone(&untaken));
        let service = service_fn(move |request: Request<Incoming>| {
            let (served, untaken) = (served.clone(), Arc::clone(&counted));
            async move {
                let address = ClientAddress(client_address(request.headers(), peer, proxies));
                Ok::<_, Infallible>(answer(&served, &untaken, request, address).await)
            }
        });
        let (builder, watcher) = (Arc::clone(&builder), graceful.watcher());
        tokio::spawn(async move {
            let _permit = permit;
            if !speaks(&stream).await {
                return;
            }
            let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
            tokio::select! {
                // A client that goes away or breaks the protocol is its own affair.
                _ = watcher.watch(connection) => {}
                () = untaken.too_old() => tracing::debug!("a client that took no answers was cut"),
            }
        });
    }
    graceful.shutdown().await;
}

async fn answer(
    served: &Served,
    untaken: &Arc<Untaken>,
    request: Request<Incoming>,
    address: ClientAddress,
) -> Response<Taking> {
    // Whether the process lives does not depend on how much it has to do.
    let answer = match untaken.is_full() && request.uri().path() != "/livez" {
        true => served.turned_away(),
        false => served.answer(request, Some(address)).await,
    };
    untaken.count(answer)
}

async fn accept(
    listener: &TcpListener,
    open: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(open).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            prepare(&stream);
            Some((stream, peer.ip(), permit))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_REST).await;
            None
        }
    }
}

/// Where a request came from. Each proxy adds whom it has heard it from, so only the last entries were
/// written by proxies of our own; what stands before them anybody may have written.
fn client_address(headers: &HeaderMap, peer: IpAddr, proxies: usize) -> IpAddr {
    let Some(place) = proxies.checked_sub(1) else { return peer };
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let heard: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    heard.iter().rev().nth(place).and_then(|address| address.parse().ok()).unwrap_or(peer)
}

/// Answers are written whole, so waiting for more would only delay them; and a client that does not
/// read them is cut, since nothing else ends a connection whose answers nobody takes.
fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(READ_WITHIN));
}

/// Lets the process open as many files as the system allows, so that connections do not run out of
/// descriptors first. What is not granted is not needed: the limit on connections then is the system's.
pub(crate) fn raise_descriptors() {
    if let Err(error) = rlimit::increase_nofile_limit(DESCRIPTORS) {
        tracing::warn!(%error, "the limit on open files could not be raised");
    }
}

/// Whether the client says in time which HTTP it speaks. A part of [`PREFACE`] may be the beginning of
/// either, and the connection's own limit on time begins only when that is known.
async fn speaks(stream: &TcpStream) -> bool {
    let known = async {
        let mut begin = [0; PREFACE.len()];
        loop {
            let length = stream.peek(&mut begin).await?;
            let is_open =
                length > 0 && length < begin.len() && PREFACE.starts_with(&begin[..length]);
            if !is_open {
                return std::io::Result::Ok(length > 0);
            }
            tokio::time::sleep(PREFACE_REST).await;
        }
    };
    matches!(tokio::time::timeout(HEAD_WITHIN, known).await, Ok(Ok(true)))
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PONG_WITHIN)
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_local_error_reset_streams(FAULTS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32);
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_write_his_own_address() {
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        let table: [(&[&str], usize, &str); 7] = [
            (&["192.0.2.1"], 0, "10.0.0.1"),
            (&["192.0.2.1"], 1, "192.0.2.1"),
            (&["198.51.100.9, 192.0.2.1"], 1, "192.0.2.1"),
            (&["198.51.100.9", "192.0.2.1,10.0.0.2"], 2, "192.0.2.1"),
            (&["2001:db8::1"], 1, "2001:db8::1"),
            (&["nonsense"], 1, "10.0.0.1"),
            (&[], 1, "10.0.0.1"),
        ];
        for (lines, proxies, expected) in table {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let found = client_address(&headers, peer, proxies);
            assert_eq!(found.to_string(), expected, "{lines:?} {proxies}");
        }
    }
}
