//! What the trace of a postback shows of it: everything but secrets and personal data (X3, X4).

use std::fmt::Write;

use super::fields::Fields;
use super::{Recipe, SignaturePlace};
use crate::journal::RAW_MAX;

/// What stands for a value that is not shown.
pub const HIDDEN: &str = "…";

/// Words of a field's name, in lower case, behind which a secret or a person is.
const WORDS: [&str; 38] = [
    "aaid", "address", "adid", "age", "auth", "bearer", "birthday", "cookie", "digest", "dob",
    "gender", "hash", "hmac", "idfa", "idfv", "ifa", "ifv", "imei", "imsi", "ip", "ips", "ipv4",
    "ipv6", "key", "lat", "lng", "lon", "mac", "mail", "mobile", "oaid", "pwd", "session", "sig",
    "sign", "tel", "ua", "zip",
];

/// The same for names that are written together, or with separators anywhere inside.
const PARTS: [&str; 27] = [
    "advertiserid",
    "advertisingid",
    "androidid",
    "apikey",
    "appsflyerid",
    "authorization",
    "birthdate",
    "checksum",
    "deviceid",
    "email",
    "firstname",
    "fullname",
    "gaid",
    "idfa",
    "idfv",
    "ipaddr",
    "lastname",
    "latitude",
    "longitude",
    "msisdn",
    "passw",
    "phone",
    "secret",
    "signature",
    "token",
    "useragent",
    "userid",
];

/// Further names that mean a device to the partner that writes them.
const WHOLE: [&str; 4] = ["vendorid", "mmpid", "clientip", "remoteip"];

/// The postback as its trace keeps it: `name=value` joined by `&`, at most [`RAW_MAX`] bytes.
///
/// Values of the signature and of fields whose names sound like a secret or like personal data are
/// replaced by [`HIDDEN`]; a field that the recipe reads as the event is shown, although partners
/// call it `event_token`. `%`, `&`, `=` in names, control characters and marks that turn the
/// direction of text are percent-encoded, so that a trace can neither break a line nor pass one
/// field off as two.
#[must_use]
pub fn redact(fields: &Fields, recipe: &Recipe) -> String {
    let mut raw = String::new();
    for (name, value) in fields.iter() {
        if !raw.is_empty() {
            raw.push('&');
        }
        write_escaped(&mut raw, name, true);
        raw.push('=');
        if is_hidden(name, recipe) && !value.is_empty() {
            raw.push_str(HIDDEN);
        } else {
            write_escaped(&mut raw, value, false);
        }
        if raw.len() > RAW_MAX {
            break;
        }
    }
    raw.truncate(raw.floor_char_boundary(RAW_MAX));
    raw
}

fn is_hidden(name: &str, recipe: &Recipe) -> bool {
    let place = recipe.signature.as_ref().map(|signature| &signature.place);
    if matches!(place, Some(SignaturePlace::Field(field)) if field == name) {
        return true;
    }
    !recipe.event.iter().any(|event| event == name) && is_sensitive(name)
}

fn is_sensitive(name: &str) -> bool {
    let words = words(name);
    let together = words.concat();
    words.iter().any(|word| WORDS.contains(&word.as_str()))
        || PARTS.iter().any(|part| together.contains(part))
        || WHOLE.contains(&together.as_str())
}

/// The words of `snake_case`, `kebab-case`, `dotted.path` and `camelCase`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = letter.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

fn write_escaped(raw: &mut String, text: &str, is_name: bool) {
    for letter in text.chars() {
        if raw.len() > RAW_MAX {
            return;
        }
        if matches!(letter, '%' | '&') || (letter == '=' && is_name) || is_unprintable(letter) {
            for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a String cannot fail.
                let _ = write!(raw, "%{byte:02X}");
            }
        } else {
            raw.push(letter);
        }
    }
}

/// Control characters, line separators, and marks that turn the direction of the text around them.
#[must_use]
pub(super) fn is_unprintable(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::preset;

    fn raw(recipe: &str, pairs: &[(&str, &str)]) -> String {
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        redact(&Fields::new(pairs.iter().map(own).collect()), &preset(recipe).unwrap())
    }

    #[test]
    fn secrets_and_people_are_not_shown() {
        let hidden = [
            "signature",
            "ifa",
            "idfa",
            "idfv",
            "gaid",
            "gps_adid",
            "aaid",
            "ip",
            "IP",
            "client_ip",
            "clientIp",
            "clientIP",
            "ip_address",
            "ipAddress",
            "user_agent",
            "user-agent",
            "userAgent",
            "UserAgent",
            "ua",
            "email",
            "user.email",
            "e-mail",
            "phone",
            "phone_number",
            "tel",
            "token",
            "access_token",
            "api_key",
            "apikey",
            "secret",
            "client_secret",
            "password",
            "passwd",
            "sig",
            "advertiserId",
            "advertising_id",
            "android_id",
            "appsflyer-device-id",
            "vendorid",
            "user_id",
            "customer_user_id",
            "idfa_sha1",
            "advertisingid_md5",
            "lat",
            "gender",
            "Authorization",
            "event_token",
        ];
        for name in hidden {
            assert_eq!(raw("generic", &[(name, "canary")]), format!("{name}=…"), "{name}");
        }
    }

    #[test]
    fn what_explains_the_event_is_shown() {
        let shown = [
            "click_id",
            "event",
            "event_id",
            "event_time",
            "revenue",
            "currency",
            "country",
            "campaign",
            "description",
            "os_version",
            "app_id",
            "language",
            "blocked_reason",
            "media_source",
            "shipping",
            "message",
            "time_installed",
            "is_organic",
            "transaction_id",
            "tracker_name",
        ];
        for name in shown {
            assert_eq!(raw("generic", &[(name, "canary")]), format!("{name}=canary"), "{name}");
        }
        assert_eq!(raw("adjust", &[("event_token", "abc123")]), "event_token=abc123");
    }

    #[test]
    fn a_trace_is_one_line_that_reads_one_way() {
        let cases: [(&[(&str, &str)], &str); 7] = [
            (&[], ""),
            (&[("a", "1"), ("b", ""), ("a", "2")], "a=1&b=&a=2"),
            (&[("ip", "")], "ip="),
            (&[("a", "1&b=2"), ("c=d", "x=y")], "a=1%26b=2&c%3Dd=x=y"),
            (&[("a", "x\r\ny\0\u{7f}z")], "a=x%0D%0Ay%00%7Fz"),
            (&[("a", "50%"), ("b", "가입 완료 🎉")], "a=50%25&b=가입 완료 🎉"),
            (&[("a", "\u{202e}txt")], "a=%E2%80%AEtxt"),
        ];
        for (pairs, expected) in cases {
            assert_eq!(raw("generic", pairs), expected);
        }
    }

    #[test]
    fn a_trace_is_cut_between_two_letters() {
        for letter in ["x", "é", "가", "🎉", "\0"] {
            let text = raw("generic", &[("ab", &letter.repeat(10_000)), ("c", "d")]);
            assert!(text.len() <= RAW_MAX && text.len() > RAW_MAX - 4, "{letter:?} {}", text.len());
        }
        let many: Vec<_> = std::iter::repeat_n(("name", "value"), 10_000).collect();
        assert_eq!(raw("generic", &many).len(), RAW_MAX);
    }
}
