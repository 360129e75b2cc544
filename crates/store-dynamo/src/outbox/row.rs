//! A delivery as an item: its words, and how far it has come.

use domain::ids::{AppId, DeliveryId, Mode, UserKey};
use domain::journal::Message;
use domain::time::Timestamp;
use store::{AttemptNote, Delivery, DeliveryState, Endpoint, Seq};

use super::front::{bad_key, due_key, waiting_key};
use crate::error::Failed;
use crate::keys::{self, BODY, INDEX_PK, INDEX_SK, Key, Spot, VERSION};
use crate::value::{Item, Read as _, bytes, item, number, text};
use crate::write::Write;

const USER: &str = "user";
const SPOT: &str = "spot";
const MODE: &str = "mode";
const STATE: &str = "state";
const ATTEMPTS: &str = "attempts";
const DUE: &str = "due_at";
const LEASE: &str = "lease";
const FENCE: &str = "fence";
const WAITS: &str = "waits";
const NOTE_AT: &str = "note_at";
const NOTE_STATUS: &str = "note_status";
const NOTE: &str = "note";
const NOTE_MS: &str = "note_ms";

/// One delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    /// Whose reward.
    pub(crate) user: UserKey,
    /// Where the record is that it was born in.
    pub(crate) spot: Spot,
    pub(crate) mode: Mode,
    pub(crate) message: Message,
    pub(crate) state: DeliveryState,
    pub(crate) attempts: u32,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) lease_until: Option<Timestamp>,
    pub(crate) fence: u64,
    /// Whether it is set aside until its grant is told. One that is not may still have to wait: a
    /// claim looks.
    pub(crate) waits: bool,
    pub(crate) last: Option<AttemptNote>,
    /// Grows with each write.
    pub(crate) version: u64,
}

impl Row {
    /// A message that was just booked.
    pub(crate) fn new(
        user: UserKey,
        spot: Spot,
        mode: Mode,
        message: Message,
        at: Timestamp,
    ) -> Self {
        Self {
            user,
            spot,
            mode,
            message,
            state: DeliveryState::Queued,
            attempts: 0,
            due_at: Some(at),
            lease_until: None,
            fence: 0,
            waits: false,
            last: None,
            version: 1,
        }
    }

    pub(crate) fn id(&self) -> DeliveryId {
        self.message.id
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { app: self.message.app, mode: self.mode }
    }

    /// When it can be claimed, as far as time decides it.
    pub(super) fn ready_at(&self) -> Option<Timestamp> {
        self.lease_until.or(self.due_at)
    }

