//! A form that is sent twice is answered twice and done once.
//!
//! Rewards need no help here: the engine pays an occurrence once whatever is sent. But a second tap
//! on "Send answer" would be a second wrong answer, and cost a try. So the answer to each form is
//! kept for a while under the form's own key. It is kept by this node only: a node that does not know
//! it takes the form for a new one, which is what a second answer would be.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::ids::UserKey;
use moka::sync::Cache;
use tokio::sync::OnceCell;

use crate::view::Flash;

/// How long an answer is kept: far longer than taps follow each other.
const KEPT_FOR: Duration = Duration::from_secs(600);
/// Most answers kept: a minute of a busy node, at about 200 bytes each.
const KEPT_MAX: u64 = 50_000;

/// The message that answers a form; none where the page itself says it all.
type Answer = Option<Flash>;

/// Answers to forms.
pub(crate) struct Once(Cache<(UserKey, String), Arc<OnceCell<Answer>>>);

impl Once {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().time_to_live(KEPT_FOR).max_capacity(KEPT_MAX).build())
    }

    /// The answer to the user's form with this key; `work` is done for the first of them, others
    /// wait for it. A failure is not kept, so that trying again is possible.
    pub(crate) async fn answer<E>(
        &self,
        user: UserKey,
        key: String,
        work: impl Future<Output = Result<Answer, E>>,
    ) -> Result<Answer, E> {
        let cell = self.0.get_with((user, key), Arc::default);
        cell.get_or_try_init(|| work).await.copied()
    }
}
