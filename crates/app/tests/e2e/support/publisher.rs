//! A publisher's server: it takes rewards, checks their signatures as the specification says, and can
//! be slow, broken or silent.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use super::PATIENCE;
use super::clock::Clock;

/// The secret with which rewards to every endpoint here are signed.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_ZTJlLXdlYmhvb2stc2VjcmV0LWNhbmFyeS0wMQ==";
/// How old or early a message may be, in seconds.
const TOLERANCE_SECONDS: i64 = 300;

/// How an endpoint answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It takes what comes.
    Well,
    /// It answers with this status.
    Status(u16),
    /// It takes the request and never answers.
    Silent,
}

/// One message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The endpoint that it came to.
    pub(crate) path: String,
    /// `webhook-id`.
    pub(crate) id: String,
    /// Its body, read.
    pub(crate) message: Value,
    /// Its body to the byte.
    pub(crate) body: Bytes,
    /// Whether it was answered with 2xx.
    pub(crate) is_accepted: bool,
    /// What is wrong with it; nothing, one hopes.
    pub(crate) fault: Option<String>,
}

impl Received {
    /// A field of the reward.
    pub(crate) fn data(&self, name: &str) -> &Value {
        &self.message["data"][name]
    }

    pub(crate) fn kind(&self) -> &str {
        self.message["type"].as_str().unwrap_or_default()
    }

    pub(crate) fn transaction(&self) -> String {
        self.data("transaction_id").as_str().unwrap_or_default().to_owned()
    }
}

/// The server, running as long as the test.
pub(crate) struct Publisher {
    address: SocketAddr,
    desk: Arc<Desk>,
}

struct Desk {
    received: watch::Sender<Vec<Received>>,
    moods: Mutex<BTreeMap<String, Mood>>,
    clock: Mutex<Clock>,
}

impl Publisher {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Desk {
            received: watch::Sender::new(Vec::new()),
            moods: Mutex::default(),
            clock: Mutex::default(),
        });
        let router = Router::new().route("/{name}", post(take)).with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, desk }
    }

    /// The address that its endpoints begin with.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lives by the clock of a server.
    pub(crate) fn live_by(&self, clock: &Clock) {
        *self.desk.clock.lock().unwrap() = clock.clone();
    }

    /// How the endpoint of that name answers from now on.
    pub(crate) fn set_mood(&self, name: &str, mood: Mood) {
        self.desk.moods.lock().unwrap().insert(name.to_owned(), mood);
    }

    /// Everything that has come so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.desk.received.borrow().clone()
    }

    /// Waits until what has come is enough.
    pub(crate) async fn wait_for(
        &self,
        what: &str,
        is_enough: impl FnMut(&Vec<Received>) -> bool,
    ) -> Vec<Received> {
        let mut received = self.desk.received.subscribe();
        let waiting = timeout(PATIENCE, received.wait_for(is_enough)).await;
        let enough = waiting.map(|all| all.unwrap().clone());
        enough.unwrap_or_else(|_| {
            let all = self.received();
            panic!("waited in vain for {what}; {} came: {:#?}", all.len(), all.last())
        })
    }

    /// Waits until so many different rewards have been accepted.
    pub(crate) async fn wait_for_rewards(&self, count: usize) {
        let accepted = |all: &Vec<Received>| {
            let granted =
                all.iter().filter(|one| one.is_accepted && one.kind() == "reward.granted");
            granted.map(Received::transaction).collect::<BTreeSet<_>>().len()
        };
        self.wait_for(&format!("{count} rewards"), |all| accepted(all) >= count).await;
    }

    /// Checks what holds of all messages, whatever the test is about (D2, D6): signatures are right,
    /// all attempts of one message are equal to the byte, each transaction has one message of each
    /// kind, and no reversal comes before its reward was accepted.
    pub(crate) fn check(&self) -> BTreeSet<String> {
        let received = self.received();
        let mut bodies = BTreeMap::new();
        let mut ids = BTreeMap::new();
        let mut granted = BTreeSet::new();
        for one in &received {
            assert_eq!(one.fault, None, "{one:?}");
            let body = bodies.entry(one.id.clone()).or_insert(one.body.clone());
            assert_eq!(*body, one.body, "attempts of {} differ", one.id);
            let what = (one.kind().to_owned(), one.transaction());
            let id = ids.entry(what).or_insert(one.id.clone());
            assert_eq!(*id, one.id, "{} is told under two ids", one.transaction());
            match one.kind() {
                "reward.granted" if one.is_accepted => drop(granted.insert(one.transaction())),
                "reward.granted" => {}
                _ => assert!(!granted.is_empty(), "a reversal before any reward: {one:?}"),
            }
        }
        granted
    }
}

async fn take(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mood = desk.moods.lock().unwrap().get(&name).copied().unwrap_or(Mood::Well);
    let sent_s = desk.clock.lock().unwrap().sent_s();
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let one = Received {
        path: name,
        id: header("webhook-id").to_owned(),
        message: serde_json::from_slice(&body).unwrap_or_default(),
        is_accepted: mood == Mood::Well,
        fault: fault(&header, &body, &sent_s),
        body,
    };
    desk.received.send_modify(|all| all.push(one));
    match mood {
        Mood::Well => StatusCode::NO_CONTENT,
        Mood::Status(status) => StatusCode::from_u16(status).unwrap(),
        Mood::Silent => std::future::pending().await,
    }
}

/// What is wrong with a message, by the Standard Webhooks specification.
fn fault<'a>(
    header: &impl Fn(&'static str) -> &'a str,
    body: &[u8],
    sent_s: &[i64],
) -> Option<String> {
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let sent_at: i64 = timestamp.parse().unwrap_or_default();
    if sent_s.iter().all(|now| (now - sent_at).abs() > TOLERANCE_SECONDS) {
        return Some(format!("it was sent at {timestamp:?}, and it is {sent_s:?}"));
    }
    let key = BASE64.decode(WEBHOOK_SECRET.strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let mac = mac.chain_update(format!("{id}.{timestamp}.")).chain_update(body);
    let expected = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
    let given = header("webhook-signature");
    (!given.split(' ').any(|one| one == expected)).then(|| format!("signature {given:?}"))
}
