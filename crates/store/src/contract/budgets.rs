//! `Budgets`: limits, and what stands against them.

use std::collections::BTreeMap;

use domain::budget::{BudgetMove, Guard, Level, Limits, Used};
use domain::ids::{LineItemId, Mode};
use domain::journal::{Cause, Chain, Record};
use domain::money::Micros;
use domain::time::{Day, Timestamp};

use super::check::{all, apply, fresh};
use super::sample::{self, Draft, LINE_ITEM, NOW, TODAY};
use super::{Checked, Failure, Fixture};
use crate::{FreshLevels, LevelsMark, LimitsOutcome, StateStore, Stored};

/// Who spend at the same time.
const SPENDERS: u32 = 10;
/// How often each does.
const ROUNDS: u32 = 6;

/// Limits with something in every field.
const FULL: Limits = Limits {
    total: Micros(i64::MAX),
    daily: Some(Micros(0)),
    grace: Micros(7),
    starts: Some(u32::MAX),
    daily_starts: Some(0),
};

/// A line item whose limits were never set has no level, also if something was booked on it.
pub async fn budgets_level_of_a_stranger_is_none(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    ensure_eq!(state.level(LINE_ITEM).await?, None, "a budget that was never touched");
    spend(&*state, "ann", sample::booking(5, 0, Guard::Free)).await?;
    ensure_eq!(state.level(LINE_ITEM).await?, None, "a budget without limits");
    ensure_eq!(state.levels().await?, [], "all budgets");
    Ok(())
}

/// What is used adds up ever, and on the latest day by itself, whichever day moves last.
pub async fn budgets_level_adds_up_by_day(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let limits = Limits { daily: Some(Micros(60)), ..sample::limits(100) };
    state.set_limits(LINE_ITEM, limits, NOW).await?;
    let yesterday = Day(TODAY.0 - 1);
    let used = |booked, held, starts| Used { booked: Micros(booked), held: Micros(held), starts };
    let capture = sample::booking(10, 10, Guard::Free);
    let rows = [
        (BudgetMove { day: yesterday, ..sample::hold(30) }, yesterday, used(0, 30, 1)),
        (BudgetMove { day: yesterday, ..sample::hold(10) }, yesterday, used(0, 40, 2)),
        (sample::hold(20), TODAY, used(0, 20, 1)),
        (BudgetMove { day: yesterday, ..capture }, TODAY, used(0, 20, 1)),
        (capture, TODAY, used(10, 10, 1)),
    ];
    let mut total = Used::default();
    for ((by, day, today), place) in rows.into_iter().zip(1..) {
        spend(&*state, &format!("user {place}"), by).await?;
        total = total.moved(&by);
        let wanted = Level { line_item: LINE_ITEM, limits, total, day, today };
        ensure_eq!(state.level(LINE_ITEM).await?, Some(wanted), "the budget after move {place}");
    }
    Ok(())
}

/// All budgets come in order of their numbers, each with its own figures.
pub async fn budgets_levels_are_in_order(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    for number in [300, 1, u32::MAX, 20] {
        state.set_limits(LineItemId(number), sample::limits(100), NOW).await?;
    }
    spend(&*state, "ann", BudgetMove { line_item: LineItemId(20), ..sample::hold(5) }).await?;
    let levels = state.levels().await?;
    let found: Vec<_> = levels.iter().map(|one| (one.line_item.0, one.total.held.0)).collect();
    ensure_eq!(found, [(1, 0), (20, 5), (300, 0), (u32::MAX, 0)], "numbers, and what is held");
    for level in levels {
        let one = state.level(level.line_item).await?;
        ensure_eq!(one, Some(level), "the budget {} by itself", level.line_item);
    }
    Ok(())
}

/// Whoever asks for what has changed, while he and others spend, ends with the budgets as they stand.
pub async fn budgets_levels_since_a_mark_miss_nothing(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    for number in 1..=5 {
        state.set_limits(LineItemId(number), sample::limits(100), NOW).await?;
    }
    let spenders = all((0..SPENDERS).map(|number| follow(&*state, number))).await;
    state.set_limits(LineItemId(4), FULL, NOW).await?;
    state.set_limits(LineItemId(9), FULL, NOW).await?;
    let levels = state.levels().await?;
    for (known, number) in spenders.into_iter().zip(0..) {
        let mut known = known?;
        known.look(&*state).await?;
        let found: Vec<_> = known.levels.into_values().collect();
        ensure_eq!(found, levels, "what spender {number} knows");
    }
    Ok(())
}

