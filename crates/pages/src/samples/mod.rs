//! Realistic values of every page: all states, all languages, long and hostile texts. They are
//! what the tests render, and what a designer looks at (`cargo run -p pages --example samples`).

pub(crate) mod mission_detail;
pub(crate) mod mission_list;
pub(crate) mod notice;
pub(crate) mod wallet;

mod words;

pub(crate) use words::{Words, words};

use crate::address::ImageUrl;
use crate::form::FormGuard;
use crate::frame::Frame;
use crate::paths::Links;
use crate::plain::Plain;
use crate::text::{Currency, Lang, Zone};
use crate::theme::Theme;
use crate::view::{Kind, OfferCard, Platform, Requirement};

/// The moment of all samples: 23 November 2026, 05:02:09 UTC.
pub(crate) const NOW: i64 = 1_795_410_129_000;
pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

/// Texts that try to break out of element, attribute, address and reading order. The element's
/// name is what the test looks for.
pub(crate) const HOSTILE: [&str; 4] = [
    "<script>alert('<breakout>')</script>",
    "\"><breakout onclick=\"x\">",
    "' onmouseover='x' {{ 7*7 }} &amp; <breakout/>",
    "\u{202e}evil\u{202c} <breakout> مهمة اليوم \u{2067}%00</title></textarea>",
];

pub(crate) fn frame(lang: Lang) -> Frame {
    let w = words(lang);
    let (offset_minutes, zone) = match lang {
        Lang::Ko => (540, Some("KST")),
        Lang::Ja => (540, Some("JST")),
        Lang::En => (60, None),
    };
    Frame {
        lang,
        app_name: Some(Plain::new(w.app)),
        theme: Theme::default(),
        currency: Currency { name: Plain::new(w.currency), minor_units: 0 },
        zone: Zone { offset_minutes, name: zone.map(Plain::new) },
        now: NOW,
        links: Links::default(),
    }
}

/// A frame with a publisher's look; an invalid one would fall back to ours.
pub(crate) fn themed(lang: Lang, primary: &str, radius: u8, logo: Option<&str>) -> Frame {
    Frame { theme: Theme::try_new(primary, radius, logo).unwrap_or_default(), ..frame(lang) }
}

pub(crate) fn hostile_frame() -> Frame {
    Frame {
        app_name: Some(Plain::new(HOSTILE[1])),
        currency: Currency { name: Plain::new("<breakout>"), minor_units: 2 },
        zone: Zone { offset_minutes: -210, name: Some(Plain::new(HOSTILE[2])) },
        ..frame(Lang::En)
    }
}

pub(crate) fn guard() -> FormGuard {
    let csrf = crate::csrf::token(&[1; crate::csrf::CSRF_KEY_BYTES], b"sample session");
    FormGuard::new(csrf, [0x5a; 16])
}

pub(crate) fn icon(name: &str) -> Option<ImageUrl> {
    ImageUrl::parse(&format!("/m/media/{name}.svg"))
}

/// One offer of each sort.
pub(crate) fn offers(lang: Lang) -> Vec<OfferCard> {
    let w = words(lang);
    let kinds = [
        (Kind::Game, 4_800, 50, 8),
        (Kind::SignUp, 3_000, 3_000, 1),
        (Kind::Quiz, 20, 20, 1),
        (Kind::CheckIn, 140, 20, 7),
        (Kind::Visit, 30, 30, 1),
        (Kind::Purchase, 12_500, 500, 3),
    ];
    let cards = kinds.into_iter().zip(w.offers).zip(1_u64..);
    cards
        .map(|(((kind, total, first, steps), (title, summary)), id)| OfferCard {
            id,
            kind,
            title: Plain::new(title),
            summary: Plain::new(summary),
            icon: (id == 1).then(|| icon("farm")).flatten(),
            reward_total: total,
            reward_first: first,
            first_minutes: (steps > 1).then_some(2),
            boost: None,
            steps,
            typical_minutes: Some(if steps > 1 { 45 * steps } else { 3 }),
            days_allowed: (steps > 1).then_some(14),
            requirements: requirements(kind),
        })
        .collect()
}

fn requirements(kind: Kind) -> Vec<Requirement> {
    let android = Requirement::Os(Platform::Android, Some(Plain::new("10")));
    match kind {
        Kind::Game => vec![Requirement::NewUsersOnly, android, Requirement::NoPayment],
        Kind::SignUp => vec![Requirement::NewUsersOnly, Requirement::MinAge(19)],
        Kind::Purchase => vec![Requirement::PaymentNeeded],
        _ => Vec::new(),
    }
}

/// The text, longer by two fifths, as translations are.
pub(crate) fn longer(text: &Plain) -> Plain {
    let extra = text.as_str().chars().count() * 2 / 5;
    let tail: String = text.as_str().chars().cycle().take(extra.max(4)).collect();
    Plain::new(&format!("{text} {tail}"))
}
