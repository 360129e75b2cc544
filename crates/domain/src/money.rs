//! Integers with a unit: micro-units of a currency, and an app's points in its minor unit (M7).

use std::fmt;

/// Millionths of one unit of a currency: 1.50 USD is 1 500 000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Micros(pub i64);

/// Points in the app's minor unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Points(pub i64);

/// Millionths of a whole; a share of money.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Ppm(pub u32);

/// A whole in [`Ppm`].
pub const PPM_WHOLE: u32 = 1_000_000;

/// The largest amount that one field of the catalogue may hold: ten billion units.
///
/// Nearly three orders of magnitude below the range of the integer, so sums of amounts cannot overflow.
pub const MICROS_MAX: Micros = Micros(10_000_000_000_000_000);

/// An ISO 4217 code: three upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CurrencyCode([u8; 3]);

impl CurrencyCode {
    /// US dollars.
    pub const USD: Self = Self(*b"USD");

    /// Reads three upper-case letters; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::of(text.as_bytes().try_into().ok()?)
    }

    /// The code of these letters; `None` unless all are upper-case.
    #[must_use]
    pub fn of(letters: [u8; 3]) -> Option<Self> {
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Millionths of a point (minor unit) for one unit of a currency: 1 000 P for 1 USD is 1 000 000 000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Rate(pub i64);

/// What happens to a fraction of a point.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Rounding {
    /// Dropped.
    #[default]
    Down,
    /// Half a point or more becomes one.
    Nearest,
    /// Any fraction becomes one.
    Up,
}

impl Micros {
    /// The share of this amount, rounded towards zero.
    #[must_use]
    pub fn share(self, share: Ppm) -> Self {
        let product = i128::from(self.0) * i128::from(share.0) / i128::from(PPM_WHOLE);
        Self(clamp(product))
    }

    /// The points this amount is worth.
    #[must_use]
    pub fn to_points(self, rate: Rate, rounding: Rounding) -> Points {
        const DENOMINATOR: i128 = 1_000_000 * 1_000_000;
        let product = i128::from(self.0) * i128::from(rate.0);
        let fraction = match rounding {
            Rounding::Down => 0,
            Rounding::Nearest => DENOMINATOR / 2,
            Rounding::Up => DENOMINATOR - 1,
        };
        Points(clamp((product + fraction).div_euclid(DENOMINATOR)))
    }
}

/// How the payout of one step is divided (M9): the three parts add up to it, to the unit.
///
/// The user's and the publisher's parts are rounded down; what rounding leaves is the platform's
/// margin, which is the named remainder account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Split {
    /// What the advertiser owes for the step.
    pub payout: Micros,
    /// Worth of the points that the user gets.
    pub user: Micros,
    /// The publisher's share.
    pub publisher: Micros,
    /// The platform's margin.
    pub margin: Micros,
}

impl Split {
    /// Divides `payout`; an explicit `reward` replaces the user's share. The publisher's share
    /// gives way when the parts would exceed the payout.
    #[must_use]
    pub fn of(payout: Micros, reward: Option<Micros>, user: Ppm, publisher: Ppm) -> Self {
        let user_part = reward.unwrap_or_else(|| payout.share(user)).0.clamp(0, payout.0.max(0));
        let publisher_part = payout.share(publisher).0.clamp(0, payout.0 - user_part);
        Self {
            payout,
            user: Micros(user_part),
            publisher: Micros(publisher_part),
            margin: Micros(payout.0 - user_part - publisher_part),
        }
    }
}

fn clamp(wide: i128) -> i64 {
    wide.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_round_as_told() {
        let rate = Rate(1_000 * 1_000_000);
        let cases = [
            (1_500_000, Rounding::Down, 1_500),
            (1_500_999, Rounding::Down, 1_500),
            (1_500_499, Rounding::Nearest, 1_500),
            (1_500_500, Rounding::Nearest, 1_501),
            (1_500_001, Rounding::Up, 1_501),
            (i64::MAX, Rounding::Down, 9_223_372_036_854_775),
        ];
        for (micros, rounding, points) in cases {
            assert_eq!(Micros(micros).to_points(rate, rounding), Points(points));
        }
    }

    #[test]
    fn parts_add_up_to_the_payout() {
        for payout in [0, 1, 2, 3, 999_999, 1_000_001] {
            for (reward, user, publisher) in
                [(None, 600_000, 300_000), (Some(7), 0, 999_999), (None, 999_999, 999_999)]
            {
                let split =
                    Split::of(Micros(payout), reward.map(Micros), Ppm(user), Ppm(publisher));
                let sum = split.user.0 + split.publisher.0 + split.margin.0;
                assert_eq!(sum, payout);
                assert!(split.user.0 >= 0 && split.publisher.0 >= 0 && split.margin.0 >= 0);
            }
        }
    }

    #[test]
    fn currency_codes_are_three_capitals() {
        assert!(CurrencyCode::parse("KRW").is_some());
        for text in ["", "krw", "KR", "KRWW", "K W", "₩₩₩"] {
            assert!(CurrencyCode::parse(text).is_none(), "{text}");
        }
    }
}