/// Only what has changed is read again. For stores that count changes; the cases ask it of none, since a
/// store may always give more.
///
/// # Errors
/// What was read too much or too little. `state` has to be empty.
pub async fn only_what_has_changed(state: &dyn StateStore) -> Checked {
    for number in 1..=5 {
        state.set_limits(LineItemId(number), sample::limits(50), NOW).await?;
    }
    let first = state.levels_since(None).await?;
    ensure_eq!((first.levels.len(), first.is_whole), (5, true), "the first look");
    let idle = state.levels_since(first.mark.as_ref()).await?;
    ensure_eq!((idle.levels, idle.is_whole), (vec![], false), "nothing has changed");
    spend(state, "ann", BudgetMove { line_item: LineItemId(2), ..sample::hold(5) }).await?;
    state.set_limits(LineItemId(9), sample::limits(50), NOW).await?;
    let second = state.levels_since(idle.mark.as_ref()).await?;
    let found = second.levels.iter().map(|one| (one.line_item.0, one.total.held.0));
    let found = (found.collect(), second.is_whole);
    ensure_eq!(found, (vec![(2, 5), (9, 0)], false), "two have changed");
    let idle = state.levels_since(second.mark.as_ref()).await?;
    ensure_eq!((idle.levels, idle.is_whole), (vec![], false), "nothing has changed since");
    Ok(())
}

/// Spends on some of five line items, and looks each time at what has changed.
async fn follow(state: &dyn StateStore, number: u32) -> Result<Known, Failure> {
    let mut known = Known::default();
    for round in 0..ROUNDS {
        known.look(state).await?;
        let line_item = LineItemId(1 + (number + round) % 3);
        let by = BudgetMove { line_item, ..sample::hold(1) };
        spend(state, &format!("user {number} {round}"), by).await?;
    }
    Ok(known)
}

/// Budgets as somebody knows them.
#[derive(Default)]
struct Known {
    levels: BTreeMap<LineItemId, Level>,
    mark: Option<LevelsMark>,
}

impl Known {
    /// Takes over what has changed, which has to be in order.
    async fn look(&mut self, state: &dyn StateStore) -> Checked {
        let FreshLevels { levels, mark, .. } = state.levels_since(self.mark.as_ref()).await?;
        ensure!(levels.is_sorted_by_key(|level| level.line_item), "in order: {levels:?}");
        self.levels.extend(levels.iter().map(|level| (level.line_item, *level)));
        self.mark = mark;
        Ok(())
    }
}

/// Without a mark, or with one that another store has given, all budgets come.
pub async fn budgets_levels_since_no_mark_are_all(fixture: &dyn Fixture) -> Checked {
    let (state, other) = (fresh(fixture).await?, fresh(fixture).await?);
    let none = state.levels_since(None).await?;
    ensure_eq!((none.levels, none.is_whole), (vec![], true), "no budgets");
    for store in [&state, &other] {
        for number in [30, 1] {
            store.set_limits(LineItemId(number), sample::limits(100), NOW).await?;
        }
    }
    let foreign = other.levels_since(None).await?.mark;
    for mark in [None, foreign] {
        let fresh = state.levels_since(mark.as_ref()).await?;
        ensure_eq!(fresh.levels, state.levels().await?, "all budgets, with {mark:?}");
        ensure!(fresh.is_whole, "says that these are all, with {mark:?}");
    }
    Ok(())
}

/// Limits are journalled when they differ, and only then, however many set them at once.
pub async fn budgets_set_limits_is_journalled_once(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let steps = [sample::limits(10), sample::limits(10), FULL, FULL, sample::limits(10)];
    let mut wanted: Vec<Stored> = Vec::new();
    let mut current = None;
    for (limits, at) in steps.into_iter().zip(NOW.0..) {
        let at = Timestamp(at);
        let outcome = state.set_limits(LINE_ITEM, limits, at).await?;
        ensure_eq!(outcome, LimitsOutcome::Set(unspent(limits)), "the answer");
        if current != Some(limits) {
            let seq = wanted.len() as u64 + 1;
            let record = record_of(limits, at);
            wanted.push(Stored { seq, chain: Chain::default(), record });
        }
        current = Some(limits);
        ensure_eq!(state.read(0, 10).await?, wanted, "the journal");
    }
    let settings = (0..10).map(|_| state.set_limits(LINE_ITEM, FULL, NOW));
    for outcome in all(settings).await {
        ensure_eq!(outcome?, LimitsOutcome::Set(unspent(FULL)), "one of ten at once");
    }
    ensure_eq!(state.head().await?, 4, "the end of the journal after ten at once");
    Ok(())
}

