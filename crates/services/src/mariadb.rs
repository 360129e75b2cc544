//! MariaDB, as durable as in production and as small as a test wants it.

use std::fs::{self, File};
use std::io::Read;
use std::ops::Deref;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::server::{self, Recipe, Server};
use crate::{folders, ports, program};

/// The files of an empty server; the template is made with these too, or it would not fit.
const SIZES: [&str; 2] =
    ["--innodb-log-file-size=32M", "--innodb-data-file-path=ibdata1:12M:autoextend"];

/// How it runs. Every commit is on disk before it is answered, in the tables and in the binary log.
const OPTIONS: [&str; 12] = [
    "--socket=mariadb.sock",
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--server-id=1",
    "--log-bin=binlog",
    "--binlog-format=ROW",
    "--sync-binlog=1",
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-buffer-pool-size=64M",
    "--key-buffer-size=1M",
    "--max-connections=500",
    "--character-set-server=utf8mb4",
];

/// The beginning of a greeting: protocol version 10 after a header of four bytes.
const PROTOCOL: (usize, u8) = (4, 10);

/// A private `mariadbd`; the user `root` has no password and every right.
pub struct MariaDb {
    server: Server,
    client: PathBuf,
}

impl MariaDb {
    /// Starts an empty server with binary log, `sync_binlog = 1` and
    /// `innodb_flush_log_at_trx_commit = 1`.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// The same with more options of `mariadbd`; a later option wins over an earlier one.
    pub fn start_with(options: &[&str]) -> Result<Self> {
        let template = template(&program::find("mariadbd")?)?;
        let folder = folders::temporary("mariadb")?;
        folders::copy(&template, &folder.path().join("data"))?;
        Self::start_in(folder, options)
    }

    /// The same on a copy of what [`save`](Self::save) has written.
    pub fn start_from(saved: &Path, options: &[&str]) -> Result<Self> {
        Self::start_in(folders::temporary_copy("mariadb", saved)?, options)
    }

    /// Stops it in order, copies its data to a new folder, and starts it again. The binary log is
    /// emptied before: nobody replicates from a copy.
    pub fn save(&self, to: &Path) -> Result<()> {
        self.sql("RESET MASTER")?;
        self.server.save(to, || self.sql("SHUTDOWN").map(drop))
    }

    fn start_in(folder: TempDir, options: &[&str]) -> Result<Self> {
        let (program, client) = (program::find("mariadbd")?, program::find("mariadb")?);
        let (port, data) = (ports::reserve()?, folder.path().join("data"));
        let mut arguments = start_arguments(&data, port);
        arguments.extend(options.iter().map(|option| (*option).to_owned()));
        let recipe = Recipe { program, arguments, answers: greets };
        Ok(Self { server: Server::start(folder, port, recipe)?, client })
    }

    /// The address of a database, which is created if it is missing.
    ///
    /// # Panics
    ///
    /// When the server is down or frozen.
    pub fn url(&self, database: &str) -> String {
        let created = self.sql(&format!("CREATE DATABASE IF NOT EXISTS {}", quoted(database)));
        #[expect(clippy::panic, reason = "a test that has no database cannot go on")]
        if let Err(error) = created {
            panic!("cannot create the database {database}: {error:#}");
        }
        self.url_as("root", database)
    }

    /// Creates a user without password and with these grants only, such as
    /// `SELECT, INSERT ON guerdon.*`; returns the address of the database for that user.
    pub fn create_user(&self, name: &str, database: &str, grants: &[&str]) -> Result<String> {
        let user = format!("{}@'127.0.0.1'", quoted(name));
        self.sql(&format!("CREATE USER {user}"))?;
        for grant in grants {
            self.sql(&format!("GRANT {grant} TO {user}"))?;
        }
        Ok(self.url_as(name, database))
    }

    /// Runs statements as root and returns their rows: a line each, columns separated by tabs.
    pub fn sql(&self, statements: &str) -> Result<String> {
        let mut command = Command::new(&self.client);
        command.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--user=root"]);
        command.args(["--batch", "--skip-column-names", "--connect-timeout=10"]);
        command.arg(format!("--port={}", self.port())).args(["--execute", statements]);
        program::output(&mut command).with_context(|| format!("cannot run `{statements}`"))
    }

    fn url_as(&self, user: &str, database: &str) -> String {
        format!("mysql://{user}@127.0.0.1:{}/{database}", self.port())
    }
}

impl Deref for MariaDb {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn start_arguments(data: &Path, port: u16) -> Vec<String> {
    let mut arguments = vec!["--no-defaults".to_owned(), format!("--datadir={}", data.display())];
    arguments.extend(user_option());
    arguments.push(format!("--port={port}"));
    arguments.extend(SIZES.iter().chain(&OPTIONS).map(|option| (*option).to_owned()));
    arguments.push(format!("--tmpdir={}", data.display()));
    arguments
}

/// Root has to say that it means to run the server as root.
fn user_option() -> Option<String> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    is_root.then(|| "--user=root".to_owned())
}

/// Whether the server sends its greeting, which it does once it can log users in.
fn greets(port: u16) -> bool {
    let mut start = [0; PROTOCOL.0 + 1];
    let read = server::connect(port).map(|mut stream| stream.read_exact(&mut start));
    read.is_some_and(|read| read.is_ok()) && start[PROTOCOL.0] == PROTOCOL.1
}

/// The data folder of an empty server, made once for each version because it takes seconds.
fn template(program: &Path) -> Result<PathBuf> {
    let version = program::output(Command::new(program).args(["--no-defaults", "--version"]))?;
    let words: Vec<&str> = version
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let template = folders::services().join("mariadb-templates").join(words.join("-"));
    let _one_at_a_time: File = folders::lock("mariadb.lock")?;
    if !template.exists() {
        install(&template)?;
    }
    Ok(template)
}

fn install(template: &Path) -> Result<()> {
    let folder = folders::temporary("mariadb-install")?;
    let data = folder.path().join("data");
    let mut command = Command::new(program::find("mariadb-install-db")?);
    command.arg("--no-defaults").arg(format!("--datadir={}", data.display())).args(user_option());
    command.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
    program::output(command.args(SIZES))?;
    fs::create_dir_all(template.parent().unwrap_or(template))?;
    // Moved when complete, so that a killed installation is never taken for a template.
    fs::rename(&data, template).with_context(|| format!("cannot make {}", template.display()))
}

/// An identifier in SQL.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
