//! `Users`: one query, and one unit of a lane's group.
//!
//! | verb | requests |
//! |---|---|
//! | `load` | 1 query |
//! | `commit` | a share of the lane's transaction |
//! | `ledger` | 1 query; a merge, if a record is new; 1 more to find where a page begins |
//! | `due` | 1 query of the index a shard |
//! | `find` | 1 query |
//! | `scan` | 1 query of the directory a digit that it reaches, and the users in batches |

use async_trait::async_trait;
use domain::change::{Change, Loaded};
use domain::ids::{UserKey, UserPrefix};
use domain::time::Timestamp;
use futures_util::future::try_join_all;
use moka::sync::Cache;
use store::{LedgerPage, Outcome, Seq, StoreError, Users};

use crate::DynamoStore;
use crate::base::Base;
use crate::client::{Pauses, Query};
use crate::error::Failed;
use crate::group::{spot_of, stored_from_item};
use crate::keys::{self, FIRST, INDEX_SK, LAST, SK, Spot};
use crate::requests::Request;
use crate::state::{Hot, Part, assemble};
use crate::value::{Item, Read as _};
use crate::work::{Answer, Commit, Work};

/// Users whose cold parts are remembered, so that a change does not write them again. Only users with
/// very many runs have any.
const PARTS_MAX: u64 = 10_000;
/// Users whose states are read at once.
const USERS_AT_ONCE: usize = 100;

/// What stands in the table of users with more than one item, and at which version.
#[derive(Debug)]
pub(crate) struct KnownParts(Cache<UserKey, (u64, Vec<Part>)>);

impl Default for KnownParts {
    fn default() -> Self {
        Self(Cache::new(PARTS_MAX))
    }
}

impl KnownParts {
    fn take_in(&self, user: UserKey, hot: &Hot) {
        if !hot.parts.is_empty() {
            self.0.insert(user, (hot.version, hot.parts.clone()));
        }
    }

    /// A move writes the user as he is, whatever stood there.
    pub(crate) fn forget(&self, user: &UserKey) {
        self.0.invalidate(user);
    }

    /// The parts of a user at that version; none if they are not known.
    fn at(&self, user: &UserKey, version: u64) -> Vec<Part> {
        let known = self.0.get(user).filter(|(known, _)| *known == version);
        known.map(|(_, parts)| parts).unwrap_or_default()
    }
}

impl Base {
    /// One user with what his hot item says; `None` if he was never seen.
    pub(crate) async fn load_user(&self, user: UserKey) -> Result<Option<(Hot, Loaded)>, Failed> {
        let prefix = keys::states_of(&user);
        let query = Query::of(keys::user_partition(user.prefix())).beginning(&prefix);
        let mut pauses = Pauses::begin();
        loop {
            let items = self.db.query(Request::LoadUser, &query).await?;
            if items.is_empty() {
                return Ok(None);
            }
            if let Some(found) = assemble(&items, &prefix)? {
                return Ok(Some(found));
            }
            let torn = || Failed::Busy("a user's items changed whenever they were read".to_owned());
            pauses.pause_or(torn).await?;
        }
    }

    /// These users, in any order; one who was never seen is left out.
    pub(crate) async fn load_users(
        &self,
        users: &[UserKey],
    ) -> Result<Vec<(UserKey, Hot, Loaded)>, Failed> {
        let hot: Vec<_> = users.iter().map(|user| keys::state(user, 0)).collect();
        let found = self.db.batch_get(Request::ReadUsers, &hot, true).await?;
        let load = users.iter().zip(found).filter_map(|(user, item)| Some((*user, item?)));
        let load = load.map(|(user, item)| async move {
            let is_one_item = Hot::from_item(&item)?.parts.is_empty();
            let found = if is_one_item {
                assemble(&[item], &keys::states_of(&user))?
            } else {
                self.load_user(user).await?
            };
            Ok::<_, Failed>(found.map(|(hot, loaded)| (user, hot, loaded)))
        });
        Ok(try_join_all(load).await?.into_iter().flatten().collect())
    }