/// A total below what is booked and held is refused and leaves no trace; the old limits hold.
pub async fn budgets_set_limits_below_committed_is_refused(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    state.set_limits(LINE_ITEM, sample::limits(100), NOW).await?;
    spend(&*state, "ann", sample::hold(60)).await?;
    spend(&*state, "bob", sample::booking(20, 10, Guard::Free)).await?;
    let level = level_of(&*state).await?;
    let head = state.head().await?;
    let outcome = state.set_limits(LINE_ITEM, sample::limits(69), NOW).await?;
    ensure_eq!(outcome, LimitsOutcome::BelowCommitted(level), "a total of 69 below 50 and 20");
    ensure_eq!(level_of(&*state).await?, level, "the budget after a refusal");
    ensure_eq!(state.head().await?, head, "the end of the journal after a refusal");
    let lowest = Limits { daily: Some(Micros(0)), ..sample::limits(70) };
    let wanted = Level { limits: lowest, ..level };
    let outcome = state.set_limits(LINE_ITEM, lowest, NOW).await?;
    ensure_eq!(outcome, LimitsOutcome::Set(wanted), "the lowest total there can be");
    spend(&*state, "eve", sample::booking(5, 0, Guard::Free)).await?;
    let head = state.head().await?;
    let outcome = state.set_limits(LINE_ITEM, lowest, NOW).await?;
    let wanted = LimitsOutcome::Set(level_of(&*state).await?);
    ensure_eq!(outcome, wanted, "the limits that there are, below what is booked since");
    ensure_eq!(state.head().await?, head, "the end of the journal");
    let raised = sample::limits(72);
    let outcome = state.set_limits(LINE_ITEM, raised, NOW).await?;
    let wanted = LimitsOutcome::Set(level_of(&*state).await?);
    ensure_eq!(outcome, wanted, "higher limits, below what is booked");
    ensure_eq!(level_of(&*state).await?.limits, raised, "the limits afterwards");
    Ok(())
}

/// Limits and what is used are there after a restart.
pub async fn budgets_set_limits_survives_reopening(fixture: &dyn Fixture) -> Checked {
    let stores = fixture.fresh().await?;
    stores.state.set_limits(LINE_ITEM, sample::limits(100), NOW).await?;
    stores.state.set_limits(LineItemId(2), FULL, NOW).await?;
    spend(&*stores.state, "ann", sample::hold(60)).await?;
    spend(&*stores.state, "bob", BudgetMove { day: Day(-1), ..sample::hold(5) }).await?;
    let levels = stores.state.levels().await?;
    let Some(stores) = fixture.reopen(stores).await? else { return Ok(()) };
    let state = &*stores.state;
    ensure_eq!(state.levels().await?, levels, "the budgets after reopening");
    let outcome = state.set_limits(LINE_ITEM, sample::limits(64), NOW).await?;
    let is_below = matches!(outcome, LimitsOutcome::BelowCommitted(_));
    ensure!(is_below, "limits below what was held before: {outcome:?}");
    let outcome = state.set_limits(LINE_ITEM, sample::limits(100), NOW).await?;
    ensure_eq!(outcome, LimitsOutcome::Set(levels[0]), "the same limits again");
    ensure_eq!(state.head().await?, 4, "the end of the journal");
    Ok(())
}

/// Moves a budget by the first change of a user of that name.
async fn spend(state: &dyn StateStore, name: &str, by: BudgetMove) -> Checked {
    apply(state, Draft::of(&sample::user(name), NOW).moving(by).change()).await.map(drop)
}

async fn level_of(state: &dyn StateStore) -> Result<Level, Failure> {
    state.level(LINE_ITEM).await?.ok_or_else(|| Failure::new("the budget is gone"))
}

fn unspent(limits: Limits) -> Level {
    let (total, today) = (Used::default(), Used::default());
    Level { line_item: LINE_ITEM, limits, total, day: Day::default(), today }
}

fn record_of(limits: Limits, at: Timestamp) -> Record {
    Record {
        at,
        user: None,
        app: None,
        mode: Mode::Live,
        cause: Cause::LimitsSet { line_item: LINE_ITEM, limits },
        transactions: Vec::new(),
        moves: Vec::new(),
        messages: Vec::new(),
    }
}
