//! `/v1/admin/apps/{id}/deliveries`: a publisher's deliveries as support sees them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::ids::{AppId, Mode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::explain::ModeParam;
use crate::auth::{Reader, Supporter};
use crate::deliveries::{
    DeliveriesDoc, DeliveryParams, DeliveryStateDoc, ReplayDoc, ReplayedDoc, page, replay_one,
    replay_range,
};
use crate::extract::{Body, Command, Params, Path};
use crate::problem::Problem;
use crate::state::Api;

pub(super) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_app_deliveries))
        .routes(routes!(replay_app_delivery))
        .routes(routes!(replay_app_deliveries))
}

/// Which deliveries of an app are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AppDeliveryParams {
    /// Whose users; `live` by default.
    #[serde(default)]
    #[param(inline)]
    mode: ModeParam,
    /// Only in this state.
    #[param(inline)]
    state: Option<DeliveryStateDoc>,
    /// Most rows, 1 to 200; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Of which mode an app's deliveries are meant.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ModeParams {
    /// Whose users; `live` by default.
    #[serde(default)]
    #[param(inline)]
    mode: ModeParam,
}

/// List deliveries of an app.
#[utoipa::path(
    get, path = "/v1/admin/apps/{id}/deliveries", tag = "operator", security(("admin_key" = [])),
    params(("id" = u32, Path, description = "The app.", minimum = 1), AppDeliveryParams),
    responses((status = 200, body = DeliveriesDoc)),
)]
async fn list_app_deliveries(
    State(api): State<Arc<Api>>,
    _: Reader,
    Command(ctx): Command,
    Path(id): Path<u32>,
    Params(params): Params<AppDeliveryParams>,
) -> Result<Json<DeliveriesDoc>, Problem> {
    let AppDeliveryParams { mode, state, limit, cursor } = params;
    let endpoint = endpoint(&api, id, mode)?;
    page(&api, &ctx, endpoint, DeliveryParams { state, limit, cursor }).await.map(Json)
}

/// Send one delivery of an app again.
#[utoipa::path(
    post, path = "/v1/admin/apps/{id}/deliveries/{delivery_id}/replay", tag = "operator",
    security(("admin_key" = [])),
    params(
        ("id" = u32, Path, description = "The app.", minimum = 1),
        ("delivery_id" = String, Path, description = "The delivery.", max_length = 32),
        ModeParams,
    ),
    responses((status = 200, body = ReplayedDoc)),
)]
async fn replay_app_delivery(
    State(api): State<Arc<Api>>,
    _: Supporter,
    Command(ctx): Command,
    Path((id, delivery)): Path<(u32, String)>,
    Params(params): Params<ModeParams>,
) -> Result<Json<ReplayedDoc>, Problem> {
    let endpoint = endpoint(&api, id, params.mode)?;
    replay_one(&api, &ctx, endpoint, &delivery).await.map(Json)
}

/// Send deliveries of an app and a span of time again.
#[utoipa::path(
    post, path = "/v1/admin/apps/{id}/deliveries/replay", tag = "operator",
    security(("admin_key" = [])),
    params(("id" = u32, Path, description = "The app.", minimum = 1), ModeParams),
    request_body = ReplayDoc,
    responses((status = 200, body = ReplayedDoc)),
)]
async fn replay_app_deliveries(
    State(api): State<Arc<Api>>,
    _: Supporter,
    Command(ctx): Command,
    whose: (Path<u32>, Params<ModeParams>),
    Body(wish): Body<ReplayDoc>,
) -> Result<Json<ReplayedDoc>, Problem> {
    let (Path(id), Params(params)) = whose;
    let endpoint = endpoint(&api, id, params.mode)?;
    replay_range(&api, &ctx, endpoint, &wish).await.map(Json)
}

/// The app and mode, if there is such an app.
fn endpoint(api: &Api, id: u32, mode: ModeParam) -> Result<(AppId, Mode), Problem> {
    let app = AppId(id);
    let is_known = api.engine().snapshot().catalog().apps.contains_key(&app);
    if is_known { Ok((app, mode.into())) } else { Err(Problem::not_found("app")) }
}
