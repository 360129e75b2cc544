//! When a delivery is tried again, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use domain::dialect::{Dialect, StatusSet, preset};
use engine::{Delivery, DeliveryState, Replay};
use store::counting::{CountingStore, Method};
use store::memory::MemoryState;

use crate::receiver::{Answer, Receiver, status};
use crate::world::{NOW, WHSEC, World, all_delivered, speaking, standard};

/// Seconds from the first attempt to each further one.
const LADDER: [i64; 13] =
    [5, 30, 120, 300, 900, 2_100, 5_700, 12_900, 27_300, 56_100, 99_300, 185_700, 272_100];

/// The whole plan: 75 hours and 35 minutes.
const SPAN_S: i64 = 75 * 3_600 + 35 * 60;

fn tried(times: u32) -> impl Fn(&Delivery) -> bool {
    move |one| one.attempts == times
}

#[tokio::test]
async fn the_whole_ladder_and_then_the_parking_place() {
    let receiver = Receiver::start(|_, _| status(500)).await;
    let mut world = World::new(vec![standard(receiver.url("/"))]).await;
    world.start();
    world.earn(1, "u").await;
    let mut made_at = NOW;
    for (times, at) in (1..).zip(LADDER) {
        let waiting = world.until(1, tried(times)).await;
        assert_eq!(waiting.state, DeliveryState::Retrying);
        assert_eq!(waiting.last.unwrap().at, made_at, "attempt {times} was made when it was due");
        let due_at = NOW.plus_seconds(at);
        assert_eq!(waiting.due_at, Some(due_at), "after attempt {times}");
        // There is a hint a millisecond too early as well: an attempt made then would show its time.
        let early = due_at.since(world.now()) - 1;
        world.advance(early).await;
        world.settle_down().await;
        world.advance(1).await;
        made_at = due_at;
    }
    let parked = world.until(1, tried(14)).await;
    assert_eq!((parked.state, parked.due_at), (DeliveryState::Parked, None));
    let last = parked.last.unwrap();
    assert_eq!(last.at, NOW.plus_seconds(SPAN_S));
    assert_eq!((last.status, last.note.as_str()), (Some(500), "the server answered 500"));
    assert_eq!(receiver.seen().len(), 14);
}

#[tokio::test]
async fn jitter_lengthens_and_retry_after_is_respected() {
    // Answer of the first attempt, jitter, seconds until the second.
    let table = [
        ("", 0, 5_000),
        ("", u16::MAX, 5_000),
        ("retry-after: 100\r\n", 0, 100_000),
        ("retry-after: 100\r\n", u16::MAX, 110_000),
        ("retry-after: 1\r\n", 0, 5_000),
        ("retry-after: Mon, 21 Sep 2026 14:14:20 GMT\r\n", 0, 60_000),
        ("retry-after: 9999999999\r\n", 0, 86_400_000),
        ("retry-after: nonsense\r\n", 0, 5_000),
    ];
    for (header, jitter, after_ms) in table {
        let receiver = Receiver::start(move |_, nth| match nth {
            1 => Answer::Say(503, header, String::new()),
            _ => status(200),
        });
        let receiver = receiver.await;
        let mut world = World::new(vec![standard(receiver.url("/"))]).await;
        world.jitter = std::sync::Arc::new(move || jitter);
        world.start();
        world.earn(1, "u").await;
        let waiting = world.until(1, tried(1)).await;
        assert_eq!(waiting.due_at.unwrap().since(NOW), after_ms, "{header} {jitter}");
        world.advance(after_ms - 1).await;
        world.settle_down().await;
        assert_eq!(receiver.seen().len(), 1);
        world.advance(1).await;
        let told = world.until(1, |one| one.state == DeliveryState::Delivered).await;
        assert_eq!(told.last.unwrap().at.since(NOW), after_ms);
    }
}

