//! Names of things: catalogue numbers, and derived identifiers of things that happen.
//!
//! Ids of things that happen are functions of what they name, so doing something twice gives the
//! same id instead of a second thing (ADR 0003). The first eight bytes of an enrollment,
//! transaction or delivery id are the first eight of its user's key, so any of them finds its user
//! without an index.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

/// Crockford base 32: no `I`, `L`, `O` or `U`, so an id survives being read out on the telephone.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of an id in text form; fits the 32 characters that the narrowest dialect allows.
pub const ID_CHARS: usize = 26;

macro_rules! catalog_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

catalog_id! {
    /// A publisher: the company that owns apps.
    PublisherId,
    /// An app or site with points of its own.
    AppId,
    /// A placement inside an app.
    UnitId,
    /// A company that pays for steps.
    AdvertiserId,
    /// An optional grouping of line items.
    OrderId,
    /// Flight dates, budget, pacing, priority and caps.
    LineItemId,
    /// Targeting and bid inside a line item.
    AdGroupId,
    /// What a user does.
    MissionId,
    /// One rewarded event of a mission; unique inside its mission.
    StepId,
    /// A connection to a measurement partner.
    PartnerId,
    /// A named audience of users.
    SegmentId,
}

/// A map by catalogue numbers. Operators choose them, not strangers, so nobody makes them collide, and
/// a hash of one multiplication serves.
pub(crate) type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<NumberHasher>>;

/// Spreads numbers with one multiplication each.
#[derive(Clone, Copy, Default)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u32(byte.into()));
    }

    fn write_u32(&mut self, number: u32) {
        // The golden ratio as a fraction of 2^64 spreads consecutive numbers most evenly.
        let mixed = self.0.rotate_left(32) ^ u64::from(number);
        self.0 = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        // The product's high bits depend on all of the number; maps look at the low ones first.
        self.0.rotate_left(32)
    }
}

macro_rules! derived_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// Reads the 26-character text form; `None` for anything else.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                decode(text).map(Self)
            }

            /// Appends the text form.
            pub fn append_to(self, out: &mut Vec<u8>) {
                out.extend_from_slice(encode(self.0, &mut [0; ID_CHARS]).as_bytes());
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(encode(self.0, &mut [0; ID_CHARS]))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

derived_id! {
    /// The key of one user of one app in one mode; the publisher's own id is not readable from it.
    UserKey,
    /// One user's one run of one mission.
    EnrollmentId,
    /// One booking in the ledger.
    TransactionId,
    /// One message to a publisher; the same over all attempts.
    DeliveryId,
    /// One inbound event as its sender names it; the key of its idempotency.
    EventKey,
    /// One committed change of one user, so a lost answer can be asked for again.
    ChangeId,
}

/// The part of an id that names its user's partition.
pub type UserPrefix = [u8; 8];

/// Whether money is real: a test key never books live money nor calls a live endpoint (X6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Mode {
    /// Real users and real money.
    #[default]
    Live,
    /// A developer trying things out; budgets are not touched.
    Test,
}

impl Mode {
    /// `live` or `test`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

impl UserKey {
    /// The key of the user whom the publisher calls `user_id` in `app`.
    #[must_use]
    pub fn derive(app: AppId, mode: Mode, user_id: &str) -> Self {
        let mut hash = Derivation::new("guerdon user 1");
        hash.number(app.0.into()).text(mode.name()).text(user_id);
        Self(hash.whole())
    }

    /// The bytes that every id of this user begins with.
    #[must_use]
    pub fn prefix(&self) -> UserPrefix {
        prefix_of(&self.0)
    }
}

impl EnrollmentId {
    /// A user enrolls in a mission once, whichever version he met.
    #[must_use]
    pub fn derive(user: &UserKey, mission: MissionId) -> Self {
        let mut hash = Derivation::new("guerdon enrollment 1");
        hash.bytes(&user.0).number(mission.0.into());
        Self(hash.under(user))
    }

