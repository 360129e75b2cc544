//! Whether a postback is signed by its partner (I4).
//!
//! A connection that has a secret takes nothing unsigned, whatever its recipe says, so that leaving the
//! signature away is no way around it. The recipe alone chooses the algorithm; the postback cannot.
//! Any of the live secrets will do, so that a secret can be changed without a gap. All of them are
//! tried and compared in constant time, so the time of an answer tells nothing.
//!
//! The time of a signature is not looked at: a postback that is sent again is a duplicate by its key.

use data_encoding::HEXLOWER_PERMISSIVE;
use domain::recipe::read::{Fields, is_null};
use domain::recipe::{Recipe, Signature, SignatureAlgorithm, SignaturePlace, SignedContent};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// What a postback's signature is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignatureVerdict {
    /// The connection asks for none.
    NotRequired,
    /// It is the partner's.
    Valid,
    /// One is required, and there is none; or the recipe does not say where it would be.
    Missing,
    /// It is not the partner's, or belongs to another content or to a secret that has gone.
    Wrong,
    /// It cannot be a signature: not hex, of the wrong length, given twice; or the content could be
    /// read in two ways.
    Malformed,
}

/// Checks the signature of a postback.
///
/// `header` finds a header by its name, `body` is the body to the byte. Secrets that are empty verify
/// nothing, and yet require a signature: an empty key is one that anybody has.
pub(crate) fn verify(
    recipe: &Recipe,
    secrets: &[&str],
    fields: &Fields,
    header: impl Fn(&str) -> Option<String>,
    body: &[u8],
) -> SignatureVerdict {
    let is_asked_for = recipe.signature.as_ref().is_some_and(|signature| signature.required);
    if !is_asked_for && secrets.is_empty() {
        return SignatureVerdict::NotRequired;
    }
    let Some(signature) = &recipe.signature else {
        return SignatureVerdict::Missing;
    };
    let given = match given(signature, fields, header) {
        Ok(given) => given,
        Err(verdict) => return verdict,
    };
    let Some(content) = content(signature, fields, body) else {
        return SignatureVerdict::Malformed;
    };
    let is_valid = secrets.iter().filter(|secret| !secret.is_empty()).fold(
        Choice::from(0),
        |is_valid, secret| {
            is_valid | sign(signature.algorithm, secret.as_bytes(), &content).ct_eq(&given)
        },
    );
    if is_valid.into() { SignatureVerdict::Valid } else { SignatureVerdict::Wrong }
}

/// The bytes of the signature that came with the postback.
fn given(
    signature: &Signature,
    fields: &Fields,
    header: impl Fn(&str) -> Option<String>,
) -> Result<Vec<u8>, SignatureVerdict> {
    let text = match &signature.place {
        SignaturePlace::Field(name) if fields.is_contradictory(name) => {
            return Err(SignatureVerdict::Malformed);
        }
        SignaturePlace::Field(name) => fields.get(name).map(str::to_owned),
        SignaturePlace::Header(name) => header(name),
    };
    let text = text.filter(|text| !is_null(text)).ok_or(SignatureVerdict::Missing)?;
    // The length comes first, so that nobody makes us decode a novel.
    if text.len() != 2 * bytes_of(signature.algorithm) {
        return Err(SignatureVerdict::Malformed);
    }
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| SignatureVerdict::Malformed)
}

/// Length of a signature in bytes.
fn bytes_of(algorithm: SignatureAlgorithm) -> usize {
    match algorithm {
        SignatureAlgorithm::HmacSha256 | SignatureAlgorithm::Sha256 => 32,
        SignatureAlgorithm::HmacSha1 | SignatureAlgorithm::Sha1 => 20,
        SignatureAlgorithm::HmacMd5 | SignatureAlgorithm::Md5 => 16,
    }
}

/// What is signed; `None` if its signature would not say what it vouches for.
fn content(signature: &Signature, fields: &Fields, body: &[u8]) -> Option<Vec<u8>> {
    match &signature.content {
        SignedContent::SortedFields => sorted(signature, fields),
        SignedContent::Fields(names, joiner) => {
            let values: Vec<&str> =
                names.iter().map(|name| fields.get(name).unwrap_or_default()).collect();
            Some(values.join(joiner).into_bytes())
        }
        // The signature of an empty body is the same for every postback without one.
        SignedContent::Body => (!body.is_empty()).then(|| body.to_vec()),
    }
}

fn sorted(signature: &Signature, fields: &Fields) -> Option<Vec<u8>> {
    let is_signature =
        |name: &str| matches!(&signature.place, SignaturePlace::Field(own) if own == name);
    let mut pairs: Vec<_> = fields.iter().filter(|(name, _)| !is_signature(name)).collect();
    if pairs.iter().any(|&(name, value)| is_ambiguous(name, value)) {
        return None;
    }
    // Fields of one name keep the order in which they came.
    pairs.sort_by_key(|&(name, _)| name);
    let parts: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Some(parts.join("&").into_bytes())
}

/// Whether a field could be taken for two, or two for one: `id` of `1&time=2` reads as `id` of `1` and
/// `time` of `2`, and whoever saw the one could send the other under the same signature.
fn is_ambiguous(name: &str, value: &str) -> bool {
    let has_second_field = value.split_once('&').is_some_and(|(_, rest)| rest.contains('='));
    name.contains(['&', '=']) || has_second_field
}

fn sign(algorithm: SignatureAlgorithm, key: &[u8], content: &[u8]) -> Vec<u8> {
    match algorithm {
        SignatureAlgorithm::HmacSha256 => keyed::<Hmac<Sha256>>(key, content),
        SignatureAlgorithm::HmacSha1 => keyed::<Hmac<Sha1>>(key, content),
        SignatureAlgorithm::HmacMd5 => keyed::<Hmac<Md5>>(key, content),
        SignatureAlgorithm::Sha256 => plain::<Sha256>(key, content),
        SignatureAlgorithm::Sha1 => plain::<Sha1>(key, content),
        SignatureAlgorithm::Md5 => plain::<Md5>(key, content),
    }
}

/// An HMAC takes keys of any length; should that ever fail, the empty result matches nothing.
fn keyed<M: Mac + KeyInit>(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(key);
    mac.map_or_else(
        |_| Vec::new(),
        |mac| mac.chain_update(content).finalize().into_bytes().to_vec(),
    )
}

fn plain<D: Digest>(key: &[u8], content: &[u8]) -> Vec<u8> {
    D::new().chain_update(content).chain_update(key).finalize().to_vec()
}

#[cfg(test)]
mod tests;
