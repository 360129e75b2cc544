//! Cases of missions, their steps and rules.

use super::*;

fn texts(c: &mut Catalog) -> &mut Vec<StepText> {
    Arc::make_mut(&mut step(c, 0).texts)
}

#[test]
fn missions() {
    check(&[
        (
            |c| mission(c).line_item_id = LineItemId(9),
            "missions 1 line_item_id: there is no line item 9",
        ),
        (|c| mission(c).window_seconds = 0, "missions 1 window_seconds: it must be above 0"),
        (
            |c| step(c, 0).repeat.limit = EVENTS_MAX as u32,
            "missions 1 steps: they need 1003 events together; one run keeps 1000",
        ),
        (|c| mission(c).window_seconds = u32::MAX, "missions 1 window_seconds: it must be above 0"),
        (
            |c| mission(c).typical_minutes = Some(0),
            "missions 1 typical_minutes: it must be between",
        ),
        (
            |c| mission(c).requirements.push(String::new()),
            "missions 1 requirements[1]: it must not be empty",
        ),
        (
            |c| mission(c).prerequisites.push(MissionId(9)),
            "missions 1 prerequisites: there is no mission 9",
        ),
        (
            |c| mission(c).prerequisites.push(MissionId(1)),
            "missions 1 prerequisites: the mission waits",
        ),
        (
            |c| {
                second_mission(c, 1);
                mission(c).prerequisites.push(MissionId(2));
            },
            "missions 2 prerequisites: the mission waits",
        ),
        (|c| mission(c).creatives.clear(), "missions 1 creatives: give at least one language"),
        (
            |c| {
                let again = mission(c).creatives[0].clone();
                mission(c).creatives.push(again)
            },
            "missions 1 creatives[1].language: there is another text in en",
        ),
        (
            |c| reword(c, |one| Wording { language: "english please", ..one }.into()),
            "missions 1 creatives[0].language: it must be",
        ),
        (
            |c| reword(c, |one| Wording { title: "", ..one }.into()),
            "missions 1 creatives[0].title: it must not be empty",
        ),
        (
            |c| reword(c, |one| Wording { title: &"x".repeat(121), ..one }.into()),
            "missions 1 creatives[0].title: it has more than 120",
        ),
        (
            |c| reword(c, |one| Wording { summary: "a\u{202e}b", ..one }.into()),
            "missions 1 creatives[0].summary: it holds the invisible character U+202E",
        ),
        (
            |c| reword(c, |one| Wording { icon_url: Some("data:image/png,x"), ..one }.into()),
            "missions 1 creatives[0].icon_url: it must begin",
        ),
        (
            |c| reword(c, |one| Wording { image_url: Some("https://"), ..one }.into()),
            "missions 1 creatives[0].image_url: it must begin",
        ),
        (
            |c| mission(c).landing_url = "javascript:alert('{click_id}')".into(),
            "missions 1 landing_url: it must begin",
        ),
        (
            |c| mission(c).landing_url = "https://a.example/{click_id}/{who}".into(),
            "missions 1 landing_url: {who} is not known",
        ),
        (
            |c| mission(c).landing_url = "https://a.example/{click_id}/{who".into(),
            "missions 1 landing_url: a brace",
        ),
        (
            |c| mission(c).landing_url = "https://a.example/".into(),
            "missions 1 landing_url: it must hold {click_id}",
        ),
        (
            |c| mission(c).landing_url = "https://a.example/ {click_id}".into(),
            "missions 1 landing_url: it holds a character",
        ),
        (
            |c| {
                mission(c).landing_url =
                    format!("https://a.example/{{click_id}}{}", "x".repeat(2_048)).into()
            },
            "missions 1 landing_url: it has more",
        ),
        (|c| mission(c).steps.clear(), "missions 1 steps: a mission has 1 to"),
        (
            |c| mission(c).steps = vec![step(c, 0).clone(); 41],
            "missions 1 steps: a mission has 1 to",
        ),
        (
            |c| mission(c).steps.iter_mut().for_each(|step| step.role = Role::Bonus),
            "missions 1 steps: at least one",
        ),
        (
            |c| line_item(c).budget = Micros(3_599_999),
            "missions 1 steps: one user may earn 3600000",
        ),
        (
            |c| line_item(c).daily_budget = Some(Micros(1)),
            "missions 1 steps: one user may earn 3600000",
        ),
        (
            |c| {
                step(c, 0).payout = MICROS_MAX;
                step(c, 0).repeat.limit = 1_000
            },
            "missions 1 steps: all payouts together",
        ),
    ]);
}

