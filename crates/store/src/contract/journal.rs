//! `Journal`: what was committed, in order and without gaps.

use std::collections::HashMap;

use domain::change::{Change, Loaded};
use domain::ids::{LineItemId, UserKey};
use domain::journal::Chain;
use domain::time::Timestamp;

use super::check::{advance, all, apply, fresh, in_place};
use super::sample::{self, Draft, LINE_ITEM, NOW};
use super::{Checked, Failure, Fixture};
use crate::{Outcome, Seq, StateStore, Stored};

/// Limit on records where a case wants them all.
const ALL: usize = 1_000;
/// Users who commit at once.
const WRITERS: u64 = 12;
/// Commits of each of them.
const ROUNDS: u64 = 8;

/// The end of the journal counts its records: changes with one, traces, limits; nothing refused.
pub async fn journal_head_counts_records(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    ensure_eq!(state.head().await?, 0, "an empty journal");
    state.set_limits(LINE_ITEM, sample::limits(10), NOW).await?;
    ensure_eq!(state.head().await?, 1, "after limits");
    let ann = sample::user("ann");
    let ann = advance(&*state, &ann, Draft::of(&ann, NOW).grant(1).change()).await?;
    ensure_eq!(state.head().await?, 2, "after a change");
    let ann = advance(&*state, &ann, sample::profile(&ann, 30)).await?;
    ensure_eq!(state.head().await?, 2, "after a change without a record");
    let over = state.commit(Draft::of(&ann, NOW).moving(sample::hold(11)).change()).await?;
    ensure!(matches!(over, Outcome::OverBudget { .. }), "beyond the budget: {over:?}");
    ensure_eq!(state.head().await?, 2, "after a refused change");
    state.append(sample::trace(None, "install")).await?;
    ensure_eq!(state.head().await?, 3, "after a trace");
    Ok(())
}

/// A trace changes nobody's state or chain, so a change that was decided before it still fits, and
/// it carries a chain of zeroes.
pub async fn journal_append_leaves_state_and_chain_alone(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let (ann, bob) = (sample::user("ann"), sample::user("bob"));
    let ann = advance(&*state, &ann, Draft::of(&ann, NOW).grant(1).change()).await?;
    let traces = [Some(&ann), Some(&bob), None]
        .map(|user| sample::trace(user.map(|user: &Loaded| user.state.key()), "level_10"));
    for (trace, seq) in traces.into_iter().zip(2..) {
        state.append(trace.clone()).await?;
        ensure_eq!(state.head().await?, seq, "the place of a trace");
        let stored = Stored { seq, chain: Chain::default(), record: trace };
        ensure_eq!(state.read(seq - 1, 1).await?, [stored], "the trace");
    }
    ensure_eq!(state.load(ann.state.key()).await?, ann, "a user after a trace");
    for user in [&ann, &bob] {
        let known = advance(&*state, user, Draft::of(user, NOW).grant(2).change()).await?;
        let found = state.load(known.state.key()).await?;
        ensure_eq!(found, known, "a user whose change was decided before the trace");
    }
    Ok(())
}

/// Records are numbered from 1 without gaps, and pages of any size give all of them.
pub async fn journal_read_pages_without_gaps(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    state.set_limits(LINE_ITEM, sample::limits(10), NOW).await?;
    for number in 0..12 {
        let user = sample::user(&format!("user {number}"));
        apply(&*state, Draft::of(&user, NOW).grant(1).change()).await?;
        state.commit(Draft::of(&user, NOW).moving(sample::hold(11)).change()).await?;
        state.append(sample::trace(Some(user.state.key()), "install")).await?;
    }
    let all_of_them = state.read(0, ALL).await?;
    let places: Vec<Seq> = all_of_them.iter().map(|stored| stored.seq).collect();
    ensure_eq!(places, (1..=25).collect::<Vec<_>>(), "the places of the records");
    for limit in [1, 10, 25, ALL] {
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let page = state.read(after, limit).await?;
            ensure!(page.len() <= limit, "a page of {limit} has {} records", page.len());
            let Some(last) = page.last() else { break };
            after = last.seq;
            found.extend(page);
            ensure!(found.len() <= all_of_them.len(), "pages of {limit} have no end");
        }
        ensure_eq!(found, all_of_them, "the journal in pages of {limit}");
    }
    for after in [25, 26, Seq::MAX] {
        ensure_eq!(state.read(after, ALL).await?, [], "the records after place {after}");
    }
    Ok(())
}

/// A reader that goes on from the last place it saw meets every record once, in order, while others
/// commit.
pub async fn journal_read_misses_nothing_while_commits_go_on(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let follow = |number| follow(&*state, number);
    let read = all((0..WRITERS).map(follow)).await;
    let whole = state.read(0, ALL).await?;
    ensure_eq!(whole.len() as u64, WRITERS * ROUNDS, "the records");
    for (mut found, number) in read.into_iter().zip(0..) {
        let found = found.as_mut().map_err(|failure| failure.clone())?;
        let after = found.last().map_or(0, |stored| stored.seq);
        found.extend(state.read(after, ALL).await?);
        ensure!(*found == whole, "reader {number} has met {:?}", places(found));
    }
    Ok(())
}

