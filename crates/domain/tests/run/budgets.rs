//! What is held, what goes beyond it, and what waits for budget.

use domain::budget::Level;
use domain::convert::{Funds, Write, convert};
use domain::ids::LineItemId;
use domain::money::Micros;
use domain::time::Day;

use crate::book::{Book, START};
use crate::script::{check, event};
use crate::terms::{Terms, UNIT};

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

#[test]
fn what_waits_for_budget_is_tried_again_by_time_alone() {
    check(
        "
        mission budget=1 expects=50+0 window=2d | event a | event b
            1h a #1                   => rewarded step_done
            2h b #2                   => parked awaiting_budget
            2h+10m-1s sweep           => 0
            2h+10m sweep              => 1
            2h+10m sweep              => 0
            2h+11m total 2            => ok
            2h+20m-1s sweep           => 0
            2h+20m sweep              => 1
            2h+20m look               => closed rewarded rewarded +1200 held 0 booked 2
            3h sweep                  => 0
            3h b #2                   => duplicate seen_before
        mission budget=1 expects=50+0 window=2d | event a hold=1h | event b
            1h a #1                   => pending on_hold
            2h b #2                   => parked awaiting_budget
            2h sweep                  => 1
            2h look                   => completed rewarded pending(awaiting_budget) +600 held 0 booked 1
        ",
    );
}

#[test]
fn as_much_is_paid_as_the_budget_leaves() {
    check(
        "
        mission budget=1 expects=20+2 window=10d | sum buy 1 x5
            0s look                   => started available +0 held 1 booked 0
            1h buy #1 amount=5        => rewarded step_done
            1h look                   => completed pending(awaiting_budget) +1800 held 0 booked 3
            2h total 2                => ok
            2h sweep                  => 1
            2h look                   => completed pending(awaiting_budget) +2400 held 0 booked 4
            2h sweep                  => 0
            3h buy #1 amount=5 reversal => rejected reversed
            3h look                   => closed reversed +0 held 0 booked 0
            4h buy #2 amount=4        => rewarded step_done
            4h look                   => closed rewarded +2400 held 0 booked 4
            4h sweep                  => 0
        mission budget=4 daily_budget=2 expects=25+0 window=10d | event a x2 | sum buy 1 x4
            1h a #1                   => rewarded step_done
            1h a #2                   => rewarded step_done
            2h buy #3 amount=4        => parked awaiting_budget
        ",
    );
}

#[test]
fn the_last_try_is_when_the_run_ends_and_then_the_reward_is_given_up() {
    check(
        "
        mission budget=1 expects=50+0 window=2d grace=1d | event a | event b
            1h a #1                   => rewarded step_done
            3d-1m b #2 at=1d          => parked awaiting_budget
            3d total 2                => ok
            3d sweep                  => 0
            3d+1s sweep               => 1
            3d+1s look                => closed rewarded rewarded +1200 held 0 booked 2
        mission budget=1 expects=50+0 window=2d | event a | event b
            1h a #1                   => rewarded step_done
            2h b #2                   => parked awaiting_budget
            2d+1s sweep               => 1
            2d+1s look                => closed rewarded expired(budget_spent) +600 held 0 booked 1
            3d total 9                => ok
            3d sweep                  => 0
            3d a #1 reversal          => rejected reversed
            4d sweep                  => 0
            4d look                   => closed reversed expired(budget_spent) +0 held 0 booked 0
        mission budget=1 expects=100+0 window=2d | event a
            1h a #1                   => rewarded step_done
            1h total 0                => ok
            2h a #1 reversal          => rejected reversed
            3h a #2                   => parked awaiting_budget
            3h look                   => closed pending(awaiting_budget) +0 held 0 booked 0
            3d sweep                  => 1
            3d look                   => closed reversed(budget_spent) +0 held 0 booked 0
            3d sweep                  => 0
        ",
    );
}

#[test]
fn a_level_that_does_not_know_the_day_is_asked_for_one_at_a_time() {
    let terms = "budget=9 daily_budget=9 expects=1+0 window=10d | sum buy 1 x5";
    let mut book = Book::started(&Terms::parse(terms));
    let event = event(&book, "buy", &mut "#1 amount=5".split(' '));
    let paid = |book: &Book, level: Level| {
        let funds = Funds::HeldAndMore.after_refusal(&level);
        let decided = convert(&book.loaded, book.snapshot(), &event, funds, START);
        let Write::Change(change) = decided.write else { unreachable!("an event of the run") };
        change.record.map_or(0, |record| record.messages.len())
    };
    let level = book.level();
    assert_eq!(paid(&book, level), 5);
    assert_eq!(paid(&book, Level { day: Day(level.day.0 + 1), ..level }), 1);
    assert_eq!(paid(&book, Level { line_item: LineItemId(2), ..level }), 1);
    book.set_total(Micros(2 * UNIT + 1));
    assert_eq!(paid(&book, book.level()), 2);
    let refused_twice = Funds::HeldAndMore.after_refusal(&level).after_refusal(&level);
    assert_eq!(refused_twice, Funds::HeldOnly);
}
