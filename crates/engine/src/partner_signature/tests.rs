use SignatureVerdict::{Malformed, Missing, NotRequired, Valid, Wrong};
use domain::recipe::preset;

use super::*;

const QUERY: &str = "revenue=1.50&event_id=7&event=buy&click_id=C";
/// HMAC-SHA256 of [`QUERY`], sorted, under `key`.
const SIGNED: &str = "baf90156f545889db8cd4d909b7d66c1f0878738cc40dc9aa94100a885697175";
/// The same under the empty key.
const UNKEYED: &str = "961ea2134ba85a95cead24f74d187f708d57e9fd109e53094cae239e37f0b133";

fn fields(query: &str) -> Fields {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.to_owned(), value.to_owned())
    };
    Fields::new(query.split('&').filter(|part| !part.is_empty()).map(pair).collect())
}

fn recipe(place: SignaturePlace, content: SignedContent, algorithm: SignatureAlgorithm) -> Recipe {
    let signature = Signature { place, content, algorithm, required: true };
    Recipe { signature: Some(signature), ..Recipe::default() }
}

fn field() -> SignaturePlace {
    SignaturePlace::Field("signature".to_owned())
}

/// The verdict on fields under the generic recipe.
fn generic(secrets: &[&str], query: &str) -> SignatureVerdict {
    verify(&preset("generic").unwrap(), secrets, &fields(query), |_| None, b"")
}

