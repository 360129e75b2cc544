//! `Transfer`: a store that was filled is the store that it was filled from.

use domain::budget::{BudgetMove, Guard};
use domain::change::{Change, Loaded};
use domain::ids::{LineItemId, Mode};
use domain::money::Micros;
use domain::time::Day;

use super::check::{advance, apply};
use super::outbox::{claim_at, claim_one, grant, ids, later, list_of, settle};
use super::sample::{self, APP, Draft, LINE_ITEM, NOW, TODAY};
use super::transfer::{ALL, place_of, row_after, turn};
use super::{Checked, Failure, MoveFixture};
use crate::{
    Claimed, Delivery, DeliveryState, Movable, Outcome, Phase, Replay, RunNumber, Seq, Settled,
    Settlement, Stored, UserRow,
};

/// A store that was filled from one without a total order has none either, also for what is added
/// later; only one that is being filled can be told so.
pub async fn transfer_put_order_holds_for_the_whole_journal(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let at_first = store.state.is_total_order();
    let (run, _) = store.transfer.take_over().await?;
    let refused = store.transfer.put_order(run, false).await;
    ensure!(refused.is_err(), "a live store was told another order");
    ensure_eq!(store.state.is_total_order(), at_first, "the order after a refusal");
    for (is_total, wanted) in [(false, false), (true, at_first), (false, false)] {
        store.transfer.set_phase(run, Phase::Filling).await?;
        for _ in 0..2 {
            store.transfer.put_order(run, is_total).await?;
            ensure_eq!(store.state.is_total_order(), wanted, "told {is_total}");
        }
        store.transfer.set_phase(run, Phase::Live).await?;
        store.state.append(sample::trace(None, "install")).await?;
        ensure_eq!(store.state.is_total_order(), wanted, "told {is_total}, and then used");
    }
    let Some(store) = fixture.reopen(store).await? else { return Ok(()) };
    ensure!(!store.state.is_total_order(), "the order is total after reopening");
    Ok(())
}

/// Users come back as they were put, with their latest changes and when they are due; the latest put
/// holds.
pub async fn transfer_put_users_keeps_every_field(fixture: &dyn MoveFixture) -> Checked {
    let (store, run) = filling(fixture).await?;
    let ann = sample::user("ann");
    let full = sample::full_state(APP, Mode::Test, "full");
    let full = Change::new(&sample::stranger(APP, Mode::Test, "full"), full, None);
    let large = sample::largest_state("large");
    let large = Change::new(&sample::user("large"), large, None);
    let old = Draft::of(&ann, NOW).start(1, 0).change();
    let known = sample::after(&ann, &old);
    let new = Draft::of(&known, NOW).start(2, 0).change();
    let strangers = [sample::stranger(APP, Mode::Test, "full"), sample::user("large")];
    let mut wanted = vec![
        row_after(&strangers[0], &full),
        row_after(&strangers[1], &large),
        row_after(&known, &new),
    ];
    store.transfer.put_users(run, vec![row_after(&ann, &old), wanted[0].clone()]).await?;
    store.transfer.put_users(run, wanted.clone()).await?;
    store.transfer.put_users(run, wanted[..2].to_vec()).await?;
    wanted.sort_by_key(|row| row.key);
    ensure_eq!(store.transfer.users(None, ALL).await?, wanted, "the users that were put");
    for row in &wanted {
        ensure_eq!(store.state.load(row.key).await?, row.loaded, "a user that was put");
    }
    store.transfer.set_phase(run, Phase::Live).await?;
    let due = store.state.due(later(i64::from(i32::MAX)), ALL).await?;
    ensure!(due.contains(&ann.state.key()), "a user whose run ends is not due: {due:?}");
    let again = store.state.commit(new.clone()).await?;
    ensure_eq!(again, Outcome::Replayed, "his latest change, asked for again");
    ensure_eq!(store.state.commit(old).await?, Outcome::Stale, "the one before");
    let known = sample::after(&known, &new);
    advance(&*store.state, &known, Draft::of(&known, NOW).start(3, 0).change()).await?;
    Ok(())
}

