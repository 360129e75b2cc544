//! The running server against its own description: requests derived from `/openapi.json`, good and
//! bad, by schemathesis. No answer is a failure of the server, and none is undescribed.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use crate::support::catalog::{AMPLE, GENERIC, LIVE_KEY, base, campaign, on_event};
use crate::support::http::Request;
use crate::support::node::Node;
use crate::support::people::{User, convert};
use crate::support::publisher::Publisher;

/// Requests for each operation, beside those that the description itself suggests.
const EXAMPLES: &str = "12";
/// How long it may take, in seconds; what has not been tried by then is tried another time.
const SECONDS_MAX: &str = "80";
/// What is checked of each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// The tool, in the environment that `cargo xtask services` makes under the target folder.
fn schemathesis() -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("..");
    let program = target.join("services/venv/bin/schemathesis");
    assert!(program.exists(), "schemathesis is not installed; run `cargo xtask services`");
    program
}

/// Who calls, and whom and what there is to ask for.
fn settings(node: &Node, session: &str) -> String {
    let admin_key = &node.admin_key;
    format!(
        r#"
[auth.openapi]
admin_key = {{ bearer = "{admin_key}" }}
app_key = {{ bearer = "{LIVE_KEY}" }}
session = {{ bearer = "{session}" }}

[parameters]
"path.partner_token" = "{GENERIC}"
"path.step_id" = 1

[[operations]]
include-path-regex = "^/v1/missions/"
parameters = {{ "path.id" = 11 }}

[[operations]]
include-path-regex = "^/v1/admin/line_items/.+/(budget|serving)$"
parameters = {{ "path.id" = 11 }}
"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_one_that_is_described() {
    let program = schemathesis();
    let publisher = Publisher::open().await;
    let steps = [on_event("install", 1_000_000), on_event("level", 1_000_000)];
    let campaigns = campaign(11, AMPLE, &steps.each_ref().map(String::as_str))
        + &campaign(12, AMPLE, &[&on_event("install", 1_000_000)]);
    let node = Node::start(&(base(&publisher.base()) + &campaigns));
    let client = Arc::new(node.client());
    let user = User::open(&client, "ann").await;
    let click = user.start(11).await;
    convert(&client, &click, "install", "e").await;
    std::fs::write(node.folder().join("schemathesis.toml"), settings(&node, &user.token)).unwrap();

    let mut run = Command::new(program);
    run.current_dir(node.folder()).env("NO_COLOR", "1");
    run.args(["run", &format!("http://{}/openapi.json", client.address())]);
    run.args(["--checks", CHECKS, "--max-examples", EXAMPLES, "--max-time", SECONDS_MAX]);
    run.args(["--phases", "examples,coverage,fuzzing", "--seed", "1", "--no-color"]);
    run.args(["--generation-database", "none", "--warnings", "off", "--no-shrink"]);
    let done = tokio::task::spawn_blocking(move || run.output().unwrap()).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&done.stdout), text(&done.stderr));
    println!("{out}");
    assert!(done.status.success(), "{out}\n{err}");
    has_been_tried(&out);
    answers_well(&client.send(&Request::get("/metrics")).await.expect(200).text());
    node.finish();
}

/// A run that tries nothing fails nothing: every operation was tried.
fn has_been_tried(out: &str) {
    let figure = |name: &str| {
        let line = out.lines().find_map(|line| line.trim().strip_prefix(name));
        let figure = line.and_then(|line| line.trim().split('/').next()?.parse::<u32>().ok());
        figure.unwrap_or_else(|| panic!("no {name} in {out}"))
    };
    let (selected, tested) = (figure("Selected:"), figure("Tested:"));
    assert!(selected >= 60 && tested == selected, "{tested} of {selected}");
}

/// Every caller's key was good: each has got what it asked for at least once.
fn answers_well(metrics: &str) {
    let routes = [
        ("/v1/missions", "200"),
        ("/v1/missions/{id}/participations", "201"),
        ("/v1/sessions", "201"),
        ("/v1/rewards", "200"),
        ("/v1/postbacks/{partner_token}", "200"),
        ("/v1/admin/line_items/{id}/budget", "200"),
        ("/v1/admin/publishers", "201"),
    ];
    for (route, status) in routes {
        let labels = [format!("route=\"{route}\""), format!("status=\"{status}\"")];
        let has_it = |line: &str| labels.iter().all(|label| line.contains(label));
        assert!(metrics.lines().any(has_it), "no {status} of {route} in {metrics}");
    }
}
