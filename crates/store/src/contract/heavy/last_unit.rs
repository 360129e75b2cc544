//! The last unit of a budget, of each of its limits in turn.

use std::sync::Arc;

use domain::budget::{Breach, BudgetMove, Guard, Level, Limits};
use domain::ids::LineItemId;
use domain::money::Micros;
use domain::time::Day;
use tokio::sync::Barrier;

use super::sums::Sums;
use super::{Failure, Nodes};
use crate::contract::Checked;
use crate::contract::sample::{self, Draft, NOW, TODAY};
use crate::{BudgetRow, LimitsOutcome, Outcome};

/// Users who want the last unit at the same moment.
const RACERS: usize = 1_000;
/// What each of them asks for, in micro-units.
const UNIT: i64 = 7;
/// Far from being met.
const PLENTY: i64 = 1_000 * UNIT;
/// What is left beside the last unit, and is too little for another.
const CRUMB: i64 = UNIT - 1;

/// A limit that leaves one unit.
struct Last {
    limits: Limits,
    /// What was made of it before, by one user each.
    before: Vec<BudgetMove>,
    /// What everybody wants.
    by: BudgetMove,
    /// The limit that the second of them would break.
    breach: Breach,
}

/// In every round a thousand users, spread over the nodes, ask at the same moment for the last unit
/// of a line item. Exactly one gets it; the others are told which limit they would break, and how
/// the budget stands with it. Every node then says the same, to the last unit of every day.
///
/// # Errors
/// What was found instead, and in which round.
pub async fn last_unit(nodes: &Nodes, rounds: u32) -> Checked {
    let mut rows = Vec::new();
    for number in 1..=rounds {
        let lasts = lasts(LineItemId(number));
        let last = &lasts[number as usize % lasts.len()];
        let row = race(nodes, number as usize, last).await;
        let of_round = |failure| {
            let breach = last.breach.words();
            Failure::new(format!("round {number}, the last unit of {breach}: {failure}"))
        };
        rows.push(row.map_err(of_round)?);
    }
    for number in 0..nodes.count() {
        ensure_eq!(nodes.node(number).transfer.budget_rows().await?, rows, "the budgets by day");
    }
    Ok(())
}

/// One of everything that can run out.
fn lasts(line_item: LineItemId) -> [Last; 6] {
    let hold = BudgetMove { line_item, ..sample::hold(UNIT) };
    let yesterday = BudgetMove { day: Day(TODAY.0 - 1), ..hold };
    let two = BudgetMove { held: Micros(2 * UNIT), starts: 2, ..hold };
    let three = BudgetMove { held: Micros(3 * UNIT), starts: 3, ..yesterday };
    let paced = Guard::Start { paced: Some(Micros(3 * UNIT + CRUMB)) };
    let beyond = BudgetMove { line_item, ..sample::booking(UNIT, 0, Guard::Extra) };
    let plenty = sample::limits(PLENTY);
    let tight = sample::limits(3 * UNIT + CRUMB);
    let last = |limits, before, by, breach| Last { limits, before, by, breach };
    let (daily, starts, daily_starts) = (
        Limits { daily: Some(Micros(3 * UNIT + CRUMB)), ..plenty },
        Limits { starts: Some(3), ..plenty },
        Limits { daily_starts: Some(3), ..plenty },
    );
    [
        last(tight, vec![yesterday, hold], hold, Breach::Total),
        last(daily, vec![three, two], hold, Breach::Daily),
        last(starts, vec![yesterday, hold], hold, Breach::Starts),
        last(daily_starts, vec![three, two], hold, Breach::DailyStarts),
        last(
            Limits { daily: Some(Micros(PLENTY)), ..plenty },
            vec![three, two],
            BudgetMove { guard: paced, ..hold },
            Breach::Paced,
        ),
        last(Limits { grace: Micros(UNIT), ..tight }, vec![yesterday, two], beyond, Breach::Total),
    ]
}

/// One round. Gives the budget as it must stand from then on.
async fn race(nodes: &Nodes, number: usize, last: &Last) -> Result<BudgetRow, Failure> {
    let (line_item, limits) = (last.by.line_item, last.limits);
    let mut sums = Sums::default();
    let head = nodes.state(number).head().await?;
    let set = nodes.state(number).set_limits(line_item, limits, NOW).await?;
    ensure_eq!(set, LimitsOutcome::Set(sums.level(line_item, limits)), "the limits");
    for (by, place) in last.before.iter().zip(1..) {
        let name = format!("{number} before {place}");
        let outcome = commit(nodes, number + place, &name, by).await?;
        ensure!(matches!(outcome, Outcome::Applied(_)), "{by:?} got {outcome:?}");
        sums.add(by);
    }
    let outcomes = all_at_once(nodes, number, last.by).await?;
    sums.add(&last.by);
    let level = sums.level(line_item, limits);
    judge(last, &outcomes, level)?;
    for place in 0..nodes.count() {
        let found = nodes.state(place).level(line_item).await?;
        ensure_eq!(found, Some(level), "the budget afterwards, at node {place}");
    }
    let records = nodes.state(number + 1).head().await? - head;
    ensure_eq!(records, last.before.len() as u64 + 2, "the records of the round");
    Ok(sums.row(line_item, limits))
}

/// Lets everybody get ready, and asks for all of them at the same moment.
async fn all_at_once(
    nodes: &Nodes,
    number: usize,
    by: BudgetMove,
) -> Result<Vec<Result<Outcome, Failure>>, Failure> {
    let start = Arc::new(Barrier::new(RACERS));
    let racer = |place: usize| {
        let (nodes, start) = (nodes.clone(), Arc::clone(&start));
        async move {
            start.wait().await;
            commit(&nodes, place, &format!("{number} {place}"), &by).await
        }
    };
    nodes.together((0..RACERS).map(racer).collect()).await
}

/// One is applied. What the others are told is the budget with that one in it.
fn judge(last: &Last, outcomes: &[Result<Outcome, Failure>], level: Level) -> Checked {
    let mut winners = 0;
    for outcome in outcomes {
        match outcome {
            Ok(Outcome::Applied(committed)) => {
                winners += 1;
                // A lost answer leaves only the fact.
                let is_known = committed.levels.is_empty() || committed.levels == [level];
                ensure!(is_known, "the winner was told {committed:?}\n    wanted {level:?}");
            }
            Ok(over) => {
                let (line_item, breach) = (last.by.line_item, last.breach);
                let wanted = Outcome::OverBudget { line_item, breach, level };
                ensure_eq!(*over, wanted, "one who came too late");
            }
            Err(failure) => return Err(failure.clone()),
        }
    }
    ensure_eq!(winners, 1, "how many got the last unit");
    Ok(())
}

async fn commit(
    nodes: &Nodes,
    place: usize,
    name: &str,
    by: &BudgetMove,
) -> Result<Outcome, Failure> {
    let user = sample::user(name);
    nodes.ask(place, &Draft::of(&user, NOW).moving(*by).change()).await
}
