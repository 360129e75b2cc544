//! `trail` and `trail_of_user`: everything that happened around one id, as one timeline.
//!
//! | step | store calls |
//! |---|---|
//! | find the user by the id's prefix, or load him | 1 |
//! | pages of his records | 1 each |
//! | the deliveries of each page, if there are any | 1 |

use std::collections::HashMap;

use domain::ids::{
    AppId, DeliveryId, EnrollmentId, MissionId, Mode, TransactionId, UserKey, UserPrefix,
};
use domain::inquire::sentence;
use domain::journal::{Cause, EventTrace, Message};
use domain::time::Timestamp;
use domain::words::counted;
use store::{Delivery, Stored};

use crate::list_enrollments::{LEDGER_PAGE, TIMELINE_RECORDS_MAX};
use crate::{Ctx, Engine, EngineError, Seq};

/// Everything that happened around an id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trail {
    /// The user whom it belongs to.
    pub user: UserKey,
    /// What the id named: `click`, `enrollment`, `transaction`, `delivery` or `user`.
    pub kind: &'static str,
    /// What happened, oldest first.
    pub lines: Vec<TrailLine>,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrailLine {
    /// When.
    pub at: Timestamp,
    /// Place in the journal; 0 for a delivery's state.
    pub seq: Seq,
    /// What sort of thing: `participation`, `event`, `grant`, `delivery`, …
    pub what: &'static str,
    /// The run it belongs to.
    pub enrollment: Option<EnrollmentId>,
    /// The transaction or delivery it is about.
    pub id: Option<String>,
    /// The verdict and reason of an event; of an inquiry, whether it is open and what was found.
    pub verdict: Option<(&'static str, &'static str)>,
    /// What happened, in a plain sentence.
    pub sentence: String,
    /// The raw event, or the message of an inquiry.
    pub raw: Option<String>,
}

impl Engine {
    /// The timeline of a click id, enrollment, transaction, delivery or user key.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if nothing stored has that id.
    pub async fn trail(&self, ctx: &Ctx, id: &str) -> Result<Trail, EngineError> {
        if let Ok(click) = self.vault.open_click(id) {
            let run = EnrollmentId::derive(&click.user, click.mission);
            let lines = self.lines(ctx, click.user, Some(run)).await?;
            return Ok(Trail { user: click.user, kind: "click", lines });
        }
        let bytes = TransactionId::parse(id).ok_or(EngineError::NotFound("id"))?.0;
        let (prefix, _) = bytes.split_at(8);
        let prefix: UserPrefix = prefix.try_into().map_err(|_| EngineError::NotFound("id"))?;
        for loaded in ctx.metered("users.find", self.stores.state.find(prefix)).await? {
            let user = loaded.state.key();
            if user.0 == bytes {
                let lines = self.lines(ctx, user, None).await?;
                return Ok(Trail { user, kind: "user", lines });
            }
            let lines = self.lines(ctx, user, None).await?;
            if let Some((kind, run)) = owner_of(&lines, bytes) {
                let lines = lines.into_iter().filter(|line| line.enrollment == Some(run)).collect();
                return Ok(Trail { user, kind, lines });
            }
        }
        Err(EngineError::NotFound("id"))
    }

    /// The timeline of a publisher's user.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if the app's user of that id was never seen.
    pub async fn trail_of_user(
        &self,
        ctx: &Ctx,
        app: AppId,
        mode: Mode,
        user_id: &str,
    ) -> Result<Trail, EngineError> {
        let user = UserKey::derive(app, mode, user_id);
        if self.load(ctx, user).await?.version == 0 {
            return Err(EngineError::NotFound("user"));
        }
        let lines = self.lines(ctx, user, None).await?;
        Ok(Trail { user, kind: "user", lines })
    }

    async fn lines(
        &self,
        ctx: &Ctx,
        user: UserKey,
        run: Option<EnrollmentId>,
    ) -> Result<Vec<TrailLine>, EngineError> {
        let mut lines = Vec::new();
        let mut before = None;
        for _ in 0..TIMELINE_RECORDS_MAX / LEDGER_PAGE {
            let page = ctx
                .metered("users.ledger", self.stores.state.ledger(user, before, LEDGER_PAGE))
                .await?;
            let deliveries = self.deliveries_among(ctx, &page.records).await?;
            for stored in &page.records {
                let messages = stored.record.messages.iter();
                lines
                    .extend(messages.map(|message| {
                        delivery_line(stored, message, deliveries.get(&message.id))
                    }));
                let mut of_record = lines_of(stored);
                of_record.reverse();
                lines.extend(of_record);
            }
            before = page.before;
            if before.is_none() {
                break;
            }
        }
        lines.retain(|line| run.is_none() || line.enrollment == run);
        lines.reverse();
        Ok(lines)
    }

