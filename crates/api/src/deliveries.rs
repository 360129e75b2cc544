//! `/v1/deliveries`: how reward postbacks fare, and sending them again.
//!
//! A publisher's server sees those of its own app and of its key's mode; operators see the same under
//! `/v1/admin/apps/{id}/deliveries`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::ids::{AppId, DeliveryId, Mode};
use engine::{AttemptNote, Ctx, Delivery, DeliveryFilter, DeliveryState, Replay, Seq};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::AppCaller;
use crate::extract::{Body, Command, Params, Path};
use crate::paging;
use crate::problem::{FieldProblem, Problem};
use crate::stamp::{parse, rfc3339};
use crate::state::Api;

/// Name of the list in its cursors.
const LIST: &str = "deliveries";

pub(crate) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_deliveries))
        .routes(routes!(show_delivery))
        .routes(routes!(replay_delivery))
        .routes(routes!(replay_deliveries))
}

/// Which deliveries are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveryParams {
    /// Only in this state.
    #[param(inline)]
    pub(crate) state: Option<DeliveryStateDoc>,
    /// Most rows, 1 to 200; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-]+$")]
    pub(crate) cursor: Option<String>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryStateDoc {
    /// Never tried.
    Queued,
    /// Tried in vain; will be tried again.
    Retrying,
    /// The publisher acknowledged it.
    Delivered,
    /// The publisher told us to stop.
    Stopped,
    /// Every attempt of the plan failed.
    Parked,
}

/// A page of deliveries in the order of their booking.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveriesDoc {
    deliveries: Vec<DeliveryDoc>,
    /// Gives the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// One message to the publisher, and how far it has come.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryDoc {
    #[serde(flatten)]
    progress: ProgressDoc,
    /// `reward.granted` or `reward.reversed`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The transaction that it tells of.
    transaction_id: String,
    /// The publisher's own id of the user.
    user_id: String,
    /// When the reward was booked.
    #[schema(format = DateTime)]
    booked_at: String,
}

/// How far a delivery has come.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProgressDoc {
    /// The same over all attempts; the `webhook-id` of Standard Webhooks.
    id: String,
    /// `queued`, `retrying`, `delivered`, `stopped` or `parked`.
    state: &'static str,
    /// Attempts so far.
    attempts: u32,
    /// When it is tried next; `null` if it is not.
    #[schema(format = DateTime)]
    next_attempt_at: Option<String>,
    /// The HTTP status of the latest attempt; `null` if there was no answer.
    last_status: Option<u16>,
    /// The latest attempt.
    last_attempt: Option<AttemptDoc>,
}

/// One attempt.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttemptDoc {
    /// When it was made.
    #[schema(format = DateTime)]
    at: String,
    /// What went wrong, or the head of the answer.
    note: String,
    /// How long it took, in milliseconds.
    duration_ms: u32,
}

/// Which deliveries to send again: those of a state that were booked in a span of time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayDoc {
    /// First moment of booking, RFC 3339.
    #[schema(format = DateTime)]
    from: String,
    /// First moment that is too late, RFC 3339.
    #[schema(format = DateTime)]
    to: String,
    /// In which state; `parked` is what a publisher wants after an outage.
    state: DeliveryStateDoc,
}

/// How many deliveries are on their way again.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReplayedDoc {
    replayed: u64,
}

/// List deliveries.
#[utoipa::path(
    get, path = "/v1/deliveries", tag = "publisher", security(("app_key" = [])),
    params(DeliveryParams),
    responses((status = 200, body = DeliveriesDoc)),
)]
async fn list_deliveries(
    State(api): State<Arc<Api>>,
    caller: AppCaller,
    Command(ctx): Command,
    Params(params): Params<DeliveryParams>,
) -> Result<Json<DeliveriesDoc>, Problem> {
    page(&api, &ctx, (caller.app, caller.mode), params).await.map(Json)
}

/// Show one delivery.
#[utoipa::path(
    get, path = "/v1/deliveries/{id}", tag = "publisher", security(("app_key" = [])),
    params(("id" = String, Path, description = "The delivery.", max_length = 32)),
    responses((status = 200, body = DeliveryDoc)),
)]
async fn show_delivery(
    State(api): State<Arc<Api>>,
    caller: AppCaller,
    Command(ctx): Command,
    Path(id): Path<String>,
    Params(()): Params<()>,
) -> Result<Json<DeliveryDoc>, Problem> {
    let endpoint = (caller.app, caller.mode);
    let delivery = api.engine().read_delivery(&ctx, endpoint, parse_id(&id)?).await?;
    Ok(Json(DeliveryDoc::of(&delivery)))
}

/// Send one delivery again, with a fresh plan of attempts.
#[utoipa::path(
    post, path = "/v1/deliveries/{id}/replay", tag = "publisher", security(("app_key" = [])),
    params(("id" = String, Path, description = "The delivery.", max_length = 32)),
    responses((status = 200, body = ReplayedDoc)),
)]
async fn replay_delivery(
    State(api): State<Arc<Api>>,
    caller: AppCaller,
    Command(ctx): Command,
    Path(id): Path<String>,
    Params(()): Params<()>,
) -> Result<Json<ReplayedDoc>, Problem> {
    replay_one(&api, &ctx, (caller.app, caller.mode), &id).await.map(Json)
}

