//! What each kind of request is, and what the reads take on this very table, with keys that are in it.
//!
//! DynamoDB plans nothing: a request reads what its keys say. So what is judged is the list of
//! requests, and what the reads have met and given back when they are made as the program makes them.
//! Nothing is written: reads that would first give new records their places are left out while there
//! are any.

use domain::ids::{DeliveryId, UserKey};
use domain::time::Timestamp;
use store::explain::{Cost, Design, Does, Explained, Facts, Kind, Step, Unit};
use store::{
    Budgets as _, DeliveryFilter, DeliveryState, Endpoint, Outbox as _, StoreError, Stored,
};

use crate::DynamoStore;
use crate::budgets::Budget;
use crate::error::Failed;
use crate::keys::{self, GROUP};
use crate::requests::{Consumed, REQUESTS, Request, RequestInfo};
use crate::value::Read as _;

/// Users of a page, and records of one user.
const PAGE: usize = 20;
/// Records of a page of the journal.
const RECORDS: usize = 100;

/// Why a read was not made.
const NEWS: &str = "some records have no place in the order of the journal yet, and such a read would \
                    give them one; look again after a node has read the journal";
const SELDOM: &str = "nothing of this table needs it: it is made by a move, after a lost answer or for \
                      a state that no delivery is in";

impl DynamoStore {
    /// Every kind of request of this crate, in the order of the list. Nothing is changed. What the store
    /// was asked for before is forgotten.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn explain(&self, now: Timestamp) -> Result<Vec<Explained>, StoreError> {
        self.meter().reset();
        // The futures are boxed, because those of the SDK are too deep to be all parts of one.
        let users = Box::pin(self.read_users(now)).await?;
        Box::pin(self.read_heads()).await?;
        Box::pin(self.read_budgets()).await?;
        let has_news = Box::pin(self.base.look_for_news()).await?;
        if !has_news {
            Box::pin(self.read_records(users.first().copied(), now)).await?;
        }
        let silence = if has_news { NEWS } else { SELDOM };
        let sums = self.meter().by_kind().into_iter().map(|(_, sums)| sums);
        let all = REQUESTS.iter().zip(sums).map(|(info, sums)| explained(info, &sums, silence));
        Ok(all.collect())
    }

    /// Whatever is read of users by themselves. Gives some users from the middle of the keys on.
    async fn read_users(&self, now: Timestamp) -> Result<Vec<UserKey>, Failed> {
        let base = &self.base;
        base.db.get(Request::ReadMeta, &keys::meta()).await?;
        let mut users = base.list_users(Some(UserKey([0x80; 16])), PAGE).await?;
        if users.is_empty() {
            users = base.list_users(None, PAGE).await?;
        }
        base.load_users(&users).await?;
        if let Some(user) = users.first() {
            base.load_user(*user).await?;
            base.find_users(user.prefix()).await?;
            base.db.get(Request::ReadVersion, &keys::state(user, 0)).await?;
        }
        base.due_users(now, RECORDS).await?;
        Ok(users)
    }

    /// The head of a shard, its newest group, and all counts.
    async fn read_heads(&self) -> Result<(), Failed> {
        let base = &self.base;
        for shard in 0..base.shards {
            let head = base.db.get(Request::ReadHead, &keys::head(shard)).await?;
            let group = head.map(|head| head.get_number(GROUP)).transpose()?;
            if let Some(group) = group.filter(|group| *group > 0) {
                base.db.get(Request::ReadGroup, &keys::group(shard, group)).await?;
                break;
            }
        }
        base.counts().await?;
        Ok(())
    }

    async fn read_budgets(&self) -> Result<(), StoreError> {
        self.base.read_shards().await?;
        let levels = self.levels().await?;
        if let Some(level) = levels.get(levels.len() / 2) {
            self.level(level.line_item).await?;
            Budget::read(&self.base.db, level.line_item, &[], 1).await?;
        }
        Ok(())
    }

    /// What is read by places, which all records have.
    async fn read_records(&self, user: Option<UserKey>, now: Timestamp) -> Result<(), StoreError> {
        let head = self.base.merge().await?.seq;
        let mut found = Box::pin(self.base.read_records(head / 2, RECORDS)).await?;
        if let Some(user) = user {
            found.extend(Box::pin(self.base.ledger_page(user, None, PAGE)).await?.records);
        }
        Box::pin(self.base.look_at_front(now, PAGE)).await?;
        match found.iter().find_map(message_of) {
            Some((endpoint, id)) => Box::pin(self.read_deliveries(endpoint, id)).await,
            None => Ok(()),
        }
    }

    async fn read_deliveries(&self, endpoint: Endpoint, id: DeliveryId) -> Result<(), StoreError> {
        self.base.look_at_family(id).await?;
        for state in [None, Some(DeliveryState::Parked)] {
            let Endpoint { app, mode } = endpoint;
            let filter = DeliveryFilter { app, mode, state, after: None, limit: PAGE };
            self.deliveries(filter).await?;
        }
        Ok(())
    }
}

