//! What cannot be answered as asked, as a notice.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use domain::ids::MissionId;
use domain::targeting::Profile;
use engine::{EngineError, StoreError};

use super::asked::Asked;
use super::reply;
use super::session::Visitor;
use super::shared::Shared;
use crate::frame::Frame;
use crate::notice::{Notice, NoticeKind};
use crate::plain::Plain;
use crate::present;
use crate::text::Lang;

/// When to come back after a failure that passes by itself, in seconds.
const RETRY_AFTER_SECONDS: &str = "5";

/// A notice in place of a page.
pub(crate) struct Fault(Box<Notice>);

impl Fault {
    /// No session, one that is over, or none of ours. Which of them is nobody's business.
    pub(crate) fn no_session(asked: &Asked) -> Self {
        let frame = Frame::anonymous(Lang::choose("", &asked.accept), asked.ctx.now.0);
        Self::new(frame, NoticeKind::SessionExpired)
    }

    /// Nothing is there, or nothing of his.
    pub(crate) async fn not_found(shared: &Shared, visitor: &Visitor) -> Self {
        Self::framed(shared, visitor, NoticeKind::NotFound).await
    }

    /// A form that our page has not made for this session.
    pub(crate) async fn foreign_form(
        shared: &Shared,
        visitor: &Visitor,
        mission: MissionId,
    ) -> Self {
        let Self(notice) = Self::framed(shared, visitor, NoticeKind::FormExpired).await;
        Self(Box::new(Notice { mission_id: Some(mission.0.into()), ..*notice }))
    }

    /// The engine has no answer.
    pub(crate) async fn of(shared: &Shared, visitor: &Visitor, error: &EngineError) -> Self {
        let kind = match error {
            EngineError::SessionEnded => return Self::no_session(&visitor.asked),
            EngineError::NotFound(_) | EngineError::Invalid { .. } => NoticeKind::NotFound,
            EngineError::Store(StoreError::Corrupt(_)) => NoticeKind::ServerError,
            EngineError::Store(_) | EngineError::Contended => NoticeKind::Maintenance,
        };
        if kind == NoticeKind::NotFound {
            return Self::not_found(shared, visitor).await;
        }
        let frame = unknown_frame(shared, visitor);
        let Self(notice) = Self::new(frame, kind);
        let id = &visitor.asked.id;
        match error {
            // An operator has brought that about.
            EngineError::Store(StoreError::Moving(_)) => {
                tracing::info!(request.id = id, %error, "a page was put off");
            }
            _ => tracing::error!(request.id = id, %error, "a page could not be answered"),
        }
        Self(Box::new(Notice {
            retry_href: visitor.asked.again.clone(),
            request_id: Some(Plain::new(&visitor.asked.id)),
            ..*notice
        }))
    }

    /// The notice in the user's own frame, in his language and by his clock. Where his profile cannot be
    /// read, the browser's language is the best guess; and if his session was ended, that is said.
    async fn framed(shared: &Shared, visitor: &Visitor, kind: NoticeKind) -> Self {
        let Visitor { viewer, asked, .. } = visitor;
        let own = shared.engine.list_missions(&asked.ctx, viewer, |view| {
            present::frame(visitor, view.snapshot, &view.loaded.state.profile)
        });
        match own.await {
            Ok(frame) => Self::new(frame, kind),
            Err(EngineError::SessionEnded) => Self::no_session(asked),
            Err(_) => Self::new(unknown_frame(shared, visitor), kind),
        }
    }

    fn new(frame: Frame, kind: NoticeKind) -> Self {
        let notice = Notice {
            frame,
            kind,
            mission_id: None,
            similar: Vec::new(),
            retry_href: None,
            request_id: None,
        };
        Self(Box::new(notice))
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = reply::written(&*self.0);
        if self.0.kind == NoticeKind::Maintenance {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        response
    }
}

/// Everything below the root that no route names.
pub(crate) async fn no_such_page(State(shared): State<Arc<Shared>>, visitor: Visitor) -> Fault {
    Fault::not_found(&shared, &visitor).await
}

/// The frame of somebody whose profile is not known.
fn unknown_frame(shared: &Shared, visitor: &Visitor) -> Frame {
    present::frame(visitor, &shared.engine.snapshot(), &Profile::default())
}
