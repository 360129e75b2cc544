//! One step: its price, its limits and its rule.

use std::fmt::{self, Display};

use super::super::{Findings, text};
use crate::catalog::limits::{
    AIM_MAX, ATTEMPTS_MAX, CHOICES, DESCRIPTION_CHARS_MAX, DWELL_SECONDS_MAX, HOLD_HOURS_MAX,
    REPEAT_MAX, SUMMARY_CHARS_MAX, TITLE_CHARS_MAX, WINDOW_SECONDS_MAX,
};
use crate::catalog::{Aim, LocalText, Rule, Step, StepText, WindowStart};
use crate::money::{MICROS_MAX, Micros};

pub(super) fn check(at: usize, step: &Step, found: &mut Findings) {
    let languages = step.texts.iter().map(|text| text.language.as_str());
    text::languages(found, format_args!("steps[{at}].texts"), languages);
    for (place, StepText { title, description, .. }) in step.texts.iter().enumerate() {
        let field = format_args!("steps[{at}].texts[{place}].title");
        text::line(found, field, title, TITLE_CHARS_MAX);
        let field = format_args!("steps[{at}].texts[{place}].description");
        text::prose(found, field, description, DESCRIPTION_CHARS_MAX);
    }
    check_price(at, step, found);
    check_repeat(at, step, found);
    check_times(at, step, found);
    check_rule(at, &step.rule, found);
}

/// How many events, at least, it takes to be paid as often as it can be.
pub(super) fn events_needed(step: &Step) -> u64 {
    let each = match &step.rule {
        Rule::Event { aim: Aim::Sum(_), .. } => 1,
        rule => rule.need(),
    };
    each.saturating_mul(step.repeat.limit.into())
}

fn check_price(at: usize, step: &Step, found: &mut Findings) {
    found.check(
        (0..=MICROS_MAX.0).contains(&step.payout.0),
        format_args!("steps[{at}].payout"),
        format_args!("it must be between 0 and {} micro-units", MICROS_MAX.0),
    );
    if let Some(reward) = step.reward {
        found.check(
            (Micros(0)..=step.payout.max(Micros(0))).contains(&reward),
            format_args!("steps[{at}].reward"),
            "it must be between 0 and the payout that pays for it",
        );
    }
}

fn check_repeat(at: usize, step: &Step, found: &mut Findings) {
    let repeat = step.repeat;
    found.check(
        (1..=REPEAT_MAX).contains(&repeat.limit),
        format_args!("steps[{at}].repeat.limit"),
        format_args!("it must be between 1 and {REPEAT_MAX}"),
    );
    let Some(per_day) = repeat.per_day else {
        return;
    };
    let field = format_args!("steps[{at}].repeat.per_day");
    found.check(
        (1..=repeat.limit).contains(&per_day),
        field,
        "it must be between 1 and the step's limit",
    );
    let at_once = !matches!(&step.rule, Rule::Event { aim, .. } if *aim != Aim::Once);
    let message = "a daily limit needs a rule that one event fulfils";
    found.check(at_once, format_args!("steps[{at}].repeat.per_day"), message);
}

fn check_times(at: usize, step: &Step, found: &mut Findings) {
    found.check(
        step.hold_hours <= HOLD_HOURS_MAX,
        format_args!("steps[{at}].hold_hours"),
        format_args!("it must be at most {HOLD_HOURS_MAX}"),
    );
    let Some(window) = step.window else { return };
    found.check(
        (1..=WINDOW_SECONDS_MAX).contains(&window.seconds),
        format_args!("steps[{at}].window.seconds"),
        format_args!("it must be above 0 and at most {} days", WINDOW_SECONDS_MAX / 86_400),
    );
    found.check(
        window.from != WindowStart::Previous || at > 0,
        format_args!("steps[{at}].window.from"),
        "the first step has no step before it",
    );
}

fn check_rule(at: usize, rule: &Rule, found: &mut Findings) {
    let field = fmt::from_fn(move |f| write!(f, "steps[{at}].rule.{}", rule.name()));
    match rule {
        Rule::Event { name, aim } => {
            text::word(found, format_args!("{field}.name"), name);
            check_aim(&field, *aim, found);
        }
        Rule::Visit { url, dwell_seconds } => {
            text::web_url(found, format_args!("{field}.url"), url);
            found.check(
                (1..=DWELL_SECONDS_MAX).contains(dwell_seconds),
                format_args!("{field}.dwell_seconds"),
                format_args!("it must be between 1 and {DWELL_SECONDS_MAX}"),
            );
        }
        Rule::Quiz { .. } => check_quiz(&field, rule, found),
        Rule::CheckIn => {}
    }
}

fn check_aim(field: &impl Display, aim: Aim, found: &mut Findings) {
    let right = match aim {
        Aim::Once => true,
        Aim::Count(number) | Aim::DistinctDays(number) => (1..=AIM_MAX).contains(&number),
        Aim::Sum(amount) => (1..=MICROS_MAX.0).contains(&amount.0),
    };
    let message = format_args!("it must be between 1 and {AIM_MAX}, or an amount above 0");
    found.check(right, format_args!("{field}.aim"), message);
}

fn check_quiz(field: &impl Display, rule: &Rule, found: &mut Findings) {
    let Rule::Quiz { question, choices, answer, attempts } = rule else {
        return;
    };
    check_texts(&format!("{field}.question"), question, SUMMARY_CHARS_MAX, found);
    found.check(
        CHOICES.contains(&choices.len()),
        format_args!("{field}.choices"),
        format_args!("a quiz has {} to {} choices", CHOICES.start(), CHOICES.end()),
    );
    for (place, choice) in choices.iter().enumerate() {
        let field = format!("{field}.choices[{place}].texts");
        check_texts(&field, &choice.texts, TITLE_CHARS_MAX, found);
    }
    found.check(
        usize::from(*answer) < choices.len(),
        format_args!("{field}.answer"),
        "it must be the place of a choice, counted from 0",
    );
    found.check(
        (1..=ATTEMPTS_MAX).contains(attempts),
        format_args!("{field}.attempts"),
        format_args!("it must be between 1 and {ATTEMPTS_MAX}"),
    );
}

fn check_texts(field: &impl Display, texts: &[LocalText], max: usize, found: &mut Findings) {
    text::languages(found, field, texts.iter().map(|text| text.language.as_str()));
    for (at, text) in texts.iter().enumerate() {
        text::line(found, format_args!("{field}[{at}].text"), &text.text, max);
    }
}
