//! Moments and days as the API writes them.

use domain::time::{Day, Timestamp};
use jiff::civil::Date;

const DAY_MS: i64 = 86_400_000;
/// The last moment that the library writes: the end of the year 9999 in the westernmost place.
const LATEST_MS: i64 = 253_402_207_200_000;

/// RFC 3339 in UTC, to the millisecond where there are any: `2026-11-25T12:00:00Z`.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| String::new(), |at| at.to_string())
}

/// Appends the same. A list of missions holds dozens of them, so the usual ones are written without
/// the machinery that can do all.
pub(crate) fn append_rfc3339(at: Timestamp, out: &mut Vec<u8>) {
    let day = Day(at.0.div_euclid(DAY_MS).clamp(i32::MIN.into(), i32::MAX.into()) as i32);
    let (year, month, date) = day.civil();
    if !(0..10_000).contains(&year) || at.0 > LATEST_MS {
        return out.extend_from_slice(rfc3339(at).as_bytes());
    }
    let of_day = at.0.rem_euclid(DAY_MS);
    let (seconds, millis) = (of_day / 1_000, of_day % 1_000);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let parts = [
        (2, year / 100),
        (4, year % 100),
        (7, month),
        (10, date),
        (13, seconds / 3_600),
        (16, seconds / 60 % 60),
        (19, seconds % 60),
        (22, millis / 10),
    ];
    for (end, part) in parts {
        text[end - 2] += (part / 10) as u8;
        text[end - 1] += (part % 10) as u8;
    }
    text[22] += (millis % 10) as u8;
    // As short as it is exact.
    let digits = if millis == 0 { 19 } else { 24 - 1 - zeros_at_end(millis) };
    out.extend_from_slice(&text[..digits]);
    out.push(b'Z');
}

/// Zeros at the end of three digits that are not all 0.
fn zeros_at_end(millis: i64) -> usize {
    if millis % 10 != 0 {
        0
    } else if millis % 100 != 0 {
        1
    } else {
        2
    }
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
    fn moments_are_written_as_the_library_writes_them() {
        let mut moments =
            vec![i64::MIN, i64::MAX, -1, 0, 1, 10, 100, 999, LATEST_MS, LATEST_MS + 1];
        moments.extend((0..20_000).map(|number| number * 12_345_678_901));
        moments.extend((0..20_000).map(|number| -number * 9_876_543_210));
        moments.extend((0..2_000).map(|number| 1_764_072_000_000 + number));
        for millis in moments {
            let mut written = Vec::new();
            append_rfc3339(Timestamp(millis), &mut written);
            assert_eq!(String::from_utf8(written).unwrap(), rfc3339(Timestamp(millis)), "{millis}");
        }
    }

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
