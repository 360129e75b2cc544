//! Why there is nothing to start.

use domain::decide::{self, Levels, Rule, Situation};
use engine::ListView;

use super::Scene;
use crate::view::Empty;

/// Most missions that are asked why they are not shown: enough to see what most of them say, few
/// enough that an empty page costs no more than a full one.
const ASKED_MAX: usize = 50;

/// What stands in the way of most missions. For somebody who has started some, it is that he has.
pub(crate) fn why_empty(scene: &Scene<'_>, view: &ListView<'_>) -> Empty {
    let all_done = Empty::AllDone(None);
    if !view.loaded.state.enrollments.is_empty() {
        return all_done;
    }
    let levels = Levels::default();
    let situation = Situation {
        snapshot: view.snapshot,
        user: &view.loaded.state,
        unit: scene.unit,
        now: view.now,
        levels: &levels,
    };
    let missions = view.snapshot.catalog().missions.keys().take(ASKED_MAX);
    let reasons: Vec<Empty> =
        missions.filter_map(|id| targeted_elsewhere(&situation, *id)).collect();
    let votes = |reason: &Empty| reasons.iter().filter(|one| *one == reason).count();
    let known = [Empty::Region, Empty::Device, Empty::Age];
    let most = known.into_iter().max_by_key(votes);
    most.filter(|reason| votes(reason) > 0).unwrap_or(all_done)
}

/// The first property of the user that the mission's best ad group is not for.
fn targeted_elsewhere(situation: &Situation<'_>, id: domain::ids::MissionId) -> Option<Empty> {
    let verdicts = decide::explain(situation, id);
    let best = verdicts.iter().find_map(|verdict| verdict.ad_group)?;
    let of_best = verdicts.iter().filter(|verdict| verdict.ad_group == Some(best));
    of_best.filter(|verdict| !verdict.passed).find_map(|verdict| match verdict.rule {
        Rule::Country => Some(Empty::Region),
        Rule::Platform | Rule::OsVersion => Some(Empty::Device),
        Rule::Age => Some(Empty::Age),
        _ => None,
    })
}
