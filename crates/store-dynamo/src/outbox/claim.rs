//! Leasing what is due, fairly over endpoints.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::ids::DeliveryId;
use domain::time::Timestamp;
use futures_util::future::try_join_all;
use store::{Claim, Claimed, DeliveryState, Endpoint, Writing};

use super::front::{Entry, Wanted};
use super::queue::Counts;
use super::row::Row;
use crate::base::Base;
use crate::error::{Failed, Reason};

/// Looks at the front. Each finds what the one before has seen only if others were faster, or if
/// reversals had to be set aside; a claim that is short of its limit is made again anyway.
const ROUNDS_MAX: usize = 16;
/// Deliveries of one transaction. Each may bring its grant along, and the queue is one more item.
const LEASES_MAX: usize = 45;

/// Deliveries of each endpoint and shard that are looked at to find the next moment.
const FRONT_MAX: usize = 4;

/// What a delivery at the front is good for.
#[derive(Debug)]
enum Verdict {
    /// To be leased.
    Free(Row),
    /// A reversal whose grant is not told yet, as that grant was read.
    Behind(Row, Row),
    /// A reversal whose grant is never told.
    Hopeless(Row, Row),
    /// Somebody has changed it since the index was written.
    Gone,
}

impl Verdict {
    fn row(&self) -> Option<&Row> {
        match self {
            Self::Free(row) | Self::Behind(row, _) | Self::Hopeless(row, _) => Some(row),
            Self::Gone => None,
        }
    }
}

impl Base {
    pub(super) async fn claim(&self, claim: &Claim) -> Result<Vec<Claimed>, Failed> {
        let mut leased: Vec<Row> = Vec::new();
        let mut seen = HashSet::new();
        for _ in 0..ROUNDS_MAX {
            let turns = self.turns(claim, &leased, &seen).await?;
            if turns.is_empty() {
                break;
            }
            seen.extend(turns.iter().map(|entry| entry.id));
            let wanted = turns.len();
            let got = self.lease_all(turns, claim).await?;
            let is_short = got.len() < wanted;
            leased.extend(got);
            if !is_short {
                break;
            }
        }
        let spots: Vec<_> = leased.iter().map(|row| (self.shard_of(&row.user), row.spot)).collect();
        let places = self.places_of(&spots).await?;
        let claimed = leased.into_iter().zip(places);
        Ok(claimed
            .map(|(row, seq)| Claimed { fence: row.fence, delivery: row.delivery(seq) })
            .collect())
    }

    /// Whose turn it is beside what is leased: everybody's first comes before anybody's second.
    async fn turns(
        &self,
        claim: &Claim,
        leased: &[Row],
        seen: &HashSet<DeliveryId>,
    ) -> Result<Vec<Entry>, Failed> {
        let left = claim.limit.saturating_sub(leased.len());
        let mut ranks: HashMap<Endpoint, usize> = HashMap::new();
        for row in leased {
            *ranks.entry(row.endpoint()).or_default() += 1;
        }
        let per_endpoint = claim.per_endpoint.min(claim.limit);
        if left == 0 || per_endpoint == 0 {
            return Ok(Vec::new());
        }
        let wanted = Wanted { now: claim.now, per_endpoint, skip: &claim.skip, seen };
        let mut turns: Vec<(usize, Entry)> = Vec::new();
        for entry in self.front(wanted).await? {
            let rank = ranks.entry(entry.endpoint).or_default();
            if *rank < per_endpoint {
                turns.push((*rank, entry));
                *rank += 1;
            }
        }
        // The front is in order, and stays so within each rank.
        turns.sort_by_key(|(rank, _)| *rank);
        turns.truncate(left);
        Ok(turns.into_iter().map(|(_, entry)| entry).collect())
    }

    /// Leases what is free of these, in the same order.
    async fn lease_all(&self, turns: Vec<Entry>, claim: &Claim) -> Result<Vec<Row>, Failed> {
        let mut by_shard: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
        for entry in &turns {
            by_shard.entry(entry.shard).or_default().push(*entry);
        }
        let parts = by_shard.iter().flat_map(|(shard, entries)| {
            entries.chunks(LEASES_MAX).map(|part| self.lease_part(*shard, part, claim))
        });
        let leased = try_join_all(parts).await?.into_iter().flatten();
        let mut leased: HashMap<_, _> = leased.map(|row| (row.id(), row)).collect();
        Ok(turns.iter().filter_map(|entry| leased.remove(&entry.id)).collect())
    }

    /// The same of one shard, in one transaction. What others are faster with is left to them.
    async fn lease_part(
        &self,
        shard: u32,
        entries: &[Entry],
        claim: &Claim,
    ) -> Result<Vec<Row>, Failed> {
        let _turn = self.turn(shard).await;
        let mut entries = entries.to_vec();
        while !entries.is_empty() {
            let verdicts = self.judge(&entries, claim.now).await?;
            let (writes, counts, leased) = decided(shard, &verdicts, claim.lease_until);
            if writes.is_empty() {
                return Ok(Vec::new());
            }
            let owners: Vec<DeliveryId> = writes.iter().map(|(id, _)| *id).collect();
            let rows = writes.into_iter().map(|(_, write)| write).collect();
            match self.write_rows(shard, Writing::Change, counts, rows).await {
                Ok(()) => return Ok(leased),
                Err(Failed::Refused(reasons)) => drop_refused(&mut entries, &owners, &reasons),
                // The leases may be there; nobody sends under them, and they run out.
                Err(Failed::Unknown(words)) => {
                    tracing::warn!(error = %words, "leases with a lost answer run out unused");
                    return Ok(Vec::new());
                }
                Err(failed) => return Err(failed),
            }
        }
        Ok(Vec::new())
    }

