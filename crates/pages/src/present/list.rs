//! The list.

use domain::decide::Offer;
use engine::ListView;

use super::Scene;
use super::card::{count, kind, offer_card, progress_card};
use super::empty::why_empty;
use crate::mission_list::{CARDS_MAX, Chip, MissionList, Offers};
use crate::view::{Empty, Kind};
use crate::web::Params;

/// Most started missions on the page, those with the nearest deadlines. Each further one comes into
/// sight as soon as one before it ends.
const RUNS_MAX: usize = 50;

/// Which part of the list is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListWish {
    kind: Option<Kind>,
    after: Option<u32>,
}

impl ListWish {
    /// Reads `?kind=` and `?after=`; what is not known is not wanted.
    pub(crate) fn read(params: &Params) -> Self {
        Self {
            kind: params.get("kind").and_then(Kind::from_code),
            after: params.get("after").and_then(|cursor| cursor.parse().ok()),
        }
    }

    fn fits(&self, offer: &Offer<'_>) -> bool {
        self.kind.is_none_or(|wanted| kind(offer.mission.kind) == wanted)
    }
}

/// The page of the list.
pub(crate) fn mission_list(scene: &Scene<'_>, view: &ListView<'_>, wish: ListWish) -> MissionList {
    let runs = view.runs.iter().take(RUNS_MAX);
    let in_progress = match wish.after {
        // They stand at the head of the first part.
        Some(_) => Vec::new(),
        None => runs.filter_map(|run| progress_card(scene, run)).collect(),
    };
    MissionList {
        frame: scene.frame.clone(),
        earnable: view.earnable.0,
        earned: view.earned.0,
        chips: chips(view.offers.all()),
        kind: wish.kind,
        in_progress,
        offers: offers(scene, view, wish),
    }
}

fn chips(offers: &[Offer<'_>]) -> Vec<Chip> {
    let of = |one: Kind| offers.iter().filter(|offer| kind(offer.mission.kind) == one).count();
    let chips = Kind::ALL.into_iter().map(|one| Chip { kind: one, count: count(of(one)) });
    chips.filter(|chip| chip.count > 0).collect()
}

fn offers(scene: &Scene<'_>, view: &ListView<'_>, wish: ListWish) -> Offers {
    let is_after = |offer: &&Offer<'_>| wish.after.is_none_or(|after| offer.place > after);
    let wanted = view.offers.all().iter().filter(|offer| wish.fits(offer)).filter(is_after);
    let part: Vec<&Offer<'_>> = wanted.take(CARDS_MAX + 1).collect();
    let shown = &part[..part.len().min(CARDS_MAX)];
    let Some(last) = shown.last() else {
        return Offers::None(match wish.kind {
            Some(kind) if !view.offers.all().is_empty() => Empty::Kind(kind),
            _ => why_empty(scene, view),
        });
    };
    let next = (part.len() > CARDS_MAX).then(|| last.place.to_string());
    Offers::Cards { cards: shown.iter().map(|offer| offer_card(scene, offer)).collect(), next }
}
