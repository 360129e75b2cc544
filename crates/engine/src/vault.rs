//! Sealed tokens: click ids, sessions and secrets at rest.
//!
//! A token is its content under authenticated encryption (AES-256-GCM-SIV), so it cannot be read,
//! altered or invented, and it needs no look-up: a click id carries the key of its user. The cipher
//! is the misuse-resistant one and the nonce is fixed, so equal contents give equal tokens; that is
//! wanted, since the same run must have the same click id for ever (ADR 0005).

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use domain::ids::{AppId, MissionId, Mode, UnitId, UserKey};
use domain::secret::{SEALED_PREFIX, Secret, VARIABLE_PREFIX};
use domain::time::{SECOND_MS, Timestamp};

use crate::SecretOwner;

const NONCE: [u8; 12] = *b"guerdon v1\0\0";
const FORMAT: u8 = 1;

/// 32 bytes from which everything sealed is sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// Wraps the bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Why something sealed could not be opened.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was not sealed with any of our keys, or was altered.
    #[error("the token was not issued here or was altered")]
    Forged,
    /// A secret that was not sealed for this row with any of our keys, or was altered.
    #[error("it was sealed for another row or with another master key; give the plain secret")]
    ForeignSecret,
    /// It names an environment variable that is not for secrets; it is not read.
    #[error("the environment variable {0} is not read: its name must begin with {VARIABLE_PREFIX}")]
    ForbiddenVariable(String),
    /// It names an environment variable that is not set.
    #[error("the environment variable {0} is not set")]
    NoSuchVariable(String),
}

/// What a click id says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClickId {
    /// Whose click.
    pub user: UserKey,
    /// On which mission.
    pub mission: MissionId,
    /// The version whose terms are locked.
    pub version: u32,
    /// When.
    pub at: Timestamp,
}

/// What a session token says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    /// Whose page.
    pub user: UserKey,
    /// In which app.
    pub app: AppId,
    /// In which placement.
    pub unit: UnitId,
    /// Whether the money is real.
    pub mode: Mode,
    /// When it ends.
    pub expires_at: Timestamp,
    /// From when the user's sessions counted as it was opened; a later moment in
    /// [`domain::user::UserState::sessions_since`] has ended it.
    pub since: Option<Timestamp>,
}

/// Seals and opens. Several keys may open; the first one seals.
pub struct Vault {
    ciphers: Vec<Aes256GcmSiv>,
    derived: [u8; 32],
}

impl Vault {
    /// A vault with the key that seals and older keys that still open.
    #[must_use]
    pub fn new(current: &MasterKey, older: &[MasterKey]) -> Self {
        let cipher = |key: &MasterKey| Aes256GcmSiv::new(&key.0.into());
        let ciphers = std::iter::once(current).chain(older).map(cipher).collect();
        Self { ciphers, derived: blake3::derive_key("guerdon derived key 1", &current.0) }
    }

