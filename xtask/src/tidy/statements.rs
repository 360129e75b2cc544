//! What the program asks of its databases stands in one place for each adapter, so that
//! `guerdon explain` shows all of it.
//!
//! A literal that begins like a statement of SQL stands in the adapter's `sql.rs` (no other crate may
//! use the libraries that speak to a database, see [`super::graph`]); requests to DynamoDB
//! are sent by the adapter's client, under a name of its list. The exceptions are named here, and one
//! that nothing needs any more is a fault. Tests may ask what they like.

use syn::LitStr;
use syn::visit::{self, Visit};

use super::{Fault, File, Tree, crate_of, tokens};

/// How statements begin.
const VERBS: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "REPLACE",
    "WITH",
    "BEGIN",
    "START",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
    "LOCK",
    "CREATE",
    "ALTER",
    "DROP",
    "TRUNCATE",
    "SHOW",
    "EXPLAIN",
    "ANALYZE",
    "CALL",
    "DO",
    "SET",
    "PRAGMA",
    "VACUUM",
    "ATTACH",
    "DETACH",
    "REINDEX",
    "OPTIMIZE",
    "KILL",
];

/// The crates that have statements, and where.
const LISTS: &[(&str, &str)] = &[
    ("store-sqlite", "crates/store-sqlite/src/sql.rs"),
    ("store-mysql", "crates/store-mysql/src/sql.rs"),
];

/// Files with other literals like that, what these begin with, and why.
const EXCEPTIONS: &[(&str, &[&str], &str)] = &[
    ("crates/store-sqlite/src/schema.rs", &["PRAGMA"], "settings of a connection or the file"),
    ("crates/store-sqlite/src/writer.rs", &["PRAGMA"], "the log is moved into the file"),
    ("crates/store-sqlite/src/backup.rs", &["DELETE"], "the value of a setting"),
    (
        "crates/store-sqlite/src/explain.rs",
        &["SELECT", "INSERT", "UPDATE", "DELETE", "EXPLAIN"],
        "words before a statement of the list, and what statements begin with",
    ),
    ("crates/store-sqlite/src/explain/plan.rs", &["CREATE"], "a line of a plan"),
    (
        "crates/store-mysql/src/explain.rs",
        &["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "EXPLAIN", "ANALYZE"],
        "words before a statement of the list, and what statements begin with",
    ),
    ("crates/store-mysql/src/steps.rs", &["CREATE", "INSERT"], "the steps of the schema"),
    ("crates/store-mysql/src/connect.rs", &["SET"], "settings of a session"),
    (
        "crates/store-mysql/src/grants.rs",
        &["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER"],
        "names of rights",
    ),
    ("crates/store-mysql/src/checks.rs", &["SET", "ALTER"], "advice to an operator"),
];

/// Operations of the SDK, and the files that may call them.
const OPERATIONS: &[&str] = &[
    "get_item",
    "put_item",
    "update_item",
    "delete_item",
    "query",
    "scan",
    "batch_get_item",
    "batch_write_item",
    "transact_get_items",
    "transact_write_items",
    "execute_statement",
    "batch_execute_statement",
    "execute_transaction",
    "create_table",
    "delete_table",
    "update_table",
    "describe_table",
];
/// The one file that sends requests for items.
const CLIENT: &str = "crates/store-dynamo/src/client.rs";
/// The one that makes the table.
const TABLE: (&str, &[&str]) =
    ("crates/store-dynamo/src/table.rs", &["create_table", "update_table", "describe_table"]);

/// Statements and requests beside the lists, and exceptions that nothing needs.
pub fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for (_, list) in LISTS {
        let holds = tree.rust().any(|file| file.path == *list && !literals(file).is_empty());
        if !holds {
            faults.push(Fault::whole(*list, "no statement found: the list is expected here"));
        }
    }
    faults.extend(tree.rust().filter(|file| !file.is_test).flat_map(strays));
    faults.extend(idle_exceptions(tree));
    faults.extend(operations(tree));
    faults
}

/// Literals of a file, outside of its tests, that begin like a statement: the verb and the line.
fn literals(file: &File) -> Vec<(&'static str, usize)> {
    let mut found = Literals::default();
    if let Ok(parsed) = syn::parse_file(&file.text) {
        found.visit_file(&parsed);
    }
    let is_code = |line: &usize| !file.is_test_line(*line);
    let verbs = found.0.iter().filter(|(_, line)| is_code(line));
    verbs.filter_map(|(text, line)| Some((verb(text)?, *line))).collect()
}

/// The verb that a text begins with, in capitals, as a word of its own.
fn verb(text: &str) -> Option<&'static str> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let end = text.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let is_word = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    VERBS.iter().copied().find(|verb| is_word && *verb == word)
}

/// Every literal, those that stand in macros too.
#[derive(Default)]
struct Literals(Vec<(String, usize)>);

