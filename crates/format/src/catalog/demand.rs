//! Advertisers, orders, segments, line items, ad groups and partners, as they are written.

use std::collections::BTreeMap;

use domain::catalog::{
    AdGroup, AdGroupStatus, Advertiser, AgeRange, Caps, Flight, Gender, HoldPolicy, LineItem,
    LineItemStatus, Order, OsVersionRange, Pacing, Partner, Platform, Segment, Targeting,
};

use super::human::{
    CountryText, CurrencyText, DigestText, OffsetText, OsVersionMaxText, OsVersionText,
    SecondsText, SecretText, ShareText, TimeText,
};
use super::mirror::{Mirror, is_default, mirror, mirror_enum};
use super::recipe::RecipeForm;

mirror! {
    /// A company that pays for steps.
    AdvertiserDoc = Advertiser {
        /// Its number.
        id: u32,
        /// What operators call it.
        name: String,
    }

    /// An optional grouping of line items.
    OrderDoc = Order {
        /// Its number.
        id: u32,
        /// Who ordered.
        advertiser_id: u32,
        /// What operators call it.
        name: String,
    }

    /// A named audience.
    SegmentDoc = Segment {
        /// Its number.
        id: u32,
        /// What operators call it.
        name: String,
    }

    /// When a line item may be started.
    #[derive(Default)]
    FlightDoc = Flight {
        /// First moment; by default long ago.
        #[serde(default)]
        starts_at: TimeText,
        /// First moment that is too late; absent is open-ended.
        #[serde(default, skip_serializing_if = "is_default")]
        ends_at: Option<TimeText>,
    }

    /// Limits on participations; absent is unlimited.
    #[derive(Default)]
    CapsDoc = Caps {
        /// Participations in the line item, ever.
        #[serde(default, skip_serializing_if = "is_default")]
        total: Option<u32>,
        /// Participations in the line item on one day.
        #[serde(default, skip_serializing_if = "is_default")]
        daily: Option<u32>,
        /// Missions of the line item that one user may start, ever.
        #[serde(default, skip_serializing_if = "is_default")]
        per_user: Option<u32>,
        /// Missions of the line item that one user may start on one day.
        #[serde(default, skip_serializing_if = "is_default")]
        per_user_daily: Option<u32>,
    }

    /// Flight dates, budget, pacing, priority and caps.
    LineItemDoc = LineItem {
        /// Its number.
        id: u32,
        /// Who pays.
        advertiser_id: u32,
        /// The order it belongs to.
        #[serde(default, skip_serializing_if = "is_default")]
        order_id: Option<u32>,
        /// What operators call it.
        name: String,
        /// What the operator wants of it.
        #[serde(default)]
        status: LineItemStatusDoc,
        /// When it may be started; by default always.
        #[serde(default, skip_serializing_if = "is_default")]
        flight: FlightDoc,
        /// Where its days begin.
        #[serde(default)]
        utc_offset: OffsetText,
        /// Currency of its budget and payouts.
        currency: CurrencyText,
        /// All that may ever be booked or held, in micro-units.
        budget: i64,
        /// What may be booked or held for participations of one day, in micro-units.
        #[serde(default, skip_serializing_if = "is_default")]
        daily_budget: Option<i64>,
        /// How much is held at participation; absent is all of what a mission may pay.
        #[serde(default, skip_serializing_if = "HoldForm::is_full")]
        #[schema(value_type = Option<HoldDoc>)]
        hold: HoldForm,
        /// How the daily budget is spread.
        #[serde(default)]
        pacing: PacingDoc,
        /// Higher goes first; 0 to 100.
        #[serde(default)]
        priority: u8,
        /// Limits on participations.
        #[serde(default, skip_serializing_if = "is_default")]
        caps: CapsDoc,
        /// How long after a deadline an event is still accepted.
        #[serde(default)]
        grace_seconds: SecondsText,
        /// Package or bundle name of the advertised app.
        #[serde(default, skip_serializing_if = "is_default")]
        advertised_app: Option<String>,
    }

    /// Versions of an operating system, both ends included.
    OsVersionRangeDoc = OsVersionRange {
        /// Lowest version.
        #[serde(default, skip_serializing_if = "is_default")]
        min: Option<OsVersionText>,
        /// Highest version; `14` takes in 14.4.
        #[serde(default, skip_serializing_if = "is_default")]
        max: Option<OsVersionMaxText>,
    }

    /// Ages, both ends included.
    AgeRangeDoc = AgeRange {
        /// Lowest age.
        min: u8,
        /// Highest age, at most 120.
        max: u8,
    }

    /// Whom an ad group is for; what is absent excludes nobody.
    #[derive(Default)]
    TargetingDoc = Targeting {
        /// Countries.
        #[serde(default, skip_serializing_if = "is_default")]
        countries: Vec<CountryText>,
        /// Platforms.
        #[serde(default, skip_serializing_if = "is_default")]
        platforms: Vec<PlatformDoc>,
        /// Versions of the operating system.
        #[serde(default, skip_serializing_if = "is_default")]
        os_version: Option<OsVersionRangeDoc>,
        /// Ages.
        #[serde(default, skip_serializing_if = "is_default")]
        age: Option<AgeRangeDoc>,
        /// Genders.
        #[serde(default, skip_serializing_if = "is_default")]
        genders: Vec<GenderDoc>,
        /// Primary languages, such as `ko`.
        #[serde(default, skip_serializing_if = "is_default")]
        languages: Vec<String>,
        /// Units.
        #[serde(default, skip_serializing_if = "is_default")]
        units: Vec<u32>,
        /// Apps of which at least one must be installed.
        #[serde(default, skip_serializing_if = "is_default")]
        installed: Vec<String>,
        /// Apps of which none may be installed.
        #[serde(default, skip_serializing_if = "is_default")]
        not_installed: Vec<String>,
        /// Audiences of which the user must be in at least one.
        #[serde(default, skip_serializing_if = "is_default")]
        segments: Vec<u32>,
        /// Audiences of which the user must be in none.
        #[serde(default, skip_serializing_if = "is_default")]
        not_segments: Vec<u32>,
    }

    /// Targeting and bid inside a line item.
    AdGroupDoc = AdGroup {
        /// Its number.
        id: u32,
        /// The line item it serves.
        line_item_id: u32,
        /// What operators call it.
        name: String,
        /// Whether it takes part.
        #[serde(default)]
        status: AdGroupStatusDoc,
        /// Whom it is for.
        #[serde(default, skip_serializing_if = "is_default")]
        targeting: TargetingDoc,
        /// Expected revenue of one participation in micro-units, for ordering.
        #[serde(default, skip_serializing_if = "is_default")]
        bid: Option<i64>,
    }

    /// A connection to a measurement partner or an advertiser's server.
    PartnerDoc = Partner {
        /// Its number.
        id: u32,
        /// Whose conversions it reports.
        advertiser_id: u32,
        /// What operators call it.
        name: String,
        /// How its postbacks read: the name of a preset, or a table.
        #[serde(default)]
        #[schema(value_type = super::recipe::RecipeChoice)]
        recipe: RecipeForm,
        /// Digest of the secret path segment; the segment itself is shown once.
        token_digest: DigestText,
        /// Keys of the partner's signature; the newest first.
        #[serde(default, skip_serializing_if = "is_default")]
        secrets: Vec<SecretText>,
        /// The partner's event names or tokens, and what missions call them.
        #[serde(default, skip_serializing_if = "is_default")]
        event_names: BTreeMap<String, String>,
        /// Whether its postbacks are taken.
        #[serde(default = "yes")]
        enabled: bool,
    }
}

