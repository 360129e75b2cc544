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
            1h look                   => closed rejected(no_attempts) rejected(no_attempts) +0 held 0 booked 0
            1h buy #1                 => ignored no_attempts
            3d sweep                  => 0
        mission | quiz 1 x2
            1h quiz 1 choice=1        => rewarded step_done
            1h quiz 1 choice=1        => rewarded step_done
            1h look                   => closed rewarded +1200 held 0 booked 2
        ",
    );
}

#[test]
fn a_lost_quiz_takes_with_it_what_waits_for_it_and_nothing_else() {
    check(
        "
        mission any | event a | quiz 1 pays=2 | event b after=2 pays=3 | event c after=3 pays=4
            1h c #1                   => parked early
            1h quiz 2 choice=0        => rejected wrong_answer
            1h look                   => started available rejected(no_attempts) rejected(no_attempts) rejected(no_attempts) +0 held 1 booked 0
            2h c #1 reversal          => ignored nothing_to_reverse
            2h a #2                   => rewarded step_done
            2h look                   => closed rewarded rejected(no_attempts) rejected(no_attempts) rejected(no_attempts) +600 held 0 booked 1
            3h b #3                   => ignored no_attempts
            4h a #2 reversal          => rejected reversed
            4h look                   => closed reversed rejected(no_attempts) rejected(no_attempts) rejected(no_attempts) +0 held 0 booked 0
        mission | event a | quiz 1 bonus | event b bonus
            1h a #1                   => rewarded step_done
            1h quiz 2 choice=0        => rejected wrong_answer
            1h look                   => completed rewarded rejected(no_attempts) available +600 held 1 booked 1
            1h a #1 reversal          => rejected reversed
            1h look                   => completed reversed rejected(no_attempts) available +0 held 2 booked 0
            2h b #2                   => rewarded step_done
            2h look                   => closed reversed rejected(no_attempts) rewarded +600 held 0 booked 1
        mission | quiz 1 x3 pays=2
            1h quiz 1 choice=1        => rewarded step_done
            1h quiz 1 choice=0        => rejected wrong_answer
            1h look                   => closed rewarded(no_attempts) +1200 held 0 booked 2
            1h quiz 1 choice=1        => rejected no_attempts
        mission budget=1 expects=50+0 | event a | quiz 1
            1h a #1                   => rewarded step_done
            1h quiz 2 choice=0        => rejected wrong_answer
            1h look                   => closed rewarded rejected(no_attempts) +600 held 0 booked 1
        mission test | quiz 1
            1h quiz 1 choice=0        => rejected wrong_answer
            1h look                   => closed rejected(no_attempts) +0 held 0 booked 0
        ",
    );
}

#[test]
fn what_is_owed_is_paid_before_a_lost_run_closes() {
    check(
        "
        mission budget=2 expects=50+0 | event a pays=2 | event b | quiz 1
            1h a #1                   => rewarded step_done
            1h b #2                   => parked awaiting_budget
            1h quiz 3 choice=0        => rejected wrong_answer
            1h look                   => in_progress rewarded pending(awaiting_budget) rejected(no_attempts) +1200 held 0 booked 2
            1h total 3                => ok
            2h sweep                  => 1
            2h look                   => closed rewarded rewarded rejected(no_attempts) +1800 held 0 booked 3
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
