//! The files under check, read once: what git tracks and what it would track.

use std::fs;
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::facts::{self, Facts};
use crate::process;

/// The files of the repository.
#[derive(Default)]
pub struct Tree {
    files: Vec<File>,
}

/// One file, with what a parser found in it when it is Rust.
pub struct File {
    /// Relative to the repository's root, with forward slashes.
    pub path: String,
    /// Its size on disk.
    pub bytes: usize,
    /// Its text; empty when it is not UTF-8.
    pub text: String,
    /// What was found in a Rust file; empty for others.
    pub facts: Facts,
    /// Whether everything in the file is test code.
    pub is_test: bool,
}

impl Tree {
    /// Reads tracked files and untracked ones that are not ignored, so that a new file is checked
    /// before it is committed.
    pub fn from_git(root: &Path) -> Result<Self> {
        let mut command = Command::new("git");
        command.current_dir(root).args(["ls-files", "-z", "-co", "--exclude-standard"]);
        let listing = process::output(&mut command)?;
        let mut files = Vec::new();
        for path in listing.split('\0').filter(|path| !path.is_empty()) {
            match fs::read(root.join(path)) {
                Ok(bytes) => files.push(File::new(path, bytes)),
                // Deleted and not yet committed, or a link to a folder.
                Err(error)
                    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {}
                Err(error) => return Err(error).with_context(|| format!("cannot read {path}")),
            }
        }
        Ok(Self::new(files))
    }

    /// A tree made up for a test: paths and their texts.
    pub fn planted(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File::new(path, text.as_bytes().to_vec());
        Self::new(files.iter().map(file).collect())
    }

    fn new(mut files: Vec<File>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        mark_test_modules(&mut files);
        Self { files }
    }

    /// Every file, in order of its path.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// The Rust files.
    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// The file at a path.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl File {
    fn new(path: &str, content: Vec<u8>) -> Self {
        let bytes = content.len();
        let text = String::from_utf8(content).unwrap_or_default();
        let facts = if path.ends_with(".rs") { facts::gather(&text) } else { Facts::default() };
        let is_test = facts.all_test || is_test_path(path);
        Self { path: path.to_owned(), bytes, text, facts, is_test }
    }

    /// Whether a line, counted from one, is test code.
    pub fn is_test_line(&self, line: usize) -> bool {
        let holds = |span: &RangeInclusive<usize>| span.contains(&line);
        self.is_test || self.facts.test_spans.iter().any(holds)
    }

    /// The lines that are not test code, with their numbers.
    pub fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        numbered.filter(|(number, _)| !self.is_test_line(*number))
    }
}

fn is_test_path(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    parts.iter().any(|part| matches!(*part, "tests" | "benches"))
        || name == "tests.rs"
        || name.ends_with("_tests.rs")
}

/// Marks the files of modules that are declared as `#[cfg(test)] mod name;` elsewhere.
fn mark_test_modules(files: &mut [File]) {
    let modules: Vec<String> = files.iter().flat_map(test_modules).collect();
    for file in files {
        file.is_test |= modules.iter().any(|module| {
            let rest = file.path.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
    }
}

fn test_modules(file: &File) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let base = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => file.path.trim_end_matches(".rs").to_owned(),
    };
    file.facts.test_modules.iter().map(|module| format!("{base}/{module}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_code_is_told_from_product_code() {
        let inline = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        let tree = Tree::planted(&[
            ("crates/api/src/lib.rs", inline),
            ("crates/api/src/routes.rs", "#[cfg(test)]\nmod fixtures;\n"),
            ("crates/api/src/routes/fixtures.rs", "fn c() {}\n"),
            ("crates/api/src/routes/fixtures/deep.rs", "fn d() {}\n"),
            ("crates/api/tests/http.rs", "fn e() {}\n"),
        ]);
        let is_test = |path: &str, line| tree.get(path).unwrap().is_test_line(line);
        assert!(!is_test("crates/api/src/lib.rs", 1));
        assert!(is_test("crates/api/src/lib.rs", 2) && is_test("crates/api/src/lib.rs", 5));
        assert!(!is_test("crates/api/src/routes.rs", 9));
        assert!(is_test("crates/api/src/routes/fixtures.rs", 1));
        assert!(is_test("crates/api/src/routes/fixtures/deep.rs", 1));
        assert!(is_test("crates/api/tests/http.rs", 1));
    }

    #[test]
    fn the_repository_can_be_read() {
        let tree = Tree::from_git(process::root()).unwrap();
        assert!(tree.get("xtask/src/tidy/tree.rs").is_some());
        assert!(tree.get("Cargo.toml").is_some());
        assert!(!tree.files().any(|file| file.path.starts_with("target/")));
    }
}
