//! What is offered to a class, written once and sent to everybody of it in pieces.
//!
//! A sheet holds the texts of an assortment's missions one after another. What a user is offered is the
//! sheet without the few missions that are withheld from him: pieces of it, which are sent as they are
//! and copied for nobody.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use domain::decide::Offer;

/// Most missions of a sheet: the largest page, and as many that may be withheld before its end. The
/// others are for those who page further, one by one.
pub(crate) const SHEET_MISSIONS_MAX: usize = 1_000;
/// Most bytes that the sheets of all classes take together.
const SHEETS_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most sheets of one class: one for each language of the catalogue that somebody has asked in.
const LANGUAGES_MAX: usize = 32;

/// The texts of an assortment's first missions, in order, each with what separates it from the next.
#[derive(Debug)]
pub struct Sheet {
    text: Bytes,
    /// Where each of them ends.
    ends: Box<[u32]>,
    /// The place of each among all offers.
    places: Box<[u32]>,
    /// Whether there are no others.
    is_whole: bool,
}

/// What a page takes from a sheet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// The missions' texts, in order.
    pub pieces: Vec<Bytes>,
    /// The place of the last one among all offers, if there is one.
    pub last: Option<u32>,
    /// Whether others follow it.
    pub has_more: bool,
}

impl Cut {
    /// Nothing at all.
    pub(crate) const EMPTY: Self = Self { pieces: Vec::new(), last: None, has_more: false };
}

impl Sheet {
    /// Writes a sheet with `write`, which appends the text of an offer and what separates it from the
    /// next one.
    pub(crate) fn of<'a>(
        offers: impl Iterator<Item = Offer<'a>>,
        is_whole: bool,
        mut write: impl FnMut(&Offer<'_>, &mut Vec<u8>),
    ) -> Self {
        let (mut text, mut ends, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for offer in offers {
            write(&offer, &mut text);
            ends.push(text.len() as u32);
            places.push(offer.place);
        }
        // A copy is as large as it has to be; a buffer that is cut off keeps its room.
        let text = Bytes::copy_from_slice(&text);
        Self { text, ends: ends.into(), places: places.into(), is_whole }
    }

    /// At most `limit` missions behind the place `after`, without those that are withheld; `None` if
    /// that goes beyond what is on the sheet.
    #[must_use]
    pub fn cut(&self, withheld: &[u32], after: Option<u32>, limit: usize) -> Option<Cut> {
        let begin = after.map_or(0, |after| self.places.partition_point(|place| *place <= after));
        let mut cut = Cut::EMPTY;
        let (mut from, mut left) = (begin, limit);
        let inside = withheld.iter().map(|place| *place as usize);
        let inside = inside.filter(|place| (begin..self.ends.len()).contains(place));
        for to in inside.chain([self.ends.len()]) {
            let taken = (to - from).min(left);
            if taken > 0 {
                cut.pieces.push(self.text.slice(self.range(from..from + taken)));
                cut.last = self.places.get(from + taken - 1).copied();
            }
            if taken < to - from {
                cut.has_more = true;
                return Some(cut);
            }
            (from, left) = (to + 1, left - taken);
        }
        // Whether something follows is not known here unless this is all.
        self.is_whole.then_some(cut)
    }

    fn range(&self, missions: Range<usize>) -> Range<usize> {
        let end_of = |mission: usize| self.ends[mission] as usize;
        let begin = missions.start.checked_sub(1).map_or(0, end_of);
        begin..missions.end.checked_sub(1).map_or(begin, end_of)
    }
}

/// The sheets of one assortment.
pub(crate) struct Sheets {
    by_language: RwLock<Vec<(String, Arc<Sheet>)>>,
    room: SheetRoom,
}

impl Sheets {
    pub(crate) fn new(room: SheetRoom) -> Self {
        Self { by_language: RwLock::default(), room }
    }

