//! What each act of the ports costs in units of capacity is what `docs/dynamodb.md` says.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::budget::{Guard, Limits};
use domain::change::{Change, Loaded};
use domain::ids::{DeliveryId, Mode, UserKey};
use domain::money::Micros;
use domain::time::Timestamp;
use store::contract::sample::{self, APP, Draft, LINE_ITEM, NOW};
use store::{
    AttemptNote, Budgets as _, Claim, Claimed, DeliveryFilter, Journal as _, Outbox as _, Outcome,
    Replay, Settlement, Users as _,
};
use store_dynamo::{Consumed, DynamoStore, REQUESTS, RequestInfo};
use support::Tables;

/// As many shards as a table has unless told otherwise.
const SHARDS: u32 = store_dynamo::SHARDS_DEFAULT;
/// The table of the documentation that is checked.
const DOCS: &str = include_str!("../../../docs/dynamodb.md");

/// One store, and the acts that were measured on it.
struct Bill {
    store: DynamoStore,
    lines: Vec<String>,
}

impl Bill {
    /// Measures one act, as a line of the table.
    async fn line<T>(&mut self, act: &str, done: impl AsyncFnOnce(&DynamoStore) -> T) -> T {
        self.store.meter().reset();
        let answer = done(&self.store).await;
        let Consumed { calls, reads, writes, .. } = self.store.meter().total();
        self.lines.push(format!("| {act} | {calls} | {reads} | {writes} |"));
        answer
    }

    async fn commit(&mut self, act: &str, user: &Loaded, change: Change) -> Loaded {
        let next = sample::after(user, &change);
        let outcome = self.line(act, async |store| store.commit(change).await.unwrap()).await;
        assert!(matches!(outcome, Outcome::Applied(_)), "{act}: {outcome:?}");
        next
    }
}

#[tokio::test]
async fn each_act_costs_what_the_documentation_says() {
    let tables = Tables::start();
    let place = tables.make(SHARDS).await;
    let mut bill = Bill { store: support::open(&place).await, lines: Vec::new() };
    warm_up(&bill.store).await;
    let user = users(&mut bill).await;
    places(&mut bill, user).await;
    deliveries(&mut bill, user).await;
    budgets(&mut bill).await;
    let found: Vec<&str> = bill.lines.iter().map(String::as_str).collect();
    let wanted: Vec<&str> = DOCS.lines().filter(|line| is_bill(line)).collect();
    assert_eq!(found.join("\n"), wanted.join("\n"));
}

/// Gives every shard a record, as a table in use has, and lets every lane learn where its shard is.
async fn warm_up(store: &DynamoStore) {
    for _ in 0..SHARDS {
        store.append(sample::trace(None, "install")).await.unwrap();
    }
    assert_eq!(store.head().await.unwrap(), u64::from(SHARDS));
}

#[test]
fn every_kind_of_request_is_in_the_documentation() {
    for RequestInfo { name, operation, keys, units, .. } in REQUESTS {
        let line = format!("| {name} | {operation} | {keys} | {units} |");
        assert!(DOCS.lines().any(|found| found == line), "docs/dynamodb.md lacks the line\n{line}");
    }
}

/// Lines of the table, and no others, end in three numbers.
fn is_bill(line: &str) -> bool {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    cells.len() == 4 && cells[1..].iter().all(|cell| cell.parse::<f64>().is_ok())
}

async fn users(bill: &mut Bill) -> UserKey {
    let limits = Limits { daily: Some(Micros(90)), ..sample::limits(100) };
    bill.line("limits that are set for the first time", async |store| {
        store.set_limits(LINE_ITEM, limits, NOW).await.unwrap()
    })
    .await;
    let ann = sample::user("ann");
    let key = ann.state.key();
    bill.line("`load` of a stranger", async |store| store.load(key).await.unwrap()).await;
    let ann = bill
        .commit("the first `commit` of a user, without a record", &ann, sample::profile(&ann, 30))
        .await;
    let change = sample::profile(&ann, 31);
    let ann = bill.commit("a `commit` without a record", &ann, change).await;
    let change = Draft::of(&ann, NOW).start(1, 10).moving(sample::hold(10)).change();
    let ann = bill.commit("a participation that moves one budget", &ann, change).await;
    let booking = sample::booking(10, 10, Guard::Free);
    let change = Draft::of(&ann, NOW).grant(1).moving(booking).change();
    let ann = bill.commit("a reward with its message, from the held budget", &ann, change).await;
    let change = Draft::of(&ann, NOW).reverse(1).change();
    bill.commit("a reversal with its message", &ann, change).await;
    bill.line("`load` of a user", async |store| store.load(key).await.unwrap()).await;
    bill.line("`append` of a user's trace", async |store| {
        store.append(sample::trace(Some(key), "install")).await.unwrap();
    })
    .await;
    bill.line("`append` of a trace of nobody", async |store| {
        store.append(sample::trace(None, "install")).await.unwrap();
    })
    .await;
    bill.line("`find`", async |store| store.find(key.prefix()).await.unwrap()).await;
    bill.line("`due`, nobody", async |store| store.due(NOW, 100).await.unwrap()).await;
    key
}

