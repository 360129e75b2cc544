//! One delivery's trouble is not another's: slow and dead endpoints, panics, failing stores, stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::dialect::{Dialect, TIMEOUT_MS_MAX, preset};
use engine::{Delivery, DeliveryState};
use store::counting::Method;
use store::fault::{Fault, FaultyStore};
use store::memory::MemoryState;
use store::{Outbox, StateStore};
use tokio::net::TcpListener;

use crate::receiver::{Answer, Receiver, status};
use crate::world::{NOW, WHSEC, World, all_delivered, speaking, standard};

/// Users of each publisher.
const USERS: usize = 12;

/// Twice the longest attempt: how long a delivery is leased.
const LEASE_S: i64 = 120;

#[tokio::test]
async fn slow_and_dead_publishers_do_not_delay_others() {
    let slow = Receiver::start(|_, _| Answer::Silence).await;
    let good = Receiver::kind().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    // The slow ones have a minute, and would take every place if they could.
    let patient = || Dialect { timeout_ms: TIMEOUT_MS_MAX, concurrency: 256, ..standard_dialect() };
    let slow_one = || speaking(patient(), slow.url("/"), &[WHSEC]);
    let endpoints = vec![slow_one(), standard(dead), slow_one(), standard(good.url("/"))];
    let mut world = World::new(endpoints).await;
    world.settings.deliveries_in_flight = 8;
    for user in 0..USERS {
        for app in 1..=4 {
            world.earn(app, &format!("user {user}")).await;
        }
    }
    world.start();
    world.until_all(4, |all| all.len() == USERS && all_delivered(all)).await;
    assert_eq!(good.seen().len(), USERS);
    // A quarter of the places each, and not one of those attempts is over.
    slow.wait_for(4).await;
    for app in [1, 3] {
        assert!(world.deliveries(app).await.iter().all(|one| one.attempts == 0));
    }
    // The dead one has been called one by one since it was found dead.
    let dead = world.until_all(2, |all| all.iter().all(|one| one.attempts >= 1)).await;
    assert!(dead.iter().all(|one| note(one).contains("connection was refused")), "{dead:?}");
    // New rewards go on flowing, and the slow ones have got no more places meanwhile.
    world.earn(4, "late").await;
    good.wait_for(USERS + 1).await;
    assert_eq!(slow.seen().len(), 4);
}

fn standard_dialect() -> Dialect {
    preset("standard_webhooks").unwrap()
}

fn note(delivery: &Delivery) -> &str {
    &delivery.last.as_ref().unwrap().note
}

#[tokio::test]
async fn no_endpoint_is_called_beyond_its_dialects_concurrency() {
    let slow = Receiver::start(|_, _| Answer::Silence).await;
    let good = Receiver::kind().await;
    let narrow = Dialect { timeout_ms: TIMEOUT_MS_MAX, concurrency: 2, ..standard_dialect() };
    let narrow = speaking(narrow, slow.url("/"), &[WHSEC]);
    let mut world = World::new(vec![narrow, standard(good.url("/"))]).await;
    world.start();
    for user in 0..USERS {
        world.earn(1, &format!("user {user}")).await;
        world.earn(2, &format!("user {user}")).await;
    }
    world.until_all(2, |all| all.len() == USERS && all_delivered(all)).await;
    slow.wait_for(2).await;
    assert_eq!(slow.seen().len(), 2);
}

#[tokio::test]
async fn a_silent_server_is_given_up_after_its_time() {
    let receiver = Receiver::start(|_, _| Answer::Silence).await;
    let hasty = Dialect { timeout_ms: 100, ..standard_dialect() };
    let mut world = World::new(vec![speaking(hasty, receiver.url("/"), &[WHSEC])]).await;
    world.start();
    world.earn(1, "u").await;
    let waiting = world.until(1, |one| one.attempts == 1).await;
    assert_eq!(waiting.state, DeliveryState::Retrying);
    assert_eq!(note(&waiting), "no complete answer within 100 ms");
    assert!(waiting.last.unwrap().duration_ms >= 100);
}

#[tokio::test]
async fn a_panic_is_an_attempt_that_failed() {
    let receiver = Receiver::kind().await;
    let mut world = World::new(vec![standard(receiver.url("/"))]).await;
    let draws = AtomicU32::new(0);
    world.jitter = Arc::new(move || match draws.fetch_add(1, Ordering::SeqCst) {
        0 => panic!("planted"),
        _ => 0,
    });
    world.start();
    world.earn(1, "poison").await;
    let broken = world.until(1, |one| one.attempts == 1).await;
    assert_eq!(broken.state, DeliveryState::Retrying);
    assert_eq!(note(&broken), "the attempt broke down inside Guerdon");
    world.earn(1, "other").await;
    world.until_all(1, |all| all.len() == 2 && all_delivered(&all[1..])).await;
    world.advance_s(5).await;
    world.until_all(1, all_delivered).await;
    assert_eq!(receiver.seen().len(), 2);
}

