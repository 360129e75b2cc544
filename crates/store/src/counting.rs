//! Counts round trips, so that a test can hold a use case to the number it promises.

use std::sync::Arc;

use crate::StateStore;
use crate::fault::Fault;
pub use crate::tap::{Calls, Method};
use crate::tap::{Tap, Tapped};

/// A tap that counts.
#[derive(Debug, Default)]
pub struct Counter(Calls);

impl Tap for Counter {
    fn heard(&self, method: Method) -> Option<Fault> {
        self.0.count(method);
        None
    }
}

/// A state store that counts the calls of each method.
pub type CountingStore = Tapped<Counter>;

impl Tapped<Counter> {
    /// Counts the calls to `inner`, from 0.
    #[must_use]
    pub fn new(inner: Arc<dyn StateStore>) -> Self {
        Self::with(inner, Counter::default())
    }

    /// The calls so far.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.tap.0
    }
}