    /// What became of the messages of some records, at one look.
    async fn deliveries_among(
        &self,
        ctx: &Ctx,
        records: &[Stored],
    ) -> Result<HashMap<DeliveryId, Delivery>, EngineError> {
        let messages = records.iter().flat_map(|stored| &stored.record.messages);
        let ids: Vec<DeliveryId> = messages.map(|message| message.id).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.stores.state.deliveries_of(&ids);
        let found = ctx.metered("outbox.deliveries_of", found).await?;
        Ok(found.into_iter().map(|delivery| (delivery.message.id, delivery)).collect())
    }
}

fn delivery_line(stored: &Stored, message: &Message, delivery: Option<&Delivery>) -> TrailLine {
    let last = delivery.and_then(|one| one.last.as_ref());
    let sentence = match delivery {
        None => "The message waits in the outbox.".to_owned(),
        Some(one) => {
            let status = last.and_then(|note| note.status).map_or_else(
                || last.map_or(String::new(), |note| format!(": {}", note.note)),
                |status| format!(": the publisher answered {status}"),
            );
            format!("{} after {}{status}.", one.state.name(), counted(one.attempts, "attempt"))
        }
    };
    TrailLine {
        at: last.map_or(stored.record.at, |note| note.at),
        seq: 0,
        what: "delivery",
        enrollment: Some(message.enrollment),
        id: Some(message.id.to_string()),
        verdict: None,
        sentence,
        raw: None,
    }
}

/// What a record says of one run.
pub(crate) fn lines_of_run(stored: &Stored, run: EnrollmentId) -> Vec<TrailLine> {
    let mut lines = lines_of(stored);
    lines.retain(|line| line.enrollment == Some(run));
    lines.reverse();
    lines
}

fn lines_of(stored: &Stored) -> Vec<TrailLine> {
    let record = &stored.record;
    let line = |what, enrollment, sentence| TrailLine {
        at: record.at,
        seq: stored.seq,
        what,
        enrollment,
        id: None,
        verdict: None,
        sentence,
        raw: None,
    };
    let mut lines = match &record.cause {
        Cause::Participation { enrollment, mission, version, .. } => vec![line(
            "participation",
            Some(*enrollment),
            format!(
                "The user started mission {mission}; the terms of version {version} are locked."
            ),
        )],
        Cause::Refused { mission, refusal } => vec![line(
            "refusal",
            run_of(stored, *mission),
            format!("Mission {mission} was refused: {}", refusal.sentence()),
        )],
        Cause::Event(trace) => {
            vec![event_line(line("event", trace.enrollment, String::new()), trace)]
        }
        Cause::Completion { enrollment, step, verdict, reason } => vec![TrailLine {
            verdict: Some((verdict.name(), reason.code())),
            ..line("completion", Some(*enrollment), format!("Step {step}: {}", reason.sentence()))
        }],
        Cause::Inquiry { enrollment, step, finding, reason, message } => {
            let answer = sentence(*finding, *reason);
            vec![TrailLine {
                verdict: Some((finding.status(), finding.code())),
                raw: message.clone(),
                ..line("inquiry", Some(*enrollment), format!("Asked about step {step}: {answer}"))
            }]
        }
        Cause::Sweep | Cause::LimitsSet { .. } => Vec::new(),
    };
    lines.extend(record.transactions.iter().map(|transaction| TrailLine {
        id: Some(transaction.id.to_string()),
        ..line(
            transaction.act.name(),
            Some(transaction.enrollment),
            format!(
                "Step {}, occurrence {}: {} to the wallet, {} on hold.",
                transaction.step,
                transaction.occurrence + 1,
                counted(transaction.wallet_change().0, "point"),
                transaction.pending_change().0,
            ),
        )
    }));
    lines
}

fn event_line(line: TrailLine, trace: &EventTrace) -> TrailLine {
    let kind = if trace.reversal { "reversal of event" } else { "event" };
    TrailLine {
        verdict: Some((trace.verdict.name(), trace.reason.code())),
        sentence: format!("{kind} {:?}: {}", trace.event, trace.reason.sentence()),
        raw: Some(trace.raw.clone()),
        ..line
    }
}

fn run_of(stored: &Stored, mission: MissionId) -> Option<EnrollmentId> {
    stored.record.user.map(|user| EnrollmentId::derive(&user, mission))
}

/// What the id names among the lines, and the run it belongs to.
fn owner_of(lines: &[TrailLine], id: [u8; 16]) -> Option<(&'static str, EnrollmentId)> {
    let run = EnrollmentId(id);
    if lines.iter().any(|line| line.enrollment == Some(run)) {
        return Some(("enrollment", run));
    }
    let text = DeliveryId(id).to_string();
    let line = lines.iter().find(|line| line.id.as_deref() == Some(text.as_str()))?;
    let kind = if line.what == "delivery" { "delivery" } else { "transaction" };
    line.enrollment.map(|run| (kind, run))
}
