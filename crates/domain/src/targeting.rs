//! Whom an ad group is for, and what is known of a user.

use std::collections::BTreeSet;

use crate::ids::{SegmentId, UnitId};

/// An ISO 3166-1 alpha-2 code: two upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// Reads two letters of either case; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 2] = text.as_bytes().try_into().ok()?;
        let upper = bytes.map(|byte| byte.to_ascii_uppercase());
        upper.iter().all(u8::is_ascii_uppercase).then_some(Self(upper))
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// What the user's page runs on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Platform {
    /// Android.
    Android,
    /// iOS and iPadOS.
    Ios,
    /// A browser.
    Web,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 3] = [Self::Android, Self::Ios, Self::Web];

    /// `android`, `ios` or `web`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Android => "android",
            Self::Ios => "ios",
            Self::Web => "web",
        }
    }
}

/// A user's gender as the publisher states it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Gender {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Neither.
    Other,
}

impl Gender {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::Female, Self::Male, Self::Other];

    /// `female`, `male` or `other`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
            Self::Other => "other",
        }
    }
}

/// A version of an operating system; missing parts are 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct OsVersion {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number.
    pub patch: u16,
}

impl OsVersion {
    /// Reads `14`, `14.4` or `14.4.1`; further parts are ignored; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse::<u16>());
        let major = parts.next()?.ok()?;
        let minor = parts.next().map_or(Some(0), Result::ok)?;
        let patch = parts.next().map_or(Some(0), Result::ok)?;
        Some(Self { major, minor, patch })
    }
}

/// Versions from `min` to `max`, both included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct OsVersionRange {
    /// Lowest version.
    pub min: Option<OsVersion>,
    /// Highest version; parts that are not given count as the highest possible.
    pub max: Option<OsVersion>,
}

/// Ages from `min` to `max`, both included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AgeRange {
    /// Lowest age.
    pub min: u8,
    /// Highest age.
    pub max: u8,
}

/// Highest age that is told apart.
pub const AGE_MAX: u8 = 120;

/// Whom an ad group is for. An empty list or `None` means everybody; a user of whom a targeted
/// property is not known is not among them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Targeting {
    /// Countries.
    pub countries: BTreeSet<CountryCode>,
    /// Platforms.
    pub platforms: BTreeSet<Platform>,
    /// Versions of the operating system.
    pub os_version: Option<OsVersionRange>,
    /// Ages.
    pub age: Option<AgeRange>,
    /// Genders.
    pub genders: BTreeSet<Gender>,
    /// Primary languages, such as `ko`.
    pub languages: BTreeSet<String>,
    /// Units.
    pub units: BTreeSet<UnitId>,
    /// Apps of which at least one must be installed.
    pub installed: BTreeSet<String>,
    /// Apps of which none may be installed.
    pub not_installed: BTreeSet<String>,
    /// Audiences of which the user must be in at least one.
    pub segments: BTreeSet<SegmentId>,
    /// Audiences of which the user must be in none.
    pub not_segments: BTreeSet<SegmentId>,
}

/// What the publisher's server says of a user when it opens a session.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Profile {
    /// Where he is.
    pub country: Option<CountryCode>,
    /// What his page runs on.
    pub platform: Option<Platform>,
    /// Its version.
    pub os_version: Option<OsVersion>,
    /// His age in years.
    pub age: Option<u8>,
    /// His gender.
    pub gender: Option<Gender>,
    /// BCP 47 language, lower case; empty if not known.
    pub language: String,
    /// Advertising id.
    pub ifa: Option<String>,
    /// Model of the device.
    pub device_model: Option<String>,
    /// Package or bundle names, sorted.
    pub installed_apps: Vec<String>,
    /// The publisher's own text, given back with each reward.
    pub custom: Option<String>,
    /// Minutes east of UTC, for the times on his page.
    pub utc_offset: crate::time::UtcOffset,
}
