//! Budgets are exact: users start, finish, are taken back and run out of time on three nodes at once,
//! and the figures are those of what was acknowledged.

use std::ops::AddAssign;
use std::time::Instant;

use serde_json::Value;

use super::fleet::{Fleet, NODES, budget};
use crate::support::PATIENCE;
use crate::support::catalog::{AMPLE, GENERIC, campaign, noon, on_event};
use crate::support::chance::Chance;
use crate::support::clock::Clock;
use crate::support::crowd::in_turns;
use crate::support::http::{Client, Request, form};
use crate::support::people::{User, Verdict, convert};
use crate::support::problem::problem_code;
use crate::support::shape::Shape;

/// Months, at the end of which everything open has run out of time.
const MONTHS: usize = 4;
/// Users of one month.
const USERS: usize = 250;
/// What a reward costs.
const UNIT: i64 = 1_000_000;
/// Units that one line item may spend at all, and another one a day.
const TOTAL_UNITS: i64 = 150;
const DAILY_UNITS: i64 = 50;
/// Participations that a third one takes.
const STARTS: i64 = 260;
/// The line items: with a budget, a daily budget, a limit of participations.
const ITEMS: [u32; 3] = [201, 202, 203];
/// Longer than anybody has for a mission.
const MONTH_HOURS: i64 = 31 * 24;

/// What was acknowledged about one line item.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Tally {
    starts: i64,
    booked: i64,
    refused: i64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.starts += other.starts;
        self.booked += other.booked;
        self.refused += other.refused;
    }
}

pub(crate) async fn budgets_are_exact_whatever_becomes_of_what_they_promise(shape: Shape) {
    let noon = noon(Clock::default().now_s());
    let settings = [
        format!("budget = {}", TOTAL_UNITS * UNIT),
        format!("{AMPLE}\ndaily_budget = {}\n{noon}", DAILY_UNITS * UNIT),
        format!("{AMPLE}\ncaps = {{ total = {STARTS} }}"),
    ];
    let step = on_event("install", UNIT);
    let items = ITEMS.iter().zip(&settings).map(|(id, settings)| campaign(*id, settings, &[&step]));
    let fleet = Fleet::start(shape).await;
    let apply = Request::post("/v1/admin/catalog/apply").bearer(&fleet.nodes[0].admin_key);
    let apply = apply.body("application/toml", items.collect::<String>());
    fleet.doors.at(0).send(&apply).await.expect(200);
    until_all_know(&fleet).await;
    let mut all = [Tally::default(); ITEMS.len()];
    for month in 0..MONTHS {
        let of_month = live_a_month(&fleet, month).await;
        check_the_day(&fleet, &of_month).await;
        fleet.nodes[0].clock.forward_hours(MONTH_HOURS);
        for (place, tally) in of_month.into_iter().enumerate() {
            all[place] += tally;
            check_the_rest(&fleet, ITEMS[place], &all[place]).await;
        }
    }
    println!("{all:?}");
    assert!(all.iter().all(|tally| tally.refused > 0), "a limit was never reached: {all:?}");
    assert_eq!(all[2].starts, STARTS, "a limit of participations is reached exactly");
    fleet.finish(&[]);
}

/// Waits until every node serves all line items.
async fn until_all_know(fleet: &Fleet) {
    let user = User::open(&fleet.doors.at(0), "first").await;
    let begun = Instant::now();
    for place in 0..NODES {
        let ask = Request::get(format!("/v1/missions/{}", ITEMS[2])).bearer(&user.token);
        while fleet.doors.at(place).send(&ask).await.status != 200 {
            assert!(begun.elapsed() < PATIENCE, "the edit does not arrive");
        }
    }
}

