//! How much of each crate is explained: lines of doc comments for each line of code.

use std::collections::BTreeMap;

use super::{Fault, Tree, crate_of};

/// The share below which the code of the models we follow never falls.
const PERCENT_MIN: usize = 12;

/// The lines of one crate, tests not counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Lines of doc comments.
    pub docs: usize,
    /// Lines that are neither blank nor comments.
    pub code: usize,
}

impl Share {
    /// Doc lines for each hundred lines of code; an empty crate is fully explained.
    pub fn percent(&self) -> usize {
        (self.docs * 100).checked_div(self.code).unwrap_or(100)
    }
}

/// The share of each crate under `crates/`.
pub fn shares(tree: &Tree) -> BTreeMap<&str, Share> {
    let mut shares = BTreeMap::new();
    for file in tree.rust().filter(|file| file.path.starts_with("crates/") && !file.is_test) {
        let Some(name) = crate_of(&file.path) else {
            continue;
        };
        let share: &mut Share = shares.entry(name).or_default();
        for (_, line) in file.product_lines() {
            let line = line.trim_start();
            if line.starts_with("///") || line.starts_with("//!") {
                share.docs += 1;
            } else if !line.is_empty() && !line.starts_with("//") {
                share.code += 1;
            }
        }
    }
    shares
}

/// Crates that are explained too little.
pub fn check(tree: &Tree) -> Vec<Fault> {
    let low = shares(tree).into_iter().filter(|(_, share)| share.percent() < PERCENT_MIN);
    low.map(|(name, share)| {
        let Share { docs, code } = share;
        let percent = share.percent();
        let message = format!(
            "{docs} doc lines for {code} lines of code are {percent} %, at least {PERCENT_MIN} % are wanted"
        );
        Fault::whole(format!("crates/{name}"), message)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(docs: usize, code: usize) -> Tree {
        let tests = "#[cfg(test)]\nmod tests {\n    fn not_counted() {}\n}\n";
        let text =
            "/// Why.\n".repeat(docs) + &"const A: u8 = 0;\n\n// How.\n".repeat(code) + tests;
        Tree::planted(&[("crates/api/src/lib.rs", &text), ("crates/api/tests/a.rs", "fn a() {}\n")])
    }

    #[test]
    fn a_planted_unexplained_crate_is_found() {
        assert_eq!(check(&tree(12, 100)), []);
        assert_eq!(check(&tree(11, 100)).len(), 1);
        assert_eq!(shares(&tree(11, 100))["api"], Share { docs: 11, code: 100 });
    }

    #[test]
    fn an_empty_crate_is_fine() {
        assert_eq!(check(&tree(0, 0)), []);
    }
}
