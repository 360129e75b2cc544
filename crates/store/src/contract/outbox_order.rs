//! `Outbox`: whose turn it is, what waits for what, and the list of the pull API.

use domain::change::Loaded;
use domain::ids::{AppId, DeliveryId, Mode, UserKey};

use super::check::{advance, all, fresh, in_place};
use super::outbox::{
    claim_at, claim_one, delivered, find, grant, grant_of, ids, later, list_of, settle,
};
use super::sample::{self, APP, Draft, NOW};
use super::{Checked, Failure, Fixture};
use crate::{
    Claim, Delivery, DeliveryFilter, DeliveryState, Endpoint, Replay, Settled, Settlement,
    StateStore,
};

/// A moment after every lease and every retry of the cases.
const FAR_MS: i64 = 3_600_000;

/// Everybody's first comes before anybody's second, however much one endpoint has; within one the
/// oldest comes first.
pub async fn outbox_claim_is_fair_over_endpoints(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let busy = Endpoint { app: APP, mode: Mode::Live };
    let quiet = [(APP, Mode::Test), (AppId(2), Mode::Live), (AppId(3), Mode::Live)]
        .map(|(app, mode)| Endpoint { app, mode });
    fill(&*state, busy, 20).await?;
    for endpoint in quiet {
        fill(&*state, endpoint, 2).await?;
    }
    let mut order = Vec::new();
    for limit in [4, 6, 100] {
        let claimed = state.claim(Claim { limit, ..claim_at(later(100)) }).await?;
        order.push(claimed.into_iter().map(|one| one.delivery).collect::<Vec<_>>());
    }
    let sizes: Vec<usize> = order.iter().map(Vec::len).collect();
    ensure_eq!(sizes, [4, 6, 16], "how many each claim gets");
    let of =
        |page: usize, endpoint| order[page].iter().filter(|one| one.endpoint == endpoint).count();
    for endpoint in quiet {
        ensure_eq!((of(0, endpoint), of(1, endpoint)), (1, 1), "what {endpoint:?} gets");
    }
    ensure_eq!((of(0, busy), of(1, busy), of(2, busy)), (1, 3, 16), "what the busy one gets");
    for endpoint in quiet.into_iter().chain([busy]) {
        let own = order.concat().into_iter().filter(|one| one.endpoint == endpoint);
        let due: Vec<_> = own.map(|one| one.due_at).collect();
        ensure!(due.is_sorted(), "{endpoint:?} is not served in order: {due:?}");
    }
    Ok(())
}

/// A claim gets no more than it asks for, in all and of one endpoint, and nothing of a busy one.
pub async fn outbox_claim_keeps_to_its_limits(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let endpoints = [1, 2, 3].map(|app| Endpoint { app: AppId(app), mode: Mode::Live });
    for endpoint in endpoints {
        fill(&*state, endpoint, 5).await?;
    }
    let all_of_it = claim_at(later(100));
    let skip_two = endpoints[1..].to_vec();
    let rows = [
        (Claim { limit: 0, ..all_of_it.clone() }, [0, 0, 0]),
        (Claim { per_endpoint: 0, ..all_of_it.clone() }, [0, 0, 0]),
        (Claim { skip: endpoints.to_vec(), ..all_of_it.clone() }, [0, 0, 0]),
        (Claim { limit: 2, skip: skip_two, ..all_of_it.clone() }, [2, 0, 0]),
        (Claim { per_endpoint: 1, ..all_of_it.clone() }, [1, 1, 1]),
        (Claim { per_endpoint: 2, skip: vec![endpoints[1]], ..all_of_it.clone() }, [2, 0, 2]),
        (all_of_it, [0, 4, 2]),
    ];
    for (claim, wanted) in rows {
        let claimed = state.claim(claim.clone()).await?;
        let of = |endpoint| claimed.iter().filter(|one| one.delivery.endpoint == endpoint).count();
        ensure_eq!(endpoints.map(of), wanted, "what {claim:?} gets of each endpoint");
    }
    Ok(())
}

