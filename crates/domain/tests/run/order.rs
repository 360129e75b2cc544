//! Every order of a small set of events ends in the same state (I3).

use crate::book::Book;
use crate::digest::Digest;
use crate::script::play;
use crate::terms::Terms;

const FOUR_STEPS: &str = "| event a | event b pays=2 | event c hold=24h | event d bonus";

/// Plays the commands in every order and compares the ends; says how many orders there are.
fn check_orders(terms: &str, commands: &[&str]) -> usize {
    let book = Book::started(&Terms::parse(terms));
    let mut orders = Orders { first: None, played: Vec::new(), count: 0 };
    orders.play(&book, commands);
    orders.count
}

struct Orders<'a> {
    first: Option<Digest>,
    played: Vec<&'a str>,
    count: usize,
}

impl<'a> Orders<'a> {
    /// Plays each of the remaining commands next, and the others after it.
    fn play(&mut self, book: &Book, remaining: &[&'a str]) {
        if remaining.is_empty() {
            self.count += 1;
            assert_eq!(book.report(|_| {}).findings, [], "{:?}", self.played);
            let digest = Digest::of(book);
            let first = self.first.get_or_insert_with(|| Digest::of(book));
            assert_eq!(*first, digest, "{:?}", self.played);
        }
        for place in 0..remaining.len() {
            let mut book = book.clone();
            play(&mut book, &format!("2d {}", remaining[place]));
            self.played.push(remaining[place]);
            let rest = [&remaining[..place], &remaining[place + 1..]].concat();
            self.play(&book, &rest);
            self.played.pop();
        }
    }
}

#[test]
fn four_steps_in_every_order() {
    let all = ["a #1 at=1h", "b #2 at=2h", "c #3 at=3h", "d #4 at=4h"];
    assert_eq!(check_orders(FOUR_STEPS, &all), 24);
}

#[test]
fn four_steps_with_a_reversal_and_a_copy_in_every_order() {
    let all = ["a #1 at=1h", "b #2 at=2h", "c #3 at=3h", "d #4 at=4h"];
    for reversal in ["a #1 at=1h reversal", "b #2 at=2h reversal", "d #4 at=4h reversal"] {
        assert_eq!(check_orders(FOUR_STEPS, &[&all[..], &[reversal]].concat()), 120);
        assert_eq!(check_orders(FOUR_STEPS, &[&all[..], &[reversal, "a #1 at=1h"]].concat()), 720);
    }
}

#[test]
fn a_quiz_that_is_lost_among_events_in_every_order() {
    let terms = "any | quiz 2 | event a after=1 | event b | event c hold=24h bonus";
    let misses = ["quiz 1 choice=0", "quiz 1 choice=2"];
    let events = ["a #1 at=1h", "b #2 at=2h", "c #3 at=3h", "b #2 at=2h reversal"];
    assert_eq!(check_orders(terms, &[&misses[..], &events].concat()), 720);
    assert_eq!(check_orders(terms, &[&misses[..], &events[..3]].concat()), 120);
}

#[test]
fn more_events_than_a_step_pays_with_reversals_in_every_order() {
    let terms = "| event a x2 daily=1 | sum b 10 x2 next=1d";
    let events = ["a #1 at=1h", "a #2 at=2h", "a #3 at=1d", "b #4 at=30h amount=25"];
    let reversals = ["a #1 at=1h reversal", "b #4 at=30h amount=25 reversal"];
    assert_eq!(check_orders(terms, &[&events[..], &reversals].concat()), 720);
}