    /// A key for another purpose, derived from the master key.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        *blake3::keyed_hash(&self.derived, purpose.as_bytes()).as_bytes()
    }

    /// Seals a click id: about 60 characters, safe in an address.
    #[must_use]
    pub fn seal_click(&self, click: &ClickId) -> String {
        let mut content = Vec::with_capacity(32);
        content.extend(click.user.0);
        content.extend(click.mission.0.to_be_bytes());
        content.extend(click.version.to_be_bytes());
        content.extend(&(click.at.0 / SECOND_MS).to_be_bytes()[3..]);
        self.seal("click", &content)
    }

    /// Opens a click id.
    ///
    /// # Errors
    /// [`SealError::Forged`] for anything that was not sealed as one here.
    pub fn open_click(&self, token: &str) -> Result<ClickId, SealError> {
        let content = self.open("click", token)?;
        let mut rest = Reader(&content);
        Ok(ClickId {
            user: UserKey(rest.take()?),
            mission: MissionId(u32::from_be_bytes(rest.take()?)),
            version: u32::from_be_bytes(rest.take()?),
            at: rest.seconds()?,
        })
    }

    /// Seals a session token. The moment from which sessions count stands in it to the millisecond, and
    /// only if there is one: most users have none.
    #[must_use]
    pub fn seal_session(&self, session: &Session) -> String {
        let mut content = Vec::with_capacity(40);
        content.extend(session.user.0);
        content.extend(session.app.0.to_be_bytes());
        content.extend(session.unit.0.to_be_bytes());
        content.push(u8::from(session.mode == Mode::Test));
        content.extend(&(session.expires_at.0 / SECOND_MS).to_be_bytes()[3..]);
        content.extend(session.since.iter().flat_map(|since| since.0.to_be_bytes()));
        self.seal("session", &content)
    }

    /// Opens a session token; whether it has expired or was ended is for the caller to see.
    ///
    /// # Errors
    /// [`SealError::Forged`] for anything that was not sealed as one here.
    pub fn open_session(&self, token: &str) -> Result<Session, SealError> {
        let content = self.open("session", token)?;
        let mut rest = Reader(&content);
        Ok(Session {
            user: UserKey(rest.take()?),
            app: AppId(u32::from_be_bytes(rest.take()?)),
            unit: UnitId(u32::from_be_bytes(rest.take()?)),
            mode: if rest.take::<1>()? == [1] { Mode::Test } else { Mode::Live },
            expires_at: rest.seconds()?,
            since: rest.moment_if_any()?,
        })
    }

    /// Seals a secret for its owner; one that is sealed or a reference stays as it is.
    #[must_use]
    pub fn seal_secret(&self, secret: &Secret, owner: SecretOwner) -> Secret {
        if !secret.is_plain() {
            return secret.clone();
        }
        let sealed = self.seal(&owner.purpose(), secret.expose().as_bytes());
        Secret::new(format!("{SEALED_PREFIX}{sealed}"))
    }

    /// The plain form of a catalogue's secret. Variables that are not for secrets are never read:
    /// whoever may edit the catalogue could have them sent to himself.
    ///
    /// # Errors
    /// If it was sealed elsewhere or for another owner, or names a variable that is not for secrets
    /// or not set.
    pub fn open_secret(&self, secret: &Secret, owner: SecretOwner) -> Result<Secret, SealError> {
        if let Some(name) = secret.variable() {
            if !name.starts_with(VARIABLE_PREFIX) {
                return Err(SealError::ForbiddenVariable(name.to_owned()));
            }
            let value = std::env::var(name);
            return value.map(Secret::new).map_err(|_| SealError::NoSuchVariable(name.to_owned()));
        }
        let Some(token) = secret.expose().strip_prefix(SEALED_PREFIX) else {
            return Ok(secret.clone());
        };
        let plain = self.open(&owner.purpose(), token).map_err(|_| SealError::ForeignSecret)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| SealError::ForeignSecret)
    }

    fn seal(&self, purpose: &str, content: &[u8]) -> String {
        let payload = Payload { msg: content, aad: purpose.as_bytes() };
        // Encryption fails only beyond 64 GiB of content; an empty token opens nowhere.
        let sealed = self.ciphers[0].encrypt(&Nonce::from(NONCE), payload).unwrap_or_default();
        let mut token = Vec::with_capacity(sealed.len() + 1);
        token.push(FORMAT);
        token.extend(sealed);
        BASE64URL_NOPAD.encode(&token)
    }

    fn open(&self, purpose: &str, token: &str) -> Result<Vec<u8>, SealError> {
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| SealError::Forged)?;
        let sealed = bytes.strip_prefix(&[FORMAT]).ok_or(SealError::Forged)?;
        let payload = || Payload { msg: sealed, aad: purpose.as_bytes() };
        let nonce = Nonce::from(NONCE);
        let opened = self.ciphers.iter().find_map(|key| key.decrypt(&nonce, payload()).ok());
        opened.ok_or(SealError::Forged)
    }
}

