//! Strategies for random values of the domain.

mod catalog;

pub(crate) use catalog::entity;

use domain::budget::{BudgetMove, Guard, Limits};
use domain::ids::{
    Act, AdGroupId, AppId, DeliveryId, EnrollmentId, EventKey, LineItemId, MissionId, Mode,
    PartnerId, PublisherId, SegmentId, StepId, TransactionId, UnitId, UserKey,
};
use domain::journal::{Cause, EventTrace, Message, MessageKind, Record};
use domain::ledger::{Account, Asset, Entry, Transaction};
use domain::money::{CurrencyCode, Micros, Points, Split};
use domain::targeting::{CountryCode, Gender, OsVersion, Platform, Profile};
use domain::time::{Day, Timestamp, UtcOffset};
use domain::user::{
    Counted, Enrollment, Paid, PaidState, Parked, Phase, Seen, StepProgress, UserState,
};
use domain::verdict::{Finding, Reason, Refusal, Verdict};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

/// Any text, short.
pub(crate) fn text() -> impl Strategy<Value = String> + Clone {
    "\\PC{0,12}"
}

pub(crate) fn time() -> impl Strategy<Value = Timestamp> + Clone {
    prop_oneof![any::<i64>(), 0_i64..2_000_000_000_000].prop_map(Timestamp)
}

fn micros() -> impl Strategy<Value = Micros> + Clone {
    any::<i64>().prop_map(Micros)
}

fn points() -> impl Strategy<Value = Points> + Clone {
    any::<i64>().prop_map(Points)
}

pub(crate) fn currency() -> impl Strategy<Value = CurrencyCode> + Clone {
    "[A-Z]{3}".prop_map(|text| CurrencyCode::parse(&text).unwrap())
}

pub(crate) fn country() -> impl Strategy<Value = CountryCode> + Clone {
    "[A-Z]{2}".prop_map(|text| CountryCode::parse(&text).unwrap())
}

pub(crate) fn os_version() -> impl Strategy<Value = OsVersion> + Clone {
    any::<(u16, u16, u16)>().prop_map(|(major, minor, patch)| OsVersion { major, minor, patch })
}

fn day() -> impl Strategy<Value = Day> + Clone {
    any::<i32>().prop_map(Day)
}

pub(crate) fn mode() -> impl Strategy<Value = Mode> + Clone {
    select(vec![Mode::Live, Mode::Test])
}

fn verdict() -> impl Strategy<Value = Verdict> + Clone {
    select(Verdict::ALL.to_vec())
}

fn reason() -> impl Strategy<Value = Reason> + Clone {
    select(Reason::ALL.to_vec())
}

fn enrollment_id() -> impl Strategy<Value = EnrollmentId> + Clone {
    any::<[u8; 16]>().prop_map(EnrollmentId)
}

fn profile() -> impl Strategy<Value = Profile> {
    let device = (of(country()), of(select(Platform::ALL.to_vec())), of(os_version()));
    let person = (of(any::<u8>()), of(select(Gender::ALL.to_vec())), text());
    let rest = (of(text()), of(text()), vec(text(), 0..3), of(text()), any::<i16>());
    (device, person, rest).prop_map(|(device, person, rest)| Profile {
        country: device.0,
        platform: device.1,
        os_version: device.2,
        age: person.0,
        gender: person.1,
        language: person.2,
        ifa: rest.0,
        device_model: rest.1,
        installed_apps: rest.2,
        custom: rest.3,
        utc_offset: UtcOffset(rest.4),
    })
}

fn paid() -> impl Strategy<Value = Paid> {
    let state = prop_oneof![
        time().prop_map(|release_at| PaidState::Pending { release_at }),
        Just(PaidState::Rewarded),
        Just(PaidState::Reversed),
    ];
    (time(), time(), state).prop_map(|(booked_at, occurred_at, state)| Paid {
        booked_at,
        occurred_at,
        state,
    })
}

fn step_progress() -> impl Strategy<Value = StepProgress> {
    let price = (any::<u32>(), [micros(), micros(), micros(), micros()], points());
    let done = (any::<u64>(), any::<u64>(), of(time()), vec(paid(), 0..3));
    (price, done, of(time()), any::<u8>()).prop_map(|(price, done, visit_at, misses)| {
        let [payout, user, publisher, margin] = price.1;
        StepProgress {
            step: StepId(price.0),
            split: Split { payout, user, publisher, margin },
            points: price.2,
            progress: done.0,
            reached: done.1,
            latest_at: done.2,
            paid: done.3,
            visit_at,
            misses,
        }
    })
}

