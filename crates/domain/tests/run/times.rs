//! Deadlines, grace, step windows, holds that end and rewards that are released.

use crate::script::check;

#[test]
fn late_events_are_decided_to_the_second() {
    check(
        "
        mission window=2d grace=1d | event buy x9
            2d buy #1                 => rewarded step_done
            2d+1s look                => expired rewarded +600 held 8 booked 1
            2d+1s buy #2              => rewarded step_done
            3d buy #3 at=3d           => rewarded step_done
            3d buy #4 at=3d+1s        => rewarded step_done
            3d+1s buy #5 at=1d        => ignored late
            3d+1s buy #3 at=3d        => duplicate seen_before
            3d sweep                  => 0
            3d+1s sweep               => 1
            3d+1s look                => expired rewarded +2400 held 0 booked 4
            3d+1s buy #6 at=1d        => ignored late
        mission window=2d | event buy x9
            2d buy #1                 => rewarded step_done
            2d+1s buy #2 at=1d        => ignored late
        ",
    );
}

#[test]
fn a_run_ends_by_time_as_far_as_it_has_come() {
    check(
        "
        mission window=2d | event a | event b
            1h b #1                   => parked early
            2d look                   => started available pending(early) +0 held 2 booked 0
            2d+1s look                => expired expired expired(early) +0 held 2 booked 0
            2d+1s sweep               => 1
            2d+1s look                => expired expired expired +0 held 0 booked 0
            2d+1s sweep               => 0
        mission window=2d | event a | event b bonus
            1h a #1                   => rewarded step_done
            2d look                   => completed rewarded available +600 held 1 booked 1
            2d+1s look                => closed rewarded expired +600 held 1 booked 1
            3d sweep                  => 1
            3d look                   => closed rewarded expired +600 held 0 booked 1
        ",
    );
}

#[test]
fn a_step_has_its_own_window() {
    check(
        "
        mission window=10d grace=1d | event a within=1d | event b
            0s look                   => started available locked +0 held 2 booked 0
            1d+1s look                => started expired locked +0 held 2 booked 0
            3d a #1 at=2d+1s          => ignored late
            3d a #2 at=2d             => rewarded step_done
            4d b #3                   => rewarded step_done
        mission window=10d | event a x2 | event b next=1d
            1h a #1 at=1h             => rewarded step_done
            3d b #2 at=2d             => parked early
            3d a #3 at=12h            => rewarded step_done
            3d look                   => in_progress rewarded expired(outside_window) +1200 held 1 booked 2
            4d a #4 at=1d             => ignored limit_reached
            4d look                   => closed rewarded rewarded +1800 held 0 booked 3
        mission any window=10d | event a | event b next=1d
            5d b #1 at=3d             => parked outside_window
            5d a #2 at=2d             => rewarded step_done
            5d look                   => closed rewarded rewarded +1200 held 0 booked 2
        mission any window=10d | event a | event b next=1d
            5d b #1 at=3d+1s          => parked outside_window
            5d a #2 at=2d             => rewarded step_done
            5d look                   => in_progress rewarded expired(outside_window) +600 held 1 booked 1
        mission window=10d | event a within=1d bonus | event b
            3d a #1 at=2d             => ignored late
            3d b #2                   => rewarded step_done
            3d a #3 at=1d             => rewarded step_done
        ",
    );
}

#[test]
fn a_pending_reward_is_released_when_its_hold_ends() {
    check(
        "
        mission | event buy hold=24h x2 | event level pays=0
            1h buy #1                 => pending on_hold
            1h look                   => in_progress pending locked +0~600 held 1 booked 1
            1d+1h-1s sweep            => 0
            1d+1h sweep               => 1
            1d+1h look                => in_progress available locked +600 held 1 booked 1
            1d+2h buy #2              => pending on_hold
            1d+2h level #3            => rewarded step_done
            1d+2h look                => closed pending rewarded +600~600 held 0 booked 2
            3d sweep                  => 1
            3d look                   => closed rewarded rewarded +1200 held 0 booked 2
        mission window=2d | event buy hold=72h
            1h buy #1                 => pending on_hold
            2d+1s look                => closed pending +0~600 held 0 booked 1
            3d+1h sweep               => 1
            3d+1h look                => closed rewarded +600 held 0 booked 1
        ",
    );
}

#[test]
fn a_test_run_earns_points_and_moves_no_budget() {
    check(
        "
        mission test window=2d | event a x2 | event b hold=24h
            0s look                   => started available locked +0 held 0 booked 0
            1h a #1                   => rewarded step_done
            1h a #1 reversal          => rejected reversed
            2h a #2                   => rewarded step_done
            2h a #3                   => rewarded step_done
            3h b #4                   => pending on_hold
            2d sweep                  => 1
            2d look                   => closed rewarded rewarded +1800 held 0 booked 0
        ",
    );
}
