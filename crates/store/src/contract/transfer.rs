//! `Transfer`: what a phase lets in, and what a store tells a mover.

use domain::change::{Change, Loaded};
use domain::ids::{DeliveryId, LineItemId, UserKey};
use domain::time::{Day, Timestamp};

use super::check::{advance, all, apply};
use super::outbox::{claim_at, claim_one, delivered, find, grant, later, list_of, note_at, settle};
use super::sample::{self, APP, Draft, LINE_ITEM, NOW, TODAY};
use super::{Checked, Failure, MoveFixture};
use crate::{
    BudgetRow, Claim, Claimed, Delivery, DeliveryState, Movable, Outcome, Phase, Replay, RunNumber,
    Seq, Settlement, StateStore, StoreError, Stored, UserRow,
};
use domain::budget::{Guard, Used};
use domain::money::Micros;

/// Limit on rows where a case wants them all.
pub(super) const ALL: usize = 1_000;
/// Users who commit at once.
const WRITERS: u64 = 8;

/// A new store may be used for everything.
pub async fn transfer_phase_is_live_at_first(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    ensure_eq!(store.transfer.phase().await?, Phase::Live, "the phase of a new store");
    Ok(())
}

/// Whatever phase was set holds, and any may follow any other; also after a restart.
pub async fn transfer_set_phase_survives_reopening(fixture: &dyn MoveFixture) -> Checked {
    let mut store = fixture.fresh().await?;
    let phases = [
        Phase::Watched,
        Phase::Moved("to the table next".to_owned()),
        Phase::Moved("to a table 이름 'quoted'".to_owned()),
        Phase::Filling,
        Phase::Live,
        Phase::Moved(String::new()),
        Phase::Watched,
    ];
    for phase in phases.clone() {
        turn(&store, phase.clone()).await?;
        ensure_eq!(store.transfer.phase().await?, phase, "the phase that was set");
    }
    for phase in phases {
        turn(&store, phase.clone()).await?;
        let Some(reopened) = fixture.reopen(store).await? else { return Ok(()) };
        store = reopened;
        ensure_eq!(store.transfer.phase().await?, phase, "the phase after reopening");
    }
    Ok(())
}

/// A moved store answers every change with the words it was given and changes nothing; reading goes
/// on.
pub async fn transfer_set_phase_moved_refuses_every_change(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let busy = Busy::on(&store).await?;
    let before = everything(&store, &busy).await?;
    let run = turn(&store, Phase::Moved("to the moon".to_owned())).await?;
    for (what, refused) in busy.changes(&*store.state).await {
        let is_moved = matches!(&refused, Some(StoreError::Moved(to)) if to == "to the moon");
        ensure!(is_moved, "{what} on a moved store: {refused:?}");
    }
    let refused = store.transfer.put_users(run, Vec::new()).await;
    ensure!(!matches!(refused, Err(StoreError::Corrupt(_))), "filling a moved store: {refused:?}");
    ensure_eq!(everything(&store, &busy).await?, before, "a moved store");
    Ok(())
}

/// A store that is being filled answers every change as unavailable and changes nothing.
pub async fn transfer_set_phase_filling_refuses_everybody_else(
    fixture: &dyn MoveFixture,
) -> Checked {
    let store = fixture.fresh().await?;
    let busy = Busy::on(&store).await?;
    let before = everything(&store, &busy).await?;
    turn(&store, Phase::Filling).await?;
    for (what, refused) in busy.changes(&*store.state).await {
        let is_unavailable = matches!(refused, Some(StoreError::Unavailable(_)));
        ensure!(is_unavailable, "{what} on a store that is being filled: {refused:?}");
    }
    ensure_eq!(everything(&store, &busy).await?, before, "a store that is being filled");
    Ok(())
}

