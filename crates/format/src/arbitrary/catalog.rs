//! Strategies for rows of the catalogue that can be written, whether or not they make sense.

use std::sync::Arc;

use domain::catalog::{
    AdGroup, AdGroupStatus, Advertiser, AgeRange, Aim, App, AppKey, Caps, Choice, Creative,
    Currency, Endpoint, Entity, Flight, Gender, HoldPolicy, Landing, LineItem, LineItemStatus,
    LocalText, Mission, MissionKind, MissionStatus, Order, OsVersionRange, Pacing, Partner,
    Platform, Publisher, Repeat, Role, Rule, Segment, Sequence, Step, StepText, Targeting, Theme,
    Unit, Window, WindowStart, Wording,
};
use domain::dialect::{self, Body, Dialect, Json, Macro, ReversalStyle, StatusSet, Template};
use domain::ids::{
    AdGroupId, AdvertiserId, AppId, LineItemId, MissionId, OrderId, PartnerId, PublisherId,
    SegmentId, StepId, UnitId,
};
use domain::money::{Micros, Ppm, Rate, Rounding};
use domain::recipe::{self, Recipe, SignedContent};
use domain::secret::Secret;
use domain::time::{Timestamp, UtcOffset};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::{country, currency, micros, mode, os_version, text};

/// One millisecond beyond the calendar that can be written.
const CALENDAR_END_MS: i64 = 253_402_207_200_000;

fn time() -> impl Strategy<Value = Timestamp> + Clone {
    (0..CALENDAR_END_MS).prop_map(Timestamp)
}

fn template() -> impl Strategy<Value = Template> + Clone {
    let words = (text(), select(Macro::ALL.to_vec()), "[a-z ]{0,5}");
    words.prop_map(|(before, value, after)| {
        let before = before.replace('{', "{{").replace('}', "}}");
        let choice = format!("{{is_reversal?{after}:x}}");
        Template::parse(&format!("{before}{{{}}}{choice}", value.name())).unwrap()
    })
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        template().prop_map(Json::Text),
        template().prop_map(Json::TextOrNull),
        template().prop_map(Json::Integer),
        template().prop_map(Json::Number),
        template().prop_map(Json::Bool),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Json::Array),
            vec((text(), inner), 0..3).prop_map(Json::Object),
        ]
    })
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![Just(Body::None), Just(Body::StandardWebhook), json().prop_map(Body::Json)]
}

fn reversal() -> impl Strategy<Value = ReversalStyle> {
    let prefix = (text(), vec((text(), text()), 0..2), any::<bool>());
    prop_oneof![
        Just(ReversalStyle::NotSupported),
        (text(), text()).prop_map(|(name, value)| ReversalStyle::Param { name, value }),
        text().prop_map(ReversalStyle::Placeholder),
        prefix.prop_map(|(prefix, params, negative)| ReversalStyle::IdPrefix {
            prefix,
            params,
            negative,
        }),
    ]
}

/// A preset, a changed preset, or a dialect of its own.
fn dialect() -> impl Strategy<Value = Dialect> {
    let preset = select(dialect::PRESETS.to_vec()).prop_map(|name| dialect::preset(name).unwrap());
    let changes = (of(text()), of(template()), of(body()), of(reversal()), of(any::<(u16, u16)>()));
    (preset, changes).prop_map(|(mut dialect, (name, url, body, reversal, stop))| {
        dialect.name = name.unwrap_or(dialect.name);
        dialect.url = url.unwrap_or(dialect.url);
        dialect.body = body.unwrap_or(dialect.body);
        dialect.reversal = reversal.unwrap_or(dialect.reversal);
        if let Some((first, last)) = stop {
            dialect.stop = StatusSet::range(first, last);
            dialect.signature = None;
        }
        dialect
    })
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let preset = select(recipe::PRESETS.to_vec()).prop_map(|name| recipe::preset(name).unwrap());
    let word = "[a-z]{1,8}";
    let changes = (of(text()), of(vec(text(), 0..3)), of(of(word)), of(vec(text(), 0..2)));
    (preset, changes, text()).prop_map(|(mut recipe, (name, event, default, signed), joiner)| {
        recipe.name = name.unwrap_or(recipe.name);
        recipe.event = event.unwrap_or(recipe.event);
        recipe.event_default = default.unwrap_or(recipe.event_default);
        match (&mut recipe.signature, signed) {
            (Some(signature), Some(names)) => {
                signature.content = SignedContent::Fields(names, joiner);
            }
            (signature, Some(_)) => *signature = None,
            _ => {}
        }
        recipe
    })
}

fn secrets() -> impl Strategy<Value = Vec<Secret>> {
    vec(text().prop_map(Secret::new), 0..3)
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    (text(), dialect(), secrets()).prop_map(|(url, dialect, secrets)| Endpoint {
        url,
        dialect,
        secrets,
    })
}

