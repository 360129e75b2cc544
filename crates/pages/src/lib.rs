//! The mission page: what an end user sees, as HTML from the server.
//!
//! A page is a struct with its values, a template of the same name, a statement about caching, and
//! samples. This crate decides how things are said and shown; it guarantees that a page works
//! without any script, that every value is escaped, that every form is guarded, and that all texts
//! exist in all languages. It deliberately knows no store, reads no clock and makes no randomness:
//! `now`, keys and random bytes are arguments.
//!
//! Reading order: `web` (routes and handlers), `present` (from the engine's views to ours), [`view`]
//! (what is shown), the pages ([`MissionList`], [`MissionDetail`], [`Wallet`], [`Notice`]), [`page`]
//! (what they have in common), `text` (what is said), [`theme`].

mod web;
mod present;

mod mission_detail;
mod mission_list;
mod notice;
mod wallet;

pub mod page;
pub mod view;

pub mod address;
pub mod assets;
mod card;
mod colour;
pub mod csrf;
pub mod form;
mod frame;
pub mod paths;
mod plain;
mod samples;
mod text;
pub mod theme;

pub use frame::Frame;
pub use mission_detail::{Cta, Headline, Idle, MissionDetail, Run};
pub use mission_list::{CARDS_MAX, Chip, MissionList, Offers};
pub use notice::{Notice, NoticeKind, SIMILAR_MAX};
pub use paths::session_path;
pub use plain::Plain;
pub use text::{Currency, Lang, Zone};
pub use wallet::{ENTRIES_MAX, Wallet};
pub use web::{PagesState, patterns, router};