/// Takes fixed-size parts off the front of a token's content.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], SealError> {
        let (part, rest) = self.0.split_first_chunk::<N>().ok_or(SealError::Forged)?;
        self.0 = rest;
        Ok(*part)
    }

    fn seconds(&mut self) -> Result<Timestamp, SealError> {
        let five: [u8; 5] = self.take()?;
        let mut eight = [0; 8];
        eight[3..].copy_from_slice(&five);
        Ok(Timestamp(i64::from_be_bytes(eight) * SECOND_MS))
    }

    /// A moment to the millisecond, if anything is left.
    fn moment_if_any(&mut self) -> Result<Option<Timestamp>, SealError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        Ok(Some(Timestamp(i64::from_be_bytes(self.take()?))))
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::PartnerId;

    use super::*;

    fn vault(byte: u8) -> Vault {
        Vault::new(&MasterKey::new([byte; 32]), &[])
    }

    fn click() -> ClickId {
        ClickId {
            user: UserKey([7; 16]),
            mission: MissionId(42),
            version: 3,
            at: Timestamp(1_764_000_000_000),
        }
    }

    #[test]
    fn a_click_id_opens_to_what_was_sealed_and_stays_short() {
        let token = vault(1).seal_click(&click());
        assert_eq!(vault(1).open_click(&token), Ok(click()));
        assert_eq!(token, vault(1).seal_click(&click()));
        assert!(token.len() <= 64, "{} characters", token.len());
    }

    #[test]
    fn every_altered_character_is_noticed() {
        let token = vault(1).seal_click(&click());
        for place in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(vault(1).open_click(&altered), Err(SealError::Forged), "{place}");
        }
    }

    fn session(since: Option<Timestamp>) -> Session {
        Session {
            user: UserKey([7; 16]),
            app: AppId(1),
            unit: UnitId(2),
            mode: Mode::Test,
            expires_at: Timestamp(1_764_000_000_000),
            since,
        }
    }

    #[test]
    fn a_session_opens_to_what_was_sealed() {
        for since in [None, Some(Timestamp(0)), Some(Timestamp(1_763_999_999_999))] {
            let token = vault(1).seal_session(&session(since));
            assert_eq!(vault(1).open_session(&token), Ok(session(since)));
        }
    }

    /// Sealed before sessions could be ended.
    const OLD_SESSION: &str = "AfNVybuyUvzATyW93nJEHhVjlnaZ1TLv_6MWVqLd7dZkiPJ-MGpTZL7djWcFZoE";

    #[test]
    fn a_session_of_a_user_whose_sessions_were_never_ended_is_sealed_as_ever() {
        assert_eq!(vault(1).open_session(OLD_SESSION), Ok(session(None)));
        assert_eq!(vault(1).seal_session(&session(None)), OLD_SESSION);
    }

    #[test]
    fn tokens_of_another_purpose_or_key_do_not_open() {
        let token = vault(1).seal_click(&click());
        assert!(vault(1).open_session(&token).is_err());
        assert!(vault(2).open_click(&token).is_err());
        let rotated = Vault::new(&MasterKey::new([2; 32]), &[MasterKey::new([1; 32])]);
        assert!(rotated.open_click(&token).is_ok());
        for junk in ["", "AQ", "not base64 !", "AAAA"] {
            assert!(vault(1).open_click(junk).is_err(), "{junk}");
        }
    }

    #[test]
    fn secrets_are_sealed_once_and_open_again_for_their_owner_only() {
        let owners = [
            SecretOwner::App(AppId(1), Mode::Live),
            SecretOwner::App(AppId(1), Mode::Test),
            SecretOwner::App(AppId(11), Mode::Live),
            SecretOwner::Partner(PartnerId(1)),
        ];
        let (vault, plain) = (vault(1), Secret::new("whsec_abc"));
        for owner in owners {
            let sealed = vault.seal_secret(&plain, owner);
            assert!(sealed.expose().starts_with(SEALED_PREFIX));
            for reader in owners {
                assert_eq!(vault.seal_secret(&sealed, reader), sealed);
                let expected =
                    if reader == owner { Ok(plain.clone()) } else { Err(SealError::ForeignSecret) };
                assert_eq!(vault.open_secret(&sealed, reader), expected, "{owner:?} {reader:?}");
            }
            let other = Vault::new(&MasterKey::new([2; 32]), &[]).open_secret(&sealed, owner);
            assert_eq!(other, Err(SealError::ForeignSecret));
        }
    }

    #[test]
    fn only_variables_for_secrets_are_read() {
        let open = |text: &str| {
            vault(1).open_secret(&Secret::new(text), SecretOwner::Partner(PartnerId(1)))
        };
        let missing = "GUERDON_SECRET_NO_SUCH_VARIABLE".to_owned();
        let error = open(&format!("env:{missing}"));
        assert_eq!(error, Err(SealError::NoSuchVariable(missing)));
        // PATH is set wherever a test runs, so it is the name that is refused.
        assert!(std::env::var_os("PATH").is_some());
        assert_eq!(open("env:PATH"), Err(SealError::ForbiddenVariable("PATH".to_owned())));
    }
}
