//! Reading a postback by its recipe: what happened, to whose click, and what cannot be read.
//!
//! A field that the recipe does not name is never looked at. A value that says nothing (empty, `null`,
//! an unreplaced macro) is as good as absent, and the recipe's next name is tried. What cannot be read
//! is listed as a [`BadField`], of which there are two kinds:
//!
//! - **fatal**: the event itself is in doubt. A field that the recipe reads comes twice with different
//!   values, or the click id, event or event id is too long or holds control characters. Guessing here
//!   could pay for the wrong event, or for one event twice.
//! - **not fatal**: a detail is lost and the event stands. A time that cannot be read is no time; a
//!   revenue that cannot be read, is negative, or is in an unknown currency is no revenue, so that steps
//!   which add up revenue refuse it and all others do not care.

use super::amount::read_amount;
use super::redact::is_unprintable;
use super::time::read_time;
use super::{FieldIs, Recipe};
use crate::convert::Standing;
use crate::money::{CurrencyCode, Micros};
use crate::time::Timestamp;

pub use super::fields::{Fields, is_null};
pub use super::redact::{HIDDEN, redact};

/// Longest click id, in bytes; ours have about a hundred.
pub const CLICK_ID_MAX: usize = 512;
/// Longest name of an event, in bytes.
pub const EVENT_MAX: usize = 255;
/// Longest id of an event, in bytes.
pub const EVENT_ID_MAX: usize = 255;

/// A postback as its recipe reads it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// The click id, not yet opened.
    pub click_id: Option<String>,
    /// The partner's name of the event, not yet translated.
    pub event: Option<String>,
    /// The partner's own id of the event.
    pub event_id: Option<String>,
    /// When it happened.
    pub occurred_at: Option<Timestamp>,
    /// Revenue; never negative.
    pub amount: Option<Micros>,
    /// Currency of the revenue.
    pub currency: Option<CurrencyCode>,
    /// What the sender says of the event's standing.
    pub standing: Standing,
    /// What could not be read.
    pub problems: Vec<BadField>,
}

/// A field that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadField {
    /// Name of the field in the postback.
    pub field: String,
    /// What is wrong with it, to follow the name in a sentence. It never quotes the value.
    pub message: &'static str,
    /// Whether the event as a whole cannot be believed for it.
    pub is_fatal: bool,
}

impl Reading {
    /// Whether nothing fatal was found. It may still lack a click id.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !self.problems.iter().any(|problem| problem.is_fatal)
    }
}

/// Reads a postback. What it says is believed only if its signature, where there is one, is right.
///
/// A reversal counts before a refusal, and a refusal before organic: an event that is taken back
/// because of fraud is taken back. The sign of a reversal's revenue is dropped, since senders differ on
/// whether taking back 1.50 is 1.50 or -1.50, and it has to find its original.
#[must_use]
pub fn read(recipe: &Recipe, fields: &Fields) -> Reading {
    let mut reader = Reader { fields, problems: Vec::new() };
    let standing = reader.standing(recipe);
    let click_id = reader.text(&recipe.click_id, CLICK_ID_MAX);
    let event = reader.event(recipe);
    let event_id = reader.text(&recipe.event_id, EVENT_ID_MAX);
    let occurred_at = reader.time(recipe);
    let (amount, currency) = reader.money(recipe, standing);
    let problems = reader.problems;
    Reading { click_id, event, event_id, occurred_at, amount, currency, standing, problems }
}

struct Reader<'a> {
    fields: &'a Fields,
    problems: Vec<BadField>,
}

impl<'a> Reader<'a> {
    fn standing(&mut self, recipe: &Recipe) -> Standing {
        // Every mark is looked at even if the first decides, so that contradictions are always found.
        let is_reversal = self.is_marked(&recipe.reversal);
        let is_rejected = self.is_marked(&recipe.rejected);
        let is_organic = self.is_marked(&recipe.organic);
        match (is_reversal, is_rejected, is_organic) {
            (true, _, _) => Standing::Reversal,
            (_, true, _) => Standing::Rejected,
            (_, _, true) => Standing::Organic,
            _ => Standing::Good,
        }
    }

