//! Where the rungs live: the data in Guerdon's own stores and in those of the other applications.
//!
//! Loading all of it takes minutes, so the filled servers are kept, stopped, beside the seeded data,
//! and a later run starts on copies of them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::LadderOptions;
use super::django::Django;
use crate::data::{self, Data};
use crate::server::Guerdon;
use crate::shapes::Shape;
use crate::shapes::place::{Home, Servers};

/// Users of the shapes on DynamoDB, whose local stand-in takes an hour for all.
const FEW: u32 = 5_000;
/// Sources that decide what the servers hold, beside the seeded data.
const SOURCES: &[&str] = &[
    "bench/ladder/make_dump.py",
    "bench/ladder/missions",
    "crates/services/src",
    "crates/store-mysql/src",
    "crates/store-dynamo/src",
];
/// What kept servers begin with.
const KEPT: &str = "ladder-";
/// The file that says which data kept servers hold; written when they are whole.
const MARK: &str = "holds";

/// All of them.
pub(super) struct Places {
    pub(super) data: Data,
    /// The data of the shapes on DynamoDB.
    pub(super) few: Data,
    pub(super) servers: Servers,
    homes: Vec<Home>,
    pub(super) logs: TempDir,
}

impl Places {
    /// Seeds, loads and starts whatever is not there yet.
    pub(super) async fn prepare(options: &LadderOptions, guerdon: &Guerdon) -> Result<Self> {
        let data = Data::prepare(guerdon, options.size(u32::MAX))?;
        let few = Data::prepare(guerdon, options.size(FEW))?;
        let mark =
            format!("{}\n{}\n{}\n", data.mark()?, few.mark()?, data::sources_digest(SOURCES)?);
        let folder =
            data::kept_folder()?.join(format!("{KEPT}u{}-servers", data.world.contents.users));
        if std::fs::read_to_string(folder.join(MARK)).is_ok_and(|kept| kept == mark) {
            return Self::reopen(data, few, &folder);
        }
        let places = Self::fill(data, few, guerdon).await?;
        places.keep(&folder, &mark)?;
        Ok(places)
    }

    /// Where Guerdon's shape lives.
    pub(super) fn home(&self, shape: Shape) -> Result<&Home> {
        let found = self.homes.iter().find(|home| home.shape == shape);
        found.with_context(|| format!("there is no {}", shape.name()))
    }

    fn reopen(data: Data, few: Data, folder: &Path) -> Result<Self> {
        eprintln!("copying the loaded servers …");
        let servers = Servers::start_from(folder)?;
        let embedded = Home { shape: Shape::Embedded, folder: data.copy()? };
        let from = Home { shape: Shape::Embedded, folder: few.copy()? };
        let homes = vec![
            Home::make(Shape::Compact, &servers, &embedded)?,
            Home::make(Shape::Standard, &servers, &from)?,
            Home::make(Shape::Scaled, &servers, &from)?,
            embedded,
        ];
        Ok(Self { data, few, servers, homes, logs: logs()? })
    }

    async fn fill(data: Data, few: Data, guerdon: &Guerdon) -> Result<Self> {
        let servers = Servers::start()?;
        fill_django(&data, &servers, guerdon).await?;
        let mut homes = Vec::new();
        for (shape, from) in
            [(Shape::Compact, &data), (Shape::Standard, &few), (Shape::Scaled, &few)]
        {
            eprintln!("moving {} users to {} …", from.world.contents.users, shape.name());
            let from = Home { shape: Shape::Embedded, folder: from.copy()? };
            homes.push(Home::grow(guerdon, shape, &servers, &from)?.0);
        }
        homes.push(Home { shape: Shape::Embedded, folder: data.copy()? });
        Ok(Self { data, few, servers, homes, logs: logs()? })
    }

    /// Keeps what the servers hold; the mark comes last.
    fn keep(&self, folder: &PathBuf, mark: &str) -> Result<()> {
        eprintln!("keeping the loaded servers …");
        let kept = data::kept_folder()?;
        let name = folder.file_name().context("the folder has no name")?.to_string_lossy();
        data::remove_older(&kept, &name)?;
        let made = tempfile::Builder::new().prefix("loading-").tempdir_in(&kept)?;
        self.servers.save(made.path())?;
        std::fs::write(made.path().join(MARK), mark)?;
        std::fs::rename(made.path(), folder)?;
        Ok(())
    }
}

fn logs() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("run-").tempdir_in(data::kept_folder()?)?)
}

/// Fills the stores of the other applications with what Guerdon says that it holds.
async fn fill_django(data: &Data, servers: &Servers, guerdon: &Guerdon) -> Result<()> {
    let django = Django::on(servers)?;
    let dump = django.dump(data, guerdon, data.world.contents.users).await?;
    django.load(&dump, &["mariadb", "redis", "dynamodb"])
}
