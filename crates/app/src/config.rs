//! The configuration: one typed tree with defaults, read once and handed down in parts.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use data_encoding::HEXLOWER_PERMISSIVE;
use engine::MasterKey;
use serde::{Deserialize, Serialize};

/// Name of the configuration file, looked for in the current folder.
pub(crate) const FILE_NAME: &str = "guerdon.toml";

/// A configuration with every setting at its default and a word about each. A test keeps it equal to
/// the defaults in code.
pub(crate) const DEFAULT_TEXT: &str = include_str!("../config.default.toml");

/// Everything that can be set.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) secrets: Secrets,
    pub(crate) admin_keys: Vec<AdminKey>,
    pub(crate) jobs: Jobs,
    pub(crate) egress: Egress,
    pub(crate) log: Log,
}

/// Where the server listens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Address and port of HTTP.
    pub(crate) listen: SocketAddr,
    /// The address under which users and partners reach it; page links begin with it.
    pub(crate) public_url: String,
    /// How long a stop waits for requests that are under way, in seconds.
    pub(crate) stop_seconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: "http://127.0.0.1:8080".to_owned(),
            stop_seconds: 10,
        }
    }
}

/// Which store keeps everything.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub(crate) enum Store {
    /// One SQLite file.
    Sqlite {
        /// The file, relative to the configuration file.
        #[serde(default = "default_path")]
        path: PathBuf,
        /// Connections that read beside the writer.
        #[serde(default = "default_readers")]
        readers: usize,
    },
}

fn default_path() -> PathBuf {
    PathBuf::from("guerdon.db")
}

fn default_readers() -> usize {
    4
}

impl Default for Store {
    fn default() -> Self {
        Self::Sqlite { path: default_path(), readers: default_readers() }
    }
}

/// Where the master key is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Secrets {
    /// File with the master key, relative to the configuration file; 64 hexadecimal digits, and
    /// older keys that still open on further lines.
    pub(crate) master_key_file: PathBuf,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { master_key_file: PathBuf::from("master.key") }
    }
}

/// A key of the admin API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminKey {
    /// What the audit log calls its owner.
    pub(crate) name: String,
    /// `admin`, `ad_ops`, `finance`, `support` or `read_only`.
    pub(crate) role: Role,
    /// Digest of the key, as `guerdon key admin` prints it.
    pub(crate) digest: String,
}

/// What an admin key may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Everything.
    Admin,
    /// The catalogue.
    AdOps,
    /// Budgets, reports and verification.
    Finance,
    /// Trails and explanations.
    Support,
    /// Reading.
    ReadOnly,
}

/// Work in the background.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Jobs {
    /// Whether this process does background work.
    pub(crate) enabled: bool,
    /// Most postbacks in flight at once.
    pub(crate) deliveries_in_flight: usize,
    /// How often holds and deadlines are looked after, in milliseconds.
    pub(crate) sweep_ms: u64,
    /// How often the catalogue and budgets are looked at, in milliseconds.
    pub(crate) refresh_ms: u64,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { enabled: true, deliveries_in_flight: 256, sweep_ms: 1_000, refresh_ms: 1_000 }
    }
}

/// Which addresses postbacks may reach.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Egress {
    /// Private networks that are allowed, such as `10.1.0.0/16`; none by default.
    pub(crate) allow_private: Vec<String>,
}

/// What is logged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// `text` or `json`.
    pub(crate) format: LogFormat,
    /// Levels by target, such as `info` or `warn,engine=debug`.
    pub(crate) filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Fewest different bytes in a key of 32 random ones: it never happens that there are fewer.
const KEY_VARIETY_MIN: usize = 8;

/// Whether a key in hexadecimal digits is a placeholder such as all zeros.
fn is_weak(digits: &str) -> bool {
    let mut pairs: Vec<&[u8]> = digits.as_bytes().chunks(2).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.len() < KEY_VARIETY_MIN
}

/// A configuration and the folder that its relative paths are relative to.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) folder: PathBuf,
}