fn app() -> impl Strategy<Value = App> {
    let rate = (i64::MIN + 1..i64::MAX).prop_map(Rate);
    let rounding = select(vec![Rounding::Down, Rounding::Nearest, Rounding::Up]);
    let points = (text(), any::<u8>(), btree_map(currency(), rate, 0..3), rounding).prop_map(
        |(name, minor_units, rates, rounding)| Currency { name, minor_units, rates, rounding },
    );
    let key = (mode(), any::<[u8; 32]>(), text()).prop_map(|(mode, digest, label)| AppKey {
        mode,
        digest,
        label,
    });
    let theme = (of(text()), of(any::<u8>()), of(text()))
        .prop_map(|(primary, radius, logo_url)| Theme { primary, radius, logo_url });
    let shares = any::<(u32, u32)>();
    let endpoints = (of(endpoint()), of(endpoint()));
    (any::<[u32; 2]>(), text(), points, (shares, vec(key, 0..3)), endpoints, theme).prop_map(
        |([id, publisher], name, currency, (shares, keys), endpoints, theme)| App {
            id: AppId(id),
            publisher_id: PublisherId(publisher),
            name,
            currency,
            user_share: Ppm(shares.0),
            publisher_share: Ppm(shares.1),
            keys,
            postback: endpoints.0,
            test_postback: endpoints.1,
            theme,
        },
    )
}

fn line_item() -> impl Strategy<Value = LineItem> {
    let statuses = [
        LineItemStatus::Draft,
        LineItemStatus::Running,
        LineItemStatus::Paused,
        LineItemStatus::Ended,
    ];
    let hold = prop_oneof![
        Just(HoldPolicy::Full),
        (any::<u32>(), micros())
            .prop_map(|(share, grace)| HoldPolicy::Expected { share: Ppm(share), grace }),
    ];
    let caps = any::<[Option<u32>; 4]>().prop_map(|[total, daily, per_user, per_user_daily]| {
        Caps { total, daily, per_user, per_user_daily }
    });
    let names = (any::<[u32; 2]>(), of(any::<u32>()), text(), of(text()));
    let times = (time(), of(time()), any::<i16>(), any::<u32>());
    let money = (currency(), micros(), of(micros()), hold);
    let way = (select(statuses.to_vec()), select(vec![Pacing::Asap, Pacing::Even]), any::<u8>());
    (names, times, money, way, caps).prop_map(|(names, times, money, way, caps)| LineItem {
        id: LineItemId(names.0[0]),
        advertiser_id: AdvertiserId(names.0[1]),
        order_id: names.1.map(OrderId),
        name: names.2,
        status: way.0,
        flight: Flight { starts_at: times.0, ends_at: times.1 },
        utc_offset: UtcOffset(times.2),
        currency: money.0,
        budget: money.1,
        daily_budget: money.2,
        hold: money.3,
        pacing: way.1,
        priority: way.2,
        caps,
        grace_seconds: times.3,
        advertised_app: names.3,
    })
}

fn targeting() -> impl Strategy<Value = Targeting> {
    let os = of((of(os_version()), of(os_version())))
        .prop_map(|range| range.map(|(min, max)| OsVersionRange { min, max }));
    let age = of(any::<(u8, u8)>()).prop_map(|age| age.map(|(min, max)| AgeRange { min, max }));
    let device = (
        btree_set(country(), 0..3),
        btree_set(select(Platform::ALL.to_vec()), 0..3),
        btree_set(text(), 0..2),
        btree_set(text(), 0..2),
        os,
    );
    let person = (btree_set(select(Gender::ALL.to_vec()), 0..3), btree_set(text(), 0..2), age);
    let ids = vec(btree_set(any::<u32>(), 0..3), 3);
    (device, person, ids).prop_map(|(device, person, ids)| Targeting {
        countries: device.0,
        platforms: device.1,
        installed: device.2,
        not_installed: device.3,
        os_version: device.4,
        genders: person.0,
        languages: person.1,
        age: person.2,
        units: ids[0].iter().copied().map(UnitId).collect(),
        segments: ids[1].iter().copied().map(SegmentId).collect(),
        not_segments: ids[2].iter().copied().map(SegmentId).collect(),
    })
}

fn ad_group() -> impl Strategy<Value = AdGroup> {
    let status = select(vec![AdGroupStatus::Active, AdGroupStatus::Paused]);
    (any::<[u32; 2]>(), text(), status, targeting(), of(micros())).prop_map(
        |([id, line_item], name, status, targeting, bid)| AdGroup {
            id: AdGroupId(id),
            line_item_id: LineItemId(line_item),
            name,
            status,
            targeting: targeting.into(),
            bid,
        },
    )
}

fn local_text() -> impl Strategy<Value = LocalText> {
    (text(), text()).prop_map(|(language, text)| LocalText { language, text })
}

