//! What can be examined without asking another server: the files and the port.

use std::time::Duration;

use super::Line;
use crate::config::Loaded;

/// How long whoever holds the port may take to say that it is Guerdon.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// That the configuration can be read is known by now.
pub(super) fn configuration(loaded: &Loaded) -> Line {
    Line::well("can be read", format!("state in {}", loaded.state().name()))
}

/// The key without which nothing starts.
pub(super) fn master_key(loaded: &Loaded) -> Line {
    match loaded.master_keys() {
        Ok((_, older)) if older.is_empty() => Line::well("can be read", "one key"),
        Ok((_, older)) => {
            Line::well("can be read", format!("one key, and {} older that still open", older.len()))
        }
        Err(error) => Line::wrong(
            "can be read",
            format!("{error:#}"),
            "put the file's copy back, or name it in secrets.master_key_file",
        ),
    }
}

/// The port is free, or a Guerdon has it.
pub(super) async fn http(loaded: &Loaded) -> Vec<Line> {
    let listen = loaded.config.server.listen;
    let check = "port";
    if tokio::net::TcpListener::bind(listen).await.is_ok() {
        return vec![Line::well(check, format!("{listen} is free; no server runs on it"))];
    }
    let remedy = "stop what holds it, or name another one in server.listen";
    vec![match status(&format!("http://{listen}/readyz")).await {
        Ok((true, told)) => Line::well(check, format!("a Guerdon answers on {listen}: {told}")),
        Ok((false, told)) => Line::wrong(
            check,
            format!("a Guerdon answers on {listen}: {told}"),
            format!("see http://{listen}/readyz for what it lacks"),
        ),
        Err(error) => Line::wrong(check, format!("{listen} cannot be used: {error:#}"), remedy),
    }]
}

/// Whether the server is ready, and in what words.
async fn status(url: &str) -> anyhow::Result<(bool, String)> {
    let client = crate::operator::client()?;
    let answer = client.get(url).timeout(ANSWER_WITHIN).send().await?;
    let is_ready = answer.status().is_success();
    let body: serde_json::Value = serde_json::from_str(&answer.text().await?)?;
    let told = body["status"].as_str().unwrap_or("it is something else").to_owned();
    Ok((is_ready, told))
}
