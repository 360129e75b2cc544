//! `Outbox` in memory.
//!
//! Endpoints take turns: what is due is ranked within its endpoint, and everybody's first comes
//! before anybody's second. A leased delivery becomes ready again at the end of its lease. Replaying
//! a grant also replays the reversal that was parked behind it, which would otherwise never be told;
//! replaying a reversal whose grant ended undelivered does nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use domain::ids::{DeliveryId, UserKey};
use domain::journal::{Message, Record};
use domain::time::Timestamp;

use super::MemoryState;
use crate::{
    AttemptNote, Claim, Claimed, Delivery, DeliveryFilter, DeliveryState, Endpoint, Outbox, Replay,
    Seq, Settled, Settlement, StoreError, Writing,
};

/// The deliveries, and the orders in which they are looked for.
#[derive(Debug, Default)]
pub(super) struct Queue {
    rows: HashMap<DeliveryId, Row>,
    /// In the order of booking, for lists.
    booked: BTreeSet<(Endpoint, Seq, DeliveryId)>,
    /// In the order of what can be tried next, for claims.
    ready: BTreeMap<Endpoint, BTreeSet<(Timestamp, Seq, DeliveryId)>>,
    /// The reversals that wait for a grant, by the grant's message.
    behind: HashMap<DeliveryId, Vec<DeliveryId>>,
}

#[derive(Debug)]
struct Row {
    delivery: Delivery,
    fence: u64,
    lease_until: Option<Timestamp>,
}

impl Row {
    /// When it can be claimed, as far as time decides it.
    fn ready_at(&self) -> Option<Timestamp> {
        self.lease_until.or(self.delivery.due_at)
    }

    /// As a move carries it: a lease becomes the moment at which it is due.
    fn carried(&self) -> Claimed {
        let delivery = Delivery { due_at: self.ready_at(), ..self.delivery.clone() };
        Claimed { delivery, fence: self.fence }
    }

    /// Whether it has left its first state.
    fn is_touched(&self) -> bool {
        self.fence > 0 || self.delivery.state != DeliveryState::Queued
    }

    fn is_leased(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| until > now)
    }

    /// Starts over with a fresh plan of attempts.
    fn restart(&mut self, now: Timestamp) {
        self.delivery.state = DeliveryState::Queued;
        self.delivery.attempts = 0;
        self.delivery.due_at = Some(now);
        self.lease_until = None;
    }

    fn end(&mut self, state: DeliveryState) {
        self.delivery.state = state;
        self.delivery.due_at = None;
        self.lease_until = None;
    }
}

impl Queue {
    /// A delivery's id is derived from its transaction; meeting it again means that something was
    /// booked twice, and nothing of it may be written.
    pub(super) fn check_new(&self, record: &Record) -> Result<(), StoreError> {
        match record.messages.iter().find(|message| self.rows.contains_key(&message.id)) {
            Some(twin) => Err(StoreError::Corrupt(format!("the delivery {} exists", twin.id))),
            None => Ok(()),
        }
    }

    /// Queues the messages of a record; a reversal whose grant is never told is parked at once.
    pub(super) fn add(&mut self, seq: Seq, user: UserKey, record: &Record) {
        self.queue(seq, user, record);
        for message in &record.messages {
            if self.is_hopeless(message) {
                self.update(message.id, |row| row.end(DeliveryState::Parked));
            }
        }
    }

    /// Queues the messages of a record, and concludes nothing from others.
    pub(super) fn queue(&mut self, seq: Seq, user: UserKey, record: &Record) {
        for message in &record.messages {
            let endpoint = Endpoint { app: message.app, mode: record.mode };
            let delivery = new_delivery(seq, user, endpoint, message);
            self.booked.insert((endpoint, seq, message.id));
            self.rows.insert(message.id, Row { delivery, fence: 0, lease_until: None });
            if let Some(grant) = message.after {
                self.behind.entry(grant).or_default().push(message.id);
            }
            self.update(message.id, |row| row.delivery.due_at = Some(record.at));
        }
    }

    /// Deliveries that are not in their first state any more, in the order of their booking.
    pub(super) fn carried(&self, after: Option<(Seq, DeliveryId)>, limit: usize) -> Vec<Claimed> {
        let mut places: Vec<_> = self.booked.iter().map(|(_, seq, id)| (*seq, *id)).collect();
        places.retain(|place| after.is_none_or(|after| *place > after));
        places.sort_unstable();
        let rows = places.into_iter().filter_map(|(_, id)| self.rows.get(&id));
        rows.filter(|row| row.is_touched()).take(limit).map(Row::carried).collect()
    }

    /// The same of some.
    pub(super) fn carried_of(&self, places: &[(Seq, DeliveryId)]) -> Vec<Claimed> {
        let rows = places.iter().filter_map(|(_, id)| self.rows.get(id));
        rows.filter(|row| row.is_touched()).map(Row::carried).collect()
    }

