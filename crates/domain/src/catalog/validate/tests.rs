//! One case for each problem: what is done to the sample catalogue, and what is said of it.

use std::sync::Arc;

use super::*;
use crate::catalog::{
    AdGroup, Advertiser, AgeRange, Aim, App, Creative, Endpoint, HoldPolicy, LineItem, LocalText,
    Mission, OsVersion, OsVersionRange, Partner, Role, Rule, Segment, Step, StepText, Window,
    WindowStart, Wording, sample,
};
use crate::dialect;
use crate::ids::{
    AdvertiserId, AppId, LineItemId, MissionId, OrderId, PublisherId, SegmentId, StepId, UnitId,
};
use crate::money::{CurrencyCode, MICROS_MAX, Micros, Ppm, Rate};
use crate::targeting::Targeting;
use crate::time::{Timestamp, UtcOffset};
use crate::user::EVENTS_MAX;

fn app(c: &mut Catalog) -> &mut App {
    c.apps.values_mut().next().unwrap()
}

fn line_item(c: &mut Catalog) -> &mut LineItem {
    Arc::make_mut(c.line_items.values_mut().next().unwrap())
}

fn ad_group(c: &mut Catalog) -> &mut AdGroup {
    Arc::make_mut(c.ad_groups.values_mut().next().unwrap())
}

fn targeting(c: &mut Catalog) -> &mut Targeting {
    Arc::make_mut(&mut ad_group(c).targeting)
}

fn mission(c: &mut Catalog) -> &mut Mission {
    Arc::make_mut(c.missions.values_mut().next().unwrap())
}

