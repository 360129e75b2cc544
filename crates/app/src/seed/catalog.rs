//! The benchmark's catalogue: one app, and line items spread over kinds of users, usually thirty.
//!
//! A kind is a country, a platform and a gender. Each line item is for one of them, through three ad
//! groups by age that together leave nobody out; so every user fits about the same number of
//! missions, and every request has to sort out the rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::catalog::{
    AdGroup, AdGroupStatus, Advertiser, AgeRange, Aim, App, AppKey, Caps, Creative, Currency,
    Entity, Flight, Gender, HoldPolicy, Landing, LineItem, LineItemStatus, Mission, MissionKind,
    MissionStatus, Pacing, Partner, Platform, Publisher, Repeat, Role, Rule, Sequence, Step,
    StepText, Targeting, Theme, Unit, Wording,
};
use domain::ids::{
    AdGroupId, AdvertiserId, AppId, LineItemId, MissionId, Mode, PartnerId, PublisherId, StepId,
    UnitId, bearer_digest,
};
use domain::money::{CurrencyCode, Micros, Ppm, Rate, Rounding};
use domain::recipe;
use domain::targeting::CountryCode;
use domain::time::UtcOffset;

/// The app's live key. It opens nothing but a benchmark's database.
pub(super) const APP_KEY: &str = "benchmark-live-key";
/// The secret part of the partner's path.
pub(super) const PARTNER_TOKEN: &str = "benchmark-partner-token";
pub(super) const APP: AppId = AppId(1);
pub(super) const UNIT: UnitId = UnitId(1);
pub(super) const PARTNER: PartnerId = PartnerId(1);
/// The events of a mission's steps, in order.
pub(super) const EVENTS: [&str; 2] = ["install", "level_10"];
/// How many steps each mission of a line item has.
const STEPS: [usize; 3] = [1, 1, 2];
/// Missions of a line item.
pub(super) const MISSIONS_PER_LINE_ITEM: u32 = STEPS.len() as u32;
/// Ad groups of a line item: their ages, which leave nobody out.
const AGES: [(u8, u8); 3] = [(0, 29), (30, 44), (45, 120)];

const COUNTRIES: [&str; 5] = ["KR", "JP", "US", "DE", "BR"];
const PLATFORMS: [Platform; 3] = Platform::ALL;
const GENDERS: [Gender; 2] = [Gender::Female, Gender::Male];
/// Kinds of one country.
const KINDS_PER_COUNTRY: u32 = (PLATFORMS.len() * GENDERS.len()) as u32;
/// Countries that two letters can name.
const COUNTRIES_MAX: u32 = 26 * 26;

/// What the users of a kind have in common.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) country: Option<CountryCode>,
    pub(super) platform: Platform,
    pub(super) gender: Gender,
}

/// How many kinds of users there are.
#[derive(Clone, Copy)]
pub(super) struct Kinds(u32);

impl Kinds {
    /// So many, if whole countries have so many together, and letters can name the countries.
    pub(super) fn of(count: u32) -> Option<Self> {
        let countries = count / KINDS_PER_COUNTRY;
        let is_whole = count.is_multiple_of(KINDS_PER_COUNTRY);
        (is_whole && (1..=COUNTRIES_MAX).contains(&countries)).then_some(Self(count))
    }

    /// The kind of the line item or user of that number.
    pub(super) fn kind(self, number: u32) -> Kind {
        let countries = self.0 / KINDS_PER_COUNTRY;
        let number = number % self.0;
        let of_country = (number / countries) as usize;
        Kind {
            country: country(number % countries),
            platform: PLATFORMS[of_country % PLATFORMS.len()],
            gender: GENDERS[of_country / PLATFORMS.len()],
        }
    }

    /// How many users there are of each kind before the user of that number.
    pub(super) fn rounds(self, number: u32) -> u32 {
        number / self.0
    }

    /// Missions that a user fits at least, whatever his kind.
    pub(super) fn missions_per_user(self, line_items: u32) -> u32 {
        line_items / self.0 * MISSIONS_PER_LINE_ITEM
    }

    /// Missions among those that have two steps.
    pub(super) fn missions_of_two_steps(self, line_items: u32) -> u32 {
        let all = 0..self.missions_per_user(line_items);
        all.filter(|number| has_two_steps(*number)).count() as u32
    }

