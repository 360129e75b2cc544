//! `guerdon init`: a commented configuration, a master key, and a first admin key shown once.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use serde::Serialize;

use crate::cli::{InitArgs, Shape};
use crate::clock;
use crate::commands::key;
use crate::config::{FILE_NAME, Role};
use crate::output::Output;
use crate::shapes;

/// What was written, and the key that is not.
#[derive(Serialize)]
struct Written {
    config: PathBuf,
    master_key: PathBuf,
    admin_key: String,
}

/// Writes the files and tells what to do next.
pub(crate) fn run(args: &InitArgs, out: Output) -> anyhow::Result<()> {
    let written = write(&args.folder, args.shape)?;
    out.answer(&written, |written| {
        format!(
            "Wrote {} and {}.\n\n\
             The first admin key, shown only now:\n\n  {}\n\n\
             Keep the master key apart from the database: together they open every secret.\n\
             {}",
            written.config.display(),
            written.master_key.display(),
            written.admin_key,
            next(args.shape, &written.config),
        )
    })
}

/// What to do with it.
fn next(shape: Shape, config: &Path) -> String {
    let config = config.display();
    let commands: &[&str] = match shape {
        Shape::Embedded => return format!("Next: guerdon --config {config} serve"),
        Shape::Compact | Shape::Standard => &["doctor", "migrate", "serve"],
        Shape::Scaled => {
            &["doctor", "migrate", "serve --no-jobs", "worker --listen 127.0.0.1:8090"]
        }
    };
    let lines = commands.iter().map(|command| format!("\n  guerdon --config {config} {command}"));
    format!("Next, once {config} says where your servers are:\n{}", lines.collect::<String>())
}

/// Writes into a folder that has none of the files; they are never overwritten, because a lost
/// master key locks every secret away for ever.
fn write(folder: &Path, shape: Shape) -> anyhow::Result<Written> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let config = folder.join(FILE_NAME);
    let master_key = folder.join("master.key");
    for path in [&config, &master_key] {
        if path.exists() {
            bail!("{} is there already; nothing was changed", path.display());
        }
    }
    let (admin_key, digest) = key::admin_key();
    let lines = key::config_lines("first admin", Role::Admin, &digest)?;
    write_private(&master_key, &master_key_text())?;
    write_private(&config, &format!("{}\n{lines}", shapes::text(shape)))?;
    Ok(Written { config, master_key, admin_key })
}

/// A new master key as its file holds it.
pub(crate) fn master_key_text() -> String {
    format!("{}\n", HEXLOWER.encode(&clock::random::<32>()))
}

/// Writes a new file that only its owner can read.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let opened = options.open(path);
    let mut file = opened.with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}
