//! `GET /v1/rewards`: the rewards of the postbacks by pull, without gap or repeat (D5).
//!
//! Every reward and every reversal has a place that does not change; a later one has a later place.
//! `next` is given on every page, also on an empty one, so a poller keeps the newest and goes on
//! from there.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::{Ctx, Delivery, DeliveryFilter, EngineError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::AppCaller;
use crate::deliveries::{Place, ProgressDoc};
use crate::extract::{Command, Params};
use crate::paging;
use crate::problem::Problem;
use crate::stamp::rfc3339;
use crate::state::Api;

/// Name of the list in its cursors.
const LIST: &str = "rewards";

pub(crate) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_rewards))
}

/// Which rewards are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RewardParams {
    /// Most rewards, 1 to 200; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before; without it, or empty, the list begins with the first reward ever.
    #[param(max_length = 128, pattern = "^[A-Za-z0-9_-]*$")]
    after: Option<String>,
}

/// A page of rewards in the order of their booking.
#[derive(Serialize, ToSchema)]
struct RewardsDoc {
    rewards: Vec<RewardDoc>,
    /// Where to go on, now or later.
    next: String,
    /// Whether there is more by now.
    has_more: bool,
}

/// One reward, or one that was taken back, as the postback tells it.
#[derive(Serialize, ToSchema)]
struct RewardDoc {
    /// `reward.granted` or `reward.reversed`.
    #[serde(rename = "type")]
    kind: &'static str,
    transaction_id: String,
    /// The publisher's own id of the user.
    user_id: String,
    app_id: u32,
    unit_id: u32,
    /// Points in the app's minor unit; positive also for a reversal.
    amount: i64,
    /// Name of the app's points at the time.
    currency: String,
    mission_id: u32,
    /// In the user's language at the time.
    mission_title: String,
    step_id: u32,
    /// In the user's language at the time.
    step_title: String,
    enrollment_id: String,
    /// When the event happened.
    #[schema(format = DateTime)]
    occurred_at: String,
    /// When it was booked.
    #[schema(format = DateTime)]
    booked_at: String,
    /// The publisher's own text from the session.
    custom: Option<String>,
    /// How its postback fares.
    delivery: ProgressDoc,
}

/// List rewards.
#[utoipa::path(
    get, path = "/v1/rewards", tag = "publisher", security(("app_key" = [])),
    params(RewardParams),
    responses((status = 200, body = RewardsDoc)),
)]
async fn list_rewards(
    State(api): State<Arc<Api>>,
    caller: AppCaller,
    Command(ctx): Command,
    Params(params): Params<RewardParams>,
) -> Result<Json<RewardsDoc>, Problem> {
    let limit = paging::limit(params.limit)?;
    let after = params.after.as_deref().filter(|after| !after.is_empty());
    let begin: Option<Place> = paging::after(("after", after), LIST)?;
    let (app, mode, after) = (caller.app, caller.mode, begin.map(|place| (place.seq, place.id)));
    if let Some(place) = begin {
        check_place(&api, &ctx, &caller, place).await?;
    }
    let filter = DeliveryFilter { app, mode, state: None, after, limit: limit + 1 };
    let mut found = api.engine().list_deliveries(&ctx, filter).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let end = found.last().map(Place::of).or(begin).unwrap_or_default();
    let rewards = found.iter().map(RewardDoc::of);
    let next = paging::cursor(LIST, end);
    Ok(Json(RewardsDoc { rewards: rewards.collect(), next, has_more }))
}

/// Whether the place is still where it was. After a backup was restored, what was booked since has
/// gone, and a reader who went on from there would miss what takes those places.
async fn check_place(
    api: &Api,
    ctx: &Ctx,
    caller: &AppCaller,
    place: Place,
) -> Result<(), Problem> {
    if place == Place::default() {
        return Ok(());
    }
    let found = api.engine().read_delivery(ctx, (caller.app, caller.mode), place.id).await;
    match found {
        Ok(delivery) if delivery.seq == place.seq => Ok(()),
        Err(error) if !matches!(error, EngineError::NotFound(_)) => Err(error.into()),
        _ => {
            let detail = "This place is not known any more: the server was restored from a backup. \
                          Go on from a `next` that you kept before, or from the beginning, and pass \
                          over the transactions that you have.";
            Err(Problem::new(StatusCode::CONFLICT, "unknown_place", detail))
        }
    }
}

impl RewardDoc {
    fn of(delivery: &Delivery) -> Self {
        let message = &delivery.message;
        Self {
            kind: message.kind.name(),
            transaction_id: message.transaction.to_string(),
            user_id: message.user_id.clone(),
            app_id: message.app.0,
            unit_id: message.unit.0,
            amount: message.amount.0,
            currency: message.points_name.clone(),
            mission_id: message.mission.0,
            mission_title: message.mission_title.clone(),
            step_id: message.step.0,
            step_title: message.step_title.clone(),
            enrollment_id: message.enrollment.to_string(),
            occurred_at: rfc3339(message.occurred_at),
            booked_at: rfc3339(message.booked_at),
            custom: message.custom.clone(),
            delivery: ProgressDoc::of(delivery),
        }
    }
}
