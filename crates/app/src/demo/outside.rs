//! The world outside, pretended: the servers of two publishers, which receive rewards, and the pages
//! of advertisers, where users are sent and from which their doings are reported.
//!
//! A publisher's server does what a real one should: it verifies the signature before it looks at the
//! body, it answers at once, and it takes the same message a second time for what it is.

mod pages;
mod signature;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::folder::Keys;
use crate::clock;
use crate::output::print;
use pages::Tokens;

/// Most messages that are remembered; a demo does not run long enough to need more.
const RECEIVED_MAX: usize = 10_000;

/// The pretended servers, running.
pub(super) struct Outside {
    address: SocketAddr,
    received: watch::Receiver<Vec<Received>>,
}

/// One message as a publisher's server received it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Received {
    pub(super) publisher: &'static str,
    pub(super) webhook_id: String,
    /// Why it was refused; nothing if its signature was right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<&'static str>,
    /// Whether the same message had come before.
    pub(super) is_repeat: bool,
    pub(super) message: Value,
}

/// What a publisher's server knows.
struct Publisher {
    name: &'static str,
    path: &'static str,
    secret: String,
}

/// What the servers share.
struct Desk {
    publishers: [Publisher; 2],
    received: watch::Sender<Vec<Received>>,
    tokens: Tokens,
}

impl Outside {
    /// Starts the servers on a port that is bound already.
    pub(super) fn serve(
        listener: TcpListener,
        server: SocketAddr,
        keys: &Keys,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, received) = watch::channel(Vec::new());
        let desk = Desk {
            publishers: publishers(keys),
            received: sender,
            tokens: Tokens::new(server, keys),
        };
        tokio::spawn(async move { axum::serve(listener, router(desk)).await });
        Ok(Self { address, received })
    }

    /// The address that its pages and endpoints begin with.
    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until what has been received satisfies `is_enough`, and answers it.
    pub(super) async fn wait_for(
        &self,
        is_enough: impl FnMut(&Vec<Received>) -> bool,
    ) -> anyhow::Result<Vec<Received>> {
        let mut received = self.received.clone();
        let all = received.wait_for(is_enough).await?;
        Ok(all.clone())
    }

    /// Prints each message as it comes, for ever.
    pub(super) async fn announce(&self) {
        let mut received = self.received.clone();
        let mut told = 0;
        loop {
            let fresh: Vec<Received> =
                received.borrow_and_update().iter().skip(told).cloned().collect();
            told += fresh.len();
            for one in &fresh {
                // A closed pipe ends the words, not the demo.
                drop(print(&one.sentence()));
            }
            if received.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Received {
    /// What happened, in one line.
    pub(super) fn sentence(&self) -> String {
        let publisher = self.publisher;
        if let Some(why) = self.refused {
            return format!("{publisher}'s server refused a message: {why}");
        }
        let data = &self.message["data"];
        let text = |name: &str| data[name].as_str().unwrap_or_default();
        let kind = self.message["type"].as_str().unwrap_or_default();
        let again = if self.is_repeat { ", again" } else { "" };
        format!(
            "{publisher}'s server received {kind}{again}: {} {} for {}, {} / {} (signature verified)",
            self.amount(),
            text("currency"),
            text("user_id"),
            text("mission_title"),
            text("step_title"),
        )
    }

    /// The points as users see them.
    fn amount(&self) -> String {
        let minor = self.message["data"]["amount"].as_i64().unwrap_or_default();
        match self.publisher {
            LUMI => format!("{}.{:02}", minor / 100, minor % 100),
            _ => minor.to_string(),
        }
    }
}

const COINPICK: &str = "Coinpick";
const LUMI: &str = "Lumi";

fn publishers(keys: &Keys) -> [Publisher; 2] {
    let coinpick = keys.coinpick.webhook_secret.clone();
    let lumi = keys.lumi.webhook_secret.clone();
    [
        Publisher { name: COINPICK, path: "coinpick", secret: coinpick },
        Publisher { name: LUMI, path: "lumi", secret: lumi },
    ]
}

fn router(desk: Desk) -> Router {
    Router::new()
        .route("/publishers/{publisher}", post(receive))
        .route("/received", get(list_received))
        .merge(pages::router())
        .with_state(Arc::new(desk))
}

/// A publisher's endpoint for rewards.
async fn receive(
    State(desk): State<Arc<Desk>>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let Some(publisher) = desk.publishers.iter().find(|one| one.path == path) else {
        return StatusCode::NOT_FOUND;
    };
    let verdict = signature::verify(&publisher.secret, &headers, &body, clock::now());
    let webhook_id = signature::header(&headers, "webhook-id").unwrap_or_default().to_owned();
    let message = match verdict {
        Ok(()) => serde_json::from_slice(&body).unwrap_or_default(),
        Err(_) => Value::Null,
    };
    desk.received.send_modify(|all| {
        let is_repeat = all.iter().any(|one| one.webhook_id == webhook_id && one.refused.is_none());
        if all.len() < RECEIVED_MAX {
            let (publisher, refused) = (publisher.name, verdict.err());
            all.push(Received { publisher, webhook_id, refused, is_repeat, message });
        }
    });
    if verdict.is_ok() { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED }
}

/// Everything received so far, for whoever follows the guide.
async fn list_received(State(desk): State<Arc<Desk>>) -> Json<Vec<Received>> {
    Json(desk.received.borrow().clone())
}
