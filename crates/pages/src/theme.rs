//! A publisher's look: one colour, one corner radius, one logo.
//!
//! The theme becomes a stylesheet of its own whose *path* holds all its values, so the server needs
//! no lookup to answer it, every cache may keep it for ever, and the content security policy stays
//! a constant without nonces (a nonce would change every page and defeat `304`). The default theme
//! is part of the main stylesheet and costs no request.

use crate::address::ImageUrl;
use crate::colour::{BLACK, Rgb, TEXT_CONTRAST, WHITE};

/// Largest corner radius in CSS pixels; more makes cards look like pills.
pub const RADIUS_MAX: u8 = 28;

/// The grounds that text lies on, as in `assets/mission.css`.
pub(crate) const LIGHT_GROUNDS: [Rgb; 2] = [WHITE, Rgb(0xf4, 0xf5, 0xf8)];
pub(crate) const DARK_GROUNDS: [Rgb; 2] = [Rgb(0x1a, 0x1d, 0x24), Rgb(0x0f, 0x11, 0x16)];

/// Share of the ground in a tinted surface.
const LIGHT_TINT: f64 = 0.90;
const DARK_TINT: f64 = 0.80;

/// Contrast of a filled button against its card: enough to see where it ends.
const FILL_CONTRAST: f64 = 1.4;

/// Why a theme was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeError {
    /// The colour is not `#rrggbb`.
    Colour,
    /// The radius is above [`RADIUS_MAX`].
    Radius,
    /// The logo is neither `https://…` nor a path on this server.
    Logo,
}

/// A validated theme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    primary: Rgb,
    radius: u8,
    logo: Option<ImageUrl>,
}

impl Theme {
    /// Checks what a publisher has set: a colour `#rrggbb`, a radius in pixels, a logo.
    pub fn try_new(primary: &str, radius: u8, logo: Option<&str>) -> Result<Self, ThemeError> {
        let digits = primary.strip_prefix('#').ok_or(ThemeError::Colour)?;
        let primary = Rgb::from_hex(digits).ok_or(ThemeError::Colour)?;
        if radius > RADIUS_MAX {
            return Err(ThemeError::Radius);
        }
        let logo = match logo {
            Some(raw) => Some(ImageUrl::parse(raw).ok_or(ThemeError::Logo)?),
            None => None,
        };
        Ok(Self { primary, radius, logo })
    }

    /// What an app of the catalogue has set; what is not set, or not usable here, is ours.
    pub fn of(set: &domain::catalog::Theme) -> Self {
        let standard = Self::default();
        let digits = set.primary.as_deref().and_then(|raw| raw.strip_prefix('#'));
        Self {
            primary: digits.and_then(Rgb::from_hex).unwrap_or(standard.primary),
            radius: set.radius.map_or(standard.radius, |radius| radius.min(RADIUS_MAX)),
            logo: set.logo_url.as_deref().and_then(ImageUrl::parse),
        }
    }

    /// The theme that a stylesheet name such as `4b4ded-16.css` stands for; `None` unless it is
    /// exactly what [`Theme::href`] would write.
    pub fn from_name(name: &str) -> Option<Self> {
        let (digits, radius) = name.strip_suffix(".css")?.split_once('-')?;
        let theme = Self {
            primary: Rgb::from_hex(digits)?,
            radius: radius.parse().ok().filter(|r| *r <= RADIUS_MAX)?,
            logo: None,
        };
        (theme.name() == name).then_some(theme)
    }

    /// The theme's stylesheet: a handful of variables, readable in light and dark.
    pub fn css(&self) -> String {
        let light = self.light();
        let dark = self.dark();
        format!(
            ":root{{{light}--r:{}px}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}",
            self.radius
        )
    }

    /// Where the stylesheet lies; `None` when the main one is enough.
    pub(crate) fn href(&self) -> Option<String> {
        let standard = Self::default();
        let same = self.primary == standard.primary && self.radius == standard.radius;
        (!same).then(|| format!("/m/theme/{}", self.name()))
    }

    pub(crate) fn logo(&self) -> Option<&ImageUrl> {
        self.logo.as_ref()
    }

    fn name(&self) -> String {
        format!("{}-{}.css", self.primary, self.radius)
    }