impl Literals {
    fn take(&mut self, stream: proc_macro2::TokenStream) {
        for tree in stream {
            match tree {
                proc_macro2::TokenTree::Group(group) => self.take(group.stream()),
                proc_macro2::TokenTree::Literal(literal) => {
                    let line = literal.span().start().line;
                    if let Ok(text) = syn::parse_str::<LitStr>(&literal.to_string()) {
                        self.0.push((text.value(), line));
                    }
                }
                proc_macro2::TokenTree::Ident(_) | proc_macro2::TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Literals {
    fn visit_lit_str(&mut self, literal: &'ast LitStr) {
        self.0.push((literal.value(), literal.span().start().line));
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {
        // Words of documentation are no statements.
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.take(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

fn strays(file: &File) -> Vec<Fault> {
    let owner = crate_of(&file.path);
    let is_adapter = LISTS.iter().any(|(name, list)| owner == Some(*name) && file.path != *list);
    if !is_adapter || !file.path.contains("/src/") {
        return Vec::new();
    }
    let strays = literals(file).into_iter().filter(|(verb, _)| !is_excepted(&file.path, verb));
    let fault = |(verb, line)| {
        let message = format!("`{verb} …`: statements stand in the adapter's sql.rs, under a name");
        Fault::new(&file.path, line, message)
    };
    strays.map(fault).collect()
}

fn is_excepted(path: &str, verb: &str) -> bool {
    EXCEPTIONS.iter().any(|(file, verbs, _)| *file == path && verbs.contains(&verb))
}

fn idle_exceptions(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, verbs, _) in EXCEPTIONS {
        let Some(file) = tree.rust().find(|file| file.path == *path) else { continue };
        let found = literals(file);
        let idle = verbs.iter().filter(|verb| !found.iter().any(|(found, _)| found == *verb));
        faults.extend(idle.map(|verb| {
            Fault::whole(*path, format!("no `{verb} …` is here any more: remove the exception"))
        }));
    }
    faults
}

/// Calls of the SDK beside the client.
fn operations(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.rust().filter(|file| crate_of(&file.path) == Some("store-dynamo")) {
        let is_allowed = |operation: &str| {
            file.path == CLIENT || (file.path == TABLE.0 && TABLE.1.contains(&operation))
        };
        // An operation of the SDK takes no argument.
        let calls =
            OPERATIONS.iter().filter(|operation| !is_allowed(operation)).flat_map(|operation| {
                let found = tokens::find(&file.facts.tokens, &format!(".{operation}()"));
                found.into_iter().map(move |line| (operation, line))
            });
        let calls = calls.filter(|(_, line)| !file.is_test_line(*line));
        faults.extend(calls.map(|(operation, line)| {
            let message = format!("`{operation}`: requests are sent by the client, under a name");
            Fault::new(&file.path, line, message)
        }));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "const A: &str = \"SELECT 1\";\n";

    /// What is found in a file beside the lists.
    fn faults(path: &str, code: &str) -> Vec<(usize, String)> {
        let mut files: Vec<(&str, &str)> = LISTS.iter().map(|(_, list)| (*list, LIST)).collect();
        files.push((path, code));
        let found = check(&Tree::planted(&files));
        found.into_iter().map(|fault| (fault.line, fault.message)).collect()
    }

    #[test]
    fn a_planted_statement_of_any_kind_is_found() {
        for verb in VERBS {
            for literal in [
                format!("\"{verb} x\""),
                format!("\"({verb} x)\""),
                format!("format!(\"{verb} {{x}}\")"),
                format!("r#\"\n  {verb} x\"#"),
                format!("\"{verb}\""),
            ] {
                let code = format!("fn a() {{\n    b({literal});\n}}\n");
                for path in ["crates/store-mysql/src/a.rs", "crates/store-sqlite/src/a/b.rs"] {
                    assert_eq!(faults(path, &code).len(), 1, "{code}");
                }
            }
        }
    }

    #[test]
    fn words_tests_documentation_and_the_list_are_left_alone() {
        for code in [
            "const A: &str = \"Select one\";",
            "const A: &str = \"SELECTED\";",
            "/// SELECT is a word.\nfn a() {}",
            "#[cfg(test)]\nmod tests {\n    const A: &str = \"SELECT 1\";\n}",
        ] {
            assert_eq!(faults("crates/store-mysql/src/a.rs", code), [], "{code}");
        }
        assert_eq!(faults("crates/store-mysql/tests/a.rs", LIST), []);
    }

    #[test]
    fn a_list_that_is_gone_and_an_idle_exception_are_found() {
        assert_eq!(
            check(&Tree::planted(&[("crates/app/src/a.rs", "fn a() {}")])).len(),
            LISTS.len()
        );
        let (path, verbs, _) = EXCEPTIONS[0];
        assert_eq!(faults(path, "fn a() {}").len(), verbs.len());
    }

    #[test]
    fn a_planted_request_beside_the_client_is_found() {
        for operation in OPERATIONS {
            let code =
                format!("fn a() {{\n    sdk\n        .{operation}()\n        .send();\n}}\n");
            assert_eq!(faults("crates/store-dynamo/src/users.rs", &code).len(), 1, "{operation}");
            assert_eq!(faults(CLIENT, &code), [], "{operation}");
            let in_table = faults(TABLE.0, &code).is_empty();
            assert_eq!(in_table, TABLE.1.contains(operation), "{operation}");
        }
        let own = "fn a() { db.query(Request::A, &query); }";
        assert_eq!(faults("crates/store-dynamo/src/users.rs", own), []);
    }
}
