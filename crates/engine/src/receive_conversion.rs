//! `receive_conversion`: a partner's postback, from its fields to its verdict.
//!
//! | step | store calls |
//! |---|---|
//! | load the user whom the click id names | 1 |
//! | commit the change; or append the trace of an event that earns nothing | 1 |
//!
//! An event that cannot be matched to a user is appended as a trace: one call. The answer is given
//! after the store has made it durable (I1).

use domain::catalog::Partner;
use domain::convert::{Event, Funds, Write, convert};
use domain::ids::{EnrollmentId, Mode, TransactionId, bearer_digest};
use domain::journal::{Cause, EventTrace, Record};
use domain::recipe::read::{Fields, Reading, read, redact};
use domain::verdict::{Reason, Verdict};
use store::{Outcome, StoreError};

use crate::engine::COMMIT_ATTEMPTS_MAX;
use crate::partner_signature::{SignatureVerdict, verify};
use crate::{ClickId, Ctx, Engine, EngineError, SecretOwner};

/// A postback as it came.
pub struct Postback<'a> {
    /// The secret segment of its path.
    pub token: &'a str,
    /// Its fields, from query, form or JSON.
    pub fields: &'a Fields,
    /// Reads a header.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The bytes of its body.
    pub body: &'a [u8],
}

/// What became of a postback.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConversionAnswer {
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The reward that it booked, now or when it first came.
    pub transaction: Option<TransactionId>,
}

/// Why a postback has no verdict.
#[derive(Debug, thiserror::Error)]
pub enum ConversionError {
    /// The path's secret belongs to no connection, or the connection is switched off.
    #[error("there is no such partner connection")]
    UnknownPartner,
    /// The signature is missing or wrong; a trace is kept.
    #[error("the signature is missing or wrong")]
    BadSignature,
    /// Nothing was recorded; the partner should try again.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Engine {
    /// Decides a postback.
    ///
    /// # Errors
    /// [`ConversionError`] if it was not taken; a verdict that earns nothing is an answer.
    pub async fn receive_conversion(
        &self,
        ctx: &Ctx,
        postback: &Postback<'_>,
    ) -> Result<ConversionAnswer, ConversionError> {
        let snapshot = self.snapshot();
        let partner = snapshot
            .partner_by_token(&bearer_digest(postback.token))
            .filter(|partner| partner.enabled)
            .ok_or(ConversionError::UnknownPartner)?;
        let reading = read(&partner.recipe, postback.fields);
        let raw = redact(postback.fields, &partner.recipe);
        let report = Report { partner, reading: &reading, raw };
        if !self.is_signed(partner, postback)? {
            self.note(ctx, &report, Reason::BadSignature).await?;
            return Err(ConversionError::BadSignature);
        }
        match self.click_of_report(&reading) {
            Ok(click) => Ok(self.decide_event(ctx, &click, report.event(&click)).await?),
            Err(reason) => Ok(self.note(ctx, &report, reason).await?),
        }
    }

    /// Whether the signature is right. A secret of ours that cannot be opened is our fault: the
    /// partner is asked to come back instead of being told that his signature is wrong.
    fn is_signed(&self, partner: &Partner, postback: &Postback<'_>) -> Result<bool, EngineError> {
        let owner = SecretOwner::Partner(partner.id);
        let opened: Result<Vec<_>, _> =
            partner.secrets.iter().map(|one| self.vault.open_secret(one, owner)).collect();
        let opened = opened.map_err(|error| {
            StoreError::Unavailable(format!("a secret of partner {}: {error}", partner.id))
        })?;
        let secrets: Vec<&str> = opened.iter().map(|secret| secret.expose()).collect();
        let header = |name: &str| (postback.header)(name);
        let verdict = verify(&partner.recipe, &secrets, postback.fields, header, postback.body);
        Ok(matches!(verdict, SignatureVerdict::NotRequired | SignatureVerdict::Valid))
    }

    fn click_of_report(&self, reading: &Reading) -> Result<ClickId, Reason> {
        let token = reading.click_id.as_deref().ok_or(match reading.is_usable() {
            true => Reason::NoClick,
            false => Reason::BadField,
        })?;
        let click = self.vault.open_click(token).map_err(|_| Reason::ForgedClick)?;
        if !reading.is_usable() || reading.event.is_none() {
            return Err(Reason::BadField);
        }
        Ok(click)
    }

    async fn decide_event(
        &self,
        ctx: &Ctx,
        click: &ClickId,
        event: Event,
    ) -> Result<ConversionAnswer, EngineError> {
        let _turn = self.stripes.turn(&click.user).await;
        let mut funds = Funds::HeldAndMore;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let loaded = self.load(ctx, click.user).await?;
            let decided = convert(&loaded, &self.snapshot(), &event, funds, ctx.now);
            let (verdict, reason) = (decided.verdict, decided.reason);
            let answer = ConversionAnswer { verdict, reason, transaction: decided.transaction };
            let is_change = matches!(decided.write, Write::Change(_));
            match self.write(ctx, decided.write).await? {
                // A copy of the event made the very same change on another node: this one is told
                // that it has been seen before.
                Outcome::Replayed if is_change => {}
                Outcome::Applied(_) | Outcome::Replayed => return Ok(answer),
                // Not all that goes beyond the hold has budget: decide again with what there is.
                Outcome::OverBudget { level, .. } => funds = funds.after_refusal(&level),
                Outcome::Stale => {}
            }
        }
        Err(EngineError::Contended)
    }

    /// Keeps an event that belongs to nobody, with the reason.
    async fn note(
        &self,
        ctx: &Ctx,
        report: &Report<'_>,
        reason: Reason,
    ) -> Result<ConversionAnswer, EngineError> {
        let verdict = Verdict::Rejected;
        let record = Record {
            at: ctx.now,
            user: None,
            app: None,
            mode: Mode::Live,
            cause: Cause::Event(report.trace(verdict, reason)),
            transactions: Vec::new(),
            moves: Vec::new(),
            messages: Vec::new(),
        };
        self.append(ctx, record).await?;
        Ok(ConversionAnswer { verdict, reason, transaction: None })
    }
}

/// A postback that has been read.
struct Report<'a> {
    partner: &'a Partner,
    reading: &'a Reading,
    raw: String,
}

impl Report<'_> {
    /// The event's name as missions call it.
    fn name(&self) -> String {
        let name = self.reading.event.clone().unwrap_or_default();
        self.partner.event_names.get(&name).cloned().unwrap_or(name)
    }

    fn event(&self, click: &ClickId) -> Event {
        Event {
            partner: self.partner.id,
            enrollment: EnrollmentId::derive(&click.user, click.mission),
            name: self.name(),
            id: self.reading.event_id.clone(),
            occurred_at: self.reading.occurred_at,
            amount: self.reading.amount,
            currency: self.reading.currency,
            standing: self.reading.standing,
            raw: self.raw.clone(),
        }
    }

    fn trace(&self, verdict: Verdict, reason: Reason) -> EventTrace {
        EventTrace {
            partner: self.partner.id,
            enrollment: None,
            event: self.name(),
            event_id: self.reading.event_id.clone(),
            reversal: false,
            verdict,
            reason,
            raw: self.raw.clone(),
        }
    }
}
