//! The JSON of a catalogue file, with the place of everything in it.

use std::collections::BTreeMap;

use domain::catalog::{Entity, EntityKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::entity;
use super::{Found, RawError, Segment, Shell, path_in};

/// The outermost object; entities stay text, so that each can be read by itself.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Root<'a> {
    prune: bool,
    #[serde(borrow)]
    publishers: Vec<&'a RawValue>,
    apps: Vec<&'a RawValue>,
    units: Vec<&'a RawValue>,
    advertisers: Vec<&'a RawValue>,
    orders: Vec<&'a RawValue>,
    segments: Vec<&'a RawValue>,
    line_items: Vec<&'a RawValue>,
    ad_groups: Vec<&'a RawValue>,
    missions: Vec<&'a RawValue>,
    partners: Vec<&'a RawValue>,
}

impl<'a> Root<'a> {
    fn list(&self, kind: EntityKind) -> &[&'a RawValue] {
        match kind {
            EntityKind::Publisher => &self.publishers,
            EntityKind::App => &self.apps,
            EntityKind::Unit => &self.units,
            EntityKind::Advertiser => &self.advertisers,
            EntityKind::Order => &self.orders,
            EntityKind::Segment => &self.segments,
            EntityKind::LineItem => &self.line_items,
            EntityKind::AdGroup => &self.ad_groups,
            EntityKind::Mission => &self.missions,
            EntityKind::Partner => &self.partners,
        }
    }
}

/// Reads every entity of the file by itself, so that one mistake does not hide the next.
pub(super) fn read(text: &str) -> Shell {
    let mut shell = Shell::default();
    if !text.trim_start().starts_with('{') {
        let message = "expected an object such as {\"missions\": []}".to_owned();
        shell.errors.push(RawError { offset: Some(0), path: String::new(), message });
        return shell;
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let root: Result<Root<'_>, _> = serde_path_to_error::deserialize(&mut reader);
    let root = match root {
        Ok(root) => root,
        Err(error) => {
            let path = entity::path_of(error.path());
            let (offset, message) = told(text, error.inner());
            shell.errors.push(RawError { offset: Some(offset), path, message });
            return shell;
        }
    };
    if let Err(error) = reader.end() {
        let (offset, message) = told(text, &error);
        shell.errors.push(RawError { offset: Some(offset), path: String::new(), message });
    }
    shell.prune = root.prune;
    for kind in EntityKind::ALL {
        for (at, raw) in root.list(kind).iter().enumerate() {
            let offset = offset_in(text, raw.get());
            let entity = read_one(kind, raw.get()).map_err(|(inside, field, message)| RawError {
                offset: Some(offset + inside),
                path: path_in(kind, at, &field),
                message,
            });
            shell.found.push(Found { kind, at, offset, entity });
        }
    }
    shell
}

/// One entity, or where in its text which field is wrong.
fn read_one(kind: EntityKind, text: &str) -> Result<Entity, (usize, String, String)> {
    if !text.starts_with('{') {
        return Err((0, String::new(), entity::NO_OBJECT.to_owned()));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    entity::read(kind, &mut reader).map_err(|error| {
        let (inside, message) = told(text, error.inner());
        (inside, entity::path_of(error.path()), message)
    })
}

/// Place of a part that was borrowed from the text.
fn offset_in(text: &str, part: &str) -> usize {
    (part.as_ptr().addr()).saturating_sub(text.as_ptr().addr())
}

/// Place and words of an error.
fn told(text: &str, error: &serde_json::Error) -> (usize, String) {
    let lines_before: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut offset = (lines_before + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    (offset, message.strip_suffix(&place).unwrap_or(&message).to_owned())
}

/// The file as a tree, if it is JSON.
pub(super) fn tree(text: &str) -> Option<Root<'_>> {
    serde_json::from_str(text).ok()
}

/// Where the field begins, or what of the way to it there is.
pub(super) fn find(text: &str, root: &Root<'_>, way: &[Segment<'_>]) -> Option<usize> {
    let [Segment::Key(kind), Segment::Item(at), rest @ ..] = way else {
        return None;
    };
    let mut part = root.list(EntityKind::parse(kind)?).get(*at)?.get();
    for segment in rest {
        let next = match segment {
            Segment::Key(name) => {
                let fields: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(part).ok();
                fields.and_then(|fields| fields.get(*name).copied())
            }
            Segment::Item(at) => {
                let items: Option<Vec<&RawValue>> = serde_json::from_str(part).ok();
                items.and_then(|items| items.get(*at).copied())
            }
        };
        match next {
            Some(next) => part = next.get(),
            None => break,
        }
    }
    Some(offset_in(text, part))
}
