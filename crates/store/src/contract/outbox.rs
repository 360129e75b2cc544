//! `Outbox`: claims with a lease, settlements with its fence, replays.
//!
//! The helpers of both outbox modules are here.

use std::collections::BTreeSet;

use domain::change::Loaded;
use domain::ids::{AppId, DeliveryId, Mode};
use domain::time::{HOUR_MS, Timestamp};

use super::check::{advance, all, fresh, in_place};
use super::sample::{self, APP, Draft, NOW};
use super::{Checked, Failure, Fixture};
use crate::{
    AttemptNote, Claim, Claimed, Delivery, DeliveryFilter, DeliveryState, Endpoint, Replay,
    Settled, Settlement, StateStore,
};

/// How long a lease of the cases lasts.
const LEASE_MS: i64 = 30_000;
/// Limit on rows where a case wants them all.
const ALL: usize = 1_000;

/// What is due is leased with its whole message, and nobody else gets it until the lease is over.
pub async fn outbox_claim_leases_what_is_due(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let ann = sample::user("ann");
    let change = Draft::of(&ann, NOW).grant(1).change();
    let record = change.record.clone().unwrap_or_else(|| sample::trace(None, ""));
    advance(&*state, &ann, change).await?;
    in_place(&*state).await?;
    grant(&*state, "bob", later(10)).await?;
    let due_at = Some(NOW);
    let endpoint = Endpoint { app: APP, mode: Mode::Live };
    let wanted = Delivery {
        seq: 1,
        user: ann.state.key(),
        endpoint,
        message: record.messages[0].clone(),
        state: DeliveryState::Queued,
        attempts: 0,
        due_at,
        last: None,
    };
    ensure_eq!(state.claim(claim_at(later(-1))).await?, [], "what is due a moment before");
    let claimed = state.claim(claim_at(NOW)).await?;
    let found: Vec<_> = claimed.iter().map(|one| one.delivery.clone()).collect();
    ensure_eq!(found, [wanted], "what is due now");
    let until = claim_at(NOW).lease_until;
    ensure_eq!(ids(&state.claim(claim_at(later(10))).await?).len(), 1, "what is due later");
    let last_moment = Timestamp(until.0 - 1);
    ensure_eq!(state.claim(claim_at(last_moment)).await?, [], "what is leased to others");
    Ok(())
}

/// However many claim at once, each delivery is leased to one of them, and none is forgotten.
pub async fn outbox_claim_race_leases_once(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let mut wanted = BTreeSet::new();
    for number in 0..40 {
        wanted.insert(grant(&*state, &format!("user {number}"), NOW).await?);
    }
    let claims = (0..8).map(|_| state.claim(Claim { limit: 10, ..claim_at(NOW) }));
    let mut leased = Vec::new();
    for claimed in all(claims).await {
        leased.extend(ids(&claimed?));
    }
    loop {
        let rest = ids(&state.claim(claim_at(NOW)).await?);
        if rest.is_empty() {
            break;
        }
        leased.extend(rest);
        ensure!(leased.len() <= wanted.len(), "{} leases of 40 deliveries", leased.len());
    }
    ensure_eq!(leased.len(), wanted.len(), "the number of leases");
    ensure_eq!(leased.into_iter().collect::<BTreeSet<_>>(), wanted, "what was leased");
    Ok(())
}

/// A lease that is over passes to the next claim, with a higher fence; the old one is no longer good.
pub async fn outbox_claim_takes_an_expired_lease_with_a_higher_fence(
    fixture: &dyn Fixture,
) -> Checked {
    let state = fresh(fixture).await?;
    let id = grant(&*state, "ann", NOW).await?;
    let mut old = claim_one(&*state, NOW).await?;
    for round in 1..4 {
        let at = later(round * LEASE_MS);
        let new = claim_one(&*state, at).await?;
        ensure_eq!(new.delivery.message.id, id, "what is claimed after the lease");
        ensure!(new.fence > old.fence, "a lease of {} follows one of {}", new.fence, old.fence);
        let settled = settle(&*state, &old, Settlement::Delivered, at).await?;
        ensure_eq!(settled, Settled::Fenced, "a settlement under the old lease");
        old = new;
    }
    let over = later(9 * LEASE_MS);
    let settled = settle(&*state, &old, Settlement::Delivered, over).await?;
    ensure_eq!(settled, Settled::Done, "a late settlement, while nobody else has the lease");
    Ok(())
}

