//! Samples of notices: every kind, in turn in every language.

use super::{HOSTILE, HOUR_MS, NOW, frame, hostile_frame, offers};
use crate::frame::Frame;
use crate::notice::{Notice, NoticeKind};
use crate::page::Sample;
use crate::plain::Plain;
use crate::text::Lang;
use crate::view::{Ineligible, Refusal};

pub(crate) fn all() -> Vec<Sample<Notice>> {
    let refused = NoticeKind::Refused;
    let kinds = [
        ("session-expired", NoticeKind::SessionExpired),
        ("not-found", NoticeKind::NotFound),
        ("form-expired", NoticeKind::FormExpired),
        ("too-fast", NoticeKind::TooFast),
        ("maintenance", NoticeKind::Maintenance),
        ("server-error", NoticeKind::ServerError),
        ("exhausted", refused(Refusal::Exhausted(None))),
        ("exhausted-until", refused(Refusal::Exhausted(Some(NOW + 10 * HOUR_MS)))),
        ("not-eligible", refused(Refusal::NotEligible(Ineligible::Device))),
        ("not-eligible-tracking", refused(Refusal::NotEligible(Ineligible::Tracking))),
        ("already-done", refused(Refusal::AlreadyDone)),
        ("closed", refused(Refusal::Closed)),
        ("blocked", refused(Refusal::Blocked)),
    ];
    let languages = [Lang::Ko, Lang::En, Lang::Ja].into_iter().cycle();
    let mut samples: Vec<Sample<Notice>> = kinds
        .into_iter()
        .zip(languages)
        .map(|((name, kind), lang)| Sample { name, page: notice(frame(lang), kind) })
        .collect();
    samples.push(Sample {
        name: "no-session-at-all",
        page: notice(Frame::anonymous(Lang::Ko, NOW), NoticeKind::SessionExpired),
    });
    samples.push(Sample { name: "hostile", page: hostile() });
    samples
}

fn notice(frame: Frame, kind: NoticeKind) -> Notice {
    let similar = match kind {
        NoticeKind::Refused(Refusal::Blocked) => Vec::new(),
        NoticeKind::Refused(_) => offers(frame.lang),
        _ => Vec::new(),
    };
    Notice {
        frame,
        kind,
        mission_id: Some(7),
        similar,
        retry_href: Some("/m/missions/7".to_owned()),
        request_id: (kind == NoticeKind::ServerError).then(|| Plain::new("01J9Z8-K3W")),
    }
}

fn hostile() -> Notice {
    let mut page = notice(hostile_frame(), NoticeKind::ServerError);
    page.retry_href = Some("javascript:alert(1)//\"><breakout>".to_owned());
    page.request_id = Some(Plain::new(HOSTILE[1]));
    page.similar = offers(Lang::En);
    for (card, text) in page.similar.iter_mut().zip(HOSTILE) {
        card.title = Plain::new(text);
    }
    page
}
