//! What lies in the demo's folder: the configuration, the keys, the catalogue and the database.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use data_encoding::{BASE64, HEXLOWER};
use domain::ids::bearer_digest;
use serde::{Deserialize, Serialize};
use store_sqlite::{OpenError, Options, SqliteStore};

use crate::cli::DemoArgs;
use crate::clock;
use crate::commands::init::{master_key_text, write_private};
use crate::commands::key::config_lines;
use crate::config::{FILE_NAME, Loaded, Role};

/// The keys in plain text, which only a demo keeps. It is the first file to be written, so it marks
/// the folder as a demo's.
const KEYS_FILE: &str = "demo-keys.json";
const MASTER_KEY_FILE: &str = "master.key";
const CATALOG_FILE: &str = "catalog.toml";
const DATABASE_FILE: &str = "guerdon.db";
/// What the store keeps beside its file.
const DATABASE_SUFFIXES: [&str; 5] = ["", "-wal", "-shm", "-server", "-partial"];

/// The catalogue, with what differs between demos left out.
const CATALOG_TEXT: &str = include_str!("../../demo/catalog.toml");

/// The demo's folder, ready to run.
pub(super) struct Folder {
    path: PathBuf,
    pub(super) loaded: Loaded,
    pub(super) keys: Keys,
}

/// Every key of the demo.
#[derive(Serialize, Deserialize)]
pub(super) struct Keys {
    /// Of the admin API.
    pub(super) admin: String,
    pub(super) coinpick: AppKeys,
    pub(super) lumi: AppKeys,
    /// Tokens of the partner connections: secret parts of their postbacks' paths.
    pub(super) generic_token: String,
    pub(super) appsflyer_token: String,
    pub(super) adjust_token: String,
}

/// The keys of one publisher.
#[derive(Serialize, Deserialize)]
pub(super) struct AppKeys {
    pub(super) live: String,
    pub(super) test: String,
    /// Signs the rewards that are told to it.
    pub(super) webhook_secret: String,
}

impl Keys {
    fn new() -> Self {
        Self {
            admin: clock::new_key("admin"),
            coinpick: AppKeys::new(),
            lumi: AppKeys::new(),
            generic_token: clock::new_key("partner"),
            appsflyer_token: clock::new_key("partner"),
            adjust_token: clock::new_key("partner"),
        }
    }
}

impl AppKeys {
    fn new() -> Self {
        Self {
            live: clock::new_key("live"),
            test: clock::new_key("test"),
            webhook_secret: format!("whsec_{}", BASE64.encode(&clock::random::<32>())),
        }
    }
}

/// Refuses a folder that holds something else, or in which another demo runs. Nothing is written.
pub(super) fn check(path: &Path) -> anyhow::Result<()> {
    if path.join(KEYS_FILE).exists() {
        return check_idle(path);
    }
    let unreadable = || format!("cannot read the folder {}", path.display());
    if path.exists() && std::fs::read_dir(path).with_context(unreadable)?.next().is_some() {
        bail!("{} is not empty and holds no demo; choose another with --folder", path.display());
    }
    Ok(())
}

impl Folder {
    /// Opens the folder of an earlier demo, or makes one of an empty folder; [`check`] has found
    /// that it is one of them.
    pub(super) fn open(args: &DemoArgs) -> anyhow::Result<Self> {
        let path = args.folder.clone();
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        if args.fresh && path.join(KEYS_FILE).exists() {
            forget(&path)?;
        }
        let keys = keys(&path.join(KEYS_FILE))?;
        write_if_missing(&path.join(MASTER_KEY_FILE), &master_key_text())?;
        let listen = SocketAddr::from(([127, 0, 0, 1], args.port));
        let admin = HEXLOWER.encode(&bearer_digest(&keys.admin));
        let admin = config_lines("demo", Role::Admin, &admin)?;
        write_if_missing(&path.join(FILE_NAME), &format!("{}\n{admin}", config_text(listen)))?;
        let mut loaded = Loaded::read(&path.join(FILE_NAME))?;
        loaded.config.server.listen = listen;
        loaded.config.server.public_url = format!("http://{listen}");
        Ok(Self { path, loaded, keys })
    }

    /// The configuration file.
    pub(super) fn config(&self) -> PathBuf {
        self.path.join(FILE_NAME)
    }

    /// The catalogue file.
    pub(super) fn catalog(&self) -> PathBuf {
        self.path.join(CATALOG_FILE)
    }