/// A reversal is told after its grant, in whatever order their ids are, and takes nobody's place
/// while it waits (D6).
pub async fn outbox_claim_tells_a_reversal_after_its_grant(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let ann = sample::user("ann");
    let key = ann.state.key();
    let missions = 1..=6;
    let draft =
        missions.clone().fold(Draft::of(&ann, NOW), |draft, one| draft.grant(one).reverse(one));
    advance(&*state, &ann, draft.change()).await?;
    let bob = grant(&*state, "bob", later(1)).await?;
    let claimed = state.claim(claim_at(NOW)).await?;
    let mut wanted: Vec<_> =
        missions.clone().map(|mission| Draft::grant_message(&key, mission)).collect();
    wanted.sort_unstable();
    ensure_eq!(ids(&claimed), wanted, "what can be claimed first");
    let (first, others) = split(&claimed)?;
    settle(&*state, first, Settlement::RetryAt(later(FAR_MS)), NOW).await?;
    for one in others {
        delivered(&*state, one).await?;
    }
    let claimed = state.claim(claim_at(NOW)).await?;
    let late = first.delivery.message.id;
    let mut wanted: Vec<_> = missions
        .filter(|mission| Draft::grant_message(&key, *mission) != late)
        .map(|mission| Draft::reversal_message(&key, mission))
        .collect();
    wanted.sort_unstable();
    ensure_eq!(ids(&claimed), wanted, "what can be claimed when all grants but one are told");
    for one in &claimed {
        delivered(&*state, one).await?;
    }
    let next = Claim { per_endpoint: 1, limit: 1, ..claim_at(later(1)) };
    let claimed = state.claim(next).await?;
    ensure_eq!(ids(&claimed), [bob], "what comes past a waiting reversal");
    delivered(&*state, split(&claimed)?.0).await?;
    let last = state.claim(claim_at(later(FAR_MS))).await?;
    ensure_eq!(ids(&last), [late], "what is left: the grant that was tried in vain");
    Ok(())
}

/// When a grant ends undelivered, the reversal that waits for it is parked with it.
pub async fn outbox_settle_of_a_lost_grant_parks_its_reversal(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    for (end, name) in [(Settlement::Parked, "ann"), (Settlement::Stopped, "bob")] {
        let user = reversed(&*state, name).await?;
        let grant = claim_one(&*state, later(1)).await?;
        settle(&*state, &grant, end.clone(), later(1)).await?;
        ensure_eq!(state.claim(claim_at(later(1))).await?, [], "what is left after {end:?}");
        check_parked(&*state, &user, &format!("{end:?} of its grant")).await?;
    }
    ensure_eq!(state.backlog().await?.1, None, "the moment when nothing is left to be sent");
    Ok(())
}

/// A reversal of a grant that is lost never waits: it is parked at the latest by the next claim,
/// also if it was made later, or was on its way when the grant was lost.
pub async fn outbox_claim_parks_a_reversal_of_a_lost_grant(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let ann = sample::user("ann");
    let ann = advance(&*state, &ann, Draft::of(&ann, NOW).grant(1).change()).await?;
    let grant = claim_one(&*state, NOW).await?;
    settle(&*state, &grant, Settlement::Parked, NOW).await?;
    advance(&*state, &ann, Draft::of(&ann, later(1)).reverse(1).change()).await?;
    ensure_eq!(state.claim(claim_at(later(1))).await?, [], "what can be claimed");
    check_parked(&*state, &ann.state.key(), "made after its grant was lost").await?;
    for (lost_at, is_settled, name) in [(2, true, "bob"), (2, false, "eve"), (40_000, false, "ida")]
    {
        let user = reversed(&*state, name).await?;
        delivered(&*state, &claim_one(&*state, later(1)).await?).await?;
        let reversal = claim_one(&*state, later(1)).await?;
        let grant = Draft::grant_message(&user, 1);
        ensure_eq!(state.replay(Replay::One(grant), later(2)).await?, 1, "the grant anew");
        let grant = claim_one(&*state, later(lost_at)).await?;
        settle(&*state, &grant, Settlement::Parked, later(lost_at)).await?;
        if is_settled {
            let retry = Settlement::RetryAt(later(3));
            let settled = settle(&*state, &reversal, retry, later(3)).await?;
            ensure_eq!(settled, Settled::Done, "the running attempt of the reversal");
        }
        ensure_eq!(state.backlog().await?.1, None, "the moment when all that is left is lost");
        ensure_eq!(state.claim(claim_at(later(FAR_MS))).await?, [], "what can be claimed");
        check_parked(&*state, &user, &format!("on its way when {name}'s grant was lost")).await?;
    }
    ensure_eq!(state.backlog().await?.1, None, "the moment when nothing is left to be sent");
    Ok(())
}

