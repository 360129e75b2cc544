//! The Django application in `bench/ladder`: its commands, and its servers.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use services::MariaDb;
use tempfile::TempDir;

use crate::data::{self, Data};
use crate::server::{Guerdon, Running, free_address, succeeded};
use crate::shapes::place::Servers;

/// Its database.
pub(crate) const DATABASE: &str = "ladder";
/// The folder of a dump, in that of the data that it is of.
const DUMP: &str = "dump";

/// What gunicorn's workers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worker {
    /// Threads.
    Gthread,
    /// Green threads.
    Gevent,
}

impl Worker {
    /// As gunicorn calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gthread => "gthread",
            Self::Gevent => "gevent",
        }
    }
}

/// The application on some servers.
pub(crate) struct Django {
    programs: PathBuf,
    folder: PathBuf,
    env: Vec<(&'static str, String)>,
}

impl Django {
    /// Finds its Python.
    pub(super) fn on(servers: &Servers) -> Result<Self> {
        let mut django = Self::on_mariadb(&servers.mariadb)?;
        django.env.extend([
            ("LADDER_REDIS_URL", servers.redis.url()),
            ("LADDER_DYNAMODB_URL", servers.dynamo.endpoint()),
            ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
            ("AWS_DEFAULT_REGION", "local".to_owned()),
        ]);
        Ok(django)
    }

    /// The same for what asks nothing of other servers.
    pub(crate) fn on_mariadb(mariadb: &MariaDb) -> Result<Self> {
        let programs = data::target_folder()?.join("ladder/venv/bin");
        if !programs.join("gunicorn").is_file() {
            bail!("{} has no gunicorn; `cargo xtask services` makes it", programs.display());
        }
        let env = vec![("LADDER_DATABASE_URL", mariadb.url(DATABASE))];
        Ok(Self { programs, folder: data::root().join("bench/ladder"), env })
    }

    /// Dumps the first users of some data, as a Guerdon says that they are.
    pub(crate) async fn dump(&self, data: &Data, guerdon: &Guerdon, users: u32) -> Result<Dump> {
        eprintln!("dumping {users} users …");
        let folder = data.copy()?;
        let key = guerdon.ask(folder.path(), &["key", "admin", "ladder"])?;
        let text = |name: &str| key[name].as_str().with_context(|| format!("a key has no {name}"));
        let config = folder.path().join("guerdon.toml");
        let mut config = OpenOptions::new().append(true).open(config)?;
        write!(config, "\n{}", text("config")?)?;
        let server = guerdon.start(folder.path(), &["serve", "--no-jobs"]).await?;
        let mut command = self.python("make_dump.py");
        command.arg(folder.path().join(DUMP)).args(["--answers", "0"]);
        command.args(["--address", &server.address.to_string(), "--admin-key", text("key")?]);
        command.args(["--users", &users.to_string()]);
        succeeded(command.output()?).context("no dump")?;
        server.stop()?;
        let dump = Dump(folder);
        ensure!(dump.path().join("users.jsonl").is_file(), "the dump has no users");
        Ok(dump)
    }

    /// Fills stores, of `mariadb`, `redis` and `dynamodb`, from a dump.
    pub(crate) fn load(&self, dump: &Dump, into: &[&str]) -> Result<()> {
        eprintln!("loading them into {} …", into.join(", "));
        let mut migrate = self.python("manage.py");
        succeeded(migrate.args(["migrate", "--verbosity", "0"]).output()?).context("no tables")?;
        let mut load = self.python("manage.py");
        load.arg("load").arg(dump.path()).arg("--into").args(into);
        let said = succeeded(load.output()?).context("the dump cannot be loaded")?;
        eprintln!("{}", said.trim());
        Ok(())
    }

    /// Serves a stage. With `count` it says what it asks of stores.
    pub(crate) async fn serve(
        &self,
        stage: &str,
        worker: Worker,
        count: bool,
        log: PathBuf,
    ) -> Result<Running> {
        let address = free_address()?;
        let mut command = services::command(&self.programs.join("gunicorn"));
        command.arg("--config").arg(self.folder.join("gunicorn.conf.py"));
        command.arg("--chdir").arg(&self.folder);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.env("LADDER_STAGE", stage).env("LADDER_BIND", address.to_string());
        command.env("LADDER_COUNT", if count { "1" } else { "0" });
        command.env("LADDER_WORKER_CLASS", worker.name());
        Running::start(command, address, log).await
    }

    fn python(&self, script: &str) -> Command {
        let mut command = services::command(&self.programs.join("python"));
        command.arg(self.folder.join(script));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A dump, in a folder of its own that goes with it.
pub(crate) struct Dump(TempDir);

impl Dump {
    /// Where its files are.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join(DUMP)
    }
}
