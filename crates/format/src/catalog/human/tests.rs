//! What is read, and how it is written.

use serde_json::{Value, json};

use super::*;

fn check<T>(cases: &[(Value, Option<&str>)])
where
    T: Human + for<'de> Deserialize<'de> + serde::Serialize,
{
    for (read, written) in cases {
        let value = serde_json::from_value::<T>(read.clone());
        let told = value.as_ref().map(T::write).ok();
        assert_eq!(told.as_deref(), *written, "{read}");
        if let Ok(value) = value {
            let again = serde_json::to_value(&value).and_then(serde_json::from_value::<T>);
            assert_eq!(again.map(|value| value.write()).ok().as_deref(), *written, "{read}");
        }
    }
}

#[test]
fn shares_and_rates() {
    check::<ShareText>(&[
        (json!("60%"), Some("60%")),
        (json!("62.5 %"), Some("62.5%")),
        (json!(0.6), Some("60%")),
        (json!("0.000001"), Some("0.0001%")),
        (json!(1), Some("100%")),
        (json!("60"), Some("6000%")),
        (json!("-1%"), None),
        (json!("0.00001%"), None),
        (json!("a%"), None),
        (json!(""), None),
        (json!(null), None),
        (json!({"a": "b"}), None),
    ]);
    check::<RateText>(&[
        (json!("1000"), Some("1000")),
        (json!(1000), Some("1000")),
        (json!("0.50"), Some("0.5")),
        (json!(0.9), Some("0.9")),
        (json!("1e3"), None),
        (json!("99999999999999"), None),
    ]);
}

#[test]
fn times() {
    check::<TimeText>(&[
        (json!("2026-01-31T00:00:00Z"), Some("2026-01-31T00:00:00Z")),
        (json!("2026-01-31T09:00:00.5+09:00"), Some("2026-01-31T00:00:00.5Z")),
        (json!("2026-01-31T09:00:00"), None),
        (json!("2026-01-31"), None),
        (json!(1_700_000_000), None),
    ]);
    check::<SecondsText>(&[
        (json!("14d"), Some("14d")),
        (json!("36h"), Some("36h")),
        (json!("48h"), Some("2d")),
        (json!(90), Some("90s")),
        (json!(0), Some("0s")),
        (json!("5 d"), None),
        (json!("-5d"), None),
        (json!(-5), None),
        (json!("50000d"), None),
    ]);
    check::<OffsetText>(&[
        (json!("+09:00"), Some("+09:00")),
        (json!("-03:30"), Some("-03:30")),
        (json!(540), Some("+09:00")),
        (json!("Z"), Some("+00:00")),
        (json!("9:00"), None),
        (json!("+9:60"), None),
    ]);
}

#[test]
fn codes() {
    check::<OsVersionText>(&[
        (json!("14"), Some("14")),
        (json!("14.4"), Some("14.4")),
        (json!("14.0.1"), Some("14.0.1")),
        (json!(14.1), None),
    ]);
    check::<OsVersionMaxText>(&[
        (json!("14"), Some("14")),
        (json!("14.0"), Some("14.0")),
        (json!("14.4.1"), Some("14.4.1")),
    ]);
    check::<CountryText>(&[(json!("kr"), Some("KR")), (json!("KOR"), None)]);
    check::<CurrencyText>(&[(json!("USD"), Some("USD")), (json!("usd"), None)]);
    check::<DigestText>(&[(json!("00"), None), (json!("zz"), None)]);
    check::<StatusText>(&[
        (json!(200), Some("200")),
        (json!("200-299"), Some("200-299")),
        (json!("2xx"), None),
    ]);
    check::<TemplateText>(&[
        (json!("{user_id}"), Some("{user_id}")),
        (json!("{{x}}"), Some("{{x}}")),
        (json!("{nobody}"), None),
    ]);
}

#[test]
fn the_highest_version_takes_in_all_below_it() {
    let max = OsVersionMaxText::read("14").unwrap().0;
    assert!(max > OsVersion::parse("14.9.9").unwrap());
}