    /// The partition of the user who enrolled.
    #[must_use]
    pub fn prefix(&self) -> UserPrefix {
        prefix_of(&self.0)
    }
}

/// What a transaction does to a reward.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Act {
    /// The reward is booked, to the wallet or to pending.
    Grant,
    /// A pending reward reaches the wallet.
    Capture,
    /// The reward is taken back.
    Reversal,
}

impl Act {
    /// `grant`, `capture` or `reversal`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Capture => "capture",
            Self::Reversal => "reversal",
        }
    }
}

impl TransactionId {
    /// One act on the reward of one occurrence of one step: paying it twice has no second name.
    #[must_use]
    pub fn derive(
        user: &UserKey,
        enrollment: EnrollmentId,
        step: StepId,
        occurrence: u32,
        act: Act,
    ) -> Self {
        let mut hash = Derivation::new("guerdon transaction 1");
        hash.bytes(&enrollment.0).number(step.0.into()).number(occurrence.into());
        hash.text(act.name());
        Self(hash.under(user))
    }

    /// The partition of the user who is paid.
    #[must_use]
    pub fn prefix(&self) -> UserPrefix {
        prefix_of(&self.0)
    }
}

impl DeliveryId {
    /// The message that tells `transaction` to the publisher.
    #[must_use]
    pub fn derive(user: &UserKey, transaction: TransactionId) -> Self {
        let mut hash = Derivation::new("guerdon delivery 1");
        hash.bytes(&transaction.0);
        Self(hash.under(user))
    }

    /// The partition of the user who is paid.
    #[must_use]
    pub fn prefix(&self) -> UserPrefix {
        prefix_of(&self.0)
    }
}

impl EventKey {
    /// An event that a partner reports. `own_id` is the partner's id of it; without one, events of
    /// one name and moment are one event.
    #[must_use]
    pub fn partner(
        partner: PartnerId,
        enrollment: EnrollmentId,
        event: &str,
        own_id: &str,
    ) -> Self {
        let mut hash = Derivation::new("guerdon partner event 1");
        hash.number(partner.0.into()).bytes(&enrollment.0).text(event).text(own_id);
        Self(hash.whole())
    }

    /// The event that takes `event` back.
    #[must_use]
    pub fn reversal_of(event: Self) -> Self {
        let mut hash = Derivation::new("guerdon reversal event 1");
        hash.bytes(&event.0);
        Self(hash.whole())
    }

    /// A completion that Guerdon verified itself: `occasion` is what may count once, such as a day.
    #[must_use]
    pub fn own(enrollment: EnrollmentId, step: StepId, occasion: &str) -> Self {
        let mut hash = Derivation::new("guerdon own event 1");
        hash.bytes(&enrollment.0).number(step.0.into()).text(occasion);
        Self(hash.whole())
    }
}

impl ChangeId {
    /// The change that takes `user` from `version` to the next because of `cause`.
    #[must_use]
    pub fn derive(user: &UserKey, version: u64, cause: &[u8]) -> Self {
        let mut hash = Derivation::new("guerdon change 1");
        hash.bytes(&user.0).number(version).bytes(cause);
        Self(hash.whole())
    }
}

/// A hash of length-prefixed parts, so that no two lists of parts run together.
#[derive(Debug)]
pub struct Derivation(blake3::Hasher);

impl Derivation {
    /// `purpose` separates one kind of id from every other.
    #[must_use]
    pub fn new(purpose: &'static str) -> Self {
        let mut derivation = Self(blake3::Hasher::new());
        derivation.text(purpose);
        derivation
    }

