//! Values with something in every field, at the edges of what fields may hold.

use domain::budget::{BudgetMove, Guard, Limits};
use domain::change::Loaded;
use domain::ids::{
    AdGroupId, AppId, EnrollmentId, EventKey, LineItemId, MissionId, Mode, PartnerId, SegmentId,
    StepId, UnitId, UserKey,
};
use domain::journal::{Cause, EventTrace, RAW_MAX, Record};
use domain::money::{CurrencyCode, Micros, Points, Split};
use domain::targeting::{CountryCode, Gender, OsVersion, Platform, Profile};
use domain::time::{Day, TIMESTAMP_MAX, Timestamp, UtcOffset};
use domain::user::{
    Counted, ENROLLMENTS_MAX, Enrollment, Paid, PaidState, Parked, Phase, Seen, StepProgress,
    UserState,
};
use domain::verdict::{Finding, Reason, Refusal, Verdict};

use super::{Draft, NOW};

/// A state that fills every field, with every phase, verdict and reason in it.
#[must_use]
pub fn full_state(app: AppId, mode: Mode, user_id: &str) -> UserState {
    let phases = [Phase::Open, Phase::Completed, Phase::Expired, Phase::Closed, Phase::Voided];
    let mut state = UserState {
        app,
        mode,
        user_id: user_id.to_owned(),
        profile: full_profile(),
        segments: vec![SegmentId(0), SegmentId(7), SegmentId(u32::MAX)],
        blocked: true,
        sessions_since: Some(TIMESTAMP_MAX),
        balance: Points(i64::MAX),
        pending: Points(i64::MIN),
        enrollments: Vec::new(),
    };
    let user = state.key();
    let runs = phases.into_iter().zip(0..);
    state.enrollments = runs.map(|(phase, number)| full_run(&user, phase, number)).collect();
    state
}

/// A state with as many runs as one user may have.
#[must_use]
pub fn largest_state(user_id: &str) -> UserState {
    let mut state = full_state(super::APP, Mode::Live, user_id);
    let user = state.key();
    let small = |number| Enrollment {
        seen: Vec::new(),
        parked: Vec::new(),
        steps: Vec::new(),
        ..full_run(&user, Phase::Closed, number)
    };
    state.enrollments = (0..ENROLLMENTS_MAX as u32).map(small).collect();
    state
}

fn full_profile() -> Profile {
    Profile {
        country: CountryCode::parse("KR"),
        platform: Some(Platform::Ios),
        os_version: Some(OsVersion { major: 18, minor: 0, patch: u16::MAX }),
        age: Some(120),
        gender: Some(Gender::Other),
        language: "ko-kr".to_owned(),
        ifa: Some("00000000-0000-0000-0000-000000000000".to_owned()),
        device_model: Some("갤럭시 \u{202e}S24\0".to_owned()),
        installed_apps: vec![String::new(), "com.example.game".to_owned()],
        custom: Some("🎁".repeat(64)),
        utc_offset: UtcOffset(-720),
    }
}

fn full_run(user: &UserKey, phase: Phase, number: u32) -> Enrollment {
    let mission = MissionId(u32::MAX - number);
    let id = EnrollmentId::derive(user, mission);
    Enrollment {
        id,
        mission,
        version: u32::MAX,
        line_item: LineItemId(u32::MAX),
        ad_group: AdGroupId(2),
        unit: UnitId(3),
        started_at: Timestamp(0),
        deadline: NOW,
        late_until: TIMESTAMP_MAX,
        day: Day(-1),
        currency: CurrencyCode::USD,
        phase,
        held: Micros(i64::MAX),
        steps: vec![full_step(), StepProgress { step: StepId(2), ..empty_step() }],
        seen: full_seen(id),
        parked: vec![Parked {
            step: StepId(2),
            key: EventKey([255; 16]),
            occurred_at: NOW,
            units: u64::MAX,
            reason: Reason::AwaitingBudget,
        }],
        retry_at: Some(NOW),
        forfeited: true,
    }
}

fn full_seen(run: EnrollmentId) -> Vec<Seen> {
    let verdicts = Verdict::ALL.into_iter().cycle();
    let reasons = Reason::ALL.iter().zip(verdicts).enumerate();
    let seen = reasons.map(|(place, (reason, verdict))| Seen {
        key: EventKey::own(run, StepId(1), &place.to_string()),
        content: u64::MAX - place as u64,
        verdict,
        reason: *reason,
        earned: vec![(StepId(1), 0), (StepId(u32::MAX), u32::MAX)],
        counted: vec![Counted { step: StepId(1), day: Day(i32::MIN), units: u64::MAX }],
        reversed: place % 2 == 1,
    });
    seen.collect()
}