/// The end of an attempt, its note and its number are there to be looked at.
pub async fn outbox_settle_records_the_attempt(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let retry = later(500);
    let rows = [
        (Settlement::Delivered, DeliveryState::Delivered, None),
        (Settlement::RetryAt(retry), DeliveryState::Retrying, Some(retry)),
        (Settlement::Stopped, DeliveryState::Stopped, None),
        (Settlement::Parked, DeliveryState::Parked, None),
    ];
    for ((settlement, wanted, due_at), number) in rows.into_iter().zip(0_u16..) {
        grant(&*state, &format!("user {number}"), NOW).await?;
        let claimed = claim_one(&*state, NOW).await?;
        let status = number.checked_sub(1).map(|number| 200 + number);
        let note = AttemptNote { at: later(number.into()), status, ..long_note() };
        let id = claimed.delivery.message.id;
        let name = format!("{settlement:?}");
        let settled = state.settle(id, claimed.fence, settlement, note.clone()).await?;
        ensure_eq!(settled, Settled::Done, "{name}");
        let last = Some(note);
        let after = Delivery { state: wanted, attempts: 1, due_at, last, ..claimed.delivery };
        ensure_eq!(state.delivery(id).await?, Some(after), "the delivery after {name}");
    }
    let before = Timestamp(retry.0 - 1);
    ensure_eq!(state.claim(claim_at(before)).await?, [], "what is due before the retry");
    let again = claim_one(&*state, retry).await?;
    settle(&*state, &again, Settlement::Delivered, retry).await?;
    let attempts = find(&*state, again.delivery.message.id).await?.attempts;
    ensure_eq!((again.delivery.attempts, attempts), (1, 2), "attempts before and after the retry");
    Ok(())
}

/// A settlement needs the number of the present lease; any other changes nothing.
pub async fn outbox_settle_with_an_old_fence_is_refused(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let id = grant(&*state, "ann", NOW).await?;
    let before = find(&*state, id).await?;
    for fence in [0, 1] {
        let settled = state.settle(id, fence, Settlement::Delivered, note_at(NOW)).await?;
        ensure_eq!(settled, Settled::Fenced, "fence {fence} without a lease");
    }
    let fence = claim_one(&*state, NOW).await?.fence;
    for wrong in [0, fence - 1, fence + 1, u64::MAX] {
        let settled = state.settle(id, wrong, Settlement::Delivered, note_at(NOW)).await?;
        ensure_eq!(settled, Settled::Fenced, "fence {wrong} under a lease of {fence}");
    }
    let unknown = DeliveryId([7; 16]);
    let settled = state.settle(unknown, fence, Settlement::Delivered, note_at(NOW)).await?;
    ensure_eq!(settled, Settled::Fenced, "a delivery that does not exist");
    ensure_eq!(find(&*state, id).await?, before, "the delivery after refused settlements");
    Ok(())
}

/// A settlement ends its lease: however often it is sent, it counts once.
pub async fn outbox_settle_counts_once(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let id = grant(&*state, "ann", NOW).await?;
    let claimed = claim_one(&*state, NOW).await?;
    let retry = || Settlement::RetryAt(later(500));
    let settlements = (0..10).map(|_| settle(&*state, &claimed, retry(), NOW));
    let mut done = 0;
    for settled in all(settlements).await {
        done += usize::from(settled? == Settled::Done);
    }
    ensure_eq!(done, 1, "how many of ten settlements were taken");
    let settled = settle(&*state, &claimed, Settlement::Delivered, NOW).await?;
    ensure_eq!(settled, Settled::Fenced, "another settlement under the same lease");
    let found = find(&*state, id).await?;
    ensure_eq!((found.state, found.attempts), (DeliveryState::Retrying, 1), "where it stands");
    Ok(())
}

/// A delivery in any state is made due now with a fresh plan, and whoever had it before is fenced
/// off.
pub async fn outbox_replay_starts_over(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let far = later(HOUR_MS);
    let ends = [
        Settlement::Delivered,
        Settlement::RetryAt(later(2 * HOUR_MS)),
        Settlement::Stopped,
        Settlement::Parked,
    ];
    for (end, number) in ends.into_iter().zip(0..) {
        let id = grant(&*state, &format!("user {number}"), NOW).await?;
        let first = claim_one(&*state, NOW).await?;
        settle(&*state, &first, Settlement::RetryAt(later(1)), NOW).await?;
        let second = claim_one(&*state, later(1)).await?;
        let name = format!("a replay after {end:?}");
        settle(&*state, &second, end, later(1)).await?;
        ensure_eq!(state.replay(Replay::One(id), far).await?, 1, "{name}: how many");
        let found = find(&*state, id).await?;
        let stands = (found.state, found.attempts, found.due_at);
        ensure_eq!(stands, (DeliveryState::Queued, 0, Some(far)), "{name}: where it stands");
        let third = claim_one(&*state, far).await?;
        ensure_eq!(third.delivery.message.id, id, "{name}: what is claimed");
        ensure!(third.fence > second.fence, "{name}: the fence did not rise");
        let settled = settle(&*state, &second, Settlement::Delivered, far).await?;
        ensure_eq!(settled, Settled::Fenced, "{name}: a settlement from before");
        delivered(&*state, &third).await?;
    }
    ensure_eq!(state.replay(Replay::One(DeliveryId([7; 16])), far).await?, 0, "a stranger");
    Ok(())
}

