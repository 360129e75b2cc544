//! Leasing what is due, fairly over endpoints.
//!
//! What is due is found beside the writer, without a lock, and leased by a unit of work that looks
//! at each again; of several nodes that find the same, one gets it and the others look for more.

use std::collections::HashMap;

use domain::ids::DeliveryId;
use domain::time::Timestamp;
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;
use store::{Claim, Claimed, DeliveryState, Endpoint, StoreError, Writing};

use super::row::{DeliveryRow, endpoint_of};
use crate::ask::Ask;
use crate::books::{Books, Wants};
use crate::codec::{bytes_of, corrupt, mode_to_column, rows};
use crate::error::Failure;
use crate::options::POINT_MAX;
use crate::writer::Work;
use crate::{MysqlStore, sql};

/// How often one claim looks for more after others were faster. They cannot be so forever: whoever
/// was has got something.
const ROUNDS_MAX: usize = 8;

/// A delivery that could be leased: its rank within its endpoint, since when, its number and its id.
type Turn = (usize, Timestamp, u64, DeliveryId);

/// What a claim has got so far.
#[derive(Default)]
struct Haul {
    leased: Vec<(usize, DeliveryRow)>,
    of_endpoint: HashMap<Endpoint, usize>,
}

impl MysqlStore {
    /// Leases what is ready at the claim's moment: everybody's first comes before anybody's second.
    pub(super) async fn claim_ready(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        let mut haul = Haul::default();
        for _ in 0..ROUNDS_MAX {
            let turns = self.turns(&claim, &haul).await?;
            if turns.is_empty() {
                break;
            }
            let wanted = turns.len();
            let ids = turns.iter().map(|turn| turn.3).collect();
            let lease = LeaseReady { ids, now: claim.now, until: claim.lease_until };
            let leased = self.ask(lease).await?;
            let is_done = leased.len() == wanted;
            haul.add(&turns, leased);
            if is_done {
                break;
            }
        }
        self.words(haul).await
    }

    /// Whose turn it is, as far as the claim has room.
    async fn turns(&self, claim: &Claim, haul: &Haul) -> Result<Vec<Turn>, StoreError> {
        let room = claim.limit.saturating_sub(haul.leased.len());
        let endpoints = if room == 0 { Vec::new() } else { self.ready_endpoints(claim).await? };
        let of = |endpoint| haul.of_endpoint.get(&endpoint).copied().unwrap_or_default();
        let rooms = endpoints
            .into_iter()
            .map(|endpoint| (endpoint, claim.per_endpoint.saturating_sub(of(endpoint)).min(room)));
        let rooms: Vec<_> = rooms.filter(|(_, room)| *room > 0).collect();
        if rooms.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.readers().rows(&ready_of(&rooms, claim.now), POINT_MAX).await?;
        let mut ranks: HashMap<Endpoint, usize> = haul.of_endpoint.clone();
        let mut turns: Vec<Turn> = Vec::with_capacity(found.len());
        for row in &found {
            let (endpoint, ready_at, number, id) = turn_of(row)?;
            let rank = ranks.entry(endpoint).or_default();
            turns.push((*rank, ready_at, number, id));
            *rank += 1;
        }
        turns.sort_unstable();
        turns.truncate(room);
        Ok(turns)
    }

    /// The endpoints that have anything to send at the claim's moment, but those that are busy.
    async fn ready_endpoints(&self, claim: &Claim) -> Result<Vec<Endpoint>, StoreError> {
        let found = self.readers().rows(&Ask::new(sql::ENDPOINTS), POINT_MAX).await?;
        let mut endpoints = Vec::new();
        for row in &found {
            let earliest: Option<i64> = row.try_get(2).map_err(Failure::from)?;
            let endpoint = endpoint_of(row, 0)?;
            let is_ready = earliest.is_some_and(|at| at <= claim.now.0);
            if is_ready && !claim.skip.contains(&endpoint) {
                endpoints.push(endpoint);
            }
        }
        Ok(endpoints)
    }

