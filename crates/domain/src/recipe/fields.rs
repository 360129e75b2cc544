//! The fields of a postback as they came, and which of their values say nothing.

use std::fmt;

/// Names and values of a postback in the order in which they came, percent-decoded once.
///
/// Whoever signs the body only vouches for the body only: where a recipe's signature is over
/// [`super::SignedContent::Body`], fields of the query do not belong in here (see
/// [`super::Recipe::takes_query`]).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Takes the pairs as they came, repeated names included.
    #[must_use]
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Every pair, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of the first field of that name, to the byte.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// The value of the first field of that name without the blanks around it; `None` if it
    /// [says nothing](is_null).
    #[must_use]
    pub fn said(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !is_null(value)).map(trimmed)
    }

    /// Whether the name comes more than once with values that differ.
    #[must_use]
    pub fn is_contradictory(&self, name: &str) -> bool {
        let mut values = self.values(name);
        values.next().is_some_and(|first| values.any(|value| value != first))
    }

    /// The values of that name, in order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter(move |(own, _)| *own == name).map(|(_, value)| value)
    }
}

/// Only the names are shown: values hold click ids, addresses and advertising ids (X3).
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// What senders write for "there is none", in lower case.
const NULLS: [&str; 3] = ["null", "undefined", "n/a"];

/// How macros open and close in partners' templates, in lower case; the longer spelling first. The
/// escaped braces are what is left of a template that was escaped twice.
const BRACKETS: [(&str, &str); 6] =
    [("${", "}"), ("{{", "}}"), ("{", "}"), ("[", "]"), ("(", ")"), ("%7b", "%7d")];

/// What never stands inside a macro: a value with one of these is somebody's JSON.
const NEVER_IN_MACROS: [char; 5] = ['"', '{', '}', '[', ']'];

/// Whether a value says nothing: empty, a word for nothing, or a macro that nobody filled in.
#[must_use]
pub fn is_null(value: &str) -> bool {
    let value = trimmed(value).to_ascii_lowercase();
    value.is_empty() || NULLS.contains(&value.as_str()) || is_macro(&value)
}

/// A macro names something: `(1.50)` is an amount in a book-keeper's hand, not a macro.
fn is_macro(value: &str) -> bool {
    let inside = |&(open, close): &(&str, &str)| value.strip_prefix(open)?.strip_suffix(close);
    let is_name = |name: &str| {
        let has_letter = name.chars().any(char::is_alphabetic);
        (name.is_empty() || has_letter) && !name.contains(NEVER_IN_MACROS)
    };
    BRACKETS.iter().filter_map(inside).any(is_name)
}

/// Blanks around a value are a slip of somebody's template; other white space is refused later.
fn trimmed(value: &str) -> &str {
    value.trim_matches(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_and_words_for_nothing_are_null() {
        let cases = [
            "",
            "   ",
            "null",
            "NULL",
            "Null ",
            "undefined",
            "N/A",
            "n/a",
            "{click_id}",
            "{{x}}",
            "{ x }",
            "(clickid)",
            "(install-unix-ts)",
            "[x]",
            "[%TX%]",
            "[%tx%]",
            "${x}",
            "${(name)!}",
            "%7Bclick_id%7D",
            "%7bclick_id%7d",
            "{}",
            "[]",
            "()",
            " (x) ",
            "{금액}",
        ];
        for value in cases {
            assert!(is_null(value), "{value:?}");
        }
    }

    #[test]
    fn what_says_something_is_not_null() {
        let cases = [
            "0",
            "-",
            "false",
            "nullable",
            "n",
            "{x",
            "x}",
            "a{b}",
            "(1.50)",
            "(1,234)",
            "[1]",
            r#"{"a":1}"#,
            r#"["a"]"#,
            "{a}{b}",
            "%7Bx",
            "(x",
            "x)",
            "$x",
            "none of it",
            "\u{ff5b}x\u{ff5d}",
        ];
        for value in cases {
            assert!(!is_null(value), "{value:?}");
        }
    }

    #[test]
    fn the_first_of_a_name_counts_and_a_second_may_contradict() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let fields = Fields::new(vec![
            pair("a", " 1 "),
            pair("b", "{b}"),
            pair("a", " 1 "),
            pair("c", "x"),
            pair("c", "y"),
            pair("b", "2"),
        ]);
        let cases = [
            ("a", Some("1"), false),
            ("b", None, true),
            ("c", Some("x"), true),
            ("d", None, false),
            ("A", None, false),
        ];
        for (name, said, is_contradictory) in cases {
            assert_eq!(fields.said(name), said, "{name}");
            assert_eq!(fields.is_contradictory(name), is_contradictory, "{name}");
        }
        assert_eq!(format!("{fields:?}"), r#"["a", "b", "a", "c", "c", "b"]"#);
    }
}
