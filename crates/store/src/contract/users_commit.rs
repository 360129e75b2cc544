//! `Users::commit`: one conditional write of everything that belongs together.

use domain::budget::{Breach, BudgetMove, Guard};
use domain::change::{Change, Loaded, MESSAGES_MAX, MOVES_MAX};
use domain::ids::LineItemId;
use domain::money::Points;
use domain::time::Timestamp;
use domain::user::ENROLLMENTS_MAX;

use super::check::{advance, all, apply, fresh, in_place};
use super::outbox::{claim_at, delivered, list_of, note_at};
use super::sample::{self, APP, Draft, LINE_ITEM, NOW};
use super::{Checked, Failure, Fixture};
use crate::{Committed, Delivery, Outcome, Settlement, StateStore, Stored};

/// Everything of a change is there once it is applied: state, record, budget, message.
pub async fn users_commit_applies_and_is_read_back(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    state.set_limits(LINE_ITEM, sample::limits(1_000), NOW).await?;
    in_place(&*state).await?;
    let ann = sample::user("ann");
    let change = Draft::of(&ann, NOW).grant(1).moving(sample::hold(60)).change();
    let committed = apply(&*state, change.clone()).await?;
    let known = sample::after(&ann, &change);
    ensure_eq!(state.load(ann.state.key()).await?, known, "the user");
    let level = state.level(LINE_ITEM).await?.map(|level| level.total);
    ensure_eq!(level.map(|total| (total.held.0, total.starts)), Some((60, 1)), "the budget");
    let levels = state.levels().await?;
    ensure_eq!(committed, Committed { levels }, "what the commit says");
    let record = change.record.unwrap_or_else(|| sample::trace(None, ""));
    let found = list_of(&*state, APP).await?;
    let messages: Vec<_> = found.iter().map(|one| (one.seq, one.message.clone())).collect();
    ensure_eq!(messages, [(2, record.messages[0].clone())], "the messages");
    let stored = Stored { seq: 2, chain: known.chain, record };
    ensure_eq!(state.read(1, 10).await?, [stored], "the journal");
    Ok(())
}

/// A change that nobody needs to replay is not in the journal, and leaves the chain alone.
pub async fn users_commit_without_a_record_is_not_journalled(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let ann = sample::user("ann");
    let change = sample::profile(&ann, 30);
    let known = sample::after(&ann, &change);
    ensure_eq!(apply(&*state, change).await?, Committed::default(), "what the commit says");
    ensure_eq!(state.load(ann.state.key()).await?, known, "the user");
    ensure_eq!(known.chain, ann.chain, "his chain");
    ensure_eq!(state.head().await?, 0, "the end of the journal");
    apply(&*state, Draft::of(&known, NOW).grant(1).change()).await?;
    ensure_eq!(state.head().await?, 1, "the place of the first record");
    Ok(())
}

/// Asking again after a lost answer is told so, and changes nothing, whatever the budget has left.
pub async fn users_commit_again_is_replayed(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    state.set_limits(LINE_ITEM, sample::limits(60), NOW).await?;
    let ann = sample::user("ann");
    let first = Draft::of(&ann, NOW).grant(1).moving(sample::hold(60)).change();
    let ann = advance(&*state, &ann, first.clone()).await?;
    let before = everything(&*state, &ann).await?;
    for _ in 0..2 {
        ensure_eq!(state.commit(first.clone()).await?, Outcome::Replayed, "the same again");
    }
    ensure!(everything(&*state, &ann).await? == before, "a replay has changed something");
    let profile = sample::profile(&ann, 30);
    apply(&*state, profile.clone()).await?;
    ensure_eq!(state.commit(profile).await?, Outcome::Replayed, "a change without a record");
    Ok(())
}

/// A change is recognised only while it is the latest; after another one it is stale.
pub async fn users_commit_of_a_superseded_change_is_stale(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let ann = sample::user("ann");
    let first = Draft::of(&ann, NOW).grant(1).change();
    let ann = advance(&*state, &ann, first.clone()).await?;
    let second = Draft::of(&ann, NOW).grant(1).change();
    let ann = advance(&*state, &ann, second.clone()).await?;
    let before = everything(&*state, &ann).await?;
    ensure_eq!(state.commit(first).await?, Outcome::Stale, "the change before the latest");
    ensure_eq!(state.commit(second).await?, Outcome::Replayed, "the latest change");
    ensure!(everything(&*state, &ann).await? == before, "a refused change has left something");
    Ok(())
}

