//! Which steps are open, how often they pay, and what completes a run.

use domain::user::{EVENTS_MAX, PARKED_MAX, SPARES_MAX};
use domain::view;

use crate::book::{Book, START};
use crate::script::{check, play};
use crate::terms::Terms;

#[test]
fn required_steps_come_in_order_and_a_bonus_when_it_likes() {
    check(
        "
        mission | event install | event level pays=2 | event buy pays=3 bonus
            0s look               => started available locked available +0 held 6 booked 0
            1h install #1         => rewarded step_done
            1h look               => in_progress rewarded available available +600 held 5 booked 1
            2h buy #2             => rewarded step_done
            3h level #3           => rewarded step_done
            3h look               => closed rewarded rewarded rewarded +3600 held 0 booked 6
        mission | event install | event level optional pays=2 | event buy
            1h install #1         => rewarded step_done
            2h buy #2             => rewarded step_done
            2h look               => completed rewarded available rewarded +1200 held 2 booked 2
            3h level #3           => rewarded step_done
            3h look               => closed rewarded rewarded rewarded +2400 held 0 booked 4
        mission any | event a | event b | event c after=1,2
            1h c #1               => parked early
            2h b #2               => rewarded step_done
            2h look               => in_progress available rewarded pending(early) +600 held 2 booked 1
            3h a #3               => rewarded step_done
            3h look               => closed rewarded rewarded rewarded +1800 held 0 booked 3
        mission | event a | event b bonus after=1
            1h b #1               => parked early
            2h a #2               => rewarded step_done
            2h look               => closed rewarded rewarded +1200 held 0 booked 2
        ",
    );
}

#[test]
fn early_events_wait_however_far_ahead_they_are() {
    check(
        "
        mission | event a | event b | event c
            1h c #1               => parked early
            2h b #2               => parked early
            2h look               => started available pending(early) pending(early) +0 held 3 booked 0
            3h a #3               => rewarded step_done
            3h look               => closed rewarded rewarded rewarded +1800 held 0 booked 3
            3h c #1               => duplicate seen_before
        ",
    );
}

#[test]
fn one_event_counts_for_every_step_that_asks_for_it() {
    check(
        "
        mission | event open | count open 3
            1h open #1            => rewarded step_done
            1h look               => in_progress rewarded available[1/3] +600 held 1 booked 1
            2h open #2            => parked counting
            3h open #3            => rewarded step_done
            4h open #4            => ignored limit_reached
        mission any | event open after=2 | event open
            1h open #1            => rewarded step_done
            1h look               => closed rewarded rewarded +1200 held 0 booked 2
        ",
    );
}

#[test]
fn a_step_pays_as_often_as_its_terms_say() {
    check(
        "
        mission | event buy x3 daily=2
            0s buy #1             => rewarded step_done
            1h buy #2             => rewarded step_done
            2h buy #3             => ignored daily_limit
            2h look               => in_progress available +1200 held 1 booked 2
            1d buy #4             => rewarded step_done
            2d buy #5             => ignored limit_reached
            2d look               => closed rewarded +1800 held 0 booked 3
        mission | count level 2 x2
            1h level #1           => parked counting
            2h level #2           => rewarded step_done
            2h level #2           => duplicate seen_before
            3h level #3           => parked counting
            3h look               => in_progress available[1/2] +600 held 1 booked 1
            4h level #4           => rewarded step_done
        mission | sum buy 10 x3
            1h buy #1 amount=4          => parked counting
            1h look                     => in_progress available[4/10] +0 held 3 booked 0
            2h buy #2 amount=17 in=USD  => rewarded step_done
            2h look                     => in_progress available[1/10] +1200 held 1 booked 2
            3h buy #3 amount=9 in=KRW   => ignored currency_mismatch
            4h buy #4                   => ignored amount_missing
            5h buy #5 amount=0          => ignored amount_missing
            6h buy #6 amount=9          => rewarded step_done
        mission | days open 3
            0s open #1            => parked counting
            1h open #2            => ignored daily_limit
            1d open #3            => parked counting
            2d open #4            => rewarded step_done
        mission offset=540 | days open 2
            0s open #1            => parked counting
            4h open #2            => ignored daily_limit
            5h open #3            => rewarded step_done
        ",
    );
}

