//! Steps that are verified here: visits, quizzes and check-ins.

use crate::script::check;

#[test]
fn a_visit_has_to_last() {
    check(
        "
        mission | visit 30s x2 daily=1 | event buy
            1h visit 1                => parked visit_started
            1h+29s visit 1            => parked too_soon
            1h+30s visit 1            => rewarded step_done
            1h+31s visit 1            => ignored daily_limit
            1d visit 1                => parked visit_started
            1d+1m visit 1             => rewarded step_done
            2d visit 1                => duplicate limit_reached
            2d look                   => in_progress rewarded available +1200 held 1 booked 2
            2d visit 2                => rejected not_verified_here
        ",
    );
}

#[test]
fn a_quiz_has_its_attempts() {
    check(
        "
        mission | quiz 2
            1h quiz 1 choice=0        => rejected wrong_answer
            1h quiz 1 choice=1        => rewarded step_done
            1h quiz 1 choice=1        => duplicate limit_reached
        mission | quiz 2 | event buy
            1h quiz 1 choice=0        => rejected wrong_answer
            1h quiz 1 choice=2        => rejected wrong_answer
            1h quiz 1 choice=1        => rejected no_attempts
            1h look                   => started rejected locked +0 held 2 booked 0
        mission | quiz 1 x2
            1h quiz 1 choice=1        => rewarded step_done
            1h quiz 1 choice=1        => rewarded step_done
            1h look                   => closed rewarded +1200 held 0 booked 2
        ",
    );
}

#[test]
fn a_check_in_counts_once_a_day_of_the_line_item() {
    check(
        "
        mission | check_in x3
            0s check_in 1             => rewarded step_done
            1h check_in 1             => duplicate seen_before
            14h-1s check_in 1         => duplicate seen_before
            14h check_in 1            => rewarded step_done
            2d check_in 1             => rewarded step_done
            3d check_in 1             => duplicate limit_reached
        mission offset=540 | check_in x3
            0s check_in 1             => rewarded step_done
            5h-1s check_in 1          => duplicate seen_before
            5h check_in 1             => rewarded step_done
        ",
    );
}

#[test]
fn an_own_step_knows_its_order_and_its_time() {
    check(
        "
        mission window=2d grace=1d | event a | check_in hold=24h
            1h check_in 2             => ignored locked
            2h a #1                   => rewarded step_done
            3h check_in 2             => pending on_hold
            3h look                   => closed rewarded pending +600~600 held 0 booked 2
        mission window=2d | check_in
            2d+1s check_in 1          => ignored late
            3d sweep                  => 1
            3d check_in 1             => ignored late
        ",
    );
}