    fn is_marked(&mut self, marks: &[FieldIs]) -> bool {
        let mut is_marked = false;
        for mark in marks {
            let Some(value) = self.said(&mark.field).map(str::to_lowercase) else {
                continue;
            };
            let mut values = mark.values.iter();
            is_marked |= mark.values.is_empty() || values.any(|one| one.to_lowercase() == value);
        }
        is_marked
    }

    fn event(&mut self, recipe: &Recipe) -> Option<String> {
        if let Some((name, value)) = self.find(&recipe.event) {
            return self.checked(name, value, EVENT_MAX);
        }
        if recipe.event_default.is_none() {
            let name = recipe.event.first().map_or("event", String::as_str);
            self.fatal(name, "is missing");
        }
        recipe.event_default.clone()
    }

    fn text(&mut self, names: &[String], max: usize) -> Option<String> {
        let (name, value) = self.find(names)?;
        self.checked(name, value, max)
    }

    fn time(&mut self, recipe: &Recipe) -> Option<Timestamp> {
        let (name, value) = self.find(&recipe.event_time)?;
        let time = read_time(value);
        if time.is_none() {
            self.minor(name, "is not a time between 2000 and 9998 in a known notation");
        }
        time
    }

    /// Revenue and currency. Without a readable currency there is no revenue either: it would be
    /// taken for the line item's own currency.
    fn money(
        &mut self,
        recipe: &Recipe,
        standing: Standing,
    ) -> (Option<Micros>, Option<CurrencyCode>) {
        let amount = self.amount(recipe, standing);
        let Some((name, value)) = self.find(&recipe.currency) else {
            return (amount, None);
        };
        let currency = CurrencyCode::parse(&value.to_ascii_uppercase());
        if currency.is_none() {
            self.minor(name, "is not an ISO 4217 code of three letters");
        }
        (amount.filter(|_| currency.is_some()), currency)
    }

    fn amount(&mut self, recipe: &Recipe, standing: Standing) -> Option<Micros> {
        let (name, value) = self.find(&recipe.revenue)?;
        match read_amount(value) {
            Ok(Micros(amount)) if amount >= 0 => Some(Micros(amount)),
            Ok(Micros(amount)) if standing == Standing::Reversal => Some(Micros(-amount)),
            Ok(_) => {
                self.minor(name, "is negative, and the postback is no reversal");
                None
            }
            Err(message) => {
                self.minor(name, message);
                None
            }
        }
    }

    /// The first of these fields that says something, with its name.
    fn find<'n>(&mut self, names: &'n [String]) -> Option<(&'n str, &'a str)> {
        names.iter().find_map(|name| Some((name.as_str(), self.said(name)?)))
    }

    /// What a field says. A recipe's field may be repeated but not contradict itself: which of two
    /// values counts must not depend on who reads them, the signature's check or this one.
    fn said(&mut self, name: &str) -> Option<&'a str> {
        if self.fields.is_contradictory(name) {
            self.fatal(name, "is a repeated field with different values");
        }
        self.fields.said(name)
    }

    fn checked(&mut self, name: &str, value: &str, max: usize) -> Option<String> {
        if value.len() > max {
            self.fatal(name, "is too long");
            return None;
        }
        if value.contains(is_unprintable) {
            self.fatal(name, "holds control characters");
            return None;
        }
        Some(value.to_owned())
    }

    fn fatal(&mut self, name: &str, message: &'static str) {
        self.note(BadField { field: name.to_owned(), message, is_fatal: true });
    }

    fn minor(&mut self, name: &str, message: &'static str) {
        self.note(BadField { field: name.to_owned(), message, is_fatal: false });
    }

    /// One field may be read for several purposes; what is wrong with it is said once.
    fn note(&mut self, problem: BadField) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

#[cfg(test)]
mod tests;