    /// Adds the words to what was leased.
    async fn words(&self, haul: Haul) -> Result<Vec<Claimed>, StoreError> {
        if haul.leased.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask =
            Ask::many(format!("{}{}", sql::DELIVERY_WORDS, sql::list_of(haul.leased.len())));
        haul.leased.iter().for_each(|(_, row)| ask.push(row.number));
        let found = self.readers().rows(&ask, POINT_MAX).await?;
        let numbers = found.iter().map(|row| Ok((row.try_get(0)?, row)));
        let words: HashMap<u64, &MySqlRow> = numbers.collect::<Result<_, Failure>>()?;
        let claimed = haul.in_order().into_iter().map(|row| {
            let fence = row.fence;
            let words = words.get(&row.number);
            let words = words.ok_or_else(|| corrupt("delivery without its record", row.id))?;
            Ok(Claimed { delivery: row.delivery(words, 1)?, fence })
        });
        Ok(claimed.collect::<Result<_, Failure>>()?)
    }
}

impl Haul {
    fn add(&mut self, turns: &[Turn], leased: Vec<DeliveryRow>) {
        let ranks: HashMap<DeliveryId, usize> = turns.iter().map(|turn| (turn.3, turn.0)).collect();
        for row in leased {
            *self.of_endpoint.entry(row.endpoint).or_default() += 1;
            self.leased.push((ranks.get(&row.id).copied().unwrap_or_default(), row));
        }
    }

    /// Everybody's first before anybody's second; within that as they were found.
    fn in_order(mut self) -> Vec<DeliveryRow> {
        self.leased.sort_by_key(|(rank, _)| *rank);
        self.leased.into_iter().map(|(_, row)| row).collect()
    }
}

/// Asks for what endpoints can be sent now, oldest first, for each as many as it has room for.
fn ready_of(rooms: &[(Endpoint, usize)], now: Timestamp) -> Ask {
    let mut ask = Ask::many(vec![sql::ENDPOINT_READY; rooms.len()].join(" UNION ALL "));
    for (endpoint, room) in rooms {
        ask.push(endpoint.app.0);
        ask.push(mode_to_column(endpoint.mode));
        ask.push(now.0);
        ask.push(rows(*room));
    }
    ask
}

fn turn_of(row: &MySqlRow) -> Result<(Endpoint, Timestamp, u64, DeliveryId), Failure> {
    let id = DeliveryId(bytes_of(row, 4)?);
    Ok((endpoint_of(row, 0)?, Timestamp(row.try_get(2)?), row.try_get(3)?, id))
}

/// Leases those of some deliveries that are still ready.
struct LeaseReady {
    ids: Vec<DeliveryId>,
    now: Timestamp,
    until: Timestamp,
}

impl Work for LeaseReady {
    type Answer = Vec<DeliveryRow>;

    const WRITING: Option<Writing> = Some(Writing::Change);

    fn wants(&self, wants: &mut Wants) {
        self.ids.iter().for_each(|id| wants.delivery(*id));
    }

    fn run(&self, books: &mut Books) -> Result<Vec<DeliveryRow>, StoreError> {
        Ok(self.ids.iter().filter_map(|id| self.lease(books, *id)).collect())
    }
}

impl LeaseReady {
    /// A reversal whose lease ended after its grant was replayed waits again (D6), and the grant's
    /// settlement makes it ready; if the grant is lost by now, it is parked.
    fn lease(&self, books: &mut Books, id: DeliveryId) -> Option<DeliveryRow> {
        let desk = &mut books.desk;
        let found = desk.find(id).filter(|row| row.ready_at.is_some_and(|at| at <= self.now));
        let mut row = found?.clone();
        if desk.is_behind(&row) {
            if desk.is_hopeless(&row) {
                row.end(DeliveryState::Parked);
            }
            desk.write_ready(row, None);
            return None;
        }
        row.fence += 1;
        row.lease_until = Some(self.until);
        desk.write(row.clone());
        Some(row)
    }
}
