//! A user with his version and chain in binary, as a cache keeps him for seconds (format version 1).
//!
//! A cache is never read by a program of another age for long, but it is for a moment while nodes are
//! upgraded one by one: what cannot be read is loaded from the store.

use domain::change::Loaded;
use domain::journal::Chain;

use crate::state::{decode_state, encode_state};

const VERSION: u8 = 1;

/// The version, the user's version, the chain.
const HEAD_BYTES: usize = 1 + 8 + size_of::<Chain>();

/// The bytes of a user as a store holds him.
#[must_use]
pub fn encode_loaded(loaded: &Loaded) -> Vec<u8> {
    let state = encode_state(&loaded.state);
    let mut bytes = Vec::with_capacity(HEAD_BYTES + state.len());
    bytes.push(VERSION);
    bytes.extend(loaded.version.to_le_bytes());
    bytes.extend(loaded.chain.0);
    bytes.extend(state);
    bytes
}

/// The user of these bytes; `None` if they are damaged or another program's.
#[must_use]
pub fn decode_loaded(bytes: &[u8]) -> Option<Loaded> {
    let (head, state) = bytes.split_at_checked(HEAD_BYTES)?;
    let (format, head) = head.split_first()?;
    let (version, chain) = head.split_first_chunk()?;
    if *format != VERSION {
        return None;
    }
    Some(Loaded {
        version: u64::from_le_bytes(*version),
        chain: Chain(chain.try_into().ok()?),
        state: decode_state(state).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary;

    proptest! {
        #[test]
        fn what_is_written_is_read(state in arbitrary::user_state(), version: u64, chain: [u8; 16]) {
            let loaded = Loaded { version, chain: Chain(chain), state };
            prop_assert_eq!(decode_loaded(&encode_loaded(&loaded)), Some(loaded));
        }
    }

    #[test]
    fn what_is_cut_or_foreign_is_nobody() {
        let bytes = encode_loaded(&Loaded::default());
        assert_eq!(decode_loaded(&bytes), Some(Loaded::default()));
        for end in 0..bytes.len() {
            assert_eq!(decode_loaded(&bytes[..end]), None, "{end}");
        }
        let foreign = [&[VERSION + 1], &bytes[1..]].concat();
        assert_eq!(decode_loaded(&foreign), None);
    }
}
