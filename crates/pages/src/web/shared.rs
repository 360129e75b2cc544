//! What the handlers share.

use std::sync::Arc;

use domain::time::Timestamp;
use engine::Engine;

use super::once::Once;
use crate::csrf::{self, CSRF_KEY_BYTES};
use crate::form::FormGuard;

/// What the process around it gives to the pages.
#[derive(Clone)]
pub struct PagesState {
    /// The use cases.
    pub engine: Arc<Engine>,
    /// Reads the clock.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Makes bytes that nobody can guess.
    pub entropy: Arc<dyn Fn() -> [u8; 32] + Send + Sync>,
    /// The address under which users reach the server; with `https` the cookie is only sent so.
    pub public_url: String,
}

/// The same with what is made of it once.
pub(crate) struct Shared {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pub(crate) once: Once,
    pub(crate) is_https: bool,
    entropy: Arc<dyn Fn() -> [u8; 32] + Send + Sync>,
    csrf_key: [u8; CSRF_KEY_BYTES],
}

impl Shared {
    pub(crate) fn new(state: PagesState) -> Self {
        let PagesState { engine, clock, entropy, public_url } = state;
        Self {
            csrf_key: engine.vault().derive("mission page forms"),
            once: Once::new(),
            is_https: public_url.starts_with("https://"),
            engine,
            clock,
            entropy,
        }
    }

    /// The guards of one rendered page of this session.
    pub(crate) fn guard(&self, token: &str) -> FormGuard {
        FormGuard::new(csrf::token(&self.csrf_key, token.as_bytes()), self.random())
    }

    /// Whether a form was made for this session.
    pub(crate) fn is_ours(&self, token: &str, posted: &str) -> bool {
        csrf::verify(&self.csrf_key, token.as_bytes(), posted)
    }

    pub(crate) fn random(&self) -> [u8; 16] {
        let bytes = (self.entropy)();
        let (half, _) = bytes.split_first_chunk().unwrap_or((&[0; 16], &[]));
        *half
    }
}
