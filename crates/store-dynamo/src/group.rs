//! What one transaction of a lane leaves in the journal: the group item, and its records.
//!
//! A group says whose the records are, in order; the records themselves are with their users, so that
//! a user's ledger is one query. A record of nobody is kept in the group.

use domain::ids::UserKey;
use domain::journal::{Chain, Record};
use store::{Seq, Stored};

use crate::error::Failed;
use crate::keys::{self, BODY, CHAIN, Key, Spot};
use crate::value::{Item, Read as _, bytes, item, list, number};

/// A random name, so that a lane recognises its own group after a lost answer.
const ID: &str = "id";
/// Position of the first record.
const FIRST: &str = "first";
/// For each record whether it is a user's, and whose.
const OWNERS: &str = "owners";
/// The records of nobody, in order.
const BODIES: &str = "bodies";
/// Users whose state was changed without a record.
const TOUCHED: &str = "touched";

/// Bytes of one owner: whether it is a user, and his key.
const OWNER_BYTES: usize = 17;

/// One group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Group {
    /// A random name.
    pub(crate) id: [u8; 16],
    /// Position of its first record, or of the next one if it has none.
    pub(crate) first: u64,
    /// Its records in order.
    pub(crate) records: Vec<Owned>,
    /// Users whose state was changed without a record.
    pub(crate) touched: Vec<UserKey>,
}

/// A record of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Owned {
    /// With its user.
    By(UserKey),
    /// Here, in its stored form.
    ByNobody(Vec<u8>),
}

impl Group {
    pub(crate) fn to_item(&self, shard: u32, number_of_group: u64) -> Item {
        let mut owners = Vec::with_capacity(self.records.len() * OWNER_BYTES);
        let mut bodies = Vec::new();
        for record in &self.records {
            match record {
                Owned::By(user) => {
                    owners.push(1);
                    owners.extend(user.0);
                }
                Owned::ByNobody(body) => {
                    owners.extend([0; OWNER_BYTES]);
                    bodies.push(bytes(body.clone()));
                }
            }
        }
        let touched: Vec<u8> = self.touched.iter().flat_map(|user| user.0).collect();
        let with = [
            (ID, bytes(self.id)),
            (FIRST, number(self.first)),
            (OWNERS, bytes(owners)),
            (BODIES, list(bodies)),
            (TOUCHED, bytes(touched)),
        ];
        item(&keys::group(shard, number_of_group), with)
    }

    pub(crate) fn from_item(item: &Item) -> Result<Self, Failed> {
        let mut bodies = item.get_list(BODIES)?.iter();
        let mut records = Vec::new();
        for owner in item.get_bytes(OWNERS)?.chunks(OWNER_BYTES) {
            records.push(match (owner.first(), key_of(owner.get(1..).unwrap_or_default())) {
                (Some(1), Some(user)) => Owned::By(user),
                (Some(0), Some(_)) => {
                    let body = bodies.next().and_then(|body| body.as_b().ok());
                    let body =
                        body.ok_or_else(|| Failed::corrupt("a record of a group is gone"))?;
                    Owned::ByNobody(body.as_ref().to_vec())
                }
                _ => return Err(Failed::corrupt("the owners of a group")),
            });
        }
        let touched = item.get_bytes(TOUCHED)?.chunks(16).map(key_of).collect::<Option<_>>();
        let id = item.get_bytes(ID)?.try_into();
        Ok(Self {
            id: id.map_err(|_| Failed::corrupt("the name of a group"))?,
            first: item.get_number(FIRST)?,
            records,
            touched: touched.ok_or_else(|| Failed::corrupt("the users of a group"))?,
        })
    }
}

impl Owned {
    /// Whose an imported record is.
    pub(crate) fn to_imported(&self, seq: Seq) -> Item {
        let with = match self {
            Self::By(user) => (OWNERS, bytes(user.0)),
            Self::ByNobody(body) => (BODY, bytes(body.clone())),
        };
        item(&keys::imported(seq), [with])
    }

    /// Reads that, with its place.
    pub(crate) fn from_imported(item: &Item) -> Result<(Seq, Self), Failed> {
        let seq = Seq::from_str_radix(&item.key()?.sk, 16);
        let seq = seq.map_err(|_| Failed::corrupt("the key of an imported record"))?;
        let user = item.get_bytes(OWNERS).ok().and_then(key_of);
        let owner = match user {
            Some(user) => Self::By(user),
            None => Self::ByNobody(item.get_bytes(BODY)?.to_vec()),
        };
        Ok((seq, owner))
    }
}

fn key_of(bytes: &[u8]) -> Option<UserKey> {
    bytes.try_into().ok().map(UserKey)
}

/// The item of a user's record.
pub(crate) fn record_item(user: &UserKey, spot: Spot, chain: Chain, record: &Record) -> Item {
    let body = bytes(format::journal::encode_record(record));
    item(&keys::record(user, spot), [(CHAIN, bytes(chain.0)), (BODY, body)])
}

/// Reads the item of a user's record, whose place is known.
pub(crate) fn stored_from_item(seq: Seq, item: &Item) -> Result<Stored, Failed> {
    let chain = item.get_bytes(CHAIN)?.try_into();
    let chain = Chain(chain.map_err(|_| Failed::corrupt("the chain of a record"))?);
    Ok(Stored { seq, chain, record: record_from_bytes(item.get_bytes(BODY)?)? })
}

/// Where a record item stands, by its key.
pub(crate) fn spot_of(key: &Key) -> Result<Spot, Failed> {
    let spot = key.sk.rsplit('#').next().and_then(Spot::parse);
    spot.ok_or_else(|| Failed::corrupt(format!("the key {} of a record", key.sk)))
}

/// Reads the stored form of a record.
pub(crate) fn record_from_bytes(body: &[u8]) -> Result<Record, Failed> {
    format::journal::decode_record(body).map_err(|why| Failed::corrupt(format!("record: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_comes_back_as_it_was() {
        let (ann, bob) = (UserKey([1; 16]), UserKey([0; 16]));
        let records = vec![Owned::By(ann), Owned::ByNobody(vec![7]), Owned::By(bob)];
        let group = Group { id: [9; 16], first: 17, records, touched: vec![bob] };
        assert_eq!(Group::from_item(&group.to_item(3, 4_711)).unwrap(), group);
        let empty = Group { id: [9; 16], first: 1, records: vec![], touched: vec![] };
        assert_eq!(Group::from_item(&empty.to_item(0, 1)).unwrap(), empty);
    }
}
