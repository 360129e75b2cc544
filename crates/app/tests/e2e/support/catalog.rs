//! The catalogue of a test: the common part in `base.toml`, and the campaigns of the test.

use data_encoding::HEXLOWER;
use domain::ids::bearer_digest;

use super::publisher::WEBHOOK_SECRET;

/// Keys of the apps' servers.
pub(crate) const LIVE_KEY: &str = "e2e-live-key-canary";
pub(crate) const TEST_KEY: &str = "e2e-test-key-canary";
pub(crate) const OTHER_LIVE_KEY: &str = "e2e-other-live-key-canary";
/// Secret path segments of the partner connections.
pub(crate) const GENERIC: &str = "e2e-generic-token-canary";
pub(crate) const APPSFLYER: &str = "e2e-appsflyer-token-canary";
pub(crate) const ADJUST: &str = "e2e-adjust-token-canary";
pub(crate) const SIGNED: &str = "e2e-signed-token-canary";
pub(crate) const FOREIGN: &str = "e2e-foreign-token-canary";
/// Keys with which the signing partner signs, the newest first.
pub(crate) const PARTNER_SECRET: &str = "e2e-partner-secret-canary";
pub(crate) const PARTNER_OLD_SECRET: &str = "e2e-partner-old-secret-canary";

/// A budget that no test ever spends.
pub(crate) const AMPLE: &str = "budget = 1_000_000_000_000";

/// The common part, with a publisher's server at that address.
pub(crate) fn base(publisher: &str) -> String {
    let digests = [
        ("LIVE", LIVE_KEY),
        ("TEST", TEST_KEY),
        ("OTHER_LIVE", OTHER_LIVE_KEY),
        ("GENERIC", GENERIC),
        ("APPSFLYER", APPSFLYER),
        ("ADJUST", ADJUST),
        ("SIGNED", SIGNED),
        ("FOREIGN", FOREIGN),
    ];
    let mut text = include_str!("base.toml")
        .replace("${PUBLISHER}", publisher)
        .replace("${WEBHOOK_SECRET}", WEBHOOK_SECRET)
        .replace("${PARTNER_SECRET}", PARTNER_SECRET)
        .replace("${PARTNER_OLD_SECRET}", PARTNER_OLD_SECRET);
    for (name, key) in digests {
        text = text.replace(&format!("${{{name}_DIGEST}}"), &digest(key));
    }
    text
}

/// The digest of a key as catalogues hold it.
pub(crate) fn digest(key: &str) -> String {
    HEXLOWER.encode(&bearer_digest(key))
}

/// A line item for everybody with one mission, all of the same number. `line_item` are its own
/// settings, `steps` are the steps' fields beside their number and title.
pub(crate) fn campaign(id: u32, line_item: &str, steps: &[&str]) -> String {
    targeted(id, line_item, "", steps)
}

/// The same for some users only; `targeting` are the fields of an inline table.
pub(crate) fn targeted(id: u32, line_item: &str, targeting: &str, steps: &[&str]) -> String {
    let step = |(place, fields): (usize, &&str)| {
        let id = place + 1;
        let texts = format!("[{{ language = \"en\", title = \"Step {id}\" }}]");
        format!("    {{ id = {id}, texts = {texts}, {fields} }},\n")
    };
    let steps: String = steps.iter().enumerate().map(step).collect();
    format!(
        r#"
[[line_items]]
id = {id}
advertiser_id = 1
name = "Line item {id}"
status = "running"
currency = "USD"
grace_seconds = "1d"
{line_item}

[[ad_groups]]
id = {id}
line_item_id = {id}
name = "Ad group {id}"
targeting = {{ {targeting} }}

[[missions]]
id = {id}
line_item_id = {id}
window_seconds = "30d"
landing_url = "https://landing.example/{id}?click={{click_id}}"
creatives = [{{ language = "en", title = "Mission {id}", summary = "Do it" }}]
steps = [
{steps}]
"#
    )
}

/// A step that an event of that name completes.
pub(crate) fn on_event(name: &str, payout: i64) -> String {
    format!("payout = {payout}, rule = {{ event = {{ name = \"{name}\" }} }}")
}

/// A distance from UTC at which it is about noon now, so that no day ends during a test.
pub(crate) fn noon(now_s: i64) -> String {
    let hour = now_s / 3_600 % 24;
    let offset = 12 - hour;
    let sign = if offset < 0 { '-' } else { '+' };
    format!("utc_offset = \"{sign}{:02}:00\"", offset.abs())
}
