//! How a mission presents itself, in one language.
//!
//! A large catalogue has hundreds of thousands of these, each with eight short texts. Texts of their own
//! would take more memory for where they are than for what they say, so they stand in one piece.

/// How many texts there are.
const TEXTS: usize = 8;

/// The texts of a mission in one language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wording<'a> {
    /// BCP 47 language, lower case.
    pub language: &'a str,
    /// Its name.
    pub title: &'a str,
    /// What to do, in one line.
    pub summary: &'a str,
    /// What to do, at length.
    pub description: &'a str,
    /// Address of the icon.
    pub icon_url: Option<&'a str>,
    /// Address of the large image.
    pub image_url: Option<&'a str>,
    /// Words on the button.
    pub cta: &'a str,
    /// Conditions in small print.
    pub fine_print: &'a str,
}

/// A [`Wording`] that is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Creative {
    /// All texts, one behind the other.
    texts: Box<str>,
    /// Where each of them ends but the last, which goes to the end.
    ends: [u32; TEXTS - 1],
    has_icon: bool,
    has_image: bool,
}

impl Creative {
    /// Its texts.
    #[must_use]
    pub fn wording(&self) -> Wording<'_> {
        let mut begin = 0;
        let [language, title, summary, description, icon_url, image_url, cta] =
            self.ends.map(|end| {
                let text = begin..end as usize;
                begin = text.end;
                &self.texts[text]
            });
        let fine_print = &self.texts[begin..];
        let icon_url = self.has_icon.then_some(icon_url);
        let image_url = self.has_image.then_some(image_url);
        Wording { language, title, summary, description, icon_url, image_url, cta, fine_print }
    }

    /// Its language.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.texts[..self.ends[0] as usize]
    }
}

impl From<Wording<'_>> for Creative {
    fn from(wording: Wording<'_>) -> Self {
        let Wording { language, title, summary, description, icon_url, image_url, cta, fine_print } =
            wording;
        let addresses = [icon_url, image_url].map(Option::unwrap_or_default);
        let [icon, image] = addresses;
        let texts = [language, title, summary, description, icon, image, cta];
        let mut end = 0;
        let ends = texts.map(|text| {
            end += text.len() as u32;
            end
        });
        Self {
            texts: [&texts[..], &[fine_print]].concat().concat().into(),
            ends,
            has_icon: icon_url.is_some(),
            has_image: image_url.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wording_is_kept_as_it_is() {
        let whole = Wording {
            language: "ko",
            title: "성",
            summary: "레벨 10에 도달하세요",
            description: "a\nb",
            icon_url: Some("https://icons.example/1.png"),
            image_url: Some("https://images.example/1.png"),
            cta: "시작",
            fine_print: "19+",
        };
        let cases = [
            Wording::default(),
            whole,
            Wording { icon_url: None, ..whole },
            Wording { icon_url: Some(""), image_url: None, ..whole },
            Wording { language: "", cta: "", ..whole },
            Wording { fine_print: "", ..whole },
        ];
        for wording in cases {
            let kept = Creative::from(wording);
            assert_eq!(kept.wording(), wording);
            assert_eq!(kept.language(), wording.language);
        }
    }

    #[test]
    fn texts_that_run_together_alike_are_told_apart() {
        let of = |title, summary| Creative::from(Wording { title, summary, ..Wording::default() });
        assert_ne!(of("ab", "c"), of("a", "bc"));
        let icon = |icon_url| Creative::from(Wording { icon_url, ..Wording::default() });
        assert_ne!(icon(None), icon(Some("")));
    }
}