/// A range is an app, a mode and a state, booked from one moment until before another.
pub async fn outbox_replay_of_a_range_goes_by_booking(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(grant(&*state, &format!("user {number}"), later(number)).await?);
    }
    for (app, mode) in [(AppId(2), Mode::Live), (APP, Mode::Test)] {
        grant_of(&*state, &sample::stranger(app, mode, "ann"), later(2)).await?;
    }
    for claimed in state.claim(claim_at(later(10))).await? {
        let is_fourth = claimed.delivery.message.id == ids[3];
        let end = if is_fourth { Settlement::Parked } else { Settlement::Delivered };
        settle(&*state, &claimed, end, later(10)).await?;
    }
    let range = |state, from, to| Replay::Range {
        app: APP,
        mode: Mode::Live,
        state,
        from: later(from),
        to: later(to),
    };
    let now = later(HOUR_MS);
    let rows = [
        (range(DeliveryState::Delivered, 5, 5), vec![]),
        (range(DeliveryState::Stopped, 0, 9), vec![]),
        (range(DeliveryState::Delivered, 1, 5), vec![ids[1], ids[2], ids[4]]),
        (range(DeliveryState::Parked, 0, 9), vec![ids[3]]),
    ];
    for (which, wanted) in rows {
        let count = state.replay(which.clone(), now).await?;
        ensure_eq!(count, wanted.len() as u64, "how many of {which:?}");
        let claimed = state.claim(claim_at(now)).await?;
        let found: Vec<_> = claimed.iter().map(|one| one.delivery.message.id).collect();
        ensure_eq!(found, wanted, "what is due after {which:?}");
    }
    Ok(())
}

/// What is being tried at the moment stays with its worker; once the lease is over it is replayed.
pub async fn outbox_replay_leaves_a_running_attempt_alone(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let id = grant(&*state, "ann", NOW).await?;
    let claimed = claim_one(&*state, NOW).await?;
    let before = find(&*state, id).await?;
    let range = Replay::Range {
        app: APP,
        mode: Mode::Live,
        state: DeliveryState::Queued,
        from: NOW,
        to: later(1),
    };
    for which in [Replay::One(id), range.clone()] {
        let name = format!("{which:?}");
        ensure_eq!(state.replay(which, later(1)).await?, 0, "{name} of a running attempt");
        ensure_eq!(find(&*state, id).await?, before, "the delivery after {name}");
    }
    let retry = Settlement::RetryAt(later(1));
    let settled = settle(&*state, &claimed, retry, later(1)).await?;
    ensure_eq!(settled, Settled::Done, "the settlement of the running attempt");
    let dead = claim_one(&*state, later(1)).await?;
    let over = later(1 + LEASE_MS);
    ensure_eq!(state.replay(Replay::One(id), over).await?, 1, "a replay after the lease");
    let settled = settle(&*state, &dead, Settlement::Delivered, over).await?;
    ensure_eq!(settled, Settled::Fenced, "the settlement of the attempt that was given up");
    ensure_eq!(find(&*state, id).await?.attempts, 0, "attempts of the fresh plan");
    Ok(())
}

/// Each message of a record is found by its id, in the words of the record.
pub async fn outbox_delivery_is_found_by_id(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let ann = sample::user("ann");
    let change = Draft::of(&ann, NOW).grant(1).grant(2).grant(3).reverse(2).change();
    let record = change.record.clone().unwrap_or_else(|| sample::trace(None, ""));
    advance(&*state, &ann, change).await?;
    ensure_eq!(record.messages.len(), 4, "the messages of the change");
    for message in record.messages {
        let found = find(&*state, message.id).await?;
        ensure_eq!((found.seq, found.user), (1, ann.state.key()), "place and user of a message");
        ensure_eq!(found.message, message, "a message found by its id");
    }
    let unknown = [Draft::grant_message(&ann.state.key(), 4), DeliveryId::default()];
    for id in unknown {
        ensure_eq!(state.delivery(id).await?, None, "a message that was never sent");
    }
    Ok(())
}

