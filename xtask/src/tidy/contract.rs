//! Every method of every port has a case in the contract suite that all adapters must pass.
//!
//! Ports are the traits in `crates/store/src/ports/`; the cases are the `pub async fn` in
//! `crates/store/src/contract/`, named `<port>_<method>…`, for example `users_commit_is_idempotent`,
//! where the port is called by its file (`catalog`), or by its trait (`catalog_store`,
//! `catalogstore`) when two ports in one file have a method in common.
//! A case belongs to the longest method name that begins its own, so `users_commit_all_…` says
//! nothing about `commit` when there is a method `commit_all`. A case that nothing calls is a fault
//! too: it would pass on every adapter.

use std::collections::BTreeSet;

use super::{Fault, File, Tree};

const PORTS: &str = "crates/store/src/ports";
const CASES: &str = "crates/store/src/contract";

/// Methods without a case and cases without a caller.
pub fn check(tree: &Tree) -> Vec<Fault> {
    let methods: Vec<Method> = under(tree, PORTS).flat_map(methods_of).collect();
    if methods.is_empty() {
        return vec![Fault::whole(PORTS, "no port found: traits with methods are expected here")];
    }
    let cases: Vec<Case> = under(tree, CASES).flat_map(cases_of).collect();
    let covered: BTreeSet<usize> =
        cases.iter().filter_map(|case| owner(&methods, case.name)).collect();
    let bare = methods.iter().enumerate().filter(|(index, _)| !covered.contains(index));
    let mut faults: Vec<Fault> = bare
        .map(|(_, method)| {
            let message = format!("no case in {CASES} is called `{}…`", method.prefixes[0]);
            Fault::new(&method.file.path, method.line, message)
        })
        .collect();
    let idle = cases.iter().filter(|case| !is_used(tree, case.name));
    faults.extend(idle.map(|case| {
        Fault::new(&case.file.path, case.line, format!("nothing runs the case `{}`", case.name))
    }));
    faults
}

struct Method<'a> {
    /// How its cases may begin: `<port>_<method>`.
    prefixes: [String; 3],
    file: &'a File,
    line: usize,
}

struct Case<'a> {
    name: &'a str,
    file: &'a File,
    line: usize,
}

/// The files of a module: in its folder, or the one file of that name.
fn under<'a>(tree: &'a Tree, module: &'a str) -> impl Iterator<Item = &'a File> {
    tree.rust().filter(move |file| {
        let rest = file.path.strip_prefix(module);
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/')) && !file.is_test
    })
}

fn methods_of(file: &File) -> Vec<Method<'_>> {
    let name = file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    let mut methods = Vec::new();
    for port in &file.facts.traits {
        for (method, line) in &port.methods {
            let ports = [name.to_owned(), snake(&port.name), port.name.to_lowercase()];
            let prefixes = ports.map(|port| format!("{port}_{method}"));
            methods.push(Method { prefixes, file, line: *line });
        }
    }
    methods
}

fn cases_of(file: &File) -> Vec<Case<'_>> {
    let cases = file.facts.functions.iter().filter(|function| function.is_public_async);
    cases.map(|function| Case { name: &function.name, file, line: function.line }).collect()
}

/// The index of the method a case is about: the longest one whose name begins the case's name.
fn owner(methods: &[Method<'_>], case: &str) -> Option<usize> {
    let begins = |prefix: &&String| {
        let rest = case.strip_prefix(prefix.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let longest =
        |method: &Method<'_>| method.prefixes.iter().filter(begins).map(String::len).max();
    let fitting =
        methods.iter().enumerate().filter_map(|(index, method)| Some((longest(method)?, index)));
    fitting.max().map(|(_, index)| index)
}

/// Whether the name stands anywhere beside its own definition.
fn is_used(tree: &Tree, case: &str) -> bool {
    let tokens = tree.rust().flat_map(|file| &file.facts.tokens);
    tokens.filter(|token| token.text == case).count() > 1
}

/// `LineItems` as `line_items`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: &str =
        "pub trait Users {\n    async fn load(&self);\n    async fn load_all(&self);\n}\n";

    fn messages(cases: &str, runner: &str) -> Vec<String> {
        let tree = Tree::planted(&[
            ("crates/store/src/ports/users.rs", PORT),
            ("crates/store/src/contract/users.rs", cases),
            ("crates/store/src/contract/mod.rs", runner),
        ]);
        check(&tree).into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn a_planted_method_without_a_case_is_found() {
        let both = "pub async fn users_load_of_nobody() {}\npub async fn users_load_all() {}\n";
        let runner = "fn all() { users_load_of_nobody(); users_load_all(); }";
        assert_eq!(messages(both, runner), [""; 0]);
        let one = "pub async fn users_load_all() {}\n";
        assert_eq!(
            messages(one, "fn all() { users_load_all(); }"),
            [format!("no case in {CASES} is called `users_load…`")]
        );
    }

    #[test]
    fn planted_cases_that_nothing_runs_are_found() {
        let both = "pub async fn users_load() {}\npub async fn users_load_all() {}\n";
        assert_eq!(
            messages(both, "cases![users_load];"),
            ["nothing runs the case `users_load_all`"]
        );
    }

    #[test]
    fn a_port_is_called_by_its_file_or_by_its_trait() {
        for case in ["catalog_save_twice", "catalog_store_save", "catalogstore_save"] {
            let tree = Tree::planted(&[
                ("crates/store/src/ports/catalog.rs", "trait CatalogStore { fn save(&self); }"),
                ("crates/store/src/contract.rs", &format!("pub async fn {case}() {{ {case}() }}")),
            ]);
            assert_eq!(check(&tree), [], "{case}");
        }
    }

    #[test]
    fn a_tree_without_ports_is_a_fault() {
        assert_eq!(check(&Tree::default()).len(), 1);
    }

    #[test]
    fn names_of_ports_become_prefixes() {
        assert_eq!(snake("Users"), "users");
        assert_eq!(snake("LineItems"), "line_items");
    }
}
