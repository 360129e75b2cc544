//! `guerdon catalog`: the catalogue as a file.
//!
//! With a server running, its admin API does the work, so that it serves the new catalogue at once;
//! without one, this process opens the database. Either way the same edit is checked by the same
//! rules, and the answer is the same.

mod copy;
mod difference;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::catalog::{Catalog, diff, validate};
use engine::{ApplyError, Ctx};
use format::catalog::{CatalogFile, FileErrors, Syntax, parse};
use serde::Serialize;

use crate::cli::{CatalogCommand, CatalogFormat};
use crate::clock;
use crate::config::Loaded;
use crate::operator::{Operator, Refused, RefusedField, RemoteOperator};
use crate::output::{Finding, Output, print};
use crate::wiring::{CLI_NAME, Node};
use difference::DifferenceAnswer;

/// Runs one of the catalogue's commands.
pub(crate) async fn run(path: &Path, command: CatalogCommand, out: Output) -> anyhow::Result<()> {
    match command {
        CatalogCommand::Apply { file, dry_run, prune } => {
            let source = Source::read(&file)?;
            apply(path, &source, Wish { dry_run, prune }, out).await
        }
        CatalogCommand::Export { format } => {
            let format = if out.json { CatalogFormat::Json } else { format };
            export(path, format).await
        }
        CatalogCommand::Copy { to, dry_run } => copy::run(path, &to, dry_run, out).await,
        CatalogCommand::Validate { file } => check(&Source::read(&file)?, out),
    }
}

/// A catalogue file, read but not understood yet.
struct Source {
    path: PathBuf,
    syntax: Syntax,
    text: String,
}

