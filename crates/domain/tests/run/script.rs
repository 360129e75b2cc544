//! A history in words: one command a line, and what it answers.
//!
//! A case begins with a line of terms, after `mission`; its commands follow, each with the time since
//! the start: `2h buy #7 amount=3 => parked counting`. A command is
//!
//! - the name of an event with the partner's id of it, and perhaps `at=`, `amount=`, `in=`
//!   (currency), `by=` (partner), `reversal`, `rejected`, `organic`;
//! - `visit`, `quiz` or `check_in` of a step, such as `quiz 2 choice=1`;
//! - `sweep`, which answers how many changes it made; `total`, which sets the budget;
//! - `look`, which answers the run's state, its steps' states and the money;
//! - `ask` and a step, which is an inquiry.

use domain::complete::{Completion, Evidence};
use domain::convert::{Event, Standing};
use domain::ids::{MissionId, PartnerId, StepId};
use domain::money::CurrencyCode;
use domain::time::{HOUR_MS, Timestamp};
use domain::view;

use crate::book::{Book, START};
use crate::terms::{Terms, UNIT, milliseconds, money};

/// Plays every case of a table, compares every answer, and verifies the books at the end of each.
pub(crate) fn check(table: &str) {
    let mut cases = 0;
    let mut book: Option<Book> = None;
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(terms) = line.strip_prefix("mission") {
            book.take().iter().for_each(verify);
            book = Some(Book::started(&Terms::parse(terms)));
            cases += 1;
            continue;
        }
        let (command, expected) = line.split_once("=>").expect("an arrow");
        let book = book.as_mut().expect("a mission first");
        let answer = play(book, command.trim());
        assert_eq!(answer, expected.trim(), "case {cases}: {line}");
    }
    book.iter().for_each(verify);
    assert!(cases > 0);
}

/// Plays one command and says what it answers.
pub(crate) fn play(book: &mut Book, command: &str) -> String {
    let (time, rest) = command.split_once(' ').expect("a time and a command");
    let now = after_start(time);
    let mut words = rest.split_whitespace();
    let decided = match words.next().expect("a command") {
        "look" => return look(book, now),
        "ask" => return ask(book, step_id(&mut words), now),
        "sweep" => return book.sweep(now).to_string(),
        "total" => {
            book.set_total(money(words.next().expect("an amount")));
            return "ok".to_owned();
        }
        name @ ("visit" | "quiz" | "check_in") => book.complete(&completion(name, &mut words), now),
        name => {
            let event = event(book, name, &mut words);
            book.send(&event, now)
        }
    };
    format!("{} {}", decided.verdict.name(), decided.reason.code())
}

/// The event of a name and words such as `#7 amount=3`.
pub(crate) fn event<'a>(
    book: &Book,
    name: &str,
    words: &mut impl Iterator<Item = &'a str>,
) -> Event {
    let mut event = Event {
        partner: PartnerId(1),
        enrollment: book.run().id,
        name: name.to_owned(),
        id: None,
        occurred_at: None,
        amount: None,
        currency: None,
        standing: Standing::Good,
        raw: String::new(),
    };
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "at" => event.occurred_at = Some(after_start(value)),
            "amount" => event.amount = Some(money(value)),
            "in" => event.currency = CurrencyCode::parse(value),
            "by" => event.partner = PartnerId(value.parse().expect("a number")),
            "reversal" => event.standing = Standing::Reversal,
            "rejected" => event.standing = Standing::Rejected,
            "organic" => event.standing = Standing::Organic,
            _ => event.id = Some(word.strip_prefix('#').expect("an id").to_owned()),
        }
    }
    event
}

fn completion<'a>(name: &str, words: &mut impl Iterator<Item = &'a str>) -> Completion {
    let step = step_id(words);
    let evidence = match name {
        "visit" => Evidence::Visit,
        "quiz" => {
            let choice = words.next().and_then(|word| word.strip_prefix("choice="));
            Evidence::Quiz(choice.expect("a choice").parse().expect("a number"))
        }
        _ => Evidence::CheckIn,
    };
    Completion { mission: MissionId(1), step, evidence }
}

fn step_id<'a>(words: &mut impl Iterator<Item = &'a str>) -> StepId {
    StepId(words.next().expect("a step").parse().expect("a number"))
}

/// Such as `in_progress rewarded available(early) +600 held 2`: the run's state, the steps' states
/// with their reasons, points in the wallet (and on hold), and units held and booked.
fn look(book: &Book, now: Timestamp) -> String {
    let run = book.run();
    let version = book.snapshot().mission_version(run.mission, run.version).expect("the terms");
    let mut text = view::run_state(run, now).name().to_owned();
    for place in 0..version.steps.len() {
        let view = view::step_view(run, version, place, now);
        text.push_str(&format!(" {}", view.state.name()));
        let (done, need) = view.progress;
        if done > 0 && done < need {
            text.push_str(&format!("[{}/{}]", done.div_ceil(scale(need)), need / scale(need)));
        }
        if let Some(reason) = view.reason {
            text.push_str(&format!("({})", reason.code()));
        }
    }
    let state = &book.loaded.state;
    text.push_str(&format!(" +{}", state.balance.0));
    if state.pending.0 != 0 {
        text.push_str(&format!("~{}", state.pending.0));
    }
    let (held, booked) = (run.held.0 / UNIT, book.used().booked.0 / UNIT);
    format!("{text} held {held} booked {booked}")
}

/// Such as `counting 2/3 until=48h` or `open needs_support(event_conflict)`; times are since the start.
fn ask(book: &mut Book, step: StepId, now: Timestamp) -> String {
    let answer = book.ask(step, now);
    let is_open = if answer.finding.is_open() { "open " } else { "" };
    let mut text = format!("{is_open}{}", answer.finding.code());
    if let Some(reason) = answer.reason {
        text.push_str(&format!("({})", reason.code()));
    }
    if let Some(points) = answer.points {
        text.push_str(&format!(" +{}", points.0));
    }
    if let Some((done, need)) = answer.progress {
        text.push_str(&format!(" {}/{}", done / scale(need), need / scale(need)));
    }
    if let Some(step) = answer.needs {
        text.push_str(&format!(" needs={step}"));
    }
    for (name, moment) in [("at", answer.at), ("until", answer.until)] {
        if let Some(moment) = moment {
            text.push_str(&format!(" {name}={}h", moment.since(START) / HOUR_MS));
        }
    }
    text
}

/// Units of money are told in whole ones.
fn scale(need: u64) -> u64 {
    if need >= UNIT as u64 { UNIT as u64 } else { 1 }
}

pub(crate) fn after_start(text: &str) -> Timestamp {
    Timestamp(START.0 + milliseconds(text))
}

fn verify(book: &Book) {
    let report = book.report(|_| {});
    assert_eq!(report.findings, []);
}