/// A watched store is used as ever, but ended deliveries stay ended.
pub async fn transfer_set_phase_watched_refuses_only_replays(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let busy = Busy::on(&store).await?;
    turn(&store, Phase::Watched).await?;
    for (what, refused) in busy.changes(&*store.state).await {
        let is_right = match what {
            "a replay" => matches!(refused, Some(StoreError::Unavailable(_))),
            _ => refused.is_none(),
        };
        ensure!(is_right, "{what} on a watched store: {refused:?}");
    }
    turn(&store, Phase::Live).await?;
    let replayed = store.state.replay(Replay::One(busy.ended), NOW).await?;
    ensure_eq!(replayed, 1, "a replay once the store is no longer watched");
    Ok(())
}

/// When `Moved` is set, whatever was acknowledged can be read, and nothing follows.
pub async fn transfer_set_phase_moved_lets_nothing_in_later(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    turn(&store, Phase::Watched).await?;
    let writer = |number| write_until_moved(&*store.state, number);
    let mover = async {
        while store.state.head().await? < WRITERS * 2 {
            let_others_run().await;
        }
        turn(&store, Phase::Moved("away".to_owned())).await?;
        Ok((0_u64, store.state.head().await?))
    };
    let writers = (0..WRITERS).map(|number| Box::pin(writer(number)) as Counting<'_>);
    let ended = all(writers.chain([Box::pin(mover) as Counting<'_>])).await;
    let (mut applied, mut head) = (0, 0);
    for one in ended {
        let (commits, seen) = one?;
        applied += commits;
        head = head.max(seen);
    }
    ensure_eq!(store.state.head().await?, head, "the journal some time after the move");
    ensure_eq!(applied, head, "the commits that were acknowledged");
    Ok(())
}

/// Users who change while the store is watched are noted, in pages too; one who is told and changes
/// again is noted again.
pub async fn transfer_touched_notes_who_changes(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let state = &*store.state;
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(sample::user);
    let ann = advance(state, &ann, Draft::of(&ann, NOW).grant(1).change()).await?;
    let none = (Vec::new(), 0);
    let (run, _) = store.transfer.take_over().await?;
    ensure_eq!(
        store.transfer.touched(run, 0, ALL).await?,
        none,
        "those touched before it is watched"
    );
    store.transfer.set_phase(run, Phase::Watched).await?;
    let ann = advance(state, &ann, sample::profile(&ann, 30)).await?;
    advance(state, &bob, Draft::of(&bob, NOW).grant(1).change()).await?;
    let over = Draft::of(&eve, NOW).moving(sample::hold(1)).change();
    let refused = state.commit(over).await?;
    ensure!(matches!(refused, Outcome::OverBudget { .. }), "beyond the budget: {refused:?}");
    let keys = [&ann, &bob].map(|user| user.state.key());
    let (found, after) = touched_from(&store, run, 0).await?;
    let is_told = keys.iter().all(|key| found.contains(key));
    ensure!(is_told && found.iter().all(|key| keys.contains(key)), "touched were {found:?}");
    advance(state, &ann, Draft::of(&ann, NOW).grant(2).change()).await?;
    let (found, end) = touched_from(&store, run, after).await?;
    ensure_eq!(found, [keys[0]], "those touched since");
    ensure_eq!(
        store.transfer.touched(run, end, ALL).await?,
        (Vec::new(), end),
        "those touched since then"
    );
    Ok(())
}

/// Those touched after a place, page by page, and the place after them.
async fn touched_from(
    store: &Movable,
    run: RunNumber,
    mut after: Seq,
) -> Result<(Vec<UserKey>, Seq), Failure> {
    let mut found = Vec::new();
    loop {
        let (page, place) = store.transfer.touched(run, after, 1).await?;
        ensure!(page.len() <= 1, "a page of one has {}", page.len());
        if page.is_empty() {
            ensure_eq!(place, after, "the place to go on from when nothing follows");
            return Ok((found, after));
        }
        ensure!(place > after, "a page after {after} ends at {place}");
        after = place;
        found.extend(page);
    }
}

/// Watching begins with nothing noted.
pub async fn transfer_touched_begins_anew(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let [ann, bob] = ["ann", "bob"].map(sample::user);
    turn(&store, Phase::Watched).await?;
    let change = Draft::of(&ann, NOW).grant(1).change();
    advance(&*store.state, &ann, change).await?;
    turn(&store, Phase::Live).await?;
    let run = turn(&store, Phase::Watched).await?;
    ensure_eq!(
        store.transfer.touched(run, 0, ALL).await?.0,
        [],
        "those touched in an earlier watch"
    );
    let change = Draft::of(&bob, NOW).grant(1).change();
    advance(&*store.state, &bob, change).await?;
    let found = store.transfer.touched(run, 0, ALL).await?.0;
    ensure_eq!(found, [bob.state.key()], "those touched in this watch");
    Ok(())
}

/// Users come by their keys with everything that is known of them; traces make nobody a user.
pub async fn transfer_users_go_by_key_and_page(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let mut wanted = Vec::new();
    for number in 0..12 {
        let user = sample::user(&format!("user {number}"));
        let change = Draft::of(&user, later(number)).grant(1).change();
        wanted.push(row_after(&user, &change));
        apply(&*store.state, change).await?;
    }
    let stranger = sample::user("stranger").state.key();
    store.state.append(sample::trace(Some(stranger), "install")).await?;
    wanted.sort_by_key(|row| row.key);
    for limit in [1, 5, ALL] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.transfer.users(after, limit).await?;
            ensure!(page.len() <= limit, "a page of {limit} has {} users", page.len());
            let Some(last) = page.last() else { break };
            after = Some(last.key);
            found.extend(page);
        }
        ensure_eq!(found, wanted, "the users in pages of {limit}");
    }
    Ok(())
}

/// Any users are given at once, with their latest changes; strangers are left out.
pub async fn transfer_users_of_leaves_strangers_out(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let mut wanted = Vec::new();
    for number in 0..100 {
        let user = sample::user(&format!("user {number}"));
        let change = sample::profile(&user, 30);
        wanted.push(row_after(&user, &change));
        apply(&*store.state, change).await?;
    }
    let traced = sample::user("traced").state.key();
    store.state.append(sample::trace(Some(traced), "install")).await?;
    let mut keys: Vec<UserKey> = wanted.iter().map(|row| row.key).collect();
    keys.splice(50..52, [sample::user("nobody").state.key(), traced]);
    wanted.drain(50..52);
    let mut found = store.transfer.users_of(&keys).await?;
    for rows in [&mut found, &mut wanted] {
        rows.sort_by_key(|row| row.key);
    }
    ensure_eq!(found, wanted, "the users who were asked for");
    ensure_eq!(store.transfer.users_of(&[]).await?, [], "no users");
    Ok(())
}

/// Budgets come with each of their days, and those without limits too.
pub async fn transfer_budget_rows_hold_every_day(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let state = &*store.state;
    let limits = domain::budget::Limits {
        daily: Some(Micros(50)),
        grace: Micros(3),
        starts: Some(9),
        daily_starts: Some(4),
        ..sample::limits(100)
    };
    state.set_limits(LINE_ITEM, limits, NOW).await?;
    state.set_limits(LineItemId(7), sample::limits(1), NOW).await?;
    let ann = sample::user("ann");
    let yesterday = Day(TODAY.0 - 1);
    let free = domain::budget::BudgetMove {
        line_item: LineItemId(3),
        ..sample::booking(5, 0, Guard::Free)
    };
    let on = |day, amount| domain::budget::BudgetMove { day, ..sample::hold(amount) };
    let draft = Draft::of(&ann, NOW).moving(on(TODAY, 10)).moving(on(yesterday, 20));
    apply(state, draft.moving(free).change()).await?;
    let used = |held, booked, starts| Used { held: Micros(held), booked: Micros(booked), starts };
    let row = |line_item, limits, total, days| BudgetRow {
        line_item: LineItemId(line_item),
        limits,
        total,
        days,
    };
    let days = vec![(yesterday, used(20, 0, 1)), (TODAY, used(10, 0, 1))];
    let wanted = [
        row(LINE_ITEM.0, Some(limits), used(30, 0, 2), days),
        row(3, None, used(0, 5, 0), vec![(TODAY, used(0, 5, 0))]),
        row(7, Some(sample::limits(1)), Used::default(), Vec::new()),
    ];
    ensure_eq!(store.transfer.budget_rows().await?, wanted, "the budgets");
    Ok(())
}

/// Deliveries that were tried, leased or ended come in order of their booking, a leased one as due
/// when its lease ends; untouched ones do not.
pub async fn transfer_delivery_rows_tell_how_far_they_are(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let state = &*store.state;
    let mut wanted = Vec::new();
    for (number, how) in (0..).zip(ENDS) {
        let id = grant(state, &format!("user {number}"), later(number)).await?;
        let claimed = claim_one(state, later(number)).await?;
        let lease = claim_at(later(number)).lease_until;
        if let Some(how) = how {
            settle(state, &claimed, how.clone(), later(number)).await?;
        }
        let mut delivery = find(state, id).await?;
        if delivery.state == DeliveryState::Queued {
            delivery.due_at = Some(lease);
        }
        wanted.push(Claimed { delivery, fence: claimed.fence });
    }
    grant(state, "waiting", later(900)).await?;
    ensure_eq!(store.transfer.delivery_rows(None, ALL).await?, wanted, "the deliveries");
    for limit in [1, 2, ALL] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.transfer.delivery_rows(after, limit).await?;
            ensure!(page.len() <= limit, "a page of {limit} has {}", page.len());
            let Some(last) = page.last() else { break };
            after = Some(place_of(last));
            found.extend(page);
        }
        ensure_eq!(found, wanted, "the deliveries in pages of {limit}");
    }
    Ok(())
}