/// Records stand at their places, in the journal and in each user's ledger, whether they come
/// before or after their users, at once or in pieces that overlap; the next one follows them.
pub async fn transfer_put_records_keeps_places_and_ledgers(fixture: &dyn MoveFixture) -> Checked {
    let from = fixture.fresh().await?;
    let users = history(&from).await?;
    let records = from.state.read(0, ALL).await?;
    let rows = from.transfer.users(None, ALL).await?;
    for pieces in [[0, 40, 40], [0, 1, 40], [0, 25, 40], [3, 17, 30]] {
        let (to, run) = filling(fixture).await?;
        to.transfer.put_users(run, rows[..1].to_vec()).await?;
        let mut done = 0;
        for end in pieces {
            let end = end.min(records.len());
            to.transfer.put_records(run, records[done..end].to_vec()).await?;
            to.transfer.put_users(run, rows.clone()).await?;
            done = end.saturating_sub(2);
        }
        to.transfer.put_records(run, records.clone()).await?;
        same_journal(&from, &to, &users).await?;
        to.transfer.set_phase(run, Phase::Live).await?;
        let ann = to.state.load(users[0].state.key()).await?;
        advance(&*to.state, &ann, Draft::of(&ann, NOW).grant(9).change()).await?;
        to.state.append(sample::trace(Some(ann.state.key()), "later")).await?;
        let head = records.len() as Seq;
        let own = to.state.ledger(ann.state.key(), None, ALL).await?.records;
        let places: Vec<Seq> = own.iter().map(|stored| stored.seq).take(3).collect();
        let before = from.state.ledger(ann.state.key(), None, 1).await?.records;
        let wanted: Vec<Seq> =
            [head + 2, head + 1].into_iter().chain(before.iter().map(|one| one.seq)).collect();
        ensure_eq!(places, wanted, "the ledger after a change in the new store");
    }
    Ok(())
}

/// The messages of records wait to be sent, and the new store sends them.
pub async fn transfer_put_records_queues_deliveries(fixture: &dyn MoveFixture) -> Checked {
    let from = fixture.fresh().await?;
    history(&from).await?;
    let (to, run) = filling(fixture).await?;
    let records = from.state.read(0, ALL).await?;
    to.transfer.put_records(run, records.clone()).await?;
    let wanted = list_of(&*from.state, APP).await?;
    ensure!(!wanted.is_empty(), "there is nothing to be sent");
    ensure_eq!(list_of(&*to.state, APP).await?, wanted, "the deliveries");
    ensure_eq!(to.state.backlog().await?, from.state.backlog().await?, "the backlog");
    ensure_eq!(to.transfer.delivery_rows(None, ALL).await?, [], "those that were ever tried");
    to.transfer.put_records(run, records).await?;
    ensure_eq!(list_of(&*to.state, APP).await?, wanted, "the deliveries of repeated records");
    to.transfer.set_phase(run, Phase::Live).await?;
    let [mut sent, mut found] = [Vec::new(), Vec::new()];
    for (store, claimed) in [(&from, &mut sent), (&to, &mut found)] {
        claimed.extend(ids(&store.state.claim(claim_at(later(1_000))).await?));
    }
    ensure_eq!(found, sent, "what can be claimed");
    Ok(())
}

/// Budgets come back as they were put, and guard what is spent from then on, also on days long ago.
pub async fn transfer_put_budgets_keeps_limits_and_days(fixture: &dyn MoveFixture) -> Checked {
    let from = fixture.fresh().await?;
    let limits = domain::budget::Limits {
        daily: Some(Micros(50)),
        starts: Some(3),
        daily_starts: Some(2),
        ..sample::limits(100)
    };
    from.state.set_limits(LINE_ITEM, limits, NOW).await?;
    from.state.set_limits(LineItemId(9), sample::limits(5), NOW).await?;
    let (ann, bob) = (sample::user("ann"), sample::user("bob"));
    let on = |day, amount| BudgetMove { day: Day(TODAY.0 - day), ..sample::hold(amount) };
    let free = BudgetMove { line_item: LineItemId(4), ..sample::booking(6, 0, Guard::Free) };
    let draft = Draft::of(&ann, NOW).moving(on(20, 30)).moving(free);
    apply(&*from.state, draft.change()).await?;
    let old = from.transfer.budget_rows().await?;
    apply(&*from.state, Draft::of(&bob, NOW).moving(on(0, 10)).change()).await?;
    let rows = from.transfer.budget_rows().await?;
    let (to, run) = filling(fixture).await?;
    to.transfer.put_budgets(run, old).await?;
    to.transfer.put_budgets(run, rows.clone()).await?;
    ensure_eq!(to.transfer.budget_rows().await?, rows, "the budgets that were put");
    to.transfer.set_phase(run, Phase::Live).await?;
    ensure_eq!(to.state.levels().await?, from.state.levels().await?, "the levels");
    let unset = to.state.level(LineItemId(4)).await?;
    ensure_eq!(unset, None, "a budget whose limits were never set");
    let eve = sample::user("eve");
    for (day, amount, fits) in [(20, 21, false), (0, 41, false), (20, 20, true), (0, 1, false)] {
        let eve = to
            .state
            .load(eve.state.key())
            .await
            .map(|known| Loaded { state: eve.state.clone(), ..known })?;
        let change = Draft::of(&eve, NOW).moving(on(day, amount)).change();
        for store in [&to, &from] {
            let outcome = store.state.commit(change.clone()).await?;
            let is_applied = matches!(outcome, Outcome::Applied(_));
            ensure_eq!(is_applied, fits, "{amount} more, {day} days ago: {outcome:?}");
        }
    }
    ensure_eq!(to.state.levels().await?, from.state.levels().await?, "the levels afterwards");
    Ok(())
}