    /// Writes how far a delivery has come.
    pub(super) fn put_row(&mut self, claimed: Claimed) {
        self.update(claimed.delivery.message.id, |row| {
            *row = Row { delivery: claimed.delivery, fence: claimed.fence, lease_until: None };
        });
    }

    /// Changes a row and keeps its place in the order of what is ready.
    fn update(&mut self, id: DeliveryId, change: impl FnOnce(&mut Row)) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let (endpoint, seq) = (row.delivery.endpoint, row.delivery.seq);
        let ready = self.ready.entry(endpoint).or_default();
        if let Some(at) = row.ready_at() {
            ready.remove(&(at, seq, id));
        }
        change(row);
        if let Some(at) = row.ready_at() {
            ready.insert((at, seq, id));
        }
    }

    fn state_of(&self, id: &DeliveryId) -> Option<DeliveryState> {
        self.rows.get(id).map(|row| row.delivery.state)
    }

    /// Whether it has to wait for the message of its grant (D6).
    fn is_behind(&self, id: &DeliveryId) -> bool {
        let grant = self.rows.get(id).and_then(|row| row.delivery.message.after);
        let state = grant.and_then(|grant| self.state_of(&grant));
        state.is_some_and(|state| state != DeliveryState::Delivered)
    }

    /// Whether the grant that it waits for has ended undelivered.
    fn is_hopeless(&self, message: &Message) -> bool {
        let state = message.after.and_then(|grant| self.state_of(&grant));
        state.is_some_and(|state| !state.is_open() && state != DeliveryState::Delivered)
    }

    fn claim(&mut self, claim: &Claim) -> Vec<Claimed> {
        self.park_hopeless(claim.now);
        let mut turns: Vec<(usize, Timestamp, Seq, DeliveryId)> = Vec::new();
        for (endpoint, ready) in &self.ready {
            if claim.skip.contains(endpoint) {
                continue;
            }
            let due = ready.iter().take_while(|(at, ..)| *at <= claim.now);
            let free = due.filter(|(.., id)| !self.is_behind(id)).take(claim.per_endpoint);
            turns.extend(free.enumerate().map(|(rank, &(at, seq, id))| (rank, at, seq, id)));
        }
        turns.sort_unstable();
        turns.truncate(claim.limit);
        turns.into_iter().filter_map(|(.., id)| self.lease(id, claim.lease_until)).collect()
    }

    /// Parks the reversals that were on their way when their grant was lost, and whose workers have
    /// given them up.
    fn park_hopeless(&mut self, now: Timestamp) {
        let due = self.ready.values().flatten().filter(|(at, ..)| *at <= now);
        let rows = due.filter_map(|(.., id)| self.rows.get(id).map(|row| &row.delivery.message));
        let hopeless: Vec<_> =
            rows.filter(|message| self.is_hopeless(message)).map(|message| message.id).collect();
        for id in hopeless {
            self.update(id, |row| row.end(DeliveryState::Parked));
        }
    }

    fn lease(&mut self, id: DeliveryId, until: Timestamp) -> Option<Claimed> {
        self.update(id, |row| {
            row.fence += 1;
            row.lease_until = Some(until);
        });
        let row = self.rows.get(&id)?;
        Some(Claimed { delivery: row.delivery.clone(), fence: row.fence })
    }

    fn settle(
        &mut self,
        id: DeliveryId,
        fence: u64,
        how: &Settlement,
        note: AttemptNote,
    ) -> Settled {
        let Some(row) = self.rows.get(&id) else {
            return Settled::Fenced;
        };
        if row.fence != fence || row.lease_until.is_none() {
            return Settled::Fenced;
        }
        let is_hopeless = self.is_hopeless(&row.delivery.message);
        self.update(id, |row| {
            row.delivery.attempts += 1;
            row.delivery.last = Some(note);
            match how {
                Settlement::Delivered => row.end(DeliveryState::Delivered),
                Settlement::Stopped => row.end(DeliveryState::Stopped),
                Settlement::Parked => row.end(DeliveryState::Parked),
                Settlement::RetryAt(_) if is_hopeless => row.end(DeliveryState::Parked),
                Settlement::RetryAt(at) => {
                    row.end(DeliveryState::Retrying);
                    row.delivery.due_at = Some(*at);
                }
            }
        });
        if matches!(how, Settlement::Stopped | Settlement::Parked) {
            self.park_behind(&id);
        }
        Settled::Done
    }

    /// Parks the open reversal of a grant that is never told. One that is being sent at this moment,
    /// because the grant was delivered and then replayed, is left to its own worker.
    fn park_behind(&mut self, grant: &DeliveryId) {
        for id in self.behind.get(grant).cloned().unwrap_or_default() {
            self.update(id, |row| {
                if row.delivery.state.is_open() && row.lease_until.is_none() {
                    row.end(DeliveryState::Parked);
                }
            });
        }
    }

    fn replay(&mut self, which: &Replay, now: Timestamp) -> u64 {
        let mut wanted = self.wanted(which);
        for id in wanted.clone() {
            let parked = self.behind.get(&id).into_iter().flatten();
            wanted.extend(parked.filter(|id| self.state_of(id) == Some(DeliveryState::Parked)));
        }
        let mut seen = BTreeSet::new();
        wanted.retain(|id| seen.insert(*id));
        // Within one record a reversal may come before its grant, by which it is revived.
        wanted.sort_by_key(|id| {
            self.rows.get(id).is_some_and(|row| row.delivery.message.after.is_some())
        });
        wanted.into_iter().filter(|id| self.restart(*id, now)).count() as u64
    }

    /// The deliveries a replay asks for, in order of booking.
    fn wanted(&self, which: &Replay) -> Vec<DeliveryId> {
        match which {
            Replay::One(id) => vec![*id],
            Replay::Range { app, mode, state, from, to } => {
                let endpoint = Endpoint { app: *app, mode: *mode };
                let rows = self.listed(endpoint, None).filter(|row| {
                    let booked_at = row.delivery.message.booked_at;
                    row.delivery.state == *state && booked_at >= *from && booked_at < *to
                });
                rows.map(|row| row.delivery.message.id).collect()
            }
        }
    }

    /// Makes one delivery due now. One that is being tried at this moment stays with its worker.
    fn restart(&mut self, id: DeliveryId, now: Timestamp) -> bool {
        let Some(row) = self.rows.get(&id) else {
            return false;
        };
        if row.is_leased(now) || self.is_hopeless(&row.delivery.message) {
            return false;
        }
        self.update(id, |row| row.restart(now));
        true
    }

    /// The rows of an endpoint in the order of booking.
    fn listed(
        &self,
        endpoint: Endpoint,
        after: Option<(Seq, DeliveryId)>,
    ) -> impl Iterator<Item = &Row> {
        let (seq, id) = after.unwrap_or((0, DeliveryId::default()));
        let from = self.booked.range((endpoint, seq, id)..);
        let of_endpoint = from.take_while(move |(other, ..)| *other == endpoint);
        let rest = of_endpoint.filter(move |(_, seq, id)| after != Some((*seq, *id)));
        rest.filter_map(|(.., id)| self.rows.get(id))
    }

    fn deliveries(&self, filter: &DeliveryFilter) -> Vec<Delivery> {
        let endpoint = Endpoint { app: filter.app, mode: filter.mode };
        let rows = self.listed(endpoint, filter.after);
        let wanted =
            rows.filter(|row| filter.state.is_none_or(|state| row.delivery.state == state));
        wanted.take(filter.limit).map(|row| row.delivery.clone()).collect()
    }

    /// Counts by state, and when a claim can next return something: a lease counts with its end, and
    /// a reversal that waits for its grant does not count.
    fn backlog(&self) -> (Vec<(DeliveryState, u64)>, Option<Timestamp>) {
        let count = |state| self.rows.values().filter(|row| row.delivery.state == state).count();
        let counts = DeliveryState::ALL.map(|state| (state, count(state) as u64)).to_vec();
        let first = |ready: &BTreeSet<(Timestamp, Seq, DeliveryId)>| {
            ready.iter().find(|(.., id)| !self.is_behind(id)).map(|(at, ..)| *at)
        };
        (counts, self.ready.values().filter_map(first).min())
    }
}

