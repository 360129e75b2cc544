//! What a user has done, arranged once for a request so that each mission is answered quickly.

use crate::catalog::{Mission, Role};
use crate::ids::{LineItemId, MissionId};
use crate::snapshot::Snapshot;
use crate::time::Day;
use crate::user::{Enrollment, Phase, UserState};

/// A user's runs by what the rules ask of them; every list is sorted.
#[derive(Debug)]
pub(crate) struct History<'a> {
    runs: &'a [Enrollment],
    /// The missions he has started, and where their runs are.
    started: Vec<(MissionId, u32)>,
    /// The line item and budget day of each run.
    starts: Vec<(LineItemId, Day)>,
    /// The advertised apps that he has done something for, and by which mission.
    done: Vec<(u32, MissionId)>,
    /// The advertised apps that he has installed.
    installed: Vec<u32>,
}

impl<'a> History<'a> {
    pub(crate) fn new(snapshot: &Snapshot, user: &'a UserState) -> Self {
        let advertised = snapshot.advertised();
        let runs = user.enrollments.as_slice();
        let done = runs.iter().filter(|run| counts_as_done(run));
        let names = user.profile.installed_apps.iter();
        let mut this = Self {
            runs,
            started: (0..).zip(runs).map(|(place, run)| (run.mission, place)).collect(),
            starts: runs.iter().map(|run| (run.line_item, run.day)).collect(),
            done: done
                .filter_map(|run| Some((advertised.by(run.line_item)?, run.mission)))
                .collect(),
            installed: names.filter_map(|name| advertised.named(name)).collect(),
        };
        this.started.sort_unstable();
        this.starts.sort_unstable();
        this.done.sort_unstable();
        this.installed.sort_unstable();
        this
    }

    /// How many runs there are, of any phase.
    pub(crate) fn len(&self) -> usize {
        self.runs.len()
    }

    /// The user's run of that mission.
    pub(crate) fn run_of(&self, mission: MissionId) -> Option<&'a Enrollment> {
        let place = self.started.binary_search_by_key(&mission, |(started, _)| *started).ok()?;
        self.runs.get(self.started[place].1 as usize)
    }

    /// How many missions of the line item he has started, ever.
    pub(crate) fn starts(&self, line_item: LineItemId) -> u32 {
        self.starts_of(line_item).len() as u32
    }

    /// How many missions of the line item he has started on that day of the line item.
    pub(crate) fn starts_on(&self, line_item: LineItemId, day: Day) -> u32 {
        self.starts_of(line_item).iter().filter(|(_, one)| *one == day).count() as u32
    }

    /// Few of a user's runs are of one line item, so only where they begin is searched.
    fn starts_of(&self, line_item: LineItemId) -> &[(LineItemId, Day)] {
        let from = self.starts.partition_point(|(one, _)| *one < line_item);
        let starts = &self.starts[from..];
        let more = starts.iter().take_while(|(one, _)| *one == line_item).count();
        &starts[..more]
    }

    /// A mission other than `besides` that he has done for that advertised app.
    pub(crate) fn done_for(&self, app: u32, besides: MissionId) -> Option<MissionId> {
        let from = self.done.partition_point(|(done, _)| *done < app);
        let of_app = self.done[from..].iter().take_while(|(done, _)| *done == app);
        of_app.map(|(_, mission)| *mission).find(|mission| *mission != besides)
    }

    /// The advertised apps that he has done something for; one may come more than once.
    pub(crate) fn apps_done(&self) -> impl Iterator<Item = u32> {
        self.done.iter().map(|(app, _)| *app)
    }

    /// Whether he has that advertised app installed.
    pub(crate) fn has_installed(&self, app: u32) -> bool {
        self.installed.binary_search(&app).is_ok()
    }

    /// Whether he has completed that mission: every required step is paid and none was taken back.
    pub(crate) fn has_completed(&self, snapshot: &Snapshot, mission: MissionId) -> bool {
        self.run_of(mission).is_some_and(|run| {
            let version = snapshot.mission_version(run.mission, run.version);
            matches!(run.phase, Phase::Completed | Phase::Closed)
                && version.is_some_and(|mission| all_required_live(run, mission))
        })
    }
}

/// A run that was taken out of play, or ended without anything being done, does not count against
/// another mission for the same app.
fn counts_as_done(run: &Enrollment) -> bool {
    match run.phase {
        Phase::Voided => false,
        Phase::Expired | Phase::Closed => !run.is_untouched(),
        Phase::Open | Phase::Completed => true,
    }
}

fn all_required_live(run: &Enrollment, mission: &Mission) -> bool {
    let mut required = mission.steps.iter().filter(|step| step.role == Role::Required);
    required.all(|step| run.step(step.id).is_some_and(|done| done.live() >= step.repeat.limit))
}