    /// The mission with that number among those of the kind of a user.
    pub(super) fn mission_of_kind(self, user: u32, number: u32) -> MissionId {
        let line_item = number / MISSIONS_PER_LINE_ITEM * self.0 + user % self.0;
        MissionId(line_item * MISSIONS_PER_LINE_ITEM + number % MISSIONS_PER_LINE_ITEM + 1)
    }
}

/// The country of that number: the usual ones, and then whatever two letters name.
fn country(number: u32) -> Option<CountryCode> {
    if let Some(usual) = COUNTRIES.get(number as usize) {
        return CountryCode::parse(usual);
    }
    let letter = |place: u32| char::from(b'A' + (place % 26) as u8);
    let names = (0..COUNTRIES_MAX).map(|name| format!("{}{}", letter(name / 26), letter(name)));
    let mut others = names.filter(|name| !COUNTRIES.contains(&name.as_str()));
    CountryCode::parse(&others.nth(number as usize - COUNTRIES.len())?)
}

/// Whether the mission with that number among those of a kind has two steps.
pub(super) fn has_two_steps(number: u32) -> bool {
    STEPS[(number % MISSIONS_PER_LINE_ITEM) as usize] == 2
}

/// All rows, owners before what they own.
pub(super) fn entities(line_items: u32, kinds: Kinds) -> Vec<Entity> {
    let mut rows = vec![
        Entity::Publisher(Publisher { id: PublisherId(1), name: "Benchmark".to_owned() }),
        Entity::App(app()),
        Entity::Unit(Unit { id: UNIT, app_id: APP, name: "Missions".to_owned() }),
        Entity::Advertiser(Advertiser { id: AdvertiserId(1), name: "Benchmark".to_owned() }),
    ];
    rows.extend((0..line_items).map(|number| Entity::LineItem(line_item(number))));
    let ad_groups = (0..line_items).flat_map(|number| ad_groups(number, kinds.kind(number)));
    rows.extend(ad_groups.map(Entity::AdGroup));
    let missions = 0..line_items * MISSIONS_PER_LINE_ITEM;
    rows.extend(missions.map(|number| Entity::Mission(Arc::new(mission(number)))));
    rows.push(Entity::Partner(partner()));
    rows
}

/// Its points are thousandths of a dollar; it has no endpoint, so that rewards are pulled.
fn app() -> App {
    let key = AppKey {
        mode: Mode::Live,
        digest: bearer_digest(APP_KEY),
        label: "load generator".to_owned(),
    };
    App {
        id: APP,
        publisher_id: PublisherId(1),
        name: "Benchmark".to_owned(),
        currency: Currency {
            name: "P".to_owned(),
            minor_units: 0,
            rates: BTreeMap::from([(CurrencyCode::USD, Rate(1_000_000_000))]),
            rounding: Rounding::Down,
        },
        user_share: Ppm(600_000),
        publisher_share: Ppm(200_000),
        keys: vec![key],
        postback: None,
        test_postback: None,
        theme: Theme::default(),
    }
}

fn line_item(number: u32) -> LineItem {
    LineItem {
        id: LineItemId(number + 1),
        advertiser_id: AdvertiserId(1),
        order_id: None,
        name: format!("Line item {}", number + 1),
        status: LineItemStatus::Running,
        flight: Flight::default(),
        utc_offset: UtcOffset(0),
        currency: CurrencyCode::USD,
        // So much that a benchmark never runs out of it.
        budget: Micros(1_000_000_000_000_000),
        daily_budget: Some(Micros(100_000_000_000_000)),
        hold: HoldPolicy::Full,
        pacing: Pacing::Asap,
        priority: (number * 7 % 100) as u8,
        caps: Caps { per_user: Some(10), ..Caps::default() },
        grace_seconds: 86_400,
        advertised_app: None,
    }
}

/// The ad groups of a line item: its kind of user, by age.
fn ad_groups(line_item: u32, kind: Kind) -> impl Iterator<Item = AdGroup> {
    AGES.into_iter().enumerate().map(move |(place, (min, max))| AdGroup {
        id: AdGroupId(line_item * AGES.len() as u32 + place as u32 + 1),
        line_item_id: LineItemId(line_item + 1),
        name: format!("{min} to {max}"),
        status: AdGroupStatus::Active,
        targeting: Arc::new(Targeting {
            countries: kind.country.into_iter().collect(),
            platforms: [kind.platform].into(),
            genders: [kind.gender].into(),
            age: Some(AgeRange { min, max }),
            ..Targeting::default()
        }),
        bid: None,
    })
}

