//! Text with `{macros}`.
//!
//! `{name}` is a value, `{is_reversal?A:B}` is one of two texts, `{{` and `}}` are braces. A `}` that
//! closes nothing is a brace too, because URLs hold such things. Aliases are looked for first, longest
//! first, so that a vendor's own spelling (`[%USER:UID%]`, `{{userId}}`) wins over these rules.

use super::Macro;
use std::fmt;

/// Longest template, in bytes: no vendor's URL comes near it, and a stored template stays small.
pub const TEMPLATE_BYTES_MAX: usize = 8_192;

/// Text with values to be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// One part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as it stands.
    Text(String),
    /// A value.
    Value(Macro),
    /// One of two texts.
    Choice {
        /// Text in a reversal.
        reversed: String,
        /// Text in a reward.
        granted: String,
    },
}

/// Another spelling of a value inside an endpoint's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The spelling, brackets included, for example `[USER_ID]`.
    pub text: String,
    /// What stands for it; empty for a value that Guerdon does not have.
    pub value: Template,
}

impl Alias {
    /// `text` stands for `value`.
    pub fn new(text: &str, value: impl Into<Template>) -> Self {
        Alias { text: text.to_owned(), value: value.into() }
    }
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Byte position in the text where the trouble starts.
    pub at: usize,
    /// What the trouble is.
    pub kind: TemplateErrorKind,
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// An opening brace without a closing one.
    Unclosed,
    /// No macro of that name.
    UnknownMacro {
        /// The name that was read.
        name: String,
        /// Known names that look like it, nearest first.
        suggestions: Vec<&'static str>,
    },
    /// A choice that is not `{is_reversal?A:B}`.
    BadChoice,
    /// Longer than [`TEMPLATE_BYTES_MAX`].
    TooLong,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TemplateErrorKind::Unclosed => {
                write!(
                    f,
                    "the brace at position {} is never closed; write {{{{ for a brace",
                    self.at
                )
            }
            TemplateErrorKind::UnknownMacro { name, suggestions } => {
                write!(f, "unknown macro {{{name}}} at position {}", self.at)?;
                match suggestions.as_slice() {
                    [] => Ok(()),
                    names => write!(f, "; did you mean {}?", names.join(", ")),
                }
            }
            TemplateErrorKind::BadChoice => {
                write!(f, "the choice at position {} is not {{is_reversal?A:B}}", self.at)
            }
            TemplateErrorKind::TooLong => {
                write!(f, "a template has at most {TEMPLATE_BYTES_MAX} bytes")
            }
        }
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// The first thing that is not understood, with its position.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Template::parse_with(text, &[])
    }

    /// Reads a template that may also hold `aliases`.
    ///
    /// # Errors
    ///
    /// As [`Template::parse`].
    pub fn parse_with(text: &str, aliases: &[Alias]) -> Result<Self, TemplateError> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(error(TEMPLATE_BYTES_MAX, TemplateErrorKind::TooLong));
        }
        let mut template = Template::default();
        let mut at = 0;
        while let Some(next) = text[at..].chars().next() {
            let rest = &text[at..];
            at += if let Some(alias) = longest_alias(rest, aliases) {
                alias.value.pieces.iter().cloned().for_each(|p| template.push(p));
                alias.text.len()
            } else if rest.starts_with("{{") || rest.starts_with("}}") {
                template.push_text(&rest[..1]);
                2
            } else if next == '{' {
                let (piece, len) = braces(rest, at)?;
                template.push(piece);
                len
            } else {
                template.push_text(&rest[..next.len_utf8()]);
                next.len_utf8()
            };
        }
        Ok(template)
    }

    /// Text without any value; braces are braces.
    pub fn literal(text: &str) -> Self {
        let mut template = Template::default();
        template.push_text(text);
        template
    }

    /// One value and nothing else.
    pub fn of(value: Macro) -> Self {
        Template { pieces: vec![Piece::Value(value)] }
    }

    /// One of two texts.
    pub fn choice(reversed: &str, granted: &str) -> Self {
        Template {
            pieces: vec![Piece::Choice {
                reversed: reversed.to_owned(),
                granted: granted.to_owned(),
            }],
        }
    }

    /// This template followed by `text`.
    pub fn then(mut self, text: &str) -> Self {
        self.push_text(text);
        self
    }

    /// The parts, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The values named.
    pub fn macros(&self) -> impl Iterator<Item = Macro> + '_ {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value(value) => Some(*value),
            _ => None,
        })
    }

    /// Whether `value` is named.
    pub fn names(&self, value: Macro) -> bool {
        self.macros().any(|m| m == value)
    }

    /// Whether a reversal reads differently from a reward because of this template alone.
    pub fn tells_reversal(&self) -> bool {
        self.pieces.iter().any(|piece| {
            matches!(
                piece,
                Piece::Choice { .. } | Piece::Value(Macro::IsReversal | Macro::EventType)
            )
        })
    }

    /// Whether scheme, host and port of this URL are plain text, so that no value can redirect it.
    pub fn host_is_fixed(&self) -> bool {
        let Some(Piece::Text(start)) = self.pieces.first() else {
            return false;
        };
        let Some((_, after)) = start.split_once("://") else {
            return false;
        };
        self.pieces.len() == 1 || after.contains(['/', '?', '#'])
    }

    fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Text(text) => self.push_text(&text),
            other => self.pieces.push(other),
        }
    }

    fn push_text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }
}

impl From<Macro> for Template {
    fn from(value: Macro) -> Self {
        Template::of(value)
    }
}

/// Writes the text that [`Template::parse`] reads back as the same template.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}")),
            Piece::Value(value) => write!(f, "{{{}}}", value.name()),
            Piece::Choice { reversed, granted } => {
                write!(f, "{{is_reversal?{reversed}:{granted}}}")
            }
        })
    }
}

fn longest_alias<'a>(rest: &str, aliases: &'a [Alias]) -> Option<&'a Alias> {
    aliases
        .iter()
        .filter(|alias| !alias.text.is_empty() && rest.starts_with(&alias.text))
        .max_by_key(|alias| alias.text.len())
}

/// Reads `{…}` at the start of `rest`; answers the piece and the number of bytes read.
fn braces(rest: &str, at: usize) -> Result<(Piece, usize), TemplateError> {
    let Some(end) = rest.find('}') else {
        return Err(error(at, TemplateErrorKind::Unclosed));
    };
    let inner = &rest[1..end];
    let piece = match inner.split_once('?') {
        Some((name, texts)) => choice(name, texts, at)?,
        None => Piece::Value(known(inner, at)?),
    };
    Ok((piece, end + 1))
}

fn choice(name: &str, texts: &str, at: usize) -> Result<Piece, TemplateError> {
    let (Some(Macro::IsReversal), Some((reversed, granted))) =
        (Macro::from_name(name), texts.split_once(':'))
    else {
        return Err(error(at, TemplateErrorKind::BadChoice));
    };
    Ok(Piece::Choice { reversed: reversed.to_owned(), granted: granted.to_owned() })
}

fn known(name: &str, at: usize) -> Result<Macro, TemplateError> {
    Macro::from_name(name).ok_or_else(|| {
        let kind = TemplateErrorKind::UnknownMacro {
            name: name.to_owned(),
            suggestions: Macro::suggestions(name),
        };
        error(at, kind)
    })
}

fn error(at: usize, kind: TemplateErrorKind) -> TemplateError {
    TemplateError { at, kind }
}
