//! Stored and exchanged forms, in one place.
//!
//! The domain knows no serialisation. Every form in which its values leave a process is made here,
//! so all stores keep the same bytes, and a catalogue file, the admin API and a store's row agree.
//!
//! - [`state`]: one user, in the binary form that every state store keeps.
//! - [`loaded`]: the same with his version, as a cache keeps him.
//! - [`journal`]: records and messages, in the binary form of the journal and the outbox.
//! - [`catalog`]: the catalogue as people and the admin API write it, in TOML and JSON.
//!
//! The binary forms begin with a version byte and can be read for ever. This crate does no I/O and
//! reads no clock.

mod wire;

pub mod journal;
pub mod loaded;
pub mod state;

pub mod catalog;

pub use wire::DecodeError;

#[cfg(test)]
mod arbitrary;
