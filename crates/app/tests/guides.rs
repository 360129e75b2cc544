//! Every command of the guides is executed, in the order of the page, as a reader would.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as it does")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
    let text = std::fs::read_to_string(repository().join("docs").join(page)).unwrap();
    let blocks = blocks(&text);
    assert!(!blocks.is_empty(), "{page} has no commands");
    let port = free_port().to_string();
    // After `init` the configuration names the free port too; at the end the server is stopped.
    let rename =
        format!("if [ -f guerdon.toml ]; then sed -i s/{PORT}/{port}/g guerdon.toml; fi\n");
    let script = format!(
        "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n{}",
        blocks.join(BREAK).replace(PORT, &port).replace(BREAK, &rename)
    );
    let folder = tempfile::tempdir().unwrap();
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
fn blocks_are_found() {
    let page = "text\n```sh\na\nb\n```\n```console\nc\n```\n```sh\nd\n```\n";
    assert_eq!(blocks(page), ["a\nb\n", "d\n"]);
}