fn rule() -> impl Strategy<Value = Rule> {
    let aim = prop_oneof![
        Just(Aim::Once),
        any::<u32>().prop_map(Aim::Count),
        any::<i64>().prop_map(|amount| Aim::Sum(Micros(amount))),
        any::<u32>().prop_map(Aim::DistinctDays),
    ];
    let choice = vec(local_text(), 0..2).prop_map(|texts| Choice { texts });
    let quiz = (vec(local_text(), 0..2), vec(choice, 0..3), any::<u8>(), any::<u8>());
    prop_oneof![
        (text(), aim).prop_map(|(name, aim)| Rule::Event { name: name.into(), aim }),
        (text(), any::<u32>()).prop_map(|(url, dwell_seconds)| Rule::Visit { url, dwell_seconds }),
        quiz.prop_map(|(question, choices, answer, attempts)| Rule::Quiz {
            question: question.into(),
            choices: choices.into(),
            answer,
            attempts,
        }),
        Just(Rule::CheckIn),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let words = (text(), text(), text()).prop_map(|(language, title, description)| StepText {
        language,
        title,
        description,
    });
    let from = select(vec![WindowStart::Participation, WindowStart::Previous]);
    let window = (from, any::<u32>()).prop_map(|(from, seconds)| Window { from, seconds });
    let role = select(vec![Role::Required, Role::Optional, Role::Bonus]);
    let repeat =
        (any::<u32>(), of(any::<u32>())).prop_map(|(limit, per_day)| Repeat { limit, per_day });
    let price = (micros(), of(micros()), any::<u32>());
    let place = (any::<u32>(), vec(any::<u32>().prop_map(StepId), 0..2), role, repeat);
    (place, vec(words, 0..2), of(window), price, rule()).prop_map(
        |(place, texts, window, price, rule)| Step {
            id: StepId(place.0),
            texts: texts.into(),
            role: place.2,
            repeat: place.3,
            after: place.1,
            window,
            payout: price.0,
            reward: price.1,
            hold_hours: price.2,
            rule,
        },
    )
}

fn creative() -> impl Strategy<Value = Creative> {
    (vec(text(), 6), of(text()), of(text())).prop_map(|(texts, icon_url, image_url)| {
        Creative::from(Wording {
            language: &texts[0],
            title: &texts[1],
            summary: &texts[2],
            description: &texts[3],
            cta: &texts[4],
            fine_print: &texts[5],
            icon_url: icon_url.as_deref(),
            image_url: image_url.as_deref(),
        })
    })
}

fn mission() -> impl Strategy<Value = Mission> {
    let status = select(vec![MissionStatus::Active, MissionStatus::Paused]);
    let sequence = select(vec![Sequence::Ordered, Sequence::Any]);
    let landing = select(vec![Landing::ExternalBrowser, Landing::InApp]);
    let kinds = (select(MissionKind::ALL.to_vec()), status, sequence, landing);
    let numbers = (any::<[u32; 4]>(), of(any::<u32>()), vec(any::<u32>(), 0..3));
    let lists = (vec(creative(), 0..2), vec(step(), 0..3), vec(text(), 0..2));
    (kinds, numbers, lists, text()).prop_map(|(kinds, numbers, lists, landing_url)| Mission {
        id: MissionId(numbers.0[0]),
        version: numbers.0[1],
        line_item_id: LineItemId(numbers.0[2]),
        kind: kinds.0,
        status: kinds.1,
        creatives: lists.0,
        steps: lists.1,
        sequence: kinds.2,
        window_seconds: numbers.0[3],
        typical_minutes: numbers.1,
        requirements: lists.2,
        prerequisites: numbers.2.into_iter().map(MissionId).collect(),
        landing_url: landing_url.into(),
        landing: kinds.3,
    })
}

fn partner() -> impl Strategy<Value = Partner> {
    let events = btree_map(text(), text(), 0..3);
    let names = (any::<[u32; 2]>(), text(), any::<[u8; 32]>(), any::<bool>());
    (names, recipe(), secrets(), events).prop_map(
        |(([id, advertiser], name, token_digest, enabled), recipe, secrets, event_names)| Partner {
            id: PartnerId(id),
            advertiser_id: AdvertiserId(advertiser),
            name,
            recipe,
            token_digest,
            secrets,
            event_names,
            enabled,
        },
    )
}

/// Any row.
pub(crate) fn entity() -> impl Strategy<Value = Entity> {
    let named = (any::<[u32; 2]>(), text());
    prop_oneof![
        named
            .clone()
            .prop_map(|([id, _], name)| Entity::Publisher(Publisher { id: PublisherId(id), name })),
        app().prop_map(Entity::App),
        named.clone().prop_map(|([id, app], name)| Entity::Unit(Unit {
            id: UnitId(id),
            app_id: AppId(app),
            name,
        })),
        named.clone().prop_map(|([id, _], name)| Entity::Advertiser(Advertiser {
            id: AdvertiserId(id),
            name,
        })),
        named.clone().prop_map(|([id, advertiser], name)| Entity::Order(Order {
            id: OrderId(id),
            advertiser_id: AdvertiserId(advertiser),
            name,
        })),
        named.prop_map(|([id, _], name)| Entity::Segment(Segment { id: SegmentId(id), name })),
        line_item().prop_map(Entity::LineItem),
        ad_group().prop_map(Entity::AdGroup),
        mission().prop_map(|mission| Entity::Mission(Arc::new(mission))),
        partner().prop_map(Entity::Partner),
    ]
}
