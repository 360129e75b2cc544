//! The style checks on the repository itself; each check has its planted fault beside it in
//! `xtask/src/tidy/`.

use std::io::Write;
use std::sync::LazyLock;

use xtask::process;
use xtask::tidy::graph::Graph;
use xtask::tidy::{
    Fault, Tree, adr, banned, contract, doc_share, graph, length, lockfile, manifest, markdown,
    self_only, size, statements,
};

#[expect(clippy::unwrap_used, reason = "every test here needs the tree and none can go on without")]
static TREE: LazyLock<Tree> = LazyLock::new(|| Tree::from_git(process::root()).unwrap());

/// Fails with every fault on a line of its own.
fn clean(mut faults: Vec<Fault>) {
    faults.sort();
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    assert!(lines.is_empty(), "{} faults:\n{}", lines.len(), lines.join("\n"));
}

/// Prints past the test runner's capture: figures are watched when all is well, too.
fn say(line: &str) {
    // Nobody to tell when even this fails.
    drop(writeln!(std::io::stderr(), "{line}"));
}

#[test]
fn dependencies_point_inwards() {
    clean(graph::check(&Graph::of_workspace().unwrap()));
}

#[test]
fn functions_are_short() {
    clean(length::functions(&TREE));
}

#[test]
fn files_are_short() {
    for warning in length::long_files(&TREE) {
        say(&format!("warning: {warning}"));
    }
    clean(length::files(&TREE));
}

#[test]
fn statements_stand_in_one_place() {
    clean(statements::check(&TREE));
}

#[test]
fn no_banned_words() {
    clean(banned::check(&TREE));
}

#[test]
fn crates_are_explained() {
    for (name, share) in doc_share::shares(&TREE) {
        let (percent, docs, code) = (share.percent(), share.docs, share.code);
        say(&format!("documented: {name:<14} {percent:>4} % ({docs} doc lines, {code} of code)"));
    }
    clean(doc_share::check(&TREE));
}

#[test]
fn documents_have_one_title_and_no_trailing_space() {
    clean(markdown::check(&TREE));
}

#[test]
fn files_are_small() {
    clean(size::check(&TREE));
}

#[test]
fn cited_decisions_exist() {
    clean(adr::check(&TREE));
}

#[test]
fn the_repository_speaks_of_itself_only() {
    clean(self_only::check(&TREE));
}

#[test]
fn every_port_method_has_a_contract_case() {
    clean(contract::check(&TREE));
}

#[test]
fn pinned_and_refused_packages() {
    clean(lockfile::check(&TREE));
}

#[test]
fn manifests_take_over_the_shared_settings() {
    clean(manifest::check(&TREE));
}
