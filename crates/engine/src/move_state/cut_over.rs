//! The pause, in which neither store takes changes.

use std::time::Instant;

use store::{Phase, READ_WITHIN};

use super::{MoveError, Run, Step};

impl Run<'_> {
    /// Lets the state go over. Until the new store is `Live` nobody has used it, so a failure before
    /// that gives the state back to the old one.
    pub(super) async fn cut_over(&mut self) -> Result<(), MoveError> {
        self.tell(Step::CutOver, 0, 0.0);
        let begun = Instant::now();
        let moved = self.from.set_phase(Phase::Moved(self.to_name.to_owned())).await;
        // Only from here on is it certain that no node sees the old store as not moved.
        let finished = match moved {
            Ok(()) => self.copy_last(Instant::now()).await,
            Err(error) => Err(error),
        };
        if let Err(error) = finished {
            return Err(self.take_back(error).await);
        }
        self.go_live(begun).await
    }

    /// Gives the state back to the old store after a failure, if this run still has the move.
    async fn take_back(&self, error: MoveError) -> MoveError {
        if matches!(error, MoveError::TakenOver) {
            return error;
        }
        match self.from.set_phase(Phase::Live).await {
            Ok(()) => MoveError::TakenBack(Box::new(error)),
            Err(MoveError::TakenOver) => MoveError::TakenOver,
            Err(_) => MoveError::Between(Box::new(error)),
        }
    }

    /// Finishes a move that was killed in its pause. What that run had compared is not known any
    /// more, so everything is compared again while everybody waits.
    pub(super) async fn finish_pause(&mut self, begun: Instant) -> Result<(), MoveError> {
        let finished = async {
            self.copy().await?;
            self.compare().await?;
            self.copy_last(Instant::now()).await
        };
        finished.await.map_err(between)?;
        self.go_live(begun).await
    }

    /// Copies and compares what was changed at the very last.
    async fn copy_last(&mut self, moved_at: Instant) -> Result<(), MoveError> {
        let compared_to = self.head;
        self.copy_rest().await?;
        self.compare_last_records(compared_to).await?;
        self.compare_last_users().await?;
        self.copy_budgets().await?;
        self.settle_last_deliveries().await?;
        self.copy_identity().await?;
        // Until then a node may still read the old store.
        let since = moved_at.elapsed();
        tokio::time::sleep((READ_WITHIN + READ_WITHIN / 5).saturating_sub(since)).await;
        Ok(())
    }

    /// The records that were added since a place.
    async fn compare_last_records(&mut self, mut after: u64) -> Result<(), MoveError> {
        let ends = (self.from.head().await?, self.to.head().await?);
        if ends.0 != ends.1 {
            let told = format!("the journals end at {} and {}", ends.0, ends.1);
            return Err(MoveError::Differs(vec![told]));
        }
        self.report.records = ends.0;
        loop {
            let page = self.from.read(after, super::lane::PAGE).await?;
            let Some(last) = page.last().map(|one| one.seq) else { return Ok(()) };
            if self.to.read(after, page.len()).await? != page {
                let told = format!("the records after {after}, to {last}");
                return Err(MoveError::Differs(vec![told]));
            }
            after = last;
        }
    }

    /// Writes the budgets that differ, and compares all.
    async fn copy_budgets(&mut self) -> Result<(), MoveError> {
        let (rows, others) = (self.from.budget_rows().await?, self.to.budget_rows().await?);
        self.report.budgets = rows.len() as u64;
        let differing: Vec<_> = rows.iter().filter(|row| !others.contains(row)).cloned().collect();
        if differing.is_empty() && rows.len() == others.len() {
            return Ok(());
        }
        self.to.put_budgets(differing).await?;
        if self.to.budget_rows().await? != rows {
            return Err(MoveError::Differs(vec!["the budgets".to_owned()]));
        }
        Ok(())
    }

    async fn go_live(&mut self, begun: Instant) -> Result<(), MoveError> {
        let live = self.to.set_phase(Phase::Live).await;
        self.report.pause = begun.elapsed();
        live.map_err(between)
    }
}

/// A failure after which neither store takes changes.
fn between(error: MoveError) -> MoveError {
    match error {
        MoveError::TakenOver => error,
        error => MoveError::Between(Box::new(error)),
    }
}
