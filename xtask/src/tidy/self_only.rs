//! The repository speaks of itself only: nothing of the machine it was written on.
//!
//! A path that exists on one machine is a broken instruction on every other. The needles are put
//! together from halves, so that this file is checked like any other.

use super::{Fault, Tree};

/// How the needle must stand in the text to count.
#[derive(Clone, Copy)]
enum Stands {
    /// As the beginning of a path: not in the middle of an address or of another path.
    First,
    /// As a whole word: `.name`, but not `value.name` nor `.names`.
    Alone,
    Anywhere,
}

const NEEDLES: &[(&str, Stands)] = &[
    (concat!("/wo", "rk/"), Stands::First),
    (concat!("/ro", "ot/"), Stands::First),
    (concat!("/ho", "me/"), Stands::First),
    (concat!("../sha", "red"), Stands::Anywhere),
    (concat!(".libr", "ary"), Stands::Alone),
    (concat!("index.crates", ".io"), Stands::Anywhere),
    (concat!("static.crates", ".io"), Stands::Anywhere),
    (concat!("pypi", ".org"), Stands::Anywhere),
    (concat!("files.pythonhosted", ".org"), Stands::Anywhere),
    (concat!("registry.npmjs", ".org"), Stands::Anywhere),
    (concat!("deb.debian", ".org"), Stands::Anywhere),
];

/// Written by package managers, which note where a package came from.
const LOCK_FILES: &[&str] = &["Cargo.lock", "package-lock.json"];

/// Mentions of this or that machine, in any text file.
pub fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.files().filter(|file| !is_lock_file(&file.path)) {
        for (index, line) in file.text.lines().enumerate() {
            let found = NEEDLES.iter().filter(|(needle, stands)| mentions(line, needle, *stands));
            faults.extend(found.map(|(needle, _)| {
                Fault::new(
                    &file.path,
                    index + 1,
                    format!("mentions `{needle}`, which others do not have"),
                )
            }));
        }
    }
    faults
}

fn is_lock_file(path: &str) -> bool {
    LOCK_FILES.iter().any(|name| path.rsplit('/').next() == Some(name))
}

fn mentions(line: &str, needle: &str, stands: Stands) -> bool {
    line.match_indices(needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + needle.len()..].chars().next();
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        match stands {
            Stands::First => {
                !before.is_some_and(|c| is_name(c) || matches!(c, '.' | '/' | '}' | ')'))
            }
            Stands::Alone => {
                !before.is_some_and(|c| is_name(c) || matches!(c, ')' | ']' | '?'))
                    && !after.is_some_and(is_name)
            }
            Stands::Anywhere => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> usize {
        check(&Tree::planted(&[(path, text)])).len()
    }

    #[test]
    fn every_planted_mention_is_found() {
        for (needle, _) in NEEDLES {
            for text in [
                format!("{needle} first\n"),
                format!("see `{needle}`\n"),
                format!("\"{needle}\"\n"),
            ] {
                assert_eq!(faults("docs/a.md", &text), 1, "{text}");
            }
        }
    }

    #[test]
    fn addresses_fields_and_lock_files_are_left_alone() {
        for (needle, stands) in NEEDLES {
            match stands {
                Stands::First => {
                    assert_eq!(faults("docs/a.md", &format!("https://a.example{needle}b")), 0)
                }
                Stands::Alone => {
                    assert_eq!(faults("web/a.ts", &format!("book{needle}")), 0);
                    assert_eq!(faults("web/a.ts", &format!("{needle}-name")), 0);
                }
                Stands::Anywhere => {}
            }
            assert_eq!(faults("Cargo.lock", needle), 0);
        }
    }
}
