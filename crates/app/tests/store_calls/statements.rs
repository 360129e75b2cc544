//! Counts the statements that the embedded store runs, as its log tells them, without the beginnings
//! and ends of views.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use store_sqlite::STATEMENT_LOG;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

/// The statements that were run.
#[derive(Clone, Default)]
pub(crate) struct Statements(Arc<AtomicU32>);

impl Statements {
    /// Listens to the log of this process. Stores that are opened later tell of their statements.
    pub(crate) fn count_from_now_on() -> Self {
        let statements = Self::default();
        tracing::subscriber::set_global_default(statements.clone()).unwrap();
        statements
    }

    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::SeqCst);
    }

    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The text of a statement.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "sql" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == STATEMENT_LOG
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        // Whether a view was open already depends on what was asked before.
        if !["BEGIN DEFERRED", "ROLLBACK"].contains(&text.0.as_str()) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
