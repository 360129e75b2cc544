//! The list of missions: what was started first, then what can be started.

use askama::Template;

use crate::frame::Frame;
use crate::page::{CachePolicy, Page, Sample};
use crate::samples;
use crate::text::{Advice, Texts};
use crate::view::{Empty, Kind, OfferCard, ProgressCard};

/// Most cards that one page shows; with long titles it stays under 40 KB. The caller pages by this.
pub const CARDS_MAX: usize = 20;

/// A chip which narrows the list to one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chip {
    /// The kind.
    pub kind: Kind,
    /// How many missions of it there are now.
    pub count: u32,
}

/// Missions that can be started, or the reason why there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offers {
    /// At least one.
    Cards {
        /// At most [`CARDS_MAX`].
        cards: Vec<OfferCard>,
        /// Cursor of the next part.
        next: Option<String>,
    },
    /// None, and why.
    None(Empty),
}

/// The page `/m`.
#[derive(Clone, Debug, Template)]
#[template(path = "mission_list.html")]
pub struct MissionList {
    /// Frame.
    pub frame: Frame,
    /// What the user can still earn with everything that is open to him.
    pub earnable: i64,
    /// What he has earned.
    pub earned: i64,
    /// Kinds which are present, with their counts, whatever kind is chosen.
    pub chips: Vec<Chip>,
    /// The chosen kind.
    pub kind: Option<Kind>,
    /// Started missions, the nearest deadline first. They are shown whatever kind is chosen.
    pub in_progress: Vec<ProgressCard>,
    /// Missions that can be started.
    pub offers: Offers,
}

impl MissionList {
    fn texts(&self) -> &'static Texts {
        self.frame.texts()
    }

    /// Chips help to choose between kinds, so one kind alone needs none.
    fn shows_chips(&self) -> bool {
        self.chips.len() > 1 || self.kind.is_some()
    }

    fn advice(&self, empty: &Empty) -> Advice {
        let date = match empty {
            Empty::AllDone(Some(at)) => Some(self.frame.date(*at)),
            _ => None,
        };
        (self.texts().list.empty)(*empty, date.as_deref())
    }

    fn is_chosen(&self, kind: &Kind) -> bool {
        self.kind == Some(*kind)
    }

    fn more_href(&self, cursor: &str) -> String {
        self.frame.links.list_after(self.kind, cursor)
    }
}

impl Page for MissionList {
    const NAME: &'static str = "mission_list";

    fn cache(&self) -> CachePolicy {
        CachePolicy::Revalidate
    }

    fn samples() -> Vec<Sample<Self>> {
        samples::mission_list::all()
    }
}
