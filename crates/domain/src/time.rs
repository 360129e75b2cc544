//! Moments and days. The domain is told the time; it never asks for it.

use std::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(pub i64);

/// Milliseconds of a second.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3_600 * SECOND_MS;
/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// The latest moment that is believed: 9999-12-31T23:59:59Z.
pub const TIMESTAMP_MAX: Timestamp = Timestamp(253_402_300_799_000);

impl Timestamp {
    /// This moment moved by whole seconds, without overflow.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(SECOND_MS)))
    }

    /// Milliseconds from `earlier` to this moment; negative if it is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// In UTC to the second, as `2026-02-03 04:05:06Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.0.rem_euclid(DAY_MS) / SECOND_MS;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{} {hour:02}:{minute:02}:{second:02}Z", Day::of(*self, UtcOffset(0)))
    }
}

/// A fixed distance from UTC in minutes, east positive (Seoul is 540).
///
/// Budgets and daily limits turn over at this distance's midnight. A fixed distance has no summer
/// time: a day is always 24 hours, so a daily budget is never cut short or stretched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct UtcOffset(pub i16);

/// Largest distance from UTC in use anywhere, in minutes.
pub const UTC_OFFSET_MAX: i16 = 14 * 60;

/// Days since 1970-01-01 in some [`UtcOffset`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Day(pub i32);

impl Day {
    /// The day that `at` falls on.
    #[must_use]
    pub fn of(at: Timestamp, offset: UtcOffset) -> Self {
        let local = at.0.saturating_add(i64::from(offset.0) * 60 * SECOND_MS);
        Self(local.div_euclid(DAY_MS) as i32)
    }

    /// How much of the day is over at `at`, in thousandths.
    #[must_use]
    pub fn elapsed_permille(at: Timestamp, offset: UtcOffset) -> i64 {
        let local = at.0.saturating_add(i64::from(offset.0) * 60 * SECOND_MS);
        local.rem_euclid(DAY_MS) * 1_000 / DAY_MS
    }

    /// The first moment after `at` at which [`Self::elapsed_permille`] is another.
    #[must_use]
    pub fn next_permille(at: Timestamp, offset: UtcOffset) -> Timestamp {
        const PERMILLE_MS: i64 = DAY_MS / 1_000;
        let local = at.0.saturating_add(i64::from(offset.0) * 60 * SECOND_MS);
        Timestamp(at.0.saturating_add(PERMILLE_MS - local.rem_euclid(PERMILLE_MS)))
    }

    /// The first moment of the following day.
    #[must_use]
    pub fn ends_at(self, offset: UtcOffset) -> Timestamp {
        let midnight = (i64::from(self.0) + 1) * DAY_MS;
        Timestamp(midnight - i64::from(offset.0) * 60 * SECOND_MS)
    }
}

impl Day {
    /// Year, month and date.
    #[must_use]
    pub fn civil(self) -> (i64, i64, i64) {
        civil(i64::from(self.0))
    }
}

/// As `2026-02-03`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, date) = self.civil();
        write!(f, "{year:04}-{month:02}-{date:02}")
    }
}

/// Year, month and date of a number of days since 1970-01-01, in years that begin in March so that
/// the leap day comes last (Howard Hinnant's calendar arithmetic).
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA_DAYS: i64 = 146_097;
    let days = days + 719_468;
    let era = days.div_euclid(ERA_DAYS);
    let of_era = days.rem_euclid(ERA_DAYS);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (ERA_DAYS - 1)) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_dates() {
        let cases = [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_400_000, "2000-02-29 00:00:00Z"),
            (1_770_091_506_000, "2026-02-03 04:05:06Z"),
            (-1, "1969-12-31 23:59:59Z"),
            (253_402_300_799_000, "9999-12-31 23:59:59Z"),
        ];
        for (ms, text) in cases {
            assert_eq!(Timestamp(ms).to_string(), text);
        }
    }

    #[test]
    fn a_day_turns_over_at_the_offsets_midnight() {
        let seoul = UtcOffset(540);
        let before = Timestamp(15 * HOUR_MS - 1);
        let after = Timestamp(15 * HOUR_MS);
        assert_eq!(Day::of(before, seoul), Day(0));
        assert_eq!(Day::of(after, seoul), Day(1));
        assert_eq!(Day(0).ends_at(seoul), after);
        assert_eq!(Day::elapsed_permille(after, seoul), 0);
        for at in [before, after, Timestamp(after.0 + 86_399), Timestamp(after.0 + 86_400)] {
            let next = Day::next_permille(at, seoul);
            let [now, last, other] =
                [at, Timestamp(next.0 - 1), next].map(|at| Day::elapsed_permille(at, seoul));
            assert!(next > at && now == last && last != other, "{at}");
        }
        assert_eq!(Day::of(Timestamp(-1), UtcOffset(0)), Day(-1));
    }
}
