//! Points, the same in all our languages: `97,215 P`, `+600 P`, `600포인트`.

use crate::plain::Plain;

/// Most decimals a currency of points may have; beyond it a name would be needed for each amount.
const DECIMALS_MAX: u8 = 6;

/// The app's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    /// Its name, such as `P` or `골드`.
    pub name: Plain,
    /// How many digits of an amount stand behind the decimal point; 0 for most.
    pub minor_units: u8,
}

impl Currency {
    /// `97,215 P`. The space does not break; names in Hangul, kana or Han follow without one.
    pub(crate) fn format(&self, amount: i64) -> String {
        let sign = if amount < 0 { "\u{2212}" } else { "" };
        let digits = self.digits(amount.unsigned_abs());
        let name = self.name.as_str();
        let gap = if name.chars().next().is_some_and(is_wide) { "" } else { "\u{a0}" };
        format!("{sign}{digits}{gap}{name}")
    }

    /// `+600 P`, for what is still to be earned or was paid.
    pub(crate) fn gain(&self, amount: i64) -> String {
        let plus = if amount > 0 { "+" } else { "" };
        format!("{plus}{}", self.format(amount))
    }

    fn digits(&self, amount: u64) -> String {
        let decimals = u32::from(self.minor_units.min(DECIMALS_MAX));
        let unit = 10_u64.pow(decimals);
        let whole = grouped(amount / unit);
        if decimals == 0 {
            return whole;
        }
        let width = decimals as usize;
        format!("{whole}.{:0width$}", amount % unit)
    }
}

/// `1234567` becomes `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Hangul, kana and Han, the scripts that put no space between a number and its counter.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(name: &str, minor_units: u8) -> Currency {
        Currency { name: Plain::new(name), minor_units }
    }

    #[test]
    fn formats() {
        let cases = [
            (0, 0, "P", "0\u{a0}P"),
            (999, 0, "P", "999\u{a0}P"),
            (97_215, 0, "P", "97,215\u{a0}P"),
            (-1_000, 0, "P", "\u{2212}1,000\u{a0}P"),
            (1_234_567, 0, "포인트", "1,234,567포인트"),
            (1_205, 2, "Gems", "12.05\u{a0}Gems"),
            (5, 2, "コイン", "0.05コイン"),
            (i64::MIN, 0, "P", "\u{2212}9,223,372,036,854,775,808\u{a0}P"),
        ];
        for (amount, minor_units, name, text) in cases {
            assert_eq!(currency(name, minor_units).format(amount), text);
        }
    }

    #[test]
    fn gains_have_a_sign() {
        let points = currency("P", 0);
        assert_eq!(points.gain(600), "+600\u{a0}P");
        assert_eq!(points.gain(0), "0\u{a0}P");
        assert_eq!(points.gain(-5), "\u{2212}5\u{a0}P");
    }
}
