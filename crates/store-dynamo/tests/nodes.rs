//! Several nodes read one journal and work on one outbox, while requests go wrong.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::budget::BudgetMove;
use domain::ids::{DeliveryId, LineItemId};
use domain::time::Timestamp;
use store::contract::all;
use store::contract::sample::{self, Draft, NOW};
use store::{
    AttemptNote, Budgets as _, Claim, Claimed, DeliveryState, Journal as _, Outbox as _, Outcome,
    Seq, Settled, Settlement, StoreError, Stored, Users as _,
};
use store_dynamo::{DynamoStore, FaultPlan};
use support::Tables;

/// How long a lease of the tests lasts.
const LEASE_MS: i64 = 30_000;
/// Deliveries of the tests.
const DELIVERIES: usize = 90;

/// A third of all requests go wrong, and a tenth of what is in batches is left undone.
const ROUGH: FaultPlan = FaultPlan {
    seed: 7,
    throttled: 10,
    conflicts: 5,
    unknown_made: 5,
    unknown_lost: 5,
    errors: 5,
    unprocessed: 10,
    latency: std::time::Duration::ZERO,
};

async fn three_nodes(tables: &Tables) -> Vec<DynamoStore> {
    let place = tables.make(4).await;
    all((0..3).map(|_| support::open(&place))).await
}

fn rough(nodes: &[DynamoStore]) {
    for (node, seed) in nodes.iter().zip(1..) {
        node.follow_faults(Some(FaultPlan { seed, ..ROUGH }));
    }
}

/// What one node changes another one reads, and nothing else; who was away for too long reads all.
#[tokio::test]
async fn only_budgets_that_any_node_has_changed_are_read_again() {
    let tables = Tables::start();
    let nodes = three_nodes(&tables).await;
    for number in 1..=100 {
        nodes[0].set_limits(LineItemId(number), sample::limits(50), NOW).await.unwrap();
    }
    let first = nodes[1].levels_since(None).await.unwrap();
    assert_eq!((first.levels.len(), first.is_whole), (100, true));
    let by = BudgetMove { line_item: LineItemId(2), ..sample::hold(5) };
    let change = Draft::of(&sample::user("ann"), NOW).moving(by).change();
    assert!(matches!(nodes[2].commit(change).await.unwrap(), Outcome::Applied(_)));
    nodes[0].set_limits(LineItemId(200), sample::limits(50), NOW).await.unwrap();
    let second = nodes[1].levels_since(first.mark.as_ref()).await.unwrap();
    let found = second.levels.iter().map(|one| (one.line_item.0, one.total.held.0));
    assert_eq!((found.collect(), second.is_whole), (vec![(2, 5), (200, 0)], false));
    let idle = nodes[1].levels_since(second.mark.as_ref()).await.unwrap();
    assert_eq!((idle.levels, idle.is_whole), (vec![], false));
    // All of one shard, which names some of them only.
    for number in 0..130 {
        let line_item = LineItemId(1_000 + 4 * number);
        nodes[0].set_limits(line_item, sample::limits(50), NOW).await.unwrap();
    }
    let late = nodes[1].levels_since(idle.mark.as_ref()).await.unwrap();
    assert_eq!((late.levels.len(), late.is_whole), (231, true));
}

/// Commits again until it is known to be applied.
async fn grant(node: &DynamoStore, number: usize) {
    let user = sample::user(&format!("user {number}"));
    let change = Draft::of(&user, NOW).grant(1).change();
    loop {
        match node.commit(change.clone()).await {
            Ok(Outcome::Applied(_) | Outcome::Replayed) => return,
            Ok(other) => panic!("a change that nobody disputes: {other:?}"),
            Err(error) => must_be_temporary(&error),
        }
    }
}

#[tokio::test]
async fn all_nodes_read_the_same_journal_without_gaps() {
    let tables = Tables::start();
    let nodes = three_nodes(&tables).await;
    rough(&nodes);
    let read = all(nodes.iter().zip(0..).map(|(node, number)| follow(node, number))).await;
    nodes.iter().for_each(|node| node.follow_faults(None));
    for (mut found, node) in read.into_iter().zip(&nodes) {
        let after = found.last().map_or(0, |stored| stored.seq);
        found.extend(node.read(after, 1_000).await.unwrap());
        let seqs: Vec<Seq> = found.iter().map(|stored| stored.seq).collect();
        assert_eq!(seqs, (1..=DELIVERIES as Seq).collect::<Vec<_>>());
        assert!(found == nodes[0].read(0, 1_000).await.unwrap(), "readers have met other journals");
    }
}

/// Commits a third of the changes, and reads on from the last place after each.
async fn follow(node: &DynamoStore, number: usize) -> Vec<Stored> {
    let mut found: Vec<Stored> = Vec::new();
    for round in 0..DELIVERIES / 3 {
        grant(node, 3 * round + number).await;
        let after = found.last().map_or(0, |stored| stored.seq);
        let page = loop {
            match node.read(after, 10).await {
                Ok(page) => break page,
                Err(error) => must_be_temporary(&error),
            }
        };
        found.extend(page);
    }
    found
}

/// What the workers know of each other.
#[derive(Default)]
struct Desk {
    now: AtomicI64,
    /// By delivery and fence the moment of the lease, and how its settlement was answered.
    leases: Mutex<BTreeMap<DeliveryId, BTreeMap<u64, Lease>>>,
}

