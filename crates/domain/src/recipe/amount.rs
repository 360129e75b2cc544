//! Amounts as partners write them: decimal digits, read without floating point.

use crate::money::{MICROS_MAX, Micros};

/// Longest text that is read as an amount, in bytes.
pub(super) const TEXT_MAX: usize = 64;

/// Decimal places of a millionth.
const PLACES: usize = 6;

/// Reads major units, such as `1.50`, exactly.
///
/// Digits beyond a millionth are cut off, towards zero: senders print floating point numbers, and
/// `0.30000000000000004` is their way to write 0.3. `-0` is 0.
///
/// # Errors
/// What is wrong, for a person: anything but digits with at most one point and a sign (so no
/// thousands separators, exponents, `NaN`, `inf`, symbols, or digits of other scripts), or an amount
/// beyond [`MICROS_MAX`].
pub(super) fn read_amount(text: &str) -> Result<Micros, &'static str> {
    const NO_DECIMAL: &str = "is not a decimal number such as 1.50";
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let point = digits.iter().position(|&byte| byte == b'.').unwrap_or(digits.len());
    let (whole, fraction) = (&digits[..point], digits.get(point + 1..).unwrap_or_default());
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    let is_decimal = whole.iter().chain(fraction).all(u8::is_ascii_digit);
    if !has_digits || !is_decimal || text.len() > TEXT_MAX {
        return Err(NO_DECIMAL);
    }
    let micros = micros(whole, fraction).ok_or("is too large an amount")?;
    Ok(Micros(if is_negative { -micros } else { micros }))
}

/// The digits as millionths; `None` beyond [`MICROS_MAX`].
fn micros(whole: &[u8], fraction: &[u8]) -> Option<i64> {
    let places = fraction.iter().chain(std::iter::repeat(&b'0')).take(PLACES);
    whole.iter().chain(places).try_fold(0_i64, |sum, digit| {
        let sum = sum.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
        (sum <= MICROS_MAX.0).then_some(sum)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_millionth() {
        let cases = [
            ("0", 0),
            ("-0", 0),
            ("-0.00", 0),
            ("0.000000", 0),
            ("1", 1_000_000),
            ("1.", 1_000_000),
            (".5", 500_000),
            ("+1.5", 1_500_000),
            ("1.50", 1_500_000),
            ("-1.50", -1_500_000),
            ("0.1", 100_000),
            ("0.30000000000000004", 300_000),
            ("0.000001", 1),
            ("0.0000019", 1),
            ("-0.0000019", -1),
            ("0.0000001", 0),
            ("1.2345678", 1_234_567),
            ("0001.50", 1_500_000),
            ("9999999999.999999", MICROS_MAX.0 - 1),
            ("10000000000", MICROS_MAX.0),
            ("10000000000.0000009", MICROS_MAX.0),
        ];
        for (text, micros) in cases {
            assert_eq!(read_amount(text), Ok(Micros(micros)), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let long = format!("0.{}", "0".repeat(TEXT_MAX));
        let cases = [
            "",
            ".",
            "-",
            "+",
            "-.",
            "--1",
            "+-1",
            "1-",
            "1.2.3",
            "1,50",
            "1,234.50",
            "1 234",
            "1_000",
            "1'000",
            "NaN",
            "nan",
            "inf",
            "Infinity",
            "-inf",
            "1e309",
            "1e2",
            "1E-3",
            "0x10",
            "$1.50",
            "1.50USD",
            "１.５０",
            "١",
            "1\u{a0}000",
            "1.5\0",
            " 1",
            "(1.50)",
            "½",
            "true",
            &long,
        ];
        for text in cases {
            assert!(read_amount(text).is_err(), "{text:?}");
        }
        let beyond = [
            "10000000000.000001",
            "9223372036854.775807",
            "9223372036854775807",
            "-9223372036854775808",
            "99999999999999999999999999999999999999999999",
        ];
        for text in beyond {
            assert_eq!(read_amount(text), Err("is too large an amount"), "{text}");
        }
    }
}