/// A change that was decided on any other version than the present one is refused, and says so
/// before it speaks of budgets.
pub async fn users_commit_on_another_version_is_stale(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    state.set_limits(LINE_ITEM, sample::limits(10), NOW).await?;
    let nobody = sample::user("ann");
    let ahead = Loaded { version: 1, ..nobody.clone() };
    let early = Draft::of(&ahead, NOW).grant(1).change();
    ensure_eq!(state.commit(early).await?, Outcome::Stale, "a change of a version to come");
    ensure_eq!(state.load(nobody.state.key()).await?, Loaded::default(), "the user after it");
    let ann = advance(&*state, &nobody, Draft::of(&nobody, NOW).grant(1).change()).await?;
    let before = everything(&*state, &ann).await?;
    let later = Timestamp(NOW.0 + 1);
    let ahead = Loaded { version: 9, ..ann.clone() };
    for base in [&nobody, &ahead] {
        for amount in [1, 11] {
            let change = Draft::of(base, later).grant(2).moving(sample::hold(amount)).change();
            let outcome = state.commit(change).await?;
            ensure_eq!(outcome, Outcome::Stale, "version {}, a hold of {amount}", base.version);
        }
    }
    ensure!(everything(&*state, &ann).await? == before, "a stale change has left something");
    Ok(())
}

/// Of different changes of one version exactly one is applied; of the same change as well, and the
/// others are told that it is.
pub async fn users_commit_race_has_one_winner_for_each_version(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let mut ann = sample::user("ann");
    for round in 0..3 {
        let different: Vec<Change> = (0..16)
            .map(|number| Draft::of(&ann, Timestamp(NOW.0 + number)).grant(1).change())
            .collect();
        ann = race(&*state, &ann, different, &Outcome::Stale).await?;
        let same = vec![Draft::of(&ann, NOW).grant(1).change(); 16];
        ann = race(&*state, &ann, same, &Outcome::Replayed).await?;
        ensure_eq!(state.head().await?, 2 * (round + 1), "the end of the journal");
        ensure_eq!(list_of(&*state, APP).await?.len() as u64, 2 * (round + 1), "the messages");
    }
    Ok(())
}

/// As many moves and messages as one change may have, with a state of the largest size, are one
/// unit: all of it or nothing.
pub async fn users_commit_of_the_largest_change_is_one_unit(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let line_items: Vec<_> = (1..=MOVES_MAX as u32).map(LineItemId).collect();
    for line_item in &line_items {
        state.set_limits(*line_item, sample::limits(10), NOW).await?;
    }
    let mut largest = sample::largest_state("ann");
    largest.enrollments.truncate(ENROLLMENTS_MAX - MESSAGES_MAX);
    largest.balance = Points(0);
    let ann = sample::user("ann");
    let ann = advance(&*state, &ann, Change::new(&ann, largest, None)).await?;
    let before = everything(&*state, &ann).await?;
    let (last, others) = line_items.split_last().map_or((LINE_ITEM, &[][..]), |(a, b)| (*a, b));
    let outcome = state.commit(largest_change(&ann, others, (last, 11))).await?;
    let is_refused =
        matches!(&outcome, Outcome::OverBudget { line_item, .. } if *line_item == last);
    ensure!(is_refused, "the last of many moves breaks a limit: {outcome:?}");
    ensure!(everything(&*state, &ann).await? == before, "a refused change has left something");
    let change = largest_change(&ann, others, (last, 10));
    let known = sample::after(&ann, &change);
    let committed = apply(&*state, change).await?;
    ensure!(state.load(ann.state.key()).await? == known, "the largest change was not read back");
    ensure_eq!(committed.levels, state.levels().await?, "the budgets that it moved");
    let held: Vec<i64> = committed.levels.iter().map(|level| level.total.held.0).collect();
    ensure_eq!(held, [10; MOVES_MAX], "what is held of each");
    ensure_eq!(list_of(&*state, APP).await?.len(), MESSAGES_MAX, "the messages");
    Ok(())
}

/// A change that breaks a limit leaves nothing, not even in the budgets that it would not break,
/// and the user can go on at the same version.
pub async fn users_commit_over_budget_changes_nothing(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let other = LineItemId(2);
    state.set_limits(LINE_ITEM, sample::limits(100), NOW).await?;
    state.set_limits(other, sample::limits(10), NOW).await?;
    let ann = sample::user("ann");
    let ann = advance(&*state, &ann, Draft::of(&ann, NOW).grant(1).change()).await?;
    let before = everything(&*state, &ann).await?;
    let draft = Draft::of(&ann, NOW).grant(2).moving(sample::hold(50));
    let over = BudgetMove { line_item: other, ..sample::hold(11) };
    let outcome = state.commit(draft.clone().moving(over).change()).await?;
    let level = state.level(other).await?.ok_or_else(|| Failure::new("a budget is gone"))?;
    let wanted = Outcome::OverBudget { line_item: other, breach: Breach::Total, level };
    ensure_eq!(outcome, wanted, "a change that breaks one of two limits");
    ensure!(everything(&*state, &ann).await? == before, "a refused change has left something");
    let fits = BudgetMove { line_item: other, ..sample::hold(10) };
    apply(&*state, draft.moving(fits).change()).await?;
    Ok(())
}

