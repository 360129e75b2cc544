//! Rows with plain defaults, for every test to change what it is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::budget::{Level, Limits, Used};
use domain::catalog::{
    AdGroup, AdGroupStatus, App, Caps, Catalog, Currency, Edit, Entity, Flight, HoldPolicy,
    Landing, LineItem, LineItemStatus, Mission, MissionKind, MissionStatus, Pacing, Repeat, Role,
    Rule, Sequence, Step, Theme, Unit,
};
use domain::ids::{
    AdGroupId, AdvertiserId, AppId, EnrollmentId, LineItemId, MissionId, PublisherId, StepId,
    UnitId, UserKey,
};
use domain::money::{CurrencyCode, Micros, Points, Ppm, Rate, Rounding, Split};
use domain::time::{DAY_MS, Day, HOUR_MS, Timestamp, UtcOffset};
use domain::user::{Enrollment, Paid, PaidState, Phase, StepProgress, UserState};

/// Noon of some day.
pub(crate) const NOON: Timestamp = Timestamp(20_000 * DAY_MS + 12 * HOUR_MS);

/// One unit of a currency.
pub(crate) const UNIT: i64 = 1_000_000;

pub(crate) fn app(id: u32, currencies: &[CurrencyCode]) -> App {
    let rates: BTreeMap<_, _> = currencies.iter().map(|&one| (one, Rate(1_000 * UNIT))).collect();
    App {
        id: AppId(id),
        publisher_id: PublisherId(1),
        name: format!("app {id}"),
        currency: Currency { name: "P".into(), minor_units: 0, rates, rounding: Rounding::Down },
        user_share: Ppm(500_000),
        publisher_share: Ppm(300_000),
        keys: Vec::new(),
        postback: None,
        test_postback: None,
        theme: Theme::default(),
    }
}

pub(crate) fn unit(id: u32, app: u32) -> Unit {
    Unit { id: UnitId(id), app_id: AppId(app), name: format!("unit {id}") }
}

pub(crate) fn line_item(id: u32) -> LineItem {
    LineItem {
        id: LineItemId(id),
        advertiser_id: AdvertiserId(1),
        order_id: None,
        name: format!("line item {id}"),
        status: LineItemStatus::Running,
        flight: Flight::default(),
        utc_offset: UtcOffset(0),
        currency: CurrencyCode::USD,
        budget: Micros(1_000 * UNIT),
        daily_budget: None,
        hold: HoldPolicy::Full,
        pacing: Pacing::Asap,
        priority: 50,
        caps: Caps::default(),
        grace_seconds: 0,
        advertised_app: None,
    }
}

pub(crate) fn ad_group(id: u32, line_item: u32) -> AdGroup {
    AdGroup {
        id: AdGroupId(id),
        line_item_id: LineItemId(line_item),
        name: format!("ad group {id}"),
        status: AdGroupStatus::Active,
        targeting: Arc::default(),
        bid: None,
    }
}

/// A mission of one required step that pays 1 and one bonus step that pays 2.
pub(crate) fn mission(id: u32, line_item: u32) -> Mission {
    Mission {
        id: MissionId(id),
        version: 1,
        line_item_id: LineItemId(line_item),
        kind: MissionKind::Game,
        status: MissionStatus::Active,
        creatives: Vec::new(),
        steps: vec![step(1, Role::Required, UNIT), step(2, Role::Bonus, 2 * UNIT)],
        sequence: Sequence::Ordered,
        window_seconds: 86_400,
        typical_minutes: None,
        requirements: Vec::new(),
        prerequisites: Vec::new(),
        landing_url: Box::default(),
        landing: Landing::ExternalBrowser,
    }
}

pub(crate) fn step(id: u32, role: Role, payout: i64) -> Step {
    Step {
        id: StepId(id),
        texts: Arc::default(),
        role,
        repeat: Repeat::default(),
        after: Vec::new(),
        window: None,
        payout: Micros(payout),
        reward: None,
        hold_hours: 0,
        rule: Rule::CheckIn,
    }
}

/// The catalogue of these rows.
pub(crate) fn catalog(rows: Vec<Entity>) -> Catalog {
    let edits: Vec<Edit> = rows.into_iter().map(Edit::Put).collect();
    Catalog::default().edited(&edits)
}

pub(crate) fn mission_row(mission: Mission) -> Entity {
    Entity::Mission(Arc::new(mission))
}

/// The level of an untouched line item, as its limits are set from its row.
pub(crate) fn level(row: &LineItem) -> Level {
    let limits = Limits {
        total: row.budget,
        daily: row.daily_budget,
        grace: Micros(0),
        starts: row.caps.total,
        daily_starts: row.caps.daily,
    };
    let (total, today) = (Used::default(), Used::default());
    Level { line_item: row.id, limits, total, day: Day::of(NOON, row.utc_offset), today }
}

/// A run that began an hour before noon. `paid` says for each step whether it was paid, and `None`
/// whether it was taken back.
pub(crate) fn run(
    user: &UserState,
    mission: &Mission,
    phase: Phase,
    paid: &[Option<bool>],
) -> Enrollment {
    let occurrence = |state| Paid { booked_at: NOON, occurred_at: NOON, state };
    let steps = mission.steps.iter().enumerate().map(|(place, step)| StepProgress {
        step: step.id,
        split: Split::default(),
        points: Points(0),
        progress: 0,
        reached: paid.get(place).is_some_and(|paid| *paid != Some(false)).into(),
        latest_at: None,
        paid: match paid.get(place).copied() {
            Some(Some(true)) => vec![occurrence(PaidState::Rewarded)],
            Some(None) => vec![occurrence(PaidState::Reversed)],
            Some(Some(false)) | None => Vec::new(),
        },
        visit_at: None,
        misses: 0,
    });
    let key: UserKey = user.key();
    Enrollment {
        id: EnrollmentId::derive(&key, mission.id),
        mission: mission.id,
        version: mission.version,
        line_item: mission.line_item_id,
        ad_group: AdGroupId(0),
        unit: UnitId(1),
        started_at: Timestamp(NOON.0 - HOUR_MS),
        deadline: Timestamp(NOON.0 + DAY_MS),
        late_until: Timestamp(NOON.0 + DAY_MS),
        day: Day::of(NOON, UtcOffset(0)),
        currency: CurrencyCode::USD,
        phase,
        held: Micros(0),
        steps: steps.collect(),
        seen: Vec::new(),
        parked: Vec::new(),
        retry_at: None,
        forfeited: false,
    }
}
