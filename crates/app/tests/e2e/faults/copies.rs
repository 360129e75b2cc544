//! Copies of the same event, at the same moment, on all nodes, and long after.

use std::collections::BTreeSet;

use super::fleet::{Fleet, NODES, TOO_SLOW};
use super::load::Life;
use crate::support::chance::Chance;
use crate::support::crowd::at_once;
use crate::support::people::Verdict;
use crate::support::shape::Shape;

/// Users; fewer where the tests' server writes every item to the disk by itself.
const USERS: usize = 20;
const USERS_ON_DYNAMO: usize = 6;
/// Events of each.
const EVENTS_EACH: usize = 4;
/// Copies of one event, at most.
const COPIES_MAX: u64 = 50;
/// How long after that everything comes once more: an hour, a day and a month after it was paid.
const HOURS_LATER: [i64; 3] = [1, 23, 29 * 24];

pub(crate) async fn many_copies_at_once_pay_once(shape: Shape) {
    let fleet = Fleet::start(shape).await;
    let mut chance = Chance::new(9);
    let (mut lives, mut sent) = (Vec::new(), 0);
    let users = match shape {
        Shape::Standard | Shape::Scaled => USERS_ON_DYNAMO,
        Shape::Embedded | Shape::Compact => USERS,
    };
    for user in 0..users {
        let mut life = Life::open(&fleet.doors, &format!("copied-{user}")).await;
        for event in 0..EVENTS_EACH {
            let copies = usize::try_from(1 + chance.below(COPIES_MAX)).unwrap();
            let event_id = format!("copied-{user}-{event}");
            let answers = at_once(copies, |number| {
                let client = fleet.doors.at(number % fleet.doors.count());
                let request = life.conversion(&event_id);
                async move { Verdict::of(&client.send(&request).await) }
            });
            let first = paid_once(answers.await);
            life.acknowledged(event_id, first);
            sent += copies;
        }
        lives.push(life);
    }
    println!("{sent} copies of {} events", users * EVENTS_EACH);
    fleet.publisher.wait_for_rewards(users * EVENTS_EACH).await;
    for hours in HOURS_LATER {
        fleet.nodes[0].clock.forward_hours(hours);
        for life in &lives {
            life.report_again(&fleet.doors).await;
        }
    }
    fleet.settled(lives, &TOO_SLOW).await;
}

/// It is paid, and all are told of the same transaction. Nodes that have decided the very same change at
/// the same moment all say that it is paid; the budget tells that it was once.
fn paid_once(answers: Vec<Verdict>) -> Verdict {
    let is_paid = |one: &&Verdict| one.said() == ("rewarded", "step_done");
    let is_copy = |one: &&Verdict| one.said() == ("duplicate", "seen_before");
    let first = answers.iter().find(is_paid).unwrap_or_else(|| panic!("not paid: {answers:?}"));
    let (paid, copies) =
        (answers.iter().filter(is_paid).count(), answers.iter().filter(is_copy).count());
    assert!(paid <= NODES && paid + copies == answers.len(), "{answers:?}");
    let transactions: BTreeSet<_> = answers.iter().map(|one| &one.transaction).collect();
    assert_eq!(transactions.len(), 1, "{transactions:?}");
    first.clone()
}
