//! `/v1/admin/catalog`: the whole catalogue as a file, and its history.
//!
//! An export holds secrets as they are stored, sealed or as references, so that applying it again
//! changes nothing; it is for those who may apply it. Everybody else sees `(secret)` in the rows.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::catalog::{Catalog, Difference, Edit, Entity, EntityKind};
use engine::{ApplyError, SavedRevision};
use format::catalog::{
    CatalogDoc, CatalogFile, FieldChange, FileErrors, field_changes, parse, to_json, to_toml,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::CatalogText;
use super::rows::refuse_placeholders;
use crate::auth::{Editor, Reader};
use crate::extract::{Command, Params};
use crate::paging::{self, PageParams};
use crate::problem::{FieldProblem, Problem};
use crate::stamp::rfc3339;
use crate::state::Api;

/// Name of the history in its cursors.
const HISTORY: &str = "history";
/// Most errors that are told at once; more would not be read.
const ERRORS_MAX: usize = 100;

pub(super) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(export_catalog))
        .routes(routes!(apply_catalog))
        .routes(routes!(list_history))
}

/// How a catalogue is applied.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ApplyParams {
    /// Only tell the difference.
    #[serde(default)]
    dry_run: bool,
    /// Delete what the catalogue does not name.
    #[serde(default)]
    prune: bool,
}

/// In which form a catalogue is written.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportParams {
    /// The form; TOML by default.
    #[serde(default)]
    #[param(inline)]
    format: ExportFormat,
}

/// The form of a catalogue file.
#[derive(Clone, Copy, Deserialize, Default, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ExportFormat {
    #[default]
    Toml,
    Json,
}

/// What applying a catalogue changes.
#[derive(Serialize, ToSchema)]
struct DifferenceDoc {
    /// The catalogue's revision now.
    revision: u64,
    /// Whether nothing was saved.
    dry_run: bool,
    /// Rows that are new.
    created: Vec<RowDoc>,
    /// Rows in which something differs.
    changed: Vec<ChangedRowDoc>,
    /// Rows that go.
    deleted: Vec<RowDoc>,
}

/// A row of the catalogue.
#[derive(Serialize, ToSchema)]
struct RowDoc {
    /// Its kind, such as `line_items`.
    kind: &'static str,
    /// Its number.
    id: u32,
}

/// A row in which something differs.
#[derive(Serialize, ToSchema)]
struct ChangedRowDoc {
    /// Its kind, such as `line_items`.
    kind: &'static str,
    /// Its number.
    id: u32,
    /// The fields that differ.
    fields: Vec<FieldChangeDoc>,
}

/// A field that differs.
#[derive(Serialize, ToSchema)]
struct FieldChangeDoc {
    /// The field, such as `steps[1].payout`.
    path: String,
    /// The value before as JSON text; `null` if there was none. Secrets are hidden.
    old: Option<String>,
    /// The value afterwards, likewise.
    new: Option<String>,
}

/// A page of saved edits, newest first.
#[derive(Serialize, ToSchema)]
struct HistoryDoc {
    items: Vec<RevisionDoc>,
    /// Gives the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// A saved edit.
#[derive(Serialize, ToSchema)]
struct RevisionDoc {
    /// The revision that it led to.
    revision: u64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// The admin key, by its name.
    by: String,
    /// What was edited, in one line.
    summary: String,
}

/// Export the catalogue as a file.
#[utoipa::path(
    get, path = "/v1/admin/catalog", tag = "operator", security(("admin_key" = [])),
    params(ExportParams),
    responses((status = 200, content(
        (String = "application/toml"), (CatalogDoc = "application/json"),
    ))),
)]
async fn export_catalog(
    State(api): State<Arc<Api>>,
    _: Editor,
    Params(params): Params<ExportParams>,
) -> Result<Response, Problem> {
    let snapshot = api.engine().snapshot();
    let (media_type, text) = match params.format {
        ExportFormat::Toml => ("application/toml", to_toml(snapshot.catalog())),
        ExportFormat::Json => ("application/json", to_json(snapshot.catalog())),
    };
    let text = text.map_err(|error| Problem::internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, media_type)], text).into_response())
}

/// Make the catalogue hold what a file declares.
///
/// Applying the same file again changes nothing. Rows that it does not name stay, unless `prune`.
#[utoipa::path(
    post, path = "/v1/admin/catalog/apply", tag = "operator", security(("admin_key" = [])),
    params(ApplyParams),
    request_body(content((CatalogDoc = "application/json"), (String = "application/toml"))),
    responses((status = 200, body = DifferenceDoc)),
)]
async fn apply_catalog(
    State(api): State<Arc<Api>>,
    Editor(key): Editor,
    Command(ctx): Command,
    Params(params): Params<ApplyParams>,
    body: CatalogText,
) -> Result<Json<DifferenceDoc>, Problem> {
    let file = read(body).await?;
    let (engine, base) = (api.engine(), api.engine().snapshot());
    let difference = engine.difference(&base, &file.entities, params.prune || file.prune);
    let mut answer = DifferenceDoc::of(base.catalog(), &difference);
    if params.dry_run {
        engine.preview(&base, &difference).map_err(|error| problem(&file, error))?;
        answer.dry_run = true;
        return Ok(Json(answer));
    }
    let applied = engine.apply_difference(&ctx, &base, difference, &key.name).await;
    answer.revision = applied.map_err(|error| problem(&file, error))?.revision;
    Ok(Json(answer))
}

