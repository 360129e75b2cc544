//! Moments and days. The domain is told the time; it never asks for it.

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

    /// The first moment of the following day.
    #[must_use]
    pub fn ends_at(self, offset: UtcOffset) -> Timestamp {
        let midnight = (i64::from(self.0) + 1) * DAY_MS;
        Timestamp(midnight - i64::from(offset.0) * 60 * SECOND_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_turns_over_at_the_offsets_midnight() {
        let seoul = UtcOffset(540);
        let before = Timestamp(15 * HOUR_MS - 1);
        let after = Timestamp(15 * HOUR_MS);
        assert_eq!(Day::of(before, seoul), Day(0));
        assert_eq!(Day::of(after, seoul), Day(1));
        assert_eq!(Day(0).ends_at(seoul), after);
        assert_eq!(Day::elapsed_permille(after, seoul), 0);
        assert_eq!(Day::of(Timestamp(-1), UtcOffset(0)), Day(-1));
    }
}