/// What was acknowledged is there after a restart: users, records, budgets, messages and how far
/// they have come. A change is still recognised, and the next one follows it.
pub async fn users_commit_survives_reopening(fixture: &dyn Fixture) -> Checked {
    let stores = fixture.fresh().await?;
    stores.state.set_limits(LINE_ITEM, sample::limits(100), NOW).await?;
    let ann = sample::user("ann");
    let draft = Draft::of(&ann, NOW).grant(1).grant(2).grant(3);
    let change = draft.moving(sample::hold(60)).change();
    let ann = advance(&*stores.state, &ann, change.clone()).await?;
    let claimed = stores.state.claim(claim_at(NOW)).await?;
    let [first, second, third] = &claimed[..] else {
        return Err(Failure::new(format!("three messages were due: {claimed:?}")));
    };
    let retry = Settlement::RetryAt(Timestamp(NOW.0 + 1));
    stores.state.settle(first.delivery.message.id, first.fence, retry, note_at(NOW)).await?;
    delivered(&*stores.state, second).await?;
    let before = everything(&*stores.state, &ann).await?;
    let Some(stores) = fixture.reopen(stores).await? else { return Ok(()) };
    let state = &*stores.state;
    ensure_eq!(everything(state, &ann).await?, before, "everything after reopening");
    ensure_eq!(state.commit(change).await?, Outcome::Replayed, "the latest change again");
    let over = Draft::of(&ann, NOW).moving(sample::hold(41)).change();
    let outcome = state.commit(over).await?;
    ensure!(matches!(outcome, Outcome::OverBudget { .. }), "beyond the budget: {outcome:?}");
    apply(state, Draft::of(&ann, NOW).grant(1).change()).await?;
    ensure_eq!(state.head().await?, 3, "the place of the next record");
    let again = state.claim(claim_at(claim_at(NOW).lease_until)).await?;
    let fence = again.iter().find(|one| one.delivery.message.id == third.delivery.message.id);
    let is_higher = fence.is_some_and(|one| one.fence > third.fence);
    ensure!(is_higher, "the expired lease was not given anew with a higher fence: {again:?}");
    Ok(())
}

/// Commits all at once: one is applied, the others get `otherwise`. Gives what the winner left.
async fn race(
    state: &dyn StateStore,
    base: &Loaded,
    changes: Vec<Change>,
    otherwise: &Outcome,
) -> Result<Loaded, Failure> {
    let mut winner = None;
    let outcomes = all(changes.iter().map(|change| state.commit(change.clone()))).await;
    for (change, outcome) in changes.iter().zip(outcomes) {
        match outcome? {
            Outcome::Applied(_) if winner.is_none() => winner = Some(sample::after(base, change)),
            other => ensure_eq!(other, *otherwise, "a change that came too late"),
        }
    }
    let winner = winner.ok_or_else(|| Failure::new("no change was applied"))?;
    ensure_eq!(state.load(base.state.key()).await?, winner, "the user after a race");
    Ok(winner)
}

/// A change with as many moves and messages as there may be; the last move holds so much.
fn largest_change(
    user: &Loaded,
    line_items: &[LineItemId],
    (last, amount): (LineItemId, i64),
) -> Change {
    let holds = line_items.iter().map(|line_item| (*line_item, 10)).chain([(last, amount)]);
    let moves = holds.map(|(line_item, amount)| BudgetMove {
        line_item,
        guard: Guard::Extra,
        ..sample::hold(amount)
    });
    let draft = (1..=MESSAGES_MAX as u32).fold(Draft::of(user, NOW), Draft::grant);
    moves.fold(draft, Draft::moving).change()
}

/// All that a commit could have changed: the user, the budgets, the journal, the outbox.
type Everything = (Loaded, Vec<domain::budget::Level>, Vec<Stored>, Vec<Delivery>);

async fn everything(state: &dyn StateStore, user: &Loaded) -> Result<Everything, Failure> {
    let deliveries = list_of(state, APP).await?;
    let loaded = state.load(user.state.key()).await?;
    Ok((loaded, state.levels().await?, state.read(0, 1_000).await?, deliveries))
}
