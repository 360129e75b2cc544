//! A mission of a list, as JSON with gaps.
//!
//! Of a mission that a user has started only a few values are his own: where it and its steps stand,
//! what he was promised, and until when. Of one that he can start, as few depend on the app. What stands
//! between them is written once for a revision and a language, and copied from then on. Tests compare
//! what comes out with [`MissionDoc::of_run`] and [`MissionDoc::of_offer`].
//!
//! There are as many forms as missions, and most of a form is the names of fields. What missions say
//! alike is therefore kept once for all of them ([`Alike`]).

use std::collections::HashSet;
use std::hash::Hash;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use domain::catalog::Mission;
use domain::decide::Offer;
use domain::time::Timestamp;
use domain::user::Enrollment;
use domain::view::{self, StepGlance, StepState, is_locked_at_start};
use serde::Serialize;

use super::{MissionDoc, StepDoc, append, reward_total};
use crate::stamp::append_rfc3339;

/// One version of a mission.
#[derive(Debug)]
pub(in super::super) struct Form {
    /// Up to the state.
    head: Box<[u8]>,
    rest: Arc<Rest>,
}

/// All behind the head of a form. The parts between the gaps stand side by side in their order, so that
/// nearly all of them are near when the first one is read.
#[derive(PartialEq, Eq, Hash, Debug)]
struct Rest {
    text: Box<[u8]>,
    /// From the rewards to the deadline.
    middle: Part,
    /// From the deadline to the first step.
    tail: Part,
    steps: Box<[StepForm]>,
}

/// One of the steps.
#[derive(PartialEq, Eq, Hash, Debug)]
struct StepForm {
    /// Whether another step has to be done first when the mission is started.
    begins_locked: bool,
    /// Up to the reward.
    head: Part,
    standing: Arc<Standing>,
}

/// How far a step is, from the reward to the deadline. Steps that are bonus, optional and repeated alike
/// have the same.
#[derive(PartialEq, Eq, Hash, Debug)]
struct Standing {
    text: Box<[u8]>,
    /// All of it, while nothing is done and it can be done.
    available: Part,
    /// The same, while another step has to be done first.
    locked: Part,
    /// From the reward to the state.
    middle: Part,
    /// From the completed occurrences to the deadline.
    tail: Part,
}

/// What the forms of a language have in common: each once, and no more than there are forms and steps.
#[derive(Default)]
pub(in super::super) struct Alike {
    rests: Shared<Rest>,
    standings: Shared<Standing>,
}

/// Values of which one copy is enough.
struct Shared<T>(Mutex<HashSet<Arc<T>>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Eq + Hash> Shared<T> {
    fn share(&self, value: T) -> Arc<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&value) {
            return Arc::clone(known);
        }
        let value = Arc::new(value);
        all.insert(Arc::clone(&value));
        value
    }
}

/// Where a part is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Part {
    from: u32,
    to: u32,
}

impl Part {
    fn of(self, text: &[u8]) -> &[u8] {
        &text[self.from as usize..self.to as usize]
    }
}

impl Form {
    /// The form of a mission in a language; what others say too is taken from `alike`.
    pub(in super::super) fn of(mission: &Mission, language: &str, alike: &Alike) -> Self {
        let doc = MissionDoc::common(mission, language, Vec::new());
        let mut parts = Parts::default();
        parts.begin_object();
        parts.field("id", &doc.id);
        parts.field("line_item_id", &doc.line_item_id);
        parts.field("kind", &doc.kind);
        parts.field("title", &doc.title);
        parts.field("summary", &doc.summary);
        parts.field("icon_url", &doc.icon_url);
        parts.end_before("state");
        // Copies are as large as they have to be; a buffer that is cut off keeps its room.
        let head = Box::from(&parts.text[..]);
        let rest = Rest::of(mission, &doc, language, &alike.standings);
        Self { head, rest: alike.rests.share(rest) }
    }

