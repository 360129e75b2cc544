//! What the handlers share: the engine, the clock, and the keys that may ask.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::HEXLOWER;
use domain::ids::bearer_digest;
use domain::time::Timestamp;
use domain::verify::Report;
use engine::{Ctx, Engine};
use tokio::sync::{Mutex, Semaphore};

use crate::around::Meters;
use crate::hex::append_hex;
use crate::missions::Fragments;

/// Requests that are worked on at once; one more is told to come back.
///
/// Each holds at most a body and an answer, so this bounds memory. The embedded store's queue has as
/// many places, so a stalled disk is felt here: whoever got a place here finds one there.
pub(crate) const REQUESTS_IN_FLIGHT_MAX: usize = 4_096;

/// Requests whose body is on its way at once. They are counted apart, so that clients who send
/// slowly cannot keep away those who send nothing or have sent all.
pub(crate) const BODIES_ARRIVING_MAX: usize = 1_024;

/// Derives the books anew from one view of the store; an error is a sentence.
pub type Verify = Arc<dyn Fn(Arc<Ctx>) -> Eventually<Result<Report, String>> + Send + Sync>;

/// What is being waited for.
pub type Eventually<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the process around it gives to the API.
#[derive(Clone)]
pub struct ApiState {
    /// The use cases.
    pub engine: Arc<Engine>,
    /// Reads the clock.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Makes bytes that nobody can guess.
    pub entropy: Arc<dyn Fn() -> [u8; 32] + Send + Sync>,
    /// Who may use the admin API.
    pub admin_keys: Vec<AdminKey>,
    /// The address of the mission page for a session token.
    pub page_url: Arc<dyn Fn(&str) -> String + Send + Sync>,
    /// The address under which users and partners reach the server, without a slash at its end.
    pub public_url: String,
    /// Asks everything the server depends on how it is.
    pub readiness: Arc<dyn Fn(Arc<Ctx>) -> Eventually<Vec<Dependency>> + Send + Sync>,
    /// Writes the figures as Prometheus reads them.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Derives the books anew from one view of the store; an error is a sentence.
    pub verify: Verify,
}

/// A key of the admin API.
#[derive(Clone, Debug)]
pub struct AdminKey {
    /// Whose it is; edits are signed with it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// [`domain::ids::bearer_digest`] of the key.
    pub digest: [u8; 32],
}

/// What a key of the admin API may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Everything.
    Admin,
    /// Reads everything and edits the catalogue.
    AdOps,
    /// Reads everything.
    Finance,
    /// Reads everything, moves users in and out of audiences, replays deliveries.
    Support,
    /// Reads everything.
    ReadOnly,
}

/// Something that the server depends on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dependency {
    /// What it is called.
    pub name: String,
    /// Whether nothing works without it; otherwise the server is merely degraded.
    pub is_required: bool,
    /// What is wrong with it, in a sentence; `None` if nothing is.
    pub problem: Option<String>,
}

/// The books as they were last verified.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    /// When that began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What was found.
    pub report: Report,
}

/// Room for a request id.
const REQUEST_ID_BYTES: usize = 29;

/// The state of all handlers.
pub(crate) struct Api {
    pub(crate) given: ApiState,
    pub(crate) fragments: Fragments,
    pub(crate) meters: Meters,
    pub(crate) in_flight: Semaphore,
    pub(crate) arriving: Semaphore,
    /// The latest verification; locked while one runs, so that there is never more than one.
    pub(crate) verified: Mutex<Option<Verified>>,
    id_prefix: String,
    next_id: AtomicU64,
}

impl Api {
    pub(crate) fn new(given: ApiState) -> Self {
        let seed = (given.entropy)();
        Self {
            id_prefix: HEXLOWER.encode(&seed[..6]),
            next_id: AtomicU64::new(1),
            fragments: Fragments::new(),
            meters: Meters::default(),
            in_flight: Semaphore::new(REQUESTS_IN_FLIGHT_MAX),
            arriving: Semaphore::new(BODIES_ARRIVING_MAX),
            verified: Mutex::new(None),
            given,
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.given.engine
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.given.clock)()
    }

    /// A request id that no other request of any node has.
    pub(crate) fn new_request_id(&self) -> String {
        let number = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut id = String::with_capacity(REQUEST_ID_BYTES);
        id.push_str(&self.id_prefix);
        id.push('-');
        append_hex(number, &mut id);
        id
    }

    /// Whose admin key it is. Digests of unguessable keys are compared, so the time that this takes
    /// tells nothing of use.
    pub(crate) fn admin(&self, key: &str) -> Option<&AdminKey> {
        let digest = bearer_digest(key);
        self.given.admin_keys.iter().find(|one| one.digest == digest)
    }
}