fn new_delivery(seq: Seq, user: UserKey, endpoint: Endpoint, message: &Message) -> Delivery {
    Delivery {
        seq,
        user,
        endpoint,
        message: message.clone(),
        state: DeliveryState::Queued,
        attempts: 0,
        due_at: None,
        last: None,
    }
}

#[async_trait]
impl Outbox for MemoryState {
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        let mut inner = self.lock();
        inner.phase.permit(Writing::Change)?;
        Ok(inner.outbox.claim(&claim))
    }

    async fn settle(
        &self,
        id: DeliveryId,
        fence: u64,
        settlement: Settlement,
        note: AttemptNote,
    ) -> Result<Settled, StoreError> {
        let mut inner = self.lock();
        inner.phase.permit(Writing::Change)?;
        Ok(inner.outbox.settle(id, fence, &settlement, note))
    }

    async fn replay(&self, which: Replay, now: Timestamp) -> Result<u64, StoreError> {
        let mut inner = self.lock();
        inner.phase.permit(Writing::Replay)?;
        Ok(inner.outbox.replay(&which, now))
    }

    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        Ok(self.lock().outbox.deliveries(&filter))
    }

    async fn deliveries_of(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        let inner = self.lock();
        let rows = ids.iter().filter_map(|id| inner.outbox.rows.get(id));
        Ok(rows.map(|row| row.delivery.clone()).collect())
    }

    async fn backlog(&self) -> Result<(Vec<(DeliveryState, u64)>, Option<Timestamp>), StoreError> {
        Ok(self.lock().outbox.backlog())
    }
}