#[test]
fn published_vectors_are_valid() {
    let text = "what do ya want for nothing?";
    let cases = [
        (
            SignatureAlgorithm::HmacSha256,
            "Jefe",
            text,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (SignatureAlgorithm::HmacSha1, "Jefe", text, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (SignatureAlgorithm::HmacMd5, "Jefe", text, "750c783e6ab0b503eaa86e310a5db738"),
        (
            SignatureAlgorithm::Sha256,
            "c",
            "ab",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (SignatureAlgorithm::Sha1, "c", "ab", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (SignatureAlgorithm::Md5, "c", "ab", "900150983cd24fb0d6963f7d28e17f72"),
    ];
    for (algorithm, key, body, hex) in cases {
        let place = SignaturePlace::Header("x-signature".to_owned());
        let recipe = recipe(place, SignedContent::Body, algorithm);
        let check = |key: &str, body: &str, hex: &str| {
            let header = |name: &str| (name == "x-signature").then(|| hex.to_owned());
            verify(&recipe, &[key], &Fields::default(), header, body.as_bytes())
        };
        assert_eq!(check(key, body, hex), Valid, "{algorithm:?}");
        assert_eq!(check(key, body, &hex.to_uppercase()), Valid, "{algorithm:?}");
        assert_eq!(check(key, &format!("{body} "), hex), Wrong, "{algorithm:?}");
        assert_eq!(check("other", body, hex), Wrong, "{algorithm:?}");
        assert_eq!(check("", body, hex), Wrong, "{algorithm:?}");
        assert_eq!(check(key, "", hex), Malformed, "{algorithm:?}");
        assert_eq!(check(key, body, &hex[2..]), Malformed, "{algorithm:?}");
        assert_eq!(check(key, body, ""), Missing, "{algorithm:?}");
    }
}

#[test]
fn sorted_fields_are_signed_without_the_signature() {
    let signed = |rest: &str| format!("{QUERY}&signature={rest}");
    let upper = SIGNED.to_uppercase();
    let cases = [
        (signed(SIGNED), Valid),
        (signed(&upper), Valid),
        (format!("signature={SIGNED}&{QUERY}"), Valid),
        (format!("click_id=C&signature={SIGNED}&event=buy&event_id=7&revenue=1.50"), Valid),
        (format!("{}&signature={SIGNED}", signed(SIGNED)), Valid),
        // Something is altered, added, left out, or from somebody else.
        (signed(SIGNED).replace("1.50", "9.50"), Wrong),
        (signed(SIGNED).replace("click_id=C", "click_id=D"), Wrong),
        (signed(SIGNED).replace("&event_id=7", ""), Wrong),
        (format!("{}&event_id=8", signed(SIGNED)), Wrong),
        (format!("{}&extra=", signed(SIGNED)), Wrong),
        (signed(&SIGNED.replace('b', "c")), Wrong),
        (signed(&"0".repeat(64)), Wrong),
        (signed(UNKEYED), Wrong),
        // It is no signature at all.
        (signed(&SIGNED[..63]), Malformed),
        (signed(&SIGNED[..62]), Malformed),
        (signed(&SIGNED[..32]), Malformed),
        (signed(&format!("{SIGNED}00")), Malformed),
        (signed(&format!("sha256={SIGNED}")), Malformed),
        (signed(&format!(" {SIGNED}")), Malformed),
        (signed("none"), Malformed),
        (signed("uvkBVvVFiJ242NLZCbfWbB8IeHOMxA3JqpQQCoiGlxdQ="), Malformed),
        (signed(&"g".repeat(64)), Malformed),
        (signed(&"é".repeat(32)), Malformed),
        (format!("{}&signature={UNKEYED}", signed(SIGNED)), Malformed),
        (format!("{}&signature=", signed(SIGNED)), Malformed),
        // There is none.
        (QUERY.to_owned(), Missing),
        (signed(""), Missing),
        (signed("null"), Missing),
        (signed("{signature}"), Missing),
        (format!("{QUERY}&Signature={SIGNED}"), Missing),
        (String::new(), Missing),
    ];
    for (query, verdict) in cases {
        assert_eq!(generic(&["key"], &query), verdict, "{query}");
    }
}

#[test]
fn any_live_secret_will_do_and_an_empty_one_never_does() {
    let signed = format!("{QUERY}&signature={SIGNED}");
    let unkeyed = format!("{QUERY}&signature={UNKEYED}");
    let cases: [(&[&str], &str, SignatureVerdict); 10] = [
        (&["key"], &signed, Valid),
        (&["new", "key"], &signed, Valid),
        (&["key", "old"], &signed, Valid),
        (&["key", ""], &signed, Valid),
        (&["new", "newer"], &signed, Wrong),
        (&["KEY"], &signed, Wrong),
        (&["key", ""], &unkeyed, Wrong),
        (&[""], &unkeyed, Wrong),
        (&[""], QUERY, Missing),
        // Without a secret the generic recipe asks for nothing, so nothing is looked at.
        (&[], "signature=rubbish", NotRequired),
    ];
    for (secrets, query, verdict) in cases {
        assert_eq!(generic(secrets, query), verdict, "{secrets:?} {query}");
    }
}

#[test]
fn a_connection_with_a_secret_takes_nothing_unsigned() {
    let unsigned = preset("appsflyer").unwrap();
    let strict = recipe(field(), SignedContent::SortedFields, SignatureAlgorithm::HmacSha256);
    let signed = format!("{QUERY}&signature={SIGNED}");
    let cases: [(&Recipe, &[&str], &str, SignatureVerdict); 6] = [
        (&unsigned, &[], QUERY, NotRequired),
        (&unsigned, &["key"], &signed, Missing),
        (&strict, &[], QUERY, Missing),
        (&strict, &[], &signed, Wrong),
        (&strict, &["key"], QUERY, Missing),
        (&strict, &["key"], &signed, Valid),
    ];
    for (recipe, secrets, query, verdict) in cases {
        assert_eq!(
            verify(recipe, secrets, &fields(query), |_| None, b""),
            verdict,
            "{secrets:?} {query}"
        );
    }
}

#[test]
fn named_fields_are_signed_in_the_recipes_order() {
    let content = ["click_id", "event", "event_id"].map(str::to_owned).to_vec();
    let content = SignedContent::Fields(content, "|".to_owned());
    let recipe = recipe(field(), content, SignatureAlgorithm::Md5);
    // MD5 of `C|buy|key`: the absent id is empty, and the key follows at once.
    let hex = "51c2a31090692197e9200c32f29f233d";
    let cases = [
        (format!("event=buy&click_id=C&signature={hex}"), Valid),
        (format!("event=buy&click_id=C&event_id=&signature={hex}"), Valid),
        (format!("event=buy&click_id=C&click_id=D&signature={hex}"), Valid),
        (format!("event=buy&click_id=D&click_id=C&signature={hex}"), Wrong),
        (format!("event=buy&click_id=C&event_id=1&signature={hex}"), Wrong),
    ];
    for (query, verdict) in cases {
        assert_eq!(verify(&recipe, &["key"], &fields(&query), |_| None, b""), verdict, "{query}");
    }
}

#[test]
fn fields_that_read_in_two_ways_are_malformed() {
    // The signature of two fields does not vouch for one field that looks the same when written out.
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let check = |pairs: Vec<(String, String)>| {
        let signature = pair("signature", SIGNED);
        let fields = Fields::new(pairs.into_iter().chain([signature]).collect());
        verify(&preset("generic").unwrap(), &["key"], &fields, |_| None, b"")
    };
    let cases = [
        (
            vec![pair("click_id", "C"), pair("event", "buy"), pair("event_id", "7&revenue=1.50")],
            Malformed,
        ),
        (
            vec![pair("click_id=C&event", "buy"), pair("event_id", "7"), pair("revenue", "1.50")],
            Malformed,
        ),
        (vec![pair("a=b", "c")], Malformed),
        (vec![pair("a", "x=y"), pair("b", "x&y"), pair("c", "x=y&z")], Wrong),
    ];
    for (pairs, verdict) in cases {
        assert_eq!(check(pairs.clone()), verdict, "{pairs:?}");
    }
}
