//! The list as it is sent. What stands around the missions is written by hand, because they are bytes
//! already; a test compares it with [`super::ListDoc`].

use engine::{Cut, ListView, MissionView, Viewer};

use super::document::{MISSION_BYTES, PointsDoc, append};
use super::fragments::Book;
use super::pieces::Pieces;
use super::{Fragments, LIST};
use crate::paging;

/// Room for what stands around the missions, and for shared pieces that are too small to be sent by
/// themselves.
const AROUND_BYTES: usize = 4 * 1024;

/// Which part of the list is asked for.
pub(super) struct Page {
    /// Most missions that are not started yet.
    pub(super) limit: usize,
    /// Only those after this place.
    pub(super) after: Option<u32>,
}

/// Writes a page of the list.
pub(super) fn write_list(
    fragments: &Fragments,
    viewer: &Viewer,
    list: &ListView<'_>,
    page: &Page,
) -> Pieces {
    let book = fragments.book(list.snapshot, &list.loaded.state.profile.language);
    // They stand at the head of the first page.
    let runs: &[MissionView<'_>] = if page.after.is_none() { &list.runs } else { &[] };
    let mut out = Pieces::with_capacity(runs.len() * MISSION_BYTES + AROUND_BYTES);
    write_head(list, viewer, out.own());
    write_runs(&book, runs, list, out.own());
    let Cut { mut pieces, last, has_more } = offers(&book, list, page);
    // No comma stands behind the last mission, wherever that is.
    match pieces.last_mut() {
        Some(piece) => piece.truncate(piece.len() - 1),
        None => drop(out.own().pop_if(|byte| *byte == b',')),
    }
    pieces.into_iter().for_each(|piece| out.push(piece));
    write_tail(last.filter(|_| has_more), out.own());
    out
}

fn write_runs(book: &Book, runs: &[MissionView<'_>], list: &ListView<'_>, out: &mut Vec<u8>) {
    let mut glances = Vec::new();
    for one in runs {
        let form = one.version_place.and_then(|place| book.form(place, one.mission));
        if let (Some(run), Some(form)) = (one.run, form) {
            form.write((one.mission, run), list.now, &mut glances, out);
            out.push(b',');
        }
    }
}

/// The offers of a page, each with a comma behind it: as they were written once for all users of the
/// class, or put together from what was written of each mission.
fn offers(book: &Book, list: &ListView<'_>, page: &Page) -> Cut {
    let Page { after, limit } = *page;
    let cut = list.offers.cut(&book.language, (after, limit), |offer, to| {
        book.append(offer, to);
        to.push(b',');
    });
    cut.unwrap_or_else(|| {
        let behind = list.offers.all().iter();
        let mut behind =
            behind.filter(|one| after.is_none_or(|after| one.place > after)).peekable();
        let (mut text, mut last) = (Vec::new(), None);
        for offer in behind.by_ref().take(limit) {
            book.append(offer, &mut text);
            text.push(b',');
            last = Some(offer.place);
        }
        let has_more = behind.peek().is_some();
        Cut { pieces: if text.is_empty() { Vec::new() } else { vec![text.into()] }, last, has_more }
    })
}

fn write_head(list: &ListView<'_>, viewer: &Viewer, out: &mut Vec<u8>) {
    let app = list.snapshot.catalog().apps.get(&viewer.app);
    let currency = app.map_or(PointsDoc { name: "", minor_units: 0 }, |app| PointsDoc {
        name: &app.currency.name,
        minor_units: app.currency.minor_units,
    });
    out.extend_from_slice(b"{\"catalog_revision\":");
    append(out, &list.snapshot.revision());
    out.extend_from_slice(b",\"currency\":");
    append(out, &currency);
    out.extend_from_slice(b",\"earnable\":");
    append(out, &list.earnable.0);
    out.extend_from_slice(b",\"earned\":");
    append(out, &list.earned.0);
    out.extend_from_slice(b",\"missions\":[");
}

fn write_tail(last: Option<u32>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"],\"next_cursor\":");
    append(out, &last.map(|place| paging::cursor(LIST, place)));
    out.push(b'}');
}
