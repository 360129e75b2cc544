//! Many deliveries wait while their state moves between stores in which looking at each takes time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::ids::DeliveryId;
use engine::{Move, MoveError, MoveReport, move_state};
use store::contract::Between;
use store::contract::sample::{self as drafts, Draft};
use store::memory::MemoryState;
use store::{
    Claim, Claimed, Delivery, DeliveryFilter, DeliveryState, Movable, Outbox, Phase, RunNumber,
    Seq, Settlement, StoreError, Transfer, Users,
};

use crate::node::NOW;

/// Deliveries that wait: those of an app that only pulls wait for ever.
const WAITING: u64 = 3_000;
/// How many of them are tried each time that somebody looks at them in the old store.
const TRIED: usize = 3;

/// A store that takes its time for each delivery that it looks for.
struct Slow {
    inner: Arc<MemoryState>,
    each: Duration,
    /// Places that were looked at.
    looked: AtomicU64,
    /// What a worker does between the looks.
    worker: Worker,
}

/// What happens to deliveries meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worker {
    /// Nothing.
    Absent,
    /// Some are tried, whenever somebody looks.
    Busy,
    /// What was put is lost from the second look on.
    Loses,
}

impl Slow {
    fn new(inner: &Arc<MemoryState>, each: Duration, worker: Worker) -> Arc<Self> {
        Arc::new(Self { inner: Arc::clone(inner), each, looked: AtomicU64::new(0), worker })
    }

    fn end(self: &Arc<Self>) -> Movable {
        Movable { transfer: Arc::clone(self) as _, ..Movable::of(&self.inner) }
    }

    /// One delivery is left to its lease, and others end.
    async fn work(&self) -> Result<(), StoreError> {
        let (now, lease_until) = (NOW.plus_seconds(60), NOW.plus_seconds(120));
        let claim = Claim { now, lease_until, limit: TRIED, per_endpoint: TRIED, skip: Vec::new() };
        for Claimed { delivery, fence } in self.inner.claim(claim).await?.into_iter().skip(1) {
            let note = store::AttemptNote {
                at: now,
                status: Some(200),
                note: String::new(),
                duration_ms: 5,
            };
            self.inner.settle(delivery.message.id, fence, Settlement::Delivered, note).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Between for Slow {
    fn inner(&self) -> &dyn Transfer {
        &*self.inner
    }

    async fn delivery_rows_of(
        &self,
        places: &[(Seq, DeliveryId)],
    ) -> Result<Vec<Claimed>, StoreError> {
        let count = places.len() as u32;
        self.looked.fetch_add(u64::from(count), Ordering::Relaxed);
        if self.worker == Worker::Busy && self.inner.phase().await? == Phase::Watched {
            self.work().await?;
        }
        tokio::time::sleep(self.each * count).await;
        self.inner.delivery_rows_of(places).await
    }

    async fn put_deliveries(&self, run: RunNumber, rows: Vec<Claimed>) -> Result<(), StoreError> {
        if self.worker == Worker::Loses && self.looked.load(Ordering::Relaxed) > 0 {
            return Ok(());
        }
        self.inner.put_deliveries(run, rows).await
    }
}

/// A store with a user and a waiting delivery each.
async fn filled() -> Arc<MemoryState> {
    let store = Arc::new(MemoryState::new());
    for number in 0..WAITING {
        let user = drafts::user(&format!("user {number}"));
        store.commit(Draft::of(&user, NOW).grant(1).change()).await.expect("a commit");
    }
    store
}

async fn run(from: &Arc<Slow>, to: &Arc<Slow>) -> Result<MoveReport, MoveError> {
    let encode = format::state::encode_state;
    let to_name = "the new store".to_owned();
    let moved = Move { from: from.end(), to: to.end(), to_name, encode };
    move_state(&moved, &mut |_| {}).await
}

/// All deliveries, and how far they are. When one is due is left out: a lease becomes that moment.
async fn deliveries(store: &MemoryState) -> Vec<Delivery> {
    let mut all = Vec::new();
    for state in DeliveryState::ALL {
        let (app, mode) = (drafts::APP, domain::ids::Mode::Live);
        let limit = WAITING as usize + 1;
        let filter = DeliveryFilter { app, mode, state: Some(state), after: None, limit };
        let page = store.deliveries(filter).await.expect("deliveries");
        all.extend(page.into_iter().map(|one| Delivery { due_at: None, ..one }));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_move_ends_although_looking_at_what_waits_takes_its_time() {
    for worker in [Worker::Absent, Worker::Busy] {
        let (old, new) = (filled().await, Arc::new(MemoryState::new()));
        let each = Duration::from_micros(500);
        let from = Slow::new(&old, each, worker);
        let to = Slow::new(&new, each, Worker::Absent);
        let report = run(&from, &to).await.expect("a report");
        // A round takes half a second, and does not get shorter.
        assert!((3..12).contains(&report.rounds), "{report:?}");
        assert!(report.pause < Duration::from_secs(2), "{report:?}");
        let rounds = u64::from(report.rounds);
        let (looked, beside) =
            (from.looked.load(Ordering::Relaxed), to.looked.load(Ordering::Relaxed));
        assert!(looked <= WAITING * (rounds + 1), "{looked} looks in {rounds} rounds");
        // The new store is asked once, and then for what was written.
        assert!(beside <= WAITING + TRIED as u64 * 4 * (rounds + 1), "{beside} in {rounds} rounds");
        let all = deliveries(&old).await;
        assert_eq!(all.len() as u64, WAITING);
        let ended = all.iter().filter(|one| one.state == DeliveryState::Delivered).count();
        assert_eq!(ended > 10, worker == Worker::Busy, "{ended} ended");
        assert_eq!(deliveries(&new).await, all);
        let rows = old.delivery_rows(None, usize::MAX).await.expect("rows");
        assert_eq!(new.delivery_rows(None, usize::MAX).await.expect("rows"), rows);
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_that_a_pause_is_too_long_are_said_to_be_the_reason() {
    let (old, new) = (filled().await, Arc::new(MemoryState::new()));
    let from = Slow::new(&old, Duration::from_millis(15), Worker::Absent);
    let to = Slow::new(&new, Duration::ZERO, Worker::Absent);
    let refused = run(&from, &to).await.expect_err("too many");
    assert!(matches!(refused, MoveError::TooManyWait { count: 3_000, .. }), "{refused}");
    assert_eq!(old.phase().await.expect("a phase"), Phase::Watched);
    // It is for the store's slowness, not for good.
    let from = Slow::new(&old, Duration::ZERO, Worker::Absent);
    assert!(run(&from, &to).await.expect("a report").was_begun);
}

#[tokio::test(start_paused = true)]
async fn what_the_new_store_loses_of_deliveries_is_found_in_the_pause() {
    let (old, new) = (filled().await, Arc::new(MemoryState::new()));
    let from = Slow::new(&old, Duration::from_micros(500), Worker::Busy);
    let to = Slow::new(&new, Duration::ZERO, Worker::Loses);
    let refused = run(&from, &to).await.expect_err("a difference");
    let MoveError::TakenBack(why) = &refused else { unreachable!("{refused}") };
    assert!(matches!(&**why, MoveError::Differs(_)), "{refused}");
    assert!(refused.to_string().contains("delivery "), "{refused}");
    assert_eq!(old.phase().await.expect("a phase"), Phase::Live);
}