    /// Writes the mission as somebody can start it.
    pub(in super::super) fn write_offer(&self, offer: &Offer<'_>, out: &mut Vec<u8>) {
        let rest = &*self.rest;
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b"\"available\",\"enrollment_id\":null,\"reward_total\":");
        number(offer.pays.0, out);
        out.extend_from_slice(b",\"reward_first\":");
        let rewards = offer.prices.iter().map(|price| price.points.0);
        number(rewards.clone().find(|reward| *reward > 0).unwrap_or(0), out);
        out.extend_from_slice(rest.part(rest.middle));
        moment(offer.line_item.flight.ends_at, out);
        out.extend_from_slice(rest.part(rest.tail));
        out.push(b'[');
        for (place, (step, reward)) in rest.steps.iter().zip(rewards).enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(rest.part(step.head));
            number(reward, out);
            let standing = &*step.standing;
            out.extend_from_slice(standing.part(match step.begins_locked {
                true => standing.locked,
                false => standing.available,
            }));
            out.extend_from_slice(b"null,\"rewarded_at\":null}");
        }
        out.extend_from_slice(b"]}");
    }

    /// Writes a run of the mission as it stands at `now`. `glances` is room for its steps.
    pub(in super::super) fn write(
        &self,
        (mission, run): (&Mission, &Enrollment),
        now: Timestamp,
        glances: &mut Vec<StepGlance>,
        out: &mut Vec<u8>,
    ) {
        glances.clear();
        glances.extend(view::step_glances(run, mission, now));
        let rest = &*self.rest;
        out.extend_from_slice(&self.head);
        text(view::run_state(run, now).name(), out);
        out.extend_from_slice(b",\"enrollment_id\":\"");
        run.id.append_to(out);
        out.extend_from_slice(b"\",\"reward_total\":");
        number(reward_total(mission, run), out);
        out.extend_from_slice(b",\"reward_first\":");
        number(reward_first(run, glances), out);
        out.extend_from_slice(rest.part(rest.middle));
        let begin = out.len();
        moment(Some(run.deadline), out);
        let deadline = (run.deadline, begin..out.len());
        out.extend_from_slice(rest.part(rest.tail));
        out.push(b'[');
        for (place, (step, glance)) in rest.steps.iter().zip(&*glances).enumerate() {
            if place > 0 {
                out.push(b',');
            }
            let own = (run.steps[place].points.0, glance);
            rest.write_step(step, own, &deadline, out);
        }
        out.extend_from_slice(b"]}");
    }
}

impl Rest {
    /// That of a mission, of which `doc` says what is the same for everybody.
    fn of(
        mission: &Mission,
        doc: &MissionDoc<'_>,
        language: &str,
        standings: &Shared<Standing>,
    ) -> Self {
        let mut parts = Parts::default();
        parts.field("typical_minutes", &doc.typical_minutes);
        let middle = parts.end_before("deadline");
        parts.field("requirements", &doc.requirements);
        parts.field("cta", &doc.cta);
        let tail = parts.end_before("steps");
        let steps = mission.steps.iter().enumerate().map(|(place, step)| {
            let doc = StepDoc::common(step, place, language);
            let standing = standings.share(Standing::of(&doc));
            let begins_locked = is_locked_at_start(mission, place);
            StepForm { begins_locked, head: parts.head_of(&doc), standing }
        });
        let steps = steps.collect();
        Self { text: Box::from(&parts.text[..]), middle, tail, steps }
    }

    fn part(&self, part: Part) -> &[u8] {
        part.of(&self.text)
    }

    /// Writes a step. Most have the deadline of their run, which stands in `out` already.
    fn write_step(
        &self,
        step: &StepForm,
        (reward, glance): (i64, &StepGlance),
        (of_run, written): &(Timestamp, Range<usize>),
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(self.part(step.head));
        number(reward, out);
        let standing = &*step.standing;
        match (glance.state, glance.completed) {
            (StepState::Available, 0) => out.extend_from_slice(standing.part(standing.available)),
            (StepState::Locked, 0) => out.extend_from_slice(standing.part(standing.locked)),
            (state, completed) => {
                let (middle, tail) = (standing.part(standing.middle), standing.part(standing.tail));
                write_standing(middle, state, completed, tail, out);
            }
        }
        match glance.deadline {
            Some(at) if at == *of_run => out.extend_from_within(written.clone()),
            other => moment(other, out),
        }
        match glance.rewarded_at {
            None => out.extend_from_slice(b",\"rewarded_at\":null}"),
            at => {
                out.extend_from_slice(b",\"rewarded_at\":");
                moment(at, out);
                out.push(b'}');
            }
        }
    }
}

impl Standing {
    fn of(doc: &StepDoc<'_>) -> Self {
        let mut parts = Parts::default();
        parts.field("bonus", &doc.bonus);
        parts.field("optional", &doc.optional);
        let middle = parts.end_before("state");
        parts.field("repeat_limit", &doc.repeat_limit);
        let tail = parts.end_before("deadline");
        let [available, locked] = [StepState::Available, StepState::Locked].map(|state| {
            let [middle, tail] = [middle, tail].map(|part| part.of(&parts.text).to_vec());
            write_standing(&middle, state, 0, &tail, &mut parts.text);
            parts.end()
        });
        Self { text: Box::from(&parts.text[..]), available, locked, middle, tail }
    }

    fn part(&self, part: Part) -> &[u8] {
        part.of(&self.text)
    }
}

