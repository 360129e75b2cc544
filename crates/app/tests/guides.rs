//! Every command of the guides is executed, in the order of the page, as a reader would.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as it does")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use services::MariaDb;

/// The port that the guides name; each run takes a free one instead.
const PORT: &str = "8080";
/// Stands between two blocks until what comes there is known.
const BREAK: &str = "# next block\n";

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The blocks of a page that are marked as `sh`.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in page.lines() {
        match (&mut open, line) {
            (None, "```sh") => open = Some(String::new()),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs all blocks of a page as one script in a folder of its own, and gives what it printed.
fn follow(page: &str) -> String {
    follow_with(page, &[], &[])
}

/// The same in a folder with these files, with other words where the guide names a server.
fn follow_with(page: &str, files: &[(&str, &str)], names: &[(&str, &str)]) -> String {
    let text = std::fs::read_to_string(repository().join("docs").join(page)).unwrap();
    let blocks = blocks(&text);
    assert!(!blocks.is_empty(), "{page} has no commands");
    let port = free_port().to_string();
    // After `init` the configuration names the free port too; at the end the server is stopped.
    let names = names.iter().copied().chain([(PORT, port.as_str())]);
    let edits: String = names.map(|(old, new)| format!(" -e s/{old}/{new}/g")).collect();
    let rename = format!("if [ -f guerdon.toml ]; then sed -i{edits} guerdon.toml; fi\n");
    let script = format!(
        "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n{}",
        blocks.join(BREAK).replace(PORT, &port).replace(BREAK, &rename)
    );
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_guerdon"));
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .arg("-c")
        .arg(script)
        .current_dir(folder.path())
        .env("PATH", format!("{}:{path}", binary.parent().unwrap().display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{page}: {}\n{printed}\n{complaints}", output.status);
    printed
}

#[test]
fn the_tutorial_ends_with_a_paid_step() {
    let printed = follow("tutorial.md");
    for expected in ["\"verdict\":\"rewarded\"", "\"verdict\":\"duplicate\"", "M1 to M9"] {
        assert!(printed.contains(expected), "{expected} is missing in:\n{printed}");
    }
}

#[test]
fn a_backup_is_made_and_restored_as_the_operating_guide_says() {
    let printed = follow("operating.md");
    assert!(printed.contains("Restored"), "{printed}");
}

#[test]
fn several_nodes_are_set_up_as_the_guide_to_shapes_says() {
    let database = MariaDb::start().unwrap();
    database.url("guerdon");
    database
        .sql(
            "CREATE USER guerdon@'127.0.0.1' IDENTIFIED BY 'a pass/word'; \
             GRANT ALL ON guerdon.* TO guerdon@'127.0.0.1'",
        )
        .unwrap();
    let address = format!("127.0.0.1:{}", database.port());
    let files = [("db.password", "a pass/word\n")];
    let printed = follow_with("shapes.md", &files, &[("127.0.0.1:3306", &address)]);
    for expected in ["not migrated yet", "at version", "Everything is well.", "\"ready\""] {
        assert!(printed.contains(expected), "{expected} is missing in:\n{printed}");
    }
    assert!(!printed.contains("a pass"), "a password is printed:\n{printed}");
}

#[test]
fn blocks_are_found() {
    let page = "text\n```sh\na\nb\n```\n```console\nc\n```\n```sh\nd\n```\n";
    assert_eq!(blocks(page), ["a\nb\n", "d\n"]);
}
