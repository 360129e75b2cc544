//! One user in binary, as every state store keeps it (format version 2).
//!
//! Each line below is a layout. A stored user lives for years, so nothing here is ever reordered:
//! a new field makes a new version and follows the others, and older versions stay readable.
//!
//! | version | what it added |
//! |---|---|
//! | 1 | everything else |
//! | 2 | the moment from which the user's sessions count |
//!
//! A user is written in the oldest version that can hold him. So nodes may be upgraded one by one, and
//! put back: an older program reads everybody but those of whom it cannot know what it must.

use domain::money::Split;
use domain::targeting::{CountryCode, Gender, OsVersion, Platform, Profile};
use domain::user::{
    Counted, Enrollment, Paid, PaidState, Parked, Phase, Seen, StepProgress, UserState,
};
use domain::verdict::{Reason, Verdict};

use crate::wire::{DecodeError, Reader, Wire, Writer, decode, encode, wire_enums, wire_structs};

/// The newest version that [`encode_state`] writes and [`decode_state`] reads.
pub const STATE_VERSION: u8 = 2;
/// The oldest one, in which all sessions count.
const FIRST_VERSION: u8 = 1;

/// Bytes of a user without enrollments, roughly.
const USER_BYTES: usize = 256;
/// Bytes of one enrollment, roughly.
const ENROLLMENT_BYTES: usize = 256;

/// The bytes of a user.
#[must_use]
pub fn encode_state(state: &UserState) -> Vec<u8> {
    let version = if state.sessions_since.is_none() { FIRST_VERSION } else { STATE_VERSION };
    encode(version, state, USER_BYTES + ENROLLMENT_BYTES * state.enrollments.len())
}

/// The user of these bytes.
///
/// # Errors
/// The bytes were not written by [`encode_state`], were damaged, or are of a newer version.
pub fn decode_state(bytes: &[u8]) -> Result<UserState, DecodeError> {
    decode(STATE_VERSION, bytes)
}

wire_structs! {
    Profile {
        country, platform, os_version, age, gender, language, ifa, device_model, installed_apps,
        custom, utc_offset,
    }
    OsVersion { major, minor, patch }
    Enrollment {
        id, mission, version, line_item, ad_group, unit, started_at, deadline, late_until, day,
        currency, phase, held, steps, seen, parked, retry_at, forfeited,
    }
    StepProgress { step, split, points, progress, reached, latest_at, paid, visit_at, misses }
    Split { payout, user, publisher, margin }
    Paid { booked_at, occurred_at, state }
    Parked { step, key, occurred_at, units, reason }
    Counted { step, day, units }
}

wire_enums! {
    Platform { 0 = Android, 1 = Ios, 2 = Web }
    Gender { 0 = Female, 1 = Male, 2 = Other }
    Phase { 0 = Open, 1 = Completed, 2 = Expired, 3 = Closed, 4 = Voided }
    PaidState { 0 = Pending { release_at }, 1 = Rewarded, 2 = Reversed }
    Verdict { 0 = Rejected, 1 = Ignored, 2 = Duplicate, 3 = Parked, 4 = Pending, 5 = Rewarded }
    Reason {
        0 = StepDone, 1 = OnHold, 2 = Counting, 3 = Early, 4 = OutsideWindow, 5 = AwaitingBudget,
        6 = SeenBefore, 7 = EventConflict, 8 = NoSuchStep, 9 = LimitReached, 10 = DailyLimit,
        11 = Late, 12 = BeforeParticipation, 13 = Voided, 14 = AmountMissing,
        15 = CurrencyMismatch, 16 = PartnerRejected, 17 = Organic, 18 = NoClick,
        19 = ForgedClick, 20 = OtherAdvertiser, 21 = NoEnrollment, 22 = BadField, 23 = Reversed,
        24 = ReversalWaits, 25 = NothingToReverse, 26 = TooMany, 27 = TooSoon,
        28 = VisitStarted, 29 = WrongAnswer, 30 = NoAttempts, 31 = NotOurs, 32 = Locked,
        33 = BadSignature, 34 = BudgetSpent,
    }
}

