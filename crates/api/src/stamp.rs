//! Moments and days as the API writes them.

use domain::time::{Day, Timestamp};
use jiff::civil::Date;

/// RFC 3339 in UTC, to the millisecond where there are any: `2026-11-25T12:00:00Z`.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| String::new(), |at| at.to_string())
}

/// Reads RFC 3339 with any offset.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|at| Timestamp(at.as_millisecond()))
}

/// `2026-11-25`.
pub(crate) fn date(day: Day) -> String {
    let epoch = Date::constant(1970, 1, 1);
    let date = epoch.checked_add(jiff::Span::new().days(day.0));
    date.map_or_else(|_| String::new(), |date| date.to_string())
}

/// Reads `2026-11-25`.
pub(crate) fn parse_date(text: &str) -> Option<Day> {
    let date: Date = text.parse().ok()?;
    let since = date.since((jiff::Unit::Day, Date::constant(1970, 1, 1))).ok()?;
    Some(Day(since.get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_days_survive() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_764_072_000_000, "2025-11-25T12:00:00Z"),
            (1_764_072_000_001, "2025-11-25T12:00:00.001Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59Z"),
        ] {
            let written = rfc3339(Timestamp(millis));
            if millis < 253_402_207_200_000 {
                assert_eq!(written, text);
                assert_eq!(parse(&written), Some(Timestamp(millis)));
            }
        }
        assert_eq!(parse("2025-11-25T21:00:00+09:00"), Some(Timestamp(1_764_072_000_000)));
        for text in ["", "2025-11-25", "2025-11-25T12:00:00", "1764072000"] {
            assert_eq!(parse(text), None, "{text}");
        }
        for day in [-1, 0, 20_000] {
            assert_eq!(parse_date(&date(Day(day))), Some(Day(day)));
        }
        assert_eq!(parse_date("2025-02-30"), None);
    }
}