/// Replaying a lost grant replays the reversals that were parked behind it, and both are told in
/// order; the reversal by itself stays parked.
pub async fn outbox_replay_of_a_grant_revives_its_reversal(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let (from, to) = (NOW, later(FAR_MS));
    let parked = DeliveryState::Parked;
    let range = Replay::Range { app: APP, mode: Mode::Live, state: parked, from, to };
    let ann = reversed(&*state, "ann").await?;
    let one = Replay::One(Draft::grant_message(&ann, 1));
    check_revived(&*state, &[ann], one, 1).await?;
    // In one record the ids of some grants come before those of their reversals, and some after.
    let (eve, missions) = (sample::user("eve"), 1..=6);
    let draft = missions.fold(Draft::of(&eve, NOW), |draft, one| draft.grant(one).reverse(one));
    advance(&*state, &eve, draft.change()).await?;
    let bob = reversed(&*state, "bob").await?;
    check_revived(&*state, &[eve.state.key(), bob], range, 7).await
}

/// The list is in the order of booking, and within one record of the ids; pages of any size give
/// all of it.
pub async fn outbox_deliveries_page_in_order(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    for number in 0..5 {
        let user = sample::user(&format!("user {number}"));
        let draft = Draft::of(&user, later(-number)).grant(1).grant(2).grant(3).reverse(2);
        advance(&*state, &user, draft.change()).await?;
        in_place(&*state).await?;
        state.append(sample::trace(None, "install")).await?;
        in_place(&*state).await?;
    }
    delivered(&*state, &claim_one(&*state, NOW).await?).await?;
    let whole = list_of(&*state, APP).await?;
    let places: Vec<_> = whole.iter().map(place).collect();
    ensure_eq!(places.len(), 20, "the number of deliveries");
    ensure!(places.is_sorted(), "the list is not in order: {places:?}");
    let seqs: Vec<_> = whole.iter().step_by(4).map(|one| one.seq).collect();
    ensure_eq!(seqs, [1, 3, 5, 7, 9], "the places of the records");
    for limit in [1, 3, 4, 20, 100] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = state.deliveries(DeliveryFilter { after, limit, ..filter() }).await?;
            ensure!(page.len() <= limit, "a page of {limit} has {} deliveries", page.len());
            let Some(last) = page.last() else { break };
            after = Some(place(last));
            found.extend(page);
            ensure!(found.len() <= whole.len(), "pages of {limit} have no end");
        }
        ensure!(found == whole, "pages of {limit} give another list");
    }
    let between = Some((4, DeliveryId([255; 16])));
    let rest = state.deliveries(DeliveryFilter { after: between, ..filter() }).await?;
    ensure!(rest == whole[8..], "the list after the place of a trace");
    let end = Some((u64::MAX, DeliveryId::default()));
    let rest = state.deliveries(DeliveryFilter { after: end, ..filter() }).await?;
    ensure_eq!(rest, [], "the list after its end");
    Ok(())
}

/// A reader that goes on from the last delivery it saw meets every one once, while others commit
/// and workers settle (D5).
pub async fn outbox_deliveries_miss_nothing_while_commits_go_on(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let read = all((0..10).map(|number| follow(&*state, number))).await;
    let whole: Vec<_> = list_of(&*state, APP).await?.iter().map(place).collect();
    ensure_eq!(whole.len(), 10 * 6 * 2, "the number of deliveries");
    for (found, number) in read.into_iter().zip(0..) {
        let mut found = found?;
        let after = found.last().copied();
        let rest = state.deliveries(DeliveryFilter { after, ..filter() }).await?;
        found.extend(rest.iter().map(place));
        ensure_eq!(found, whole, "what reader {number} has met");
    }
    Ok(())
}

/// A list is of one app and one mode, and of one state if that is asked for.
pub async fn outbox_deliveries_filter_by_endpoint_and_state(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let endpoints = [(APP, Mode::Live), (APP, Mode::Test), (AppId(2), Mode::Live)];
    for (app, mode) in endpoints {
        fill(&*state, Endpoint { app, mode }, 5).await?;
    }
    let ends = [
        Settlement::RetryAt(later(FAR_MS)),
        Settlement::Delivered,
        Settlement::Stopped,
        Settlement::Parked,
    ];
    for (app, mode) in endpoints {
        let skip = endpoints.map(|(app, mode)| Endpoint { app, mode }).to_vec();
        let skip = skip.into_iter().filter(|one| (one.app, one.mode) != (app, mode)).collect();
        let claimed = state.claim(Claim { limit: 4, skip, ..claim_at(later(100)) }).await?;
        for (one, end) in claimed.iter().zip(&ends) {
            settle(&*state, one, end.clone(), NOW).await?;
        }
        let whole = state.deliveries(DeliveryFilter { app, mode, ..filter() }).await?;
        let own = whole.iter().filter(|one| one.endpoint == Endpoint { app, mode });
        ensure_eq!((whole.len(), own.count()), (5, 5), "the list of app {app}, {mode:?}");
        for wanted in DeliveryState::ALL {
            let only = DeliveryFilter { app, mode, state: Some(wanted), ..filter() };
            let found = state.deliveries(only).await?;
            let in_whole: Vec<_> = whole.iter().filter(|one| one.state == wanted).collect();
            ensure_eq!(found.iter().collect::<Vec<_>>(), in_whole, "{wanted:?} of app {app}");
            ensure_eq!(found.len(), 1, "how many of app {app} are {wanted:?}");
        }
    }
    let other = DeliveryFilter { app: AppId(9), ..filter() };
    ensure_eq!(state.deliveries(other).await?, [], "the list of an app without deliveries");
    Ok(())
}

