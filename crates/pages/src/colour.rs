//! Colours by the WCAG 2.2 formulas: a publisher picks one colour, and the page must stay readable
//! whatever it is.

use std::fmt;

/// Contrast that WCAG AA asks of normal text.
pub(crate) const TEXT_CONTRAST: f64 = 4.5;

/// How far a colour moves towards black or white in one try.
const MIX_STEP: f64 = 0.04;

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) u8, pub(crate) u8, pub(crate) u8);

pub(crate) const BLACK: Rgb = Rgb(0, 0, 0);
pub(crate) const WHITE: Rgb = Rgb(255, 255, 255);

impl Rgb {
    /// Parses six hexadecimal digits.
    pub(crate) fn from_hex(digits: &str) -> Option<Self> {
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let value = u32::from_str_radix(digits, 16).ok()?;
        let [_, r, g, b] = value.to_be_bytes();
        Some(Self(r, g, b))
    }

    /// This colour with `share` (0 to 1) of another mixed in.
    pub(crate) fn mix(self, other: Self, share: f64) -> Self {
        let channel = |a: u8, b: u8| {
            let mixed = f64::from(a) * (1.0 - share) + f64::from(b) * share;
            // The value is between two bytes, so the conversion cannot lose anything but the fraction.
            mixed.round() as u8
        };
        Self(channel(self.0, other.0), channel(self.1, other.1), channel(self.2, other.2))
    }

    /// The nearest colour towards `end` that has the contrast against all of `grounds`.
    pub(crate) fn readable_on(self, grounds: &[Self], end: Self, contrast: f64) -> Self {
        let mut share = 0.0;
        while share < 1.0 {
            let candidate = self.mix(end, share);
            if grounds.iter().all(|g| candidate.contrast(*g) >= contrast) {
                return candidate;
            }
            share += MIX_STEP;
        }
        end
    }

    /// Contrast ratio of two colours, 1 to 21.
    pub(crate) fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_agrees_with_the_standard() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 1e-9);
        // #767676 is the well-known lightest grey that passes AA on white.
        assert!(Rgb(0x76, 0x76, 0x76).contrast(WHITE) >= TEXT_CONTRAST);
        assert!(Rgb(0x77, 0x77, 0x77).contrast(WHITE) < TEXT_CONTRAST);
    }

    #[test]
    fn hex_both_ways() {
        assert_eq!(Rgb::from_hex("ff8000"), Some(Rgb(255, 128, 0)));
        assert_eq!(Rgb(255, 128, 0).to_string(), "ff8000");
        for bad in ["", "fff", "ff80000", "gg8000", "+f8000", "가나"] {
            assert_eq!(Rgb::from_hex(bad), None);
        }
    }

    #[test]
    fn a_readable_colour_is_always_found() {
        let yellow = Rgb(255, 230, 0);
        let ink = yellow.readable_on(&[WHITE], BLACK, TEXT_CONTRAST);
        assert!(ink.contrast(WHITE) >= TEXT_CONTRAST);
        let kept = Rgb(40, 40, 160);
        assert_eq!(kept.readable_on(&[WHITE], BLACK, TEXT_CONTRAST), kept);
    }
}
