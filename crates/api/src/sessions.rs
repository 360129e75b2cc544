//! `POST /v1/sessions`: a publisher's server says who its user is and gets the address of his page.
//! `DELETE /v1/users/{user_id}/sessions`: it ends all that he has opened.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::UnitId;
use domain::targeting::{AGE_MAX, CountryCode, Gender, OsVersion, Platform, Profile};
use domain::time::{UTC_OFFSET_MAX, UtcOffset};
use engine::SessionRequest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::AppCaller;
use crate::extract::{Body, Command, Params, Path};
use crate::problem::{FieldProblem, Problem};
use crate::stamp::rfc3339;
use crate::state::Api;

/// Longest short text of a profile, in bytes.
const TEXT_MAX: usize = 255;
/// Longest text of the publisher's own, in bytes.
const CUSTOM_MAX: usize = 1_024;
/// Most installed apps of a profile.
const INSTALLED_MAX: usize = 500;

pub(crate) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(open_session)).routes(routes!(revoke_sessions))
}

/// Who comes, and where.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionDoc {
    /// The placement; it must belong to the key's app.
    unit_id: u32,
    /// The publisher's own id of the user.
    #[schema(min_length = 1, max_length = 255)]
    user_id: String,
    /// What the publisher knows of him. What is left out is not known, and he is then not among
    /// those whom a mission targets by it.
    #[serde(default)]
    profile: ProfileDoc,
}

/// What a publisher knows of a user.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ProfileDoc {
    /// ISO 3166-1 alpha-2, such as `KR`.
    #[schema(pattern = "^[A-Za-z]{2}$")]
    country: Option<String>,
    /// What his page runs on.
    platform: Option<PlatformDoc>,
    /// In years.
    #[schema(maximum = 120)]
    age: Option<u8>,
    /// As the publisher states it.
    gender: Option<GenderDoc>,
    /// Version of the operating system, such as `14.4`.
    #[schema(pattern = "^[0-9]{1,4}(\\.[0-9]{1,4}){0,2}$")]
    os_version: Option<String>,
    /// BCP 47, such as `ko` or `pt-BR`.
    #[schema(pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$")]
    language: Option<String>,
    /// Advertising id.
    #[schema(max_length = 255)]
    ifa: Option<String>,
    /// Model of the device.
    #[schema(max_length = 255)]
    device_model: Option<String>,
    /// Package or bundle names.
    #[schema(max_items = 500)]
    installed_apps: Option<Vec<String>>,
    /// The publisher's own text, given back with each reward.
    #[schema(max_length = 1024)]
    custom: Option<String>,
    /// Minutes east of UTC, for the times on his page; Seoul is 540.
    #[schema(minimum = -840, maximum = 840)]
    utc_offset_minutes: Option<i16>,
}

#[derive(Serialize, Deserialize, Clone, Copy, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PlatformDoc {
    Android,
    Ios,
    Web,
}

#[derive(Serialize, Deserialize, Clone, Copy, ToSchema)]
#[serde(rename_all = "snake_case")]
enum GenderDoc {
    Female,
    Male,
    Other,
}

/// An open session.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpenedDoc {
    /// The session token, for the page or the end user's API.
    token: String,
    /// When it ends.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Opens the mission page for this user.
    page_url: String,
}

/// Open a session for a user.
#[utoipa::path(
    post, path = "/v1/sessions", tag = "publisher", security(("app_key" = [])),
    request_body = SessionDoc,
    responses((status = 201, body = OpenedDoc)),
)]
async fn open_session(
    State(api): State<Arc<Api>>,
    Command(ctx): Command,
    caller: AppCaller,
    Body(wish): Body<SessionDoc>,
) -> Result<(StatusCode, Json<OpenedDoc>), Problem> {
    let request = SessionRequest {
        unit: UnitId(wish.unit_id),
        user_id: wish.user_id,
        profile: wish.profile.read()?,
    };
    let opened = api.engine().open_session(&ctx, (caller.app, caller.mode), request).await?;
    let document = OpenedDoc {
        page_url: (api.given.page_url)(&opened.token),
        expires_at: rfc3339(opened.expires_at),
        token: opened.token,
    };
    Ok((StatusCode::CREATED, Json(document)))
}

