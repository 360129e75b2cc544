//! Catalogue files: reading them, and saying where in them something is wrong.

mod json;
mod toml;

use std::collections::BTreeMap;
use std::fmt;

use domain::catalog::{Entity, EntityKind, Problem};

/// Most errors that are told at once; more would not be read.
const ERRORS_MAX: usize = 100;

/// What a file is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Syntax {
    /// TOML 1.0: `[[missions]]` and so on.
    Toml,
    /// JSON: `{"missions": […]}`.
    Json,
}

/// A file that could be read.
#[derive(Clone, Debug)]
pub struct CatalogFile {
    /// What it declares, by kind and in the file's order.
    pub entities: Vec<Entity>,
    /// Whether what it does not declare is deleted; see [`super::CatalogDoc::prune`].
    pub prune: bool,
    syntax: Syntax,
    text: String,
    /// Place of each entity in its kind's list.
    order: BTreeMap<(EntityKind, u32), usize>,
}

/// A place in a file, counted from 1; columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// One thing wrong with a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileError {
    /// Where, if it is in the file at all.
    pub place: Option<Place>,
    /// The field, such as `missions[3].steps[1].payout`; empty if it is the whole file.
    pub path: String,
    /// One sentence.
    pub message: String,
}

/// Everything wrong with a file, in order of the lines.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct FileErrors(pub Vec<FileError>);

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().take(ERRORS_MAX).enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{error}")?;
        }
        match self.0.len().saturating_sub(ERRORS_MAX) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

/// Reads a TOML file; see [`parse`].
///
/// # Errors
/// As [`parse`].
pub fn parse_toml(text: &str) -> Result<CatalogFile, FileErrors> {
    parse(Syntax::Toml, text)
}

/// Reads a JSON file; see [`parse`].
///
/// # Errors
/// As [`parse`].
pub fn parse_json(text: &str) -> Result<CatalogFile, FileErrors> {
    parse(Syntax::Json, text)
}

/// Reads a catalogue file. Each entity is checked by itself; whether they fit together is
/// [`domain::catalog::validate`]'s to say, and [`CatalogFile::locate`] finds its answers' places.
///
/// # Errors
/// Everything that is not understood, at most one thing for each entity.
pub fn parse(syntax: Syntax, text: &str) -> Result<CatalogFile, FileErrors> {
    let shell = match syntax {
        Syntax::Toml => toml::read(text),
        Syntax::Json => json::read(text),
    };
    let lines = Lines::of(text);
    let mut errors: Vec<FileError> =
        shell.errors.into_iter().map(|raw| raw.placed(&lines)).collect();
    let mut order = BTreeMap::new();
    let mut entities = Vec::with_capacity(shell.found.len());
    for Found { kind, at, offset, entity } in shell.found {
        match entity {
            Ok(entity) => {
                if order.insert((kind, entity.id()), at).is_some() {
                    let message = format!("number {} is given twice", entity.id());
                    let path = format!("{}[{at}].id", kind.name());
                    errors.push(RawError { offset: Some(offset), path, message }.placed(&lines));
                }
                entities.push(entity);
            }
            Err(error) => errors.push(error.placed(&lines)),
        }
    }
    if errors.is_empty() {
        entities.sort_by_key(Entity::kind);
        return Ok(CatalogFile {
            entities,
            prune: shell.prune,
            syntax,
            text: text.to_owned(),
            order,
        });
    }
    errors.sort_by_key(|error| error.place);
    Err(FileErrors(errors))
}

impl CatalogFile {
    /// Problems of the catalogue, each with its place in this file: the field's line, or else the
    /// entity's. What is not in the file has no place.
    #[must_use]
    pub fn locate(&self, problems: &[Problem]) -> FileErrors {
        let lines = Lines::of(&self.text);
        let tree = match self.syntax {
            Syntax::Toml => toml::tree(&self.text).map(Tree::Toml),
            Syntax::Json => json::tree(&self.text).map(Tree::Json),
        };
        let find = |way: &[Segment<'_>]| match tree.as_ref()? {
            Tree::Toml(root) => toml::find(root, way),
            Tree::Json(root) => json::find(&self.text, root, way),
        };
        let mut errors: Vec<FileError> =
            problems.iter().map(|one| self.locate_one(one, &lines, find)).collect();
        errors.sort_by_key(|error| error.place);
        FileErrors(errors)
    }

    fn locate_one(
        &self,
        problem: &Problem,
        lines: &Lines<'_>,
        find: impl Fn(&[Segment<'_>]) -> Option<usize>,
    ) -> FileError {
        let (kind, message) = (problem.kind, problem.message.clone());
        let dot = if problem.field.is_empty() { "" } else { "." };
        let Some(&at) = self.order.get(&(kind, problem.id)) else {
            let path = format!("{}/{}{dot}{}", kind.name(), problem.id, problem.field);
            return FileError { place: None, path, message };
        };
        let mut way = vec![Segment::Key(kind.name()), Segment::Item(at)];
        way.extend(segments(&problem.field));
        let path = format!("{}[{at}]{dot}{}", kind.name(), problem.field);
        RawError { offset: find(&way), path, message }.placed(lines)
    }
}

/// A file that is searched, read once for all that is looked for.
enum Tree<'a> {
    Toml(toml::Root<'a>),
    Json(json::Root<'a>),
}

/// What reading a file gives before entities are put together.
#[derive(Default)]
struct Shell {
    prune: bool,
    found: Vec<Found>,
    errors: Vec<RawError>,
}

/// One entity of a file, read or not.
struct Found {
    kind: EntityKind,
    /// Place in its kind's list.
    at: usize,
    /// Where it begins, in bytes.
    offset: usize,
    entity: Result<Entity, RawError>,
}

/// An error whose place is still counted in bytes.
struct RawError {
    offset: Option<usize>,
    path: String,
    message: String,
}

impl RawError {
    fn placed(self, lines: &Lines<'_>) -> FileError {
        let place = self.offset.map(|offset| lines.place(offset));
        FileError { place, path: self.path, message: super::entity::explained(self.message) }
    }
}

/// A text, and where its lines begin: a large file with a mistake in every row is told of in one pass.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { text, starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    fn place(&self, offset: usize) -> Place {
        let offset = if self.text.is_char_boundary(offset) { offset } else { self.text.len() };
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        Place { line, column: self.text[start..offset].chars().count() + 1 }
    }
}

/// The path of a field inside the `at`-th entity of a kind.
fn path_in(kind: EntityKind, at: usize, field: &str) -> String {
    let dot = if field.is_empty() { "" } else { "." };
    format!("{}[{at}]{dot}{field}", kind.name())
}

/// The names that a file may begin with.
fn unknown_name() -> String {
    let names = EntityKind::ALL.map(EntityKind::name).join(", ");
    format!("it is not known; use prune, {names}")
}

/// One step of the way to a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Segment<'a> {
    Key(&'a str),
    Item(usize),
}

/// The way to a field such as `steps[1].payout`.
fn segments(field: &str) -> impl Iterator<Item = Segment<'_>> {
    field.split(['.', '[']).filter(|part| !part.is_empty()).map(|part| {
        let item = part.strip_suffix(']').and_then(|item| item.parse().ok());
        item.map_or(Segment::Key(part), Segment::Item)
    })
}

#[cfg(test)]
mod tests;