fn full_step() -> StepProgress {
    let states = [PaidState::Pending { release_at: NOW }, PaidState::Rewarded, PaidState::Reversed];
    let paid = states.map(|state| Paid { booked_at: NOW, occurred_at: Timestamp(-1), state });
    StepProgress {
        step: StepId(1),
        progress: u64::MAX,
        reached: u64::MAX,
        latest_at: Some(NOW),
        paid: paid.to_vec(),
        visit_at: Some(NOW),
        misses: u8::MAX,
        ..empty_step()
    }
}

fn empty_step() -> StepProgress {
    StepProgress {
        step: StepId(0),
        split: Split {
            payout: Micros(4),
            user: Micros(3),
            publisher: Micros(1),
            margin: Micros(0),
        },
        points: Points(-1),
        progress: 0,
        latest_at: None,
        reached: 0,
        paid: Vec::new(),
        visit_at: None,
        misses: 0,
    }
}

/// Records of every cause, with transactions, moves and messages, and traces of every answer. The
/// first is a change's, the others are traces.
#[must_use]
pub fn full_records(loaded: &Loaded) -> Vec<Record> {
    let user = loaded.state.key();
    let trace = |cause| Record {
        at: TIMESTAMP_MAX,
        user: Some(user),
        app: Some(AppId(u32::MAX)),
        mode: Mode::Test,
        cause,
        transactions: Vec::new(),
        moves: Vec::new(),
        messages: Vec::new(),
    };
    let mut records = vec![full_change(loaded)];
    records.extend(full_causes(&user).into_iter().map(trace));
    records.push(Record { user: None, app: None, ..trace(event(Reason::NoClick, RAW_MAX)) });
    records
}

/// A record of a change with two rewards, one of which is taken back, and moves of every guard.
fn full_change(loaded: &Loaded) -> Record {
    let paced = Some(Micros(i64::MAX));
    let guards = [Guard::Start { paced: None }, Guard::Start { paced }, Guard::Extra, Guard::Free];
    let mut draft = Draft::of(loaded, NOW).grant(1).grant(2).reverse(2);
    for (guard, number) in guards.into_iter().zip(1..) {
        draft = draft.moving(BudgetMove {
            line_item: LineItemId(number),
            day: Day(-1),
            held: Micros(-5),
            booked: Micros(5),
            starts: number,
            guard,
        });
    }
    draft.change().record.unwrap_or_else(|| super::trace(None, ""))
}

fn full_causes(user: &UserKey) -> Vec<Cause> {
    let enrollment = EnrollmentId::derive(user, MissionId(1));
    let refusals = [
        Refusal::NotEligible,
        Refusal::AlreadyDone,
        Refusal::Exhausted,
        Refusal::Closed,
        Refusal::Blocked,
    ];
    let limits = Limits {
        total: Micros(i64::MAX),
        daily: Some(Micros(0)),
        grace: Micros(1),
        starts: Some(u32::MAX),
        daily_starts: None,
    };
    let completion = |verdict| Cause::Completion {
        enrollment,
        step: StepId(1),
        verdict,
        reason: Reason::WrongAnswer,
    };
    let inquiry = |finding: Finding| Cause::Inquiry {
        enrollment,
        step: StepId(u32::MAX),
        finding,
        reason: finding.is_open().then_some(Reason::EventConflict),
        message: finding.is_open().then(|| "level 10 \n 레벨 🎲".to_owned()),
    };
    let mut causes = vec![
        Cause::Sweep,
        Cause::LimitsSet { line_item: LineItemId(1), limits },
        Cause::LimitsSet { line_item: LineItemId(1), limits: Limits::default() },
        Cause::Participation {
            enrollment,
            mission: MissionId(1),
            version: 1,
            line_item: LineItemId(2),
            ad_group: AdGroupId(3),
            unit: UnitId(u32::MAX),
        },
    ];
    causes.extend(refusals.map(|refusal| Cause::Refused { mission: MissionId(1), refusal }));
    causes.extend(Verdict::ALL.map(completion));
    causes.extend(Finding::ALL.map(inquiry));
    causes.extend(Reason::ALL.iter().map(|reason| event(*reason, 8)));
    causes
}

fn event(reason: Reason, raw_bytes: usize) -> Cause {
    Cause::Event(EventTrace {
        partner: PartnerId(u32::MAX),
        enrollment: Some(EnrollmentId([255; 16])),
        event: "level_10 \u{0} 레벨".to_owned(),
        event_id: Some("'; DROP TABLE users; --".to_owned()),
        reversal: true,
        verdict: Verdict::Ignored,
        reason,
        raw: "🎲".repeat(raw_bytes / "🎲".len()),
    })
}