#[tokio::test]
async fn a_failing_store_is_waited_out() {
    let receiver = Receiver::kind().await;
    let plan = |method, nth| match (method, nth) {
        (Method::Claim | Method::Due | Method::Read, 1..=2) => Some(Fault::Unavailable),
        (Method::Backlog, 2) | (Method::Settle, 1) => Some(Fault::Unavailable),
        (Method::Settle, 2) => Some(Fault::UnknownNotApplied),
        _ => None,
    };
    let memory: Arc<dyn StateStore> = Arc::new(MemoryState::new());
    let faulty = Arc::new(FaultyStore::planned(memory, plan));
    let mut world = World::on(faulty.clone(), vec![standard(receiver.url("/"))]).await;
    world.start();
    world.earn(1, "u").await;
    let told = world.until(1, |one| one.state == DeliveryState::Delivered).await;
    // Settled under the first lease: the publisher was called once.
    assert_eq!((told.attempts, receiver.seen().len()), (1, 1));
    assert!(faulty.calls().of(Method::Claim) > 2);
    assert_eq!(faulty.calls().of(Method::Settle), 3);
    world.earn(1, "other").await;
    world.until_all(1, |all| all.len() == 2 && all_delivered(all)).await;
}

#[tokio::test]
async fn a_late_owner_changes_nothing() {
    let receiver = Receiver::kind().await;
    let state = Arc::new(MemoryState::new());
    let mut world = World::on(state.clone(), vec![standard(receiver.url("/"))]).await;
    world.earn(1, "u").await;
    // Another worker has it and does not come back before the lease ends.
    let lease_until = NOW.plus_seconds(LEASE_S);
    let claim =
        engine::Claim { now: NOW, lease_until, limit: 1, per_endpoint: 1, skip: Vec::new() };
    let lost = world.engine.claim_deliveries(&world.ctx(), claim).await.unwrap().remove(0);
    world.start();
    world.advance_s(LEASE_S - 1).await;
    world.earn(1, "other").await;
    world.until_all(1, |all| all.len() == 2 && all_delivered(&all[1..])).await;
    assert_eq!(receiver.seen().len(), 1);
    world.advance_s(1).await;
    world.until(1, |one| one.state == DeliveryState::Delivered).await;
    let (id, note) = (
        lost.delivery.message.id,
        engine::AttemptNote { at: NOW, status: Some(500), note: String::new(), duration_ms: 1 },
    );
    let late = state.settle(id, lost.fence, engine::Settlement::Parked, note).await.unwrap();
    assert_eq!(late, engine::Settled::Fenced);
}

#[tokio::test]
async fn a_stop_lets_attempts_end_and_claims_no_more() {
    let receiver = Receiver::kind().await;
    let mut world = World::new(vec![standard(receiver.url("/"))]).await;
    world.start();
    world.earn(1, "u").await;
    receiver.wait_for(1).await;
    world.stop().await;
    assert!(all_delivered(&world.deliveries(1).await), "the attempt under way was settled");
    world.earn(1, "other").await;
    world.advance_s(1).await;
    assert_eq!(world.deliveries(1).await[1].attempts, 0);
    world.start();
    world.until_all(1, all_delivered).await;
}

#[tokio::test]
async fn what_a_stop_cuts_is_sent_again_under_the_same_id() {
    let receiver =
        Receiver::start(|_, nth| if nth == 1 { Answer::Silence } else { status(200) }).await;
    let patient = Dialect { timeout_ms: TIMEOUT_MS_MAX, ..standard_dialect() };
    let mut world = World::new(vec![speaking(patient, receiver.url("/"), &[WHSEC])]).await;
    world.start();
    world.earn(1, "u").await;
    receiver.wait_for(1).await;
    // The time that a stop may take passes at once.
    tokio::time::pause();
    world.stop().await;
    tokio::time::resume();
    assert_eq!(world.deliveries(1).await[0].attempts, 0);
    world.start();
    world.advance_s(LEASE_S).await;
    world.until(1, |one| one.state == DeliveryState::Delivered).await;
    let seen = receiver.seen();
    assert_eq!(seen[0].header("webhook-id"), seen[1].header("webhook-id"));
    assert_eq!(seen[0].body, seen[1].body);
}