/// Every field of every kind of record comes back as it was written.
pub async fn journal_read_keeps_every_field(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    for number in 1..=4 {
        state.set_limits(LineItemId(number), sample::limits(10), NOW).await?;
    }
    in_place(&*state).await?;
    let ann = sample::user("ann");
    let mut records = sample::full_records(&ann).into_iter();
    let first = Change::new(&ann, ann.state.clone(), records.next());
    let mut wanted: Vec<_> =
        first.record.clone().map(|record| (first.chain, record)).into_iter().collect();
    apply(&*state, first).await?;
    for trace in records {
        in_place(&*state).await?;
        state.append(trace.clone()).await?;
        wanted.push((Chain::default(), trace));
    }
    let stored = state.read(4, ALL).await?;
    ensure_eq!(stored.len(), wanted.len(), "the number of records");
    for (found, (chain, record)) in stored.iter().zip(wanted) {
        ensure_eq!(*found, Stored { seq: found.seq, chain, record }, "a record");
    }
    let key = ann.state.key();
    let own = stored.into_iter().rev().filter(|stored| stored.record.user == Some(key));
    let page = state.ledger(key, None, ALL).await?;
    ensure_eq!(page.records, own.collect::<Vec<_>>(), "the same records in the user's ledger");
    Ok(())
}

/// Each user's chain can be folded anew from the records and ends where his state says (M8).
pub async fn journal_read_gives_chains_that_verify(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let mut users = ["ann", "bob", "eve"].map(sample::user);
    for round in 0..4 {
        for user in &mut users {
            let at = Timestamp(NOW.0 + round);
            let draft = Draft::of(user, at).grant(1);
            let change = if round % 2 == 0 { draft } else { draft.reverse(1) }.change();
            *user = advance(&*state, user, change).await?;
            state.append(sample::trace(Some(user.state.key()), "install")).await?;
            *user = advance(&*state, user, sample::profile(user, round as u8)).await?;
        }
    }
    let mut chains: HashMap<UserKey, Chain> = HashMap::new();
    for stored in state.read(0, ALL).await? {
        if stored.record.transactions.is_empty() {
            ensure_eq!(stored.chain, Chain::default(), "the chain of a trace");
            continue;
        }
        let key = stored.record.user.unwrap_or_default();
        let chain = chains.entry(key).or_default();
        *chain = chain.with(&stored.record);
        ensure_eq!(stored.chain, *chain, "the chain at place {}", stored.seq);
    }
    for user in users {
        let found = state.load(user.state.key()).await?.chain;
        let folded = chains.get(&user.state.key()).copied().unwrap_or_default();
        ensure_eq!(found, folded, "the chain of {}", user.state.user_id);
    }
    Ok(())
}

/// Where the order is total it is the order of the commits; everywhere each user's own commits are in
/// order, and what was committed before somebody asked comes before what was committed after.
pub async fn journal_is_total_order_says_how_users_are_ordered(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let mut users: Vec<Loaded> =
        (0..8).map(|number| sample::user(&format!("user {number}"))).collect();
    let (mut committed, mut asked_at) = (Vec::new(), 0);
    for round in 0..4 {
        for user in &mut users {
            let change = Draft::of(user, Timestamp(NOW.0 + round)).grant(1).change();
            *user = advance(&*state, user, change).await?;
            committed.push(user.chain);
        }
        if round == 1 {
            asked_at = state.head().await?;
        }
    }
    let found = state.read(0, ALL).await?;
    let chains: Vec<Chain> = found.iter().map(|stored| stored.chain).collect();
    if state.is_total_order() {
        ensure!(chains == committed, "the order of the journal is not that of the commits");
    }
    for user in &users {
        let key = user.state.key();
        let own = found.iter().filter(|stored| stored.record.user == Some(key));
        let at: Vec<Timestamp> = own.map(|stored| stored.record.at).collect();
        ensure_eq!((at.len(), at.is_sorted()), (4, true), "the records of {key}");
    }
    ensure_eq!(asked_at, 16, "how many had their places when somebody asked");
    let early = found.iter().filter(|stored| stored.record.at.0 <= NOW.0 + 1);
    ensure!(early.map(|stored| stored.seq).max() == Some(16), "what came later got in between");
    Ok(())
}

/// Records are there after a restart, and the next one follows them.
pub async fn journal_read_survives_reopening(fixture: &dyn Fixture) -> Checked {
    let stores = fixture.fresh().await?;
    let ann = sample::user("ann");
    let ann = advance(&*stores.state, &ann, Draft::of(&ann, NOW).grant(1).change()).await?;
    stores.state.append(sample::trace(Some(ann.state.key()), "install")).await?;
    stores.state.append(sample::trace(None, "install")).await?;
    let before = stores.state.read(0, ALL).await?;
    let Some(stores) = fixture.reopen(stores).await? else { return Ok(()) };
    let state = &*stores.state;
    ensure_eq!(before.len(), 3, "the records before reopening");
    ensure_eq!(state.read(0, ALL).await?, before, "the records after reopening");
    ensure_eq!(state.head().await?, 3, "the end of the journal after reopening");
    state.append(sample::trace(None, "install")).await?;
    ensure_eq!(state.head().await?, 4, "the next place");
    Ok(())
}

/// Commits again and again, and reads on from the last place each time.
async fn follow(state: &dyn StateStore, number: u64) -> Result<Vec<Stored>, Failure> {
    let mut user = sample::user(&format!("user {number}"));
    let mut found: Vec<Stored> = Vec::new();
    for _ in 0..ROUNDS {
        user = advance(state, &user, Draft::of(&user, NOW).grant(1).change()).await?;
        let after = found.last().map_or(0, |stored| stored.seq);
        let page = state.read(after, ALL).await?;
        ensure!(!page.is_empty(), "a reader does not see the commit that it has waited for");
        found.extend(page);
    }
    Ok(found)
}

fn places(records: &[Stored]) -> Vec<Seq> {
    records.iter().map(|stored| stored.seq).collect()
}
