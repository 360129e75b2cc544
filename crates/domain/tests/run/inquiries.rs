//! "I did not get my reward": what the evidence answers by itself.

use domain::inquire::{MESSAGE_CHARS_MAX, message_problem};
use domain::verdict::Finding;

use crate::script::check;

#[test]
fn what_is_booked_answers_first() {
    check(
        "
        mission | event buy x2 | event level
            1h buy #1                 => rewarded step_done
            2h ask 1                  => paid +600 at=1h
            3h buy #2                 => rewarded step_done
            4h buy #3                 => ignored limit_reached
            5h ask 1                  => paid +600 at=3h
            6h buy #2 reversal        => ignored nothing_to_reverse
            6h buy #3 reversal        => rejected reversed
            7h ask 1                  => taken_back +600 at=3h
        mission | event buy hold=24h
            1h buy #1                 => pending on_hold
            2h ask 1                  => on_hold +600 until=25h
            25h sweep                 => 1
            26h ask 1                 => paid +600 at=1h
            27h buy #1 reversal       => rejected reversed
            28h ask 1                 => taken_back +600 at=1h
        mission | event a pays=0
            1h a #1                   => rewarded step_done
            2h ask 1                  => paid +0 at=1h
        ",
    );
}

#[test]
fn what_waits_says_for_what() {
    check(
        "
        mission window=2d | event a | event b
            0s ask 2                  => waiting_for_step needs=1 until=48h
            1h b #1                   => parked early
            2h ask 2                  => waiting_for_step needs=1 until=48h
            3h a #2                   => rewarded step_done
            4h ask 2                  => paid +600 at=3h
        mission any window=10d | event a | event b next=1d
            1h b #1                   => parked outside_window
            2h ask 2                  => waiting_for_step needs=1 until=240h
            3d b #2                   => parked outside_window
            3d a #3 at=3h             => rewarded step_done
            3d ask 2                  => paid +600 at=72h
        mission any window=10d | event a x2 | event b next=1d
            1h a #1                   => rewarded step_done
            3d b #2                   => parked outside_window
            3d ask 2                  => did_not_count(outside_window)
        mission window=2d | count a 3
            1h a #1                   => parked counting
            2h a #2                   => parked counting
            3h ask 1                  => counting 2/3 until=48h
            49h ask 1                 => too_late at=48h
        mission | sum buy 10 x2
            1h buy #1 amount=12       => rewarded step_done
            2h ask 1                  => counting 2/10 until=336h
        mission window=2d budget=1 expects=50+0 | event a | event b
            1h a #1                   => rewarded step_done
            2h b #2                   => parked awaiting_budget
            3h ask 2                  => open waiting_for_budget +600
            2d+1s sweep               => 1
            2d+1s ask 2               => open needs_support(budget_spent) +600
        ",
    );
}

#[test]
fn what_was_reported_says_why_it_does_not_count() {
    check(
        "
        mission window=10d | event buy
            1h buy #1 organic         => ignored organic
            2h ask 1                  => did_not_count(organic)
            3h buy #2 rejected        => rejected partner_rejected
            4h ask 1                  => did_not_count(partner_rejected)
            5h buy #3 reversal        => parked reversal_waits
            6h ask 1                  => did_not_count(partner_rejected)
            7h buy #3                 => rejected reversed
            8h ask 1                  => did_not_count(reversed)
            9h buy #4                 => rewarded step_done
            10h ask 1                 => paid +600 at=9h
        mission window=10d | event a | event b
            5h b #1 by=2              => rejected other_advertiser
            6h ask 2                  => open needs_support(other_advertiser)
            7h b #2                   => parked early
            8h ask 2                  => waiting_for_step needs=1 until=240h
        mission | event buy x3 daily=1
            1h buy #1                 => rewarded step_done
            1h ask 1                  => paid +600 at=1h
            2h buy #2                 => ignored daily_limit
            3h ask 1                  => did_not_count(daily_limit)
            1d buy #3                 => rewarded step_done
            1d+1h ask 1               => paid +600 at=24h
        mission | sum buy 10
            1h buy #1                 => ignored amount_missing
            2h ask 1                  => open needs_support(amount_missing)
            3h buy #1 amount=3        => rejected event_conflict
            4h ask 1                  => open needs_support(event_conflict)
            5h buy #2 amount=3 in=JPY => ignored currency_mismatch
            6h ask 1                  => open needs_support(currency_mismatch)
            7h buy #2 amount=3 in=JPY => duplicate seen_before
            8h ask 1                  => open needs_support(currency_mismatch)
        mission window=10d | event buy within=1d | event other
            2h dance #1               => ignored no_such_step
            2h ask 1                  => not_seen_yet until=26h
            3d buy #2                 => ignored late
            3d ask 1                  => too_late at=24h
        ",
    );
}