    /// Adds bytes with their length.
    pub fn bytes(&mut self, part: &[u8]) -> &mut Self {
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    /// Adds text with its length in bytes.
    pub fn text(&mut self, part: &str) -> &mut Self {
        self.bytes(part.as_bytes())
    }

    /// Adds a number of fixed width.
    pub fn number(&mut self, part: u64) -> &mut Self {
        self.0.update(&part.to_le_bytes());
        self
    }

    /// The first 16 bytes of the hash.
    #[must_use]
    pub fn whole(&self) -> [u8; 16] {
        let mut out = [0; 16];
        out.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        out
    }

    /// The first 32 bytes of the hash.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }

    /// The user's prefix followed by eight bytes of the hash.
    #[must_use]
    fn under(&self, user: &UserKey) -> [u8; 16] {
        let mut out = self.whole();
        out[..8].copy_from_slice(&user.prefix());
        out
    }
}

/// Digest of a bearer secret (app key, admin key, partner token), as the catalogue keeps it.
///
/// The secrets are 32 random bytes, so a plain fast hash is enough: there is nothing to guess.
#[must_use]
pub fn bearer_digest(secret: &str) -> [u8; 32] {
    Derivation::new("guerdon bearer 1").text(secret).digest()
}

fn prefix_of(id: &[u8; 16]) -> UserPrefix {
    let mut out = [0; 8];
    out.copy_from_slice(&id[..8]);
    out
}

/// Writes 128 bits as 26 characters of five bits each, the last two bits being padding.
fn encode(id: [u8; 16], out: &mut [u8; ID_CHARS]) -> &str {
    let bits = u128::from_be_bytes(id);
    for (place, slot) in out.iter_mut().enumerate() {
        let shift = 123_i32 - 5 * place as i32;
        let five = if shift >= 0 { bits >> shift } else { bits << -shift };
        *slot = ALPHABET[(five & 31) as usize];
    }
    // The alphabet is ASCII, so this cannot fail; an empty text would be visible at once.
    std::str::from_utf8(out).unwrap_or_default()
}

fn decode(text: &str) -> Option<[u8; 16]> {
    if text.len() != ID_CHARS {
        return None;
    }
    let mut bits: u128 = 0;
    for (place, byte) in text.bytes().enumerate() {
        let upper = byte.to_ascii_uppercase();
        let five = ALPHABET.iter().position(|&letter| letter == upper)? as u128;
        let shift = 123_i32 - 5 * place as i32;
        if shift >= 0 {
            bits |= five << shift;
        } else if five.trailing_zeros() < 2 && five != 0 {
            return None;
        } else {
            bits |= five >> -shift;
        }
    }
    Some(bits.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_their_text_form() {
        for byte in [0_u8, 1, 127, 128, 255] {
            let id = TransactionId([byte; 16]);
            let text = id.to_string();
            assert_eq!(text.len(), ID_CHARS);
            assert_eq!(TransactionId::parse(&text), Some(id));
            assert_eq!(TransactionId::parse(&text.to_lowercase()), Some(id));
        }
    }

    #[test]
    fn malformed_ids_are_refused() {
        let last_two_bits_set = format!("{}1", "0".repeat(25));
        for text in ["", "0", "ÄÄÄÄÄÄÄÄÄÄÄÄÄ", "0000000000000000000000000U", &last_two_bits_set]
        {
            assert_eq!(EnrollmentId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        let one = EventKey::partner(PartnerId(1), EnrollmentId([0; 16]), "ab", "c");
        let two = EventKey::partner(PartnerId(1), EnrollmentId([0; 16]), "a", "bc");
        assert_ne!(one, two);
    }

    #[test]
    fn every_id_of_a_user_begins_with_his_prefix() {
        let user = UserKey::derive(AppId(7), Mode::Live, "ann");
        let enrollment = EnrollmentId::derive(&user, MissionId(3));
        let transaction = TransactionId::derive(&user, enrollment, StepId(1), 0, Act::Grant);
        assert_eq!(enrollment.prefix(), user.prefix());
        assert_eq!(DeliveryId::derive(&user, transaction).prefix(), user.prefix());
        assert_ne!(user, UserKey::derive(AppId(7), Mode::Test, "ann"));
    }
}
