//! The only place that reads the machine's clock and its source of randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::time::Timestamp;

/// The moment, by the machine's clock.
#[expect(clippy::disallowed_methods, reason = "everybody else is told the time from here")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Bytes that nobody can guess.
///
/// # Panics
/// Never returns without randomness: a key made of guessable bytes would be worse than a crash.
#[expect(clippy::panic, reason = "a machine without randomness cannot run this program safely")]
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Err(error) = getrandom::fill(&mut bytes) {
        panic!("the operating system gives no randomness: {error}");
    }
    bytes
}

/// A bearer key: a readable prefix and 32 random bytes.
pub(crate) fn new_key(prefix: &str) -> String {
    format!("{prefix}_{}", data_encoding::BASE64URL_NOPAD.encode(&random::<32>()))
}
