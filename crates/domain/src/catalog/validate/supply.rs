//! Publishers, apps and units.

use super::{Findings, check_secrets, text};
use crate::catalog::limits::{
    KEYS_MAX, MINOR_UNITS_MAX, NAME_CHARS_MAX, POINT_NAME_CHARS_MAX, RADIUS_MAX, SHARES_MAX,
};
use crate::catalog::{App, Catalog, Currency, Endpoint, EntityKind, Theme};
use crate::dialect::Macro;
use crate::money::MICROS_MAX;

pub(super) fn check(catalog: &Catalog, found: &mut Findings) {
    for publisher in catalog.publishers.values() {
        found.on(EntityKind::Publisher, publisher.id.0);
        text::name(found, &publisher.name);
    }
    for app in catalog.apps.values() {
        found.on(EntityKind::App, app.id.0);
        let owner = app.publisher_id;
        let there = catalog.publishers.contains_key(&owner);
        found.refers(there, "publisher_id", format_args!("publisher {owner}"));
        check_app(app, found);
    }
    for unit in catalog.units.values() {
        found.on(EntityKind::Unit, unit.id.0);
        let there = catalog.apps.contains_key(&unit.app_id);
        found.refers(there, "app_id", format_args!("app {}", unit.app_id));
        text::name(found, &unit.name);
    }
}

fn check_app(app: &App, found: &mut Findings) {
    text::name(found, &app.name);
    check_currency(&app.currency, found);
    let shares = u64::from(app.user_share.0) + u64::from(app.publisher_share.0);
    found.check(
        shares <= u64::from(SHARES_MAX),
        "user_share",
        "the user's and the publisher's share together exceed the payout",
    );
    found.check(app.keys.len() <= KEYS_MAX, "keys", format_args!("at most {KEYS_MAX} keys"));
    for (at, key) in app.keys.iter().enumerate() {
        text::optional_line(found, format_args!("keys[{at}].label"), &key.label, NAME_CHARS_MAX);
    }
    for (field, endpoint) in [("postback", &app.postback), ("test_postback", &app.test_postback)] {
        if let Some(endpoint) = endpoint {
            check_endpoint(endpoint, field, found);
        }
    }
    check_theme(&app.theme, found);
}

fn check_currency(currency: &Currency, found: &mut Findings) {
    text::line(found, "currency.name", &currency.name, POINT_NAME_CHARS_MAX);
    found.check(
        currency.minor_units <= MINOR_UNITS_MAX,
        "currency.minor_units",
        format_args!("a point has at most {MINOR_UNITS_MAX} decimal places"),
    );
    for (code, rate) in &currency.rates {
        found.check(
            (1..=MICROS_MAX.0).contains(&rate.0),
            format_args!("currency.rates.{code}"),
            "a rate must be above 0 and at most ten billion points",
        );
    }
}

fn check_endpoint(endpoint: &Endpoint, field: &str, found: &mut Findings) {
    text::web_url(found, format_args!("{field}.url"), &plain(&endpoint.url));
    let dialect = &endpoint.dialect;
    for problem in dialect.problems() {
        found.add(format_args!("{field}.dialect.{}", problem.field), problem.message);
    }
    for problem in dialect.endpoint_problems(&endpoint.url) {
        found.add(format_args!("{field}.{}", problem.field), problem.message);
    }
    let secrets_field = format!("{field}.secrets");
    check_secrets(&endpoint.secrets, &secrets_field, found);
    for at in (0..endpoint.secrets.len()).filter(|at| !endpoint.is_usable(*at)) {
        let message = "it must be whsec_ followed by base64; `printf 'whsec_%s\\n' \"$(openssl rand \
                       -base64 32)\"` makes one";
        found.add(format_args!("{secrets_field}[{at}]"), message);
    }
    let signs = dialect.signature.is_some()
        || dialect.headers.iter().any(|header| header.value.names(Macro::Secret));
    let needed = endpoint.secrets_before() + usize::from(signs);
    found.check(
        endpoint.secrets.len() >= needed,
        &secrets_field,
        format_args!("the dialect {} needs {needed}", dialect.name),
    );
}

/// The address with what vendors' placeholders may hold made harmless; the dialect judges those.
fn plain(url: &str) -> String {
    url.replace(['<', '>', '`', '"', '\\', ' '], "_")
}

fn check_theme(theme: &Theme, found: &mut Findings) {
    if let Some(colour) = &theme.primary {
        let digits = colour.strip_prefix('#').unwrap_or_default();
        let right = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        found.check(right, "theme.primary", "it must be a colour such as #1a73e8");
    }
    found.check(
        theme.radius.is_none_or(|radius| radius <= RADIUS_MAX),
        "theme.radius",
        format_args!("it must be between 0 and {RADIUS_MAX}"),
    );
    if let Some(url) = &theme.logo_url {
        text::web_url(found, "theme.logo_url", url);
    }
}