    /// Keys of users in order, after one of them.
    pub(crate) async fn list_users(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<UserKey>, Failed> {
        let mut found = Vec::new();
        let from = after.map_or(0, |user| user.0[0] >> 4);
        for digit in from..16 {
            if found.len() >= limit {
                break;
            }
            let query = Query::of(keys::known_users(digit)).limit(limit - found.len());
            let query = match after.filter(|_| digit == from) {
                Some(user) => query.after(&keys::hex(&user.0)),
                None => query,
            };
            for item in self.db.query(Request::ScanUsers, &query).await? {
                found.push(key_of(item.get_text(SK)?)?);
            }
        }
        Ok(found)
    }

    /// Users in order of their keys, after one of them, with what their hot items say.
    pub(crate) async fn scan_users(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<(UserKey, Hot, Loaded)>, Failed> {
        let keys = self.list_users(after, limit).await?;
        let mut found = Vec::with_capacity(keys.len());
        for some in keys.chunks(USERS_AT_ONCE) {
            found.extend(self.load_users(some).await?);
        }
        Ok(found)
    }

    pub(crate) async fn find_users(&self, prefix: UserPrefix) -> Result<Vec<Loaded>, Failed> {
        let query = Query::of(keys::user_partition(prefix)).beginning("S#");
        let items = self.db.query(Request::FindUsers, &query).await?;
        let mut found = Vec::new();
        for items in items.chunk_by(|one, other| suffix_of(one) == suffix_of(other)) {
            let suffix = items.first().and_then(suffix_of).unwrap_or_default();
            let user = key_of(&format!("{}{suffix}", keys::hex(&prefix)))?;
            let loaded = match assemble(items, &keys::states_of(&user))? {
                Some((_, loaded)) => Some(loaded),
                None => self.load_user(user).await?.map(|(_, loaded)| loaded),
            };
            found.extend(loaded);
        }
        Ok(found)
    }

    pub(crate) async fn due_users(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<UserKey>, Failed> {
        let to = format!("{}{LAST}", keys::moment(now));
        let of_shard = |shard| {
            let to = to.clone();
            async move {
                let query = Query::of(keys::due_users(shard)).in_index().to(to).limit(limit);
                self.db.query(Request::DueUsers, &query).await
            }
        };
        let found = try_join_all((0..self.shards).map(of_shard)).await?;
        let mut due = Vec::new();
        for item in found.iter().flatten() {
            due.push(item.get_text(INDEX_SK)?);
        }
        due.sort_unstable();
        let keys = due
            .into_iter()
            .take(limit)
            .map(|due| key_of(due.rsplit('#').next().unwrap_or_default()));
        keys.collect()
    }

    pub(crate) async fn ledger_page(
        &self,
        user: UserKey,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<LedgerPage, Failed> {
        let shard = self.shard_of(&user);
        let own = keys::records_of(&user);
        let last = match before {
            Some(0 | 1) => return Ok(LedgerPage::default()),
            Some(before) => self.last_spot_before(shard, before).await?.text(),
            None => LAST.to_owned(),
        };
        let query = Query::of(keys::user_partition(user.prefix()))
            .from(format!("{own}{FIRST}"))
            .to(format!("{own}{last}"))
            .backwards()
            .limit(limit.saturating_add(1));
        let mut items = self.db.query(Request::ReadLedger, &query).await?;
        let is_more = items.len() > limit;
        items.truncate(limit);
        let spots = items.iter().map(|item| Ok((shard, spot_of(&item.key()?)?)));
        let places = self.places_of(&spots.collect::<Result<Vec<_>, Failed>>()?).await?;
        let records = places.into_iter().zip(&items).map(|(seq, item)| stored_from_item(seq, item));
        let records = records.collect::<Result<Vec<_>, _>>()?;
        let before = records.last().map(|stored| stored.seq).filter(|_| is_more);
        Ok(LedgerPage { records, before })
    }

    async fn last_spot_before(&self, shard: u32, before: Seq) -> Result<Spot, Failed> {
        let head = self.merge().await?;
        let spots = self.spots_at(&head, before - 1).await?;
        let spot = spots.get(shard as usize).copied();
        spot.ok_or_else(|| Failed::corrupt("a shard without places"))
    }
}

/// The second half of a user's key, in the key of a state.
fn suffix_of(item: &Item) -> Option<&str> {
    item.get_text(SK).ok()?.split('#').nth(1)
}

fn key_of(digits: &str) -> Result<UserKey, Failed> {
    let key = keys::parse_hex(digits).map(UserKey);
    key.ok_or_else(|| Failed::corrupt(format!("the key {digits} of a user")))
}

#[async_trait]
impl Users for DynamoStore {
    async fn load(&self, user: UserKey) -> Result<Loaded, StoreError> {
        let Some((hot, loaded)) = self.base.load_user(user).await? else {
            return Ok(Loaded::default());
        };
        self.parts.take_in(user, &hot);
        Ok(loaded)
    }

    async fn commit(&self, change: Change) -> Result<Outcome, StoreError> {
        let user = change.state.key();
        let known = self.parts.at(&user, change.base);
        let commit = Commit::new(change, &known)?;
        let after = commit.hot();
        let work = Work::Commit(Box::new(commit));
        match self.lanes.ask(self.base.shard_of(&user), work).await? {
            Answer::Outcome(outcome) => {
                if matches!(outcome, Outcome::Applied(_)) {
                    self.parts.take_in(user, &after);
                }
                Ok(outcome)
            }
            Answer::Appended | Answer::Limits(_) => Err(other_answer()),
        }
    }

    async fn ledger(
        &self,
        user: UserKey,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<LedgerPage, StoreError> {
        Ok(self.base.ledger_page(user, before, limit).await?)
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<UserKey>, StoreError> {
        Ok(self.base.due_users(now, limit).await?)
    }

    async fn find(&self, prefix: UserPrefix) -> Result<Vec<Loaded>, StoreError> {
        Ok(self.base.find_users(prefix).await?)
    }

    async fn scan(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<(UserKey, Loaded)>, StoreError> {
        let found = self.base.scan_users(after, limit).await?;
        Ok(found.into_iter().map(|(user, _, loaded)| (user, loaded)).collect())
    }
}

/// A lane answers each kind of work in its own kind.
pub(crate) fn other_answer() -> StoreError {
    StoreError::Corrupt("a lane gave the answer of other work".to_owned())
}
