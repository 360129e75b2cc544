//! Requests to DynamoDB: one function for each operation, with its time limits, its repetitions and
//! its price.
//!
//! The SDK's own repetitions are off, because it cannot know which of our writes may be made twice.
//! Here a request is repeated, with growing jittered pauses, when nothing was changed (throttled, in
//! conflict, never sent), and after a lost answer only if making it twice is making it once. A lost
//! answer of any other write comes back as [`Failed::Unknown`], and whoever made it asks for what
//! became of it. `ClientRequestToken` is left alone: it is good for ten minutes only.
//!
//! Once the table is known to be out of reach, what would be repeated fails at once, and one task asks
//! again and again whether it is back ([`reach`]).

mod pauses;
mod query;
mod reach;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConsumedCapacity, Get, KeysAndAttributes, ReturnConsumedCapacity,
    TransactGetItem, TransactWriteItem, WriteRequest,
};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use futures_util::future::try_join_all;
use futures_util::{TryStreamExt, stream};
use tokio::time::sleep;

use crate::error::{Failed, Trouble};
use crate::faults::{Fault, Faults};
use crate::keys::{self, INDEX, INDEX_PK, INDEX_SK, Key, PK, SK};
use crate::requests::{Meter, Request};
use crate::value::{Item, Read as _, text};
use crate::write::Write;

use pauses::repeated;
pub(crate) use pauses::{Pauses, random, random_share};
pub(crate) use query::Query;
use reach::Reach;

/// A connection that takes longer does not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// DynamoDB answers in milliseconds; after this an answer is lost.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
/// The same of a batch of writes, for which nobody waits but a move: a server that writes them one by
/// one must not be sent them again while it is at it.
const BATCH_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a table that cannot be reached is asked whether it is back.
const BACK_POLL: Duration = Duration::from_millis(250);
/// Keys of one `BatchGetItem`, a limit of DynamoDB.
const BATCH_GET_MAX: usize = 100;
/// Items of one `BatchWriteItem`, a limit of DynamoDB.
const BATCH_WRITE_MAX: usize = 25;
/// Batches that are written at once: of more, the last would wait for the others longer than an
/// attempt may take.
pub(crate) const BATCHES_MAX: usize = 8;
/// Items of one `TransactWriteItems`, a limit of DynamoDB.
pub(crate) const TRANSACTION_MAX: usize = 100;

/// Where the table is and how it is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Name of the table.
    pub table: String,
    /// Address of a server that is not AWS's own, such as `http://127.0.0.1:8000`.
    pub endpoint: Option<String>,
    /// The region; `None` is the one of the ordinary chain (environment, profile, machine).
    pub region: Option<String>,
    /// Whether credentials come from the ordinary chain; a local server takes any.
    pub has_credentials: bool,
}

/// The table, reached.
#[derive(Debug)]
pub(crate) struct Db {
    sdk: Client,
    table: String,
    meter: Arc<Meter>,
    faults: Faults,
    reach: Arc<Reach>,
}

