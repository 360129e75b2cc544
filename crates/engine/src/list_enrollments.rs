//! `list_enrollments`: a user's runs, newest first, and one of them with its timeline.
//!
//! | step | store calls |
//! |---|---|
//! | load the user | 1 |
//! | for the timeline, pages of his records | 1 each |

use std::sync::Arc;

use domain::catalog::Mission;
use domain::change::Loaded;
use domain::ids::EnrollmentId;
use domain::user::Enrollment;
use store::Seq;

use crate::trail::{TrailLine, lines_of_run};
use crate::{Ctx, Engine, EngineError, Viewer};

/// Most records of a user that one timeline looks through.
pub(crate) const TIMELINE_RECORDS_MAX: usize = 5_000;
/// Records of one page of a user's journal.
pub(crate) const LEDGER_PAGE: usize = 200;

/// A run with its mission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunLine {
    /// The run.
    pub run: Enrollment,
    /// The mission in the locked version.
    pub mission: Arc<Mission>,
}

impl Engine {
    /// The user's runs, newest first; `after` is the place where the last page ended.
    ///
    /// # Errors
    /// [`EngineError::Store`] if the user cannot be loaded.
    pub async fn list_enrollments(
        &self,
        ctx: &Ctx,
        viewer: &Viewer,
        after: usize,
        limit: usize,
    ) -> Result<(Vec<RunLine>, Loaded), EngineError> {
        let loaded = self.load_for(ctx, viewer).await?;
        let runs = loaded.state.enrollments.iter().rev().skip(after).take(limit);
        let lines = runs.filter_map(|run| self.run_line(run)).collect();
        Ok((lines, loaded))
    }

    /// One of the user's runs with everything that happened in it, oldest first.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if it is not his.
    pub async fn show_enrollment(
        &self,
        ctx: &Ctx,
        viewer: &Viewer,
        id: EnrollmentId,
    ) -> Result<(RunLine, Loaded, Vec<TrailLine>), EngineError> {
        let loaded = self.load_for(ctx, viewer).await?;
        let run = loaded.state.run(id).ok_or(EngineError::NotFound("enrollment"))?;
        let line = self.run_line(run).ok_or(EngineError::NotFound("mission"))?;
        let mut timeline = Vec::new();
        let mut before: Option<Seq> = None;
        for _ in 0..TIMELINE_RECORDS_MAX / LEDGER_PAGE {
            let page = ctx
                .metered("users.ledger", self.stores.state.ledger(viewer.user, before, LEDGER_PAGE))
                .await?;
            timeline.extend(page.records.iter().flat_map(|one| lines_of_run(one, id)));
            before = page.before;
            if before.is_none() {
                break;
            }
        }
        timeline.reverse();
        Ok((line, loaded, timeline))
    }

    fn run_line(&self, run: &Enrollment) -> Option<RunLine> {
        let snapshot = self.snapshot();
        let mission = snapshot.mission_version(run.mission, run.version)?;
        Some(RunLine { run: run.clone(), mission: Arc::clone(mission) })
    }
}
