//! Text that came from outside: titles, names, descriptions, questions.
//!
//! Guarantee: what a [`Plain`] shows cannot reorder, hide or overflow the text around it. Control
//! characters and bidirectional overrides are gone, white space is single, and the length has a
//! limit. It is *not* HTML escaped: the templates do that for every value.

use std::fmt;

/// Longest text shown, in characters. Long enough for a paragraph of fine print, short enough that
/// thirty of them keep a page under its weight limit.
const PLAIN_CHARS_MAX: usize = 600;

/// Cleaned text from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plain(String);

impl Plain {
    /// Cleans a text.
    pub fn new(raw: &str) -> Self {
        let mut shown = String::with_capacity(raw.len());
        let mut count = 0;
        for word in raw.split(is_space) {
            let word: String = word.chars().filter(|c| !is_hidden(*c)).collect();
            if word.is_empty() {
                continue;
            }
            if !shown.is_empty() {
                shown.push(' ');
            }
            count += word.chars().count() + 1;
            shown.push_str(&word);
            if count > PLAIN_CHARS_MAX {
                return Self(cut(&shown));
            }
        }
        Self(shown)
    }

    /// The cleaned text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Plain {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl From<String> for Plain {
    fn from(raw: String) -> Self {
        Self::new(&raw)
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(PLAIN_CHARS_MAX).collect();
    short.push('…');
    short
}

/// Every control character separates words, so that "a\0b" cannot pose as "ab".
fn is_space(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// Overrides, embeddings and isolates of the bidirectional algorithm, the byte order mark, and the
/// invisible separators that some hosts use to slip past a word list.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{200b}'
        | '\u{2060}'..='\u{2064}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_what_can_deceive() {
        let cases = [
            ("  Idle \n\t Farm ", "Idle Farm"),
            ("gpj\u{202e}.exe", "gpj.exe"),
            ("a\u{0}b", "a b"),
            ("\u{2067}\u{feff}", ""),
            ("👩\u{200d}🌾 농장", "👩\u{200d}🌾 농장"),
        ];
        for (raw, shown) in cases {
            assert_eq!(Plain::new(raw).as_str(), shown);
        }
    }

    #[test]
    fn cuts_what_is_too_long() {
        let one_word = Plain::new(&"가".repeat(5_000));
        assert_eq!(one_word.as_str().chars().count(), PLAIN_CHARS_MAX + 1);
        let many = Plain::new(&"word ".repeat(5_000));
        assert!(many.as_str().chars().count() <= PLAIN_CHARS_MAX + 1);
    }
}
