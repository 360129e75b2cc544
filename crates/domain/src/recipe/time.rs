//! Moments as partners write them: unix time in three units, and dates with or without a zone.

use crate::time::{DAY_MS, HOUR_MS, SECOND_MS, TIMESTAMP_MAX, Timestamp, UTC_OFFSET_MAX};

/// The earliest moment that is believed: 2000-01-01T00:00:00Z. What lies before is a clock that was
/// never set, or a zero that stands for "unknown".
pub const EARLIEST: Timestamp = Timestamp(946_684_800_000);

/// The first year that is not believed: 9999 is what databases write for "never".
pub const YEAR_END: i64 = 9999;

/// Longest text that is read as a moment, in bytes.
pub const TEXT_MAX: usize = 40;

/// Digits of unix time in seconds; they last from 2001 to 2286, as do those of the smaller units.
const SECONDS_DIGITS: usize = 10;
/// Digits of unix time in milliseconds.
const MILLIS_DIGITS: usize = 13;
/// Digits of unix time in microseconds.
const MICROS_DIGITS: usize = 16;
/// Most digits of a fraction of a second.
const FRACTION_DIGITS_MAX: usize = 9;

/// Reads a moment; `None` if it cannot be read or is not believed.
///
/// Read are unix seconds (10 digits, with or without a fraction), milliseconds (13), microseconds
/// (16), and `YYYY-MM-DD HH:MM:SS[.fff]` with a blank or a `T` in the middle and an optional zone:
/// `Z`, `UTC`, `GMT`, `±HH:MM`, `±HHMM`, or `Z±HHMM`. Without a zone it is UTC. A `+` that arrived as
/// a blank, because nobody escaped it, is still a `+`. Fractions are cut off after milliseconds; the
/// 60th second of a minute is the first of the next.
#[must_use]
pub fn read_time(text: &str) -> Option<Timestamp> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let (whole, after) = digits(text.as_bytes());
    let at = if after.first() == Some(&b'-') {
        date_time(text.as_bytes())?
    } else {
        unix(whole, after)?
    };
    (EARLIEST..=TIMESTAMP_MAX).contains(&at).then_some(at)
}

fn unix(whole: &[u8], after: &[u8]) -> Option<Timestamp> {
    let count = number(whole)?;
    let ms = match (whole.len(), after) {
        (SECONDS_DIGITS, _) => {
            let (fraction_ms, rest) = fraction(after)?;
            rest.is_empty().then_some(count * SECOND_MS + fraction_ms)?
        }
        (MILLIS_DIGITS, []) => count,
        (MICROS_DIGITS, []) => count / 1_000,
        _ => return None,
    };
    Some(Timestamp(ms))
}

fn date_time(text: &[u8]) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(10)?;
    let (year, month, day) = three(date, 4, b'-')?;
    let rest = rest.strip_prefix(b"T").or(rest.strip_prefix(b"t")).or(rest.strip_prefix(b" "))?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let (hour, minute, second) = three(clock, 2, b':')?;
    let (fraction_ms, rest) = fraction(rest)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let of_day = hour * HOUR_MS + (minute * 60 + second) * SECOND_MS + fraction_ms;
    Some(Timestamp(days(year, month, day)? * DAY_MS + of_day - zone_ms(rest)?))
}

/// Three numbers of two digits each, the first of `width`, with `between` between them.
fn three(text: &[u8], width: usize, between: u8) -> Option<(i64, i64, i64)> {
    let mut parts = text.split(|&byte| byte == between);
    let mut part = |width| number(parts.next().filter(|part: &&[u8]| part.len() == width)?);
    let three = (part(width)?, part(2)?, part(2)?);
    parts.next().is_none().then_some(three)
}

/// Distance from UTC in milliseconds, east positive.
fn zone_ms(text: &[u8]) -> Option<i64> {
    let (is_blank, text) = match text.strip_prefix(b" ") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    match text.to_ascii_uppercase().as_slice() {
        b"" => return (!is_blank).then_some(0),
        b"Z" | b"UTC" | b"GMT" => return Some(0),
        _ => {}
    }
    // Adjust writes both a `Z` and a distance; the distance is the one that is meant.
    let text = text.strip_prefix(b"Z").unwrap_or(text);
    let (sign, distance) = match text {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ if is_blank => (1, text),
        _ => return None,
    };
    let (hours, minutes) = match distance {
        [_, _, b':', _, _] => (&distance[..2], &distance[3..]),
        [_, _, _, _] => distance.split_at(2),
        _ => return None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= UTC_OFFSET_MAX.into()).then_some(sign * total * 60 * SECOND_MS)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, if there is such a day.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) || !(1..YEAR_END).contains(&year) {
        return None;
    }
    // Years are counted from March, so that the day that comes and goes is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_year = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before_month = (153 * month + 2) / 5;
    const FIRST_OF_MARCH_0_TO_1970: i64 = 719_468;
    Some(before_year + before_month + day - 1 - FIRST_OF_MARCH_0_TO_1970)
}

