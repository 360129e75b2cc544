//! More at once than one change may carry: each change keeps its limits, which [`Book`] looks at in
//! every commit, and the end is the same.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::book::Book;
use crate::digest::Digest;
use crate::script::{after_start, check, play};
use crate::terms::{Terms, UNIT};

#[test]
fn a_large_sum_is_paid_in_several_changes() {
    check(
        "
        mission budget=1000 window=10d | sum buy 1 x100
            1h buy #1 amount=100          => rewarded step_done
            1h look                       => completed pending(awaiting_budget) +24000 held 60 booked 40
            1h sweep                      => 2
            1h look                       => closed rewarded +60000 held 0 booked 100
            2h buy #1 amount=100 reversal => rejected reversed
            2h look                       => closed rewarded +48000 held 0 booked 80
            2h sweep                      => 4
            2h look                       => closed reversed +0 held 0 booked 0
            3h buy #2 amount=50           => rewarded step_done
            3h sweep                      => 1
            3h look                       => closed rewarded +30000 held 0 booked 50
        mission budget=1000 window=10d | sum buy 1 x100
            1h buy #1 amount=90           => rewarded step_done
            1h buy #1 amount=90 reversal  => rejected reversed
            1h look                       => in_progress available +12000 held 80 booked 20
            1h sweep                      => 1
            1h look                       => in_progress available +0 held 100 booked 0
        mission test window=10d | sum buy 1 x100 hold=1h
            1h buy #1 amount=100          => pending on_hold
            1h sweep                      => 2
            1h look                       => closed pending +0~60000 held 0 booked 0
            2h sweep                      => 3
            2h look                       => closed rewarded +60000 held 0 booked 0
        ",
    );
}

#[test]
fn what_one_change_had_no_room_for_is_paid_before_the_run_ends() {
    check(
        "
        mission budget=1000 window=2d | sum buy 1 x100 | event level
            2d buy #1 amount=90           => rewarded step_done
            2d+1s sweep                   => 2
            2d+1s look                    => expired rewarded expired +54000 held 0 booked 90
            9d buy #1 amount=90 reversal  => rejected reversed
            9d sweep                      => 4
            9d look                       => expired reversed expired +0 held 0 booked 0
        ",
    );
}

#[test]
fn an_event_that_sets_many_free_pays_them_in_several_changes() {
    let steps: Vec<String> = (1..=20).map(|step| format!("event e{step} x3")).collect();
    let mut book = Book::started(&Terms::parse(&format!("budget=60 | {}", steps.join(" | "))));
    for step in (2..=20).rev() {
        for id in 1..=3 {
            assert_eq!(play(&mut book, &format!("1h e{step} #{id}")), "parked early");
        }
    }
    for (id, booked) in [(1, 1), (2, 2), (3, 42)] {
        assert_eq!(play(&mut book, &format!("2h e1 #{id}")), "rewarded step_done");
        assert_eq!(book.used().booked.0, booked * UNIT);
    }
    assert_eq!(play(&mut book, "2h sweep"), "1");
    assert_eq!((book.used().booked.0, book.loaded.state.balance.0), (60 * UNIT, 36_000));
    assert_eq!(book.report(|_| {}).findings, []);
}

fn terms() -> impl Strategy<Value = String> {
    let rule = select(vec!["sum a 1", "sum a 2", "sum b 1", "sum b 3", "event c", "count c 2"]);
    let extra = select(vec!["", "", "optional", "bonus", "hold=1h", "pays=0"]);
    let step = (rule, 1..120_u32, extra)
        .prop_map(|(rule, limit, extra)| format!("{rule} x{limit} {extra}"));
    (select(vec!["", "any "]), vec(step, 1..6)).prop_map(|(sequence, steps)| {
        format!("{sequence}budget=100000 window=10d grace=1d | {}", steps.join(" | "))
    })
}

fn sent() -> impl Strategy<Value = (String, bool)> {
    let event = (select(vec!["a", "b", "c"]), 0..9_u32, 1..150_u32, 0..60_u32);
    let event = event.prop_map(|(name, id, amount, hours)| {
        format!("{name} #{id}{amount}{hours} amount={amount} at={hours}h")
    });
    (event, select(vec![false, false, true]))
}

/// Events and reversals of some of them, in two orders.
fn two_orders() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    let all = vec(sent(), 1..12).prop_map(|all| {
        let both = all.into_iter().map(|(event, is_reversed)| {
            let reversal = is_reversed.then(|| format!("{event} reversal"));
            std::iter::once(event).chain(reversal)
        });
        both.flatten().collect::<Vec<_>>()
    });
    all.prop_flat_map(|all| (Just(all.clone()).prop_shuffle(), Just(all).prop_shuffle()))
}

/// That every step is paid as often as its events earn.
fn check_paid(book: &Book, terms: &Terms) {
    for (progress, step) in book.run().steps.iter().zip(&terms.mission.steps) {
        let earned = (progress.progress / step.rule.need()).min(step.repeat.limit.into());
        assert_eq!(u64::from(progress.live()), earned, "{step:?}");
    }
    assert_eq!(book.run().retry_at, None);
    assert_eq!(book.report(|_| {}).findings, []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bursts_end_as_if_a_change_had_no_limits(text in terms(), (one, other) in two_orders()) {
        let terms = Terms::parse(&text);
        let start = Book::started(&terms);
        let [one, other] = [(one, false), (other, true)].map(|(commands, sweeps_between)| {
            let mut book = start.clone();
            for command in &commands {
                play(&mut book, &format!("3d {command}"));
                if sweeps_between {
                    book.sweep(after_start("3d"));
                }
            }
            book.sweep(after_start("3d"));
            check_paid(&book, &terms);
            book
        });
        prop_assert_eq!(Digest::of(&one), Digest::of(&other));
        let [one, other] = [one, other].map(|mut book| {
            book.sweep(after_start("20d"));
            check_paid(&book, &terms);
            Digest::of(&book)
        });
        prop_assert_eq!(one, other);
    }

    #[test]
    fn a_scarce_budget_is_used_up_and_the_rest_is_paid_when_there_is_more(
        share in 0..101_u32,
        total in 1..100_i64,
        commands in vec((sent(), 0..3_u32), 1..12),
    ) {
        let text = format!("any budget={total} expects={share}+3 window=10d | sum a 1 x50 | sum b 2 x60 | event c x5");
        let mut terms = Terms::parse(&text);
        terms.line_item.budget.0 = terms.line_item.budget.0.max(165 * UNIT * i64::from(share) / 100);
        let mut book = Book::started(&terms);
        let mut minutes = 3 * 24 * 60;
        for ((event, is_reversed), pauses) in commands {
            let is_sent = play(&mut book, &format!("{minutes}m {event}"));
            if is_reversed && !is_sent.starts_with("rejected event_conflict") {
                play(&mut book, &format!("{minutes}m {event} reversal"));
            }
            minutes += 10 * pauses;
            book.sweep(after_start(&format!("{minutes}m")));
        }
        book.sweep(after_start(&format!("{}m", minutes + 10)));
        let level = book.level();
        let left = level.limits.total.0 + level.limits.grace.0 - level.total.committed().0;
        prop_assert!(book.run().retry_at.is_none() || left < UNIT, "{left} is left");
        prop_assert!(left >= 0);
        book.set_total(domain::money::Micros(1_000 * UNIT));
        book.sweep(after_start(&format!("{}m", minutes + 20)));
        check_paid(&book, &terms);
    }
}
