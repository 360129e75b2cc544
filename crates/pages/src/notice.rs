//! Bad news, told well: what happened, why, what to do, and what can be done instead.

use askama::Template;

use crate::frame::Frame;
use crate::page::{CachePolicy, Page, Sample};
use crate::paths;
use crate::plain::Plain;
use crate::samples;
use crate::text::{Advice, Texts};
use crate::view::{OfferCard, Refusal};

/// Most similar missions that are offered instead.
pub const SIMILAR_MAX: usize = 2;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// No session, or one that is over.
    SessionExpired,
    /// No such page or mission.
    NotFound,
    /// A form whose token is not the session's.
    FormExpired,
    /// Too many requests.
    TooFast,
    /// The missions are switched off for a while.
    Maintenance,
    /// Our fault.
    ServerError,
    /// The mission could not be started.
    Refused(Refusal),
}

/// A page that tells one thing.
#[derive(Clone, Debug, Template)]
#[template(path = "notice.html")]
pub struct Notice {
    /// Frame.
    pub frame: Frame,
    /// What happened.
    pub kind: NoticeKind,
    /// The mission that it is about.
    pub mission_id: Option<u64>,
    /// At most [`SIMILAR_MAX`] missions that can be done instead; the rest is not shown.
    pub similar: Vec<OfferCard>,
    /// Where "try again" leads: the address of the request if it was a `GET`, else the list.
    pub retry_href: Option<String>,
    /// The request's id, to quote when asking.
    pub request_id: Option<Plain>,
}

/// A button of a notice.
struct Button {
    href: String,
    text: &'static str,
}

impl Notice {
    fn texts(&self) -> &'static Texts {
        self.frame.texts()
    }

    fn advice(&self) -> Advice {
        let notice = &self.texts().notice;
        let app = self.frame.app_in_a_sentence();
        match self.kind {
            NoticeKind::SessionExpired => (notice.session_expired)(app),
            NoticeKind::NotFound => (notice.not_found)(),
            NoticeKind::FormExpired => (notice.form_expired)(),
            NoticeKind::TooFast => (notice.too_fast)(),
            NoticeKind::Maintenance => (notice.maintenance)(app),
            NoticeKind::ServerError => (notice.server_error)(),
            NoticeKind::Refused(refusal) => {
                let date = match refusal {
                    Refusal::Exhausted(Some(at)) => self.frame.date(at),
                    _ => String::new(),
                };
                (notice.refused)(refusal, &date, app)
            }
        }
    }

    /// Nothing on this server opens without a session, so then there is nowhere to lead to.
    fn has_session(&self) -> bool {
        self.kind != NoticeKind::SessionExpired
    }

    fn button(&self) -> Option<Button> {
        let notice = &self.texts().notice;
        let links = &self.frame.links;
        let to_missions = (links.list(), notice.to_missions);
        let (href, text) = match (self.kind, self.mission_id) {
            (NoticeKind::SessionExpired, _) => return None,
            (NoticeKind::FormExpired, Some(id)) => (links.mission(&id), notice.to_mission),
            (NoticeKind::TooFast | NoticeKind::Maintenance | NoticeKind::ServerError, _) => {
                let own = self.retry_href.clone().filter(|h| h.starts_with(paths::ROOT));
                (own.unwrap_or_else(|| links.list()), notice.retry)
            }
            (NoticeKind::Refused(Refusal::AlreadyDone), _) => {
                (links.wallet(), self.texts().list.see_rewards)
            }
            _ => to_missions,
        };
        Some(Button { href, text })
    }

    fn shown_similar(&self) -> &[OfferCard] {
        let end = self.similar.len().min(SIMILAR_MAX);
        self.similar.get(..end).unwrap_or_default()
    }

    fn icon(&self) -> &'static str {
        match self.kind {
            NoticeKind::SessionExpired | NoticeKind::FormExpired => "s-locked",
            NoticeKind::NotFound => "quiz",
            NoticeKind::TooFast | NoticeKind::Maintenance => "s-pending",
            NoticeKind::ServerError => "s-reversed",
            NoticeKind::Refused(Refusal::AlreadyDone) => "s-rewarded",
            NoticeKind::Refused(Refusal::Blocked) => "s-locked",
            NoticeKind::Refused(_) => "s-expired",
        }
    }
}

impl Page for Notice {
    const NAME: &'static str = "notice";

    fn status(&self) -> u16 {
        match self.kind {
            NoticeKind::SessionExpired => 401,
            NoticeKind::NotFound => 404,
            NoticeKind::FormExpired => 403,
            NoticeKind::TooFast => 429,
            NoticeKind::Maintenance => 503,
            NoticeKind::ServerError => 500,
            NoticeKind::Refused(Refusal::NotEligible(_) | Refusal::Blocked) => 422,
            NoticeKind::Refused(_) => 409,
        }
    }

    fn cache(&self) -> CachePolicy {
        CachePolicy::NoStore
    }

    fn samples() -> Vec<Sample<Self>> {
        samples::notice::all()
    }
}
