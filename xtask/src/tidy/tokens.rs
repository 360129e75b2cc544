//! Rust code as a flat list of tokens, so that a search sees code and neither comments nor strings,
//! and a line break or a space in the middle hides nothing.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One token and the line it starts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The identifier or the single punctuation mark; empty for a literal.
    pub text: String,
    /// Counted from one.
    pub line: usize,
}

/// The tokens of a stream, with brackets as tokens of their own.
pub fn flatten(stream: TokenStream) -> Vec<Token> {
    let mut tokens = Vec::new();
    push_all(stream, &mut tokens);
    tokens
}

/// The lines on which a needle such as `Clock::now` or `print!` starts.
pub fn find(tokens: &[Token], needle: &str) -> Vec<usize> {
    let words = split(needle);
    if words.is_empty() {
        return Vec::new();
    }
    let found = tokens
        .windows(words.len())
        .filter(|window| window.iter().zip(&words).all(|(token, word)| token.text == *word));
    found.map(|window| window[0].line).collect()
}

fn push_all(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                tokens.push(Token { text: open.to_owned(), line });
                push_all(group.stream(), tokens);
                let line = group.span_close().end().line;
                tokens.push(Token { text: close.to_owned(), line });
            }
            TokenTree::Literal(_) => tokens.push(Token { text: String::new(), line }),
            TokenTree::Ident(_) | TokenTree::Punct(_) => {
                tokens.push(Token { text: tree.to_string(), line });
            }
        }
    }
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// Splits a needle into identifiers and single punctuation marks.
fn split(needle: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = Vec::new();
    let mut rest = needle.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match rest.find(|c| !is_word(c)) {
            Some(0) => first.len_utf8(),
            Some(end) => end,
            None => rest.len(),
        };
        let (word, tail) = rest.split_at(length);
        words.push(word);
        rest = tail.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(code: &str, needle: &str) -> Vec<usize> {
        find(&flatten(code.parse().unwrap()), needle)
    }

    #[test]
    fn code_is_found_however_it_is_laid_out() {
        assert_eq!(lines("a();\nlet t = Clock\n    ::now();", "Clock::now"), [2]);
        assert_eq!(lines("#[slow] fn a() {}\n# [slow] fn b() {}", "#[slow"), [1, 2]);
        assert_eq!(lines("deep!({ [ shout ! (1) ] })", "shout!"), [1]);
    }

    #[test]
    fn comments_strings_and_longer_names_are_not_code() {
        let code = "/// Clock::now\nfn a() { b(\"Clock::now\"); OtherClock::now(); } // Clock::now";
        assert!(lines(code, "Clock::now").is_empty());
        assert!(lines("eshout!()", "shout!").is_empty());
    }
}