/// Deliveries are found by their places; untouched and unknown ones are left out.
pub async fn transfer_delivery_rows_of_find_some(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let state = &*store.state;
    for (number, how) in (0..).zip(ENDS) {
        grant(state, &format!("user {number}"), later(number)).await?;
        let claimed = claim_one(state, later(number)).await?;
        if let Some(how) = how {
            settle(state, &claimed, how, later(number)).await?;
        }
    }
    let waiting = grant(state, "waiting", later(900)).await?;
    let rows = store.transfer.delivery_rows(None, ALL).await?;
    let place = find(state, waiting).await?.seq;
    let mut asked: Vec<_> = rows.iter().skip(1).step_by(2).map(place_of).collect();
    asked.extend([(place, waiting), (place + 1, DeliveryId([7; 16]))]);
    asked.reverse();
    let mut found = store.transfer.delivery_rows_of(&asked).await?;
    found.sort_unstable_by_key(place_of);
    ensure_eq!(found, rows.into_iter().skip(1).step_by(2).collect::<Vec<_>>(), "some");
    ensure_eq!(store.transfer.delivery_rows_of(&[]).await?, [], "none");
    Ok(())
}

/// Lets a new run set the phase, and says which run that is.
pub(super) async fn turn(store: &Movable, phase: Phase) -> Result<RunNumber, StoreError> {
    let (run, _) = store.transfer.take_over().await?;
    store.transfer.set_phase(run, phase).await?;
    Ok(run)
}