/// One step or two in order, with texts of usual length.
fn mission(number: u32) -> Mission {
    let line_item = number / MISSIONS_PER_LINE_ITEM;
    let icon = format!("https://icons.example/{}.png", number + 1);
    let creative = |language, title, summary| {
        let title = &*format!("{title} {}", number + 1);
        let icon_url = Some(&*icon);
        let wording =
            Wording { language, title, summary, icon_url, cta: "Play", ..Wording::default() };
        Creative::from(wording)
    };
    Mission {
        id: MissionId(number + 1),
        version: 0,
        line_item_id: LineItemId(line_item + 1),
        kind: MissionKind::ALL[number as usize % MissionKind::ALL.len()],
        status: MissionStatus::Active,
        creatives: vec![
            creative("en", "Castle", "Reach level 10"),
            creative("ko", "성", "레벨 10에 도달하세요"),
        ],
        steps: steps(STEPS[(number % MISSIONS_PER_LINE_ITEM) as usize]),
        sequence: Sequence::Ordered,
        window_seconds: 60 * 86_400,
        typical_minutes: Some(60),
        requirements: Vec::new(),
        prerequisites: Vec::new(),
        landing_url: "https://landing.example/start?click_id={click_id}".into(),
        landing: Landing::ExternalBrowser,
    }
}

fn steps(count: usize) -> Vec<Step> {
    let mut steps = vec![
        step(1, "Install and open", EVENTS[0], 0),
        // On hold for so long that it is not released during a benchmark.
        step(2, "Reach level 10", EVENTS[1], 720),
    ];
    steps.truncate(count);
    steps
}

fn step(id: u32, title: &str, event: &str, hold_hours: u32) -> Step {
    let text = |language: &str, title: &str| StepText {
        language: language.to_owned(),
        title: title.to_owned(),
        description: String::new(),
    };
    Step {
        id: StepId(id),
        texts: Arc::new(vec![text("en", title), text("ko", "단계")]),
        role: Role::Required,
        repeat: Repeat::default(),
        after: Vec::new(),
        window: None,
        payout: Micros(i64::from(id) * 250_000),
        reward: None,
        hold_hours,
        rule: Rule::Event { name: event.into(), aim: Aim::Once },
    }
}

fn partner() -> Partner {
    Partner {
        id: PARTNER,
        advertiser_id: AdvertiserId(1),
        name: "Load generator".to_owned(),
        recipe: recipe::preset("generic").unwrap_or_default(),
        token_digest: bearer_digest(PARTNER_TOKEN),
        secrets: Vec::new(),
        event_names: BTreeMap::new(),
        enabled: true,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::catalog::{Catalog, diff, validate};

    use super::*;

    #[test]
    fn it_is_whole_and_of_the_size_that_is_measured() {
        let empty = Catalog::default();
        let kinds = Kinds::of(30).unwrap();
        let catalog = empty.edited(&diff(&empty, &entities(500, kinds), false).edits);
        assert_eq!(validate(&catalog), []);
        assert_eq!(catalog.line_items.len(), 500);
        assert_eq!(catalog.ad_groups.len(), 1_500);
        assert_eq!(catalog.missions.values().map(|one| one.steps.len()).sum::<usize>(), 2_000);
        let missions_of_a_kind = catalog.missions.len() as u32 / 30;
        assert_eq!((kinds.missions_per_user(500), missions_of_a_kind), (48, 50));
        assert_eq!(kinds.missions_of_two_steps(500), 16);
    }

    #[test]
    fn missions_of_a_kind_are_those_of_its_line_items() {
        let missions: Vec<Mission> = (0..1_500).map(mission).collect();
        let kinds = Kinds::of(30).unwrap();
        for of_kind in 0..30 {
            for number in 0..kinds.missions_per_user(500) {
                let id = kinds.mission_of_kind(of_kind, number);
                let mission = &missions[id.0 as usize - 1];
                assert_eq!(mission.steps.len() == 2, has_two_steps(number), "mission {id}");
                assert_eq!((mission.line_item_id.0 - 1) % 30, of_kind, "mission {id}");
            }
        }
    }

    #[test]
    fn kinds_differ() {
        for count in [6, 30, 300, 3_000, 4_056] {
            let kinds = Kinds::of(count).unwrap();
            let all = (0..count).map(|number| kinds.kind(number));
            let all = all.map(|one| (one.country.unwrap(), one.platform, one.gender));
            assert_eq!(all.collect::<BTreeSet<_>>().len(), count as usize);
        }
        for count in [0, 5, 31, 4_062] {
            assert!(Kinds::of(count).is_none(), "{count}");
        }
    }
}
