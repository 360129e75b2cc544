//! `/v1/admin/line_items/{id}/budget` and `/serving`: how a line item stands, and why it is shown to
//! nobody.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::budget::{Level, Used};
use domain::catalog::LineItem;
use domain::ids::LineItemId;
use domain::money::{CurrencyCode, Micros};
use domain::time::{Day, Timestamp};
use engine::ServingCheck;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Reader;
use crate::extract::{Command, Params, Path};
use crate::problem::Problem;
use crate::stamp::{date, rfc3339};
use crate::state::Api;

pub(super) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(read_budget)).routes(routes!(why_not_serving))
}

/// An amount of money.
#[derive(Serialize, ToSchema)]
pub(super) struct MoneyDoc {
    /// In micro-units: 1500000 is 1.50.
    amount: i64,
    /// ISO 4217.
    currency: String,
}

/// What a line item may spend, has spent and holds.
#[derive(Serialize, ToSchema)]
struct BudgetDoc {
    line_item_id: u32,
    /// Moment of the figures.
    #[schema(format = DateTime)]
    as_of: String,
    /// All that may ever be booked or held.
    budget: MoneyDoc,
    /// Paid or pending.
    booked: MoneyDoc,
    /// Promised to users who have started.
    held: MoneyDoc,
    /// What is left for new participations.
    left: MoneyDoc,
    /// What bookings beyond their hold may add to the budget.
    grace: MoneyDoc,
    /// Participations.
    starts: u32,
    /// Most participations; `null` is unlimited.
    starts_limit: Option<u32>,
    /// The figures of the current day.
    today: DailyBudgetDoc,
}

/// What a line item may spend on one day. What follows from a participation counts for its day.
#[derive(Serialize, ToSchema)]
struct DailyBudgetDoc {
    /// The day, in the line item's distance from UTC.
    #[schema(format = Date)]
    day: String,
    /// What may be booked or held; `null` is unlimited.
    budget: Option<MoneyDoc>,
    booked: MoneyDoc,
    held: MoneyDoc,
    /// What is left of the daily budget; `null` is unlimited.
    left: Option<MoneyDoc>,
    starts: u32,
    /// Most participations of the day; `null` is unlimited.
    starts_limit: Option<u32>,
}

/// Whether a line item can be shown to anybody, condition by condition.
#[derive(Serialize, ToSchema)]
struct ServingDoc {
    line_item_id: u32,
    /// Whether every condition is met.
    serving: bool,
    checks: Vec<CheckDoc>,
}

/// One condition.
#[derive(Serialize, ToSchema)]
struct CheckDoc {
    /// Stable code.
    code: &'static str,
    /// Whether it is met.
    passed: bool,
    /// What was found, and what to do about it.
    detail: String,
}

/// Show the budget of a line item.
#[utoipa::path(
    get, path = "/v1/admin/line_items/{id}/budget", tag = "operator",
    security(("admin_key" = [])),
    params(("id" = u32, Path, description = "The line item.", minimum = 1)),
    responses((status = 200, body = BudgetDoc)),
)]
async fn read_budget(
    State(api): State<Arc<Api>>,
    _: Reader,
    Command(ctx): Command,
    Path(id): Path<u32>,
    Params(()): Params<()>,
) -> Result<Json<BudgetDoc>, Problem> {
    let snapshot = api.engine().snapshot();
    let line_item = snapshot.catalog().any_line_item(LineItemId(id));
    let line_item = line_item.ok_or_else(|| Problem::not_found("line item"))?;
    let level = api.engine().read_budget(&ctx, line_item.id).await?;
    Ok(Json(BudgetDoc::of(line_item, &level, ctx.now)))
}

/// Say why a line item is or is not shown.
#[utoipa::path(
    get, path = "/v1/admin/line_items/{id}/serving", tag = "operator",
    security(("admin_key" = [])),
    params(("id" = u32, Path, description = "The line item.", minimum = 1)),
    responses((status = 200, body = ServingDoc)),
)]
async fn why_not_serving(
    State(api): State<Arc<Api>>,
    _: Reader,
    Command(ctx): Command,
    Path(id): Path<u32>,
    Params(()): Params<()>,
) -> Result<Json<ServingDoc>, Problem> {
    let checks = api.engine().why_not_serving(&ctx, LineItemId(id)).await?;
    Ok(Json(ServingDoc {
        line_item_id: id,
        serving: checks.iter().all(|check| check.passed),
        checks: checks.into_iter().map(CheckDoc::from).collect(),
    }))
}

impl MoneyDoc {
    pub(super) fn of(amount: Micros, currency: CurrencyCode) -> Self {
        Self { amount: amount.0, currency: currency.to_string() }
    }
}

impl BudgetDoc {
    fn of(line_item: &LineItem, level: &Level, now: Timestamp) -> Self {
        let money = |amount| MoneyDoc::of(amount, line_item.currency);
        let Level { limits, total, .. } = level;
        Self {
            line_item_id: line_item.id.0,
            as_of: rfc3339(now),
            budget: money(limits.total),
            booked: money(total.booked),
            held: money(total.held),
            left: money(level.left()),
            grace: money(limits.grace),
            starts: total.starts,
            starts_limit: limits.starts,
            today: DailyBudgetDoc::of(line_item, level, Day::of(now, line_item.utc_offset)),
        }
    }
}

impl DailyBudgetDoc {
    fn of(line_item: &LineItem, level: &Level, day: Day) -> Self {
        let money = |amount| MoneyDoc::of(amount, line_item.currency);
        let used: Used = level.on(day);
        let left = |daily: Micros| Micros((daily.0 - used.committed().0).max(0));
        Self {
            day: date(day),
            budget: level.limits.daily.map(money),
            booked: money(used.booked),
            held: money(used.held),
            left: level.limits.daily.map(left).map(money),
            starts: used.starts,
            starts_limit: level.limits.daily_starts,
        }
    }
}

impl From<ServingCheck> for CheckDoc {
    fn from(check: ServingCheck) -> Self {
        let ServingCheck { code, passed, detail } = check;
        Self { code, passed, detail }
    }
}
