//! A secret that never prints itself (X3).

use std::fmt;

/// How a sealed secret begins.
pub const SEALED_PREFIX: &str = "sealed:";
/// How a reference to an environment variable begins.
const ENV_PREFIX: &str = "env:";
/// How the names of the environment variables begin that hold secrets. No other may be referred to:
/// whoever edits the catalogue must not read the rest of the server's environment.
pub const VARIABLE_PREFIX: &str = "GUERDON_SECRET_";

/// Text that must not reach a log, an error or an export. It is sealed (`sealed:…`) or a reference
/// (`env:GUERDON_SECRET_…`) when it comes from a catalogue, and plain only in memory.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; the name says what a caller does.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is the secret itself, and neither sealed nor a reference.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.0.starts_with(SEALED_PREFIX) && self.variable().is_none()
    }

    /// The name of the environment variable that it refers to.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        self.0.strip_prefix(ENV_PREFIX)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
