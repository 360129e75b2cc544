//! Records of the journal and messages of the outbox in binary (format version 1).
//!
//! As in [`crate::state`], each line below is a layout that is never reordered.

use domain::budget::{BudgetMove, Guard, Limits};
use domain::ids::Act;
use domain::journal::{Cause, EventTrace, Message, MessageKind, Record};
use domain::ledger::{Account, Asset, Entry, Transaction};
use domain::verdict::{Finding, Refusal};

use crate::wire::{DecodeError, decode, encode, wire_enums, wire_structs};

/// The version that is written, and the newest that is read.
pub const JOURNAL_VERSION: u8 = 1;

/// Bytes of a record, roughly.
const RECORD_BYTES: usize = 512;

/// The bytes of a record.
#[must_use]
pub fn encode_record(record: &Record) -> Vec<u8> {
    encode(JOURNAL_VERSION, record, RECORD_BYTES)
}

/// The record of these bytes.
///
/// # Errors
/// The bytes were not written by [`encode_record`], were damaged, or are of a newer version.
pub fn decode_record(bytes: &[u8]) -> Result<Record, DecodeError> {
    decode(JOURNAL_VERSION, bytes)
}

/// The bytes of a message.
#[must_use]
pub fn encode_message(message: &Message) -> Vec<u8> {
    encode(JOURNAL_VERSION, message, RECORD_BYTES)
}

/// The message of these bytes.
///
/// # Errors
/// The bytes were not written by [`encode_message`], were damaged, or are of a newer version.
pub fn decode_message(bytes: &[u8]) -> Result<Message, DecodeError> {
    decode(JOURNAL_VERSION, bytes)
}

wire_structs! {
    Record { at, user, app, mode, cause, transactions, moves, messages }
    EventTrace { partner, enrollment, event, event_id, reversal, verdict, reason, raw }
    Transaction { id, act, enrollment, step, occurrence, of, entries }
    Entry { account, asset, amount }
    BudgetMove { line_item, day, held, booked, starts, guard }
    Limits { total, daily, grace, starts, daily_starts }
    Message {
        id, kind, transaction, after, app, app_name, points_name, unit, user_id, amount, payout,
        payout_currency, line_item, mission, mission_title, step, step_title, enrollment,
        occurred_at, booked_at, custom,
    }
}

wire_enums! {
    Cause {
        0 = Participation { enrollment, mission, version, line_item, ad_group, unit },
        1 = Refused { mission, refusal },
        2 = Event(trace),
        3 = Completion { enrollment, step, verdict, reason },
        4 = Sweep,
        5 = LimitsSet { line_item, limits },
        6 = Inquiry { enrollment, step, finding, reason, message },
    }
    Finding {
        0 = Paid, 1 = OnHold, 2 = Counting, 3 = WaitingForStep, 4 = WaitingForBudget,
        5 = NotSeenYet, 6 = NotDone, 7 = TooLate, 8 = DidNotCount, 9 = TakenBack,
        10 = NeedsSupport,
    }
    Refusal { 0 = NotEligible, 1 = AlreadyDone, 2 = Exhausted, 3 = Closed, 4 = Blocked }
    Act { 0 = Grant, 1 = Capture, 2 = Reversal }
    Account {
        0 = LineItem(id), 1 = Publisher(id), 2 = Rewards(id), 3 = Margin, 4 = Issued(id),
        5 = Wallet(user), 6 = Pending(user),
    }
    Asset { 0 = Money(currency), 1 = Points(app) }
    Guard { 0 = Start { paced }, 1 = Extra, 2 = Free }
    MessageKind { 0 = Granted, 1 = Reversed }
}

#[cfg(test)]
mod tests {
    use domain::ids::{
        AppId, DeliveryId, EnrollmentId, LineItemId, MissionId, Mode, PublisherId, StepId,
        TransactionId, UnitId, UserKey,
    };
    use domain::ledger::Posting;
    use domain::money::{CurrencyCode, Micros, Points, Ppm, Split};
    use domain::time::{Day, Timestamp};
    use domain::verdict::{Reason, Verdict};
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary;

    fn sample() -> Record {
        let posting = Posting {
            user: UserKey([1; 16]),
            enrollment: EnrollmentId([2; 16]),
            step: StepId(1),
            occurrence: 0,
            line_item: LineItemId(5),
            app: AppId(1),
            publisher: PublisherId(1),
            currency: CurrencyCode::USD,
            split: Split::of(Micros(500_000), None, Ppm(600_000), Ppm(200_000)),
            points: Points(300),
        };
        let transaction = Transaction { id: TransactionId([3; 16]), ..posting.grant(false) };
        let message = Message {
            id: DeliveryId([4; 16]),
            kind: MessageKind::Granted,
            transaction: transaction.id,
            after: None,
            app: AppId(1),
            app_name: "Coinpick".to_owned(),
            points_name: "P".to_owned(),
            unit: UnitId(1),
            user_id: "ann".to_owned(),
            amount: Points(300),
            payout: Micros(500_000),
            payout_currency: CurrencyCode::USD,
            line_item: LineItemId(5),
            mission: MissionId(3),
            mission_title: "Castle".to_owned(),
            step: StepId(1),
            step_title: "Install".to_owned(),
            enrollment: posting.enrollment,
            occurred_at: Timestamp(1_700_000_050_000),
            booked_at: Timestamp(1_700_000_060_000),
            custom: None,
        };
        Record {
            at: Timestamp(1_700_000_060_000),
            user: Some(posting.user),
            app: Some(posting.app),
            mode: Mode::Live,
            cause: Cause::Completion {
                enrollment: posting.enrollment,
                step: StepId(1),
                verdict: Verdict::Rewarded,
                reason: Reason::StepDone,
            },
            transactions: vec![transaction],
            moves: vec![BudgetMove {
                line_item: LineItemId(5),
                day: Day(19_675),
                held: Micros(-500_000),
                booked: Micros(500_000),
                starts: 0,
                guard: Guard::Free,
            }],
            messages: vec![message],
        }
    }

    /// These bytes were written by version 1 and must stay readable.
    const GOLDEN: &str = "01c0c9b2fef96201010101010101010101010101010101010101000302020202020202\
        020202020202020202010500010303030303030303030303030303030300020202020202020202020202020202\
        0201000006000500555344bf843d020100555344c0cf24010100555344c09a0c0300555344c09a0c04010101d7\
        0405010101010101010101010101010101010101d8040105b6b302bf843dc0843d000201040404040404040404\
        040404040404040003030303030303030303030303030303000108436f696e7069636b01500103616e6ed804c0\
        843d555344050306436173746c650107496e7374616c6c020202020202020202020202020202029f9c01a09c01\
        00";

    #[test]
    fn version_1_is_pinned() {
        let record = sample();
        let bytes = encode_record(&record);
        let hex = data_encoding::HEXLOWER.encode(&bytes);
        assert_eq!(decode_record(&bytes), Ok(record));
        assert_eq!(hex, GOLDEN);
    }

    proptest! {
        #[test]
        fn any_record_survives(record in arbitrary::record()) {
            prop_assert_eq!(decode_record(&encode_record(&record)), Ok(record));
        }

        #[test]
        fn any_message_survives(message in arbitrary::message()) {
            prop_assert_eq!(decode_message(&encode_message(&message)), Ok(message));
        }

        #[test]
        fn random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Some(first) = bytes.first_mut() {
                *first = JOURNAL_VERSION;
            }
            let _ = decode_record(&bytes);
            let _ = decode_message(&bytes);
        }
    }
}