/// Writes how far a step is, and what stands around that.
fn write_standing(middle: &[u8], state: StepState, completed: u32, tail: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(middle);
    text(state.name(), out);
    out.extend_from_slice(b",\"completed\":");
    number(completed.into(), out);
    out.extend_from_slice(tail);
}

/// What the next step pays.
fn reward_first(run: &Enrollment, glances: &[StepGlance]) -> i64 {
    let steps = run.steps.iter().zip(glances);
    let open = steps.filter(|(_, glance)| glance.state == StepState::Available);
    open.map(|(progress, _)| progress.points.0).find(|points| *points > 0).unwrap_or(0)
}

/// Parts being written, one behind the other.
#[derive(Default)]
struct Parts {
    text: Vec<u8>,
    /// Where the part that is written begins.
    begin: usize,
}

impl Parts {
    /// Writes a step up to its reward.
    fn head_of(&mut self, doc: &StepDoc<'_>) -> Part {
        self.begin_object();
        self.field("id", &doc.id);
        self.field("position", &doc.position);
        self.field("title", &doc.title);
        self.field("kind", &doc.kind);
        self.end_before("reward")
    }

    fn begin_object(&mut self) {
        self.text.push(b'{');
    }

    fn field(&mut self, name: &str, value: &impl Serialize) {
        self.name(name);
        append(&mut self.text, value);
    }

    /// Ends a part with the name of the field whose value is left open.
    fn end_before(&mut self, name: &str) -> Part {
        self.name(name);
        self.end()
    }

    fn end(&mut self) -> Part {
        let part = Part { from: self.begin as u32, to: self.text.len() as u32 };
        self.begin = self.text.len();
        part
    }

    fn name(&mut self, name: &str) {
        if self.text.last() != Some(&b'{') || self.begin == self.text.len() {
            self.text.push(b',');
        }
        append(&mut self.text, &name);
        self.text.push(b':');
    }
}

/// A name of ours, which needs no escapes.
fn text(name: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
}

