//! Values that people write as text: shares, rates, moments, durations, codes, keys.
//!
//! Each has one form in which it is written, and may have others that are read.

use std::fmt;
use std::marker::PhantomData;

use data_encoding::HEXLOWER_PERMISSIVE;
use domain::dialect::{StatusRange, Template};
use domain::money::{CurrencyCode, Ppm, Rate};
use domain::secret::Secret;
use domain::targeting::{CountryCode, OsVersion};
use domain::time::{Timestamp, UtcOffset};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// A value with a text form.
trait Human: Sized {
    /// What is expected, for the error.
    const EXPECTED: &'static str;

    /// Reads a text.
    fn read(text: &str) -> Result<Self, String>;

    /// Reads a number, given as its digits.
    fn read_number(_: &str) -> Result<Self, String> {
        Err("a number is not understood here".to_owned())
    }

    /// Writes it.
    fn write(&self) -> String;
}

struct HumanVisitor<T>(PhantomData<T>);

impl<'de, T: Human> Visitor<'de> for HumanVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::read(text).map_err(|why| E::custom(expected::<T>(&why)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::read_number(&number.to_string()).map_err(|why| E::custom(expected::<T>(&why)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::read_number(&number.to_string()).map_err(|why| E::custom(expected::<T>(&why)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::read_number(&number.to_string()).map_err(|why| E::custom(expected::<T>(&why)))
    }

    /// TOML's own moments come as a map of one text.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let entry = map.next_entry::<String, String>()?;
        let (key, text) = entry.ok_or_else(|| A::Error::custom(expected::<T>("not a table")))?;
        if !key.starts_with("$__toml_private") {
            return Err(A::Error::custom(expected::<T>("not a table")));
        }
        T::read(&text).map_err(|why| A::Error::custom(expected::<T>(&why)))
    }
}

fn expected<T: Human>(why: &str) -> String {
    match why {
        "" => format!("expected {}", T::EXPECTED),
        why => format!("{why}; expected {}", T::EXPECTED),
    }
}

/// Declares the written form of a domain value.
macro_rules! human {
    ($($(#[$meta:meta])* $name:ident($domain:ty) $example:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Debug, utoipa::ToSchema)]
        #[schema(value_type = String, example = $example)]
        pub struct $name(pub $domain);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_any(HumanVisitor(PhantomData))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.write())
            }
        }

        impl $crate::catalog::mirror::Mirror<$domain> for $name {
            fn of(value: &$domain) -> Self {
                Self(value.clone())
            }

            fn into_domain(self) -> $domain {
                self.0
            }
        }
    )+};
}

human! {
    /// A share of money: `60%` or `62.5%`; `0.6` is read too.
    #[derive(Default)]
    ShareText(Ppm) "60%";
    /// Points (in the minor unit) for one unit of a currency, such as `1000` or `0.5`.
    RateText(Rate) "1000";
    /// A moment in RFC 3339, written in UTC; any offset is read.
    #[derive(Default)]
    TimeText(Timestamp) "2026-01-31T00:00:00Z";
    /// Seconds as a duration: `14d`, `36h`, `15m` or `90s`; a plain number of seconds is read too.
    #[derive(Default)]
    SecondsText(u32) "14d";
    /// Distance from UTC, such as `+09:00`; a number of minutes is read too.
    #[derive(Default)]
    OffsetText(UtcOffset) "+09:00";
    /// An ISO 3166-1 country of two letters.
    CountryText(CountryCode) "KR";
    /// A version such as `14`, `14.4` or `14.4.1`; missing parts are 0.
    OsVersionText(OsVersion) "14.4";
    /// A version such as `14`, `14.4` or `14.4.1`; missing parts are the highest there are.
    OsVersionMaxText(OsVersion) "14";
    /// An ISO 4217 currency of three letters.
    CurrencyText(CurrencyCode) "USD";
    /// The digest of a key, 64 hexadecimal digits.
    DigestText([u8; 32]) "5d41402abc4b2a76b9719d911017c592ae2e2a1d3a5c2d7e1f0b4c8d9e6f7a01";
    /// A secret: sealed by the server (`sealed:…`), a reference (`env:GUERDON_SECRET_NAME`), or the text itself.
    SecretText(Secret) "env:GUERDON_SECRET_POSTBACK";
    /// Text with `{macros}`; `{{` and `}}` are braces.
    TemplateText(Template) "{transaction_id}";
    /// An HTTP status or a range of them: `200`, `200-299`.
    StatusText(StatusRange) "200-299";
}

/// Reads a decimal number exactly, as a count of its smallest part, with at most `places` decimals.
fn decimal(text: &str, places: usize) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let part = part.trim_end_matches('0');
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(part) || part.len() > places {
        return None;
    }
    let number: i64 = format!("{whole}{part:0<places$}").parse().ok()?;
    number.checked_mul(sign)
}

