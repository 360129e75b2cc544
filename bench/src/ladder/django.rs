//! The Django application in `bench/ladder`: its commands, and its servers.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::data;
use crate::server::{Running, free_address, succeeded};
use crate::shapes::place::Servers;

/// Its database.
pub(super) const DATABASE: &str = "ladder";

/// What gunicorn's workers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worker {
    /// Threads.
    Gthread,
    /// Green threads.
    Gevent,
}

/// The application on some servers.
pub(super) struct Django {
    programs: PathBuf,
    folder: PathBuf,
    env: Vec<(&'static str, String)>,
}

impl Django {
    /// Finds its Python.
    pub(super) fn on(servers: &Servers) -> Result<Self> {
        let programs = data::target_folder()?.join("ladder/venv/bin");
        if !programs.join("gunicorn").is_file() {
            bail!("{} has no gunicorn; `cargo xtask bench ladder` makes it", programs.display());
        }
        let env = vec![
            ("LADDER_DATABASE_URL", servers.mariadb.url(DATABASE)),
            ("LADDER_REDIS_URL", servers.redis.url()),
            ("LADDER_DYNAMODB_URL", servers.dynamo.endpoint()),
            ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
            ("AWS_DEFAULT_REGION", "local".to_owned()),
        ];
        Ok(Self { programs, folder: data::root().join("bench/ladder"), env })
    }

    /// Writes a dump of a Guerdon that serves at the address.
    pub(super) fn dump(&self, to: &Path, address: &str, admin_key: &str, users: u32) -> Result<()> {
        let mut command = self.python("make_dump.py");
        command.arg(to).args(["--address", address, "--admin-key", admin_key]);
        command.args(["--users", &users.to_string(), "--answers", "0"]);
        succeeded(command.output()?).context("no dump").map(drop)
    }

    /// Fills the servers from a dump.
    pub(super) fn load(&self, dump: &Path) -> Result<()> {
        let mut migrate = self.python("manage.py");
        succeeded(migrate.args(["migrate", "--verbosity", "0"]).output()?).context("no tables")?;
        let mut load = self.python("manage.py");
        load.arg("load").arg(dump).args(["--into", "mariadb", "redis", "dynamodb"]);
        let said = succeeded(load.output()?).context("the dump cannot be loaded")?;
        eprintln!("{}", said.trim());
        Ok(())
    }

    /// Serves a stage. With `count` it says what it asks of stores.
    pub(super) async fn serve(
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
        let worker = match worker {
            Worker::Gthread => "gthread",
            Worker::Gevent => "gevent",
        };
        command.env("LADDER_WORKER_CLASS", worker);
        Running::start(command, address, log).await
    }

    fn python(&self, script: &str) -> Command {
        let mut command = services::command(&self.programs.join("python"));
        command.arg(self.folder.join(script));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}
