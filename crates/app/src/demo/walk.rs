//! The walk: a user goes through a mission over HTTP, from the session to the verified postback.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Serialize;
use serde_json::Value;

use super::Scene;
use super::caller::{Answer, Call};
use super::outside::Received;
use super::people::{self, MINA, MISSION, MISSION_TITLE};
use crate::clock;
use crate::commands::verify::Checked;
use crate::output::{Output, print};

/// How long the last postback may take to arrive; it takes well under a second.
const POSTBACKS_WITHIN: Duration = Duration::from_secs(30);
/// Longest answer that is shown to people, in characters; JSON has all of it.
const ANSWER_CHARS_MAX: usize = 360;

/// What happened, step by step.
#[derive(Serialize)]
pub(super) struct Walked {
    user_id: String,
    steps: Vec<StepTaken>,
    /// Points in the wallet at the end.
    balance: i64,
    postbacks: Vec<Received>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<Checked>,
}

/// One call of the walk and its answer.
#[derive(Serialize)]
struct StepTaken {
    what: String,
    call: Call,
    answer: Answer,
}

/// Takes a user whom nobody has seen before through the mission.
pub(super) async fn walk(scene: &Scene<'_>, out: Output) -> anyhow::Result<Walked> {
    let keys = &scene.folder.keys;
    let user_id = format!("walker-{}", clock::now().0);
    let mut walk = Walk { scene, out, steps: Vec::new() };

    let session = MINA.open_session(keys, &user_id);
    let opened = walk.step("The app's server opens a session for its user.", session).await?;
    let token = opened.text("token")?;
    let list = Call::get("/v1/missions").with_key(&token);
    let missions = walk.step("The user's page asks what there is to do.", list).await?;
    ensure!(offers(&missions, MISSION), "mission {MISSION} is not offered: {}", missions.body);
    let tap = people::participation(MISSION).with_key(&token);
    let started = walk.step(&format!("The user starts {MISSION_TITLE:?}."), tap).await?;
    let click_id = started.text("click_id")?;

    // Level 10 comes before level 5, and level 5 twice: the order and the copies change nothing.
    let reports = [
        ("install", "rewarded", "The advertiser reports the installation."),
        ("level_10", "parked", "It reports level 10, too early: the event waits."),
        ("level_5", "rewarded", "It reports level 5, which pays level 10 as well."),
        ("level_5", "duplicate", "It reports level 5 again: nothing is paid twice."),
    ];
    for (event, verdict, what) in reports {
        let answer = walk.step(what, people::generic_postback(keys, &click_id, event)).await?;
        let given = answer.text("verdict")?;
        ensure!(given == verdict, "{event} was answered {given}, not {verdict}: {}", answer.body);
    }
    let wallet = Call::get("/v1/wallet").with_key(&token);
    let wallet = walk.step("The user's wallet has the points.", wallet).await?;
    let balance = wallet.body["balance"].as_i64().context("the wallet has no balance")?;
    let postbacks = walk.postbacks(&user_id, balance).await?;
    Ok(Walked { user_id, steps: walk.steps, balance, postbacks, verified: None })
}

/// Whether the list holds the mission.
fn offers(missions: &Answer, id: u32) -> bool {
    let all = missions.body["missions"].as_array().into_iter().flatten();
    all.into_iter().any(|mission| mission["id"] == id)
}

/// The walk under way.
struct Walk<'a> {
    scene: &'a Scene<'a>,
    out: Output,
    steps: Vec<StepTaken>,
}

impl Walk<'_> {
    /// Makes a call and tells what came of it.
    async fn step(&mut self, what: &str, call: Call) -> anyhow::Result<Answer> {
        let answer = self.scene.caller.call(&call).await?;
        if !self.out.json {
            print(&self.told(what, &call, &answer))?;
        }
        self.steps.push(StepTaken { what: what.to_owned(), call, answer: answer.clone() });
        Ok(answer)
    }

    fn told(&self, what: &str, call: &Call, answer: &Answer) -> String {
        let number = self.steps.len() + 1;
        let body = call.body.as_ref().map(|body| format!("\n     {body}")).unwrap_or_default();
        format!(
            "{number:>2}. {what}\n     {} {}{body}\n  -> {} {}\n",
            call.method,
            call.path,
            answer.status,
            shortened(&answer.body)
        )
    }

    /// Waits until the publisher's server has been told, and has verified, all of the wallet.
    async fn postbacks(&self, user_id: &str, balance: i64) -> anyhow::Result<Vec<Received>> {
        let arrived = self.scene.outside.wait_for(|all| told_of(all, user_id) == balance);
        let all = tokio::time::timeout(POSTBACKS_WITHIN, arrived)
            .await
            .with_context(|| format!("the postbacks did not arrive in {POSTBACKS_WITHIN:?}"))??;
        let postbacks: Vec<Received> =
            all.into_iter().filter(|one| one.message["data"]["user_id"] == user_id).collect();
        if !self.out.json {
            for one in &postbacks {
                print(&format!("  <- {}", one.sentence()))?;
            }
        }
        Ok(postbacks)
    }
}

/// Points that the publisher has been told of, each message once. Only what was verified counts.
fn told_of(all: &[Received], user_id: &str) -> i64 {
    let told: BTreeMap<&str, i64> = all
        .iter()
        .filter(|one| one.refused.is_none() && one.message["data"]["user_id"] == user_id)
        .map(|one| (one.webhook_id.as_str(), one.message["data"]["amount"].as_i64().unwrap_or(0)))
        .collect();
    told.values().sum()
}

fn shortened(answer: &Value) -> String {
    let text = answer.to_string();
    match text.char_indices().nth(ANSWER_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl Walked {
    /// Tells how it ended, with the books verified.
    pub(super) fn end(&mut self, checked: Checked, out: Output) -> anyhow::Result<()> {
        let text = checked.text();
        self.verified = Some(checked);
        out.answer(self, |walked| {
            format!(
                "\n{} has earned {} points in {} postbacks, each received and verified.\n{text}",
                walked.user_id,
                walked.balance,
                walked.postbacks.len()
            )
        })
    }
}