struct Lease {
    at: i64,
    settled: Option<Settled>,
    /// Whether an earlier answer was an error, so that the settlement may have been taken then.
    was_in_doubt: bool,
}

impl Desk {
    /// Goes on to the end of every lease, unless somebody else has.
    fn let_leases_run_out(&self, now: i64) {
        let later = now + LEASE_MS;
        let _ = self.now.compare_exchange(now, later, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// A claim may be answered long after it was made, so leases are looked at in the end.
    fn note_lease(&self, claimed: &Claimed, at: i64) {
        let id = claimed.delivery.message.id;
        let mut leases = self.leases.lock().unwrap();
        let lease = Lease { at, settled: None, was_in_doubt: false };
        let twin = leases.entry(id).or_default().insert(claimed.fence, lease);
        assert!(twin.is_none(), "{id} was leased twice under the fence {}", claimed.fence);
    }

    fn note_settled(&self, claimed: &Claimed, settled: Settled, was_in_doubt: bool) {
        let mut leases = self.leases.lock().unwrap();
        let of_delivery = leases.get_mut(&claimed.delivery.message.id).unwrap();
        let lease = of_delivery.get_mut(&claimed.fence).unwrap();
        (lease.settled, lease.was_in_doubt) = (Some(settled), was_in_doubt);
    }

    /// No lease begins before the one before it has ended, and the last one is settled.
    fn check(&self) {
        let leases = self.leases.lock().unwrap();
        assert_eq!(leases.len(), DELIVERIES);
        for (id, leases) in leases.iter() {
            let begun: Vec<i64> = leases.values().map(|lease| lease.at).collect();
            let are_apart = begun.windows(2).all(|pair| pair[0] + LEASE_MS <= pair[1]);
            assert!(are_apart, "{id} was leased to two at {begun:?}");
            let done = leases.values().filter(|lease| lease.settled == Some(Settled::Done)).count();
            let (fence, last) = leases.last_key_value().unwrap();
            let is_last = last.settled == Some(Settled::Done) || last.was_in_doubt;
            assert!(done <= 1 && is_last, "{id} was settled {done} times, not under {fence}");
        }
    }
}

#[tokio::test]
async fn each_delivery_is_settled_once_whatever_goes_wrong() {
    let tables = Tables::start();
    let nodes = three_nodes(&tables).await;
    all((0..DELIVERIES).map(|number| grant(&nodes[number % 3], number))).await;
    let desk = Desk { now: AtomicI64::new(NOW.0), ..Desk::default() };
    rough(&nodes);
    all(nodes.iter().chain(&nodes).map(|node| work(node, &desk))).await;
    nodes.iter().for_each(|node| node.follow_faults(None));
    desk.check();
    let (counts, moment) = nodes[0].backlog().await.unwrap();
    let told = (DeliveryState::Delivered, DELIVERIES as u64);
    let rest = DeliveryState::ALL.map(|state| (state, 0)).into_iter();
    let wanted: Vec<_> = rest.map(|row| if row.0 == told.0 { told } else { row }).collect();
    assert_eq!((counts, moment), (wanted, None));
    for id in desk.leases.into_inner().unwrap().into_keys() {
        let found = nodes[1].delivery(id).await.unwrap().unwrap();
        assert_eq!((found.state, found.attempts), (DeliveryState::Delivered, 1));
    }
}

/// Claims and settles until nothing is open; when nothing is due, lets the leases run out whose
/// claims have failed.
async fn work(node: &DynamoStore, desk: &Desk) {
    loop {
        let now = desk.now.load(Ordering::SeqCst);
        let claim = Claim {
            now: Timestamp(now),
            lease_until: Timestamp(now + LEASE_MS),
            limit: 7,
            per_endpoint: 7,
            skip: Vec::new(),
        };
        match node.claim(claim).await {
            Ok(claimed) if claimed.is_empty() => match node.backlog().await {
                Ok((counts, _))
                    if counts.iter().all(|(state, count)| !state.is_open() || *count == 0) =>
                {
                    return;
                }
                Ok(_) => desk.let_leases_run_out(now),
                Err(error) => must_be_temporary(&error),
            },
            Ok(claimed) => {
                claimed.iter().for_each(|one| desk.note_lease(one, now));
                all(claimed.iter().map(|one| tell(node, desk, one))).await;
            }
            Err(error) => must_be_temporary(&error),
        }
    }
}

/// Settles until it is known what became of it.
async fn tell(node: &DynamoStore, desk: &Desk, claimed: &Claimed) {
    let id = claimed.delivery.message.id;
    let note = AttemptNote { at: NOW, status: Some(200), note: "ok".to_owned(), duration_ms: 1 };
    let mut was_in_doubt = false;
    loop {
        match node.settle(id, claimed.fence, Settlement::Delivered, note.clone()).await {
            Ok(settled) => return desk.note_settled(claimed, settled, was_in_doubt),
            Err(error) => must_be_temporary(&error),
        }
        was_in_doubt = true;
    }
}

fn must_be_temporary(error: &StoreError) {
    let is_temporary = matches!(error, StoreError::Unavailable(_) | StoreError::Unknown(_));
    assert!(is_temporary, "{error}");
}
