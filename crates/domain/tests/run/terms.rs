//! The terms of a mission in words.
//!
//! Settings of the whole come first, then the steps, each after a `|`:
//! `any window=2d grace=1d | event buy x3 pays=2 hold=24h | check_in bonus x7`.

use std::sync::Arc;

use domain::budget::Limits;
use domain::catalog::{
    Aim, Catalog, Choice, Edit, Entity, HoldPolicy, LineItem, Mission, Repeat, Role, Rule,
    Sequence, Step, Window, WindowStart, sample,
};
use domain::ids::StepId;
use domain::money::{Micros, Ppm};
use domain::time::{HOUR_MS, SECOND_MS, UtcOffset};

/// One unit of the currency; a step pays as much by default, which is 600 points for the user.
pub(crate) const UNIT: i64 = 1_000_000;

/// A mission and its line item; all else is the sample catalogue.
#[derive(Clone)]
pub(crate) struct Terms {
    pub(crate) mission: Mission,
    pub(crate) line_item: LineItem,
    pub(crate) is_test: bool,
}

impl Terms {
    pub(crate) fn parse(text: &str) -> Self {
        let mut parts = text.split('|');
        let settings = parts.next().unwrap_or_default();
        let steps = (1..).zip(parts).map(|(id, text)| step(id, text)).collect();
        let catalog = sample::catalog();
        let mission = catalog.missions.values().next().expect("the sample mission");
        let line_item = catalog.line_items.values().next().expect("the sample line item");
        let mut terms = Self {
            mission: Mission { steps, ..mission.as_ref().clone() },
            line_item: LineItem { grace_seconds: 0, ..LineItem::clone(line_item) },
            is_test: false,
        };
        settings.split_whitespace().for_each(|word| terms.set(word));
        terms
    }

    pub(crate) fn catalog(&self) -> Catalog {
        let mut catalog = sample::catalog();
        catalog.apply(&Edit::Put(Entity::LineItem(self.line_item.clone())));
        catalog.edited(&[Edit::Put(Entity::Mission(Arc::new(self.mission.clone())))])
    }

    pub(crate) fn limits(&self) -> Limits {
        let grace = match self.line_item.hold {
            HoldPolicy::Full => Micros(0),
            HoldPolicy::Expected { grace, .. } => grace,
        };
        Limits {
            total: self.line_item.budget,
            daily: self.line_item.daily_budget,
            grace,
            starts: None,
            daily_starts: None,
        }
    }

    fn set(&mut self, word: &str) {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "any" => self.mission.sequence = Sequence::Any,
            "test" => self.is_test = true,
            "window" => self.mission.window_seconds = seconds(value),
            "grace" => self.line_item.grace_seconds = seconds(value),
            "budget" => self.line_item.budget = money(value),
            "daily_budget" => self.line_item.daily_budget = Some(money(value)),
            "offset" => self.line_item.utc_offset = UtcOffset(value.parse().expect("minutes")),
            "expects" => {
                let (percent, grace) = value.split_once('+').expect("a share and a grace");
                let percent: u32 = percent.parse().expect("a percentage");
                let share = Ppm(percent * 10_000);
                self.line_item.hold = HoldPolicy::Expected { share, grace: money(grace) };
            }
            _ => panic!("no such setting: {word}"),
        }
    }
}

fn step(id: u32, text: &str) -> Step {
    let sample = sample::catalog().missions.values().next().expect("a mission").steps[0].clone();
    let mut words = text.split_whitespace();
    let mut step = Step {
        id: StepId(id),
        payout: Micros(UNIT),
        rule: rule(words.next().expect("a rule"), &mut words),
        ..sample
    };
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let window = |from| Some(Window { from, seconds: seconds(value) });
        match key {
            "optional" => step.role = Role::Optional,
            "bonus" => step.role = Role::Bonus,
            "after" => step.after = value.split(',').map(|one| StepId(number(one))).collect(),
            "within" => step.window = window(WindowStart::Participation),
            "next" => step.window = window(WindowStart::Previous),
            "hold" => step.hold_hours = seconds(value) / 3_600,
            "pays" => step.payout = money(value),
            "daily" => step.repeat.per_day = Some(number(value)),
            _ => {
                let limit = number(word.strip_prefix('x').expect("a number of times"));
                step.repeat = Repeat { limit, ..step.repeat };
            }
        }
    }
    step
}

fn rule<'a>(kind: &str, words: &mut impl Iterator<Item = &'a str>) -> Rule {
    let mut word = || words.next().expect("another word of the rule");
    match kind {
        "event" => Rule::Event { name: word().into(), aim: Aim::Once },
        "count" => Rule::Event { name: word().into(), aim: Aim::Count(number(word())) },
        "sum" => Rule::Event { name: word().into(), aim: Aim::Sum(money(word())) },
        "days" => Rule::Event { name: word().into(), aim: Aim::DistinctDays(number(word())) },
        "visit" => Rule::Visit { url: String::new(), dwell_seconds: seconds(word()) },
        "quiz" => Rule::Quiz {
            question: Box::default(),
            choices: vec![Choice { texts: Vec::new() }; 3].into(),
            answer: 1,
            attempts: number(word()) as u8,
        },
        "check_in" => Rule::CheckIn,
        _ => panic!("no such rule: {kind}"),
    }
}

/// Milliseconds of `3d`, `2h`, `5m`, `7s`, or of a sum such as `1d-1s`.
pub(crate) fn milliseconds(text: &str) -> i64 {
    let (first, rest, sign) = match text.char_indices().skip(1).find(|(_, c)| "+-".contains(*c)) {
        Some((at, '-')) => (&text[..at], &text[at + 1..], -1),
        Some((at, _)) => (&text[..at], &text[at + 1..], 1),
        None => (text, "", 0),
    };
    let (value, unit) = first.split_at(first.len() - 1);
    let unit_ms = match unit {
        "s" => SECOND_MS,
        "m" => 60 * SECOND_MS,
        "h" => HOUR_MS,
        "d" => 24 * HOUR_MS,
        _ => panic!("no such time: {text}"),
    };
    let rest = if rest.is_empty() { 0 } else { milliseconds(rest) };
    value.parse::<i64>().expect("a number of units") * unit_ms + sign * rest
}

pub(crate) fn money(text: &str) -> Micros {
    Micros(text.parse::<i64>().expect("whole units") * UNIT)
}

fn seconds(text: &str) -> u32 {
    u32::try_from(milliseconds(text) / SECOND_MS).expect("seconds")
}

fn number(text: &str) -> u32 {
    text.parse().expect("a number")
}