    /// What each entry is good for, by what the deliveries and their grants say.
    async fn judge(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<Verdict>, Failed> {
        let ids: Vec<DeliveryId> = entries.iter().map(|entry| entry.id).collect();
        let rows = self.rows(&ids).await?;
        let grants = rows.iter().flatten().filter_map(|row| row.message.after);
        let grants = self.rows_by_id(&grants.collect::<Vec<_>>()).await?;
        let judge = |row: Option<Row>| {
            let Some(row) = row.filter(|row| is_ready(row, now)) else { return Verdict::Gone };
            let grant = row.message.after.and_then(|grant| grants.get(&grant)).cloned();
            match grant {
                Some(grant) if grant.is_lost() => Verdict::Hopeless(row, grant),
                Some(grant) if grant.state.is_open() => Verdict::Behind(row, grant),
                _ => Verdict::Free(row),
            }
        };
        Ok(rows.into_iter().map(judge).collect())
    }

    /// When something can be tried next. What stands in front of it in vain is set aside or parked.
    pub(super) async fn next_moment(&self) -> Result<Option<Timestamp>, Failed> {
        let end = Timestamp(i64::MAX);
        let (mut seen, mut earliest) = (HashSet::new(), None);
        for _ in 0..ROUNDS_MAX {
            let wanted = Wanted { now: end, per_endpoint: FRONT_MAX, skip: &[], seen: &seen };
            let front = self.front(wanted).await?;
            let mut is_first = true;
            for (entry, verdict) in front.iter().zip(self.judge(&front, end).await?) {
                match verdict {
                    Verdict::Free(row) if earliest.is_none_or(|at| row.ready_at() < Some(at)) => {
                        earliest = row.ready_at();
                    }
                    Verdict::Free(_) => {}
                    // A worker has it and settles it; a claim after its lease would park it.
                    Verdict::Hopeless(row, _) if row.lease_until.is_some() => is_first = false,
                    Verdict::Behind(..) | Verdict::Hopeless(..) => {
                        self.put_away(entry.shard, verdict).await?;
                        is_first = false;
                    }
                    Verdict::Gone => is_first = false,
                }
            }
            seen.extend(front.iter().map(|entry| entry.id));
            if is_first {
                break;
            }
        }
        Ok(earliest)
    }

    async fn put_away(&self, shard: u32, verdict: Verdict) -> Result<(), Failed> {
        let _turn = self.turn(shard).await;
        let (writes, counts, _) = decided(shard, &[verdict], Timestamp::default());
        let rows = writes.into_iter().map(|(_, write)| write).collect();
        match self.write_rows(shard, Writing::Change, counts, rows).await {
            // Whoever was faster knows better; a store that has moved is only looked at.
            Ok(()) | Err(Failed::Refused(_) | Failed::Unknown(_) | Failed::Store(_)) => Ok(()),
            Err(failed) => Err(failed),
        }
    }
}

fn is_ready(row: &Row, now: Timestamp) -> bool {
    row.state.is_open() && !row.waits && row.ready_at().is_some_and(|at| at <= now)
}

/// The writes that follow from the verdicts, each with the delivery that it is for; how they change
/// the counts; and what is leased by them.
fn decided(
    shard: u32,
    verdicts: &[Verdict],
    until: Timestamp,
) -> (Vec<(DeliveryId, crate::write::Write)>, Counts, Vec<Row>) {
    let (mut writes, mut counts, mut leased) = (Vec::new(), Counts::default(), Vec::new());
    // An item may be named only once in a transaction, and whoever rewrites it checks it as well.
    let rewritten = verdicts.iter().filter_map(Verdict::row).map(Row::id);
    let mut checked: HashSet<DeliveryId> = rewritten.collect();
    for verdict in verdicts {
        let (mut row, grant) = match verdict {
            Verdict::Gone => continue,
            Verdict::Free(row) => (row.clone(), None),
            Verdict::Behind(row, grant) | Verdict::Hopeless(row, grant) => {
                (row.clone(), Some(grant))
            }
        };
        let id = row.id();
        match verdict {
            Verdict::Hopeless(..) => {
                counts.moved(row.state, DeliveryState::Parked);
                row.end(DeliveryState::Parked);
            }
            Verdict::Behind(..) => row.waits = true,
            Verdict::Free(_) | Verdict::Gone => {
                row.fence += 1;
                row.lease_until = Some(until);
                leased.push(row.clone());
            }
        }
        writes.push((id, row.rewrite(shard)));
        if let Some(grant) = grant.filter(|grant| checked.insert(grant.id())) {
            writes.push((id, grant.unchanged()));
        }
    }
    (writes, counts, leased)
}

/// Leaves out what a transaction was refused for; the first reason is the queue's.
fn drop_refused(entries: &mut Vec<Entry>, owners: &[DeliveryId], reasons: &[Reason]) {
    let refused = owners.iter().zip(reasons.iter().skip(1));
    let refused = refused.filter(|(_, reason)| matches!(reason, Reason::Condition(_)));
    let refused: HashSet<DeliveryId> = refused.map(|(id, _)| *id).collect();
    entries.retain(|entry| !refused.contains(&entry.id));
}