/// Writes what [`decimal`] reads, without zeros at the end.
fn write_decimal(number: i64, places: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part}"),
    }
}

/// Decimals of a percentage that a millionth has.
const PERCENT_PLACES: usize = 4;
/// Decimals of a whole that a millionth has.
const MILLIONTH_PLACES: usize = 6;

impl Human for ShareText {
    const EXPECTED: &'static str = "a share such as \"60%\" or 0.6, with at most six decimals";

    fn read(text: &str) -> Result<Self, String> {
        let Some(percent) = text.strip_suffix('%') else {
            return Self::read_number(text);
        };
        let millionths = decimal(percent.trim_end(), PERCENT_PLACES);
        let share = millionths.and_then(|share| share.try_into().ok());
        share.map(|share| Self(Ppm(share))).ok_or_else(String::new)
    }

    fn read_number(digits: &str) -> Result<Self, String> {
        let share = decimal(digits, MILLIONTH_PLACES).and_then(|share| share.try_into().ok());
        share.map(|share| Self(Ppm(share))).ok_or_else(String::new)
    }

    fn write(&self) -> String {
        format!("{}%", write_decimal(self.0.0.into(), PERCENT_PLACES))
    }
}

impl Human for RateText {
    const EXPECTED: &'static str = "points for one unit, such as \"1000\" or \"0.5\"";

    fn read(text: &str) -> Result<Self, String> {
        decimal(text, MILLIONTH_PLACES).map(|rate| Self(Rate(rate))).ok_or_else(String::new)
    }

    fn read_number(digits: &str) -> Result<Self, String> {
        Self::read(digits)
    }

    fn write(&self) -> String {
        write_decimal(self.0.0, MILLIONTH_PLACES)
    }
}

impl Human for TimeText {
    const EXPECTED: &'static str = "a moment such as \"2026-01-31T00:00:00Z\"";

    fn read(text: &str) -> Result<Self, String> {
        let moment: jiff::Timestamp = text.parse().map_err(|_| String::new())?;
        Ok(Self(Timestamp(moment.as_millisecond())))
    }

    /// A moment outside the calendar cannot have been read, so it may be written as its nearest end.
    fn write(&self) -> String {
        let nearest = if self.0.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        jiff::Timestamp::from_millisecond(self.0.0).unwrap_or(nearest).to_string()
    }
}

