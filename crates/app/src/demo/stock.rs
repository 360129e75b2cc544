//! The demo's catalogue, from the file to the running server.

use engine::{ApplyError, Ctx, Engine};
use format::catalog::{CatalogFile, parse_toml, to_toml};

use super::folder::Folder;
use crate::clock;

/// Name under which the demo signs its edits.
const BY: &str = "demo";

/// Gives an empty server the demo's catalogue, and says whether it was empty. In one that is not,
/// only the address of the world outside is brought up to date: the rest may have been edited.
pub(super) async fn fill(engine: &Engine, folder: &Folder, outside: &str) -> anyhow::Result<bool> {
    let snapshot = engine.snapshot();
    let is_new = snapshot.revision() == 0;
    let text = if is_new {
        let text = folder.catalog_text(outside);
        folder.write_catalog(&text)?;
        text
    } else {
        let text = to_toml(snapshot.catalog())?;
        let Some(old) = old_outside(&snapshot).filter(|old| old != outside) else {
            return Ok(false);
        };
        if let Ok(file) = std::fs::read_to_string(folder.catalog()) {
            std::fs::write(folder.catalog(), file.replace(&old, outside))?;
        }
        text.replace(&old, outside)
    };
    let file = parse_toml(&text)?;
    apply(engine, &file).await?;
    Ok(is_new)
}

/// Applies it; what is wrong with it is told with its line.
async fn apply(engine: &Engine, file: &CatalogFile) -> anyhow::Result<()> {
    let ctx = Ctx::at(clock::now());
    match engine.apply_entities(&ctx, &file.entities, false, BY).await {
        Ok(_) => Ok(()),
        Err(ApplyError::Invalid(problems)) => Err(file.locate(&problems).into()),
        Err(error) => Err(error.into()),
    }
}

/// Where the world outside was when the catalogue was last brought up to date.
fn old_outside(snapshot: &domain::snapshot::Snapshot) -> Option<String> {
    let mut endpoints = snapshot.catalog().apps.values().filter_map(|app| app.postback.as_ref());
    let is_ours = |url: &str| url.split_once("/publishers/").map(|(base, _)| base.to_owned());
    endpoints.find_map(|endpoint| is_ours(&endpoint.url))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use domain::catalog::{Catalog, Creative, MissionKind, diff, validate};

    use super::*;
    use crate::cli::DemoArgs;

    fn folder(path: &Path) -> Folder {
        let args = DemoArgs { folder: path.join("demo"), port: 8080, walk: false, fresh: false };
        Folder::open(&args).unwrap()
    }

    #[test]
    fn the_catalogue_is_whole_and_shows_every_kind_of_step() {
        let home = tempfile::tempdir().unwrap();
        let text = folder(home.path()).catalog_text("http://127.0.0.1:8081");
        assert!(!text.replace("in ${…},", "").contains("${"), "{text}");
        let file = parse_toml(&text).unwrap_or_else(|errors| panic!("{errors}"));
        let empty = Catalog::default();
        let catalog = empty.edited(&diff(&empty, &file.entities, false).edits);
        let errors = file.locate(&validate(&catalog));
        assert!(errors.0.is_empty(), "{errors}");
        let missions: Vec<_> = catalog.missions.values().collect();
        assert_eq!(missions.len(), 10);
        let kinds = [MissionKind::Game, MissionKind::SignUp, MissionKind::Quiz, MissionKind::Visit];
        for kind in kinds {
            assert!(missions.iter().any(|mission| mission.kind == kind), "{kind:?}");
        }
        for rule in ["event", "visit", "quiz", "check_in"] {
            let has_it = missions.iter().any(|one| one.steps.iter().any(|s| s.rule.name() == rule));
            assert!(has_it, "{rule}");
        }
        for mission in missions {
            let languages: Vec<_> = mission.creatives.iter().map(Creative::language).collect();
            for language in ["en", "ko", "ja"] {
                assert!(languages.contains(&language), "{} {language}", mission.id);
            }
        }
    }
}