mirror_enum! {
    /// What the operator wants of a line item.
    #[derive(Default)]
    LineItemStatusDoc = LineItemStatus {
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

    /// How a daily budget is spread.
    #[derive(Default)]
    PacingDoc = Pacing {
        /// As soon as possible.
        #[default]
        Asap,
        /// Evenly over the day.
        Even,
    }

    /// Whether an ad group takes part.
    #[derive(Default)]
    AdGroupStatusDoc = AdGroupStatus {
        /// It does.
        #[default]
        Active,
        /// It does not.
        Paused,
    }

    /// What the user's page runs on.
    PlatformDoc = Platform {
        /// Android.
        Android,
        /// iOS and iPadOS.
        Ios,
        /// A browser.
        Web,
    }

    /// A user's gender as the publisher states it.
    GenderDoc = Gender {
        /// Female.
        Female,
        /// Male.
        Male,
        /// Neither.
        Other,
    }
}

/// The part of a mission's payouts that is held, where that is not all of them.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldDoc {
    /// Part of the whole that is held.
    pub share: ShareText,
    /// Size of the grace budget in micro-units.
    #[serde(default)]
    pub grace: i64,
}

/// [`HoldDoc`], or nothing for a full hold.
#[derive(Clone, PartialEq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct HoldForm(pub Option<HoldDoc>);

impl HoldForm {
    fn is_full(&self) -> bool {
        self.0.is_none()
    }
}

impl Mirror<HoldPolicy> for HoldForm {
    fn of(value: &HoldPolicy) -> Self {
        Self(match value {
            HoldPolicy::Full => None,
            HoldPolicy::Expected { share, grace } => {
                Some(HoldDoc { share: ShareText(*share), grace: grace.0 })
            }
        })
    }

    fn into_domain(self) -> HoldPolicy {
        self.0.map_or(HoldPolicy::Full, |hold| HoldPolicy::Expected {
            share: hold.share.into_domain(),
            grace: hold.grace.into_domain(),
        })
    }
}

fn yes() -> bool {
    true
}