fn seen() -> impl Strategy<Value = Seen> {
    let earned = vec((any::<u32>().prop_map(StepId), any::<u32>()), 0..3);
    let counted = (vec(counted(), 0..3), any::<bool>());
    (any::<[u8; 16]>(), any::<u64>(), verdict(), reason(), earned, counted).prop_map(
        |(key, content, verdict, reason, earned, (counted, reversed))| Seen {
            key: EventKey(key),
            content,
            verdict,
            reason,
            earned,
            counted,
            reversed,
        },
    )
}

fn counted() -> impl Strategy<Value = Counted> {
    (any::<u32>().prop_map(StepId), day(), any::<u64>()).prop_map(|(step, day, units)| Counted {
        step,
        day,
        units,
    })
}

fn parked() -> impl Strategy<Value = Parked> {
    (any::<u32>(), any::<[u8; 16]>(), time(), any::<u64>(), reason()).prop_map(
        |(step, key, occurred_at, units, reason)| Parked {
            step: StepId(step),
            key: EventKey(key),
            occurred_at,
            units,
            reason,
        },
    )
}

fn enrollment() -> impl Strategy<Value = Enrollment> {
    let phases = vec![Phase::Open, Phase::Completed, Phase::Expired, Phase::Closed, Phase::Voided];
    let names = (enrollment_id(), any::<[u32; 5]>());
    let terms = ([time(), time(), time()], day(), currency(), select(phases), micros());
    let progress = (vec(step_progress(), 0..3), vec(seen(), 0..3), vec(parked(), 0..2));
    let owed = (of(time()), any::<bool>());
    (names, terms, progress, owed).prop_map(|((id, numbers), terms, progress, owed)| Enrollment {
        id,
        mission: MissionId(numbers[0]),
        version: numbers[1],
        line_item: LineItemId(numbers[2]),
        ad_group: AdGroupId(numbers[3]),
        unit: UnitId(numbers[4]),
        started_at: terms.0[0],
        deadline: terms.0[1],
        late_until: terms.0[2],
        day: terms.1,
        currency: terms.2,
        phase: terms.3,
        held: terms.4,
        steps: progress.0,
        seen: progress.1,
        parked: progress.2,
        retry_at: owed.0,
        forfeited: owed.1,
    })
}