/// Send deliveries of a span of time again.
#[utoipa::path(
    post, path = "/v1/deliveries/replay", tag = "publisher", security(("app_key" = [])),
    request_body = ReplayDoc,
    responses((status = 200, body = ReplayedDoc)),
)]
async fn replay_deliveries(
    State(api): State<Arc<Api>>,
    caller: AppCaller,
    Command(ctx): Command,
    Body(wish): Body<ReplayDoc>,
) -> Result<Json<ReplayedDoc>, Problem> {
    replay_range(&api, &ctx, (caller.app, caller.mode), &wish).await.map(Json)
}

/// A page of an app's deliveries.
pub(crate) async fn page(
    api: &Api,
    ctx: &Ctx,
    (app, mode): (AppId, Mode),
    params: DeliveryParams,
) -> Result<DeliveriesDoc, Problem> {
    let limit = paging::limit(params.limit)?;
    let after: Option<Place> = paging::after((paging::CURSOR, params.cursor.as_deref()), LIST)?;
    let state = params.state.map(DeliveryState::from);
    let after = after.map(|place| (place.seq, place.id));
    // One more than asked for tells whether there is a next page.
    let filter = DeliveryFilter { app, mode, state, after, limit: limit + 1 };
    let mut found = api.engine().list_deliveries(ctx, filter).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| has_more);
    Ok(DeliveriesDoc {
        next_cursor: last.map(|one| paging::cursor(LIST, Place::of(one))),
        deliveries: found.iter().map(DeliveryDoc::of).collect(),
    })
}

/// Makes one delivery of an app due now.
pub(crate) async fn replay_one(
    api: &Api,
    ctx: &Ctx,
    endpoint: (AppId, Mode),
    id: &str,
) -> Result<ReplayedDoc, Problem> {
    let which = Replay::One(parse_id(id)?);
    let replayed = api.engine().replay_deliveries(ctx, endpoint, which).await?;
    Ok(ReplayedDoc { replayed })
}

/// Makes an app's deliveries of a span of time due now.
pub(crate) async fn replay_range(
    api: &Api,
    ctx: &Ctx,
    (app, mode): (AppId, Mode),
    wish: &ReplayDoc,
) -> Result<ReplayedDoc, Problem> {
    let moment = |field: &str, text: &str| {
        let message = "must be a moment such as 2026-01-31T00:00:00Z";
        parse(text).ok_or_else(|| invalid(field, message))
    };
    let (from, to) = (moment("from", &wish.from)?, moment("to", &wish.to)?);
    if from >= to {
        return Err(invalid("to", "must be later than from"));
    }
    let which = Replay::Range { app, mode, state: wish.state.into(), from, to };
    let replayed = api.engine().replay_deliveries(ctx, (app, mode), which).await?;
    Ok(ReplayedDoc { replayed })
}

fn parse_id(id: &str) -> Result<DeliveryId, Problem> {
    DeliveryId::parse(id).ok_or_else(|| Problem::not_found("delivery"))
}

fn invalid(field: &str, message: &str) -> Problem {
    Problem::invalid("invalid_field", "A field of the body is not as it has to be.")
        .with_errors(vec![FieldProblem::new(field, message)])
}

/// A delivery's place among those of its app.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Place {
    pub(crate) seq: Seq,
    pub(crate) id: DeliveryId,
}

impl Place {
    pub(crate) fn of(delivery: &Delivery) -> Self {
        Self { seq: delivery.seq, id: delivery.message.id }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.seq, self.id)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (seq, id) = text.split_once('.').ok_or(())?;
        let seq = seq.parse().map_err(|_| ())?;
        Ok(Self { seq, id: DeliveryId::parse(id).ok_or(())? })
    }
}

impl DeliveryDoc {
    fn of(delivery: &Delivery) -> Self {
        let message = &delivery.message;
        Self {
            progress: ProgressDoc::of(delivery),
            kind: message.kind.name(),
            transaction_id: message.transaction.to_string(),
            user_id: message.user_id.clone(),
            booked_at: rfc3339(message.booked_at),
        }
    }
}

impl ProgressDoc {
    pub(crate) fn of(delivery: &Delivery) -> Self {
        Self {
            id: delivery.message.id.to_string(),
            state: delivery.state.name(),
            attempts: delivery.attempts,
            next_attempt_at: delivery.due_at.map(rfc3339),
            last_status: delivery.last.as_ref().and_then(|note| note.status),
            last_attempt: delivery.last.as_ref().map(AttemptDoc::of),
        }
    }
}

impl AttemptDoc {
    fn of(note: &AttemptNote) -> Self {
        Self { at: rfc3339(note.at), note: note.note.clone(), duration_ms: note.duration_ms }
    }
}

impl From<DeliveryStateDoc> for DeliveryState {
    fn from(state: DeliveryStateDoc) -> Self {
        match state {
            DeliveryStateDoc::Queued => Self::Queued,
            DeliveryStateDoc::Retrying => Self::Retrying,
            DeliveryStateDoc::Delivered => Self::Delivered,
            DeliveryStateDoc::Stopped => Self::Stopped,
            DeliveryStateDoc::Parked => Self::Parked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_survive_their_text_form() {
        let place = Place { seq: 42, id: DeliveryId([7; 16]) };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in
            ["", "42", "42.", "x.00000000000000000000000000", "-1.00000000000000000000000000"]
        {
            assert_eq!(text.parse::<Place>(), Err(()), "{text}");
        }
    }
}