/// End all sessions of a user.
///
/// Tokens that he was given so far are refused from now on, on every node, with status 401. Sessions
/// that are opened afterwards count at once. Doing it again is harmless.
#[utoipa::path(
    delete, path = "/v1/users/{user_id}/sessions", tag = "publisher", security(("app_key" = [])),
    params((
        "user_id" = String, Path, description = "The publisher's own id of the user.",
        min_length = 1, max_length = 255,
    )),
    responses((status = 204, description = "They have ended.")),
)]
async fn revoke_sessions(
    State(api): State<Arc<Api>>,
    Command(ctx): Command,
    caller: AppCaller,
    Path(user_id): Path<String>,
    Params(()): Params<()>,
) -> Result<StatusCode, Problem> {
    api.engine().revoke_sessions(&ctx, (caller.app, caller.mode), &user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl ProfileDoc {
    fn read(self) -> Result<Profile, Problem> {
        let mut wrong = Wrong::default();
        let profile = Profile {
            country: wrong.read("country", self.country, CountryCode::parse, "two letters"),
            platform: self.platform.map(Platform::from),
            os_version: wrong.read("os_version", self.os_version, OsVersion::parse, "like 14.4"),
            age: wrong.read(
                "age",
                self.age,
                |age| (*age <= AGE_MAX).then_some(*age),
                "at most 120",
            ),
            gender: self.gender.map(Gender::from),
            language: wrong
                .read("language", self.language, language, "a BCP 47 tag such as ko or pt-BR")
                .unwrap_or_default(),
            ifa: wrong.read("ifa", self.ifa, text::<TEXT_MAX>, SHORT),
            device_model: wrong.read("device_model", self.device_model, text::<TEXT_MAX>, SHORT),
            installed_apps: wrong
                .read("installed_apps", self.installed_apps, installed, "at most 500 short names")
                .unwrap_or_default(),
            custom: wrong.read("custom", self.custom, text::<CUSTOM_MAX>, "at most 1024 bytes"),
            utc_offset: wrong
                .read("utc_offset_minutes", self.utc_offset_minutes, offset, "from -840 to 840")
                .unwrap_or_default(),
        };
        wrong.end()?;
        Ok(profile)
    }
}

const SHORT: &str = "at most 255 bytes without control characters";

/// Everything that is wrong with a profile, so that it is mended in one go.
#[derive(Default)]
struct Wrong(Vec<FieldProblem>);

impl Wrong {
    fn read<T: std::borrow::Borrow<B>, B: ?Sized, U>(
        &mut self,
        field: &str,
        value: Option<T>,
        of: impl Fn(&B) -> Option<U>,
        expected: &str,
    ) -> Option<U> {
        let value = value?;
        let read = of(value.borrow());
        if read.is_none() {
            self.0
                .push(FieldProblem::new(format!("profile.{field}"), format!("must be {expected}")));
        }
        read
    }

    fn end(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let detail = "The profile cannot be read.";
        Err(Problem::invalid("invalid_field", detail).with_errors(self.0))
    }
}

fn text<const MAX: usize>(text: &str) -> Option<String> {
    let is_fit = text.len() <= MAX && !text.chars().any(char::is_control);
    is_fit.then(|| text.to_owned())
}

fn language(tag: &str) -> Option<String> {
    let mut parts = tag.split('-');
    let is_primary = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let is_fit = parts.next().is_some_and(is_primary) && parts.all(is_part) && tag.len() <= 35;
    is_fit.then(|| tag.to_ascii_lowercase())
}

fn installed(names: &[String]) -> Option<Vec<String>> {
    let is_fit =
        names.len() <= INSTALLED_MAX && names.iter().all(|name| text::<TEXT_MAX>(name).is_some());
    is_fit.then(|| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names.dedup();
        names
    })
}

fn offset(minutes: &i16) -> Option<UtcOffset> {
    (-UTC_OFFSET_MAX..=UTC_OFFSET_MAX).contains(minutes).then_some(UtcOffset(*minutes))
}

impl From<PlatformDoc> for Platform {
    fn from(platform: PlatformDoc) -> Self {
        match platform {
            PlatformDoc::Android => Self::Android,
            PlatformDoc::Ios => Self::Ios,
            PlatformDoc::Web => Self::Web,
        }
    }
}

impl From<GenderDoc> for Gender {
    fn from(gender: GenderDoc) -> Self {
        match gender {
            GenderDoc::Female => Self::Female,
            GenderDoc::Male => Self::Male,
            GenderDoc::Other => Self::Other,
        }
    }
}