/// Some of the messages that there are and some that there never were are found at once.
pub async fn outbox_deliveries_of_finds_some(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let (ann, bob) = (sample::user("ann"), sample::user("bob"));
    for user in [&ann, &bob] {
        advance(&*state, user, Draft::of(user, NOW).grant(1).grant(2).grant(3).change()).await?;
    }
    let of = |user: &Loaded, occurrence| Draft::grant_message(&user.state.key(), occurrence);
    let unknown = [of(&ann, 4), DeliveryId::default()];
    let mut there = [of(&bob, 3), of(&ann, 1), of(&bob, 1)];
    let found = state.deliveries_of(&[&there[..], &unknown[..]].concat()).await?;
    let mut ids: Vec<DeliveryId> = found.iter().map(|one| one.message.id).collect();
    ids.sort_unstable();
    there.sort_unstable();
    ensure_eq!(ids, there, "the ids of those that are there");
    for one in found {
        let alone = state.delivery(one.message.id).await?;
        ensure_eq!(alone, Some(one), "one of some");
    }
    ensure_eq!(state.deliveries_of(&unknown).await?, [], "some that there never were");
    ensure_eq!(state.deliveries_of(&[]).await?, [], "none");
    Ok(())
}

/// Every state is counted, also with none in it, in the order of the states.
pub async fn outbox_backlog_counts_states(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    ensure_eq!(state.backlog().await?.0, counts([0; 5]), "an empty outbox");
    for number in 0..9 {
        grant(&*state, &format!("user {number}"), NOW).await?;
    }
    ensure_eq!(state.backlog().await?.0, counts([9, 0, 0, 0, 0]), "nine messages");
    let ends = [
        (Settlement::RetryAt(later(1)), 1),
        (Settlement::Delivered, 2),
        (Settlement::Stopped, 1),
        (Settlement::Parked, 3),
    ];
    let ends = ends.into_iter().flat_map(|(end, times)| vec![end; times]);
    let claimed = state.claim(Claim { limit: 7, ..claim_at(NOW) }).await?;
    let parked = claimed.last().map(|one| one.delivery.message.id).unwrap_or_default();
    for (one, end) in claimed.iter().zip(ends) {
        settle(&*state, one, end, NOW).await?;
    }
    ensure_eq!(state.backlog().await?.0, counts([2, 1, 2, 1, 3]), "after seven settlements");
    state.replay(Replay::One(parked), NOW).await?;
    ensure_eq!(state.backlog().await?.0, counts([3, 1, 2, 1, 2]), "after a replay");
    Ok(())
}

/// At the moment that is named a claim returns something, and before it nothing; none is named
/// once nothing is left to be sent.
pub async fn outbox_backlog_names_a_moment_worth_waking_for(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    ensure_eq!(state.backlog().await?.1, None, "the moment of an empty outbox");
    let ann = sample::user("ann");
    let ann = advance(&*state, &ann, Draft::of(&ann, later(5)).grant(1).change()).await?;
    let draft = Draft::of(&ann, later(6)).reverse(1).grant(2).grant(3);
    advance(&*state, &ann, draft.change()).await?;
    let grant = wake(&*state, later(5)).await?;
    settle(&*state, &grant, Settlement::RetryAt(later(100)), later(5)).await?;
    // The reversal is due as well but has to wait for its grant.
    let [second, third] = [wake(&*state, later(6)).await?, wake(&*state, later(6)).await?];
    settle(&*state, &second, Settlement::Stopped, later(6)).await?;
    delivered(&*state, &third).await?;
    let grant = wake(&*state, later(100)).await?;
    delivered(&*state, &grant).await?;
    let reversal = wake(&*state, later(6)).await?;
    // The grant is told anew while its reversal is on its way; the reversal's lease ends long
    // before, but it may not be sent again until the grant is told.
    let id = grant.delivery.message.id;
    ensure_eq!(state.replay(Replay::One(id), later(200)).await?, 1, "a replay of the grant");
    let grant = wake(&*state, later(200)).await?;
    settle(&*state, &grant, Settlement::RetryAt(later(HOUR_MS)), later(200)).await?;
    let grant = wake(&*state, later(HOUR_MS)).await?;
    delivered(&*state, &grant).await?;
    let reversal = wake_after(&*state, &reversal, later(6 + LEASE_MS)).await?;
    delivered(&*state, &reversal).await?;
    ensure_eq!(state.backlog().await?.1, None, "the moment when nothing is left to be sent");
    Ok(())
}

