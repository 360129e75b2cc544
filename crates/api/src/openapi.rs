//! The description of the API as a whole: who may call, and what every route may answer.
//!
//! Routes describe what is their own. What is the same everywhere, the ways in which a request can
//! be refused, is added here to all of them, so that no answer is undescribed.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::routing::get;
use utoipa::openapi::path::{Operation, Parameter, PathItem};
use utoipa::openapi::schema::{Object, Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, Content, Header, InfoBuilder, License, OpenApi, Ref, RefOr, Response,
    ResponseBuilder, Server,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{PROBLEM_JSON, ProblemDoc};
use crate::state::Api;

const ABOUT: &str = "Multi-reward missions. JSON in `snake_case`; times are RFC 3339; money is \
    an integer in micro-units with its currency; points are integers in the app's minor unit. \
    Unknown fields and parameters are refused. A request may carry its own `x-request-id` of at \
    most 64 letters, digits, `-`, `_` and `.`; every answer has one. Errors are RFC 9457 problems \
    with a stable `code`.";

const TAGS: [(&str, &str); 5] = [
    ("end user", "What a user's page calls, or his publisher's server on his behalf."),
    ("publisher", "What a publisher's server calls."),
    ("partner", "What measurement partners and advertisers call."),
    ("operator", "What operators call."),
    ("operations", "What keeps the server running."),
];

const CALLERS: [(&str, &str); 3] = [
    ("admin_key", "A key from the configuration; its role says what it may do."),
    ("app_key", "A key of an app; a test key sees and books nothing live."),
    ("session", "The token of `POST /v1/sessions`."),
];

/// Refusals that are the same everywhere, with the name of their shared description.
const REFUSALS: [(&str, &str, &str); 10] = [
    ("400", "BadRequest", "The request cannot be read."),
    ("401", "Unauthenticated", "Nobody, or nobody known, is calling."),
    ("403", "Forbidden", "The caller may not do this."),
    ("404", "NotFound", "There is no such thing, or it is not the caller's."),
    ("409", "Conflict", "It does not go together with what is already there."),
    ("413", "TooLarge", "The body is too large."),
    ("415", "UnsupportedMediaType", "The body is of another type than it has to be."),
    ("422", "Invalid", "The request was understood, but cannot be carried out as it stands."),
    ("429", "RateLimited", "The caller has asked too often; nothing was recorded."),
    (
        "503",
        "Unavailable",
        "Nothing was recorded; send the same again after `Retry-After` seconds.",
    ),
];

/// Serves the description at `/openapi.json`.
pub(crate) fn router(document: Arc<OpenApi>) -> Router<Arc<Api>> {
    let text = Bytes::from(document.to_json().unwrap_or_default());
    let json = HeaderValue::from_static("application/json");
    let answer = move || async move { ([(header::CONTENT_TYPE, json)], text) };
    Router::new().route("/openapi.json", get(answer))
}

// Only for its description: [`router`] serves the route, since it has to know the whole.
/// Show this description of the API.
#[utoipa::path(
    get, path = "/openapi.json", tag = "operations",
    responses((status = 200, body = Object)),
)]
async fn openapi_json() {}

/// Completes the description that the routes give of themselves.
pub(crate) fn describe(mut document: OpenApi) -> OpenApi {
    document.merge(OpenApiRouter::<()>::new().routes(routes!(openapi_json)).into_openapi());
    document.info = InfoBuilder::new()
        .title("Guerdon")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(License::new("Apache-2.0")))
        .build();
    document.servers = Some(vec![Server::new("/")]);
    let tag = |(name, about)| TagBuilder::new().name(name).description(Some(about)).build();
    document.tags = Some(TAGS.map(tag).into());
    let components = document.components.get_or_insert_default();
    add_shared(components);
    for item in document.paths.paths.values_mut() {
        operations(item).for_each(complete);
    }
    document
}

fn add_shared(components: &mut Components) {
    let mut schemas = vec![(ProblemDoc::name().into_owned(), ProblemDoc::schema())];
    ProblemDoc::schemas(&mut schemas);
    components.schemas.extend(schemas);
    for (name, about) in CALLERS {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about));
        let scheme = SecurityScheme::Http(scheme.build());
        components.security_schemes.insert(name.to_owned(), RefOr::T(scheme));
    }
    for (status, name, about) in REFUSALS {
        components.responses.insert(name.to_owned(), RefOr::T(refusal(status, about)));
    }
    let id =
        Header::builder().schema(Some(text())).description(Some("Names the request in the logs."));
    components.headers.insert("RequestId".to_owned(), RefOr::T(id.build()));
}

fn refusal(status: &str, about: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name(ProblemDoc::name())));
    let response = ResponseBuilder::new().description(about).content(PROBLEM_JSON, content);
    let header =
        |about: &str| Header::builder().schema(Some(text())).description(Some(about)).build();
    let response = match status {
        "401" => response.header("WWW-Authenticate", header("How to say who calls.")),
        "429" | "503" => response.header("Retry-After", header("Seconds to wait.")),
        _ => response,
    };
    response.header_ref("x-request-id", request_id()).build()
}

fn request_id() -> Ref {
    Ref::new("#/components/headers/RequestId")
}

fn text() -> Object {
    Object::with_type(SchemaType::new(Type::String))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

/// Adds to an operation what it has in common with all others.
fn complete(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            response.headers.entry("x-request-id".to_owned()).or_insert(RefOr::Ref(request_id()));
        }
    }
    let is_guarded = operation.security.as_ref().is_some_and(|callers| !callers.is_empty());
    let has_parameters = operation.parameters.as_ref().is_some_and(|list| !list.is_empty());
    let has_body = operation.request_body.is_some();
    for (status, name, _) in REFUSALS {
        let is_possible = match status {
            "401" | "403" | "429" => is_guarded,
            "404" => has_parameters || has_body,
            "413" | "415" => has_body,
            "409" | "422" => has_parameters || has_body,
            _ => true,
        };
        if is_possible {
            let shared = RefOr::Ref(Ref::new(format!("#/components/responses/{name}")));
            responses.entry(status.to_owned()).or_insert(shared);
        }
    }
    operation.parameters.iter_mut().flatten().for_each(never_null);
}

/// A parameter that is left out is not there; it is never sent as `null`.
fn never_null(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(Parameter { schema: Some(RefOr::T(Schema::Object(schema))), .. }) = parameter
    else {
        return;
    };
    if let SchemaType::Array(types) = &mut schema.schema_type {
        types.retain(|one| *one != Type::Null);
        if let [only] = types.as_slice() {
            schema.schema_type = SchemaType::Type(only.clone());
        }
    }
}
