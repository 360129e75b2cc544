//! Guerdon's own message.

use crate::dialect::{Body, Dialect, Method, ReversalStyle, Signature};

/// Standard Webhooks with a JSON body; a reversal is the event `reward.reversed`.
pub(super) fn standard_webhooks() -> Dialect {
    Dialect {
        body: Body::StandardWebhook,
        signature: Some(Signature::StandardWebhooks),
        reversal: ReversalStyle::SeparateEvent,
        timeout_ms: 15_000,
        ..Dialect::new("standard_webhooks", Method::Post)
    }
}
