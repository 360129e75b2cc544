//! The rows of the catalogue other than missions.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dialect::{Body, Dialect};
use crate::ids::{
    AdGroupId, AdvertiserId, AppId, LineItemId, Mode, OrderId, PartnerId, PublisherId, SegmentId,
    UnitId,
};
use crate::money::{CurrencyCode, Micros, Ppm, Rate, Rounding};
use crate::recipe::Recipe;
use crate::secret::Secret;
use crate::targeting::Targeting;
use crate::time::{Timestamp, UtcOffset};

/// A company that owns apps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Publisher {
    /// Its number.
    pub id: PublisherId,
    /// What operators call it.
    pub name: String,
}

/// An app's points.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Currency {
    /// What users call a point, such as `P` or `coins`.
    pub name: String,
    /// Decimal places of a point as users see it; 0 where points are whole.
    pub minor_units: u8,
    /// Points for one unit of each currency that this app can be paid in. A mission in another
    /// currency is not shown.
    pub rates: BTreeMap<CurrencyCode, Rate>,
    /// What happens to fractions of a point.
    pub rounding: Rounding,
}

/// A bearer key of a publisher's server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppKey {
    /// Whether it speaks for real users.
    pub mode: Mode,
    /// [`crate::ids::bearer_digest`] of the key.
    pub digest: [u8; 32],
    /// What people call the key.
    pub label: String,
}

/// Where and how rewards are told to a publisher.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// Address of the call; it may hold the dialect's macros.
    pub url: String,
    /// The form of the call.
    pub dialect: Dialect,
    /// Signing secrets; two are live during a rotation, the newest first. If the dialect encrypts,
    /// its key and its vector come before them.
    pub secrets: Vec<Secret>,
}

impl Endpoint {
    /// How many of its secrets come before those that sign: a key and a vector, if it encrypts.
    #[must_use]
    pub fn secrets_before(&self) -> usize {
        if matches!(self.dialect.body, Body::Encrypted(_)) { 2 } else { 0 }
    }

    /// Whether the secret at that place has the form that its use asks for, as far as that shows.
    #[must_use]
    pub fn is_usable(&self, at: usize) -> bool {
        let signs = at >= self.secrets_before();
        let signature = self.dialect.signature.as_ref().filter(|_| signs);
        signature.is_none_or(|signature| signature.fits(&self.secrets[at]))
    }
}

/// How the mission page of an app looks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Theme {
    /// Main colour as `#rrggbb`.
    pub primary: Option<String>,
    /// Corner radius in pixels, 0 to 32.
    pub radius: Option<u8>,
    /// Address of the logo.
    pub logo_url: Option<String>,
}

/// An app or site with points of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct App {
    /// Its number.
    pub id: AppId,
    /// Its owner.
    pub publisher_id: PublisherId,
    /// What users call it.
    pub name: String,
    /// Its points.
    pub currency: Currency,
    /// Share of a payout that becomes points where a step names no reward of its own.
    pub user_share: Ppm,
    /// Share of a payout that the publisher keeps.
    pub publisher_share: Ppm,
    /// Keys of its server.
    pub keys: Vec<AppKey>,
    /// Where live rewards are told; without one they wait for the pull API.
    pub postback: Option<Endpoint>,
    /// Where test rewards are told.
    pub test_postback: Option<Endpoint>,
    /// How the mission page looks.
    pub theme: Theme,
}

impl App {
    /// The endpoint for rewards of `mode`; test rewards never reach the live one (X6).
    #[must_use]
    pub fn endpoint(&self, mode: Mode) -> Option<&Endpoint> {
        match mode {
            Mode::Live => self.postback.as_ref(),
            Mode::Test => self.test_postback.as_ref(),
        }
    }
}

/// A placement inside an app.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Its number.
    pub id: UnitId,
    /// The app it is in.
    pub app_id: AppId,
    /// What operators call it.
    pub name: String,
}

/// A company that pays for steps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advertiser {
    /// Its number.
    pub id: AdvertiserId,
    /// What operators call it.
    pub name: String,
}

/// An optional grouping of line items.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// Who ordered.
    pub advertiser_id: AdvertiserId,
    /// What operators call it.
    pub name: String,
}

