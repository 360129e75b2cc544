//! What people edit: publishers and apps on one side, line items and missions on the other.
//!
//! The whole tree is small (thousands of rows), so every node holds it in memory and a request never
//! queries it. A [`Mission`] is versioned: an edit makes a new version, and enrollments keep the one
//! whose terms they locked.

mod entity;
mod creative;
mod mission;
mod tree;

mod diff;
mod frozen;
pub mod limits;
mod validate;

pub mod sample;

pub use creative::{Creative, Wording};
pub use diff::{Difference, diff};
pub use entity::{
    AdGroup, AdGroupStatus, Advertiser, App, AppKey, Caps, Currency, Endpoint, Flight, HoldPolicy,
    LineItem, LineItemStatus, Order, Pacing, Partner, Publisher, Segment, Theme, Unit,
};
pub use frozen::frozen;
pub use mission::{
    Aim, Choice, Landing, LocalText, Mission, MissionKind, MissionStatus, Repeat, Role, Rule,
    Sequence, Step, StepText, Window, WindowStart, text_for,
};
pub use tree::{Catalog, Edit, Entity, EntityKind};
pub use validate::{Problem, validate};

pub use crate::targeting::{AgeRange, Gender, OsVersion, OsVersionRange, Platform, Targeting};