fn number(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn moment(at: Option<Timestamp>, out: &mut Vec<u8>) {
    match at {
        Some(at) => {
            out.push(b'"');
            append_rfc3339(at, out);
            out.push(b'"');
        }
        None => out.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
mod tests {
    use domain::catalog::{Creative, LineItem, Role, Sequence, StepText, Wording, sample};
    use domain::ids::{AdGroupId, EnrollmentId, LineItemId, MissionId, StepId, UnitId};
    use domain::money::{CurrencyCode, Micros, Points, Split};
    use domain::snapshot::{Price, reward_total as pays};
    use domain::time::Day;
    use domain::user::{Paid, PaidState, Phase, StepProgress};

    use super::super::json;
    use super::*;

    const START: Timestamp = Timestamp(1_768_046_400_007);
    const HOUR_MS: i64 = 3_600_000;

    /// Texts with everything that JSON escapes, in two languages.
    fn mission() -> Mission {
        let mut mission = Mission::clone(&sample::catalog().missions[&MissionId(1)]);
        mission.creatives.push(Creative::from(Wording {
            language: "ko",
            title: "\"성\\\n\u{1}\u{2028}\"",
            icon_url: Some("https://icons.example/1.png?a=1&b=2"),
            ..Wording::default()
        }));
        let title = "두 번째 \"단계\"".to_owned();
        let text = StepText { language: "ko".to_owned(), title, ..StepText::default() };
        std::sync::Arc::make_mut(&mut mission.steps[1].texts).push(text);
        mission.steps[2].repeat.limit = 3;
        mission.requirements.push("a \"quoted\" one".to_owned());
        mission
    }

    fn run(mission: &Mission) -> Enrollment {
        let step = |step: &domain::catalog::Step| StepProgress {
            step: step.id,
            split: Split::default(),
            points: Points(i64::from(step.id.0) * 100),
            progress: 0,
            reached: 0,
            latest_at: None,
            paid: Vec::new(),
            visit_at: None,
            misses: 0,
        };
        Enrollment {
            id: EnrollmentId([0xa5; 16]),
            mission: mission.id,
            version: mission.version,
            line_item: LineItemId(1),
            ad_group: AdGroupId(1),
            unit: UnitId(1),
            started_at: START,
            deadline: START.plus_seconds(86_400),
            late_until: START.plus_seconds(2 * 86_400),
            day: Day(20_463),
            currency: CurrencyCode::USD,
            phase: Phase::Open,
            held: Micros(0),
            steps: mission.steps.iter().map(step).collect(),
            seen: Vec::new(),
            parked: Vec::new(),
            retry_at: None,
            forfeited: false,
        }
    }

    fn done(run: &mut Enrollment, place: usize, state: PaidState) {
        let step = &mut run.steps[place];
        (step.progress, step.reached) = (step.progress + 1, step.reached + 1);
        step.latest_at = Some(START);
        let booked_at = Timestamp(START.0 + 10 * place as i64);
        step.paid.push(Paid { booked_at, occurred_at: START, state });
    }

    /// Runs of every kind, at every stage.
    fn runs(mission: &Mission) -> Vec<Enrollment> {
        let states = [
            PaidState::Rewarded,
            PaidState::Reversed,
            PaidState::Pending { release_at: Timestamp(START.0 + HOUR_MS) },
        ];
        let mut runs = vec![run(mission)];
        for state in states {
            let mut run = run(mission);
            for place in [0, 1, 2, 2, 2, 3] {
                done(&mut run, place, state);
                runs.push(run.clone());
            }
        }
        let phases = [Phase::Completed, Phase::Expired, Phase::Closed, Phase::Voided];
        let later = runs
            .clone()
            .into_iter()
            .flat_map(|run| phases.map(|phase| Enrollment { phase, ..run.clone() }));
        runs.extend(later.collect::<Vec<_>>());
        runs
    }

    #[test]
    fn a_form_gives_the_document_of_each_run() {
        let mission = mission();
        let (mut glances, mut compared) = (Vec::new(), 0);
        for language in ["en", "ko", "ko-kr", "fr", ""] {
            let form = Form::of(&mission, language, &Alike::default());
            for run in runs(&mission) {
                for now in [START, Timestamp(START.0 + 30 * HOUR_MS), run.late_until] {
                    let mut written = Vec::new();
                    form.write((&mission, &run), now, &mut glances, &mut written);
                    let expected = json(&MissionDoc::of_run(&mission, &run, language, now));
                    let [written, expected] =
                        [written, expected].map(|json| String::from_utf8(json).unwrap());
                    assert_eq!(written, expected, "{language} {now}");
                    compared += 1;
                }
            }
        }
        assert_eq!(compared, 5 * 95 * 3);
    }

    /// The mission in any order, with steps that wait for others, and without anything to do.
    fn missions() -> Vec<Mission> {
        let mut waiting = mission();
        waiting.sequence = Sequence::Any;
        waiting.steps[2].after = vec![StepId(1)];
        waiting.steps[0].role = Role::Bonus;
        vec![mission(), waiting, Mission { steps: Vec::new(), ..mission() }]
    }

    #[test]
    fn a_form_gives_the_document_of_an_offer() {
        let mut line_item = LineItem::clone(&sample::catalog().line_items[&LineItemId(1)]);
        let price = |points| Price { points: Points(points), ..Price::default() };
        let alike = Alike::default();
        for mission in missions().into_iter().map(Arc::new) {
            for prices in [[0, 0, 70, -1], [1, 2, 3, 4], [0; 4]].map(|all| all.map(price)) {
                let prices = &prices[..mission.steps.len()];
                for ends_at in [None, Some(START)] {
                    line_item.flight.ends_at = ends_at;
                    let offer = offer(&mission, &line_item, prices);
                    for language in ["en", "ko-kr", ""] {
                        let mut written = Vec::new();
                        Form::of(&mission, language, &alike).write_offer(&offer, &mut written);
                        let document = MissionDoc::of_offer(&mission, &line_item, prices, language);
                        let [written, expected] =
                            [written, json(&document)].map(|json| String::from_utf8(json).unwrap());
                        assert_eq!(written, expected, "{language}");
                    }
                }
            }
        }
    }

    fn offer<'a>(
        mission: &'a Arc<Mission>,
        line_item: &'a LineItem,
        prices: &'a [Price],
    ) -> Offer<'a> {
        Offer {
            mission,
            line_item,
            ad_group: AdGroupId(1),
            expected: Micros(0),
            prices,
            pays: pays(mission, prices),
            place: 0,
            version_place: 0,
        }
    }

    #[test]
    fn what_missions_say_alike_is_kept_once() {
        let alike = Alike::default();
        let form = |mission: &Mission, language| Form::of(mission, language, &alike);
        let (one, other) = (mission(), Mission { id: MissionId(7), ..mission() });
        assert!(Arc::ptr_eq(&form(&one, "en").rest, &form(&other, "en").rest));
        let shorter = Mission { typical_minutes: Some(1), ..other };
        assert!(!Arc::ptr_eq(&form(&one, "en").rest, &form(&shorter, "en").rest));
        assert_eq!(alike.rests.0.lock().unwrap().len(), 2);
        // One repeats, and one is a bonus.
        assert_eq!(alike.standings.0.lock().unwrap().len(), 3);
    }
}