/// Claims one delivery at the moment that the backlog names, which must be `at`.
async fn wake(state: &dyn StateStore, at: Timestamp) -> Result<Claimed, Failure> {
    let named = state.backlog().await?.1;
    ensure_eq!(named, Some(at), "the moment that the backlog names");
    let before = state.claim(one_at(Timestamp(at.0 - 1))).await?;
    ensure_eq!(before, [], "what can be claimed before the named moment {at:?}");
    claim_one(state, at).await
}

/// The same of a delivery whose lease has ended.
async fn wake_after(
    state: &dyn StateStore,
    lost: &Claimed,
    at: Timestamp,
) -> Result<Claimed, Failure> {
    let found = wake(state, at).await?;
    let id = lost.delivery.message.id;
    ensure_eq!(found.delivery.message.id, id, "what is claimed when its lease has ended");
    Ok(found)
}

/// A moment so many milliseconds after [`NOW`].
pub(super) fn later(ms: i64) -> Timestamp {
    Timestamp(NOW.0 + ms)
}

/// A claim of everything that is due.
pub(super) fn claim_at(now: Timestamp) -> Claim {
    let lease_until = Timestamp(now.0 + LEASE_MS);
    Claim { now, lease_until, limit: ALL, per_endpoint: ALL, skip: Vec::new() }
}

fn one_at(now: Timestamp) -> Claim {
    Claim { limit: 1, ..claim_at(now) }
}

/// Claims the next delivery; there must be one.
pub(super) async fn claim_one(state: &dyn StateStore, at: Timestamp) -> Result<Claimed, Failure> {
    let first = state.claim(one_at(at)).await?.into_iter().next();
    first.ok_or_else(|| Failure::new(format!("nothing can be claimed at {at:?}")))
}

/// The note of an attempt at that moment.
pub(super) fn note_at(at: Timestamp) -> AttemptNote {
    AttemptNote { at, status: Some(503), note: "no room".to_owned(), duration_ms: 12 }
}

/// A note as long as one may be.
fn long_note() -> AttemptNote {
    AttemptNote { note: "🎁\0".repeat(1_024 / 5), duration_ms: u32::MAX, ..note_at(NOW) }
}

/// Settles a claimed delivery.
pub(super) async fn settle(
    state: &dyn StateStore,
    claimed: &Claimed,
    how: Settlement,
    at: Timestamp,
) -> Result<Settled, Failure> {
    let id = claimed.delivery.message.id;
    Ok(state.settle(id, claimed.fence, how, note_at(at)).await?)
}

/// Settles a claimed delivery as delivered, which must be taken.
pub(super) async fn delivered(state: &dyn StateStore, claimed: &Claimed) -> Checked {
    let settled = settle(state, claimed, Settlement::Delivered, NOW).await?;
    ensure_eq!(settled, Settled::Done, "the settlement of {}", claimed.delivery.message.id);
    Ok(())
}

/// Grants a new live user of [`APP`] a reward at that moment, and gives its message.
pub(super) async fn grant(
    state: &dyn StateStore,
    name: &str,
    at: Timestamp,
) -> Result<DeliveryId, Failure> {
    grant_of(state, &sample::user(name), at).await
}

/// The same for any user who has no reward of the first mission yet.
pub(super) async fn grant_of(
    state: &dyn StateStore,
    user: &Loaded,
    at: Timestamp,
) -> Result<DeliveryId, Failure> {
    advance(state, user, Draft::of(user, at).grant(1).change()).await?;
    Ok(Draft::grant_message(&user.state.key(), 1))
}

/// A delivery that must be there.
pub(super) async fn find(state: &dyn StateStore, id: DeliveryId) -> Result<Delivery, Failure> {
    let found = state.delivery(id).await?;
    found.ok_or_else(|| Failure::new(format!("the delivery {id} is not there")))
}

/// All live deliveries of an app.
pub(super) async fn list_of(state: &dyn StateStore, app: AppId) -> Result<Vec<Delivery>, Failure> {
    let filter = DeliveryFilter { app, mode: Mode::Live, state: None, after: None, limit: ALL };
    Ok(state.deliveries(filter).await?)
}

/// What was claimed, by id, in order.
pub(super) fn ids(claimed: &[Claimed]) -> Vec<DeliveryId> {
    claimed.iter().map(|one| one.delivery.message.id).collect()
}

fn counts(of: [u64; 5]) -> Vec<(DeliveryState, u64)> {
    DeliveryState::ALL.into_iter().zip(of).collect()
}
