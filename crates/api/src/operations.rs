//! `/livez`, `/readyz` and `/metrics`: what keeps the server running asks for these.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::Command;
use crate::state::{Api, Dependency};

/// The text format of Prometheus.
const METRICS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub(crate) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(is_alive))
        .routes(routes!(is_ready))
        .routes(routes!(metrics))
}

/// That the process runs.
#[derive(Serialize, ToSchema)]
struct AliveDoc {
    /// Always `alive`.
    status: &'static str,
}

/// Whether requests can be served, and what that depends on.
#[derive(Serialize, ToSchema)]
struct ReadyDoc {
    /// `ready`; `degraded` if something is missing that can be done without; `down` otherwise.
    status: &'static str,
    dependencies: Vec<DependencyDoc>,
}

/// Something that the server depends on.
#[derive(Serialize, ToSchema)]
struct DependencyDoc {
    name: String,
    /// Whether nothing works without it.
    required: bool,
    /// Whether it answers.
    ok: bool,
    /// What is wrong with it.
    problem: Option<String>,
}

/// Say that the process runs; a process that does not answer should be restarted.
#[utoipa::path(
    get, path = "/livez", tag = "operations",
    responses((status = 200, body = AliveDoc)),
)]
async fn is_alive() -> Json<AliveDoc> {
    Json(AliveDoc { status: "alive" })
}

/// Say whether requests can be served; a node that cannot should get none.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, body = ReadyDoc),
        (status = 503, description = "Something is down that is needed.", content(
            (ReadyDoc = "application/json"), (crate::problem::ProblemDoc = "application/problem+json"),
        )),
    ),
)]
async fn is_ready(
    State(api): State<Arc<Api>>,
    Command(ctx): Command,
) -> (StatusCode, Json<ReadyDoc>) {
    let dependencies = (api.given.readiness)(ctx).await;
    let (code, status) = status_of(&dependencies);
    let dependencies = dependencies.into_iter().map(DependencyDoc::from).collect();
    (code, Json(ReadyDoc { status, dependencies }))
}

/// The figures in the text format of Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, body = String, content_type = "text/plain")),
)]
async fn metrics(State(api): State<Arc<Api>>) -> ([(HeaderName, HeaderValue); 1], String) {
    ([(header::CONTENT_TYPE, METRICS)], (api.given.metrics)())
}

fn status_of(dependencies: &[Dependency]) -> (StatusCode, &'static str) {
    let is_failing = |one: &&Dependency| one.problem.is_some();
    let mut failing = dependencies.iter().filter(is_failing).peekable();
    match (failing.peek().is_some(), failing.any(|one| one.is_required)) {
        (_, true) => (StatusCode::SERVICE_UNAVAILABLE, "down"),
        (true, false) => (StatusCode::OK, "degraded"),
        (false, _) => (StatusCode::OK, "ready"),
    }
}

impl From<Dependency> for DependencyDoc {
    fn from(dependency: Dependency) -> Self {
        let Dependency { name, is_required, problem } = dependency;
        Self { name, required: is_required, ok: problem.is_none(), problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degraded_is_not_down() {
        let one = |is_required, problem: Option<&str>| Dependency {
            name: "store".to_owned(),
            is_required,
            problem: problem.map(str::to_owned),
        };
        let well = one(true, None);
        let cases = [
            (vec![], 200, "ready"),
            (vec![well.clone(), one(false, None)], 200, "ready"),
            (vec![well.clone(), one(false, Some("late"))], 200, "degraded"),
            (vec![well, one(false, Some("late")), one(true, Some("gone"))], 503, "down"),
        ];
        for (dependencies, code, status) in cases {
            let found = status_of(&dependencies);
            assert_eq!((found.0.as_u16(), found.1), (code, status));
        }
    }
}