    /// Writes the catalogue file, for its owner only: it holds the publishers' secrets.
    pub(super) fn write_catalog(&self, text: &str) -> anyhow::Result<()> {
        remove_if_there(&self.catalog())?;
        write_private(&self.catalog(), text)
    }

    /// Writes the address that the server really has into the configuration, where other commands
    /// look for it. The rest of the file is the user's to edit.
    pub(super) fn note_address(&self, address: SocketAddr) -> anyhow::Result<()> {
        let old = std::fs::read_to_string(self.config())?;
        let lines = old.lines().map(|line| match line.split_once(" = ") {
            Some(("listen", _)) => format!("listen = \"{address}\"\n"),
            Some(("public_url", _)) => format!("public_url = \"http://{address}\"\n"),
            _ => format!("{line}\n"),
        });
        let new: String = lines.collect();
        if new != old {
            std::fs::write(self.config(), new)?;
        }
        Ok(())
    }

    /// The catalogue of this demo, with its keys and the address of the world outside filled in.
    pub(super) fn catalog_text(&self, outside: &str) -> String {
        let digest = |key: &str| HEXLOWER.encode(&bearer_digest(key));
        let Keys { coinpick, lumi, generic_token, appsflyer_token, adjust_token, .. } = &self.keys;
        let values = [
            ("${OUTSIDE}", outside.to_owned()),
            ("${COINPICK_LIVE_DIGEST}", digest(&coinpick.live)),
            ("${COINPICK_TEST_DIGEST}", digest(&coinpick.test)),
            ("${COINPICK_WEBHOOK_SECRET}", coinpick.webhook_secret.clone()),
            ("${LUMI_LIVE_DIGEST}", digest(&lumi.live)),
            ("${LUMI_TEST_DIGEST}", digest(&lumi.test)),
            ("${LUMI_WEBHOOK_SECRET}", lumi.webhook_secret.clone()),
            ("${GENERIC_TOKEN_DIGEST}", digest(generic_token)),
            ("${APPSFLYER_TOKEN_DIGEST}", digest(appsflyer_token)),
            ("${ADJUST_TOKEN_DIGEST}", digest(adjust_token)),
        ];
        let fill = |text: String, (name, value): &(&str, String)| text.replace(name, value);
        values.iter().fold(CATALOG_TEXT.to_owned(), fill)
    }
}

fn keys(path: &Path) -> anyhow::Result<Keys> {
    if !path.exists() {
        let keys = Keys::new();
        write_private(path, &serde_json::to_string_pretty(&keys)?)?;
        return Ok(keys);
    }
    let text = std::fs::read_to_string(path)?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} cannot be read; begin anew with --fresh", path.display()))
}

fn write_if_missing(path: &Path, text: &str) -> anyhow::Result<()> {
    if path.exists() { Ok(()) } else { write_private(path, text) }
}

fn config_text(listen: SocketAddr) -> String {
    format!(
        "# The demo's configuration. `guerdon init` writes one in which every setting is explained.\n\
         \n\
         [server]\n\
         listen = \"{listen}\"\n\
         public_url = \"http://{listen}\"\n\
         \n\
         [egress]\n\
         # The pretend publishers run on this machine.\n\
         allow_private = [\"127.0.0.0/8\"]\n\
         \n\
         [log]\n\
         filter = \"warn\"\n"
    )
}

/// Refuses a folder in which another demo runs.
fn check_idle(folder: &Path) -> anyhow::Result<()> {
    let database = folder.join(DATABASE_FILE);
    if !database.exists() {
        return Ok(());
    }
    match SqliteStore::open(&database, Options::default()) {
        Err(OpenError::InUse(_)) => {
            bail!("a demo is running in {}; stop it first", folder.display())
        }
        // Whatever else is wrong is told when it is opened to be used.
        _ => Ok(()),
    }
}

/// Removes what an earlier demo has left, and nothing else.
fn forget(folder: &Path) -> anyhow::Result<()> {
    let beside = DATABASE_SUFFIXES.map(|suffix| format!("{DATABASE_FILE}{suffix}"));
    let files = [FILE_NAME, MASTER_KEY_FILE, CATALOG_FILE, KEYS_FILE];
    beside
        .iter()
        .map(String::as_str)
        .chain(files)
        .try_for_each(|name| remove_if_there(&folder.join(name)))
}

fn remove_if_there(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