/// Grants so many users of an endpoint a reward each, one a millisecond.
async fn fill(state: &dyn StateStore, endpoint: Endpoint, count: i64) -> Checked {
    for number in 0..count {
        let user = sample::stranger(endpoint.app, endpoint.mode, &format!("user {number}"));
        grant_of(state, &user, later(number)).await?;
    }
    Ok(())
}

/// A new user with a reward at [`NOW`] that is taken back a millisecond later.
async fn reversed(state: &dyn StateStore, name: &str) -> Result<UserKey, Failure> {
    let user: Loaded = sample::user(name);
    let user = advance(state, &user, Draft::of(&user, NOW).grant(1).change()).await?;
    let change = Draft::of(&user, later(1)).reverse(1).change();
    Ok(advance(state, &user, change).await?.state.key())
}

async fn check_parked(state: &dyn StateStore, user: &UserKey, how: &str) -> Checked {
    let reversal = find(state, Draft::reversal_message(user, 1)).await?;
    let stands = (reversal.state, reversal.due_at);
    ensure_eq!(stands, (DeliveryState::Parked, None), "a reversal, {how}");
    Ok(())
}

/// Lets the grants of users be lost, and replays them.
async fn check_revived(
    state: &dyn StateStore,
    users: &[UserKey],
    which: Replay,
    pairs: usize,
) -> Checked {
    let grants = state.claim(claim_at(NOW)).await?;
    ensure_eq!(grants.len(), pairs, "the number of grants");
    for grant in &grants {
        settle(state, grant, Settlement::Parked, NOW).await?;
    }
    ensure_eq!(state.claim(claim_at(later(1))).await?, [], "what is left of lost grants");
    for user in users {
        let alone = Replay::One(Draft::reversal_message(user, 1));
        ensure_eq!(state.replay(alone, later(2)).await?, 0, "a replay of the reversal alone");
        check_parked(state, user, "replayed without its grant").await?;
    }
    let count = state.replay(which, later(3)).await?;
    ensure_eq!(count, 2 * pairs as u64, "how many were replayed");
    let again = state.claim(claim_at(later(3))).await?;
    ensure_eq!(ids(&again), ids(&grants), "what is due first");
    for grant in &again {
        delivered(state, grant).await?;
    }
    let reversals = state.claim(claim_at(later(3))).await?;
    ensure_eq!(reversals.len(), pairs, "the number of reversals after their grants");
    for reversal in &reversals {
        delivered(state, reversal).await?;
    }
    Ok(())
}

/// Commits, reads on from the last delivery, and tries one, again and again.
async fn follow(state: &dyn StateStore, number: u64) -> Result<Vec<(u64, DeliveryId)>, Failure> {
    let mut user = sample::user(&format!("user {number}"));
    let mut found: Vec<(u64, DeliveryId)> = Vec::new();
    for _ in 0..6 {
        user = advance(state, &user, Draft::of(&user, NOW).grant(1).grant(2).change()).await?;
        let after = found.last().copied();
        let page = state.deliveries(DeliveryFilter { after, ..filter() }).await?;
        ensure!(!page.is_empty(), "a reader does not see the message that it has waited for");
        found.extend(page.iter().map(place));
        for one in state.claim(Claim { limit: 1, ..claim_at(NOW) }).await? {
            delivered(state, &one).await?;
        }
    }
    Ok(found)
}

fn split(claimed: &[crate::Claimed]) -> Result<(&crate::Claimed, &[crate::Claimed]), Failure> {
    claimed.split_first().ok_or_else(|| Failure::new("nothing was claimed"))
}

/// All live deliveries of [`APP`].
fn filter() -> DeliveryFilter {
    DeliveryFilter { app: APP, mode: Mode::Live, state: None, after: None, limit: 1_000 }
}

fn place(delivery: &Delivery) -> (u64, DeliveryId) {
    (delivery.seq, delivery.message.id)
}