/// Deliveries are as far as they were put: what ended is not sent again, what was under way is due
/// when its lease would have ended, with a higher fence, and a reversal waits for its grant.
pub async fn transfer_put_deliveries_keeps_how_far_they_are(fixture: &dyn MoveFixture) -> Checked {
    let from = fixture.fresh().await?;
    sent(&from).await?;
    let (to, run) = filling(fixture).await?;
    copy(&from, &to, run).await?;
    let rows = from.transfer.delivery_rows(None, ALL).await?;
    ensure_eq!(to.transfer.delivery_rows(None, ALL).await?, rows, "the deliveries");
    ensure_eq!(to.state.backlog().await?.0, from.state.backlog().await?.0, "the counts");
    to.transfer.set_phase(run, Phase::Live).await?;
    let leased = rows.iter().find(|one| one.delivery.state == DeliveryState::Queued);
    let leased = leased.ok_or_else(|| Failure::new("nothing was under way"))?;
    let stale = settle(&*to.state, leased, Settlement::Delivered, NOW).await?;
    ensure_eq!(stale, Settled::Fenced, "a settlement under a lease of the old store");
    let end = leased.delivery.due_at.unwrap_or_default();
    for step in 0..8 {
        let at = later(end.0 - NOW.0 - 1 + step * 3_600_000);
        let [one, other] = [claimed(&from, at).await?, claimed(&to, at).await?];
        ensure_eq!(other, one, "what is claimed at {at:?}");
    }
    ensure_eq!(to.state.backlog().await?, from.state.backlog().await?, "the backlog at last");
    let is_parked = |one: &&Claimed| one.delivery.state == DeliveryState::Parked;
    let parked = rows.iter().find(|one| is_parked(one) && one.delivery.message.after.is_none());
    let parked = parked.map(|one| one.delivery.message.id).unwrap_or_default();
    for store in [&from, &to] {
        let replayed = store.state.replay(Replay::One(parked), NOW).await?;
        ensure!(replayed > 0, "a replay of a parked grant changes nothing");
    }
    let [one, other] = [claimed(&from, NOW).await?, claimed(&to, NOW).await?];
    ensure_eq!(other, one, "what is claimed after a replay");
    Ok(())
}

/// A delivery that is put again after it has come further, or whose grant comes after it, is right.
pub async fn transfer_put_deliveries_in_any_order(fixture: &dyn MoveFixture) -> Checked {
    let from = fixture.fresh().await?;
    grant(&*from.state, "early", NOW).await?;
    claim_one(&*from.state, NOW).await?;
    let early = from.transfer.delivery_rows(None, ALL).await?;
    sent(&from).await?;
    let rows = from.transfer.delivery_rows(None, ALL).await?;
    let (to, run) = filling(fixture).await?;
    to.transfer.put_records(run, from.state.read(0, ALL).await?).await?;
    to.transfer.put_deliveries(run, early).await?;
    for row in rows.iter().rev() {
        to.transfer.put_deliveries(run, vec![row.clone()]).await?;
    }
    ensure_eq!(to.transfer.delivery_rows(None, ALL).await?, rows, "the deliveries");
    to.transfer.set_phase(run, Phase::Live).await?;
    for hour in 0..8 {
        let at = later(hour * 3_600_000);
        let [one, other] = [claimed(&from, at).await?, claimed(&to, at).await?];
        ensure_eq!(other, one, "what is claimed at {at:?}");
    }
    ensure_eq!(listed(&to).await?, listed(&from).await?, "the list");
    Ok(())
}

/// What was put is there after a restart.
pub async fn transfer_put_deliveries_survives_reopening(fixture: &dyn MoveFixture) -> Checked {
    let from = fixture.fresh().await?;
    let users = history(&from).await?;
    sent(&from).await?;
    let (to, run) = filling(fixture).await?;
    copy(&from, &to, run).await?;
    let Some(to) = fixture.reopen(to).await? else { return Ok(()) };
    same_journal(&from, &to, &users).await?;
    let wanted = from.transfer.users(None, ALL).await?;
    ensure_eq!(to.transfer.users(None, ALL).await?, wanted, "the users");
    let wanted = from.transfer.budget_rows().await?;
    ensure_eq!(to.transfer.budget_rows().await?, wanted, "the budgets");
    let wanted = from.transfer.delivery_rows(None, ALL).await?;
    ensure_eq!(to.transfer.delivery_rows(None, ALL).await?, wanted, "the deliveries");
    ensure_eq!(listed(&to).await?, listed(&from).await?, "the list");
    Ok(())
}

