//! Samples of the list.

use super::{DAY_MS, HOSTILE, HOUR_MS, MINUTE_MS, NOW, frame, hostile_frame, icon, longer, offers};
use super::{themed, words};
use crate::frame::Frame;
use crate::mission_list::{CARDS_MAX, Chip, MissionList, Offers};
use crate::page::Sample;
use crate::plain::Plain;
use crate::text::Lang;
use crate::view::{Boost, Empty, Kind, OfferCard, ProgressCard, Repeat, Requirement, UpNext};

pub(crate) fn all() -> Vec<Sample<MissionList>> {
    let sample = |name, page| Sample { name, page };
    let mut samples = vec![
        sample("en", usual(Lang::En)),
        sample("ko", usual(Lang::Ko)),
        sample("ja", usual(Lang::Ja)),
        sample("one-kind", one_kind()),
        sample("first-visit", first_visit()),
        sample("long-and-full", long_and_full()),
        sample("hostile", hostile()),
        sample("themed", themed_list()),
    ];
    let reasons = [
        ("empty-all-done", Lang::En, Empty::AllDone(None)),
        ("empty-until", Lang::Ko, Empty::AllDone(Some(NOW + 10 * HOUR_MS))),
        ("empty-region", Lang::Ja, Empty::Region),
        ("empty-device", Lang::En, Empty::Device),
        ("empty-kind", Lang::Ko, Empty::Kind(Kind::Survey)),
        ("empty-tracking", Lang::Ja, Empty::Tracking),
        ("empty-age", Lang::En, Empty::Age),
    ];
    for (name, lang, reason) in reasons {
        samples.push(sample(name, empty(lang, reason)));
    }
    samples
}

fn usual(lang: Lang) -> MissionList {
    let mut cards = offers(lang);
    if let Some(card) = cards.get_mut(4) {
        card.boost = Some(Boost { usual_total: 15, until: Some(NOW + 2 * DAY_MS) });
    }
    list(frame(lang), running(lang), cards)
}

fn list(frame: Frame, in_progress: Vec<ProgressCard>, cards: Vec<OfferCard>) -> MissionList {
    let count = |kind| cards.iter().filter(|c| c.kind == kind).count();
    let chip = |kind| Chip { kind, count: u32::try_from(count(kind)).unwrap_or(u32::MAX) };
    let chips = Kind::ALL.into_iter().map(chip).filter(|c| c.count > 0);
    MissionList {
        earnable: 97_215,
        earned: 3_240,
        chips: chips.collect(),
        kind: None,
        in_progress,
        offers: Offers::Cards { cards, next: Some("b2s+/=".to_owned()) },
        frame,
    }
}

fn running(lang: Lang) -> Vec<ProgressCard> {
    let w = words(lang);
    let card = |id: u64, kind, at: usize| ProgressCard {
        id,
        kind,
        title: Plain::new(w.offers[at].0),
        icon: None,
        steps_done: 3,
        steps_total: 8,
        repeat: None,
        checking: 0,
        earned: 1_200,
        reward_total: 4_800,
        next: Some(UpNext { title: Plain::new(w.steps[5].0), reward: 600 }),
        deadline: Some(NOW + 5 * DAY_MS + 3 * HOUR_MS + MINUTE_MS),
    };
    vec![
        ProgressCard {
            steps_done: 0,
            steps_total: 1,
            checking: 1,
            earned: 0,
            reward_total: 3_000,
            next: None,
            deadline: Some(NOW + 2 * HOUR_MS + 30 * MINUTE_MS),
            ..card(12, Kind::SignUp, 1)
        },
        ProgressCard { icon: icon("farm"), ..card(11, Kind::Game, 0) },
        ProgressCard {
            steps_done: 0,
            steps_total: 1,
            repeat: Some(Repeat { done: 3, limit: 7 }),
            earned: 60,
            reward_total: 140,
            next: None,
            ..card(13, Kind::CheckIn, 3)
        },
    ]
}

fn one_kind() -> MissionList {
    let mut page = usual(Lang::En);
    page.kind = Some(Kind::Quiz);
    let cards = offers(Lang::En);
    page.offers = Offers::Cards {
        cards: cards.into_iter().filter(|c| c.kind == Kind::Quiz).collect(),
        next: None,
    };
    page
}

fn first_visit() -> MissionList {
    let mut page = list(frame(Lang::Ko), Vec::new(), offers(Lang::Ko));
    page.earned = 0;
    page
}

/// As many cards as a page may have, all with long texts: the page must stay light.
fn long_and_full() -> MissionList {
    let mut cards = Vec::new();
    for (id, mut card) in
        (1_000_001_u64..).zip(offers(Lang::Ja).into_iter().cycle().take(CARDS_MAX))
    {
        card.id = id;
        card.title = longer(&longer(&card.title));
        card.summary = longer(&longer(&card.summary));
        card.reward_total = 123_456_789;
        cards.push(card);
    }
    let mut runs = running(Lang::Ja);
    for run in &mut runs {
        run.title = longer(&longer(&run.title));
        run.earned = 98_765_432;
        run.reward_total = 123_456_789;
    }
    let mut page = list(frame(Lang::Ja), runs, cards);
    page.earnable = 9_876_543_210;
    page
}

fn hostile() -> MissionList {
    let mut cards = offers(Lang::En);
    for (card, text) in cards.iter_mut().zip(HOSTILE) {
        card.title = Plain::new(text);
        card.summary = Plain::new(text);
        card.requirements = vec![Requirement::Other(Plain::new(text))];
    }
    let mut runs = running(Lang::En);
    for (run, text) in runs.iter_mut().zip(HOSTILE) {
        run.title = Plain::new(text);
        run.next = Some(UpNext { title: Plain::new(text), reward: -1 });
    }
    let mut page = list(hostile_frame(), runs, cards);
    page.kind = Some(Kind::Game);
    if let Offers::Cards { next, .. } = &mut page.offers {
        *next = Some("\"><breakout>&kind=quiz".to_owned());
    }
    page
}

fn themed_list() -> MissionList {
    let frame = themed(Lang::Ko, "#ffcc00", 6, Some("/m/media/logo.svg"));
    list(frame, running(Lang::Ko), offers(Lang::Ko))
}

fn empty(lang: Lang, reason: Empty) -> MissionList {
    let mut page = list(frame(lang), Vec::new(), Vec::new());
    page.earnable = 0;
    page.offers = Offers::None(reason);
    if let Empty::Kind(kind) = reason {
        page.kind = Some(kind);
        page.chips = vec![Chip { kind: Kind::Game, count: 3 }];
    }
    page
}
