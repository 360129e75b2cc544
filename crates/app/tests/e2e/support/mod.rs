//! What all tests use: the binary with its folder, a client, a publisher's server, a catalogue, people.

pub(crate) mod binary;
pub(crate) mod clock;
pub(crate) mod node;
pub(crate) mod shape;

pub(crate) mod http;
pub(crate) mod problem;

pub(crate) mod catalog;
pub(crate) mod people;
pub(crate) mod publisher;

pub(crate) mod browser;

pub(crate) mod chance;
pub(crate) mod crowd;

use std::time::Duration;

/// How long a condition is awaited before a test gives up: far more than any machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);
