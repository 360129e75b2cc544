//! What every crate's manifest must say: the shared lints, and no tests in documentation.

use super::{Fault, File, Tree};

/// Faults of every member's manifest.
pub fn check(tree: &Tree) -> Vec<Fault> {
    let members = tree.files().filter(|file| file.path.ends_with("/Cargo.toml"));
    members.flat_map(|file| check_member(tree, file)).collect()
}

fn check_member(tree: &Tree, manifest: &File) -> Vec<Fault> {
    let mut faults = Vec::new();
    let folder = manifest.path.trim_end_matches("Cargo.toml");
    if !says(&manifest.text, "[lints]", "workspace = true") {
        faults.push(Fault::whole(&manifest.path, "must take over the lints of the workspace"));
    }
    let is_library = tree.get(&format!("{folder}src/lib.rs")).is_some();
    if is_library && !says(&manifest.text, "[lib]", "doctest = false") {
        let message = "needs `doctest = false` in [lib]: each such test links a program of its own";
        faults.push(Fault::whole(&manifest.path, message));
    }
    faults
}

/// Whether a line stands in a section.
fn says(manifest: &str, section: &str, wanted: &str) -> bool {
    let after = manifest.lines().map(str::trim).skip_while(|line| *line != section).skip(1);
    after.take_while(|line| !line.starts_with('[')).any(|line| line == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(manifest: &str) -> usize {
        check(&Tree::planted(&[("crates/api/Cargo.toml", manifest), ("crates/api/src/lib.rs", "")]))
            .len()
    }

    #[test]
    fn planted_omissions_are_found() {
        assert_eq!(faults("[lib]\ndoctest = false\n\n[lints]\nworkspace = true\n"), 0);
        assert_eq!(faults("[lib]\ndoctest = false\n"), 1);
        assert_eq!(faults("[lints]\nworkspace = true\n"), 1);
        assert_eq!(
            faults("[lib]\n\n[lints]\n\n[dependencies]\nworkspace = true\ndoctest = false\n"),
            2
        );
    }
}
