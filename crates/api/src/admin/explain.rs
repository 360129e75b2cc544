//! `GET /v1/missions/{id}/explain`: why a user does or does not see a mission.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::decide::RuleVerdict;
use domain::ids::{AdGroupId, AppId, MissionId, Mode, UnitId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Reader;
use crate::extract::{Command, Params, Path};
use crate::problem::Problem;
use crate::state::Api;

pub(super) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(explain_mission))
}

/// Whether money is real.
#[derive(Clone, Copy, Deserialize, Default, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ModeParam {
    /// Real users and real money.
    #[default]
    Live,
    /// A developer trying things out.
    Test,
}

/// For whom a mission is explained.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExplainParams {
    /// The user's app.
    #[param(minimum = 1)]
    app_id: u32,
    /// The placement.
    #[param(minimum = 1)]
    unit_id: u32,
    /// The publisher's own id of the user.
    #[param(min_length = 1, max_length = 255)]
    user_id: String,
    /// Whether he is a real user; `live` by default.
    #[serde(default)]
    #[param(inline)]
    mode: ModeParam,
}

/// Every rule with its verdict.
#[derive(Serialize, ToSchema)]
struct ExplanationDoc {
    mission_id: u32,
    /// Whether the user may start the mission: every rule of the mission says yes, and so do all
    /// rules of at least one ad group.
    eligible: bool,
    rules: Vec<RuleDoc>,
}

/// The verdict of one rule.
#[derive(Serialize, ToSchema)]
#[schema(as = RuleVerdict)]
struct RuleDoc {
    /// Stable code.
    code: &'static str,
    /// The ad group that it was asked of; `null` for a rule of the mission.
    ad_group_id: Option<u32>,
    /// Whether it said yes.
    passed: bool,
    /// What was compared with what.
    detail: String,
}

/// Explain a mission for one user.
#[utoipa::path(
    get, path = "/v1/missions/{id}/explain", tag = "operator", security(("admin_key" = [])),
    params(("id" = u32, Path, description = "The mission.", minimum = 1), ExplainParams),
    responses((status = 200, body = ExplanationDoc)),
)]
async fn explain_mission(
    State(api): State<Arc<Api>>,
    _: Reader,
    Command(ctx): Command,
    Path(id): Path<u32>,
    Params(whom): Params<ExplainParams>,
) -> Result<Json<ExplanationDoc>, Problem> {
    let (app, unit) = (AppId(whom.app_id), UnitId(whom.unit_id));
    let viewer = api.engine().viewer(app, whom.mode.into(), unit, &whom.user_id)?;
    let verdicts = api.engine().explain_mission(&ctx, &viewer, MissionId(id)).await?;
    let eligible = is_eligible(&verdicts);
    let rules = verdicts.into_iter().map(RuleDoc::from).collect();
    Ok(Json(ExplanationDoc { mission_id: id, eligible, rules }))
}

fn is_eligible(verdicts: &[RuleVerdict]) -> bool {
    let all = |of: Option<AdGroupId>| {
        let mut asked = verdicts.iter().filter(|one| one.ad_group == of);
        asked.all(|one| one.passed)
    };
    all(None) && verdicts.iter().any(|one| one.ad_group.is_some() && all(one.ad_group))
}

impl From<ModeParam> for Mode {
    fn from(mode: ModeParam) -> Self {
        match mode {
            ModeParam::Live => Self::Live,
            ModeParam::Test => Self::Test,
        }
    }
}

impl From<RuleVerdict> for RuleDoc {
    fn from(verdict: RuleVerdict) -> Self {
        let RuleVerdict { rule, ad_group, passed, detail } = verdict;
        Self { code: rule.code(), ad_group_id: ad_group.map(|id| id.0), passed, detail }
    }
}
