//! No file so large that a clone or a review suffers.

use super::{Fault, Tree};

/// Generated data and pictures beyond this belong elsewhere.
const BYTES_MAX: usize = 300 * 1024;

/// Written by cargo, and as long as it must be.
const EXEMPT: &[&str] = &["Cargo.lock"];

/// Files over the limit.
pub fn check(tree: &Tree) -> Vec<Fault> {
    let large = tree.files().filter(|file| file.bytes > BYTES_MAX);
    let faults = large.filter(|file| !EXEMPT.contains(&file.path.as_str()));
    faults
        .map(|file| {
            Fault::whole(&file.path, format!("{} bytes, the limit is {BYTES_MAX}", file.bytes))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_large_file_is_found() {
        let text = "x".repeat(BYTES_MAX + 1);
        let faults = |path| check(&Tree::planted(&[(path, &text)])).len();
        assert_eq!(faults("web/picture.svg"), 1);
        assert_eq!(faults("Cargo.lock"), 0);
        assert_eq!(check(&Tree::planted(&[("web/picture.svg", &text[1..])])), []);
    }
}
