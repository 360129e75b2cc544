//! `/v1/admin/{publishers, apps, …}` and `/v1/admin/{…}/{id}`: the catalogue row by row.
//!
//! All kinds have the same five handlers, which are told the kind by an extension of the route; each
//! kind has its own description ([`describe`]). A row is checked together with the whole catalogue,
//! so an edit that would leave a reference without its target is refused.

mod describe;
mod secrets;

use std::slice;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::routing::get;
use axum::{Extension, Json};
use domain::catalog::{Difference, Edit, Entity, EntityKind};
use engine::ApplyError;
use format::catalog::{
    AdGroupDoc, AdvertiserDoc, AppDoc, LineItemDoc, MissionDoc, OrderDoc, PartnerDoc, PublisherDoc,
    SegmentDoc, UnitDoc, entity_from_json, entity_to_json, patch_json, redacted,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::body::LargeBody;
use crate::auth::{Editor, Reader};
use crate::extract::{Command, Params, Path, field_of};
use crate::paging::{self, PageParams};
use crate::problem::{FieldProblem, Problem};
use crate::state::Api;
use crate::strict_json::Strict;

pub(super) use secrets::refuse_placeholders;

pub(super) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .merge(routes::<PublisherDoc>(EntityKind::Publisher))
        .merge(routes::<AppDoc>(EntityKind::App))
        .merge(routes::<UnitDoc>(EntityKind::Unit))
        .merge(routes::<AdvertiserDoc>(EntityKind::Advertiser))
        .merge(routes::<OrderDoc>(EntityKind::Order))
        .merge(routes::<SegmentDoc>(EntityKind::Segment))
        .merge(routes::<LineItemDoc>(EntityKind::LineItem))
        .merge(routes::<AdGroupDoc>(EntityKind::AdGroup))
        .merge(routes::<MissionDoc>(EntityKind::Mission))
        .merge(routes::<PartnerDoc>(EntityKind::Partner))
}

/// The routes of one kind, whose rows are written as `Doc`.
fn routes<Doc: ToSchema>(kind: EntityKind) -> OpenApiRouter<Arc<Api>> {
    let described = describe::Described::of::<Doc>(kind);
    let all = get(list_rows).post(create_row).layer(Extension(kind));
    let one = get(show_row).patch(patch_row).delete(delete_row).layer(Extension(kind));
    OpenApiRouter::new().routes((described.schemas, described.all, all)).routes((
        Vec::new(),
        described.one,
        one,
    ))
}

/// What people call one row of a kind.
fn singular(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Publisher => "publisher",
        EntityKind::App => "app",
        EntityKind::Unit => "unit",
        EntityKind::Advertiser => "advertiser",
        EntityKind::Order => "order",
        EntityKind::Segment => "segment",
        EntityKind::LineItem => "line item",
        EntityKind::AdGroup => "ad group",
        EntityKind::Mission => "mission",
        EntityKind::Partner => "partner",
    }
}

/// A page of rows by number.
#[derive(Serialize)]
struct RowsPage {
    catalog_revision: u64,
    items: Vec<Value>,
    next_cursor: Option<String>,
}

async fn list_rows(
    State(api): State<Arc<Api>>,
    Extension(kind): Extension<EntityKind>,
    _: Reader,
    Params(page): Params<PageParams>,
) -> Result<Json<RowsPage>, Problem> {
    let (after, limit) = (page.after::<u32>(kind.name())?, page.limit()?);
    let snapshot = api.engine().snapshot();
    let catalog = snapshot.catalog();
    let mut ids = catalog.ids(kind);
    ids.retain(|id| after.is_none_or(|after| *id > after));
    let rest = ids.split_off(limit.min(ids.len()));
    let last = ids.last().filter(|_| !rest.is_empty());
    let rows = ids.iter().filter_map(|id| catalog.get(kind, *id));
    Ok(Json(RowsPage {
        catalog_revision: catalog.revision,
        items: rows.map(|row| redacted(entity_to_json(&row))).collect(),
        next_cursor: last.map(|id| paging::cursor(kind.name(), id)),
    }))
}