impl Loaded {
    /// Reads a configuration file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("cannot read {}; `guerdon init` writes one", path.display())
        })?;
        let config: Config = toml::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{} is not usable:\n{error}", path.display()))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let loaded = Self { config, folder: folder.unwrap_or(Path::new(".")).to_owned() };
        loaded.check()?;
        Ok(loaded)
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        let Store::Sqlite { path, .. } = &self.config.store;
        self.folder.join(path)
    }

    /// The master key, and older ones that still open.
    pub(crate) fn master_keys(&self) -> anyhow::Result<(MasterKey, Vec<MasterKey>)> {
        let path = self.folder.join(&self.config.secrets.master_key_file);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "cannot read the master key {}; put its copy back. Only a new installation makes a \
                 new key, with `guerdon init` in an empty folder: what an older key has sealed stays \
                 closed to it",
                path.display()
            )
        })?;
        let mut keys = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let key = MasterKey::parse(line);
            keys.push(key.with_context(|| {
                format!("{} must hold 64 hexadecimal digits a line", path.display())
            })?);
            if is_weak(line.trim()) {
                bail!(
                    "{} holds a key that nobody can have drawn at random; `guerdon init` in another \
                     folder makes a good one",
                    path.display()
                );
            }
        }
        if keys.is_empty() {
            bail!("{} holds no key", path.display());
        }
        let current = keys.remove(0);
        Ok((current, keys))
    }

    fn check(&self) -> anyhow::Result<()> {
        let public = &self.config.server.public_url;
        if !(public.starts_with("http://") || public.starts_with("https://")) {
            bail!("server.public_url must begin with http:// or https://, not {public:?}");
        }
        for key in &self.config.admin_keys {
            let digest = HEXLOWER_PERMISSIVE.decode(key.digest.as_bytes());
            if digest.map(|bytes| bytes.len()).unwrap_or(0) != 32 {
                bail!(
                    "the digest of admin key {:?} is not 64 hexadecimal digits; \
                     `guerdon key admin` prints a new key with its digest",
                    key.name
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_default_is_the_default() {
        let parsed: Config = toml::from_str(DEFAULT_TEXT).unwrap();
        assert_eq!(parsed, Config::default());
        let every_setting = toml::to_string(&Config::default()).unwrap();
        for line in every_setting.lines().filter(|line| line.contains(" = ")) {
            // A list of tables that is empty can only be shown as a comment.
            let line = if line == "admin_keys = []" { "# [[admin_keys]]" } else { line };
            assert!(DEFAULT_TEXT.contains(line), "config.default.toml lacks {line:?}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            ("[server]\nlisten = \"nowhere\"\n", "invalid socket address"),
            ("[server]\nlsten = \"127.0.0.1:1\"\n", "unknown field `lsten`"),
            ("[store]\nkind = \"oracle\"\n", "unknown variant `oracle`"),
            ("[jobs]\nsweep_ms = \"soon\"\n", "invalid type"),
            ("[[admin_keys]]\nname = \"a\"\nrole = \"king\"\ndigest = \"\"\n", "unknown variant"),
        ];
        for (text, message) in cases {
            let error = toml::from_str::<Config>(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
            assert!(error.contains("line"), "{error}");
        }
    }

    const GOOD_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    /// What reading a configuration, and its keys if given, says.
    fn told(config: Option<&str>, keys: Option<&str>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        if let Some(text) = config {
            std::fs::write(&path, text).unwrap();
        }
        if let Some(text) = keys {
            std::fs::write(folder.path().join("master.key"), text).unwrap();
        }
        let read = Loaded::read(&path).and_then(|loaded| loaded.master_keys());
        match read {
            Ok((_, older)) => format!("good, {} older", older.len()),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn a_configuration_that_cannot_be_used_says_what_to_do() {
        let digest = "[[admin_keys]]\nname = \"ann\"\nrole = \"admin\"\ndigest = \"00\"\n";
        let cases = [
            (None, "`guerdon init` writes one"),
            (Some("[server]\nport = 1\n"), "guerdon.toml is not usable"),
            (Some("[server]\nport = 1\n"), "line 2, column 1"),
            (Some("store = 5"), "invalid type"),
            (Some("[server]\npublic_url = \"example.com\"\n"), "must begin with http://"),
            (Some(digest), "admin key \"ann\" is not 64 hexadecimal digits"),
        ];
        for (config, expected) in cases {
            let told = told(config, Some(GOOD_KEY));
            assert!(told.contains(expected), "{config:?}: {told}");
        }
    }

    #[test]
    fn a_master_key_is_long_and_random() {
        let (short, letters) = (&GOOD_KEY[2..], GOOD_KEY.replace('0', "g"));
        let (zeros, rotated) = ("0".repeat(64), format!("{GOOD_KEY}\n\n{GOOD_KEY}\n"));
        let cases = [
            (None, "put its copy back. Only a new installation makes a new key"),
            (Some(""), "holds no key"),
            (Some("\n \n"), "holds no key"),
            (Some(short), "must hold 64 hexadecimal digits"),
            (Some(&letters), "must hold 64 hexadecimal digits"),
            (Some(&zeros), "nobody can have drawn at random"),
            (Some(GOOD_KEY), "good, 0 older"),
            (Some(&rotated), "good, 1 older"),
        ];
        for (keys, expected) in cases {
            let told = told(Some(""), keys);
            assert!(told.contains(expected), "{keys:?}: {told}");
            // What is wrong with a key is said without saying the key.
            assert!(!told.contains(short), "{told}");
        }
    }
}