/// An empty store that is being filled, and the run that fills it.
async fn filling(fixture: &dyn MoveFixture) -> Result<(Movable, RunNumber), Failure> {
    let store = fixture.fresh().await?;
    let run = turn(&store, Phase::Filling).await?;
    Ok((store, run))
}

/// Copies everything.
async fn copy(from: &Movable, to: &Movable, run: RunNumber) -> Checked {
    to.transfer.put_records(run, from.state.read(0, ALL).await?).await?;
    to.transfer.put_users(run, from.transfer.users(None, ALL).await?).await?;
    to.transfer.put_budgets(run, from.transfer.budget_rows().await?).await?;
    to.transfer.put_deliveries(run, from.transfer.delivery_rows(None, ALL).await?).await?;
    Ok(())
}

/// Changes and traces of users whose records lie among each other; one of them is never seen.
async fn history(store: &Movable) -> Result<Vec<Loaded>, Failure> {
    let mut users = ["ann", "bob", "eve"].map(sample::user).to_vec();
    let stranger = sample::user("stranger");
    store.state.set_limits(LINE_ITEM, sample::limits(1_000), NOW).await?;
    for round in 0..4 {
        for user in &mut users {
            let draft = Draft::of(user, later(round)).grant(round as u32 + 1);
            *user = advance(&*store.state, user, draft.change()).await?;
            *user = advance(&*store.state, user, sample::profile(user, round as u8)).await?;
            store.state.append(sample::trace(Some(user.state.key()), "install")).await?;
        }
        store.state.append(sample::trace(Some(stranger.state.key()), "install")).await?;
        store.state.append(sample::trace(None, "install")).await?;
    }
    users.push(stranger);
    Ok(users)
}

/// Deliveries in every state, each end of a grant that a reversal waits for among them.
async fn sent(store: &Movable) -> Checked {
    let state = &*store.state;
    let hour = later(3_600_000);
    let ends = [
        Some(Settlement::Delivered),
        Some(Settlement::RetryAt(hour)),
        Some(Settlement::Stopped),
        Some(Settlement::Parked),
        None,
    ];
    for (number, how) in (0..).zip(ends) {
        let user = sample::user(&format!("sent {number}"));
        let user = advance(state, &user, Draft::of(&user, NOW).grant(1).change()).await?;
        advance(state, &user, Draft::of(&user, NOW).reverse(1).change()).await?;
        let wanted = Draft::grant_message(&user.state.key(), 1);
        let claimed: Vec<Claimed> = state.claim(claim_at(later(1))).await?;
        let one = claimed.iter().find(|one| one.delivery.message.id == wanted);
        let one = one.ok_or_else(|| Failure::new("a grant cannot be claimed"))?;
        if let Some(how) = how {
            settle(state, one, how, later(1)).await?;
        }
    }
    Ok(())
}

/// What can be claimed at that moment: ids in order, with their attempts and fences.
async fn claimed(
    store: &Movable,
    at: domain::time::Timestamp,
) -> Result<Vec<(domain::ids::DeliveryId, u32, u64)>, Failure> {
    let claimed = store.state.claim(claim_at(at)).await?;
    let told = |one: &Claimed| (place_of(one).1, one.delivery.attempts, one.fence);
    Ok(claimed.iter().map(told).collect())
}

/// The list of the pull API; when something is due is not compared, since leases are not carried.
async fn listed(store: &Movable) -> Result<Vec<Delivery>, Failure> {
    let mut list = list_of(&*store.state, APP).await?;
    list.iter_mut().for_each(|delivery| delivery.due_at = None);
    Ok(list)
}

async fn same_journal(from: &Movable, to: &Movable, users: &[Loaded]) -> Checked {
    ensure_eq!(to.state.head().await?, from.state.head().await?, "the end of the journal");
    let wanted: Vec<Stored> = from.state.read(0, ALL).await?;
    ensure_eq!(to.state.read(0, ALL).await?, wanted, "the journal");
    for user in users {
        let mut before = None;
        loop {
            let wanted = from.state.ledger(user.state.key(), before, 3).await?;
            let found = to.state.ledger(user.state.key(), before, 3).await?;
            ensure_eq!(found, wanted, "the ledger of {} before {before:?}", user.state.user_id);
            before = found.before;
            if before.is_none() {
                break;
            }
        }
    }
    let found: Vec<UserRow> = to.transfer.users(None, ALL).await?;
    ensure!(found.iter().all(|row| row.loaded.version > 0), "a stranger among the users");
    Ok(())
}