#[tokio::test]
async fn what_an_answer_means() {
    let own = || preset("standard_webhooks").unwrap();
    let stop_403 = Dialect { stop: StatusSet::of(&[403, 410]), ..own() };
    let table = [
        (200, own(), DeliveryState::Delivered, "answered"),
        (204, own(), DeliveryState::Delivered, ""),
        (410, own(), DeliveryState::Stopped, "410"),
        (403, own(), DeliveryState::Retrying, "403"),
        (403, stop_403, DeliveryState::Stopped, "403"),
        (301, own(), DeliveryState::Retrying, "redirects are not followed"),
        (404, own(), DeliveryState::Retrying, "404"),
        (429, own(), DeliveryState::Retrying, "429"),
    ];
    for (code, dialect, state, note) in table {
        let receiver = Receiver::start(move |_, _| match code {
            200 => Answer::Say(200, "", "answered".to_owned()),
            other => status(other),
        });
        let receiver = receiver.await;
        let endpoint = speaking(dialect, receiver.url("/"), &[WHSEC]);
        let mut world = World::new(vec![endpoint]).await;
        world.start();
        world.earn(1, "u").await;
        let after = world.until(1, tried(1)).await;
        assert_eq!(after.state, state, "{code}");
        let last = after.last.unwrap();
        assert_eq!(last.status, Some(code));
        assert!(last.note.contains(note), "{code}: {}", last.note);
        // A stopped one stays so.
        world.advance_s(SPAN_S * 2).await;
        world.stop().await;
        let count = if state == DeliveryState::Retrying { 2 } else { 1 };
        assert!(receiver.seen().len() <= count, "{code}");
    }
}

#[tokio::test]
async fn what_is_parked_can_be_replayed() {
    let up = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_up = std::sync::Arc::clone(&up);
    let receiver = Receiver::start(move |_, _| {
        status(if is_up.load(std::sync::atomic::Ordering::SeqCst) { 200 } else { 500 })
    });
    let receiver = receiver.await;
    let mut once = preset("standard_webhooks").unwrap();
    once.retry.steps.clear();
    let mut world = World::new(vec![speaking(once, receiver.url("/"), &[WHSEC])]).await;
    world.start();
    for user in ["a", "b", "c", "d"] {
        world.earn(1, user).await;
        world.advance_s(60).await;
    }
    let parked = |all: &[Delivery]| all.iter().all(|one| one.state == DeliveryState::Parked);
    let all = world.until_all(1, |all| all.len() == 4 && parked(all)).await;
    up.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(world.replay_one(1, all[0].message.id).await, 1);
    world.until(1, |one| one.state == DeliveryState::Delivered).await;
    assert!(parked(&world.deliveries(1).await[1..]));
    // The second and third, by the moments of their booking; then the rest.
    let range = |from, to| Replay::Range {
        app: domain::ids::AppId(1),
        mode: domain::ids::Mode::Live,
        state: DeliveryState::Parked,
        from,
        to,
    };
    let two = range(NOW.plus_seconds(60), NOW.plus_seconds(180));
    assert_eq!(world.replay(1, two).await, 2);
    world.until_all(1, |all| all_delivered(&all[..3])).await;
    assert!(parked(&world.deliveries(1).await[3..]));
    assert_eq!(world.replay(1, range(NOW, world.now())).await, 1);
    world.until_all(1, all_delivered).await;
    let seen = receiver.seen();
    assert_eq!(seen.len(), 8);
    let ids: std::collections::BTreeSet<&str> =
        seen.iter().map(|one| one.header("webhook-id")).collect();
    assert_eq!(ids.len(), 4, "a replay has the same ids");
}

#[tokio::test]
async fn a_reversal_is_told_after_its_grant() {
    let receiver = Receiver::start(|_, nth| status(if nth < 4 { 500 } else { 200 })).await;
    let mut world = World::new(vec![standard(receiver.url("/"))]).await;
    world.start();
    let click = world.earn(1, "u").await;
    world.until(1, tried(1)).await;
    world.take_back(&click).await;
    for (times, at) in (2..).zip(&LADDER[..3]) {
        world.advance(NOW.plus_seconds(*at).since(world.now())).await;
        world.until(1, tried(times)).await;
    }
    world.until_all(1, |all| all.len() == 2 && all_delivered(all)).await;
    let kinds: Vec<String> =
        receiver.seen().iter().map(|one| one.json()["type"].as_str().unwrap().to_owned()).collect();
    let granted = "reward.granted";
    assert_eq!(kinds, [granted, granted, granted, granted, "reward.reversed"]);
}

/// Time stands still unless everybody waits for it, so what is counted does not depend on the machine.
#[tokio::test(start_paused = true)]
async fn commits_in_quick_succession_are_one_round() {
    let store = Arc::new(CountingStore::new(Arc::new(MemoryState::new())));
    let mut world = World::on(store.clone(), vec![None]).await;
    world.start();
    let claims = || store.calls().of(Method::Claim);
    // The round at the start, and the one after a rest.
    world.earn(1, "first").await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(claims(), 2);
    for user in 0..20 {
        world.earn(1, &format!("user {user}")).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    // The first was followed at once; the others wait, but not for the next look.
    assert_eq!(claims(), 3);
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(claims(), 4);
}
