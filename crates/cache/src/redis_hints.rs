//! Hints between nodes on the channels of Redis.
//!
//! They travel on connections of their own, so that a slow listener never holds up the cache. In a
//! cluster one node is talked to, which passes hints on to all others; if it is gone, the next one is
//! tried. What is said while a node is not connected is lost to it; therefore every new connection
//! counts as a hint about everything.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSubSink, PubSubStream};
use redis::{AsyncConnectionConfig, Client, RedisResult, Value};
use store::{Broker, Topic};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::redis_settings::{BadUrl, CONNECT_WITHIN, RedisSettings};

/// How long a hint or the answer to a ping may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// After how much silence the listening connection is asked whether anybody is there.
const PING_AFTER: Duration = Duration::from_secs(1);
/// Between two hints about one topic: nodes need not be woken more often.
const HINTS_APART: Duration = Duration::from_millis(10);
/// The pause before the next node is tried, and the longest after many that were tried in vain.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Hints by way of Redis.
pub struct Hints {
    inner: Arc<Inner>,
    keeper: AbortHandle,
}

struct Inner {
    clients: Vec<Client>,
    prefix: String,
    /// Tells this node's own hints from others'.
    node: String,
    /// Heard, and not waited for yet.
    heard: [Notify; Topic::ALL.len()],
    /// Given, and not sent yet.
    given: [AtomicBool; Topic::ALL.len()],
    wake: Notify,
    problem: Mutex<Option<String>>,
    /// Whether the log says that something is wrong.
    is_told: AtomicBool,
}

impl Hints {
    /// Connects in the background, whether or not Redis is there. Call it within a Tokio runtime.
    ///
    /// # Errors
    /// [`BadUrl`].
    pub fn open(settings: &RedisSettings) -> Result<Self, BadUrl> {
        let inner = Arc::new(Inner {
            clients: settings.clients()?,
            prefix: settings.prefix.clone(),
            node: format!("{:016x}", RandomState::new().build_hasher().finish()),
            heard: Default::default(),
            given: Default::default(),
            wake: Notify::new(),
            problem: Mutex::new(Some("Redis has not answered yet".to_owned())),
            is_told: AtomicBool::new(false),
        });
        let keeper = tokio::spawn(keep(Arc::clone(&inner))).abort_handle();
        Ok(Self { inner, keeper })
    }

    /// Why hints neither come nor go, in a sentence; `None` if they do.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        lock(&self.inner.problem).clone()
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

#[async_trait]
impl Broker for Hints {
    fn hint(&self, topic: Topic) {
        self.inner.given[topic as usize].store(true, Ordering::Release);
        self.inner.wake.notify_one();
    }

    async fn wait(&self, topic: Topic) {
        self.inner.heard[topic as usize].notified().await;
    }
}

/// A listening and a speaking connection to one node.
struct Lines {
    sink: PubSubSink,
    stream: PubSubStream,
    speaker: MultiplexedConnection,
}

/// Listens and speaks for as long as a node answers, and then goes on to the next.
async fn keep(inner: Arc<Inner>) {
    let mut pause = PAUSE_MIN;
    for client in inner.clients.iter().cycle() {
        let problem = match timeout(CONNECT_WITHIN, inner.connect(client)).await {
            Ok(Ok(lines)) => {
                pause = PAUSE_MIN;
                inner.set_problem(None);
                inner.heard.iter().for_each(Notify::notify_one);
                let Lines { mut sink, mut stream, speaker } = lines;
                tokio::select! {
                    () = inner.listen(&mut sink, &mut stream) => {}
                    () = inner.speak(speaker) => {}
                }
                "Redis does not answer".to_owned()
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "Redis cannot be connected to in time".to_owned(),
        };
        inner.set_problem(Some(problem));
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

impl Inner {
    fn channel(&self, topic: Topic) -> String {
        format!("{}:hints:{}", self.prefix, topic.name())
    }

    /// Trouble is logged when it begins and when it ends; a start without any says nothing.
    fn set_problem(&self, problem: Option<String>) {
        let was_told = self.is_told.swap(problem.is_some(), Ordering::Relaxed);
        match &problem {
            Some(problem) if !was_told => {
                tracing::warn!(problem, "hints between nodes are done without");
            }
            None if was_told => tracing::info!("hints between nodes come and go again"),
            Some(_) | None => {}
        }
        *lock(&self.problem) = problem;
    }

    /// Listens to every topic, and says something that nobody listens to: one that may not publish is
    /// no broker either.
    async fn connect(&self, client: &Client) -> RedisResult<Lines> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let mut speaker = client.get_multiplexed_async_connection_with_config(&config).await?;
        let (mut sink, stream) = client.get_async_pubsub().await?.split();
        for topic in Topic::ALL {
            sink.subscribe(self.channel(topic)).await?;
        }
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(format!("{}:hints:probe", self.prefix)).arg(&self.node);
        publish.query_async::<()>(&mut speaker).await?;
        Ok(Lines { sink, stream, speaker })
    }

    /// Rings for what others say, until the line is dead.
    async fn listen(&self, sink: &mut PubSubSink, stream: &mut PubSubStream) {
        loop {
            match timeout(PING_AFTER, stream.next()).await {
                Ok(Some(message)) => {
                    let channel = message.get_channel_name();
                    let topic = Topic::ALL.into_iter().find(|one| self.channel(*one) == channel);
                    if let Some(topic) = topic
                        && message.get_payload_bytes() != self.node.as_bytes()
                    {
                        self.heard[topic as usize].notify_one();
                    }
                }
                Ok(None) => return,
                Err(_) => match timeout(ANSWER_WITHIN, sink.ping::<Value>()).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(_)) | Err(_) => return,
                },
            }
        }
    }

    /// Says what is given, until the line is dead. What could not be said is said on the next one.
    async fn speak(&self, mut speaker: MultiplexedConnection) {
        loop {
            for topic in Topic::ALL {
                if !self.given[topic as usize].swap(false, Ordering::AcqRel) {
                    continue;
                }
                let mut publish = redis::cmd("PUBLISH");
                publish.arg(self.channel(topic)).arg(&self.node);
                let said = timeout(ANSWER_WITHIN, publish.query_async::<()>(&mut speaker)).await;
                if !matches!(said, Ok(Ok(()))) {
                    self.given[topic as usize].store(true, Ordering::Release);
                    return;
                }
            }
            sleep(HINTS_APART).await;
            self.wake.notified().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
