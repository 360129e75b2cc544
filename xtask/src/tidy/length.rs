//! Functions and files stay short enough to be read at once.
//!
//! There is no list of exceptions: a function over the limit is split before it is merged.

use super::{Fault, File, Tree, crate_of};

/// A function must fit on a screen.
const FUNCTION_LINES_MAX: usize = 70;
/// Handlers extract, call the engine once, and map the answer; more lines are misplaced rules.
const HANDLER_LINES_MAX: usize = 40;
/// Test tables are read line by line and may be longer.
const TEST_LINES_MAX: usize = 120;
/// A file this long holds more than one subject.
const FILE_LINES_MAX: usize = 700;
/// From here on, think about splitting it.
const FILE_LINES_WARN: usize = 500;

/// Functions over the limit of where they stand, and files that could not be measured.
pub fn functions(tree: &Tree) -> Vec<Fault> {
    tree.rust().flat_map(functions_of).collect()
}

/// Files with too many lines, tests not counted.
pub fn files(tree: &Tree) -> Vec<Fault> {
    files_over(tree, FILE_LINES_MAX)
}

/// Files that are getting long: not faults, but said aloud.
pub fn long_files(tree: &Tree) -> Vec<Fault> {
    files_over(tree, FILE_LINES_WARN)
}

fn functions_of(file: &File) -> Vec<Fault> {
    if let Some((line, error)) = &file.facts.parse_error {
        return vec![Fault::new(&file.path, *line, format!("does not parse: {error}"))];
    }
    let mut faults = Vec::new();
    for function in &file.facts.functions {
        let is_test = function.is_test || file.is_test_line(function.line);
        let limit = function_limit(&file.path, is_test);
        if function.length > limit {
            let message = format!(
                "`{}` has {} lines, the limit here is {limit}",
                function.name, function.length
            );
            faults.push(Fault::new(&file.path, function.line, message));
        }
    }
    faults
}

fn function_limit(path: &str, is_test: bool) -> usize {
    match crate_of(path) {
        _ if is_test => TEST_LINES_MAX,
        Some("api" | "pages") => HANDLER_LINES_MAX,
        _ => FUNCTION_LINES_MAX,
    }
}

fn files_over(tree: &Tree, limit: usize) -> Vec<Fault> {
    let lengths = tree.rust().map(|file| (file, file.product_lines().count()));
    let over = lengths.filter(|(_, lines)| *lines > limit);
    over.map(|(file, lines)| {
        Fault::whole(&file.path, format!("{lines} lines without tests, the limit is {limit}"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    fn function_faults(path: &str, code: &str) -> usize {
        functions(&Tree::planted(&[(path, code)])).len()
    }

    #[test]
    fn planted_long_functions_are_found() {
        assert_eq!(function_faults("crates/engine/src/a.rs", &function(70)), 0);
        assert_eq!(function_faults("crates/engine/src/a.rs", &function(71)), 1);
        assert_eq!(function_faults("crates/api/src/a.rs", &function(40)), 0);
        assert_eq!(function_faults("crates/api/src/a.rs", &function(41)), 1);
        assert_eq!(function_faults("crates/pages/src/a.rs", &function(41)), 1);
    }

    #[test]
    fn planted_long_tests_are_found() {
        let module = |lines| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function(lines));
        assert_eq!(function_faults("crates/api/src/a.rs", &module(120)), 0);
        assert_eq!(function_faults("crates/api/src/a.rs", &module(121)), 1);
        assert_eq!(function_faults("crates/api/tests/a.rs", &function(120)), 0);
        assert_eq!(function_faults("crates/api/tests/a.rs", &function(121)), 1);
    }

    #[test]
    fn planted_nested_methods_are_found() {
        let code = format!("struct A;\nimpl A {{\n{}}}\n", function(71));
        assert_eq!(function_faults("xtask/src/a.rs", &code), 1);
        let code = format!("trait A {{\n{}}}\n", function(71));
        assert_eq!(function_faults("bench/src/a.rs", &code), 1);
    }

    #[test]
    fn a_planted_syntax_error_is_found() {
        assert_eq!(function_faults("crates/api/src/a.rs", "fn a( {"), 1);
    }

    #[test]
    fn planted_long_files_are_found() {
        let code = |lines| "const A: u8 = 0;\n".repeat(lines) + "#[cfg(test)]\nmod tests {\n}\n";
        let faults = |lines| {
            let tree = Tree::planted(&[("crates/api/src/a.rs", code(lines).as_str())]);
            (long_files(&tree).len(), files(&tree).len())
        };
        assert_eq!(faults(500), (0, 0));
        assert_eq!(faults(501), (1, 0));
        assert_eq!(faults(700), (1, 0));
        assert_eq!(faults(701), (1, 1));
    }
}
