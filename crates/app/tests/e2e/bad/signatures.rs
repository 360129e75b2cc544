//! Partners' signatures: what is not signed, or signed by somebody else, books nothing.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Target;
use crate::support::catalog::{PARTNER_OLD_SECRET, PARTNER_SECRET, SIGNED};
use crate::support::http::{Request, encode, form};
use crate::support::people::Verdict;
use crate::support::problem::{case, refuses};

/// The signature of these fields, which are in order of their names.
fn signature(key: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let parts: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.chain_update(parts.join("&")).finalize().into_bytes().to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postback_that_its_partner_has_not_signed_is_refused() {
    let target = Target::new().await;
    let fields = [("click_id", target.click.as_str()), ("event", "install"), ("event_id", "s1")];
    let query = form(&fields);
    let bytes = signature(PARTNER_SECRET, &fields);
    let good = HEXLOWER.encode(&bytes);
    let send = |query: &str, signature: &str| {
        Request::get(format!("/v1/postbacks/{SIGNED}?{query}&signature={}", encode(signature)))
    };
    let refused = |name, request| case(name, request, 401, "bad_signature");
    let by = |key: &str| HEXLOWER.encode(&signature(key, &fields));
    let mut flipped = bytes.clone();
    flipped[31] ^= 1;
    let other = "x".repeat(64);
    refuses(
        &target.client,
        vec![
            refused("none", Request::get(format!("/v1/postbacks/{SIGNED}?{query}"))),
            refused("empty", send(&query, "")),
            refused("the word none", send(&query, "none")),
            refused("a macro", send(&query, "{signature}")),
            refused("no hex", send(&query, &other)),
            refused("too short", send(&query, &good[..62])),
            refused("too long", send(&query, &format!("{good}00"))),
            refused("one bit off", send(&query, &HEXLOWER.encode(&flipped))),
            refused("base64", send(&query, &BASE64.encode(&bytes))),
            refused("with a prefix", send(&query, &format!("sha256={good}"))),
            refused("an unknown key", send(&query, &by("guessed"))),
            refused("an empty key", send(&query, &by(""))),
            refused("the path's token as key", send(&query, &by(SIGNED))),
            refused("another event", send(&query.replace("install", "purchase"), &good)),
            refused("another event id", send(&query.replace("s1", "s2"), &good)),
            refused("a field more", send(&format!("{query}&revenue=100"), &good)),
            refused("a field less", send(&form(&fields[..2]), &good)),
            refused(
                "two signatures",
                Request::get(format!(
                    "/v1/postbacks/{SIGNED}?{query}&signature={good}&signature={other}"
                )),
            ),
            refused(
                "one field made of two",
                send(
                    &form(&[
                        ("click_id", &format!("{}&event=install", fields[0].1)),
                        ("event_id", "s1"),
                    ]),
                    &good,
                ),
            ),
            refused(
                "in a header",
                Request::get(format!("/v1/postbacks/{SIGNED}?{query}")).header("signature", &good),
            ),
        ],
    )
    .await;
    target.must_be_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_keys_of_a_rotation_sign() {
    let target = Target::new().await;
    let verdict = |fields: [(&'static str, String); 3], key: &'static str, is_upper: bool| {
        let client = std::sync::Arc::clone(&target.client);
        async move {
            let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
            let text = HEXLOWER.encode(&signature(key, &fields));
            let text = if is_upper { text.to_uppercase() } else { text };
            let query = format!("{}&signature={text}", form(&fields));
            Verdict::of(
                &client.send(&Request::get(format!("/v1/postbacks/{SIGNED}?{query}"))).await,
            )
        }
    };
    let fields = |event: &str, id: &str| {
        [
            ("click_id", target.click.clone()),
            ("event", event.to_owned()),
            ("event_id", id.to_owned()),
        ]
    };
    let table = [
        ("cow", "k1", PARTNER_SECRET, false, "no_such_step"),
        ("cow", "k2", PARTNER_OLD_SECRET, false, "no_such_step"),
        ("cow", "k3", PARTNER_SECRET, true, "no_such_step"),
    ];
    for (event, id, key, is_upper, reason) in table {
        assert_eq!(verdict(fields(event, id), key, is_upper).await.reason, reason, "{id}");
    }
    target.must_be_unharmed().await;
}