/// Milliseconds of a leading `.fff`, if there is one, and what follows it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let (found, rest) = digits(text);
    if found.is_empty() || found.len() > FRACTION_DIGITS_MAX {
        return None;
    }
    let millis = (0..3).fold(0, |sum, place| {
        sum * 10 + found.get(place).map_or(0, |&digit| i64::from(digit - b'0'))
    });
    Some((millis, rest))
}

/// The digits that the text begins with, and the rest.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// The number that only digits make; `None` for anything else, such as a sign.
fn number(text: &[u8]) -> Option<i64> {
    let is_number =
        !text.is_empty() && text.len() <= MICROS_DIGITS && text.iter().all(u8::is_ascii_digit);
    is_number.then(|| text.iter().fold(0, |sum, &digit| sum * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-11-14T22:13:20Z.
    const AT: i64 = 1_700_000_000_000;

    #[test]
    fn moments_are_read_in_every_spelling() {
        let cases = [
            ("1700000000", AT),
            ("1700000000.5", AT + 500),
            ("1700000000.123456789", AT + 123),
            ("1700000000123", AT + 123),
            ("1700000000123999", AT + 123),
            ("2023-11-14 22:13:20", AT),
            ("2023-11-14 22:13:20.7", AT + 700),
            ("2023-11-14 22:13:20.123456", AT + 123),
            ("2023-11-14T22:13:20", AT),
            ("2023-11-14t22:13:20z", AT),
            ("2023-11-14T22:13:20Z", AT),
            ("2023-11-14T22:13:20.007Z", AT + 7),
            ("2023-11-14 22:13:20 UTC", AT),
            ("2023-11-14 22:13:20 utc", AT),
            ("2023-11-14 22:13:20 +0000", AT),
            ("2023-11-15T07:13:20+09:00", AT),
            ("2023-11-15T07:13:20+0900", AT),
            ("2023-11-15T07:13:20 09:00", AT),
            ("2023-11-14T17:13:20-05:00", AT),
            ("2023-11-15T07:13:20Z+0900", AT),
            ("2000-01-01T00:00:00Z", EARLIEST.0),
            ("2000-02-29 00:00:00", 951_782_400_000),
            ("2000-03-01 00:00:00", 951_868_800_000),
            ("2024-02-29 00:00:00", 1_709_164_800_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000),
            ("2038-01-19 03:14:08", 2_147_483_648_000),
            ("9998-12-31 23:59:59", 253_370_764_799_000),
            ("9999999999", 9_999_999_999_000),
        ];
        for (text, ms) in cases {
            assert_eq!(read_time(text), Some(Timestamp(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_not_guessed_at() {
        let cases = [
            "",
            "0",
            "1",
            "-1",
            "-1700000000",
            "+1700000000",
            "0000000000",
            "0000000001",
            "999999999",
            "17000000000",
            "170000000000",
            "1700000000123456789",
            "1700000000.",
            "1700000000.x",
            "1700000000.1234567890",
            "1700000000123.5",
            "1.7e9",
            "0x6553f100",
            "1700000000 ",
            "NaN",
            "1970-01-01 00:00:00",
            "1999-12-31T23:59:59Z",
            "0000-00-00 00:00:00",
            "9999-12-31 23:59:59",
            "10000-01-01 00:00:00",
            "-2023-11-14 22:13:20",
            "2023-11-14",
            "2023-11-14 22:13",
            "2023-11-14 24:00:00",
            "2023-11-14 22:60:00",
            "2023-11-14 22:13:61",
            "2023-13-01 00:00:00",
            "2023-00-01 00:00:00",
            "2023-02-29 00:00:00",
            "2100-02-29 00:00:00",
            "2023-04-31 00:00:00",
            "2023-11-14 22:13:20.",
            "2023-11-14 22:13:20 ",
            "2023-11-14  22:13:20",
            "2023/11/14 22:13:20",
            "2023-11-14 22:13:20 KST",
            "2023-11-14 22:13:20+9",
            "2023-11-14 22:13:20+15:00",
            "2023-11-14 22:13:20+09:60",
            "2023-11-14 22:13:20+09-00",
            "2023-11-14 22:13:2009:00",
            "14-11-2023 22:13:20",
            "2023-11-14 22:13:20 PM",
            "２０２３-11-14 22:13:20",
            "１７００００００００",
            "2023-11-14T22:13:20Z\0",
            "2023-11-1é 22:13:20",
        ];
        for text in cases {
            assert_eq!(read_time(text), None, "{text:?}");
        }
        assert_eq!(read_time(&"1".repeat(TEXT_MAX + 1)), None);
    }
}
