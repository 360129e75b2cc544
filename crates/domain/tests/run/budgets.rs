//! What is held, what goes beyond it, and what waits for budget.

use crate::script::check;

#[test]
fn the_whole_is_held_and_nothing_goes_beyond_it() {
    check(
        "
        mission budget=3 window=2d | event a | event b x2
            0s look                   => started available locked +0 held 3 booked 0
            1h a #1                   => rewarded step_done
            2h a #1 reversal          => rejected reversed
            2h look                   => in_progress reversed available +0 held 3 booked 0
            3h a #2                   => rewarded step_done
            4h b #3                   => rewarded step_done
            5h b #4                   => rewarded step_done
            5h look                   => closed rewarded rewarded +1800 held 0 booked 3
        ",
    );
}

#[test]
fn beyond_an_expected_share_there_is_the_budget_then_the_grace_then_waiting() {
    check(
        "
        mission budget=1 expects=25+1 window=2d | event a | event b | event c | event d
            0s look                   => started available locked locked locked +0 held 1 booked 0
            1h a #1                   => rewarded step_done
            2h b #2                   => rewarded step_done
            3h c #3                   => parked awaiting_budget
            3h look                   => in_progress rewarded rewarded pending(awaiting_budget) available +1200 held 0 booked 2
            4h total 2                => ok
            5h d #4                   => rewarded step_done
            5h look                   => completed rewarded rewarded pending(awaiting_budget) rewarded +1800 held 0 booked 3
            6h total 3                => ok
            7h a #5                   => ignored limit_reached
            7h look                   => closed rewarded rewarded rewarded rewarded +2400 held 0 booked 4
        mission budget=1 expects=50+0 window=2d | event a | event b
            1h a #1                   => rewarded step_done
            2h b #2                   => parked awaiting_budget
            2h b #2                   => duplicate seen_before
            3h a #1 reversal          => rejected reversed
            3h look                   => closed reversed rewarded +600 held 0 booked 1
        mission budget=1 expects=50+0 window=2d | event a | event b
            1h a #1                   => rewarded step_done
            2h b #2                   => parked awaiting_budget
            3d sweep                  => 1
            3d look                   => closed rewarded expired(budget_spent) +600 held 0 booked 1
        ",
    );
}