/// List saved edits.
#[utoipa::path(
    get, path = "/v1/admin/catalog/history", tag = "operator", security(("admin_key" = [])),
    params(PageParams),
    responses((status = 200, body = HistoryDoc)),
)]
async fn list_history(
    State(api): State<Arc<Api>>,
    _: Reader,
    Command(ctx): Command,
    Params(page): Params<PageParams>,
) -> Result<Json<HistoryDoc>, Problem> {
    let (before, limit) = (page.after::<u64>(HISTORY)?, page.limit()?);
    let mut saved = api.engine().catalog_history(&ctx, before, limit + 1).await?;
    let has_more = saved.len() > limit;
    saved.truncate(limit);
    let last = saved.last().filter(|_| has_more);
    let next_cursor = last.map(|last| paging::cursor(HISTORY, last.revision));
    Ok(Json(HistoryDoc { items: saved.into_iter().map(RevisionDoc::from).collect(), next_cursor }))
}

/// Reads a file beside the requests, since a large one takes a while.
async fn read(body: CatalogText) -> Result<CatalogFile, Problem> {
    let parsed = tokio::task::spawn_blocking(move || parse(body.syntax, &body.text)).await;
    let parsed = parsed.map_err(|error| Problem::internal(error.to_string()))?;
    let file = parsed.map_err(|errors| unreadable(&errors))?;
    let mut places = std::collections::BTreeMap::new();
    let hidden = file.entities.iter().filter_map(|row| {
        let at = places.entry(row.kind()).or_insert(0_usize);
        let place = format!("{}[{at}]", row.kind().name());
        *at += 1;
        refuse_placeholders(&place, row).err()
    });
    let hidden: Vec<FieldProblem> = hidden.collect();
    if hidden.is_empty() { Ok(file) } else { Err(invalid(hidden)) }
}

fn problem(file: &CatalogFile, error: ApplyError) -> Problem {
    match error {
        ApplyError::Invalid(problems) => located(file, &problems),
        other => other.into(),
    }
}

fn located(file: &CatalogFile, problems: &[domain::catalog::Problem]) -> Problem {
    unreadable(&file.locate(problems))
}

fn unreadable(errors: &FileErrors) -> Problem {
    let errors = errors.0.iter().take(ERRORS_MAX).map(|error| FieldProblem {
        field: error.path.clone(),
        message: error.message.clone(),
        line: error.place.map(|place| place.line),
    });
    invalid(errors.collect())
}

fn invalid(errors: Vec<FieldProblem>) -> Problem {
    let detail = "Nothing was saved: the catalogue cannot be used as it stands.";
    Problem::invalid("invalid_catalog", detail).with_errors(errors)
}

impl DifferenceDoc {
    fn of(before: &Catalog, difference: &Difference) -> Self {
        let puts = difference.edits.iter().filter_map(|edit| match edit {
            Edit::Put(row) => Some(row),
            Edit::Delete(..) => None,
        });
        let changed = puts.filter_map(|row| ChangedRowDoc::of(before, row));
        Self {
            revision: before.revision,
            dry_run: false,
            created: difference.created.iter().map(RowDoc::of).collect(),
            changed: changed.collect(),
            deleted: difference.deleted.iter().map(RowDoc::of).collect(),
        }
    }
}

impl RowDoc {
    fn of(&(kind, id): &(EntityKind, u32)) -> Self {
        Self { kind: kind.name(), id }
    }
}

impl ChangedRowDoc {
    /// `None` for a row that is new.
    fn of(before: &Catalog, new: &Entity) -> Option<Self> {
        let old = before.get(new.kind(), new.id())?;
        let fields = field_changes(Some(&old), new).into_iter().map(FieldChangeDoc::from);
        Some(Self { kind: new.kind().name(), id: new.id(), fields: fields.collect() })
    }
}

impl From<FieldChange> for FieldChangeDoc {
    fn from(change: FieldChange) -> Self {
        Self { path: change.path, old: change.old, new: change.new }
    }
}

impl From<SavedRevision> for RevisionDoc {
    fn from(saved: SavedRevision) -> Self {
        let SavedRevision { revision, at, by, summary } = saved;
        Self { revision, at: rfc3339(at), by, summary }
    }
}
