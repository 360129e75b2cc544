//! The languages we speak, and how one is chosen.

use super::{Texts, en, ja, ko};

/// A language of the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English, the fallback.
    #[default]
    En,
    /// Japanese.
    Ja,
    /// Korean.
    Ko,
}

impl Lang {
    /// All languages.
    pub const ALL: [Self; 3] = [Self::En, Self::Ja, Self::Ko];

    /// The language for a tag such as `ko`, `ko-KR` or `ja_JP`; English for any other.
    pub fn from_tag(tag: &str) -> Self {
        Self::known(tag).unwrap_or_default()
    }

    /// The language for an `Accept-Language` header, for pages without a session.
    pub fn from_accept(header: &str) -> Self {
        let mut best = (0, Self::default());
        for part in header.split(',') {
            let (tag, quality) = part.split_once(';').unwrap_or((part, ""));
            let weight = weight(quality);
            if let Some(lang) = Self::known(tag)
                && weight > best.0
            {
                best = (weight, lang);
            }
        }
        best.1
    }

    /// The user's own language where we speak it, else what his browser asks for.
    pub fn choose(own: &str, accept: &str) -> Self {
        Self::known(own).unwrap_or_else(|| Self::from_accept(accept))
    }

    /// Value of the `lang` attribute.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
            Self::Ko => "ko",
        }
    }

    pub(crate) fn texts(self) -> &'static Texts {
        match self {
            Self::En => &en::TEXTS,
            Self::Ja => &ja::TEXTS,
            Self::Ko => &ko::TEXTS,
        }
    }

    fn known(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }
}

/// A quality such as `q=0.8` in thousandths; 1 when there is none, 0 when it is not a number.
fn weight(quality: &str) -> u32 {
    match quality.trim().strip_prefix("q=") {
        None => 1_000,
        Some(number) => {
            number.trim().parse::<f32>().map_or(0, |q| (q.clamp(0.0, 1.0) * 1_000.0) as u32)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        let cases = [
            ("ko", Lang::Ko),
            ("KO-kr", Lang::Ko),
            ("ja_JP", Lang::Ja),
            ("en-GB", Lang::En),
            ("fr", Lang::En),
            ("kok", Lang::En),
            ("", Lang::En),
        ];
        for (tag, lang) in cases {
            assert_eq!(Lang::from_tag(tag), lang, "{tag}");
        }
    }

    #[test]
    fn the_users_own_language_comes_first() {
        let cases = [
            ("ko", "ja", Lang::Ko),
            ("fr", "ja", Lang::Ja),
            ("", "ko-KR", Lang::Ko),
            ("fr", "de", Lang::En),
        ];
        for (own, accept, lang) in cases {
            assert_eq!(Lang::choose(own, accept), lang, "{own} {accept}");
        }
    }

    #[test]
    fn accept_language() {
        let cases = [
            ("ko-KR,ko;q=0.9,en-US;q=0.8", Lang::Ko),
            ("fr-FR, ja;q=0.5, en;q=0.4", Lang::Ja),
            ("en;q=0.4,ko;q=0.6", Lang::Ko),
            ("de", Lang::En),
            ("ko;q=0", Lang::En),
            ("ko;q=NaN", Lang::En),
            ("", Lang::En),
        ];
        for (header, lang) in cases {
            assert_eq!(Lang::from_accept(header), lang, "{header}");
        }
    }
}
