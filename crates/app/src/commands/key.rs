//! `guerdon key`: keys are shown once; only their digests are kept.

use data_encoding::HEXLOWER;
use domain::ids::bearer_digest;
use serde::Serialize;

use crate::cli::KeyCommand;
use crate::clock;
use crate::config::{AdminKey, Role};
use crate::output::Output;

/// A key as it is shown, once.
#[derive(Serialize)]
struct NewKey {
    key: String,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<String>,
}

/// Makes a key. Nothing is written anywhere: the digest becomes known by being put into a file.
pub(crate) fn run(command: KeyCommand, out: Output) -> anyhow::Result<()> {
    match command {
        KeyCommand::Admin { name, role } => {
            let (key, digest) = admin_key();
            let config = Some(config_lines(&name, role, &digest)?);
            out.answer(&NewKey { key, digest, config }, |new| {
                format!(
                    "The key, shown only now:\n\n  {}\n\nLines for the configuration:\n\n{}",
                    new.key,
                    new.config.as_deref().unwrap_or_default()
                )
            })
        }
        KeyCommand::Digest { key } => {
            let key = key.unwrap_or_else(|| clock::new_key("key"));
            let digest = HEXLOWER.encode(&bearer_digest(&key));
            out.answer(&NewKey { key, digest, config: None }, |new| {
                format!("key     {}\ndigest  {}", new.key, new.digest)
            })
        }
    }
}

/// A new admin key and its digest.
pub(crate) fn admin_key() -> (String, String) {
    let key = clock::new_key("admin");
    let digest = HEXLOWER.encode(&bearer_digest(&key));
    (key, digest)
}

/// The lines that make an admin key known.
pub(crate) fn config_lines(name: &str, role: Role, digest: &str) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Lines {
        admin_keys: Vec<AdminKey>,
    }
    let key = AdminKey { name: name.to_owned(), role, digest: digest.to_owned() };
    Ok(toml::to_string(&Lines { admin_keys: vec![key] })?)
}
