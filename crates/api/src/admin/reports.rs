//! `GET /v1/admin/reports/{line_items,apps}`: figures by day.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::money::Micros;
use domain::time::Day;
use engine::ReportRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::line_items::MoneyDoc;
use crate::auth::Reader;
use crate::extract::{Command, Params};
use crate::problem::Problem;
use crate::stamp::{date, parse_date};
use crate::state::Api;

/// Most days of one report: a quarter, so that the largest answer stays a few megabytes.
const DAYS_MAX: i64 = 92;

pub(super) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(report_line_items)).routes(routes!(report_apps))
}

/// Which days are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReportParams {
    /// First UTC day.
    #[param(format = Date, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    from: String,
    /// Last UTC day; at most 92 days in all.
    #[param(format = Date, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    to: String,
    /// What one row is for; only by day so far.
    #[serde(default)]
    #[param(inline)]
    #[expect(dead_code, reason = "there is one choice; reading it refuses the others")]
    by: ReportStep,
}

/// What one row is for.
#[derive(Clone, Copy, Deserialize, Default, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReportStep {
    #[default]
    Day,
}

/// Figures of line items.
#[derive(Serialize, ToSchema)]
struct LineItemReportDoc {
    rows: Vec<LineItemFiguresDoc>,
}

/// Figures of apps; one row for each currency that an app was paid in.
#[derive(Serialize, ToSchema)]
struct AppReportDoc {
    rows: Vec<AppFiguresDoc>,
}

/// One day of a line item.
#[derive(Serialize, ToSchema)]
struct LineItemFiguresDoc {
    line_item_id: u32,
    #[serde(flatten)]
    figures: FiguresDoc,
}

/// One day of an app in one currency.
#[derive(Serialize, ToSchema)]
struct AppFiguresDoc {
    app_id: u32,
    #[serde(flatten)]
    figures: FiguresDoc,
}

/// Sums of one day. Test bookings are not in them.
#[derive(Serialize, ToSchema)]
struct FiguresDoc {
    /// The UTC day of the bookings.
    #[schema(format = Date)]
    day: String,
    participations: u64,
    /// Rewards granted.
    rewards: u64,
    /// Rewards taken back.
    reversals: u64,
    /// What the advertiser owes; reversals are taken off.
    payout: MoneyDoc,
    /// The worth of the users' points.
    reward_value: MoneyDoc,
    /// The publisher's share.
    publisher_share: MoneyDoc,
    /// The platform's margin.
    margin: MoneyDoc,
    /// Points.
    points: i64,
}

/// Report line items by day.
#[utoipa::path(
    get, path = "/v1/admin/reports/line_items", tag = "operator", security(("admin_key" = [])),
    params(ReportParams),
    responses((status = 200, body = LineItemReportDoc)),
)]
async fn report_line_items(
    State(api): State<Arc<Api>>,
    _: Reader,
    Command(ctx): Command,
    Params(params): Params<ReportParams>,
) -> Result<Json<LineItemReportDoc>, Problem> {
    let (from, to) = params.days()?;
    let rows = api.engine().report_line_items(&ctx, from, to).await?;
    let rows = rows
        .iter()
        .map(|row| LineItemFiguresDoc { line_item_id: row.id.0, figures: FiguresDoc::of(row) });
    Ok(Json(LineItemReportDoc { rows: rows.collect() }))
}

/// Report apps by day.
#[utoipa::path(
    get, path = "/v1/admin/reports/apps", tag = "operator", security(("admin_key" = [])),
    params(ReportParams),
    responses((status = 200, body = AppReportDoc)),
)]
async fn report_apps(
    State(api): State<Arc<Api>>,
    _: Reader,
    Command(ctx): Command,
    Params(params): Params<ReportParams>,
) -> Result<Json<AppReportDoc>, Problem> {
    let (from, to) = params.days()?;
    let rows = api.engine().report_apps(&ctx, from, to).await?;
    let rows =
        rows.iter().map(|row| AppFiguresDoc { app_id: row.id.0, figures: FiguresDoc::of(row) });
    Ok(Json(AppReportDoc { rows: rows.collect() }))
}

impl ReportParams {
    fn days(&self) -> Result<(Day, Day), Problem> {
        let day = |name, text: &str| {
            parse_date(text)
                .ok_or_else(|| Params::<()>::bad(name, "must be a day such as 2026-01-31"))
        };
        let (from, to) = (day("from", &self.from)?, day("to", &self.to)?);
        let days = i64::from(to.0) - i64::from(from.0) + 1;
        if !(1..=DAYS_MAX).contains(&days) {
            let message = format!("must be `from` or later, and {DAYS_MAX} days in all at most");
            return Err(Params::<()>::bad("to", message));
        }
        Ok((from, to))
    }
}

impl FiguresDoc {
    fn of<Id>(row: &ReportRow<Id>) -> Self {
        let figures = &row.figures;
        let money = |amount| MoneyDoc::of(Micros(amount), row.currency);
        Self {
            day: date(row.day),
            participations: figures.participations,
            rewards: figures.rewards,
            reversals: figures.reversals,
            payout: money(figures.payout),
            reward_value: money(figures.reward_value),
            publisher_share: money(figures.publisher_share),
            margin: money(figures.margin),
            points: figures.points,
        }
    }
}
