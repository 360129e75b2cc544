//! The description of one kind's routes.
//!
//! The schema of a row is its written form in the catalogue; a new row may leave out its number, and
//! a patch may leave out everything.

use domain::catalog::EntityKind;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, Paths,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{
    Content, Header, Ref, RefOr, Required, Response, ResponseBuilder, SecurityRequirement,
};
use utoipa::{IntoParams, ToSchema};

use super::singular;
use crate::paging::PageParams;

const JSON: &str = "application/json";

type Named = (String, RefOr<Schema>);

/// What describes the routes of one kind.
pub(super) struct Described {
    /// The schemas of its rows and of everything in them.
    pub(super) schemas: Vec<Named>,
    /// `/v1/admin/{kind}`.
    pub(super) all: Paths,
    /// `/v1/admin/{kind}/{id}`.
    pub(super) one: Paths,
}

impl Described {
    /// The description of a kind whose rows are written as `Doc`.
    pub(super) fn of<Doc: ToSchema>(kind: EntityKind) -> Self {
        let row = Doc::name().into_owned();
        let (new, patch) = (format!("{row}.New"), format!("{row}.Patch"));
        let mut schemas = vec![
            (new.clone(), of_new(Doc::schema())),
            (patch.clone(), of_patch(Doc::schema())),
            (row.clone(), Doc::schema()),
        ];
        Doc::schemas(&mut schemas);
        Self { schemas, all: all(kind, &row, &new), one: one(kind, &row, &patch) }
    }
}

fn all(kind: EntityKind, row: &str, new: &str) -> Paths {
    let (one, many) = (singular(kind), kind.name());
    let path = format!("/v1/admin/{many}");
    let rows = many.replace('_', " ");
    let list = operation(format!("admin_list_{many}"), format!("List {rows} by number."))
        .parameters(Some(PageParams::into_params(|| Some(ParameterIn::Query))))
        .response("200", answer("A page of rows.", page(row)));
    let place = Header::builder().schema(Some(text())).description(Some("Where the row is."));
    let created = response("The row as it was saved.", Ref::from_schema_name(row));
    let create = operation(format!("admin_create_{many}"), format!("Create one {one}."))
        .description(Some("Without an `id` the row gets the next free number."))
        .request_body(Some(body(JSON, new)))
        .response("201", created.header("Location", place.build()).build());
    let mut paths = Paths::new();
    paths.add_path_operation(&path, vec![HttpMethod::Get], list);
    paths.add_path_operation(&path, vec![HttpMethod::Post], create);
    paths
}

fn one(kind: EntityKind, row: &str, patch: &str) -> Paths {
    let (one, many) = (singular(kind), kind.name());
    let path = format!("/v1/admin/{many}/{{id}}");
    let shown = || answer("The row.", Ref::from_schema_name(row));
    let show = operation(format!("admin_show_{many}"), format!("Show one {one}."))
        .parameter(id(one))
        .response("200", shown());
    let change = operation(format!("admin_patch_{many}"), format!("Change one {one}."))
        .description(Some(
            "A merge patch (RFC 7396): `null` gives a field its default, lists are replaced whole. \
             A list of secrets that is sent as it was shown stays as it is.",
        ))
        .parameter(id(one))
        .request_body(Some(patch_body(patch)))
        .response("200", shown());
    let delete = operation(format!("admin_delete_{many}"), format!("Delete one {one}."))
        .description(Some("Refused while other rows refer to it."))
        .parameter(id(one))
        .response("204", Response::new("It is gone."));
    let mut paths = Paths::new();
    paths.add_path_operation(&path, vec![HttpMethod::Get], show);
    paths.add_path_operation(&path, vec![HttpMethod::Patch], change);
    paths.add_path_operation(&path, vec![HttpMethod::Delete], delete);
    paths
}

fn operation(id: String, summary: String) -> OperationBuilder {
    let none: [String; 0] = [];
    OperationBuilder::new()
        .operation_id(Some(id))
        .summary(Some(summary))
        .tag("operator")
        .security(SecurityRequirement::new("admin_key", none))
}

fn id(one: &str) -> Parameter {
    let number = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1))
        .maximum(Some(u32::MAX));
    ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(format!("Number of the {one}.")))
        .schema(Some(number))
        .build()
}

fn page(row: &str) -> Schema {
    let integer = ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer));
    let cursor = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some("Gives the next page; `null` at the end."));
    ObjectBuilder::new()
        .property("catalog_revision", integer)
        .required("catalog_revision")
        .property("items", ArrayBuilder::new().items(Ref::from_schema_name(row)))
        .required("items")
        .property("next_cursor", cursor)
        .required("next_cursor")
        .into()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String))
}

fn body(media_type: &str, schema: &str) -> RequestBody {
    let content = Content::new(Some(Ref::from_schema_name(schema)));
    RequestBodyBuilder::new().content(media_type, content).required(Some(Required::True)).build()
}

fn patch_body(schema: &str) -> RequestBody {
    let mut both = body(JSON, schema);
    let content = body("application/merge-patch+json", schema).content;
    both.content.extend(content);
    both
}

fn response(description: &str, schema: impl Into<RefOr<Schema>>) -> ResponseBuilder {
    let content = Content::new(Some(schema));
    ResponseBuilder::new().description(description).content(JSON, content)
}

fn answer(description: &str, schema: impl Into<RefOr<Schema>>) -> Response {
    response(description, schema).build()
}

/// A row whose number may be left out.
fn of_new(schema: RefOr<Schema>) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut row)) = schema else { return schema };
    row.required.retain(|name| name != "id");
    RefOr::T(Schema::Object(row))
}

/// A row of which everything may be left out or `null`.
fn of_patch(schema: RefOr<Schema>) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut row)) = schema else { return schema };
    row.required.clear();
    for field in row.properties.values_mut() {
        let null = ObjectBuilder::new().schema_type(SchemaType::new(Type::Null));
        let either = AnyOfBuilder::new().item(field.clone()).item(null).build();
        *field = RefOr::T(Schema::AnyOf(either));
    }
    RefOr::T(Schema::Object(row))
}
