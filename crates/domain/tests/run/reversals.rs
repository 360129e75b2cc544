//! What is taken back: after its event, before it, while it waits, and when another takes its place.

use crate::script::check;

#[test]
fn a_reversal_takes_back_what_its_event_earned_and_nothing_else() {
    check(
        "
        mission | event a | event b
            1h a #1                   => rewarded step_done
            2h a #1 reversal          => rejected reversed
            2h look                   => in_progress reversed available +0 held 2 booked 0
            3h a #1 reversal          => duplicate seen_before
            3h a #1                   => duplicate seen_before
            4h b #2                   => rewarded step_done
            4h look                   => closed reversed rewarded +600 held 0 booked 1
        mission window=2d | event buy hold=24h
            1h buy #1                 => pending on_hold
            2h buy #1 reversal        => rejected reversed
            2h look                   => closed reversed +0 held 0 booked 0
            3d sweep                  => 0
        mission window=2d grace=1d | event buy
            1h buy #1                 => rewarded step_done
            9d buy #1 reversal        => rejected reversed
            9d look                   => closed reversed +0 held 0 booked 0
        ",
    );
}

#[test]
fn a_reversal_before_its_event_leaves_a_tombstone() {
    check(
        "
        mission | event a | event b
            1h a #1 reversal          => parked reversal_waits
            1h a #1 reversal          => duplicate seen_before
            2h a #1                   => rejected reversed
            2h look                   => in_progress reversed available +0 held 2 booked 0
            2h a #1                   => duplicate seen_before
            3h b #2                   => rewarded step_done
            3h look                   => closed reversed rewarded +600 held 0 booked 1
        ",
    );
}

#[test]
fn an_event_that_waits_or_counts_is_taken_back_without_losing_what_it_opens() {
    check(
        "
        mission | event a | event b | event c
            1h b #1                   => parked early
            2h b #1 reversal          => rejected reversed
            2h look                   => started available locked locked +0 held 3 booked 0
            3h a #2                   => rewarded step_done
            3h look                   => in_progress rewarded reversed available +600 held 2 booked 1
            4h c #3                   => rewarded step_done
        mission | count a 3
            1h a #1                   => parked counting
            2h a #2                   => parked counting
            3h a #1 reversal          => rejected reversed
            3h look                   => in_progress available[1/3] +0 held 1 booked 0
            4h a #3                   => parked counting
            5h a #4                   => rewarded step_done
        mission | sum a 10
            1h a #1 amount=8          => parked counting
            2h a #1 reversal          => rejected reversed
            3h a #2 amount=9          => parked counting
            4h a #3 amount=1          => rewarded step_done
            4h a #2 reversal          => rejected reversed
            4h look                   => closed reversed[1/10] +0 held 0 booked 0
        ",
    );
}

#[test]
fn an_event_beyond_the_limit_takes_the_place_of_one_that_is_taken_back() {
    check(
        "
        mission | event buy
            1h buy #1                 => rewarded step_done
            2h buy #2                 => ignored limit_reached
            3h buy #1 reversal        => ignored nothing_to_reverse
            3h look                   => closed rewarded +600 held 0 booked 1
            4h buy #2 reversal        => rejected reversed
            4h look                   => closed reversed +0 held 0 booked 0
            5h buy #3                 => rewarded step_done
            5h look                   => closed rewarded +600 held 0 booked 1
        mission | event buy x2 daily=1
            1h buy #1                 => rewarded step_done
            2h buy #2                 => ignored daily_limit
            3h buy #1 reversal        => ignored nothing_to_reverse
            4h buy #2 reversal        => rejected reversed
            4h look                   => in_progress available +0 held 2 booked 0
            5h buy #3                 => rewarded step_done
        mission | event buy x2
            1h buy #1                 => rewarded step_done
            2h buy #1 reversal        => rejected reversed
            3h buy #2                 => rewarded step_done
            3h look                   => closed rewarded +600 held 0 booked 1
            4h buy #3                 => rewarded step_done
            4h look                   => closed rewarded +1200 held 0 booked 2
        ",
    );
}

#[test]
fn what_earned_nothing_cannot_be_taken_back() {
    check(
        "
        mission window=2d | sum buy 5
            1h buy #1                 => ignored amount_missing
            2h buy #1 reversal        => ignored nothing_to_reverse
            3h buy #2 reversal by=2   => rejected other_advertiser
        ",
    );
}
