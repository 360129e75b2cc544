//! Texts, languages and addresses that end up on a user's page or in an operator's list.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use super::Findings;
use crate::catalog::limits::{
    LANDING_MACROS, LANDING_SCHEMES, LANGUAGE_CHARS_MAX, LANGUAGES_MAX, NAME_CHARS_MAX,
    URL_BYTES_MAX, WORD_CHARS_MAX,
};

/// A text of one line with 1 to `max` characters.
pub(super) fn line(found: &mut Findings, field: impl Display, text: &str, max: usize) {
    found.check(!text.trim().is_empty(), &field, "it must not be empty");
    optional_line(found, field, text, max);
}

/// A text of one line with at most `max` characters.
pub(super) fn optional_line(found: &mut Findings, field: impl Display, text: &str, max: usize) {
    found.check(!text.contains(['\n', '\r']), &field, "it must be one line");
    prose(found, field, text, max);
}

/// A text that may have several lines.
pub(super) fn prose(found: &mut Findings, field: impl Display, text: &str, max: usize) {
    let short = text.len() <= max || text.chars().count() <= max;
    found.check(short, &field, format_args!("it has more than {max} characters"));
    let unsafe_char = text.chars().find(|&one| is_harmful(one));
    if let Some(one) = unsafe_char {
        let message = format_args!("it holds the invisible character U+{:04X}", u32::from(one));
        found.add(field, message);
    }
}

/// What an operator calls a row.
pub(super) fn name(found: &mut Findings, text: &str) {
    line(found, "name", text, NAME_CHARS_MAX);
}

/// A name that machines compare, such as an event or a package.
pub(super) fn word(found: &mut Findings, field: impl Display, text: &str) {
    line(found, &field, text, WORD_CHARS_MAX);
    found.check(text.trim() == text, field, "it must not begin or end with a space");
}

/// Control characters other than line ends, and characters that turn the direction of what follows
/// and so make a text read as another.
fn is_harmful(one: char) -> bool {
    let turns = matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (one.is_control() && !matches!(one, '\n' | '\r'))
}

/// Languages of one text: well-formed, and each once.
pub(super) fn languages<'a>(
    found: &mut Findings,
    field: impl Display,
    all: impl ExactSizeIterator<Item = &'a str>,
) {
    found.check(all.len() > 0, &field, "give at least one language");
    found.check(
        all.len() <= LANGUAGES_MAX,
        &field,
        format_args!("at most {LANGUAGES_MAX} languages are kept"),
    );
    let mut seen = BTreeSet::new();
    for (at, tag) in all.enumerate() {
        language(found, format_args!("{field}[{at}].language"), tag);
        found.check(
            seen.insert(tag),
            format_args!("{field}[{at}].language"),
            format_args!("there is another text in {tag}"),
        );
    }
}

/// A BCP 47 tag in lower case, such as `ko` or `pt-br`.
pub(super) fn language(found: &mut Findings, field: impl Display, tag: &str) {
    let well_formed = tag.len() <= LANGUAGE_CHARS_MAX
        && tag.split('-').next().is_some_and(|primary| (2..=8).contains(&primary.len()))
        && tag.split('-').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
    found.check(well_formed, field, "it must be a language in lower case, such as ko or pt-br");
}

/// The address of a page or an image.
pub(super) fn web_url(found: &mut Findings, field: impl Display, url: &str) {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let has_host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']));
    found.check(has_host, &field, "it must begin with https:// or http:// and a host");
    url_text(found, field, url);
}

/// The address where a user goes when he starts: a page or a store, with known macros.
pub(super) fn landing_url(found: &mut Findings, field: &str, url: &str) {
    let known = LANDING_SCHEMES
        .iter()
        .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    found.check(
        known,
        field,
        fmt::from_fn(|f| write!(f, "it must begin with one of {}", LANDING_SCHEMES.join(" "))),
    );
    url_text(found, field, url);
    let mut rest = url;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            found.add(field, "a brace is never closed");
            return;
        };
        found.check(
            LANDING_MACROS.contains(&name),
            field,
            fmt::from_fn(|f| {
                let macros = LANDING_MACROS.join(", ");
                write!(f, "{{{name}}} is not known; use one of {macros}")
            }),
        );
        rest = after;
    }
}

fn url_text(found: &mut Findings, field: impl Display, url: &str) {
    found.check(
        url.len() <= URL_BYTES_MAX,
        &field,
        format_args!("it has more than {URL_BYTES_MAX} bytes"),
    );
    let clean = url.chars().all(|one| {
        !one.is_whitespace() && !is_harmful(one) && !matches!(one, '"' | '<' | '>' | '\\' | '`')
    });
    found.check(clean, field, "it holds a character that an address cannot hold; escape it");
}