    /// The sheet of a language, made with `make` if it is the first time and there is room to keep it.
    pub(crate) fn of(&self, language: &str, make: impl FnOnce() -> Sheet) -> Option<Arc<Sheet>> {
        let find = |kept: &[(String, Arc<Sheet>)]| {
            let found = kept.iter().find(|(one, _)| one == language);
            found.map(|(_, sheet)| Arc::clone(sheet))
        };
        let kept = self.by_language.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(sheet) = find(&kept) {
            return Some(sheet);
        }
        if kept.len() >= LANGUAGES_MAX || self.room.is_used_up() {
            return None;
        }
        drop(kept);
        let sheet = Arc::new(make());
        let mut kept = self.by_language.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have been faster.
        if let Some(sheet) = find(&kept) {
            return Some(sheet);
        }
        self.room.take(sheet.text.len());
        kept.push((language.to_owned(), Arc::clone(&sheet)));
        Some(sheet)
    }
}

/// What is left for sheets, shared by those who keep them.
#[derive(Clone)]
pub(crate) struct SheetRoom(Arc<AtomicUsize>);

impl Default for SheetRoom {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(SHEETS_BYTES_MAX)))
    }
}

impl SheetRoom {
    /// No room at all.
    pub(crate) fn none() -> Self {
        Self(Arc::default())
    }

    fn is_used_up(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// The last sheet may be larger than what is left.
    fn take(&self, bytes: usize) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            Some(left.saturating_sub(bytes))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Missions named by a letter, at every third place.
    fn sheet(is_whole: bool) -> Sheet {
        let text = Bytes::from_static(b"a,bb,c,dd,e,");
        let (ends, places) = ([2, 5, 7, 10, 12].into(), [3, 6, 9, 12, 15].into());
        Sheet { text, ends, places, is_whole }
    }

    fn text(cut: &Cut) -> String {
        cut.pieces.iter().map(|piece| std::str::from_utf8(piece).unwrap_or("?")).collect()
    }

    fn check(
        withheld: &[u32],
        page: (Option<u32>, usize),
        (expected, last, has_more): (&str, Option<u32>, bool),
    ) {
        let cut = sheet(true).cut(withheld, page.0, page.1).expect("the sheet is whole");
        assert_eq!(text(&cut), expected, "{withheld:?} {page:?}");
        assert_eq!((cut.last, cut.has_more), (last, has_more), "{withheld:?} {page:?}");
    }

    #[test]
    fn a_page_is_the_sheet_without_what_is_withheld() {
        check(&[], (None, 9), ("a,bb,c,dd,e,", Some(15), false));
        check(&[0, 4], (None, 9), ("bb,c,dd,", Some(12), false));
        check(&[1, 2], (None, 9), ("a,dd,e,", Some(15), false));
        check(&[1, 2], (None, 2), ("a,dd,", Some(12), true));
        check(&[1, 2], (Some(3), 1), ("dd,", Some(12), true));
        check(&[1, 4], (None, 3), ("a,c,dd,", Some(12), false));
        check(&[0, 1, 2, 3, 4], (None, 3), ("", None, false));
        check(&[], (Some(15), 3), ("", None, false));
        check(&[3], (Some(7), 1), ("c,", Some(9), true));
    }

    #[test]
    fn what_goes_beyond_a_sheet_is_not_cut_from_it() {
        let part = sheet(false);
        assert_eq!(part.cut(&[], None, 5), None);
        assert_eq!(part.cut(&[2], None, 4), None);
        assert_eq!(part.cut(&[], Some(15), 1), None);
        let cut = part.cut(&[], None, 4).expect("it is on the sheet");
        assert_eq!((text(&cut), cut.has_more), ("a,bb,c,dd,".to_owned(), true));
    }

    #[test]
    fn sheets_are_kept_as_long_as_there_is_room() {
        let room = SheetRoom(Arc::new(AtomicUsize::new(20)));
        let (first, second) = (Sheets::new(room.clone()), Sheets::new(room));
        let of = |sheets: &Sheets, language| sheets.of(language, || sheet(true));
        let kept = of(&first, "en").expect("there is room");
        assert!(of(&first, "en").is_some_and(|again| Arc::ptr_eq(&kept, &again)));
        assert!(of(&second, "ko").is_some());
        assert!(of(&first, "ko").is_none() && of(&second, "en").is_none());
        assert!(of(&first, "en").is_some_and(|again| Arc::ptr_eq(&kept, &again)));
        assert!(of(&Sheets::new(SheetRoom::none()), "en").is_none());
    }
}
