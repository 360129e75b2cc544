//! Words that may not stand in Rust code, each with its reason and where it is allowed after all.
//!
//! The search is on tokens ([`super::tokens`]), so a needle written here as a string is not found
//! by the check itself. Reminders are looked for in the text, comments included, and therefore
//! put together from halves. Aliased imports get past this check and are caught by
//! `disallowed-methods` in `clippy.toml`.

use super::tokens::{self, Token};
use super::{Fault, File, Tree, crate_of};

/// Where a banned needle is allowed.
#[derive(Clone, Copy)]
struct Allowed {
    crates: &'static [&'static str],
    tests: bool,
}

const NOWHERE: Allowed = Allowed { crates: &[], tests: false };
const AT_THE_EDGE: Allowed = Allowed { crates: &["app", "xtask", "bench"], tests: true };
const IN_COMMANDS: Allowed = Allowed { crates: &["app", "xtask", "bench"], tests: false };
/// `app` calls its own server only: the commands ask the one that holds the database.
const OUTBOUND: Allowed = Allowed { crates: &["jobs", "app", "bench"], tests: true };

const UNFINISHED: &str = "unfinished code is not merged";
const CLOCK: &str = "time is an argument; only `app` reads the clock";
const RANDOM: &str = "randomness is an argument; only `app` draws it";
const GUARDED: &str = "outbound requests go through the guarded client in `jobs`";

/// What is looked for in the code, why not, and where it is allowed.
const CODE: &[(&str, &str, Allowed)] = &[
    ("todo!", UNFINISHED, NOWHERE),
    ("unimplemented!", UNFINISHED, NOWHERE),
    ("dbg!", UNFINISHED, NOWHERE),
    (
        "#[ignore",
        "a test runs or does not exist; slow ones wait for an environment variable",
        NOWHERE,
    ),
    ("println!", "use tracing; only commands print", IN_COMMANDS),
    ("print!", "use tracing; only commands print", IN_COMMANDS),
    ("SystemTime::now", CLOCK, AT_THE_EDGE),
    ("Timestamp::now", CLOCK, AT_THE_EDGE),
    ("Zoned::now", CLOCK, AT_THE_EDGE),
    ("Utc::now", CLOCK, AT_THE_EDGE),
    ("Local::now", CLOCK, AT_THE_EDGE),
    ("thread_rng", RANDOM, NOWHERE),
    ("rand::", RANDOM, AT_THE_EDGE),
    ("getrandom::", RANDOM, AT_THE_EDGE),
    ("reqwest::Client::new", GUARDED, OUTBOUND),
    ("reqwest::Client::builder", GUARDED, OUTBOUND),
    ("reqwest::get", GUARDED, OUTBOUND),
];

/// Reminders, wherever they stand: an issue is a better place.
const REMINDERS: &[&str] = &[concat!("FIX", "ME"), concat!("XX", "X")];

/// Every banned word of every Rust file.
pub fn check(tree: &Tree) -> Vec<Fault> {
    tree.rust().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Fault> {
    let mut faults = code_faults(file);
    faults.extend(reminder_faults(file));
    faults.extend(bare_allows(file));
    faults
}

fn code_faults(file: &File) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (needle, why, allowed) in CODE {
        for line in tokens::find(&file.facts.tokens, needle) {
            if !allowed.at(file, line) {
                faults.push(Fault::new(&file.path, line, format!("`{needle}`: {why}")));
            }
        }
    }
    faults
}

impl Allowed {
    fn at(self, file: &File, line: usize) -> bool {
        // A build script talks to cargo by printing.
        let build_script = file.path.ends_with("/build.rs") && !self.crates.is_empty();
        let in_crate = crate_of(&file.path).is_some_and(|name| self.crates.contains(&name));
        build_script || in_crate || (self.tests && file.is_test_line(line))
    }
}

fn reminder_faults(file: &File) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        if let Some(word) = words.find(|word| REMINDERS.contains(word)) {
            faults.push(Fault::new(
                &file.path,
                index + 1,
                format!("`{word}`: open an issue instead"),
            ));
        }
    }
    faults
}

/// `allow` attributes that give no reason.
fn bare_allows(file: &File) -> Vec<Fault> {
    let tokens = &file.facts.tokens;
    let starts = (0..tokens.len()).filter(|start| opens_allow(&tokens[*start..]));
    let bare = starts.filter(|start| !gives_reason(&tokens[*start..]));
    let message = "a bare `allow`: prefer `#[expect(lint, reason = \"…\")]`";
    bare.map(|start| Fault::new(&file.path, tokens[start].line, message)).collect()
}

fn opens_allow(tokens: &[Token]) -> bool {
    let word = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
    let inner = usize::from(word(1) == "!");
    word(0) == "#" && word(1 + inner) == "[" && word(2 + inner) == "allow" && word(3 + inner) == "("
}

/// Whether `reason` stands before the attribute's closing bracket.
fn gives_reason(tokens: &[Token]) -> bool {
    let attribute = tokens.iter().take_while(|token| token.text != "]");
    attribute.into_iter().any(|token| token.text == "reason")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, code: &str) -> Vec<Fault> {
        check(&Tree::planted(&[(path, code)]))
    }

    /// A line of code that holds the needle.
    fn planted(needle: &str) -> String {
        match needle {
            "#[ignore" => "#[ignore]\nfn a() {}".to_owned(),
            macro_call if macro_call.ends_with('!') => format!("fn a() {{ {macro_call}(); }}"),
            path if path.ends_with("::") => format!("fn a() {{ {path}random(); }}"),
            path => format!("fn a() {{ {path}(); }}"),
        }
    }

    #[test]
    fn every_planted_word_is_found_in_the_engine() {
        for (needle, ..) in CODE {
            let found = faults("crates/engine/src/a.rs", &planted(needle));
            assert!(
                found.iter().any(|fault| fault.message.contains(needle)),
                "`{needle}` got past"
            );
        }
    }

    #[test]
    fn words_are_allowed_where_they_belong() {
        for (needle, _, allowed) in CODE {
            for name in allowed.crates {
                let path = format!("crates/{name}/src/a.rs");
                assert_eq!(faults(&path, &planted(needle)), [], "`{needle}` in {name}");
            }
            let in_tests = faults("crates/engine/tests/a.rs", &planted(needle));
            assert_eq!(in_tests.is_empty(), allowed.tests, "`{needle}` in tests");
        }
    }

    #[test]
    fn planted_reminders_are_found_in_comments() {
        for word in REMINDERS {
            assert_eq!(faults("xtask/src/a.rs", &format!("// {word}: later")).len(), 1);
            assert_eq!(faults("xtask/src/a.rs", &format!("// {word}Y: a name")), []);
        }
    }

    #[test]
    fn a_planted_bare_allow_is_found() {
        let count = |code| faults("xtask/src/a.rs", code).len();
        assert_eq!(count("#[allow(dead_code)]\nfn a() {}"), 1);
        assert_eq!(count("#![allow(dead_code)]\nfn a(reason: u8) {}"), 1);
        assert_eq!(count("#[allow(dead_code, reason = \"read by a test\")]\nfn a() {}"), 0);
        assert_eq!(count("#[expect(dead_code, reason = \"read by a test\")]\nfn a() {}"), 0);
    }
}
