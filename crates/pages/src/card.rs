//! How the facts of a mission are said on its card and on its page.

use crate::frame::Frame;
use crate::plain::Plain;
use crate::view::{Boost, Kind, OfferCard, ProgressCard, Requirement};

impl OfferCard {
    /// Steps, usual time, first reward, days: what a user weighs before a tap.
    pub(crate) fn facts(&self, frame: &Frame) -> Vec<String> {
        let texts = frame.texts();
        let about = texts.common.about;
        let first_time = self.first_minutes.map(about);
        let first = frame.gain(&self.reward_first);
        let mut facts = vec![(texts.card.steps)(self.steps)];
        facts.extend(self.typical_minutes.map(about));
        // With one step the first reward is the total, which stands above already.
        if self.steps > 1 {
            facts.push((texts.card.first)(&first, first_time.as_deref()));
        }
        facts.extend(self.days_allowed.map(texts.card.up_to_days));
        facts
    }
}

impl ProgressCard {
    /// What the bar shows: steps, or the occurrences of the only one.
    pub(crate) fn bar(&self) -> (u32, u32) {
        self.repeat.map_or((self.steps_done, self.steps_total), |one| (one.done, one.limit))
    }

    /// `3 of 8 steps`, or `1 of 7 times`.
    pub(crate) fn steps_text(&self, frame: &Frame) -> String {
        let (texts, (done, total)) = (frame.texts(), self.bar());
        match self.repeat {
            Some(_) => (texts.step.times)(done, total),
            None => (texts.list.steps_done)(done, total),
        }
    }

    /// `1,200 P of 4,800 P`.
    pub(crate) fn earned_text(&self, frame: &Frame) -> String {
        let (earned, total) = (frame.points(&self.earned), frame.points(&self.reward_total));
        (frame.texts().list.earned_of)(&earned, &total)
    }

    /// What is being checked, if anything is.
    pub(crate) fn checking_text(&self, frame: &Frame) -> Option<String> {
        (self.checking > 0).then(|| (frame.texts().list.checking)(self.checking))
    }
}

impl Frame {
    /// The badge of a kind.
    pub(crate) fn kind(&self, kind: &Kind) -> &'static str {
        (self.texts().common.kind)(*kind)
    }

    /// The badge of a boost.
    pub(crate) fn boost(&self, boost: &Boost) -> String {
        let texts = &self.texts().card;
        match boost.until {
            Some(until) => (texts.boosted_until)(&self.date(until)),
            None => texts.boosted.to_owned(),
        }
    }

    /// The pills of requirements.
    pub(crate) fn pills(&self, requirements: &[Requirement]) -> Vec<String> {
        requirements.iter().map(|one| self.pill(one)).collect()
    }

    fn pill(&self, requirement: &Requirement) -> String {
        let texts = &self.texts().card;
        match requirement {
            Requirement::NewUsersOnly => texts.new_users_only.to_owned(),
            Requirement::PaymentNeeded => texts.payment_needed.to_owned(),
            Requirement::NoPayment => texts.no_payment.to_owned(),
            Requirement::MinAge(age) => (texts.min_age)(*age),
            Requirement::Os(platform, version) => {
                (texts.os)(*platform, version.as_ref().map(Plain::as_str))
            }
            Requirement::Tracking => texts.tracking.to_owned(),
            Requirement::Other(own) => own.to_string(),
        }
    }
}
