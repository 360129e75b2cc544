//! What each macro stands for in one message.

use super::render::RenderError;
use domain::dialect::{Escaping, Field, Macro, Piece, ReversalStyle, Template};
use domain::journal::Message;
use domain::secret::Secret;
use domain::time::{SECOND_MS, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The price model of every step: an event in an app or on a site, whatever the mission is about.
const REVENUE_TYPE: &str = "cpe";

/// `{platform_code}` of a platform that the message does not name.
const PLATFORM_UNKNOWN: &str = "0";

/// Millionths in a major unit.
const MICROS: u64 = 1_000_000;

/// The values of one message at one attempt.
pub(super) struct Values<'a> {
    pub(super) message: &'a Message,
    pub(super) reversal: &'a ReversalStyle,
    pub(super) attempt_at: Timestamp,
    pub(super) secret: Option<&'a Secret>,
    pub(super) signature: Option<String>,
}

impl Values<'_> {
    /// The attempt's time in unix seconds.
    pub(super) fn attempt_s(&self) -> i64 {
        seconds(self.attempt_at)
    }

    /// The endpoint's current secret.
    pub(super) fn secret(&self) -> Result<&str, RenderError> {
        self.secret.map(Secret::expose).ok_or(RenderError::MissingSecret)
    }

    /// Fills a template in; each value is escaped by `escaping`, the text around it is not.
    pub(super) fn expand(
        &self,
        template: &Template,
        escaping: Escaping,
    ) -> Result<String, RenderError> {
        let mut out = String::new();
        for piece in template.pieces() {
            self.piece(piece, escaping, &mut out)?;
        }
        Ok(out)
    }

    /// Fills a template in without escaping.
    pub(super) fn plain(&self, template: &Template) -> Result<String, RenderError> {
        self.expand(template, Escaping::None)
    }

    /// Appends one piece of a template.
    pub(super) fn piece(
        &self,
        piece: &Piece,
        escaping: Escaping,
        out: &mut String,
    ) -> Result<(), RenderError> {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Value(value) => out.push_str(&escape(&self.value(*value)?, escaping)),
            Piece::Choice { reversed, .. } if self.message.is_reversal() => {
                out.push_str(&escape(reversed, escaping));
            }
            Piece::Choice { granted, .. } => out.push_str(&escape(granted, escaping)),
        }
        Ok(())
    }

    /// Name and unescaped value of a field, or `None` for an optional one without a value.
    pub(super) fn field(&self, field: &Field) -> Result<Option<(String, String)>, RenderError> {
        let mut value = self.plain(&field.value)?;
        if let Some(max) = field.max_chars
            && let Some((end, _)) = value.char_indices().nth(usize::from(max))
        {
            value.truncate(end);
        }
        let left_out = field.optional && value.is_empty();
        Ok((!left_out).then(|| (field.name.clone(), value)))
    }

    /// The value of a macro.
    fn value(&self, value: Macro) -> Result<Cow<'_, str>, RenderError> {
        if let Some(text) = self.text(value) {
            return Ok(Cow::Borrowed(text));
        }
        if let Some(text) = self.number(value) {
            return Ok(Cow::Owned(text));
        }
        self.computed(value).map(Cow::Owned)
    }

    /// Values that the message holds as text, and those that no message has.
    fn text(&self, value: Macro) -> Option<&str> {
        let told = self.message;
        Some(match value {
            Macro::UserId => &told.user_id,
            Macro::AppName => &self.message.app_name,
            Macro::Currency => &self.message.points_name,
            Macro::PayoutCurrency => self.message.payout_currency.as_str(),
            Macro::MissionTitle => &told.mission_title,
            Macro::StepTitle => &told.step_title,
            Macro::RevenueType => REVENUE_TYPE,
            Macro::EventType => told.kind.name(),
            Macro::Custom => told.custom.as_deref().unwrap_or_default(),
            Macro::PlatformCode => PLATFORM_UNKNOWN,
            Macro::Reason
            | Macro::Custom2
            | Macro::Custom3
            | Macro::Custom4
            | Macro::Custom5
            | Macro::MissionCompleted
            | Macro::AdvertisingId
            | Macro::Platform
            | Macro::Country
            | Macro::Ip => "",
            _ => return None,
        })
    }

    /// Values that are whole numbers or ids.
    fn number(&self, value: Macro) -> Option<String> {
        let told = self.message;
        Some(match value {
            Macro::DeliveryId => told.id.to_string(),
            Macro::TransactionId => self.transaction_id(),
            Macro::OriginalTransactionId => told.transaction.to_string(),
            Macro::EnrollmentId => told.enrollment.to_string(),
            Macro::AppId => told.app.to_string(),
            Macro::UnitId => told.unit.to_string(),
            Macro::LineItemId => told.line_item.to_string(),
            Macro::MissionId => told.mission.to_string(),
            Macro::StepId => told.step.to_string(),
            Macro::IsReversal => u8::from(self.message.is_reversal()).to_string(),
            Macro::Amount => self.signed(told.amount.0).to_string(),
            Macro::PayoutMicros => self.signed(told.payout.0).to_string(),
            Macro::EventAt => seconds(told.booked_at).to_string(),
            Macro::EventAtMs => told.booked_at.0.to_string(),
            Macro::Timestamp => self.attempt_s().to_string(),
            _ => return None,
        })
    }

    /// Values that are put together, or that may be missing.
    fn computed(&self, value: Macro) -> Result<String, RenderError> {
        let told = self.message;
        match value {
            Macro::Payout => Ok(major_units(self.signed(told.payout.0))),
            Macro::EventAtRfc3339 => rfc3339(told.booked_at),
            Macro::OccurredAt => rfc3339(told.occurred_at),
            Macro::EventAtDatetime => formatted(told.booked_at, "%Y-%m-%d %H:%M:%S"),
            Macro::EventAtMinute => formatted(told.booked_at, "%Y%m%d%H%M"),
            Macro::Secret => self.secret().map(str::to_owned),
            Macro::Signature => {
                self.signature.clone().ok_or(RenderError::Misplaced(Macro::Signature.name()))
            }
            other => Err(RenderError::Misplaced(other.name())),
        }
    }

    /// The id that this dialect shows; see [`ReversalStyle`]. Where a reversal needs an id of its own,
    /// that is the id of its message: the message itself names the transaction of the grant.
    fn transaction_id(&self) -> String {
        let told = self.message;
        if !self.message.is_reversal() {
            return told.transaction.to_string();
        }
        match self.reversal {
            ReversalStyle::NegativeAmount => told.id.to_string(),
            ReversalStyle::IdPrefix { prefix, .. } => format!("{prefix}{}", told.transaction),
            ReversalStyle::SeparateEvent
            | ReversalStyle::Param { .. }
            | ReversalStyle::Placeholder(_)
            | ReversalStyle::NotSupported => told.transaction.to_string(),
        }
    }

    /// A sum as this dialect shows it.
    fn signed(&self, sum: i64) -> i64 {
        if self.message.is_reversal() && self.reversal.negative() {
            sum.saturating_neg()
        } else {
            sum
        }
    }
}