#[test]
fn events_are_told_apart_by_their_ids_or_else_by_their_moments() {
    check(
        "
        mission | event buy x5
            1h buy #1 at=1h           => rewarded step_done
            2h buy #1 at=1h           => duplicate seen_before
            3h buy #1 at=2h           => rejected event_conflict
            4h buy #1 at=1h amount=5  => rejected event_conflict
            5h buy at=5h              => rewarded step_done
            6h buy at=5h              => duplicate seen_before
            7h buy at=7h              => rewarded step_done
            8h look                   => in_progress available +1800 held 2 booked 3
        ",
    );
}

#[test]
fn what_can_never_earn_is_refused_with_its_reason() {
    check(
        "
        mission | event buy
            1h buy #1 organic          => ignored organic
            1h buy #1 rejected         => rejected partner_rejected
            1h sell #1                 => ignored no_such_step
            1h buy #1 by=2             => rejected other_advertiser
            1h buy #1 at=0s-11m        => ignored before_participation
            1h look                    => started available +0 held 1 booked 0
            1h buy #1 at=0s-10m        => rewarded step_done
            2h buy #1 at=0s-10m rejected => duplicate seen_before
        ",
    );
}

#[test]
fn a_run_remembers_so_many_events_beyond_a_limit() {
    let mut book = Book::started(&Terms::parse("| event open"));
    assert_eq!(play(&mut book, "1h open #0"), "rewarded step_done");
    for number in 1..=SPARES_MAX + 1 {
        assert_eq!(play(&mut book, &format!("1h open #{number}")), "ignored limit_reached");
    }
    assert_eq!(book.run().seen.len(), 1 + SPARES_MAX);
    assert_eq!(book.report(|_| {}).findings, []);
}

#[test]
fn an_event_that_finds_no_room_to_wait_counts_when_it_comes_again() {
    let mut book = Book::started(&Terms::parse("| event open | event buy x100"));
    for number in 0..PARKED_MAX {
        assert_eq!(play(&mut book, &format!("1h buy #{number}")), "parked early");
    }
    assert_eq!(play(&mut book, "1h buy #x"), "rejected too_many_events");
    assert_eq!(play(&mut book, "1h open #1"), "rewarded step_done");
    assert_eq!(play(&mut book, "1h buy #x"), "rewarded step_done");
    assert_eq!(play(&mut book, "1h buy #x"), "duplicate seen_before");
}

#[test]
fn a_run_takes_so_many_events_and_the_reversal_of_each() {
    let mut book = Book::started(&Terms::parse("| count open 1000 | event buy"));
    for number in 0..EVENTS_MAX - 1 {
        assert_eq!(play(&mut book, &format!("1h open #{number}")), "parked counting");
    }
    assert_eq!(play(&mut book, "1h buy #1"), "parked early");
    assert_eq!(play(&mut book, "1h open #x"), "rejected too_many_events");
    assert_eq!(play(&mut book, "1h open #x reversal"), "rejected too_many_events");
    assert_eq!(play(&mut book, "1h open #7 reversal"), "rejected reversed");
    assert_eq!(play(&mut book, "1h open #7"), "duplicate seen_before");
}

#[test]
fn a_mission_looks_the_same_just_before_and_just_after_its_start() {
    for terms in [
        "| event a | event b | event c optional | event d bonus after=1",
        "any | event a | event b after=1 | check_in x3",
        "| event a bonus | event b | event c pays=2 x2",
    ] {
        let terms = Terms::parse(terms);
        let book = Book::started(&terms);
        for place in 0..terms.mission.steps.len() {
            let state = view::step_view(book.run(), &terms.mission, place, START).state;
            let is_locked = view::is_locked_at_start(&terms.mission, place);
            assert_eq!(state == view::StepState::Locked, is_locked);
        }
        let whole = terms.mission.payout_max().0 * 600 / 1_000_000;
        assert_eq!(view::remaining(book.run(), &terms.mission).0, whole);
    }
    let mission = Terms::parse("any | quiz 1 | event a after=1 | event b pays=2").mission;
    let mut book = Book::started(&Terms::parse("any | quiz 1 | event a after=1 | event b pays=2"));
    play(&mut book, "1h quiz 1 choice=0");
    assert_eq!(view::remaining(book.run(), &mission).0, 1_200);
    let mut book = Book::started(&Terms::parse("| event a x2 | event b pays=2"));
    play(&mut book, "1h a #1");
    let mission = Terms::parse("| event a x2 | event b pays=2").mission;
    assert_eq!(view::remaining(book.run(), &mission).0, 600 + 1_200);
}
