//! Who looks, in which app, and in which language.

use domain::catalog::{App, Creative, StepText, Wording, text_for};
use domain::ids::{AppId, UnitId};
use domain::snapshot::Snapshot;
use domain::targeting::Profile;
use domain::time::Timestamp;

use crate::frame::Frame;
use crate::plain::Plain;
use crate::text::{Currency, Lang, Zone};
use crate::theme::Theme;
use crate::web::Visitor;

/// What every conversion needs.
pub(crate) struct Scene<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) frame: Frame,
    pub(crate) unit: UnitId,
    language: String,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(visitor: &Visitor, snapshot: &'a Snapshot, profile: &Profile) -> Self {
        let frame = frame(visitor, snapshot, profile);
        let own = profile.language.as_str();
        let language = if own.is_empty() { frame.lang.tag() } else { own };
        let language = language.to_owned();
        Self { snapshot, unit: visitor.viewer.unit, language, frame }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.frame.now)
    }

    /// The text for the user among those of the catalogue. His own language may be one that our own
    /// texts do not speak.
    pub(crate) fn pick<'t, T>(&self, texts: &'t [T], of: impl Fn(&T) -> &str) -> Option<&'t T> {
        text_for(texts, &self.language, of)
    }

    pub(crate) fn creative<'t>(&self, texts: &'t [Creative]) -> Wording<'t> {
        self.pick(texts, Creative::language).map(Creative::wording).unwrap_or_default()
    }

    pub(crate) fn step_text<'t>(&self, texts: &'t [StepText]) -> Option<&'t StepText> {
        self.pick(texts, |text| &text.language)
    }
}

/// The frame of a visitor's page; the profile is empty where it has not been read.
pub(crate) fn frame(visitor: &Visitor, snapshot: &Snapshot, profile: &Profile) -> Frame {
    let asked = &visitor.asked;
    let bare = Frame::anonymous(Lang::choose(&profile.language, &asked.accept), asked.ctx.now.0);
    let bare = Frame { links: visitor.links.clone(), ..bare };
    match app(snapshot, visitor.viewer.app) {
        Some(app) => Frame {
            app_name: Some(Plain::new(&app.name)),
            theme: Theme::of(&app.theme),
            currency: Currency {
                name: Plain::new(&app.currency.name),
                minor_units: app.currency.minor_units,
            },
            zone: Zone { offset_minutes: profile.utc_offset.0.into(), name: None },
            ..bare
        },
        None => bare,
    }
}

fn app(snapshot: &Snapshot, id: AppId) -> Option<&App> {
    snapshot.catalog().apps.get(&id)
}