impl Source {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let syntax = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Syntax::Toml,
            Some("json") => Syntax::Json,
            _ => bail!("{} must end in .toml or .json", path.display()),
        };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { path: path.to_owned(), syntax, text })
    }

    /// Its media type, by which a server knows its syntax.
    fn content_type(&self) -> &'static str {
        match self.syntax {
            Syntax::Toml => "application/toml",
            Syntax::Json => "application/json",
        }
    }

    /// Errors as editors and terminals understand them: `file:line:column: field: what`.
    fn told(&self, errors: &FileErrors) -> String {
        let lines = errors.0.iter().map(|error| {
            let mut line = self.path.display().to_string();
            if let Some(place) = error.place {
                line.push_str(&format!(":{}:{}", place.line, place.column));
            }
            if !error.path.is_empty() {
                line.push_str(&format!(": {}", error.path));
            }
            format!("{line}: {}", error.message)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The same for what a server has found.
    fn told_by(&self, refused: &Refused) -> String {
        let mut text = refused.to_string();
        for RefusedField { field, message, line } in &refused.errors {
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            text.push_str(&format!("\n{}{line}: {field}: {message}", self.path.display()));
        }
        text
    }
}

/// How a file is applied.
#[derive(Clone, Copy)]
struct Wish {
    dry_run: bool,
    prune: bool,
}

/// Reads the file before anybody is asked, so that a file with mistakes changes nothing anywhere.
async fn apply(path: &Path, source: &Source, wish: Wish, out: Output) -> anyhow::Result<()> {
    let loaded = Loaded::read(path)?;
    let file = parse(source.syntax, &source.text)
        .map_err(|errors| anyhow::anyhow!("nothing was changed\n{}", source.told(&errors)))?;
    let wish = Wish { prune: wish.prune || file.prune, ..wish };
    let answer = match Operator::connect(&loaded).await? {
        Operator::Server(server) => ask(&server, source, wish).await?,
        Operator::Here(node) => apply_here(&node, source, &file, wish).await?,
    };
    out.answer(&answer, DifferenceAnswer::text)
}

/// What the server says first where the command has said it already.
const NOTHING_SAVED: &str = "Nothing was saved: ";

/// Has the running server apply it.
async fn ask(
    server: &RemoteOperator,
    source: &Source,
    wish: Wish,
) -> anyhow::Result<DifferenceAnswer> {
    let Wish { dry_run, prune } = wish;
    let path = format!("/v1/admin/catalog/apply?dry_run={dry_run}&prune={prune}");
    let answer = server.post(&path, source.content_type(), source.text.clone()).await;
    let answer = answer.map_err(|error| match error.downcast::<Refused>() {
        Ok(refused) => {
            let told = source.told_by(&refused);
            anyhow::anyhow!(
                "nothing was changed: {}",
                told.strip_prefix(NOTHING_SAVED).unwrap_or(&told)
            )
        }
        Err(error) => error,
    })?;
    Ok(serde_json::from_value(answer)?)
}

/// Applies it to the database itself: checked, and saved only if nobody else came first.
async fn apply_here(
    node: &Node,
    source: &Source,
    file: &CatalogFile,
    wish: Wish,
) -> anyhow::Result<DifferenceAnswer> {
    let base = node.engine.snapshot();
    let difference = node.engine.difference(&base, &file.entities, wish.prune);
    let mut answer = DifferenceAnswer::of(base.catalog(), &difference);
    answer.dry_run = wish.dry_run;
    let ctx = Ctx::at(clock::now());
    let revision = match wish.dry_run {
        true => node.engine.preview(&base, &difference).map(|()| base.revision()),
        false => {
            let apply = node.engine.apply_difference(&ctx, &base, difference, CLI_NAME);
            apply.await.map(|applied| applied.revision)
        }
    };
    match revision {
        Ok(revision) => answer.revision = revision,
        Err(ApplyError::Invalid(problems)) => {
            bail!("nothing was changed\n{}", source.told(&file.locate(&problems)))
        }
        Err(ApplyError::BelowCommitted(id, level)) => bail!(
            "nothing was changed: the budget of line item {id} would be below the {} micro-units \
             that are booked and held; give it at least that",
            level.total.committed().0
        ),
        Err(error) => return Err(error.into()),
    }
    Ok(answer)
}

/// Prints the whole catalogue, with its secrets sealed or as references.
async fn export(path: &Path, format: CatalogFormat) -> anyhow::Result<()> {
    let loaded = Loaded::read(path)?;
    let text = match Operator::connect(&loaded).await? {
        Operator::Server(server) => {
            let format = match format {
                CatalogFormat::Toml => "toml",
                CatalogFormat::Json => "json",
            };
            server.get(&format!("/v1/admin/catalog?format={format}")).await?
        }
        Operator::Here(node) => {
            let snapshot = node.engine.snapshot();
            match format {
                CatalogFormat::Toml => format::catalog::to_toml(snapshot.catalog())?,
                CatalogFormat::Json => format::catalog::to_json(snapshot.catalog())?,
            }
        }
    };
    print(text.trim_end())
}

/// What a file that was checked on its own came to.
#[derive(Serialize)]
struct Checked {
    file: PathBuf,
    valid: bool,
    errors: Vec<ErrorLine>,
}

/// One thing wrong with it; a place is missing if the file lacks something.
#[derive(Serialize)]
struct ErrorLine {
    line: Option<usize>,
    column: Option<usize>,
    field: String,
    message: String,
}

/// Checks a file as if it were the whole catalogue: everything it refers to must be in it.
fn check(source: &Source, out: Output) -> anyhow::Result<()> {
    let errors = match parse(source.syntax, &source.text) {
        Ok(file) => {
            let empty = Catalog::default();
            let edits = diff(&empty, &file.entities, false).edits;
            file.locate(&validate(&empty.edited(&edits)))
        }
        Err(errors) => errors,
    };
    let lines = errors.0.iter().map(|error| ErrorLine {
        line: error.place.map(|place| place.line),
        column: error.place.map(|place| place.column),
        field: error.path.clone(),
        message: error.message.clone(),
    });
    let checked =
        Checked { file: source.path.clone(), valid: errors.0.is_empty(), errors: lines.collect() };
    out.answer(&checked, |checked| match checked.valid {
        true => format!("{} is a catalogue that can be applied", source.path.display()),
        false => source.told(&errors),
    })?;
    match checked.errors.len() {
        0 => Ok(()),
        1 => Err(Finding("1 problem".to_owned()).into()),
        count => Err(Finding(format!("{count} problems")).into()),
    }
}
