//! What a page has to tell beside its content: refusals, empty lists, answers to a form.

use crate::view::Kind;

/// Longest wait that a [`Flash`] may name; a longer one did not come from us.
const WAIT_SECONDS_MAX: u32 = 3_600;

/// Most tries that a [`Flash`] may name.
const TRIES_MAX: u32 = 99;

/// Why there is no mission to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// All were started or done; new ones at this moment, if known.
    AllDone(Option<i64>),
    /// None in the user's region.
    Region,
    /// None for the user's device.
    Device,
    /// None of this kind.
    Kind(Kind),
    /// None without the advertising id.
    Tracking,
    /// None for the user's age.
    Age,
}

/// Why the user is not eligible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ineligible {
    /// Another region.
    Region,
    /// Another system, model or version.
    Device,
    /// Another age.
    Age,
    /// Had the app or the account before.
    NotNew,
    /// The advertising id is off.
    Tracking,
    /// Another reason, or none that may be told.
    Unstated,
}

/// Why a mission could not be started; `code` is the one of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not for this user.
    NotEligible(Ineligible),
    /// Done before.
    AlreadyDone,
    /// No place is left; again at this moment, if known.
    Exhausted(Option<i64>),
    /// The mission has ended or is paused.
    Closed,
    /// The user may not start missions.
    Blocked,
}

impl Refusal {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotEligible(_) => "not_eligible",
            Self::AlreadyDone => "already_done",
            Self::Exhausted(_) => "exhausted",
            Self::Closed => "closed",
            Self::Blocked => "blocked",
        }
    }
}

/// The answer to a form, carried by the redirect to the mission's page as `?n=`. It holds no
/// amounts, so a forged address cannot promise anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flash {
    /// The mission was started.
    Started,
    /// The visit was started.
    VisitBegun,
    /// Back too early: so many seconds are missing.
    Wait(u32),
    /// The answer was wrong; so many tries are left, if they are limited.
    Wrong(Option<u32>),
    /// The step was paid.
    Paid,
    /// The step was noticed and is being checked.
    Checking,
    /// It had been counted before.
    Again,
    /// A form was sent without an answer.
    NoAnswer,
}

impl Flash {
    /// Value of `?n=`.
    pub fn to_query(self) -> String {
        match self {
            Self::Started => "started".to_owned(),
            Self::VisitBegun => "visit".to_owned(),
            Self::Wait(seconds) => format!("wait-{seconds}"),
            Self::Wrong(None) => "wrong".to_owned(),
            Self::Wrong(Some(left)) => format!("wrong-{left}"),
            Self::Paid => "paid".to_owned(),
            Self::Checking => "checking".to_owned(),
            Self::Again => "again".to_owned(),
            Self::NoAnswer => "no-answer".to_owned(),
        }
    }

    /// Reads `?n=`; anything unknown is no message.
    pub fn from_query(value: &str) -> Option<Self> {
        match value {
            "started" => Some(Self::Started),
            "visit" => Some(Self::VisitBegun),
            "wrong" => Some(Self::Wrong(None)),
            "paid" => Some(Self::Paid),
            "checking" => Some(Self::Checking),
            "again" => Some(Self::Again),
            "no-answer" => Some(Self::NoAnswer),
            _ => Self::with_number(value),
        }
    }

    fn with_number(value: &str) -> Option<Self> {
        let (name, number) = value.split_once('-')?;
        let number: u32 = number.parse().ok()?;
        match name {
            "wait" if number <= WAIT_SECONDS_MAX => Some(Self::Wait(number)),
            "wrong" if number <= TRIES_MAX => Some(Self::Wrong(Some(number))),
            _ => None,
        }
    }

    /// Whether it is good news, an answer that asks for patience, or a mistake.
    pub(crate) fn tone(self) -> &'static str {
        match self {
            Self::Started | Self::VisitBegun | Self::Paid => "good",
            Self::Wait(_) | Self::Checking | Self::Again => "wait",
            Self::Wrong(_) | Self::NoAnswer => "bad",
        }
    }
}

/// A hint about something that has not happened although it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nudge {
    /// The installation was not seen a quarter of an hour after the start.
    InstallNotSeen,
    /// A check takes longer than usual.
    CheckIsLate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flashes_survive_the_redirect() {
        let all = [
            Flash::Started,
            Flash::VisitBegun,
            Flash::Wait(12),
            Flash::Wrong(None),
            Flash::Wrong(Some(2)),
            Flash::Paid,
            Flash::Checking,
            Flash::Again,
            Flash::NoAnswer,
        ];
        for flash in all {
            assert_eq!(Flash::from_query(&flash.to_query()), Some(flash));
        }
        for forged in ["", "wait", "wait-99999", "wrong--1", "paid-100", "<script>"] {
            assert_eq!(Flash::from_query(forged), None);
        }
    }
}
