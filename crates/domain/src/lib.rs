//! The rules of Guerdon: pure, synchronous, without I/O, clock, randomness, logging or serialisation.
//!
//! Everything here is a function of its arguments. Time arrives as [`time::Timestamp`], secrets and
//! sealed tokens stay outside, and a command ends in a [`change::Change`] that somebody else commits.
//! Read in this order: the nouns ([`ids`], [`time`], [`money`], [`catalog`]), the compiled catalogue
//! ([`snapshot`]), what a user has done ([`user`]), and then the verbs ([`decide`], [`participate`],
//! [`convert`], [`complete`], [`sweep`], [`view`], [`inquire`]) with the books they keep ([`ledger`], [`journal`], [`verify`]).

pub mod ids;
pub mod time;
pub mod money;
pub mod words;

pub mod catalog;
pub mod dialect;
pub mod recipe;
pub mod secret;

pub mod bits;
pub mod budget;
pub mod snapshot;
pub mod targeting;

pub mod user;
pub mod ledger;
pub mod journal;
pub mod change;
pub mod verdict;

pub mod decide;
pub mod participate;

mod desk;
mod rules;

pub mod complete;
pub mod convert;
pub mod sweep;
pub mod view;
pub mod inquire;

pub mod verify;
