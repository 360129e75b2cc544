//! `POST /v1/admin/segments/{id}/members`: users into an audience, and out of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::ids::{AppId, SegmentId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::LargeBody;
use crate::auth::Supporter;
use crate::extract::{Command, Path};
use crate::problem::Problem;
use crate::state::Api;

pub(super) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(set_members))
}

/// Users of an app, and whether they are in the audience from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MembersDoc {
    /// Whose users.
    app_id: u32,
    /// The publisher's own ids of them, each of at most 255 bytes.
    #[schema(max_items = 1000)]
    user_ids: Vec<String>,
    /// Whether they are put in or taken out.
    member: bool,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
struct MembersChangedDoc {
    /// For how many users that changed anything.
    changed: usize,
}

/// Put users into an audience or take them out.
///
/// Doing it again changes nothing. Users who were never seen are remembered for it.
#[utoipa::path(
    post, path = "/v1/admin/segments/{id}/members", tag = "operator",
    security(("admin_key" = [])),
    params(("id" = u32, Path, description = "The audience.", minimum = 1)),
    request_body = MembersDoc,
    responses((status = 200, body = MembersChangedDoc)),
)]
async fn set_members(
    State(api): State<Arc<Api>>,
    _: Supporter,
    Command(ctx): Command,
    Path(id): Path<u32>,
    LargeBody(wish): LargeBody<MembersDoc>,
) -> Result<Json<MembersChangedDoc>, Problem> {
    let MembersDoc { app_id, user_ids, member } = wish;
    let (segment, users) = (SegmentId(id), (AppId(app_id), user_ids.as_slice()));
    let changed = api.engine().set_segment(&ctx, segment, users, member).await?;
    Ok(Json(MembersChangedDoc { changed }))
}