    pub(super) fn is_leased(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| until > now)
    }

    /// Whether it has ended without being told.
    pub(super) fn is_lost(&self) -> bool {
        !self.state.is_open() && self.state != DeliveryState::Delivered
    }

    /// Ends it; it is not tried again by itself.
    pub(super) fn end(&mut self, state: DeliveryState) {
        (self.state, self.due_at, self.lease_until) = (state, None, None);
        self.waits = false;
    }

    /// Starts over with a fresh plan of attempts.
    pub(super) fn restart(&mut self, now: Timestamp) {
        self.end(DeliveryState::Queued);
        (self.attempts, self.due_at) = (0, Some(now));
    }

    /// Its key in the index; `None` once it is told.
    pub(super) fn index_key(&self, shard: u32) -> Option<Key> {
        match (self.state, self.ready_at()) {
            (DeliveryState::Queued | DeliveryState::Retrying, _) if self.waits => {
                Some(waiting_key(self, shard))
            }
            (DeliveryState::Queued | DeliveryState::Retrying, Some(at)) => {
                Some(due_key(self, shard, at))
            }
            (DeliveryState::Stopped | DeliveryState::Parked, _) => Some(bad_key(self, shard)),
            _ => None,
        }
    }

    /// Writes it for the first time.
    pub(super) fn birth(&self, shard: u32) -> Write {
        Write::put_new(self.to_item(shard))
    }

    /// Writes it unless somebody has written it since it was read.
    pub(super) fn rewrite(mut self, shard: u32) -> Write {
        let read = self.version;
        self.version += 1;
        Write::put(self.to_item(shard)).when("#v = :v").with(":v", number(read))
    }

    /// Fails the transaction if somebody has written it since it was read.
    pub(super) fn unchanged(&self) -> Write {
        let check = Write::check(keys::delivery(self.id()), "#v = :v");
        check.with(":v", number(self.version))
    }

    pub(crate) fn to_item(&self, shard: u32) -> Item {
        let with = [
            (VERSION, number(self.version)),
            (USER, bytes(self.user.0)),
            (SPOT, text(self.spot.text())),
            (MODE, text(self.mode.name())),
            (STATE, text(self.state.name())),
            (ATTEMPTS, number(self.attempts)),
            (FENCE, number(self.fence)),
            (BODY, bytes(format::journal::encode_message(&self.message))),
        ];
        let mut item = item(&keys::delivery(self.id()), with);
        let mut add = |name: &str, value| item.insert(name.to_owned(), value);
        for (name, at) in [(DUE, self.due_at), (LEASE, self.lease_until)] {
            if let Some(at) = at {
                add(name, number(at.0));
            }
        }
        if self.waits {
            add(WAITS, number(1));
        }
        if let Some(key) = self.index_key(shard) {
            add(INDEX_PK, text(key.pk));
            add(INDEX_SK, text(key.sk));
        }
        if let Some(last) = &self.last {
            add(NOTE_AT, number(last.at.0));
            add(NOTE, text(&last.note));
            add(NOTE_MS, number(last.duration_ms));
            if let Some(status) = last.status {
                add(NOTE_STATUS, number(status));
            }
        }
        item
    }

    pub(crate) fn from_item(item: &Item) -> Result<Self, Failed> {
        let message = format::journal::decode_message(item.get_bytes(BODY)?);
        let user = item.get_bytes(USER)?.try_into();
        let moment = |name| Ok::<_, Failed>(item.find_number(name)?.map(Timestamp));
        let bad = |what: &str| Failed::corrupt(format!("{what} of a delivery"));
        let state = item.get_text(STATE)?;
        let state = DeliveryState::ALL.into_iter().find(|one| one.name() == state);
        let mode = item.get_text(MODE)?;
        let mode = [Mode::Live, Mode::Test].into_iter().find(|one| one.name() == mode);
        Ok(Self {
            user: UserKey(user.map_err(|_| bad("the user"))?),
            spot: Spot::parse(item.get_text(SPOT)?).ok_or_else(|| bad("the record"))?,
            mode: mode.ok_or_else(|| bad("the mode"))?,
            message: message.map_err(|why| bad(&format!("the message ({why})")))?,
            state: state.ok_or_else(|| bad("the state"))?,
            attempts: item.get_number(ATTEMPTS)?,
            due_at: moment(DUE)?,
            lease_until: moment(LEASE)?,
            fence: item.get_number(FENCE)?,
            waits: item.find_number::<u8>(WAITS)?.is_some(),
            last: note_from_item(item)?,
            version: item.get_number(VERSION)?,
        })
    }

    /// As the port gives it, at its place.
    pub(super) fn delivery(self, seq: Seq) -> Delivery {
        Delivery {
            seq,
            user: self.user,
            endpoint: self.endpoint(),
            message: self.message,
            state: self.state,
            attempts: self.attempts,
            due_at: self.due_at,
            last: self.last,
        }
    }
}

fn note_from_item(item: &Item) -> Result<Option<AttemptNote>, Failed> {
    let Some(at) = item.find_number(NOTE_AT)? else { return Ok(None) };
    Ok(Some(AttemptNote {
        at: Timestamp(at),
        status: item.find_number(NOTE_STATUS)?,
        note: item.get_text(NOTE)?.to_owned(),
        duration_ms: item.get_number(NOTE_MS)?,
    }))
}

/// The app and mode of an endpoint in the index.
pub(super) fn parse_endpoint(text: &str) -> Option<Endpoint> {
    let (app, mode) = text.split_at_checked(8)?;
    let mode = match mode {
        "l#" => Mode::Live,
        "t#" => Mode::Test,
        _ => return None,
    };
    Some(Endpoint { app: AppId(u32::from_str_radix(app, 16).ok()?), mode })
}
