//! Every decision that is cited exists, and no two decisions share a number.

use std::collections::BTreeMap;

use super::{Fault, Tree};

const FOLDER: &str = "docs/adr/";
/// How code and documents cite a decision; four digits follow.
const CITATIONS: &[&str] = &["ADR ", "ADR-", "adr/"];
const DIGITS: usize = 4;

/// Citations of decisions that do not exist, and numbers given twice.
pub fn check(tree: &Tree) -> Vec<Fault> {
    let mut decisions: BTreeMap<&str, &str> = BTreeMap::new();
    let mut faults = Vec::new();
    for file in tree.files() {
        let number = file.path.strip_prefix(FOLDER).and_then(leading_number);
        if let Some(first) = number.and_then(|number| decisions.insert(number, &file.path)) {
            faults.push(Fault::whole(&file.path, format!("has the same number as {first}")));
        }
    }
    for file in tree.files() {
        for (index, line) in file.text.lines().enumerate() {
            let unknown = citations(line).filter(|number| !decisions.contains_key(number));
            faults.extend(unknown.map(|number| {
                Fault::new(
                    &file.path,
                    index + 1,
                    format!("decision {number} does not exist in {FOLDER}"),
                )
            }));
        }
    }
    faults
}

fn citations(line: &str) -> impl Iterator<Item = &str> {
    CITATIONS.iter().flat_map(move |citation| {
        line.match_indices(citation)
            .filter_map(|(at, _)| leading_number(&line[at + citation.len()..]))
    })
}

fn leading_number(text: &str) -> Option<&str> {
    let number = text.get(..DIGITS)?;
    let longer = text[DIGITS..].starts_with(|c: char| c.is_ascii_digit());
    (number.bytes().all(|byte| byte.is_ascii_digit()) && !longer).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together from parts, so that this file cites no decision itself.
    const FIRST: &str = concat!("docs/adr/", "0001-one-binary.md");

    fn faults(citation: &str, number: &str) -> usize {
        let text = format!("// See {citation}{number}-name.\n");
        check(&Tree::planted(&[(FIRST, "# One binary\n"), ("crates/api/src/lib.rs", &text)])).len()
    }

    #[test]
    fn planted_citations_of_nothing_are_found() {
        for citation in CITATIONS {
            assert_eq!(faults(citation, "0001"), 0, "{citation}");
            assert_eq!(faults(citation, "0002"), 1, "{citation}");
            assert_eq!(faults(citation, "of four lines"), 0, "{citation}");
            assert_eq!(faults(citation, "00020"), 0, "{citation}");
        }
    }

    #[test]
    fn a_planted_number_given_twice_is_found() {
        let second = FIRST.replace("one", "two");
        assert_eq!(check(&Tree::planted(&[(FIRST, "# One\n"), (&second, "# Two\n")])).len(), 1);
    }
}
