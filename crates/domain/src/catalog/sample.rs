//! A small valid catalogue: for tests, and the starting point of a demonstration.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    AdGroup, Advertiser, Aim, App, AppKey, Catalog, Creative, Currency, Edit, Entity, Flight,
    LineItem, LineItemStatus, Mission, MissionKind, Order, Partner, Publisher, Repeat, Role, Rule,
    Step, StepText, Theme, Unit, Wording,
};
use crate::ids::{
    AdGroupId, AdvertiserId, AppId, LineItemId, MissionId, Mode, OrderId, PartnerId, PublisherId,
    StepId, UnitId, bearer_digest,
};
use crate::money::{CurrencyCode, Micros, Ppm, Rate, Rounding};
use crate::recipe;
use crate::time::UtcOffset;

/// The live key of the sample app. It is public, so it is no secret.
pub const LIVE_KEY: &str = "sample-live-key";
/// The test key of the sample app.
pub const TEST_KEY: &str = "sample-test-key";
/// The secret path segment of the sample partner.
pub const PARTNER_TOKEN: &str = "sample-partner-token";

/// One of each kind but segments, numbered 1, at revision 1. The mission pays 3.60 USD in four
/// steps: three in order and a daily bonus; an app point is a thousandth of a dollar.
#[must_use]
pub fn catalog() -> Catalog {
    let edits: Vec<Edit> = entities().into_iter().map(Edit::Put).collect();
    Catalog::default().edited(&edits)
}

/// The rows of [`catalog`], owners before what they own.
#[must_use]
pub fn entities() -> Vec<Entity> {
    let advertiser_id = AdvertiserId(1);
    vec![
        Entity::Publisher(Publisher { id: PublisherId(1), name: "Sample publisher".to_owned() }),
        Entity::App(app()),
        Entity::Unit(Unit { id: UnitId(1), app_id: AppId(1), name: "Missions tab".to_owned() }),
        Entity::Advertiser(Advertiser { id: advertiser_id, name: "Sample games".to_owned() }),
        Entity::Order(Order { id: OrderId(1), advertiser_id, name: "Launch".to_owned() }),
        Entity::LineItem(line_item()),
        Entity::AdGroup(AdGroup {
            id: AdGroupId(1),
            line_item_id: LineItemId(1),
            name: "Everybody".to_owned(),
            status: super::AdGroupStatus::Active,
            targeting: Arc::default(),
            bid: None,
        }),
        Entity::Mission(Arc::new(mission())),
        Entity::Partner(partner()),
    ]
}

fn app() -> App {
    let key = |mode, secret, label: &str| AppKey {
        mode,
        digest: bearer_digest(secret),
        label: label.to_owned(),
    };
    App {
        id: AppId(1),
        publisher_id: PublisherId(1),
        name: "Sample app".to_owned(),
        currency: Currency {
            name: "P".to_owned(),
            minor_units: 0,
            rates: BTreeMap::from([(CurrencyCode::USD, Rate(1_000_000_000))]),
            rounding: Rounding::Down,
        },
        user_share: Ppm(600_000),
        publisher_share: Ppm(200_000),
        keys: vec![key(Mode::Live, LIVE_KEY, "live"), key(Mode::Test, TEST_KEY, "test")],
        postback: None,
        test_postback: None,
        theme: Theme::default(),
    }
}

fn line_item() -> LineItem {
    LineItem {
        id: LineItemId(1),
        advertiser_id: AdvertiserId(1),
        order_id: Some(OrderId(1)),
        name: "Castle, worldwide".to_owned(),
        status: LineItemStatus::Running,
        flight: Flight::default(),
        utc_offset: UtcOffset(0),
        currency: CurrencyCode::USD,
        budget: Micros(1_000_000_000),
        daily_budget: None,
        hold: super::HoldPolicy::Full,
        pacing: super::Pacing::Asap,
        priority: 50,
        caps: super::Caps::default(),
        grace_seconds: 24 * 3_600,
        advertised_app: Some("com.example.castle".to_owned()),
    }
}

/// The sample mission: install, reach level 10, buy something; and a daily check-in as a bonus.
fn mission() -> Mission {
    let event = |name: &str| Rule::Event { name: name.into(), aim: Aim::Once };
    let bonus = Step {
        role: Role::Bonus,
        repeat: Repeat { limit: 1, per_day: Some(1) },
        ..step(4, "Check in", 100_000, Rule::CheckIn)
    };
    Mission {
        id: MissionId(1),
        version: 1,
        line_item_id: LineItemId(1),
        kind: MissionKind::Game,
        status: super::MissionStatus::Active,
        creatives: vec![Creative::from(Wording {
            language: "en",
            title: "Castle",
            summary: "Build a castle and get rich",
            cta: "Start",
            ..Wording::default()
        })],
        steps: vec![
            step(1, "Install and open", 500_000, event("install")),
            step(2, "Reach level 10", 1_000_000, event("level_10")),
            step(3, "Buy something", 2_000_000, event("purchase")),
            bonus,
        ],
        sequence: super::Sequence::Ordered,
        window_seconds: 14 * 24 * 3_600,
        typical_minutes: Some(90),
        requirements: vec!["new_users_only".to_owned()],
        prerequisites: Vec::new(),
        landing_url: "https://castle.example/start?click_id={click_id}".into(),
        landing: super::Landing::ExternalBrowser,
    }
}

fn step(id: u32, title: &str, payout: i64, rule: Rule) -> Step {
    Step {
        id: StepId(id),
        texts: Arc::new(vec![StepText {
            language: "en".to_owned(),
            title: title.to_owned(),
            description: String::new(),
        }]),
        role: Role::Required,
        repeat: Repeat::default(),
        after: Vec::new(),
        window: None,
        payout: Micros(payout),
        reward: None,
        hold_hours: 0,
        rule,
    }
}

fn partner() -> Partner {
    Partner {
        id: PartnerId(1),
        advertiser_id: AdvertiserId(1),
        name: "Sample games' server".to_owned(),
        recipe: recipe::preset("generic").unwrap_or_default(),
        token_digest: bearer_digest(PARTNER_TOKEN),
        secrets: Vec::new(),
        event_names: BTreeMap::new(),
        enabled: true,
    }
}
