//! A configuration as it was read from a file, and what lies beside that file.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use data_encoding::HEXLOWER_PERMISSIVE;
use engine::MasterKey;

use super::address::{Address, covered};
use super::{Cache, Config, Mysql, State, Store};

/// Fewest different bytes in a key of 32 random ones: it never happens that there are fewer.
const KEY_VARIETY_MIN: usize = 8;

/// Whether a key in hexadecimal digits is a placeholder such as all zeros.
fn is_weak(digits: &str) -> bool {
    let mut pairs: Vec<&[u8]> = digits.as_bytes().chunks(2).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.len() < KEY_VARIETY_MIN
}

/// A collector's address is shown by `guerdon config`, so it holds no password; one is given in the
/// variable that all exporters of OTLP read.
fn check_collector(url: &str) -> anyhow::Result<()> {
    let url = url::Url::parse(url).context("traces.otlp_url is no address")?;
    if !matches!(url.scheme(), "http" | "https") {
        bail!("traces.otlp_url must begin with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        bail!(
            "traces.otlp_url must hold no password; put what the collector wants to see into \
             OTEL_EXPORTER_OTLP_HEADERS"
        );
    }
    Ok(())
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
        let config: Config = toml::from_str(&text).map_err(|error| {
            // The error quotes a line, and a password may be where none should be.
            let error = covered(&error.to_string());
            anyhow::anyhow!("{} is not usable:\n{error}", path.display())
        })?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let loaded = Self { config, folder: folder.unwrap_or(Path::new(".")).to_owned() };
        loaded.check()?;
        Ok(loaded)
    }

    /// The file that keeps everything, where one does.
    pub(crate) fn sqlite_file(&self) -> Option<PathBuf> {
        match (&self.config.store, &self.config.state) {
            (Store::Sqlite(sqlite), None) => Some(self.folder.join(&sqlite.path)),
            _ => None,
        }
    }

    /// The store of users, budgets, outbox and journal.
    pub(crate) fn state(&self) -> State {
        self.config.state.clone().unwrap_or_else(|| self.config.store.clone().into())
    }

    /// The address of a section's database with its password, to connect with and never to show.
    pub(crate) fn mysql_url(&self, section: &str, mysql: &Mysql) -> anyhow::Result<String> {
        mysql.address(&format!("{section}.url")).open(&self.folder)
    }

    /// Addresses with their passwords, to connect with and never to show.
    pub(crate) fn opened(&self, addresses: &[Address<'_>]) -> anyhow::Result<Vec<String>> {
        addresses.iter().map(|address| address.open(&self.folder)).collect()
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
        if let Some(url) = &self.config.traces.otlp_url {
            check_collector(url)?;
        }
        self.check_stores()?;
        self.config.addresses().iter().try_for_each(|address| address.check().map(drop))
    }

    /// Two sections may not mean one store: one of them would be taken for another.
    fn check_stores(&self) -> anyhow::Result<()> {
        let Config { store, state, next_state, cache, .. } = &self.config;
        let everything = State::from(store.clone());
        if state.as_ref().is_some_and(|state| state.is_same(&everything)) {
            bail!("[state] names the store that [store] names; leave [state] out");
        }
        if next_state.as_ref().is_some_and(|next| next.is_same(&self.state())) {
            bail!("[next_state] names the store that the state is in already; leave it out");
        }
        for (section, state) in [("state", state), ("next_state", next_state)] {
            if let Some(State::Dynamo(dynamo)) = state {
                dynamo.check(section)?;
            }
        }
        if matches!(cache, Cache::RedisCluster(cluster) if cluster.urls.is_empty()) {
            bail!("cache.urls is empty; name some servers of the cluster");
        }
        if let Some(name) = self.config.rate_limits.empty() {
            bail!("rate_limits.{name} allows nothing at all; leave it out to allow everything");
        }
        Ok(())
    }
}
