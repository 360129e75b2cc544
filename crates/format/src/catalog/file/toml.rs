//! The TOML of a catalogue file, with the place of everything in it.

use domain::catalog::EntityKind;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::super::entity;
use super::{Found, RawError, Segment, Shell, path_in};

/// Reads every entity of the file by itself, so that one mistake does not hide the next.
pub(super) fn read(text: &str) -> Shell {
    let mut shell = Shell::default();
    let root = match DeTable::parse(text) {
        Ok(root) => root.into_inner(),
        Err(error) => {
            let (offset, message) = told(&error);
            shell.errors.push(RawError { offset, path: String::new(), message });
            return shell;
        }
    };
    for (key, value) in root {
        let name = key.get_ref().as_ref();
        match EntityKind::parse(name) {
            Some(kind) => read_list(kind, value, &mut shell),
            None if name == "prune" => match value.get_ref().as_bool() {
                Some(prune) => shell.prune = prune,
                None => shell.refuse(&value, name, "it must be true or false"),
            },
            None => shell.refuse(&value, name, &super::unknown_name()),
        }
    }
    shell
}

fn read_list(kind: EntityKind, list: Spanned<DeValue<'_>>, shell: &mut Shell) {
    let DeValue::Array(items) = list.get_ref() else {
        let message = format!("it must be a list; begin each with [[{}]]", kind.name());
        return shell.refuse(&list, kind.name(), &message);
    };
    for (at, item) in items.iter().cloned().enumerate() {
        let offset = item.span().start;
        if !item.get_ref().is_table() {
            shell.refuse(&item, &path_in(kind, at, ""), entity::NO_OBJECT);
            continue;
        }
        let entity = entity::read(kind, ValueDeserializer::from(item)).map_err(|error| {
            let path = path_in(kind, at, &entity::path_of(error.path()));
            let (place, message) = told(error.inner());
            RawError { offset: place.or(Some(offset)), path, message }
        });
        shell.found.push(Found { kind, at, offset, entity });
    }
}

/// Place and words of an error.
fn told(error: &toml::de::Error) -> (Option<usize>, String) {
    (error.span().map(|span| span.start), error.message().trim_end().replace('\n', " "))
}

impl Shell {
    fn refuse(&mut self, value: &Spanned<DeValue<'_>>, path: &str, message: &str) {
        let offset = Some(value.span().start);
        self.errors.push(RawError { offset, path: path.to_owned(), message: message.to_owned() });
    }
}

/// A file as a tree.
pub(super) type Root<'a> = Spanned<DeTable<'a>>;

/// The file as a tree, if it is TOML.
pub(super) fn tree(text: &str) -> Option<Root<'_>> {
    DeTable::parse(text).ok()
}

/// Where the field begins, or what of the way to it there is.
pub(super) fn find(root: &Root<'_>, way: &[Segment<'_>]) -> Option<usize> {
    let (Segment::Key(first), rest) = way.split_first()? else {
        return None;
    };
    let mut value = root.get_ref().get(*first)?;
    for segment in rest {
        let next = match segment {
            Segment::Key(name) => value.get_ref().get(*name),
            Segment::Item(at) => value.get_ref().get(*at),
        };
        match next {
            Some(next) => value = next,
            None => break,
        }
    }
    Some(value.span().start)
}