async fn create_row(
    State(api): State<Arc<Api>>,
    Extension(kind): Extension<EntityKind>,
    Editor(key): Editor,
    Command(ctx): Command,
    LargeBody(Strict(mut row)): LargeBody<Strict>,
) -> Result<(StatusCode, [(header::HeaderName, String); 1], Json<Value>), Problem> {
    let snapshot = api.engine().snapshot();
    if let Some(fields) = row.as_object_mut() {
        fields.entry("id").or_insert_with(|| snapshot.catalog().next_id(kind).into());
    }
    let row = read(kind, row)?;
    if snapshot.catalog().get(kind, row.id()).is_some() {
        let detail = format!("There is a {} {} already.", singular(kind), row.id());
        return Err(Problem::new(StatusCode::CONFLICT, "already_exists", detail));
    }
    let difference = api.engine().difference(&snapshot, slice::from_ref(&row), false);
    let applied = api.engine().apply_difference(&ctx, &snapshot, difference, &key.name).await;
    applied.map_err(|error| problem(kind, row.id(), error))?;
    let place = format!("/v1/admin/{}/{}", kind.name(), row.id());
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(shown(&api, kind, row.id())?)))
}

async fn show_row(
    State(api): State<Arc<Api>>,
    Extension(kind): Extension<EntityKind>,
    _: Reader,
    Path(id): Path<u32>,
    Params(()): Params<()>,
) -> Result<Json<Value>, Problem> {
    shown(&api, kind, id).map(Json)
}

async fn patch_row(
    State(api): State<Arc<Api>>,
    Editor(key): Editor,
    Command(ctx): Command,
    (Extension(kind), Path(id)): (Extension<EntityKind>, Path<u32>),
    LargeBody(Strict(mut patch)): LargeBody<Strict>,
) -> Result<Json<Value>, Problem> {
    let snapshot = api.engine().snapshot();
    let old = snapshot.catalog().get(kind, id).ok_or_else(|| Problem::not_found(singular(kind)))?;
    let old = entity_to_json(&old);
    secrets::keep_unchanged(&redacted(old.clone()), &mut patch);
    let row = read(kind, patch_json(old, patch))?;
    if row.id() != id {
        return Err(invalid(FieldProblem::new("id", "cannot be changed; make a new row")));
    }
    let difference = api.engine().difference(&snapshot, &[row], false);
    let applied = api.engine().apply_difference(&ctx, &snapshot, difference, &key.name).await;
    applied.map_err(|error| problem(kind, id, error))?;
    shown(&api, kind, id).map(Json)
}

async fn delete_row(
    State(api): State<Arc<Api>>,
    Editor(key): Editor,
    Command(ctx): Command,
    (Extension(kind), Path(id)): (Extension<EntityKind>, Path<u32>),
    Params(()): Params<()>,
) -> Result<StatusCode, Problem> {
    let snapshot = api.engine().snapshot();
    snapshot.catalog().get(kind, id).ok_or_else(|| Problem::not_found(singular(kind)))?;
    let edits = vec![Edit::Delete(kind, id)];
    let difference = Difference { deleted: vec![(kind, id)], edits, ..Difference::default() };
    let applied = api.engine().apply_difference(&ctx, &snapshot, difference, &key.name).await;
    applied.map_err(|error| problem(kind, id, error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The row as people may see it.
fn shown(api: &Api, kind: EntityKind, id: u32) -> Result<Value, Problem> {
    let row = api.engine().snapshot().catalog().get(kind, id);
    let row = row.ok_or_else(|| Problem::not_found(singular(kind)))?;
    Ok(redacted(entity_to_json(&row)))
}

fn read(kind: EntityKind, row: Value) -> Result<Entity, Problem> {
    let row = entity_from_json(kind, row).map_err(|error| {
        invalid(FieldProblem::new(field_of(&error.field, &error.message), error.message))
    })?;
    refuse_placeholders("", &row).map_err(invalid)?;
    Ok(row)
}

fn invalid(field: FieldProblem) -> Problem {
    Problem::invalid("invalid_field", "A field of the body is not as it has to be.")
        .with_errors(vec![field])
}

/// Why a row was not saved; its own fields are named as they stand in the body.
fn problem(kind: EntityKind, id: u32, error: ApplyError) -> Problem {
    let ApplyError::Invalid(problems) = &error else { return error.into() };
    let errors = problems.iter().map(|one| match (one.kind, one.id) == (kind, id) {
        true => FieldProblem::new(one.field.clone(), one.message.clone()),
        false => FieldProblem::of_catalog(one),
    });
    let detail = "Nothing was saved: the catalogue would not hold together.";
    Problem::invalid("invalid_catalog", detail).with_errors(errors.collect())
}
