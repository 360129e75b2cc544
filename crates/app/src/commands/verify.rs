//! `guerdon verify`: the proof that the books are right.

use std::path::Path;

use domain::verify::{Finding, Report};
use engine::{Ctx, EngineError, StoreError};
use serde::Serialize;

use crate::clock;
use crate::config::Loaded;
use crate::output::{self, Output, Progress, counted};
use crate::wiring;

/// What was checked and found.
#[derive(Serialize)]
pub(crate) struct Checked {
    records: u64,
    entries: u64,
    users: u64,
    seconds: f64,
    findings: Vec<FindingLine>,
    /// Findings beyond those that are listed.
    unlisted: u64,
}

/// An invariant that does not hold, and for what.
#[derive(Serialize)]
struct FindingLine {
    invariant: String,
    subject: String,
    detail: String,
}

/// Verifies, prints, and ends with the exit code for findings if there are any.
pub(crate) async fn run(path: &Path, out: Output) -> anyhow::Result<()> {
    let checked = check(&Loaded::read(path)?).await?;
    out.answer(&checked, Checked::text)?;
    match checked.findings() {
        0 => Ok(()),
        count => Err(output::Finding(counted(count, "finding", "findings")).into()),
    }
}

/// Verifies the database of a configuration, beside a server that may be running.
pub(crate) async fn check(loaded: &Loaded) -> anyhow::Result<Checked> {
    let mut progress = Progress::new("verify");
    let report = derive(loaded, &Ctx::at(clock::now()), |records, users| {
        progress.at(|| format!("{records} records, {users} users"));
    })
    .await?;
    let findings = report.findings.iter().map(|finding| FindingLine {
        invariant: finding.invariant.to_owned(),
        subject: finding.subject.clone(),
        detail: finding.detail.clone(),
    });
    Ok(Checked {
        records: report.records,
        entries: report.entries_checked,
        users: report.users,
        seconds: progress.end(),
        findings: findings.collect(),
        unlisted: report.unlisted,
    })
}

/// Derives the books of a configuration's database anew, from one view of it.
///
/// What cannot be read is a finding too, [`STORE`]: the proof ends there, and says how far it came.
pub(crate) async fn derive(
    loaded: &Loaded,
    ctx: &Ctx,
    mut progress: impl FnMut(u64, u64) + Send,
) -> anyhow::Result<Report> {
    let (mut records, mut users) = (0, 0);
    let verified = async {
        let node = wiring::open_view(loaded).await?;
        let at = |so_far: u64, of_users: u64| {
            (records, users) = (so_far, of_users);
            progress(so_far, of_users);
        };
        let report = node.engine.verify(ctx, at).await?;
        // The state may have gone on to the next store.
        let next = loaded.config.next_state.as_ref();
        let has_views = wiring::has_views(&loaded.state()) && next.is_none_or(wiring::has_views);
        if report.findings.is_empty() || has_views {
            return anyhow::Ok(report);
        }
        let again = node.engine.verify(ctx, |_, _| {}).await?;
        anyhow::Ok(found_twice(&report, again))
    };
    let error = match verified.await {
        Ok(report) => return Ok(report),
        Err(error) => error,
    };
    let Some(detail) = corrupt(&error) else { return Err(error) };
    let subject = format!("after record {records} and {users} users");
    let findings = vec![Finding { invariant: STORE, subject, detail }];
    Ok(Report { records, users, findings, ..Report::default() })
}

/// What is still found at a second look. A store without views shows a change that is made meanwhile
/// on one side only; whoever is at work at both moments may still be found, so verify at rest.
fn found_twice(first: &Report, mut again: Report) -> Report {
    let is_same = |one: &Finding, other: &Finding| {
        (one.invariant, &one.subject) == (other.invariant, &other.subject)
    };
    if first.unlisted == 0 {
        again.findings.retain(|one| first.findings.iter().any(|other| is_same(one, other)));
    }
    again
}

/// Under this name a finding says that stored data cannot be read.
const STORE: &str = "STORE";

/// What is corrupt, if that is why there is no answer.
fn corrupt(error: &anyhow::Error) -> Option<String> {
    match error.downcast_ref()? {
        EngineError::Store(StoreError::Corrupt(_)) => Some(error.root_cause().to_string()),
        _ => None,
    }
}

impl Checked {
    /// How many invariants do not hold.
    pub(crate) fn findings(&self) -> u64 {
        self.findings.len() as u64 + self.unlisted
    }

    /// The result for people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "{} in {} of {} checked in {:.2} s",
            counted(self.entries, "entry", "entries"),
            counted(self.records, "record", "records"),
            counted(self.users, "user", "users"),
            self.seconds
        );
        if self.findings.is_empty() {
            text.push_str(": M1 to M9, I7 and D1 hold.");
        }
        for FindingLine { invariant, subject, detail } in &self.findings {
            text.push_str(&format!("\n{invariant}  {subject}: {detail}"));
        }
        if self.unlisted > 0 {
            text.push_str(&format!("\nand {} more", self.unlisted));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(findings: &[(&'static str, &str, &str)], unlisted: u64) -> Report {
        let finding = |(invariant, subject, detail): &(&'static str, &str, &str)| Finding {
            invariant,
            subject: (*subject).to_owned(),
            detail: (*detail).to_owned(),
        };
        let findings = findings.iter().map(finding).collect();
        Report { findings, unlisted, ..Report::default() }
    }

    #[test]
    fn a_second_look_drops_what_was_on_its_way_and_nothing_else() {
        let first = report(&[("M6", "user 1", "3 for 2"), ("M2", "line item 7", "9 for 8")], 0);
        let again = report(&[("M2", "line item 7", "19 for 18"), ("M6", "user 2", "1 for 0")], 0);
        let found = found_twice(&first, again.clone());
        assert_eq!(found.findings, report(&[("M2", "line item 7", "19 for 18")], 0).findings);
        // A list that was cut says nothing of those it lacks.
        let cut = report(&[("M6", "user 1", "3 for 2")], 5);
        assert_eq!(found_twice(&cut, again.clone()).findings, again.findings);
    }
}