async fn places(bill: &mut Bill, user: UserKey) {
    bill.line("`head` with news of a few shards", async |store| store.head().await.unwrap()).await;
    bill.line("`head` without news", async |store| store.head().await.unwrap()).await;
    bill.line("`read` of 6 records, in 3 runs", async |store| {
        let records = store.read(u64::from(SHARDS), 100).await.unwrap();
        assert_eq!(records.len(), 6);
    })
    .await;
    bill.line("`ledger` of 4 records", async |store| {
        assert_eq!(store.ledger(user, None, 10).await.unwrap().records.len(), 4);
    })
    .await;
}

async fn deliveries(bill: &mut Bill, user: UserKey) {
    let (grant, reversal) = (Draft::grant_message(&user, 1), Draft::reversal_message(&user, 1));
    let aside = "`backlog` that meets a reversal and sets it aside";
    bill.line(aside, async |store| store.backlog().await.unwrap()).await;
    bill.line("`backlog`, 1 waits", async |store| store.backlog().await.unwrap()).await;
    let one = claim(bill, "`claim` of 1", 1).await;
    settle(bill, "`settle` of a grant that is told, with a reversal", grant, &one).await;
    let one = claim(bill, "`claim` of a reversal", 1).await;
    settle(bill, "`settle` of a reversal that is told", reversal, &one).await;
    claim(bill, "`claim`, nothing is due", 0).await;
    bill.line("`backlog`, nothing waits", async |store| store.backlog().await.unwrap()).await;
    bill.line("`delivery`", async |store| store.delivery(grant).await.unwrap()).await;
    let filter =
        DeliveryFilter { app: APP, mode: Mode::Live, state: None, after: None, limit: 100 };
    bill.line("`deliveries`, 2 of them", async |store| {
        assert_eq!(store.deliveries(filter).await.unwrap().len(), 2);
    })
    .await;
    bill.line("`replay` of a delivery", async |store| {
        assert_eq!(store.replay(Replay::One(reversal), NOW).await.unwrap(), 1);
    })
    .await;
}

async fn claim(bill: &mut Bill, act: &str, count: usize) -> Vec<Claimed> {
    let lease_until = Timestamp(NOW.0 + 30_000);
    let claim = Claim { now: NOW, lease_until, limit: 10, per_endpoint: 10, skip: Vec::new() };
    let claimed = bill.line(act, async |store| store.claim(claim).await.unwrap()).await;
    assert_eq!(claimed.len(), count, "{act}");
    claimed
}

async fn settle(bill: &mut Bill, act: &str, id: DeliveryId, claimed: &[Claimed]) {
    let note = AttemptNote { at: NOW, status: Some(200), note: "ok".to_owned(), duration_ms: 12 };
    let fence = claimed[0].fence;
    assert_eq!(claimed[0].delivery.message.id, id);
    bill.line(act, async |store| {
        store.settle(id, fence, Settlement::Delivered, note).await.unwrap();
    })
    .await;
}

async fn budgets(bill: &mut Bill) {
    bill.line("`level`", async |store| store.level(LINE_ITEM).await.unwrap()).await;
    bill.line("`levels`, 1 of them", async |store| store.levels().await.unwrap()).await;
    let all = bill.store.levels_since(None).await.unwrap();
    bill.line("`levels_since`, nothing has changed", async |store| {
        let fresh = store.levels_since(all.mark.as_ref()).await.unwrap();
        assert_eq!((fresh.levels, fresh.is_whole), (vec![], false));
    })
    .await;
    bill.store.set_limits(LINE_ITEM, sample::limits(2_000_000), NOW).await.unwrap();
    bill.line("`levels_since`, 1 has changed", async |store| {
        let fresh = store.levels_since(all.mark.as_ref()).await.unwrap();
        assert_eq!((fresh.levels.len(), fresh.is_whole), (1, false));
    })
    .await;
}