#[test]
fn what_was_never_seen_gets_a_day_and_then_a_person() {
    check(
        "
        mission window=10d | event buy | event level
            1h ask 1                  => not_seen_yet until=25h
            5h ask 1                  => not_seen_yet until=25h
            25h ask 1                 => open needs_support
            26h buy #1                => rewarded step_done
            27h ask 1                 => paid +600 at=26h
            27h ask 2                 => not_seen_yet until=51h
        mission window=2d grace=1d | event buy
            60h ask 1                 => not_seen_yet until=72h
            3d+1s ask 1               => open needs_support
        mission window=2d grace=1d | event a | event b
            1h a #1                   => rewarded step_done
            3d+1s ask 2               => too_late at=48h
            4d sweep                  => 1
            4d ask 2                  => too_late at=48h
        mission window=2d | event a | event b
            1h b #1                   => parked early
            3d sweep                  => 1
            3d ask 2                  => too_late at=48h
        mission any window=10d | event a within=1d | event a
            3d a #1 at=2d             => rewarded step_done
            4d ask 1                  => too_late at=24h
        ",
    );
}

#[test]
fn own_steps_are_known_at_once() {
    check(
        "
        mission window=10d | visit 30s | quiz 2 | check_in x2 hold=1h
            1h ask 1                  => not_done until=240h
            1h visit 2                => ignored locked
            1h ask 2                  => waiting_for_step needs=1 until=240h
            2h visit 1                => parked visit_started
            2h ask 1                  => did_not_count(visit_started)
            2h+3s visit 1             => parked too_soon
            2h+4s ask 1               => did_not_count(too_soon)
            2h+30s visit 1            => rewarded step_done
            3h ask 1                  => paid +600 at=2h
            3h ask 2                  => not_done until=240h
            3h quiz 2 choice=0        => rejected wrong_answer
            3h ask 2                  => did_not_count(wrong_answer)
            3h quiz 2 choice=2        => rejected wrong_answer
            4h quiz 2 choice=1        => rejected no_attempts
            4h ask 2                  => did_not_count(no_attempts)
            4h ask 3                  => did_not_count(no_attempts)
            11d sweep                 => 0
        mission window=10d | check_in x2
            1h check_in 1             => rewarded step_done
            2h check_in 1             => duplicate seen_before
            2h ask 1                  => paid +600 at=1h
        ",
    );
}

#[test]
fn messages_are_short_and_printable() {
    let longest = "가".repeat(MESSAGE_CHARS_MAX);
    for message in ["", "I did it!", "first\r\nsecond 🎲", &longest] {
        assert_eq!(message_problem(message), None, "{message}");
    }
    for message in ["a\0", "\u{1b}[31m", "\u{7f}", "a\tb", &format!("{longest}!")] {
        assert!(message_problem(message).is_some(), "{message:?}");
    }
}

#[test]
fn every_finding_has_a_code_and_a_sentence_of_its_own() {
    let all = Finding::ALL;
    let codes: std::collections::BTreeSet<_> = all.iter().map(|one| one.code()).collect();
    let sentences: std::collections::BTreeSet<_> = all.iter().map(|one| one.sentence()).collect();
    assert_eq!((codes.len(), sentences.len()), (all.len(), all.len()));
}