/// In this order: what version 1 has, then what each later one added.
impl Wire for UserState {
    fn put(&self, to: &mut Writer) {
        let Self {
            app,
            mode,
            user_id,
            profile,
            segments,
            blocked,
            sessions_since,
            balance,
            pending,
            enrollments,
        } = self;
        app.put(to);
        mode.put(to);
        user_id.put(to);
        profile.put(to);
        segments.put(to);
        blocked.put(to);
        balance.put(to);
        pending.put(to);
        enrollments.put(to);
        if to.version() >= 2 {
            sessions_since.put(to);
        }
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            app: Wire::get(from)?,
            mode: Wire::get(from)?,
            user_id: Wire::get(from)?,
            profile: Wire::get(from)?,
            segments: Wire::get(from)?,
            blocked: Wire::get(from)?,
            balance: Wire::get(from)?,
            pending: Wire::get(from)?,
            enrollments: Wire::get(from)?,
            sessions_since: if from.version() >= 2 { Wire::get(from)? } else { None },
        })
    }
}

/// The content is a hash, so it is written in full: a variable length would make it longer.
impl Wire for Seen {
    fn put(&self, to: &mut Writer) {
        let Self { key, content, verdict, reason, earned, counted, reversed } = self;
        key.put(to);
        to.fixed(&content.to_le_bytes());
        verdict.put(to);
        reason.put(to);
        earned.put(to);
        counted.put(to);
        reversed.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            key: Wire::get(from)?,
            content: u64::from_le_bytes(from.fixed()?),
            verdict: Wire::get(from)?,
            reason: Wire::get(from)?,
            earned: Wire::get(from)?,
            counted: Wire::get(from)?,
            reversed: Wire::get(from)?,
        })
    }
}

