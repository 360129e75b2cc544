//! The deliveries of one group's books: what waits for what, and when each can be claimed.
//!
//! Only a reversal waits, and only for its grant, so nothing waits for a reversal. Whoever wants a
//! delivery has its grant and the reversals behind it on the desk as well (`Wants::delivery`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::ids::{AppId, DeliveryId, Mode};
use domain::journal::Record;
use domain::time::Timestamp;
use sqlx::mysql::MySqlRow;
use store::{DeliveryState, Endpoint, Seq};

use super::row::{DeliveryRow, number_of};
use crate::codec::state_to_column;
use crate::error::Failure;
use crate::sql;
use crate::writer::{Batch, Value};

/// The deliveries of a group.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    rows: BTreeMap<u64, DeliveryRow>,
    by_id: HashMap<DeliveryId, u64>,
    /// The reversals that wait for a grant, by its number.
    behind: BTreeMap<u64, BTreeSet<u64>>,
    new: BTreeSet<u64>,
    dirty: BTreeSet<u64>,
    counts: [i64; DeliveryState::ALL.len()],
}

/// A message as the outbox takes it in.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    id: DeliveryId,
    app: AppId,
    booked_at: Timestamp,
    after: Option<DeliveryId>,
}

/// The messages of one record, in order of their ids, with what they have in common.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    at: Timestamp,
    mode: Mode,
    messages: Vec<Posted>,
}

impl From<&Record> for Post {
    fn from(record: &Record) -> Self {
        let posted = record.messages.iter().map(|message| Posted {
            id: message.id,
            app: message.app,
            booked_at: message.booked_at,
            after: message.after,
        });
        let mut messages: Vec<Posted> = posted.collect();
        messages.sort_unstable_by_key(|message| message.id);
        Self { at: record.at, mode: record.mode, messages }
    }
}

impl Post {
    /// The grants that must be told first, as far as they are of other records.
    pub(crate) fn grants(&self) -> impl Iterator<Item = DeliveryId> {
        self.messages.iter().filter_map(|message| message.after)
    }
}

impl Desk {
    /// Lays a row that was read on the desk, unless it is there.
    pub(crate) fn take(&mut self, row: &MySqlRow) -> Result<(), Failure> {
        let row = DeliveryRow::of(row)?;
        if !self.rows.contains_key(&row.number) {
            self.put(row);
        }
        Ok(())
    }

    fn put(&mut self, row: DeliveryRow) {
        self.by_id.insert(row.id, row.number);
        if let Some(grant) = row.waits_for {
            self.behind.entry(grant).or_default().insert(row.number);
        }
        self.rows.insert(row.number, row);
    }

    /// A delivery as it stands.
    pub(crate) fn find(&self, id: DeliveryId) -> Option<&DeliveryRow> {
        self.rows.get(self.by_id.get(&id)?)
    }

    /// The reversals that wait for a delivery.
    pub(crate) fn waiting(&self, grant: u64) -> Vec<DeliveryRow> {
        let numbers = self.behind.get(&grant).into_iter().flatten();
        numbers.filter_map(|number| self.rows.get(number)).cloned().collect()
    }

    /// Queues the messages of a record; a reversal whose grant is never told is parked at once.
    pub(crate) fn post(&mut self, seq: Seq, post: &Post) {
        for number in self.queue(seq, post) {
            let found = self.rows.get(&number).filter(|row| self.is_hopeless(row));
            if let Some(mut row) = found.cloned() {
                row.end(DeliveryState::Parked);
                self.write(row);
            }
        }
    }

    /// Queues the messages of a record, whatever has become of their grants. Gives the reversals.
    pub(crate) fn queue(&mut self, seq: Seq, post: &Post) -> Vec<u64> {
        for (rank, message) in post.messages.iter().enumerate() {
            let row = new_row(number_of(seq, rank), post, message);
            self.counts[usize::from(state_to_column(row.state))] += 1;
            self.new.insert(row.number);
            self.put(row);
        }
        // Only now, because a grant may come after its reversal in the order of ids.
        let mut reversals = Vec::new();
        for (rank, message) in post.messages.iter().enumerate() {
            let grant = message.after.and_then(|grant| self.by_id.get(&grant).copied());
            let row = self.rows.get(&number_of(seq, rank)).cloned();
            let (Some(grant), Some(row)) = (grant, row) else { continue };
            reversals.push(row.number);
            self.behind.entry(grant).or_default().insert(row.number);
            self.write(DeliveryRow { waits_for: Some(grant), ..row });
        }
        reversals
    }

