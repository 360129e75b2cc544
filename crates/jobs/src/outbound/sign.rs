//! Hashes over a request.

use super::render::RenderError;
use super::values::{Values, escape};
use data_encoding::{BASE64, HEXLOWER};
use domain::dialect::{Algorithm, Encoding, Escaping, Part, SignatureRecipe};
use domain::secret::Secret;
use hmac::digest::Digest;
use hmac::{Hmac, KeyInit, Mac};
use std::borrow::Cow;
use url::Url;

/// Most secrets that sign one message: the current one and, during a rotation, the one before.
pub(crate) const SECRETS_LIVE_MAX: usize = 2;

/// What every Standard Webhooks secret begins with.
const WHSEC: &str = "whsec_";

/// Why a message cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignError {
    /// No secret at all.
    #[error("the endpoint has no secret")]
    NoSecret,
    /// A secret that is not `whsec_` and base64.
    #[error("a Standard Webhooks secret is whsec_ followed by base64")]
    BadSecret,
}

/// The finished parts of a request that a recipe may hash.
pub(super) struct Signable<'a> {
    pub(super) url: Option<&'a Url>,
    pub(super) form: &'a [(String, String)],
    pub(super) body: &'a [u8],
}

/// The hash of `message`; `key` counts for the keyed algorithms only.
pub(crate) fn digest(algorithm: Algorithm, key: &[u8], message: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Md5 => md5::Md5::digest(message).to_vec(),
        Algorithm::Sha1 => sha1::Sha1::digest(message).to_vec(),
        Algorithm::Sha256 => sha2::Sha256::digest(message).to_vec(),
        Algorithm::HmacMd5 => mac::<Hmac<md5::Md5>>(key, message),
        Algorithm::HmacSha1 => mac::<Hmac<sha1::Sha1>>(key, message),
        Algorithm::HmacSha256 => mac::<Hmac<sha2::Sha256>>(key, message),
    }
}

/// The value of `webhook-signature`: one `v1,<base64>` for each live secret, separated by spaces.
///
/// # Errors
///
/// No secret, or one that is not `whsec_` and base64. The prefix may be missing.
pub(crate) fn standard_webhooks(
    secrets: &[Secret],
    id: &str,
    timestamp_s: i64,
    body: &[u8],
) -> Result<String, SignError> {
    if secrets.is_empty() {
        return Err(SignError::NoSecret);
    }
    let mut message = format!("{id}.{timestamp_s}.").into_bytes();
    message.extend_from_slice(body);
    let signatures: Result<Vec<String>, SignError> = secrets
        .iter()
        .take(SECRETS_LIVE_MAX)
        .map(|secret| {
            let key = whsec(secret.expose())?;
            let hash = digest(Algorithm::HmacSha256, &key, &message);
            Ok(format!("v1,{}", BASE64.encode(&hash)))
        })
        .collect();
    signatures.map(|all| all.join(" "))
}

/// The signature that a recipe makes over a request.
pub(super) fn recipe(
    recipe: &SignatureRecipe,
    values: &Values<'_>,
    request: &Signable<'_>,
) -> Result<String, RenderError> {
    let mut message = Vec::new();
    for (at, part) in recipe.parts.iter().enumerate() {
        if at > 0 {
            message.extend_from_slice(recipe.joiner.as_bytes());
        }
        message.extend_from_slice(&bytes_of(part, values, request)?);
    }
    let key = if recipe.algorithm.keyed() { values.secret()? } else { "" };
    let hash = digest(recipe.algorithm, key.as_bytes(), &message);
    Ok(match recipe.encoding {
        Encoding::Hex => HEXLOWER.encode(&hash),
        Encoding::Base64 => BASE64.encode(&hash),
    })
}

fn bytes_of<'a>(
    part: &Part,
    values: &'a Values<'_>,
    request: &'a Signable<'_>,
) -> Result<Cow<'a, [u8]>, RenderError> {
    let owned = |text: String| Cow::Owned(text.into_bytes());
    Ok(match part {
        Part::Text(text) => owned(values.plain(text)?),
        Part::Secret => Cow::Borrowed(values.secret()?.as_bytes()),
        Part::AllParamsSorted { escaping, passes } => owned(sorted(request, *escaping, *passes)),
        Part::FullUrl => Cow::Borrowed(request.url.map_or("", Url::as_str).as_bytes()),
        Part::Body => Cow::Borrowed(request.body),
        Part::Timestamp => owned(values.attempt_s().to_string()),
    })
}

/// All parameters as `name=value&…` in the order of their names.
fn sorted(request: &Signable<'_>, escaping: Escaping, passes: u8) -> String {
    let query = request.url.into_iter().flat_map(Url::query_pairs);
    let form = request.form.iter().map(|(n, v)| (n.as_str().into(), v.as_str().into()));
    let mut all: Vec<(Cow<'_, str>, Cow<'_, str>)> = query.chain(form).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let pairs: Vec<String> = all
        .iter()
        .map(|(name, value)| {
            let mut value = value.to_string();
            for _ in 0..passes {
                value = escape(&value, escaping).into_owned();
            }
            format!("{}={value}", escape(name, escaping))
        })
        .collect();
    pairs.join("&")
}

fn whsec(secret: &str) -> Result<Vec<u8>, SignError> {
    let text = secret.strip_prefix(WHSEC).unwrap_or(secret);
    match BASE64.decode(text.as_bytes()) {
        Ok(key) if !key.is_empty() => Ok(key),
        _ => Err(SignError::BadSecret),
    }
}

/// HMAC takes keys of every length, so the empty answer never comes.
fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    <M as KeyInit>::new_from_slice(key)
        .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_webhooks_known_vector() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let one = standard_webhooks(std::slice::from_ref(&secret), id, 1_614_265_330, body);
        assert_eq!(one.as_deref(), Ok(signature));
        let older = Secret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let two = standard_webhooks(&[older, secret], id, 1_614_265_330, body).unwrap();
        let signatures: Vec<&str> = two.split(' ').collect();
        assert_eq!(signatures.len(), 2);
        assert_eq!(signatures[1], signature);
        assert_ne!(signatures[0], signature);
    }

    #[test]
    fn secrets_that_cannot_sign() {
        let table = [
            (vec![], SignError::NoSecret),
            (vec!["whsec_not base64!"], SignError::BadSecret),
            (vec!["whsec_"], SignError::BadSecret),
            (vec![""], SignError::BadSecret),
        ];
        for (secrets, error) in table {
            let secrets: Vec<Secret> = secrets.into_iter().map(Secret::new).collect();
            assert_eq!(standard_webhooks(&secrets, "id", 0, b""), Err(error));
        }
    }

    #[test]
    fn digests_are_those_of_the_world() {
        let fox = b"The quick brown fox jumps over the lazy dog";
        let table = [
            (Algorithm::Md5, "9e107d9d372bb6826bd81d3542a419d6"),
            (Algorithm::Sha1, "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"),
            (Algorithm::Sha256, "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"),
            (Algorithm::HmacMd5, "80070713463e7749b90c2dc24911e275"),
            (Algorithm::HmacSha1, "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"),
            (
                Algorithm::HmacSha256,
                "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8",
            ),
        ];
        for (algorithm, expected) in table {
            assert_eq!(HEXLOWER.encode(&digest(algorithm, b"key", fox)), expected);
        }
        let long_key = [7; 200];
        assert_eq!(digest(Algorithm::HmacSha256, &long_key, fox).len(), 32);
    }
}
