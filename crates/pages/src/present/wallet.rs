//! Lines of the wallet.

use domain::catalog::Role;
use domain::ids::Act;
use domain::user::PaidState;
use domain::view;
use engine::{RunLine, WalletLine};

use super::Scene;
use crate::plain::Plain;
use crate::view::{EntryState, WalletEntry, WalletTab, Why};

/// The lines that the tab shows.
pub(crate) fn entries(lines: &[WalletLine], tab: WalletTab) -> Vec<WalletEntry> {
    let all = lines.iter().filter_map(entry);
    all.filter(|entry| shows(tab, entry.state)).collect()
}

fn shows(tab: WalletTab, state: EntryState) -> bool {
    match tab {
        WalletTab::All => true,
        WalletTab::Paid => state == EntryState::Paid,
        WalletTab::Checking => state == EntryState::Checking,
        WalletTab::NotCounted => matches!(state, EntryState::NotCounted(_)),
        WalletTab::TakenBack => matches!(state, EntryState::TakenBack(_)),
    }
}

/// A hold that has ended is told by the line that ended it, and a step without a reward by none.
fn entry(line: &WalletLine) -> Option<WalletEntry> {
    let state = match line.act {
        Act::Grant if line.wallet.0 != 0 => EntryState::Paid,
        Act::Grant => match line.stands {
            Some(PaidState::Pending { .. }) => EntryState::Checking,
            Some(PaidState::Rewarded | PaidState::Reversed) | None => return None,
        },
        Act::Capture => EntryState::Paid,
        Act::Reversal => EntryState::TakenBack(Why::Unstated),
    };
    let moved = if line.wallet.0 != 0 { line.wallet } else { line.pending };
    (moved.0 != 0).then(|| WalletEntry {
        reference: Plain::new(&line.transaction.to_string()),
        mission_id: line.mission.0.into(),
        mission: Plain::new(&line.mission_title),
        step: Plain::new(&line.step_title),
        at: line.at.0,
        amount: moved.0.saturating_abs(),
        state,
    })
}

/// Steps of these runs that can earn nothing any more; each under its run's own number.
pub(crate) fn not_counted(scene: &Scene<'_>, runs: &[RunLine]) -> Vec<WalletEntry> {
    runs.iter().flat_map(|run| not_counted_in(scene, run)).collect()
}

fn not_counted_in(scene: &Scene<'_>, line: &RunLine) -> Vec<WalletEntry> {
    let (run, mission) = (&line.run, line.mission.as_ref());
    let title = scene.creative(&mission.creatives).title;
    let lost = |place: usize| {
        let step = &mission.steps[place];
        let shown = view::step_view(run, mission, place, scene.now());
        let (why, at) = match shown.state {
            view::StepState::Rejected => (Why::WrongAnswer, run.started_at),
            view::StepState::Expired => (Why::TooLate, shown.deadline.unwrap_or(run.deadline)),
            _ => return None,
        };
        // An extra that nobody tried has not been lost.
        if step.role != Role::Required && why == Why::TooLate {
            return None;
        }
        Some(WalletEntry {
            reference: Plain::new(&run.id.to_string()),
            mission_id: mission.id.0.into(),
            mission: Plain::new(title),
            step: Plain::new(scene.step_text(&step.texts).map_or("", |text| &text.title)),
            at: at.min(run.deadline).0,
            amount: run.steps[place].points.0,
            state: EntryState::NotCounted(why),
        })
    };
    (0..mission.steps.len()).filter_map(lost).collect()
}
