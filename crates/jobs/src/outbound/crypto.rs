//! AES-CBC with PKCS7 padding, for the one dialect that encrypts its fields.
//!
//! CBC proves nothing about who wrote the text: the dialects that use it sign as well, or rely on TLS.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeEncrypt, KeyIvInit};
use std::fmt;

/// Bytes of an IV.
const IV_BYTES: usize = 16;

/// Key and IV of an endpoint. The length of the key selects AES-128 or AES-256.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CipherKey {
    key: Key,
    iv: [u8; IV_BYTES],
}

#[derive(Clone, PartialEq, Eq)]
enum Key {
    Aes128([u8; 16]),
    Aes256([u8; 32]),
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CryptoError {
    /// The key has another length.
    #[error("an encryption key has 16 or 32 bytes")]
    KeyLength,
    /// The IV has another length.
    #[error("an IV has 16 bytes")]
    IvLength,
}

impl CipherKey {
    /// Takes key (16 or 32 bytes) and IV (16 bytes).
    ///
    /// # Errors
    ///
    /// Another length of either.
    pub(crate) fn try_new(key: &[u8], iv: &[u8]) -> Result<Self, CryptoError> {
        let iv = iv.try_into().map_err(|_| CryptoError::IvLength)?;
        let key = match key.len() {
            16 => Key::Aes128(key.try_into().map_err(|_| CryptoError::KeyLength)?),
            32 => Key::Aes256(key.try_into().map_err(|_| CryptoError::KeyLength)?),
            _ => return Err(CryptoError::KeyLength),
        };
        Ok(CipherKey { key, iv })
    }

    /// Encrypts; the same text gives the same bytes.
    pub(crate) fn encrypt(&self, text: &[u8]) -> Vec<u8> {
        let iv = &self.iv.into();
        match self.key {
            Key::Aes128(key) => cbc::Encryptor::<aes::Aes128>::new(&key.into(), iv)
                .encrypt_padded_vec::<Pkcs7>(text),
            Key::Aes256(key) => cbc::Encryptor::<aes::Aes256>::new(&key.into(), iv)
                .encrypt_padded_vec::<Pkcs7>(text),
        }
    }
}

/// Shows nothing of the key.
impl fmt::Debug for CipherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CipherKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn known_vectors_of_both_lengths() {
        // NIST SP 800-38A, F.2.1 and F.2.5, first block; the second block is padding.
        let table = [
            ("2b7e151628aed2a6abf7158809cf4f3c", "7649abac8119b246cee98e9b12e9197d"),
            (
                "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
                "f58c4c04d6e5f1ba779eabfb5f7bfbd6",
            ),
        ];
        let iv = HEXLOWER.decode(b"000102030405060708090a0b0c0d0e0f").unwrap();
        let text = HEXLOWER.decode(b"6bc1bee22e409f96e93d7e117393172a").unwrap();
        for (key, first_block) in table {
            let key = CipherKey::try_new(&HEXLOWER.decode(key.as_bytes()).unwrap(), &iv).unwrap();
            let sealed = key.encrypt(&text);
            assert_eq!(HEXLOWER.encode(&sealed[..16]), first_block);
            assert_eq!(sealed.len(), 32);
        }
    }

    #[test]
    fn lengths_are_checked_and_keys_hidden() {
        assert_eq!(CipherKey::try_new(&[0; 24], &[0; 16]), Err(CryptoError::KeyLength));
        assert_eq!(CipherKey::try_new(&[0; 16], &[0; 12]), Err(CryptoError::IvLength));
        let key = CipherKey::try_new(b"12341234asdfasdf", b"12341234asdfasdf").unwrap();
        assert!(!format!("{key:?}").contains("1234"));
    }
}
