//! Three nodes on one database: never over a limit, never twice, nothing lost.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use domain::budget::{Guard, Used};
use domain::change::{Change, Loaded};
use domain::ids::LineItemId;
use domain::journal::Chain;
use services::MariaDb;
use store::contract::all;
use store::contract::sample::{self, Draft, LINE_ITEM, NOW, TODAY};
use store::{Budgets as _, Claim, Journal as _, Outbox as _, Outcome, Users as _};
use store_mysql::MysqlStore;

/// Nodes that share the database.
const NODES: usize = 3;
/// Users who want the last unit at once.
const RACERS: usize = 1_000;

async fn nodes(url: &str) -> Vec<MysqlStore> {
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        nodes.push(common::open(url).await);
    }
    nodes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_a_thousand_gets_the_last_unit_whichever_node_he_asks() {
    let server = MariaDb::start().unwrap();
    let nodes = nodes(&common::database(&server, "last_unit").await).await;
    for round in 1..=5 {
        let line_item = LineItemId(round);
        nodes[0].set_limits(line_item, sample::limits(100), NOW).await.unwrap();
        let last = |number: usize| {
            let user = sample::user(&format!("{round} {number}"));
            let by = domain::budget::BudgetMove { line_item, ..sample::hold(60) };
            nodes[number % NODES].commit(Draft::of(&user, NOW).grant(1).moving(by).change())
        };
        let outcomes = all((0..RACERS).map(last)).await;
        let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
        let won = outcomes.iter().filter(|one| matches!(one, Outcome::Applied(_))).count();
        let over = outcomes.iter().filter(|one| matches!(one, Outcome::OverBudget { .. })).count();
        assert_eq!((won, over), (1, RACERS - 1), "round {round}");
        for node in &nodes {
            let level = node.level(line_item).await.unwrap().unwrap();
            assert_eq!((level.total.held.0, level.total.starts), (60, 1), "round {round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_and_the_journal_add_up_over_three_nodes() {
    let server = MariaDb::start().unwrap();
    let nodes = nodes(&common::database(&server, "sums").await).await;
    nodes[0].set_limits(LINE_ITEM, sample::limits(i64::MAX / 2), NOW).await.unwrap();
    let walks = all((0..60).map(|number| walk(&nodes, number))).await;
    let booked: i64 = walks.iter().map(|used| used.booked.0).sum();
    let held: i64 = walks.iter().map(|used| used.held.0).sum();
    let starts: u32 = walks.iter().map(|used| used.starts).sum();
    let level = nodes[1].level(LINE_ITEM).await.unwrap().unwrap();
    assert_eq!((level.total, level.day), (level.today, TODAY));
    assert_eq!(
        (level.total.booked.0, level.total.held.0, level.total.starts),
        (booked, held, starts)
    );
    let records = nodes[2].read(0, 10_000).await.unwrap();
    assert!(records.iter().map(|one| one.seq).eq(1..=60 * STEPS as u64 + 1), "a place is missing");
    check_chains(&nodes[0]).await;
}

/// Changes of each user in a walk.
const STEPS: usize = 20;

/// Holds and books for one user, each time at another node, and tells what that adds up to. A state
/// that was read from any node is the newest.
async fn walk(nodes: &[MysqlStore], number: usize) -> Used {
    let mut sum = Used::default();
    let user = sample::user(&format!("user {number}"));
    for step in 0..STEPS {
        let loaded = nodes[(number + step + 1) % NODES].load(user.state.key()).await.unwrap();
        let loaded = if step == 0 { user.clone() } else { loaded };
        assert_eq!(loaded.version, step as u64, "user {number}");
        let amount = 1 + ((number * 7 + step * 3) % 11) as i64;
        let by = match step % 2 {
            0 => sample::hold(amount),
            _ => sample::booking(amount, amount.min(sum.held.0), Guard::Extra),
        };
        let change = Draft::of(&loaded, NOW).moving(by).change();
        let outcome = nodes[(number + step) % NODES].commit(change).await.unwrap();
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
        sum = sum.moved(&by);
    }
    sum
}

async fn check_chains(node: &MysqlStore) {
    for (key, loaded) in node.scan(None, 100).await.unwrap() {
        let mut page = node.ledger(key, None, 100).await.unwrap().records;
        page.reverse();
        let chain = page.iter().fold(Chain::default(), |chain, one| chain.with(&one.record));
        assert_eq!((page.len(), chain), (STEPS, loaded.chain));
    }
}

/// Workers of all nodes take everything, and nothing twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_lease_every_delivery_once() {
    let server = MariaDb::start().unwrap();
    let nodes = nodes(&common::database(&server, "leases").await).await;
    let users: Vec<Loaded> =
        (0..300).map(|number| sample::user(&format!("user {number}"))).collect();
    let grant = |user: &Loaded| -> Change { Draft::of(user, NOW).grant(1).change() };
    all(users.iter().map(|user| nodes[0].commit(grant(user)))).await;
    let claim = Claim {
        now: NOW,
        lease_until: domain::time::Timestamp(NOW.0 + 30_000),
        limit: 20,
        per_endpoint: 20,
        skip: Vec::new(),
    };
    let claims = all((0..30).map(|number| nodes[number % NODES].claim(claim.clone()))).await;
    let claimed = claims.into_iter().flat_map(Result::unwrap);
    let mut ids: Vec<_> = claimed.map(|one| (one.delivery.message.id, one.fence)).collect();
    while ids.len() < users.len() {
        let more = nodes[0].claim(claim.clone()).await.unwrap();
        assert!(!more.is_empty(), "{} of {} were leased", ids.len(), users.len());
        ids.extend(more.into_iter().map(|one| (one.delivery.message.id, one.fence)));
    }
    let mut wanted: Vec<_> =
        users.iter().map(|user| (Draft::grant_message(&user.state.key(), 1), 1)).collect();
    wanted.sort_unstable();
    ids.sort_unstable();
    assert_eq!(ids, wanted);
    assert_eq!(nodes[1].claim(claim).await.unwrap(), []);
}
