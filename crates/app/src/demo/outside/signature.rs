//! Standard Webhooks as a receiver verifies them. It is written from the specification, not from the
//! sender's code, so the demo would notice a sender that signs wrongly.

use axum::http::HeaderMap;
use data_encoding::BASE64;
use domain::time::{SECOND_MS, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How old or early a message may be, in seconds: whoever catches one cannot send it again later.
const TOLERANCE_SECONDS: i64 = 300;

/// Whether a message is the sender's own and fresh.
///
/// # Errors
/// What is wrong with it.
pub(super) fn verify(
    secret: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), &'static str> {
    let id = header(headers, "webhook-id").ok_or("it has no webhook-id")?;
    let timestamp = header(headers, "webhook-timestamp").ok_or("it has no webhook-timestamp")?;
    let signatures = header(headers, "webhook-signature").ok_or("it has no webhook-signature")?;
    let sent_at: i64 = timestamp.parse().map_err(|_| "its webhook-timestamp is no number")?;
    if (now.0 / SECOND_MS - sent_at).abs() > TOLERANCE_SECONDS {
        return Err("it is too old or from the future");
    }
    let key = secret.strip_prefix("whsec_").and_then(|text| BASE64.decode(text.as_bytes()).ok());
    let key = key.ok_or("the secret is not whsec_ and base64")?;
    let mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| "the secret cannot be a key")?;
    let mac = mac.chain_update(format!("{id}.{timestamp}.")).chain_update(body);
    // During a rotation there are several; one has to be right. Each is compared in constant time.
    let is_right = |signature: &str| {
        let given = signature.strip_prefix("v1,").map(|text| BASE64.decode(text.as_bytes()));
        matches!(given, Some(Ok(given)) if mac.clone().verify_slice(&given).is_ok())
    };
    if signatures.split(' ').any(is_right) { Ok(()) } else { Err("its signature is wrong") }
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the specification.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT_AT: i64 = 1_614_265_330;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn check(signature: &str, body: &[u8], later_seconds: i64) -> Result<(), &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", ID.parse().unwrap());
        headers.insert("webhook-timestamp", SENT_AT.to_string().parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        verify(SECRET, &headers, body, Timestamp((SENT_AT + later_seconds) * SECOND_MS))
    }

    #[test]
    fn the_specifications_example_is_right_and_nothing_near_it() {
        let two = format!("v1,AAAA {SIGNATURE}");
        let cases = [
            (SIGNATURE, BODY, 0, Ok(())),
            (SIGNATURE, BODY, 300, Ok(())),
            (two.as_str(), BODY, 0, Ok(())),
            (SIGNATURE, &b"{}"[..], 0, Err("its signature is wrong")),
            (&SIGNATURE[3..], BODY, 0, Err("its signature is wrong")),
            ("v1,", BODY, 0, Err("its signature is wrong")),
            ("", BODY, 0, Err("its signature is wrong")),
            (SIGNATURE, BODY, 301, Err("it is too old or from the future")),
            (SIGNATURE, BODY, -301, Err("it is too old or from the future")),
        ];
        for (signature, body, later, expected) in cases {
            assert_eq!(check(signature, body, later), expected, "{signature} after {later} s");
        }
    }

    #[test]
    fn a_message_without_its_headers_is_refused() {
        let refused = verify(SECRET, &HeaderMap::new(), BODY, Timestamp(0));
        assert_eq!(refused, Err("it has no webhook-id"));
    }
}
