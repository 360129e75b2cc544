//! Comparing both ends: every record with its place and chain, every user by a digest of all that is
//! known of him, every delivery.
//!
//! The old store goes on changing meanwhile. So a user who was found equal counts until he is touched
//! again; from then on he is one of those who are compared once more, the last of them in the pause.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::UserKey;
use store::UserRow;

use super::lane::{Pair, Records, Users, Walk};
use super::rest::NAMED_MAX;
use super::{DIFFERENCES_MAX, MoveError, Run, Step};

/// How often users who differ are copied again before that counts as a fault. One who changes at
/// that very moment differs without a fault.
const TRIES_MAX: u32 = 5;

/// Digests of users, one on the other: whoever is added twice is taken out again.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Print {
    sum: [u8; 32],
    users: u64,
}

impl Print {
    fn add(&mut self, digest: &[u8; 32]) {
        self.mix(digest);
        self.users += 1;
    }

    fn take_out(&mut self, digest: &[u8; 32]) {
        self.mix(digest);
        self.users = self.users.saturating_sub(1);
    }

    fn mix(&mut self, digest: &[u8; 32]) {
        self.sum.iter_mut().zip(digest).for_each(|(sum, byte)| *sum ^= byte);
    }
}

/// What was found at each end.
#[derive(Default)]
pub(super) struct Prints {
    from: Print,
    to: Print,
    /// Users who are not in the prints, and are to be compared.
    open: BTreeSet<UserKey>,
}

impl Run<'_> {
    /// Compares everything, and leaves to the pause what has changed meanwhile.
    pub(super) async fn compare(&mut self) -> Result<(), MoveError> {
        self.compare_records().await?;
        self.prints = Some(Prints::default());
        self.walk_users(Step::CompareUsers).await?;
        self.settle_users().await?;
        self.walk_deliveries(Step::CompareDeliveries).await
    }

    /// Every record, to the newest that was copied.
    pub(super) async fn compare_records(&mut self) -> Result<(), MoveError> {
        let (end, mut at) = (self.head, 0);
        let mut differences = Vec::new();
        let mut walk = Walk::<Records>::new(self.from, self.to, None);
        while at < end && differences.len() < DIFFERENCES_MAX {
            let Some(pair) = walk.next().await? else { break };
            at = pair.last().unwrap_or(end);
            let differing = pair.differing().into_iter().chain(pair.extra.iter().cloned());
            let places = differing.map(|one| one.seq).filter(|seq| *seq <= end);
            differences.extend(places.map(|seq| format!("record {seq}")));
            for (record, _) in &pair.both {
                self.note_endpoints(std::slice::from_ref(record));
            }
            self.tell(Step::CompareRecords, at, at as f64 / end.max(1) as f64);
        }
        if differences.is_empty() { Ok(()) } else { Err(MoveError::Differs(differences)) }
    }

    /// The users of a page who differ; the others are found equal.
    pub(super) fn differing_users(&mut self, pair: &Pair<Users>) -> Vec<UserRow> {
        let mut differing = pair.missing.clone();
        for (row, other) in &pair.both {
            let digests = (self.digest(row), self.digest(other));
            match &mut self.prints {
                _ if digests.0 != digests.1 => differing.push(row.clone()),
                Some(prints) => prints.found_equal(&digests.0, &digests.1),
                None => {}
            }
        }
        if let Some(prints) = &mut self.prints {
            prints.open.extend(differing.iter().map(|row| row.key));
        }
        differing
    }

    /// Users who differed and were written again must be equal now, but for those who are changing at
    /// this moment.
    async fn settle_users(&mut self) -> Result<(), MoveError> {
        for _ in 0..TRIES_MAX {
            self.copy_rest().await?;
            self.compare_open_users().await?;
        }
        let open = self.open_users();
        if open.len() < NAMED_MAX {
            return Ok(());
        }
        Err(MoveError::Differs(open.into_iter().take(DIFFERENCES_MAX).collect()))
    }

    /// Compares the users who were touched since they were found equal, so that few are left to the
    /// pause.
    pub(super) async fn compare_open_users(&mut self) -> Result<(), MoveError> {
        let Some(prints) = &mut self.prints else { return Ok(()) };
        let open: Vec<UserKey> = std::mem::take(&mut prints.open).into_iter().collect();
        for keys in open.chunks(NAMED_MAX) {
            let (rows, others) = (self.from.users_of(keys).await?, self.to.users_of(keys).await?);
            let digests = |rows: &[UserRow]| -> BTreeMap<UserKey, [u8; 32]> {
                rows.iter().map(|row| (row.key, self.digest(row))).collect()
            };
            let (from, to) = (digests(&rows), digests(&others));
            let Some(prints) = &mut self.prints else { return Ok(()) };
            for key in keys {
                match (from.get(key), to.get(key)) {
                    (Some(one), Some(other)) if one == other => prints.found_equal(one, other),
                    (None, None) => {}
                    _ => drop(prints.open.insert(*key)),
                }
            }
        }
        Ok(())
    }

    /// Users who are not found equal, by name.
    fn open_users(&self) -> Vec<String> {
        let open = self.prints.iter().flat_map(|prints| &prints.open);
        open.map(|key| format!("user {key}")).collect()
    }

    /// Takes users out of what was found equal, because they are written again.
    pub(super) async fn take_out(&mut self, keys: &[UserKey]) -> Result<(), MoveError> {
        if self.prints.is_none() {
            return Ok(());
        }
        // What the new store holds is what was found equal.
        let found = self.to.users_of(keys).await?;
        let digests: Vec<_> = found.iter().map(|row| (row.key, self.digest(row))).collect();
        let Some(prints) = &mut self.prints else { return Ok(()) };
        for (key, digest) in digests {
            if !prints.open.contains(&key) {
                prints.from.take_out(&digest);
                prints.to.take_out(&digest);
            }
        }
        prints.open.extend(keys);
        Ok(())
    }

    /// Compares the users who are left, and then what was found at each end.
    pub(super) async fn compare_last_users(&mut self) -> Result<(), MoveError> {
        self.compare_open_users().await?;
        let mut differences = self.open_users();
        differences.truncate(DIFFERENCES_MAX);
        let prints = self.prints.take().unwrap_or_default();
        if prints.from != prints.to {
            differences.push("the digests of all users".to_owned());
        }
        if !differences.is_empty() {
            return Err(MoveError::Differs(differences));
        }
        self.report.users = prints.to.users;
        self.report.fingerprint = prints.to.sum;
        Ok(())
    }

    /// One digest of all that is known of a user.
    fn digest(&self, row: &UserRow) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&row.key.0);
        hasher.update(&row.loaded.version.to_be_bytes());
        hasher.update(&row.loaded.chain.0);
        hasher.update(&row.latest.0);
        hasher.update(&(self.encode)(&row.loaded.state));
        hasher.finalize().into()
    }
}

impl Prints {
    fn found_equal(&mut self, from: &[u8; 32], to: &[u8; 32]) {
        self.from.add(from);
        self.to.add(to);
    }
}