/// How deliveries end in the cases; the last one is left under way.
const ENDS: [Option<Settlement>; 5] = [
    Some(Settlement::Delivered),
    Some(Settlement::RetryAt(Timestamp(NOW.0 + 7_200_000))),
    Some(Settlement::Stopped),
    Some(Settlement::Parked),
    None,
];

/// A user as the change leaves him.
pub(super) fn row_after(user: &Loaded, change: &Change) -> UserRow {
    let loaded = sample::after(user, change);
    UserRow { key: user.state.key(), loaded, latest: change.id }
}

/// Where a delivery stands in the order of booking.
pub(super) fn place_of(claimed: &Claimed) -> (Seq, domain::ids::DeliveryId) {
    (claimed.delivery.seq, claimed.delivery.message.id)
}

/// A store in which something of every sort is under way.
pub(super) struct Busy {
    ann: Loaded,
    leased: Claimed,
    ended: domain::ids::DeliveryId,
}

impl Busy {
    pub(super) async fn on(store: &Movable) -> Result<Self, Failure> {
        let state = &*store.state;
        state.set_limits(LINE_ITEM, sample::limits(100), NOW).await?;
        let ended = grant(state, "bob", NOW).await?;
        delivered(state, &claim_one(state, NOW).await?).await?;
        let ann = sample::user("ann");
        let draft = Draft::of(&ann, NOW).moving(sample::hold(10)).grant(1).grant(2);
        let ann = advance(state, &ann, draft.change()).await?;
        let leased = claim_one(state, NOW).await?;
        Ok(Self { ann, leased, ended })
    }

