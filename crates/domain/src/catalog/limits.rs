//! How large the parts of a catalogue may be. Every limit keeps an edit small enough to be held in
//! memory on every node and shown on a telephone.

use crate::money::PPM_WHOLE;

/// Longest name that only operators see, in characters.
pub const NAME_CHARS_MAX: usize = 255;
/// Longest name of an app's points, in characters: it stands beside every amount.
pub const POINT_NAME_CHARS_MAX: usize = 32;
/// Most decimal places of a point; micro-units have no more.
pub const MINOR_UNITS_MAX: u8 = 6;
/// Most keys of one app: one for each server, twice during a rotation.
pub const KEYS_MAX: usize = 32;
/// Most secrets of an endpoint or a partner connection: two live ones, each with an IV.
pub const SECRETS_MAX: usize = 4;
/// Longest secret or reference to one, in bytes.
pub const SECRET_BYTES_MAX: usize = 4_096;
/// Largest corner radius of a theme, in pixels.
pub const RADIUS_MAX: u8 = 32;
/// Highest priority of a line item.
pub const PRIORITY_MAX: u8 = 100;
/// Longest time after a deadline in which events are accepted, in seconds: 90 days.
pub const GRACE_SECONDS_MAX: u32 = 90 * 86_400;
/// Longest window of a mission or a step, in seconds: two years.
pub const WINDOW_SECONDS_MAX: u32 = 730 * 86_400;
/// Longest hold of a reward, in hours: 180 days, the longest refund period of the stores.
pub const HOLD_HOURS_MAX: u32 = 180 * 24;
/// Longest usual duration of a mission, in minutes: the longest window.
pub const TYPICAL_MINUTES_MAX: u32 = WINDOW_SECONDS_MAX / 60;
/// Most steps of a mission: one event can open and pay them all, and one commit tells them all.
pub const STEPS_MAX: usize = crate::change::MESSAGES_MAX;
/// Most paid occurrences of one step; an enrollment does not remember more events.
pub const REPEAT_MAX: u32 = crate::user::EVENTS_MAX as u32;
/// Most events or days that one occurrence may need, for the same reason.
pub const AIM_MAX: u32 = crate::user::EVENTS_MAX as u32;
/// Most languages of one text.
pub const LANGUAGES_MAX: usize = 40;
/// Longest language tag, in characters, as BCP 47 recommends to support.
pub const LANGUAGE_CHARS_MAX: usize = 35;
/// Longest title of a mission or a step, in characters.
pub const TITLE_CHARS_MAX: usize = 120;
/// Longest summary of a mission, in characters.
pub const SUMMARY_CHARS_MAX: usize = 300;
/// Longest description or small print, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 5_000;
/// Longest words on a button, in characters.
pub const CTA_CHARS_MAX: usize = 40;
/// Longest address, in bytes: what all browsers and stores accept.
pub const URL_BYTES_MAX: usize = 2_048;
/// Most conditions, prerequisites, or values of one targeted property.
pub const LIST_MAX: usize = 1_000;
/// Longest name of an event, a condition or an app, in characters.
pub const WORD_CHARS_MAX: usize = 255;
/// Longest stay on a page, in seconds: an hour.
pub const DWELL_SECONDS_MAX: u32 = 3_600;
/// Fewest and most choices of a quiz.
pub const CHOICES: std::ops::RangeInclusive<usize> = 2..=10;
/// Most attempts at a quiz.
pub const ATTEMPTS_MAX: u8 = 100;
/// Largest sum of shares, in millionths: the whole.
pub const SHARES_MAX: u32 = PPM_WHOLE;

/// What may stand in braces in a landing address.
pub const LANDING_MACROS: [&str; 11] = [
    "click_id",
    "user_key",
    "app_id",
    "unit_id",
    "mission_id",
    "line_item_id",
    "ifa",
    "platform",
    "country",
    "language",
    "sub_id",
];

/// Beginnings of addresses that a landing may have: pages, and the stores' own. Nothing that runs
/// script or reads files is among them.
pub const LANDING_SCHEMES: [&str; 6] =
    ["https://", "http://", "market://", "intent://", "itms-apps://", "itms-appss://"];