/// Any user, whether or not a command could lead to him.
pub(crate) fn user_state() -> impl Strategy<Value = UserState> {
    let name = (any::<u32>(), mode(), text(), profile());
    let segments = vec(any::<u32>().prop_map(SegmentId), 0..4);
    let access = (any::<bool>(), of(time()));
    let money = (points(), points());
    (name, segments, access, money, vec(enrollment(), 0..4)).prop_map(
        |((app, mode, user_id, profile), segments, access, money, enrollments)| UserState {
            app: AppId(app),
            mode,
            user_id,
            profile,
            segments,
            blocked: access.0,
            sessions_since: access.1,
            balance: money.0,
            pending: money.1,
            enrollments,
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    (micros(), of(micros()), micros(), of(any::<u32>()), of(any::<u32>())).prop_map(
        |(total, daily, grace, starts, daily_starts)| Limits {
            total,
            daily,
            grace,
            starts,
            daily_starts,
        },
    )
}

fn event_trace() -> impl Strategy<Value = EventTrace> {
    let names = (any::<u32>(), of(enrollment_id()), text(), of(text()));
    (names, any::<bool>(), verdict(), reason(), text()).prop_map(
        |((partner, enrollment, event, event_id), reversal, verdict, reason, raw)| EventTrace {
            partner: PartnerId(partner),
            enrollment,
            event,
            event_id,
            reversal,
            verdict,
            reason,
            raw,
        },
    )
}

fn refusal() -> impl Strategy<Value = Refusal> {
    select(vec![
        Refusal::NotEligible,
        Refusal::AlreadyDone,
        Refusal::Exhausted,
        Refusal::Closed,
        Refusal::Blocked,
    ])
}

fn cause() -> impl Strategy<Value = Cause> {
    let participation = (enrollment_id(), any::<[u32; 5]>()).prop_map(|(enrollment, numbers)| {
        Cause::Participation {
            enrollment,
            mission: MissionId(numbers[0]),
            version: numbers[1],
            line_item: LineItemId(numbers[2]),
            ad_group: AdGroupId(numbers[3]),
            unit: UnitId(numbers[4]),
        }
    });
    let refused = (any::<u32>(), refusal())
        .prop_map(|(mission, refusal)| Cause::Refused { mission: MissionId(mission), refusal });
    let completion = (enrollment_id(), any::<u32>(), verdict(), reason()).prop_map(
        |(enrollment, step, verdict, reason)| Cause::Completion {
            enrollment,
            step: StepId(step),
            verdict,
            reason,
        },
    );
    let limits_set = (any::<u32>(), limits())
        .prop_map(|(id, limits)| Cause::LimitsSet { line_item: LineItemId(id), limits });
    let event = event_trace().prop_map(Cause::Event);
    let (finding, message) = (select(Finding::ALL.to_vec()), of(text()));
    let inquiry = (enrollment_id(), any::<u32>(), finding, of(reason()), message).prop_map(
        |(enrollment, step, finding, reason, message)| Cause::Inquiry {
            enrollment,
            step: StepId(step),
            finding,
            reason,
            message,
        },
    );
    prop_oneof![participation, refused, event, completion, inquiry, Just(Cause::Sweep), limits_set]
}

fn account() -> impl Strategy<Value = Account> {
    let user = any::<[u8; 16]>().prop_map(UserKey);
    prop_oneof![
        any::<u32>().prop_map(|id| Account::LineItem(LineItemId(id))),
        any::<u32>().prop_map(|id| Account::Publisher(PublisherId(id))),
        any::<u32>().prop_map(|id| Account::Rewards(AppId(id))),
        Just(Account::Margin),
        any::<u32>().prop_map(|id| Account::Issued(AppId(id))),
        user.clone().prop_map(Account::Wallet),
        user.prop_map(Account::Pending),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let asset = prop_oneof![
        currency().prop_map(Asset::Money),
        any::<u32>().prop_map(|id| Asset::Points(AppId(id))),
    ];
    (account(), asset, any::<i64>()).prop_map(|(account, asset, amount)| Entry {
        account,
        asset,
        amount,
    })
}

fn transaction() -> impl Strategy<Value = Transaction> {
    let transaction_id = any::<[u8; 16]>().prop_map(TransactionId);
    let act = select(vec![Act::Grant, Act::Capture, Act::Reversal]);
    let place = (enrollment_id(), any::<u32>(), any::<u32>());
    (transaction_id.clone(), act, place, of(transaction_id), vec(entry(), 0..5)).prop_map(
        |(id, act, (enrollment, step, occurrence), of, entries)| Transaction {
            id,
            act,
            enrollment,
            step: StepId(step),
            occurrence,
            of,
            entries,
        },
    )
}

fn budget_move() -> impl Strategy<Value = BudgetMove> {
    let guard = prop_oneof![
        of(micros()).prop_map(|paced| Guard::Start { paced }),
        Just(Guard::Extra),
        Just(Guard::Free),
    ];
    (any::<u32>(), day(), micros(), micros(), any::<u32>(), guard).prop_map(
        |(line_item, day, held, booked, starts, guard)| BudgetMove {
            line_item: LineItemId(line_item),
            day,
            held,
            booked,
            starts,
            guard,
        },
    )
}

/// Any message.
pub(crate) fn message() -> impl Strategy<Value = Message> {
    let kind = select(vec![MessageKind::Granted, MessageKind::Reversed]);
    let ids = (any::<[[u8; 16]; 3]>(), of(any::<[u8; 16]>()), any::<[u32; 5]>());
    let texts = ([text(), text(), text(), text(), text()], of(text()));
    let payout = (micros(), currency());
    (kind, ids, texts, points(), payout, [time(), time()]).prop_map(
        |(kind, (ids, after, numbers), (texts, custom), amount, payout, times)| {
            let [user_id, mission_title, step_title, app_name, points_name] = texts;
            Message {
                id: DeliveryId(ids[0]),
                kind,
                transaction: TransactionId(ids[1]),
                after: after.map(DeliveryId),
                app: AppId(numbers[0]),
                app_name,
                points_name,
                unit: UnitId(numbers[1]),
                user_id,
                amount,
                payout: payout.0,
                payout_currency: payout.1,
                line_item: LineItemId(numbers[2]),
                mission: MissionId(numbers[3]),
                mission_title,
                step: StepId(numbers[4]),
                step_title,
                enrollment: EnrollmentId(ids[2]),
                occurred_at: times[0],
                booked_at: times[1],
                custom,
            }
        },
    )
}

/// Any record, whether or not a command could lead to it.
pub(crate) fn record() -> impl Strategy<Value = Record> {
    let who = (of(any::<[u8; 16]>().prop_map(UserKey)), of(any::<u32>().prop_map(AppId)), mode());
    let lists = (vec(transaction(), 0..3), vec(budget_move(), 0..3), vec(message(), 0..3));
    (time(), who, cause(), lists).prop_map(
        |(at, (user, app, mode), cause, (transactions, moves, messages))| Record {
            at,
            user,
            app,
            mode,
            cause,
            transactions,
            moves,
            messages,
        },
    )
}
