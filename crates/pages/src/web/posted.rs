//! A form of ours: posted in a session that it was made for.

use std::sync::Arc;

use axum::extract::{Form, FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use domain::ids::{MissionId, StepId};

use super::Params;
use super::fault::Fault;
use super::session::Visitor;
use super::shared::Shared;

/// Longest idempotency key; ours are a random number, a purpose and a step's number.
const KEY_BYTES_MAX: usize = 128;

/// What a page or form is about; a step only where the address names one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) mission: MissionId,
    pub(crate) step: StepId,
}

impl Target {
    async fn read(parts: &mut Parts, shared: &Arc<Shared>) -> Option<Self> {
        let params = RawPathParams::from_request_parts(parts, shared).await.ok()?;
        let number = |wanted: &str| {
            let text = params.iter().find(|(name, _)| *name == wanted).map(|(_, text)| text);
            text.map(|text| text.parse::<u32>().ok())
        };
        let step = number("step_id").unwrap_or(Some(0))?;
        Some(Self { mission: MissionId(number("id")??), step: StepId(step) })
    }
}

/// Somebody who looks at a mission.
pub(crate) struct Looking {
    pub(crate) visitor: Visitor,
    pub(crate) target: Target,
    pub(crate) params: Params,
}

impl FromRequestParts<Arc<Shared>> for Looking {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Fault> {
        let visitor = Visitor::from_request_parts(parts, shared).await?;
        let Some(target) = Target::read(parts, shared).await else {
            return Err(Fault::not_found(shared, &visitor).await);
        };
        let params = match Params::from_request_parts(parts, shared).await {
            Ok(params) => params,
            Err(never) => match never {},
        };
        Ok(Self { visitor, target, params })
    }
}

/// Somebody who has sent a form of ours.
pub(crate) struct Posted {
    pub(crate) visitor: Visitor,
    pub(crate) target: Target,
    /// The form's idempotency key.
    pub(crate) key: String,
    /// All of its fields.
    pub(crate) fields: Params,
}

impl FromRequest<Arc<Shared>> for Posted {
    type Rejection = Fault;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Fault> {
        let (mut parts, body) = request.into_parts();
        let Looking { visitor, target, .. } =
            Looking::from_request_parts(&mut parts, shared).await?;
        let form = Form::from_request(Request::from_parts(parts, body), shared).await;
        // What is not even a form was not made by our page either.
        let fields = form.map(|Form(fields)| Params(fields)).unwrap_or_default();
        let csrf = fields.get("csrf").unwrap_or_default();
        let key = fields.get("idempotency_key").unwrap_or_default().to_owned();
        let is_ours =
            shared.is_ours(&visitor.token, csrf) && (1..=KEY_BYTES_MAX).contains(&key.len());
        if is_ours {
            Ok(Self { visitor, target, key, fields })
        } else {
            Err(Fault::foreign_form(shared, &visitor, target.mission).await)
        }
    }
}