impl Wire for CountryCode {
    fn put(&self, to: &mut Writer) {
        to.fixed(self.as_str().as_bytes());
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let letters = from.fixed::<2>()?;
        let text = std::str::from_utf8(&letters).ok();
        text.and_then(Self::parse).or_else(|| from.fail(DecodeError::Impossible("country")))
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{AppId, EnrollmentId, EventKey, LineItemId, MissionId, StepId};
    use domain::money::{CurrencyCode, Micros, Points};
    use domain::time::{Day, Timestamp};
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary;

    fn sample() -> UserState {
        let booked = Paid {
            booked_at: Timestamp(1_700_000_060_000),
            occurred_at: Timestamp(1_700_000_050_000),
            state: PaidState::Pending { release_at: Timestamp(1_700_003_660_000) },
        };
        let step = StepProgress {
            step: StepId(1),
            split: Split {
                payout: Micros(500_000),
                user: Micros(300_000),
                publisher: Micros(100_000),
                margin: Micros(100_000),
            },
            points: Points(300),
            progress: 1,
            reached: 1,
            latest_at: Some(Timestamp(1_700_000_050_000)),
            paid: vec![booked],
            visit_at: None,
            misses: 0,
        };
        let seen = Seen {
            key: EventKey([9; 16]),
            content: 0x0102_0304_0506_0708,
            verdict: Verdict::Pending,
            reason: Reason::OnHold,
            earned: vec![(StepId(1), 0)],
            counted: vec![Counted { step: StepId(1), day: Day(19_675), units: 1 }],
            reversed: false,
        };
        let run = Enrollment {
            id: EnrollmentId([7; 16]),
            mission: MissionId(3),
            version: 2,
            line_item: LineItemId(5),
            ad_group: domain::ids::AdGroupId(6),
            unit: domain::ids::UnitId(4),
            started_at: Timestamp(1_700_000_000_000),
            deadline: Timestamp(1_701_209_600_000),
            late_until: Timestamp(1_701_296_000_000),
            day: Day(19_675),
            currency: CurrencyCode::USD,
            phase: Phase::Open,
            held: Micros(3_000_000),
            steps: vec![step],
            seen: vec![seen],
            parked: Vec::new(),
            retry_at: Some(Timestamp(1_700_000_660_000)),
            forfeited: false,
        };
        UserState {
            app: AppId(1),
            user_id: "ann".to_owned(),
            balance: Points(-5),
            enrollments: vec![run],
            ..UserState::default()
        }
    }

    /// The same user after his sessions were ended.
    fn sample_ended() -> UserState {
        UserState { sessions_since: Some(Timestamp(1_700_000_070_000)), ..sample() }
    }

    /// These bytes were written by version 1 and must stay readable.
    const GOLDEN_1: &str = "01010003616e6e0000000000000000000000000009000107070707070707070707070707070707030205060480a0\
        abfef96280a0c8810980f0b252b6b30255534400809bee020101c0843dc0cf24c09a0cc09a0cd804010101df82f5\
        d30901a09c019f9c0100a0d6b8030000010909090909090909090909090909090908070605040302010401010100\
        0101b6b30201000001ff9aee0200";

    /// What version 2 adds, after the same bytes with another version.
    const GOLDEN_2: &str = "01df8248";

    #[test]
    fn versions_are_pinned() {
        let read = |hex: &str| {
            decode_state(&data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal"))
        };
        let written = |state| data_encoding::HEXLOWER.encode(&encode_state(&state));
        assert_eq!(read(GOLDEN_1), Ok(sample()));
        // Whoever needs nothing of version 2 is still written so that version 1 can read him.
        assert_eq!(written(sample()), GOLDEN_1);
        let golden_2 = format!("02{}{GOLDEN_2}", &GOLDEN_1[2..]);
        assert_eq!(read(&golden_2), Ok(sample_ended()));
        assert_eq!(written(sample_ended()), golden_2);
    }

    #[test]
    fn damage_is_told_apart() {
        let newer = DecodeError::UnknownVersion { found: 3, known: 2 };
        let none = DecodeError::UnknownVersion { found: 0, known: 2 };
        let cases: [(&[u8], DecodeError); 3] =
            [(&[], DecodeError::Empty), (&[3, 0, 0], newer), (&[0, 0, 0], none)];
        for (bytes, error) in cases {
            assert_eq!(decode_state(bytes), Err(error));
        }
        for bytes in [encode_state(&sample()), encode_state(&sample_ended())] {
            let cut = decode_state(&bytes[..bytes.len() - 1]);
            assert_eq!(cut, Err(DecodeError::CutOff));
            let longer = decode_state(&[&bytes[..], &[0]].concat());
            assert_eq!(longer, Err(DecodeError::Trailing(1)));
        }
        let told = newer.to_string();
        assert!(told.contains("version 3"), "{told}");
    }

    #[test]
    fn every_reason_has_its_own_number() {
        for (number, reason) in Reason::ALL.iter().enumerate() {
            let bytes = encode(1, reason, 2);
            assert_eq!(usize::from(bytes[1]), number, "{reason:?}");
        }
    }

    proptest! {
        #[test]
        fn any_user_survives(state in arbitrary::user_state()) {
            prop_assert_eq!(decode_state(&encode_state(&state)), Ok(state));
        }

        #[test]
        fn random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode_state(&bytes);
            for version in FIRST_VERSION..=STATE_VERSION {
                if let Some(first) = bytes.first_mut() {
                    *first = version;
                }
                let _ = decode_state(&bytes);
            }
        }

        #[test]
        fn a_flipped_byte_never_panics(state in arbitrary::user_state(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let mut bytes = encode_state(&state);
            let at = at.index(bytes.len());
            bytes[at] = to;
            let _ = decode_state(&bytes);
        }
    }

    #[test]
    fn a_usual_user_is_small() {
        let mut state = sample();
        let mut run = state.enrollments[0].clone();
        run.steps = vec![run.steps[0].clone(); 4];
        run.seen = vec![run.seen[0].clone(); 4];
        state.enrollments = vec![run; 10];
        let bytes = encode_state(&state).len();
        assert!(bytes < 4_000, "{bytes}");
    }
}