    /// Whether it has to wait for the message of its grant (D6).
    pub(crate) fn is_behind(&self, row: &DeliveryRow) -> bool {
        self.grant_state(row).is_some_and(|state| state != DeliveryState::Delivered)
    }

    /// Whether the grant that it waits for has ended undelivered.
    pub(crate) fn is_hopeless(&self, row: &DeliveryRow) -> bool {
        self.grant_state(row).is_some_and(is_lost)
    }

    fn grant_state(&self, row: &DeliveryRow) -> Option<DeliveryState> {
        self.rows.get(&row.waits_for?).map(|grant| grant.state)
    }

    /// Writes where a delivery stands.
    ///
    /// A lease stays claimable at its end even behind a grant; the claim looks again.
    pub(crate) fn write(&mut self, row: DeliveryRow) {
        let ready_at = match (row.lease_until, row.due_at) {
            (Some(until), _) => Some(until),
            (None, Some(_)) if self.is_behind(&row) => None,
            (None, due_at) => due_at,
        };
        self.write_ready(row, ready_at);
    }

    /// Writes where a delivery stands and when it can be claimed.
    pub(crate) fn write_ready(&mut self, mut row: DeliveryRow, ready_at: Option<Timestamp>) {
        row.ready_at = ready_at;
        if let Some(before) = self.rows.get(&row.number) {
            self.counts[usize::from(state_to_column(before.state))] -= 1;
            self.counts[usize::from(state_to_column(row.state))] += 1;
        }
        self.dirty.insert(row.number);
        self.rows.insert(row.number, row);
    }

    /// Lets the open reversals behind a grant go, makes them wait, or parks them, as the grant stands
    /// now. One that is being sent at this moment, because the grant was delivered and then replayed,
    /// is left to its own worker; a claim after its lease looks again.
    pub(crate) fn tell_waiting(&mut self, grant: &DeliveryRow) {
        for mut row in self.waiting(grant.number) {
            if !row.state.is_open() {
                continue;
            }
            if is_lost(grant.state) && row.lease_until.is_none() {
                row.end(DeliveryState::Parked);
            }
            self.write(row);
        }
    }

    /// Adds the statements that leave the outbox as the desk says.
    pub(crate) fn write_to(&self, batch: &mut Batch) {
        let new = self.new.iter().filter_map(|number| self.rows.get(number));
        batch.insert(sql::DELIVERIES_NEW, new.map(DeliveryRow::values), "");
        let old = self.dirty.difference(&self.new).filter_map(|number| self.rows.get(number));
        batch.insert(sql::DELIVERIES_PUT, old.map(DeliveryRow::values), sql::DELIVERIES_SET);
        let moved = (0_u64..).zip(self.counts).filter(|(_, by)| *by != 0);
        let rows = moved.map(|(state, by)| [Value::Uint(state), Value::Int(by)]);
        batch.insert(sql::COUNTS_PUT, rows, sql::COUNTS_ADD);
    }
}

fn is_lost(grant: DeliveryState) -> bool {
    !grant.is_open() && grant != DeliveryState::Delivered
}

fn new_row(number: u64, post: &Post, message: &Posted) -> DeliveryRow {
    DeliveryRow {
        number,
        id: message.id,
        endpoint: Endpoint { app: message.app, mode: post.mode },
        state: DeliveryState::Queued,
        attempts: 0,
        booked_at: message.booked_at,
        due_at: Some(post.at),
        ready_at: Some(post.at),
        lease_until: None,
        fence: 0,
        waits_for: None,
        last: None,
    }
}