/// The endpoint and the id of a record's first message.
fn message_of(stored: &Stored) -> Option<(Endpoint, DeliveryId)> {
    let message = stored.record.messages.first()?;
    Some((Endpoint { app: message.app, mode: stored.record.mode }, message.id))
}

fn explained(info: &'static RequestInfo, sums: &Consumed, silence: &str) -> Explained {
    let kind = if info.operation.contains("Write") { Kind::Write } else { Kind::Read };
    let was_made = kind == Kind::Read && sums.calls > 0;
    let mut steps = vec![Step::new(format!("{} of {}", info.operation, info.keys), does(info))];
    if sums.met > sums.found {
        let words =
            format!("{} of {} items were left out by a filter", sums.met - sums.found, sums.met);
        steps.push(Step::new(words, Does::Filters));
    }
    let cost = was_made.then_some(Cost {
        unit: Unit::Rows,
        examined: sums.met as f64,
        returned: sums.found as f64,
        units: Some(sums.reads),
    });
    let unknown = (kind == Kind::Read && !was_made).then(|| silence.to_owned());
    Explained {
        name: info.name,
        purpose: info.purpose.trim().to_owned(),
        kind,
        text: format!("{} of {}: {}", info.operation, info.keys, info.units),
        design: Design::default(),
        facts: Facts { steps, cost, has_no_rows: false, unknown },
    }
}

/// What an operation does by its description: a query names a partition first, a scan names none.
fn does(info: &RequestInfo) -> Does {
    let operation = info.operation.split(' ').next().unwrap_or_default();
    let names_keys = info.keys.contains('`');
    match operation {
        "Query" | "GetItem" | "BatchGetItem" | "TransactGetItems" if names_keys => Does::Search,
        "TransactWriteItems" | "BatchWriteItem" => Does::Search,
        "Query" | "Scan" => Does::Scan { rows: None, had_index: false },
        _ => Does::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use store::explain::Verdict;

    use super::*;

    fn verdict(
        operation: &'static str,
        keys: &'static str,
        met: u64,
        found: u64,
    ) -> Option<Verdict> {
        let info = RequestInfo { name: "A", purpose: "", operation, keys, units: "" };
        let info: &'static RequestInfo = Box::leak(Box::new(info));
        let sums = Consumed { calls: 1, met, found, ..Consumed::default() };
        explained(info, &sums, "").judge().into_iter().map(|found| found.verdict).max()
    }

    #[test]
    fn a_scan_is_bad_and_so_is_a_query_of_nothing() {
        for (operation, keys, wanted) in [
            ("Query", "`U#prefix`", None),
            ("Query on `due`", "`U#shard`, up to now", None),
            ("GetItem", "`META`", None),
            ("Scan", "`U#prefix`", Some(Verdict::Bad)),
            ("Query", "all of it", Some(Verdict::Bad)),
            ("Guess", "`META`", Some(Verdict::Note)),
        ] {
            assert_eq!(verdict(operation, keys, 1, 1), wanted, "{operation} {keys}");
        }
    }

    #[test]
    fn a_filter_is_noted_and_a_wasteful_one_is_bad() {
        assert_eq!(verdict("Query", "`B`", 100, 90), Some(Verdict::Note));
        assert_eq!(verdict("Query", "`B`", 1_000, 1), Some(Verdict::Bad));
    }
}