fn reword(c: &mut Catalog, change: impl Fn(Wording<'_>) -> Creative) {
    let one = &mut mission(c).creatives[0];
    *one = change(one.wording());
}

fn step(c: &mut Catalog, at: usize) -> &mut Step {
    &mut mission(c).steps[at]
}

fn partner(c: &mut Catalog) -> &mut Partner {
    c.partners.values_mut().next().unwrap()
}

fn second_mission(c: &mut Catalog, after: u32) {
    let mut second = mission(c).clone();
    second.id = MissionId(2);
    second.prerequisites = vec![MissionId(after)];
    c.missions.insert(second.id, Arc::new(second));
}

fn texts(words: &str) -> Vec<LocalText> {
    vec![LocalText { language: "en".to_owned(), text: words.to_owned() }]
}

fn quiz(choices: usize, answer: u8, attempts: u8) -> Rule {
    let choice = crate::catalog::Choice { texts: texts("Yes") };
    let choices = vec![choice; choices].into();
    Rule::Quiz { question: texts("Well?").into(), choices, answer, attempts }
}

fn event(aim: Aim) -> Rule {
    Rule::Event { name: "purchase".into(), aim }
}

fn visit(url: &str, dwell_seconds: u32) -> Rule {
    Rule::Visit { url: url.to_owned(), dwell_seconds }
}

fn endpoint(url: &str, dialect: &str, secrets: usize) -> Option<Endpoint> {
    Some(Endpoint {
        url: url.to_owned(),
        dialect: dialect::preset(dialect).unwrap(),
        secrets: vec![Secret::new("env:GUERDON_SECRET_KEY"); secrets],
    })
}

fn secrets(count: usize, text: &str) -> Vec<Secret> {
    vec![Secret::new(text); count]
}

type Case = (fn(&mut Catalog), &'static str);

/// Every case must give a problem that begins so: kind, number, field and first words.
fn check(cases: &[Case]) {
    for (change, expected) in cases {
        let mut catalog = sample::catalog();
        change(&mut catalog);
        let told: Vec<String> = validate(&catalog)
            .iter()
            .map(|p| format!("{} {} {}: {}", p.kind.name(), p.id, p.field, p.message))
            .collect();
        assert!(told.iter().any(|one| one.starts_with(expected)), "{expected}\nin {told:#?}");
    }
}

#[test]
fn the_sample_has_no_problem() {
    assert_eq!(validate(&sample::catalog()), []);
    assert_eq!(validate(&Catalog::default()), []);
}

#[test]
fn supply() {
    check(&[
        (
            |c| c.publishers.values_mut().for_each(|p| p.name = " ".into()),
            "publishers 1 name: it must not be empty",
        ),
        (
            |c| c.publishers.values_mut().for_each(|p| p.name = "x".repeat(256)),
            "publishers 1 name: it has more",
        ),
        (|c| app(c).publisher_id = PublisherId(9), "apps 1 publisher_id: there is no publisher 9"),
        (|c| app(c).name = "a\u{7}".into(), "apps 1 name: it holds the invisible character U+0007"),
        (|c| app(c).name = "a\nb".into(), "apps 1 name: it must be one line"),
        (|c| app(c).currency.name = String::new(), "apps 1 currency.name: it must not"),
        (|c| app(c).currency.minor_units = 7, "apps 1 currency.minor_units: a point has at most 6"),
        (
            |c| app(c).currency.rates = BTreeMap::from([(CurrencyCode::USD, Rate(0))]),
            "apps 1 currency.rates.USD: a rate",
        ),
        (
            |c| app(c).publisher_share = Ppm(400_001),
            "apps 1 user_share: the user's and the publisher's",
        ),
        (
            |c| app(c).user_share = Ppm(u32::MAX),
            "apps 1 user_share: the user's and the publisher's",
        ),
        (
            |c| app(c).keys[1].digest = crate::ids::bearer_digest(sample::LIVE_KEY),
            "apps 1 keys[1].digest: the same key belongs to app 1",
        ),
        (
            |c| partner(c).token_digest = crate::ids::bearer_digest(sample::LIVE_KEY),
            "partners 1 token_digest: the same token belongs to app 1",
        ),
        (|c| app(c).keys = vec![app(c).keys[0].clone(); 33], "apps 1 keys: at most 32"),
        (
            |c| app(c).postback = endpoint("ftp://p.example", "standard_webhooks", 1),
            "apps 1 postback.url: it must begin",
        ),
        (
            |c| {
                app(c).test_postback = endpoint("https://{user_id}.example", "standard_webhooks", 1)
            },
            "apps 1 test_postback.url:",
        ),
        (
            |c| app(c).postback = endpoint("https://p.example", "standard_webhooks", 0),
            "apps 1 postback.secrets: the dialect standard_webhooks needs 1",
        ),
        (
            |c| app(c).postback = endpoint("https://p.example", "buzzvil_encrypted", 2),
            "apps 1 postback.secrets: the dialect buzzvil_encrypted needs 3",
        ),
        (
            |c| app(c).postback = endpoint("https://p.example", "standard_webhooks", 5),
            "apps 1 postback.secrets: at most 4",
        ),
        (
            |c| {
                app(c).postback = endpoint("https://p.example", "standard_webhooks", 1);
                app(c).postback.as_mut().unwrap().secrets.extend(secrets(1, "abc"));
            },
            "apps 1 postback.secrets[1]: it must be whsec_ followed by base64; `printf \
             'whsec_%s\\n' \"$(openssl rand -base64 32)\"` makes one",
        ),
        (
            |c| {
                app(c).postback = endpoint("https://p.example", "standard_webhooks", 1);
                app(c).postback.as_mut().unwrap().dialect.timeout_ms = 0;
            },
            "apps 1 postback.dialect.timeout_ms: it must be between",
        ),
        (
            |c| app(c).theme.primary = Some("red".into()),
            "apps 1 theme.primary: it must be a colour",
        ),
        (|c| app(c).theme.radius = Some(33), "apps 1 theme.radius: it must be between 0 and 32"),
        (
            |c| app(c).theme.logo_url = Some("javascript:alert(1)".into()),
            "apps 1 theme.logo_url: it must begin",
        ),
        (
            |c| c.units.values_mut().for_each(|unit| unit.app_id = AppId(9)),
            "units 1 app_id: there is no app 9",
        ),
    ]);
}

#[test]
fn line_items() {
    check(&[
        (
            |c| line_item(c).advertiser_id = AdvertiserId(9),
            "line_items 1 advertiser_id: there is no advertiser 9",
        ),
        (
            |c| line_item(c).order_id = Some(OrderId(9)),
            "line_items 1 order_id: there is no order 9",
        ),
        (
            |c| c.orders.values_mut().for_each(|o| o.advertiser_id = AdvertiserId(9)),
            "orders 1 advertiser_id: there is no",
        ),
        (
            |c| c.orders.values_mut().for_each(|o| o.advertiser_id = AdvertiserId(9)),
            "line_items 1 order_id: the order belongs",
        ),
        (
            |c| line_item(c).flight.ends_at = Some(Timestamp(0)),
            "line_items 1 flight.ends_at: it must be after",
        ),
        (
            |c| line_item(c).flight.starts_at = Timestamp(-1),
            "line_items 1 flight.starts_at: it must be between",
        ),
        (
            |c| line_item(c).flight.ends_at = Some(Timestamp(i64::MAX)),
            "line_items 1 flight.ends_at: it must be between",
        ),
        (
            |c| line_item(c).utc_offset = UtcOffset(841),
            "line_items 1 utc_offset: it must be within 14 hours",
        ),
        (|c| line_item(c).budget = Micros(0), "line_items 1 budget: it must be between 1"),
        (
            |c| line_item(c).budget = Micros(MICROS_MAX.0 + 1),
            "line_items 1 budget: it must be between 1",
        ),
        (
            |c| line_item(c).daily_budget = Some(Micros(0)),
            "line_items 1 daily_budget: it must be between 1",
        ),
        (
            |c| line_item(c).daily_budget = Some(Micros(MICROS_MAX.0)),
            "line_items 1 daily_budget: it must be at most",
        ),
        (
            |c| {
                line_item(c).hold = HoldPolicy::Expected { share: Ppm(1_000_001), grace: Micros(0) }
            },
            "line_items 1 hold.share:",
        ),
        (
            |c| line_item(c).hold = HoldPolicy::Expected { share: Ppm(1), grace: Micros(-1) },
            "line_items 1 hold.grace:",
        ),
        (|c| line_item(c).priority = 101, "line_items 1 priority: it must be between 0 and 100"),
        (
            |c| line_item(c).caps.per_user = Some(0),
            "line_items 1 caps.per_user: 0 lets nobody start",
        ),
        (
            |c| line_item(c).grace_seconds = 91 * 86_400,
            "line_items 1 grace_seconds: it must be at most 90 days",
        ),
        (
            |c| line_item(c).advertised_app = Some(" a".into()),
            "line_items 1 advertised_app: it must not begin",
        ),
    ]);
}

#[test]
fn ad_groups_and_partners() {
    check(&[
        (
            |c| ad_group(c).line_item_id = LineItemId(9),
            "ad_groups 1 line_item_id: there is no line item 9",
        ),
        (|c| ad_group(c).bid = Some(Micros(-1)), "ad_groups 1 bid: it must be between 0"),
        (
            |c| {
                targeting(c).units.insert(UnitId(9));
            },
            "ad_groups 1 targeting.units: there is no unit 9",
        ),
        (
            |c| {
                targeting(c).not_segments.insert(SegmentId(9));
            },
            "ad_groups 1 targeting.not_segments: there is no segment 9",
        ),
        (
            |c| targeting(c).age = Some(AgeRange { min: 30, max: 20 }),
            "ad_groups 1 targeting.age: it must go",
        ),
        (
            |c| {
                let version = |major| Some(OsVersion { major, ..OsVersion::default() });
                targeting(c).os_version = Some(OsVersionRange { min: version(9), max: version(8) });
            },
            "ad_groups 1 targeting.os_version: it must go",
        ),
        (
            |c| {
                targeting(c).languages.insert("KO".into());
            },
            "ad_groups 1 targeting.languages: it must be a language",
        ),
        (
            |c| {
                targeting(c).languages.insert("pt-br".into());
            },
            "ad_groups 1 targeting.languages: give the primary",
        ),
        (
            |c| {
                targeting(c).installed.insert(String::new());
            },
            "ad_groups 1 targeting.installed: it must not be empty",
        ),
        (
            |c| {
                drop(
                    c.segments
                        .insert(SegmentId(1), Segment { id: SegmentId(1), name: String::new() }),
                )
            },
            "segments 1 name:",
        ),
        (
            |c| partner(c).advertiser_id = AdvertiserId(9),
            "partners 1 advertiser_id: there is no advertiser 9",
        ),
        (|c| partner(c).recipe.click_id.clear(), "partners 1 recipe.click_id: name at least one"),
        (
            |c| partner(c).recipe.signature.as_mut().unwrap().required = true,
            "partners 1 secrets: the recipe requires",
        ),
        (|c| partner(c).secrets = secrets(1, ""), "partners 1 secrets[0]: a secret has 1 to"),
        (
            |c| partner(c).secrets = secrets(1, "env:PROD_DB_PASSWORD"),
            "partners 1 secrets[0]: the name of a secret's variable must begin with GUERDON_SECRET_",
        ),
        (
            |c| {
                app(c).postback = endpoint("https://p.example", "standard_webhooks", 1);
                app(c).postback.as_mut().unwrap().secrets.extend(secrets(1, "env:HOME"));
            },
            "apps 1 postback.secrets[1]: the name of a secret's variable must begin with",
        ),
        (
            |c| {
                let nobody = Advertiser { id: AdvertiserId(0), name: "A".to_owned() };
                c.advertisers.insert(nobody.id, nobody);
            },
            "advertisers 0 id: numbers begin with 1",
        ),
        (
            |c| drop(partner(c).event_names.insert("abc".into(), String::new())),
            "partners 1 event_names.abc: it must not",
        ),
    ]);
}

#[test]
fn what_is_unusual_but_right_passes() {
    let cases: [fn(&mut Catalog); 9] = [
        |c| step(c, 0).payout = Micros(0),
        |c| step(c, 0).rule = quiz(2, 1, 3),
        |c| step(c, 3).rule = visit("https://a.example/p?q=1", 30),
        |c| second_mission(c, 1),
        |c| reword(c, |one| Wording { description: "One line\nand another", ..one }.into()),
        |c| mission(c).landing_url = "market://details?id=a&referrer={click_id}".into(),
        |c| {
            mission(c).steps.drain(..3);
            step(c, 0).role = Role::Required;
            mission(c).landing_url = Box::default();
        },
        |c| {
            line_item(c).hold = HoldPolicy::Expected { share: Ppm(100_000), grace: Micros(1) };
            line_item(c).budget = Micros(360_000);
        },
        |c| app(c).postback = endpoint("https://p.example/r?u=[USER_ID]", "standard_webhooks", 1),
    ];
    for (at, change) in cases.into_iter().enumerate() {
        let mut catalog = sample::catalog();
        change(&mut catalog);
        assert_eq!(validate(&catalog), [], "case {at}");
    }
}

mod missions;
