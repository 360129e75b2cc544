//! Proof that a form was made by our own page.
//!
//! The token is a keyed hash of the session's nonce, so no table is needed and every page of one
//! session carries the same token. It guarantees that a form posted with somebody's cookie was
//! rendered for that very session. It does not make a request happen once: that is the idempotency
//! key of [`crate::form`].

use subtle::ConstantTimeEq;

/// Length of the server's key.
pub const CSRF_KEY_BYTES: usize = 32;

/// Length of a token: 32 bytes in hexadecimal.
const TOKEN_CHARS: usize = 64;

/// Keeps these hashes apart from every other use of the same key.
const CONTEXT: &[u8] = b"guerdon mission page form v1\0";

/// The token for forms of the session with this nonce.
pub fn token(key: &[u8; CSRF_KEY_BYTES], session_nonce: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(CONTEXT);
    hasher.update(session_nonce);
    hasher.finalize().to_hex().to_string()
}

/// Whether a posted token belongs to the session. Takes the same time for every wrong token of the
/// right length.
pub fn verify(key: &[u8; CSRF_KEY_BYTES], session_nonce: &[u8], posted: &str) -> bool {
    if posted.len() != TOKEN_CHARS {
        return false;
    }
    let expected = token(key, session_nonce);
    expected.as_bytes().ct_eq(posted.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; CSRF_KEY_BYTES] = [7; CSRF_KEY_BYTES];

    #[test]
    fn own_token_is_accepted() {
        let made = token(&KEY, b"nonce-1");
        assert_eq!(made.len(), TOKEN_CHARS);
        assert!(verify(&KEY, b"nonce-1", &made));
    }

    #[test]
    fn everything_else_is_refused() {
        let made = token(&KEY, b"nonce-1");
        let other_key = [8; CSRF_KEY_BYTES];
        let flipped = made.replace(|c: char| c == made.chars().next().unwrap_or('0'), "x");
        assert!(!verify(&KEY, b"nonce-2", &made));
        assert!(!verify(&other_key, b"nonce-1", &made));
        assert!(!verify(&KEY, b"nonce-1", &flipped));
        assert!(!verify(&KEY, b"nonce-1", &made.to_uppercase()));
        for posted in ["", "0", &made[1..], &format!("{made}0")] {
            assert!(!verify(&KEY, b"nonce-1", posted));
        }
    }
}