/// What the operator wants of a line item; `exhausted` and `ended` by date are derived.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum LineItemStatus {
    /// Not shown yet.
    #[default]
    Draft,
    /// Shown while its flight and budget last.
    Running,
    /// Not shown; users who have started are still paid.
    Paused,
    /// Over for good; users who have started are still paid.
    Ended,
}

/// When a line item may be started.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Flight {
    /// First moment.
    pub starts_at: Timestamp,
    /// First moment that is too late; `None` is open-ended.
    pub ends_at: Option<Timestamp>,
}

/// How a daily budget is spread.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Pacing {
    /// As soon as possible.
    #[default]
    Asap,
    /// Evenly over the day.
    Even,
}

/// How much of what a mission may pay is held when a user starts it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum HoldPolicy {
    /// All of it: the budget cannot be exceeded and no started user goes unpaid.
    #[default]
    Full,
    /// The expected share of it. What goes beyond is taken from the budget, and then from a named
    /// grace budget, which is part of the guarantee: booked plus held never exceeds both together.
    Expected {
        /// Part of the whole that is held.
        share: Ppm,
        /// Size of the grace budget.
        grace: Micros,
    },
}

/// Limits on participations; `None` is unlimited.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Caps {
    /// Participations in the line item, ever.
    pub total: Option<u32>,
    /// Participations in the line item on one day.
    pub daily: Option<u32>,
    /// Missions of the line item that one user may start, ever.
    pub per_user: Option<u32>,
    /// Missions of the line item that one user may start on one day.
    pub per_user_daily: Option<u32>,
}

/// Flight dates, budget, pacing, priority and caps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineItem {
    /// Its number.
    pub id: LineItemId,
    /// Who pays.
    pub advertiser_id: AdvertiserId,
    /// The order it belongs to.
    pub order_id: Option<OrderId>,
    /// What operators call it.
    pub name: String,
    /// What the operator wants of it.
    pub status: LineItemStatus,
    /// When it may be started.
    pub flight: Flight,
    /// Where its days begin.
    pub utc_offset: UtcOffset,
    /// Currency of its budget and payouts.
    pub currency: CurrencyCode,
    /// All that may ever be booked or held.
    pub budget: Micros,
    /// What may be booked or held for participations of one day.
    pub daily_budget: Option<Micros>,
    /// How much is held at participation.
    pub hold: HoldPolicy,
    /// How the daily budget is spread.
    pub pacing: Pacing,
    /// Higher goes first; 0 to 100.
    pub priority: u8,
    /// Limits on participations.
    pub caps: Caps,
    /// How long after a deadline an event is still accepted, in seconds.
    pub grace_seconds: u32,
    /// Package or bundle name of the advertised app: who has done a mission for it, or has it
    /// installed while it is new-users-only, does not see another.
    pub advertised_app: Option<String>,
}

/// Whether an ad group takes part.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum AdGroupStatus {
    /// It does.
    #[default]
    Active,
    /// It does not.
    Paused,
}

/// Targeting and bid inside a line item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdGroup {
    /// Its number.
    pub id: AdGroupId,
    /// The line item it serves.
    pub line_item_id: LineItemId,
    /// What operators call it.
    pub name: String,
    /// Whether it takes part.
    pub status: AdGroupStatus,
    /// Whom it is for; often the same for many ad groups, which then share it.
    pub targeting: Arc<Targeting>,
    /// Expected revenue of one participation, for ordering; by default all that the line item's
    /// missions pay.
    pub bid: Option<Micros>,
}

/// A connection to a measurement partner or an advertiser's server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partner {
    /// Its number.
    pub id: PartnerId,
    /// Whose conversions it reports.
    pub advertiser_id: AdvertiserId,
    /// What operators call it.
    pub name: String,
    /// How its postbacks read.
    pub recipe: Recipe,
    /// [`crate::ids::bearer_digest`] of the secret path segment.
    pub token_digest: [u8; 32],
    /// Keys of the partner's signature; the newest first.
    pub secrets: Vec<Secret>,
    /// The partner's event names or tokens, and what missions call them.
    pub event_names: BTreeMap<String, String>,
    /// Whether its postbacks are taken.
    pub enabled: bool,
}

/// A named audience; its members are kept with the users.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Its number.
    pub id: SegmentId,
    /// What operators call it.
    pub name: String,
}