/// Units of a duration in seconds, the largest first.
const UNITS: [(&str, u32); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

impl Human for SecondsText {
    const EXPECTED: &'static str = "a duration such as \"14d\", \"36h\", \"15m\" or \"90s\"";

    fn read(text: &str) -> Result<Self, String> {
        let unit = UNITS.iter().find_map(|(unit, seconds)| {
            Some((text.strip_suffix(unit)?.parse::<u32>().ok()?, *seconds))
        });
        let seconds = unit.and_then(|(count, seconds)| count.checked_mul(seconds));
        seconds.map(Self).ok_or_else(String::new)
    }

    fn read_number(digits: &str) -> Result<Self, String> {
        digits.parse().map(Self).map_err(|_| String::new())
    }

    fn write(&self) -> String {
        let exact = UNITS.iter().find(|(_, unit)| self.0 != 0 && self.0.is_multiple_of(*unit));
        let (unit, seconds) = exact.unwrap_or(&UNITS[3]);
        format!("{}{unit}", self.0 / seconds)
    }
}

impl Human for OffsetText {
    const EXPECTED: &'static str = "a distance from UTC such as \"+09:00\"";

    fn read(text: &str) -> Result<Self, String> {
        if text == "Z" || text == "UTC" {
            return Ok(Self(UtcOffset(0)));
        }
        let minutes = || {
            let (sign, rest) = match text.split_at_checked(1)? {
                ("+", rest) => (1, rest),
                ("-", rest) => (-1, rest),
                _ => return None,
            };
            let (hours, minutes) = rest.split_once(':')?;
            let minutes: u32 = minutes.parse().ok().filter(|minutes| *minutes < 60)?;
            let whole = hours.parse::<u32>().ok()?.checked_mul(60)?.checked_add(minutes)?;
            i16::try_from(i64::from(whole) * sign).ok()
        };
        minutes().map(|minutes| Self(UtcOffset(minutes))).ok_or_else(String::new)
    }

    fn read_number(digits: &str) -> Result<Self, String> {
        digits.parse().map(|minutes| Self(UtcOffset(minutes))).map_err(|_| String::new())
    }

    fn write(&self) -> String {
        let sign = if self.0.0 < 0 { '-' } else { '+' };
        let minutes = self.0.0.unsigned_abs();
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl Human for CountryText {
    const EXPECTED: &'static str = "a country of two letters, such as \"KR\"";

    fn read(text: &str) -> Result<Self, String> {
        CountryCode::parse(text).map(Self).ok_or_else(String::new)
    }

    fn write(&self) -> String {
        self.0.as_str().to_owned()
    }
}

impl Human for OsVersionText {
    const EXPECTED: &'static str = "a version such as \"14\" or \"14.4\", in quotes";

    fn read(text: &str) -> Result<Self, String> {
        OsVersion::parse(text).map(Self).ok_or_else(String::new)
    }

    fn write(&self) -> String {
        write_version(self.0, 0)
    }
}

impl Human for OsVersionMaxText {
    const EXPECTED: &'static str = OsVersionText::EXPECTED;

    fn read(text: &str) -> Result<Self, String> {
        let mut version = OsVersion::parse(text).ok_or_else(String::new)?;
        let parts = text.split('.').count();
        if parts < 2 {
            version.minor = u16::MAX;
        }
        if parts < 3 {
            version.patch = u16::MAX;
        }
        Ok(Self(version))
    }

    fn write(&self) -> String {
        write_version(self.0, u16::MAX)
    }
}

/// The version without the parts at the end that are `missing`.
fn write_version(version: OsVersion, missing: u16) -> String {
    let OsVersion { major, minor, patch } = version;
    match (minor == missing, patch == missing) {
        (true, true) => major.to_string(),
        (false, true) => format!("{major}.{minor}"),
        _ => format!("{major}.{minor}.{patch}"),
    }
}

impl Human for CurrencyText {
    const EXPECTED: &'static str = "a currency of three capital letters, such as \"USD\"";

    fn read(text: &str) -> Result<Self, String> {
        CurrencyCode::parse(text).map(Self).ok_or_else(String::new)
    }

    fn write(&self) -> String {
        self.0.to_string()
    }
}

impl PartialOrd for CurrencyText {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for CurrencyText {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl Human for DigestText {
    const EXPECTED: &'static str = "a digest of 64 hexadecimal digits";

    fn read(text: &str) -> Result<Self, String> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(String::new)
    }

    fn write(&self) -> String {
        HEXLOWER_PERMISSIVE.encode(&self.0)
    }
}

impl Human for SecretText {
    const EXPECTED: &'static str = "a secret or a reference such as \"env:GUERDON_SECRET_NAME\"";

    fn read(text: &str) -> Result<Self, String> {
        Ok(Self(Secret::new(text)))
    }

    fn write(&self) -> String {
        self.0.expose().to_owned()
    }
}

impl Human for TemplateText {
    const EXPECTED: &'static str = "text with {macros}";

    fn read(text: &str) -> Result<Self, String> {
        Template::parse(text).map(Self).map_err(|error| error.to_string())
    }

    fn read_number(digits: &str) -> Result<Self, String> {
        Self::read(digits)
    }

    fn write(&self) -> String {
        self.0.to_string()
    }
}

impl Human for StatusText {
    const EXPECTED: &'static str = "a status such as 200, or a range such as \"200-299\"";

    fn read(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) => Ok(Self(StatusRange { first, last })),
            _ => Err(String::new()),
        }
    }

    fn read_number(digits: &str) -> Result<Self, String> {
        Self::read(digits)
    }

    fn write(&self) -> String {
        let StatusRange { first, last } = self.0;
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    }
}

#[cfg(test)]
mod tests;