    fn light(&self) -> String {
        let fill = self.primary.readable_on(&LIGHT_GROUNDS, BLACK, FILL_CONTRAST);
        let tint = self.primary.mix(WHITE, LIGHT_TINT);
        let grounds = [LIGHT_GROUNDS[0], LIGHT_GROUNDS[1], tint];
        let ink = self.primary.readable_on(&grounds, BLACK, TEXT_CONTRAST);
        variables(fill, tint, ink)
    }

    fn dark(&self) -> String {
        let fill = self.primary.readable_on(&DARK_GROUNDS, WHITE, FILL_CONTRAST);
        let tint = self.primary.mix(DARK_GROUNDS[0], DARK_TINT);
        let grounds = [DARK_GROUNDS[0], DARK_GROUNDS[1], tint];
        let ink = self.primary.readable_on(&grounds, WHITE, TEXT_CONTRAST);
        variables(fill, tint, ink)
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self { primary: Rgb(0x4b, 0x4d, 0xed), radius: 16, logo: None }
    }
}

fn variables(fill: Rgb, tint: Rgb, ink: Rgb) -> String {
    let on_fill = on(fill);
    format!("--p:#{fill};--on-p:#{on_fill};--tint:#{tint};--ink-p:#{ink};")
}

/// White where it is readable, because brands expect it; else black.
fn on(fill: Rgb) -> Rgb {
    if WHITE.contrast(fill) >= TEXT_CONTRAST { WHITE } else { BLACK }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rrggbb_is_a_colour() {
        assert!(Theme::try_new("#ff8800", 12, None).is_ok());
        for bad in ["ff8800", "#fff", "red", "#ff8800;}", "#ff88zz", "url(x)", ""] {
            assert_eq!(Theme::try_new(bad, 12, None), Err(ThemeError::Colour));
        }
        assert_eq!(Theme::try_new("#ff8800", 29, None), Err(ThemeError::Radius));
        assert_eq!(Theme::try_new("#ff8800", 1, Some("data:x")), Err(ThemeError::Logo));
    }

    #[test]
    fn what_an_app_has_set_is_taken_as_far_as_it_goes() {
        let set = |primary: &str, radius, logo: &str| domain::catalog::Theme {
            primary: Some(primary.to_owned()),
            radius: Some(radius),
            logo_url: Some(logo.to_owned()),
        };
        let whole = Theme::of(&set("#ff8800", 12, "https://cdn.example/l.png"));
        assert_eq!(Ok(whole), Theme::try_new("#ff8800", 12, Some("https://cdn.example/l.png")));
        let half = Theme::of(&set("orange", 32, "http://cdn.example/l.png"));
        assert_eq!(half, Theme { radius: RADIUS_MAX, ..Theme::default() });
        assert_eq!(Theme::of(&domain::catalog::Theme::default()), Theme::default());
    }

    #[test]
    fn names_are_canonical() {
        let theme = Theme::from_name("ff8800-12.css").unwrap();
        assert_eq!(theme.href().as_deref(), Some("/m/theme/ff8800-12.css"));
        for bad in ["FF8800-12.css", "ff8800-012.css", "ff8800-99.css", "ff8800-12", "x"] {
            assert_eq!(Theme::from_name(bad), None);
        }
    }

    #[test]
    fn the_default_needs_no_stylesheet_of_its_own() {
        assert_eq!(Theme::default().href(), None);
    }

    #[test]
    fn every_colour_stays_readable() {
        let levels = [0x00, 0x55, 0xaa, 0xff];
        for r in levels {
            for g in levels {
                for b in levels {
                    check(Rgb(r, g, b));
                }
            }
        }
    }

    fn check(primary: Rgb) {
        let theme = Theme { primary, radius: 8, logo: None };
        for (css, grounds) in [(theme.light(), LIGHT_GROUNDS), (theme.dark(), DARK_GROUNDS)] {
            let value = |name: &str| {
                let (_, rest) = css.split_once(&format!("{name}:#")).unwrap();
                Rgb::from_hex(&rest[..6]).unwrap()
            };
            let (ink, tint) = (value("--ink-p"), value("--tint"));
            for ground in [grounds[0], grounds[1], tint] {
                assert!(ink.contrast(ground) >= TEXT_CONTRAST, "{primary} ink");
            }
            let fill = value("--p");
            assert!(value("--on-p").contrast(fill) >= TEXT_CONTRAST, "{primary} on");
        }
    }
}