    /// Tries every sort of change, and says what each was refused with.
    async fn changes(&self, state: &dyn StateStore) -> [(&'static str, Option<StoreError>); 6] {
        let change = Draft::of(&self.ann, NOW).grant(3).change();
        let id = self.leased.delivery.message.id;
        let (fence, note) = (self.leased.fence, note_at(NOW));
        let claim = Claim { limit: 1, ..claim_at(NOW) };
        [
            ("a replay", state.replay(Replay::One(self.ended), NOW).await.err()),
            ("a commit", state.commit(change).await.err()),
            ("a trace", state.append(sample::trace(None, "install")).await.err()),
            ("a limit", state.set_limits(LINE_ITEM, sample::limits(99), NOW).await.err()),
            ("a settlement", state.settle(id, fence, Settlement::Delivered, note).await.err()),
            ("a claim", state.claim(claim).await.err()),
        ]
    }
}

/// All that a change could have changed.
pub(super) type Everything =
    (Vec<UserRow>, Vec<BudgetRow>, Vec<Stored>, Vec<Delivery>, Vec<Claimed>, Vec<UserKey>);

pub(super) async fn everything(store: &Movable, busy: &Busy) -> Result<Everything, Failure> {
    let Movable { state, transfer, .. } = store;
    let ledger = state.ledger(busy.ann.state.key(), None, ALL).await?;
    ensure_eq!(ledger.records.len(), 1, "the ledger of a user");
    Ok((
        transfer.users(None, ALL).await?,
        transfer.budget_rows().await?,
        state.read(0, ALL).await?,
        list_of(&**state, APP).await?,
        transfer.delivery_rows(None, ALL).await?,
        state.due(later(i64::from(u32::MAX) * 1_000), ALL).await?,
    ))
}

/// Commits that were applied, and the newest place that was seen.
type Counting<'a> =
    std::pin::Pin<Box<dyn Future<Output = Result<(u64, Seq), Failure>> + Send + 'a>>;

async fn write_until_moved(state: &dyn StateStore, number: u64) -> Result<(u64, Seq), Failure> {
    let name = format!("user {number}");
    let mut user = sample::user(&name);
    for applied in 0..100_000 {
        let change = Draft::of(&user, NOW).grant(1).change();
        let next = sample::after(&user, &change);
        match state.commit(change).await {
            Ok(Outcome::Applied(_)) => user = next,
            Err(StoreError::Moved(_)) => return Ok((applied, 0)),
            other => return Err(Failure::new(format!("a commit before the move: {other:?}"))),
        }
        let_others_run().await;
    }
    Err(Failure::new("the store was never moved"))
}

/// Lets the other futures of the task have their turn once.
pub(super) async fn let_others_run() {
    let mut has_waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