impl Db {
    /// Makes a client. Nothing is asked of the server yet.
    pub(crate) async fn connect(place: &Place) -> Self {
        let tls = Provider::Rustls(CryptoMode::Ring);
        let http = Builder::new().tls_provider(tls).build_https();
        let mut chain = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .timeout_config(limits_of(ATTEMPT_TIMEOUT))
            .retry_config(RetryConfig::disabled());
        if let Some(region) = &place.region {
            chain = chain.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = &place.endpoint {
            chain = chain.endpoint_url(endpoint);
        }
        if !place.has_credentials {
            chain =
                chain.credentials_provider(Credentials::new("local", "local", None, None, "local"));
        }
        Self {
            sdk: Client::new(&chain.load().await),
            table: place.table.clone(),
            meter: Arc::default(),
            faults: Faults::default(),
            reach: Arc::default(),
        }
    }

    /// The SDK's client, for what concerns the table and not its items.
    pub(crate) fn sdk(&self) -> &Client {
        &self.sdk
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Reads one item, consistently.
    pub(crate) async fn get(&self, request: Request, key: &Key) -> Result<Option<Item>, Failed> {
        self.read(|| self.try_get(request, key)).await
    }

    /// The same without repetitions, for who repeats himself or wants to know at once.
    pub(crate) async fn get_once(
        &self,
        request: Request,
        key: &Key,
    ) -> Result<Option<Item>, Failed> {
        Ok(self.try_get(request, key).await?)
    }

    async fn try_get(&self, request: Request, key: &Key) -> Result<Option<Item>, Trouble> {
        debug_assert!(request.is_by("GetItem"), "{request:?}");
        let send = self
            .sdk
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        let found = self.attempt(request, false, send).await?;
        self.count_reads(request, found.consumed_capacity());
        let items = usize::from(found.item.is_some());
        self.meter.items(request, items, items);
        Ok(found.item)
    }

    /// Reads items, in the order of their keys; `None` where there is none.
    pub(crate) async fn batch_get(
        &self,
        request: Request,
        keys: &[Key],
        is_consistent: bool,
    ) -> Result<Vec<Option<Item>>, Failed> {
        let batches = keys.chunks(BATCH_GET_MAX);
        let found = try_join_all(batches.map(|keys| self.get_batch(request, keys, is_consistent)));
        let mut found: HashMap<Key, Item> = found.await?.into_iter().flatten().collect();
        Ok(keys.iter().map(|key| found.remove(key)).collect())
    }

    async fn get_batch(
        &self,
        request: Request,
        keys: &[Key],
        is_consistent: bool,
    ) -> Result<Vec<(Key, Item)>, Failed> {
        let mut wanted: Vec<Item> = keys.iter().map(Key::attributes).collect();
        let mut found = Vec::with_capacity(keys.len());
        let mut pauses = Pauses::begin();
        while !wanted.is_empty() {
            let (now, undone) = self.faults.undone(wanted);
            wanted = undone;
            if !now.is_empty() {
                let (items, rest) = self.get_some(request, now, is_consistent).await?;
                for item in items {
                    found.push((item.key()?, item));
                }
                wanted.extend(rest);
            }
            if !wanted.is_empty() {
                pauses.pause_or(|| Failed::Busy("keys were left undone".to_owned())).await?;
            }
        }
        Ok(found)
    }

    /// One `BatchGetItem`: what it found, and the keys that it left undone.
    async fn get_some(
        &self,
        request: Request,
        keys: Vec<Item>,
        is_consistent: bool,
    ) -> Result<(Vec<Item>, Vec<Item>), Failed> {
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(is_consistent)
            .build()
            .map_err(|error| Failed::corrupt(error.to_string()))?;
        debug_assert!(request.is_by("BatchGetItem"), "{request:?}");
        let get = || async {
            let send = self
                .sdk
                .batch_get_item()
                .request_items(&self.table, keys.clone())
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send();
            let found = self.attempt(request, false, send).await?;
            self.count_reads(request, found.consumed_capacity());
            let items = found.responses.and_then(|mut all| all.remove(&self.table));
            let rest = found.unprocessed_keys.and_then(|mut all| all.remove(&self.table));
            let items = items.unwrap_or_default();
            self.meter.items(request, items.len(), items.len());
            Ok((items, rest.map(|rest| rest.keys).unwrap_or_default()))
        };
        self.read(get).await
    }

    /// Reads items as they stand at one instant, in the order of their keys; `None` where there is
    /// none. At most 100.
    pub(crate) async fn read_at_once(
        &self,
        request: Request,
        keys: &[Key],
    ) -> Result<Vec<Option<Item>>, Failed> {
        let get = |key: &Key| {
            let get =
                Get::builder().table_name(&self.table).set_key(Some(key.attributes())).build();
            let get = get.map_err(|error| Failed::corrupt(error.to_string()))?;
            Ok(TransactGetItem::builder().get(get).build())
        };
        debug_assert!(request.is_by("TransactGetItems"), "{request:?}");
        let items = keys.iter().map(get).collect::<Result<Vec<_>, Failed>>()?;
        let read = || async {
            let send = self
                .sdk
                .transact_get_items()
                .set_transact_items(Some(items.clone()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send();
            let found = self.attempt_transaction(request, send).await?;
            self.count_reads(request, found.consumed_capacity());
            let items = found.responses.unwrap_or_default();
            self.meter.items(request, items.len(), items.len());
            Ok(items.into_iter().map(|one| one.item.filter(|item| !item.is_empty())).collect())
        };
        self.read(read).await
    }

    /// Reads the items of a query in order, consistently unless it is one of the index.
    pub(crate) async fn query(&self, request: Request, query: &Query) -> Result<Vec<Item>, Failed> {
        let mut found = Vec::new();
        let mut next = None;
        if query.from > query.to || query.limit == Some(0) {
            return Ok(found);
        }
        loop {
            let limit = query.limit.map(|limit| limit - found.len());
            let (items, rest) = self.query_page(request, query, limit, next).await?;
            found.extend(items);
            let is_full = query.limit.is_some_and(|limit| found.len() >= limit);
            match rest {
                Some(rest) if !is_full => next = Some(rest),
                _ => return Ok(found),
            }
        }
    }

    /// One page of a query, and where the next begins.
    async fn query_page(
        &self,
        request: Request,
        query: &Query,
        limit: Option<usize>,
        next: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), Failed> {
        let (pk, sk) = if query.is_index { (INDEX_PK, INDEX_SK) } else { (PK, SK) };
        debug_assert!(request.is_by(query.operation()), "{request:?}");
        let limit = limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX));
        let ask = || async {
            let send = self
                .sdk
                .query()
                .table_name(&self.table)
                .set_index_name(query.is_index.then(|| INDEX.to_owned()))
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
                .expression_attribute_names("#pk", pk)
                .expression_attribute_names("#sk", sk)
                .expression_attribute_values(":pk", text(&query.pk))
                .expression_attribute_values(":from", text(&query.from))
                .expression_attribute_values(":to", text(&query.to))
                .scan_index_forward(!query.is_backwards)
                .consistent_read(!query.is_index)
                .set_limit(limit)
                .set_exclusive_start_key(next.clone())
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send();
            let found = self.attempt(request, false, send).await?;
            self.count_reads(request, found.consumed_capacity());
            self.meter.items(request, count(found.scanned_count), count(found.count));
            let rest = found.last_evaluated_key.filter(|key| !key.is_empty());
            Ok((found.items.unwrap_or_default(), rest))
        };
        self.read(ask).await
    }

    /// Makes all of these changes or none. Nothing of it is repeated after a lost answer.
    pub(crate) async fn transact(
        &self,
        request: Request,
        writes: Vec<Write>,
    ) -> Result<(), Failed> {
        let items = self.build(writes)?;
        self.repeat(false, || self.try_transact(request, &items)).await
    }

    /// The same without repetitions.
    pub(crate) async fn transact_once(
        &self,
        request: Request,
        writes: Vec<Write>,
    ) -> Result<(), Failed> {
        let items = self.build(writes)?;
        Ok(self.try_transact(request, &items).await?)
    }

    fn build(&self, writes: Vec<Write>) -> Result<Vec<TransactWriteItem>, Failed> {
        writes.into_iter().map(|write| write.build(&self.table)).collect()
    }

    async fn try_transact(
        &self,
        request: Request,
        items: &[TransactWriteItem],
    ) -> Result<(), Trouble> {
        debug_assert!(request.is_by("TransactWriteItems"), "{request:?}");
        let send = self
            .sdk
            .transact_write_items()
            .set_transact_items(Some(items.to_vec()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        let wrote = self.attempt_transaction(request, send).await?;
        self.count_writes(request, wrote.consumed_capacity());
        Ok(())
    }

    /// Writes or deletes items, each by itself and whatever is there: doing it twice is doing it once.
    pub(crate) async fn batch_write(
        &self,
        request: Request,
        items: Vec<WriteRequest>,
    ) -> Result<(), Failed> {
        let batches = items.chunks(BATCH_WRITE_MAX).map(<[WriteRequest]>::to_vec);
        let writes = batches.map(|batch| Ok(self.write_batch(request, batch)));
        stream::iter(writes).try_buffer_unordered(BATCHES_MAX).try_collect().await
    }

    async fn write_batch(
        &self,
        request: Request,
        mut batch: Vec<WriteRequest>,
    ) -> Result<(), Failed> {
        let mut pauses = Pauses::begin();
        while !batch.is_empty() {
            let (now, undone) = self.faults.undone(batch);
            batch = undone;
            if !now.is_empty() {
                batch.extend(self.write_some(request, now).await?);
            }
            if !batch.is_empty() {
                pauses.pause_or(|| Failed::Unknown("items were left undone".to_owned())).await?;
            }
        }
        Ok(())
    }

    /// One `BatchWriteItem`: what it left undone.
    async fn write_some(
        &self,
        request: Request,
        items: Vec<WriteRequest>,
    ) -> Result<Vec<WriteRequest>, Failed> {
        debug_assert!(request.is_by("BatchWriteItem"), "{request:?}");
        let limits = limits_of(BATCH_TIMEOUT);
        let write = || async {
            let send = self
                .sdk
                .batch_write_item()
                .request_items(&self.table, items.clone())
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .customize()
                .config_override(Config::builder().timeout_config(limits.clone()))
                .send();
            let wrote = self.attempt(request, false, send).await?;
            self.count_writes(request, wrote.consumed_capacity());
            let rest = wrote.unprocessed_items.and_then(|mut all| all.remove(&self.table));
            Ok(rest.unwrap_or_default())
        };
        self.repeat(true, write).await
    }

    /// Reads until there is an answer or the time is up. Whatever became of a read, nothing was changed.
    async fn read<T, F>(&self, once: impl FnMut() -> F) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        self.repeat(true, once).await.map_err(|failed| match failed {
            Failed::Unknown(words) => Failed::Busy(words),
            failed => failed,
        })
    }

    /// Attempts until it succeeds, or cannot, or the time is up; none if the table is out of reach.
    async fn repeat<T, F>(&self, is_idempotent: bool, once: impl FnMut() -> F) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let answers = self.reach.check()?;
        let done = repeated(is_idempotent, once).await;
        if let Err(trouble @ Trouble::Silent { words, .. }) = &done
            && trouble.is_worth_repeating(is_idempotent)
            && self.reach.lose(answers, words)
        {
            self.look_out();
        }
        Ok(done?)
    }

    /// Asks the table again and again until it answers or this is dropped.
    fn look_out(&self) {
        let (sdk, table, meter) = (self.sdk.clone(), self.table.clone(), Arc::clone(&self.meter));
        let reach = Arc::downgrade(&self.reach);
        tokio::spawn(async move {
            while reach.upgrade().is_some_and(|reach| reach.is_lost()) {
                sleep(BACK_POLL).await;
                meter.call(Request::ReadMeta);
                let ask = sdk.get_item().table_name(&table);
                let asked = ask.set_key(Some(keys::meta().attributes())).send().await;
                let is_silent =
                    asked.is_err_and(|error| matches!(Trouble::of(&error), Trouble::Silent { .. }));
                if let Some(reach) = reach.upgrade().filter(|_| !is_silent) {
                    reach.answered();
                }
            }
        });
    }

    /// Sends a request once, if the fault layer lets it through.
    async fn attempt<T, E>(
        &self,
        request: Request,
        is_transaction: bool,
        send: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, Trouble>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.faulty(request, is_transaction, async {
            send.await.map_err(|error| Trouble::of(&error))
        })
        .await
    }

    /// The same for a transaction, whose refusal has a reason for each item.
    async fn attempt_transaction<T, E>(
        &self,
        request: Request,
        send: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, Trouble>
    where
        E: Cancelled + ProvideErrorMetadata + std::error::Error + 'static,
    {
        let send = async {
            send.await.map_err(|error| {
                let trouble = Trouble::of(&error);
                let reasons = error.as_service_error().and_then(Cancelled::reasons);
                reasons.map_or(trouble, |reasons| Trouble::of_reasons(reasons.to_vec()))
            })
        };
        self.faulty(request, true, send).await
    }

    async fn faulty<T>(
        &self,
        request: Request,
        is_transaction: bool,
        send: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        let (fault, latency) = self.faults.next(is_transaction);
        if !latency.is_zero() {
            sleep(latency).await;
        }
        self.meter.call(request);
        let words = || format!("injected into {request:?}");
        match fault {
            None => {
                let answer = send.await;
                if !matches!(answer, Err(Trouble::Silent { .. })) {
                    self.reach.answered();
                }
                answer
            }
            Some(Fault::Throttled | Fault::Conflict) => Err(Trouble::Busy(words())),
            Some(Fault::UnknownLost | Fault::Error) => Err(Trouble::Unknown(words())),
            Some(Fault::UnknownMade) => send.await.and(Err(Trouble::Unknown(words()))),
        }
    }

    fn count_reads<'a>(
        &self,
        request: Request,
        consumed: impl IntoIterator<Item = &'a ConsumedCapacity>,
    ) {
        self.meter.read(request, units(consumed));
    }

    fn count_writes<'a>(
        &self,
        request: Request,
        consumed: impl IntoIterator<Item = &'a ConsumedCapacity>,
    ) {
        self.meter.wrote(request, units(consumed));
    }
}

fn limits_of(attempt: Duration) -> TimeoutConfig {
    let limits = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT);
    limits.operation_attempt_timeout(attempt).build()
}

/// An error of a transaction, which may say what it has against each item.
trait Cancelled {
    fn reasons(&self) -> Option<&[CancellationReason]>;
}

impl Cancelled for TransactWriteItemsError {
    fn reasons(&self) -> Option<&[CancellationReason]> {
        match self {
            Self::TransactionCanceledException(cancelled) => Some(cancelled.cancellation_reasons()),
            _ => None,
        }
    }
}

impl Cancelled for TransactGetItemsError {
    fn reasons(&self) -> Option<&[CancellationReason]> {
        match self {
            Self::TransactionCanceledException(cancelled) => Some(cancelled.cancellation_reasons()),
            _ => None,
        }
    }
}

fn count(items: i32) -> usize {
    usize::try_from(items).unwrap_or_default()
}

fn units<'a>(consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) -> f64 {
    consumed.into_iter().filter_map(ConsumedCapacity::capacity_units).sum()
}