/// Many users, each on the line items that chance gives him.
async fn live_a_month(fleet: &Fleet, month: usize) -> [Tally; ITEMS.len()] {
    let lives = in_turns(16, USERS, |number| {
        let doors = fleet.doors.clone();
        async move {
            let mut chance = Chance::new((month * USERS + number) as u64);
            let mut tallies = [Tally::default(); ITEMS.len()];
            let mut door = move || doors.at(usize::try_from(chance.below(NODES as u64)).unwrap());
            let mut whim = Chance::new((month * USERS + number) as u64 + 1_000_000);
            let user = User::open(&door(), &format!("month-{month}-{number}")).await;
            for (place, item) in ITEMS.into_iter().enumerate() {
                if whim.below(3) > 0 {
                    tallies[place] += live(&user, item, whim.below(4), &mut door).await;
                }
            }
            tallies
        }
    });
    let mut of_month = [Tally::default(); ITEMS.len()];
    for tallies in lives.await {
        of_month.iter_mut().zip(tallies).for_each(|(all, one)| *all += one);
    }
    of_month
}

/// One participation: left to run out of time, finished, or finished and taken back.
async fn live(
    user: &User,
    item: u32,
    fate: u64,
    door: &mut impl FnMut() -> std::sync::Arc<Client>,
) -> Tally {
    let tap = Request::post(format!("/v1/missions/{item}/participations")).bearer(&user.token);
    let answer = door().send(&tap.json(&serde_json::json!({}))).await;
    if answer.status != 201 {
        assert_eq!(problem_code(&answer), "exhausted");
        return Tally { refused: 1, ..Tally::default() };
    }
    let click = answer.json()["click_id"].as_str().unwrap().to_owned();
    let mut tally = Tally { starts: 1, ..Tally::default() };
    if fate > 0 {
        let event_id = format!("{}-{item}", user.id);
        let paid = convert(&door(), &click, "install", &event_id).await;
        assert_eq!(paid.said(), ("rewarded", "step_done"));
        tally.booked = 1;
        if fate == 1 {
            let taken = Verdict::of(&door().send(&reversal(&click, &event_id)).await);
            assert_eq!(taken.said(), ("rejected", "reversed"));
            tally.booked = 0;
        }
    }
    tally
}

fn reversal(click: &str, event_id: &str) -> Request {
    let fields =
        [("click_id", click), ("event", "install"), ("event_id", event_id), ("reversal", "true")];
    Request::get(format!("/v1/postbacks/{GENERIC}?{}", form(&fields)))
}

/// What was booked in the month was booked on one day, and no limit is passed.
async fn check_the_day(fleet: &Fleet, of_month: &[Tally; ITEMS.len()]) {
    let figures = budget(&fleet.doors.at(1), &fleet.nodes[1], ITEMS[1]).await;
    let today = &figures["today"];
    assert_eq!(amount(&today["booked"]), of_month[1].booked * UNIT, "{figures}");
    assert_eq!(today["starts"], of_month[1].starts, "{figures}");
    let used = amount(&today["booked"]) + amount(&today["held"]);
    assert!(used <= DAILY_UNITS * UNIT, "{figures}");
    let figures = budget(&fleet.doors.at(2), &fleet.nodes[2], ITEMS[0]).await;
    let used = amount(&figures["booked"]) + amount(&figures["held"]);
    assert!(used <= TOTAL_UNITS * UNIT, "{figures}");
}

/// When everything open has run out of time, nothing is held, and what is booked is what was
/// acknowledged.
async fn check_the_rest(fleet: &Fleet, item: u32, all: &Tally) {
    let begun = Instant::now();
    let figures = loop {
        let figures = budget(&fleet.doors.at(1), &fleet.nodes[1], item).await;
        if amount(&figures["held"]) == 0 {
            break figures;
        }
        assert!(begun.elapsed() < PATIENCE, "holds do not end: {figures}");
    };
    assert_eq!(amount(&figures["booked"]), all.booked * UNIT, "{figures}");
    assert_eq!(figures["starts"], all.starts, "{figures}");
    let left = amount(&figures["budget"]) - amount(&figures["booked"]);
    assert_eq!(amount(&figures["left"]), left, "{figures}");
}

fn amount(money: &Value) -> i64 {
    money["amount"].as_i64().unwrap_or_else(|| panic!("no amount: {money}"))
}
