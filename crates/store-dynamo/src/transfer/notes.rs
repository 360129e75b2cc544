//! Who was touched since the store is watched.
//!
//! Nothing is written for this by those who change users: every group says whose state it changed,
//! watched or not. A place in the notes is the number of users told so far; beside it stands, for each
//! shard, the group and the user in it up to where they were told. One mover asks at a time, and what
//! he asks for again may be told again in another order.

use domain::ids::UserKey;
use store::{RunNumber, Seq};

use crate::base::Base;
use crate::client::Query;
use crate::error::Failed;
use crate::group::{Group, Owned};
use crate::keys::{self, Key};
use crate::merge::Mark;
use crate::requests::Request;
use crate::value::{Read as _, item, list, number, number_of};
use crate::write::Write;

/// How far each shard was told, flat: a group, and how many of its users.
const TOLD: &str = "told";
/// A run, and a place in its notes. Each run has its own, so one that was taken over and does not know
/// it yet writes over nobody's.
type Place = (RunNumber, Seq);

/// Groups of one query.
const GROUPS_MAX: usize = 100;

/// How far a shard was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Told {
    /// The group.
    group: u64,
    /// How many of its users, or [`ALL`].
    users: usize,
}

/// Every user of a group.
const ALL: usize = usize::MAX;

impl Base {
    /// From here on whoever is touched is noted.
    pub(super) async fn begin_notes(&self, run: RunNumber) -> Result<(), Failed> {
        let (_, marks) = self.read_heads().await?;
        let all = |mark: Mark| Told { group: mark.group, users: ALL };
        self.write_told((run, 0), &marks.into_iter().map(all).collect::<Vec<_>>()).await
    }

    /// Users touched after a place in the notes, and the place to go on from.
    pub(super) async fn read_notes(
        &self,
        run: RunNumber,
        after: Seq,
        limit: usize,
    ) -> Result<(Vec<UserKey>, Seq), Failed> {
        let Some(mut told) = self.read_told((run, after)).await? else {
            return Ok((Vec::new(), after));
        };
        let (_, marks) = self.read_heads().await?;
        let mut found = Vec::new();
        for ((shard, told), mark) in (0..).zip(&mut told).zip(marks) {
            self.tell(shard, told, mark.group, (&mut found, limit)).await?;
        }
        let place = after + found.len() as Seq;
        if place > after {
            self.write_told((run, place), &told).await?;
        }
        Ok((found, place))
    }

    /// Tells the users of a shard's groups up to `last`, until there are so many.
    async fn tell(
        &self,
        shard: u32,
        told: &mut Told,
        last: u64,
        (found, limit): (&mut Vec<UserKey>, usize),
    ) -> Result<(), Failed> {
        while found.len() < limit {
            let first = if told.users == ALL { told.group + 1 } else { told.group };
            if first > last {
                return Ok(());
            }
            let end = keys::last_of_bucket(first).min(last);
            let (from, to) = (keys::group(shard, first), keys::group(shard, end));
            let query = Query::of(from.pk).from(from.sk).to(to.sk).limit(GROUPS_MAX);
            let groups = self.db.query(Request::ReadGroups, &query).await?;
            if groups.is_empty() {
                return Err(Failed::corrupt(format!("group {first} of shard {shard} is gone")));
            }
            for (group, item) in (first..).zip(&groups) {
                let skipped = if group == told.group { told.users } else { 0 };
                let users = touched(&Group::from_item(item)?).split_off(skipped);
                let room = limit - found.len();
                let users_told = if users.len() <= room { ALL } else { skipped + room };
                found.extend(users.into_iter().take(room));
                *told = Told { group, users: users_told };
                if users_told != ALL {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn read_told(&self, place: Place) -> Result<Option<Vec<Told>>, Failed> {
        let Some(found) = self.db.get(Request::ReadNotes, &note(place)).await? else {
            return Ok(None);
        };
        let pairs = found.get_list(TOLD)?.chunks(2).map(|pair| match pair {
            [group, users] => {
                Ok(Told { group: number_of(group, TOLD)?, users: number_of(users, TOLD)? })
            }
            _ => Err(Failed::corrupt("the notes of a move")),
        });
        pairs.collect::<Result<_, _>>().map(Some)
    }

    async fn write_told(&self, place: Place, told: &[Told]) -> Result<(), Failed> {
        let flat = told.iter().flat_map(|told| [number(told.group), number(told.users)]);
        let write = Write::put(item(&note(place), [(TOLD, list(flat))]));
        self.write_again(Request::WriteNotes, vec![write]).await
    }
}

/// Where it stands how far was told at a place.
fn note((run, place): Place) -> Key {
    Key::new(format!("T#{}", run.0), format!("{place:016x}"))
}

/// The users of a group, those of traces among them.
fn touched(group: &Group) -> Vec<UserKey> {
    let owners = group.records.iter().filter_map(|record| match record {
        Owned::By(user) => Some(*user),
        Owned::ByNobody(_) => None,
    });
    owners.chain(group.touched.iter().copied()).collect()
}