/// Escapes a value for a URL.
pub(super) fn escape(text: &str, escaping: Escaping) -> Cow<'_, str> {
    match escaping {
        Escaping::Rfc3986 => utf8_percent_encode(text, RESERVED).into(),
        Escaping::Form => url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        Escaping::None => Cow::Borrowed(text),
    }
}

/// Unix seconds, rounded down.
fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(SECOND_MS)
}

/// `1500000` is `1.50`; more decimals only where there are any.
fn major_units(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let size = micros.unsigned_abs();
    let decimals = format!("{:06}", size % MICROS);
    let kept = decimals.trim_end_matches('0').len().max(2);
    format!("{sign}{}.{}", size / MICROS, &decimals[..kept])
}

fn rfc3339(at: Timestamp) -> Result<String, RenderError> {
    jiff(at).map(|at| at.to_string())
}

fn formatted(at: Timestamp, format: &str) -> Result<String, RenderError> {
    jiff(at).map(|at| at.strftime(format).to_string())
}

fn jiff(at: Timestamp) -> Result<jiff::Timestamp, RenderError> {
    jiff::Timestamp::from_millisecond(at.0).map_err(|_| RenderError::Time(at.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payouts_have_at_least_two_decimals() {
        let table = [
            (0, "0.00"),
            (1_500_000, "1.50"),
            (-1_500_000, "-1.50"),
            (100_000_000, "100.00"),
            (1, "0.000001"),
            (-1, "-0.000001"),
            (1_234_500, "1.2345"),
            (i64::MIN, "-9223372036854.775808"),
        ];
        for (micros, expected) in table {
            assert_eq!(major_units(micros), expected);
        }
    }

    #[test]
    fn escapes() {
        let text = "a b&c=d*~한/?#%";
        assert_eq!(escape(text, Escaping::Rfc3986), "a%20b%26c%3Dd%2A~%ED%95%9C%2F%3F%23%25");
        assert_eq!(escape(text, Escaping::Form), "a+b%26c%3Dd*%7E%ED%95%9C%2F%3F%23%25");
        assert_eq!(escape(text, Escaping::None), text);
    }

    #[test]
    fn times() {
        let at = Timestamp(1_767_323_045_678);
        assert_eq!(rfc3339(at).unwrap(), "2026-01-02T03:04:05.678Z");
        assert_eq!(formatted(at, "%Y%m%d%H%M").unwrap(), "202601020304");
        assert_eq!(seconds(Timestamp(-1)), -1);
        assert!(rfc3339(Timestamp(i64::MAX)).is_err());
    }
}
