//! Moments and durations as people read them. Nothing here reads the clock.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::plain::Plain;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// From here on a duration is told in hours.
const HOURS_FROM_MINUTES: u32 = 90;

/// Furthest offset that exists on Earth, with room: 18 hours, as the civil libraries allow.
const OFFSET_MINUTES_MAX: i32 = 18 * 60;

/// The user's time zone, as a fixed offset from UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Minutes east of UTC. Out of range means UTC.
    pub offset_minutes: i32,
    /// Its short name, such as `KST`.
    pub name: Option<Plain>,
}

impl Zone {
    /// The wall clock at a moment; `None` only beyond the years that a calendar covers.
    pub(crate) fn local(&self, at_ms: i64) -> Option<DateTime> {
        let offset = Offset::from_seconds(self.minutes() * 60).ok()?;
        let timestamp = Timestamp::from_millisecond(at_ms).ok()?;
        Some(offset.to_datetime(timestamp))
    }

    /// `KST (UTC+09:00)`, or `UTC+09:00` for a zone without a name.
    pub(crate) fn label(&self) -> String {
        let minutes = self.minutes();
        let sign = if minutes < 0 { '\u{2212}' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        let offset =
            if minutes == 0 { "UTC".to_owned() } else { format!("UTC{sign}{hours:02}:{rest:02}") };
        match &self.name {
            Some(name) if name.as_str() != offset => format!("{name} ({offset})"),
            _ => offset,
        }
    }

    fn minutes(&self) -> i32 {
        if self.offset_minutes.abs() <= OFFSET_MINUTES_MAX { self.offset_minutes } else { 0 }
    }
}

/// Value of a `datetime` attribute.
pub(crate) fn machine_time(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(|_| String::new(), |at| at.to_string())
}

/// What is left until a deadline, in the two units that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Days { days: i64, hours: i64 },
    Hours { hours: i64, minutes: i64 },
    Minutes(i64),
    Over,
}

impl Left {
    /// Rounds down, so that nobody is promised more time than there is.
    pub(crate) fn until(deadline_ms: i64, now_ms: i64) -> Self {
        let left = deadline_ms.saturating_sub(now_ms);
        if left <= 0 {
            Self::Over
        } else if left >= DAY_MS {
            let (days, hours) = (left / DAY_MS, left % DAY_MS / HOUR_MS);
            Self::Days { days, hours }
        } else if left >= HOUR_MS {
            let (hours, minutes) = (left / HOUR_MS, left % HOUR_MS / MINUTE_MS);
            Self::Hours { hours, minutes }
        } else {
            Self::Minutes(left / MINUTE_MS)
        }
    }

    /// Less than a day: shown in the colour of warnings.
    pub(crate) fn is_soon(self) -> bool {
        !matches!(self, Self::Days { .. })
    }
}

/// Minutes as full hours, once counting minutes says nothing any more.
pub(crate) fn in_hours(minutes: u32) -> Option<u32> {
    (minutes >= HOURS_FROM_MINUTES).then_some(minutes.saturating_add(30) / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 23 November 2026, 05:02:09 UTC.
    const AT: i64 = 1_795_410_129_000;

    #[test]
    fn local_time_follows_the_offset() {
        let zone = |offset_minutes| Zone { offset_minutes, name: None };
        let shown = |offset| zone(offset).local(AT).map(|at| at.to_string());
        assert_eq!(shown(540).as_deref(), Some("2026-11-23T14:02:09"));
        assert_eq!(shown(-330).as_deref(), Some("2026-11-22T23:32:09"));
        assert_eq!(shown(99_999).as_deref(), Some("2026-11-23T05:02:09"));
        assert_eq!(zone(0).local(i64::MAX), None);
    }

    #[test]
    fn labels() {
        let label = |offset_minutes, name: Option<&str>| {
            let name = name.map(Plain::new);
            Zone { offset_minutes, name }.label()
        };
        assert_eq!(label(540, Some("KST")), "KST (UTC+09:00)");
        assert_eq!(label(-210, None), "UTC\u{2212}03:30");
        assert_eq!(label(0, Some("UTC")), "UTC");
    }

    #[test]
    fn left_rounds_down() {
        let left = |ms| Left::until(AT + ms, AT);
        assert_eq!(left(0), Left::Over);
        assert_eq!(left(59_999), Left::Minutes(0));
        assert_eq!(left(HOUR_MS + 61_000), Left::Hours { hours: 1, minutes: 1 });
        assert_eq!(left(5 * DAY_MS + 4 * HOUR_MS - 1), Left::Days { days: 5, hours: 3 });
        assert_eq!(Left::until(i64::MIN, AT), Left::Over);
    }
}
