//! `Retry-After` in its spellings.

use super::*;
use reqwest::header::HeaderValue;

#[test]
fn retry_after_as_number_and_date() {
    let now = Timestamp(1_767_323_045_000); // 2026-01-02T03:04:05Z
    let table = [
        ("120", Some(120)),
        (" 120 ", Some(120)),
        ("0", Some(0)),
        ("99999999999", Some(RETRY_AFTER_MAX_S)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Fri, 02 Jan 2026 03:05:05 GMT", Some(60)),
        ("Fri, 02 Jan 2026 03:04:05 GMT", Some(0)),
        ("Thu, 01 Jan 2026 00:00:00 GMT", Some(0)),
        ("Fri, 01 Jan 2027 00:00:00 GMT", Some(RETRY_AFTER_MAX_S)),
        ("Friday, 02-Jan-26 03:05:05 GMT", Some(60)),
    ];
    for (text, expected) in table {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        assert_eq!(retry_after(&headers, now), expected, "{text}");
    }
    assert_eq!(retry_after(&HeaderMap::new(), now), None);
}