#[test]
fn steps() {
    check(&[
        (|c| step(c, 1).id = StepId(1), "missions 1 steps[1].id: another step has the number 1"),
        (|c| step(c, 1).after.push(StepId(9)), "missions 1 steps[1].after: there is no step 9"),
        (|c| step(c, 1).after.push(StepId(2)), "missions 1 steps[1].after: the step waits"),
        (|c| step(c, 0).after.push(StepId(3)), "missions 1 steps[0].after: the step waits"),
        (|c| texts(c).clear(), "missions 1 steps[0].texts: give at least one"),
        (
            |c| texts(c).push(StepText { language: "ko".into(), ..StepText::default() }),
            "missions 1 steps[0].texts[1].title: it must not",
        ),
        (|c| step(c, 0).payout = Micros(-1), "missions 1 steps[0].payout: it must be between 0"),
        (
            |c| step(c, 0).reward = Some(Micros(500_001)),
            "missions 1 steps[0].reward: it must be between 0 and the payout",
        ),
        (
            |c| step(c, 0).reward = Some(Micros(-1)),
            "missions 1 steps[0].reward: it must be between 0 and the payout",
        ),
        (|c| step(c, 0).repeat.limit = 0, "missions 1 steps[0].repeat.limit: it must be between 1"),
        (
            |c| step(c, 0).repeat.limit = 1_001,
            "missions 1 steps[0].repeat.limit: it must be between 1",
        ),
        (
            |c| step(c, 0).repeat.per_day = Some(2),
            "missions 1 steps[0].repeat.per_day: it must be between",
        ),
        (
            |c| {
                step(c, 0).repeat.per_day = Some(1);
                step(c, 0).rule = event(Aim::Count(2))
            },
            "missions 1 steps[0].repeat.per_day: a daily limit",
        ),
        (
            |c| step(c, 0).hold_hours = 181 * 24,
            "missions 1 steps[0].hold_hours: it must be at most",
        ),
        (
            |c| step(c, 1).window = Some(Window { from: WindowStart::Previous, seconds: 0 }),
            "missions 1 steps[1].window.seconds: it must be",
        ),
        (
            |c| step(c, 0).window = Some(Window { from: WindowStart::Previous, seconds: 9 }),
            "missions 1 steps[0].window.from: the first step",
        ),
    ]);
}

#[test]
fn rules() {
    check(&[
        (
            |c| step(c, 0).rule = Rule::Event { name: Box::default(), aim: Aim::Once },
            "missions 1 steps[0].rule.event.name: it must not",
        ),
        (
            |c| step(c, 0).rule = event(Aim::Count(0)),
            "missions 1 steps[0].rule.event.aim: it must be",
        ),
        (
            |c| step(c, 0).rule = event(Aim::Count(1_001)),
            "missions 1 steps[0].rule.event.aim: it must be",
        ),
        (
            |c| step(c, 0).rule = event(Aim::Sum(Micros(0))),
            "missions 1 steps[0].rule.event.aim: it must be",
        ),
        (
            |c| step(c, 0).rule = event(Aim::DistinctDays(0)),
            "missions 1 steps[0].rule.event.aim: it must be",
        ),
        (
            |c| step(c, 0).rule = visit("file:///etc/passwd", 9),
            "missions 1 steps[0].rule.visit.url: it must begin",
        ),
        (
            |c| step(c, 0).rule = visit("https://a.example", 0),
            "missions 1 steps[0].rule.visit.dwell_seconds:",
        ),
        (
            |c| step(c, 0).rule = visit("https://a.example", 3_601),
            "missions 1 steps[0].rule.visit.dwell_seconds:",
        ),
        (
            |c| step(c, 0).rule = quiz(1, 0, 1),
            "missions 1 steps[0].rule.quiz.choices: a quiz has 2 to 10",
        ),
        (
            |c| step(c, 0).rule = quiz(2, 2, 1),
            "missions 1 steps[0].rule.quiz.answer: it must be the place",
        ),
        (
            |c| step(c, 0).rule = quiz(2, 1, 0),
            "missions 1 steps[0].rule.quiz.attempts: it must be between",
        ),
    ]);
}
