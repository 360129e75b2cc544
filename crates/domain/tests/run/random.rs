//! Random missions and random histories: what holds for all of them.
//!
//! Terms and commands are grown as text, so that a failing case reads like a table.

use domain::budget::Guard;
use domain::ids::Mode;
use domain::user::{Enrollment, PaidState, Phase};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::book::Book;
use crate::digest::Digest;
use crate::script::play;
use crate::terms::Terms;

/// One to four steps; a step comes `after` earlier ones only, so there is no cycle.
fn terms() -> impl Strategy<Value = String> {
    let step = |place: usize| {
        let rule = select(vec![
            "event a",
            "event b",
            "event c",
            "count a 2",
            "count b 3",
            "sum c 10",
            "days a 2",
            "quiz 2",
        ]);
        let role = select(vec!["", "", "", "optional", "bonus"]);
        let limit = select(vec!["", "", "x2", "x3"]);
        let window = select(vec!["", "", "within=1d", "next=1d"]);
        let hold = select(vec!["", "", "hold=24h"]);
        let after = subsequence((1..=place).collect::<Vec<_>>(), 0..=place.min(1));
        (rule, role, limit, any::<bool>(), (window, hold), after).prop_map(
            move |(rule, role, limit, is_daily, (window, hold), after)| {
                let daily = if is_daily && rule.starts_with("event") { "daily=1" } else { "" };
                let window = if place == 0 && window == "next=1d" { "" } else { window };
                let after = after.first().map_or(String::new(), |one| format!("after={one}"));
                format!("{rule} {role} {limit} {daily} {window} {hold} {after}")
            },
        )
    };
    let steps = (1_usize..=4).prop_flat_map(move |count| (0..count).map(step).collect::<Vec<_>>());
    (any::<bool>(), steps).prop_map(|(is_any, steps)| {
        let sequence = if is_any { "any " } else { "" };
        format!("{sequence}window=10d grace=1d | {}", steps.join(" | "))
    })
}

/// An event, as it is sent and as it is taken back.
fn event() -> impl Strategy<Value = String> {
    (select(vec!["a", "b", "c"]), 0..6_u32, 0..60_u32, 0..25_u32).prop_map(
        |(name, id, hours, amount)| {
            format!("{name} #{id}{hours}{amount} at={hours}h amount={amount}")
        },
    )
}

/// Sends and reversals of some events, each perhaps several times, in two orders.
fn two_orders() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    let sent = (event(), 1..3_usize, select(vec![0, 0, 0, 1, 2])).prop_map(
        |(event, copies, reversals)| {
            let mut all = vec![event.clone(); copies];
            all.extend(vec![format!("{event} reversal"); reversals]);
            all
        },
    );
    // The first step can always be tried; if it is no quiz, nothing comes of it.
    let misses = (0..4_usize).prop_map(|misses| vec!["quiz 1 choice=0".to_owned(); misses]);
    let all = (vec(sent, 0..9), misses).prop_map(|(all, misses)| [all.concat(), misses].concat());
    all.prop_flat_map(|all| (Just(all.clone()).prop_shuffle(), Just(all).prop_shuffle()))
}

/// What happens at growing moments: events, reversals, sweeps.
fn history() -> impl Strategy<Value = Vec<(u32, String)>> {
    let sent = event().prop_map(|event| event.split(" at=").next().unwrap_or_default().to_owned());
    let command = prop_oneof![
        6 => (sent, 0..25_u32).prop_map(|(event, amount)| format!("{event} amount={amount}")),
        2 => event(),
        2 => event().prop_map(|event| format!("{event} reversal")),
        1 => Just("sweep".to_owned()),
        1 => (0..3_u8).prop_map(|choice| format!("quiz 1 choice={choice}")),
    ];
    vec((0..20_u32, command), 0..30)
}

/// A run never goes back (S2), and what it keeps is never lost.
fn check_forward(before: &Enrollment, after: &Enrollment) {
    let is_forward = match before.phase {
        Phase::Open => true,
        Phase::Completed => matches!(after.phase, Phase::Completed | Phase::Closed),
        ended => after.phase == ended,
    };
    assert!(is_forward, "{:?} to {:?}", before.phase, after.phase);
    assert!(after.held.0 >= 0);
    for (before, after) in before.steps.iter().zip(&after.steps) {
        assert!(before.reached <= after.reached && before.latest_at <= after.latest_at);
        assert!(before.paid.len() <= after.paid.len());
        for (before, after) in before.paid.iter().zip(&after.paid) {
            assert!(rank(before.state) <= rank(after.state));
            assert_eq!(before.booked_at, after.booked_at);
        }
    }
    for (before, after) in before.seen.iter().zip(&after.seen) {
        assert_eq!((before.key, before.content), (after.key, after.content));
        assert_eq!((before.verdict, before.reason), (after.verdict, after.reason));
        assert!(before.reversed <= after.reversed);
    }
}

fn rank(state: PaidState) -> u8 {
    match state {
        PaidState::Pending { .. } => 0,
        PaidState::Rewarded => 1,
        PaidState::Reversed => 2,
    }
}

/// Where the whole is held, what is paid comes out of it: nothing ever asks for more while the run
/// goes on, and what is booked and held is never more than what was held at first.
fn check_full_hold(book: &Book, held_at_first: i64) {
    let run = book.run();
    let live = run.steps.iter().map(|step| step.split.payout.0 * i64::from(step.live()));
    let booked: i64 = live.sum();
    match book.loaded.state.mode {
        Mode::Live => assert!(booked + run.held.0 <= held_at_first),
        Mode::Test => assert_eq!(run.held.0, 0),
    }
    let (_, latest) = book.journal.last().expect("a record");
    let goes_beyond = latest.moves.iter().any(|by| by.guard == Guard::Extra);
    assert!(!goes_beyond || run.phase == Phase::Closed, "{latest:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_and_copies_make_no_difference(terms in terms(), (one, other) in two_orders()) {
        let start = Book::started(&Terms::parse(&terms));
        let [one, other] = [one, other].map(|commands| {
            let mut book = start.clone();
            for command in &commands {
                play(&mut book, &format!("3d {command}"));
            }
            assert_eq!(book.report(|_| {}).findings, []);
            book
        });
        prop_assert_eq!(Digest::of(&one), Digest::of(&other));
        let [one, other] = [one, other].map(|mut book| {
            book.sweep(crate::script::after_start("20d"));
            Digest::of(&book)
        });
        prop_assert_eq!(one, other);
    }

    #[test]
    fn every_history_goes_forward_and_keeps_its_books(
        terms in terms(),
        is_test in any::<bool>(),
        history in history(),
    ) {
        let terms = if is_test { format!("test {terms}") } else { terms };
        let mut book = Book::started(&Terms::parse(&terms));
        let held_at_first = Terms::parse(&terms).mission.payout_max().0;
        let mut hours = 0;
        for (wait, command) in history {
            let before = book.run().clone();
            hours += wait;
            play(&mut book, &format!("{hours}h {command}"));
            check_forward(&before, book.run());
            check_full_hold(&book, held_at_first);
            let transactions = book.journal.iter().flat_map(|(_, record)| &record.transactions);
            prop_assert!(transactions.into_iter().all(domain::ledger::Transaction::is_balanced));
        }
        book.sweep(crate::script::after_start(&format!("{hours}h")));
        prop_assert_eq!(book.report(|_| {}).findings, []);
    }
}
