//! Every kind of request this crate makes, so that each one's pattern and price can be shown.
//!
//! Prices are units of on-demand capacity: a consistent read takes one for each begun 4 KB (of an
//! item, or of all that a query meets), a read of the index half of that, a write one for each begun
//! KB, and twice that within a transaction. The index takes one more for each entry that comes, and
//! one for each that goes. A test counts what a server reports and holds the code to this table.

use std::sync::atomic::{AtomicU64, Ordering};

/// A kind of request as `docs/dynamodb.md` lists it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestInfo {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// The operation of DynamoDB.
    pub operation: &'static str,
    /// The keys that it names.
    pub keys: &'static str,
    /// The units that it takes.
    pub units: &'static str,
}

macro_rules! requests {
    ($($(#[doc = $doc:literal])* $name:ident = $operation:literal, $keys:literal, $units:literal;)*) => {
        /// A kind of request.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub(crate) enum Request { $($(#[doc = $doc])* $name,)* }

        impl Request {
            fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// Whether the list says that it is made by that operation.
            pub(crate) fn is_by(self, operation: &str) -> bool {
                REQUESTS[self as usize].operation == operation
            }
        }

        /// Every kind of request, in the order of the ports.
        pub const REQUESTS: &[RequestInfo] = &[$(RequestInfo {
            name: stringify!($name),
            purpose: concat!($($doc),*),
            operation: $operation,
            keys: $keys,
            units: $units,
        }),*];
    };
}

requests! {
    /// The one read of a request.
    LoadUser = "Query", "`U#prefix`, `S#suffix#…`", "1 read for each 4 KB of state";
    /// A group of commits, traces and limits.
    WriteGroup = "TransactWriteItems",
        "`H#shard`, `J#shard#…`; for each change the state, the record, its deliveries and its \
         list entry; the budget slots",
        "2 writes for each KB of each item; 1 for each new entry of the index";
    /// What became of a group whose answer was lost.
    ReadGroup = "GetItem", "`J#shard#…`, the group", "1 read for each 4 KB";
    /// Where a shard stands, after another node has written to it.
    ReadHead = "GetItem", "`H#shard`", "1 read";
    /// A page of a user's records.
    ReadLedger = "Query", "`U#prefix`, `R#suffix#…`, backwards", "1 read for each 4 KB of records";
    /// Who is due, by shard.
    DueUsers = "Query on `due`", "`U#shard`, up to now", "half a read for each 4 KB of entries";
    /// The users of a prefix.
    FindUsers = "Query", "`U#prefix`, `S#…`", "1 read for each 4 KB of state";
    /// A page of the directory of users.
    ScanUsers = "Query", "`K#digit`, after a key", "1 read for each 4 KB of entries";
    /// The states of up to 100 users.
    ReadUsers = "BatchGetItem", "`U#prefix`, `S#suffix#…`", "1 read for each 4 KB of each state";
    /// A budget as it stands at one instant: when a lane does not know it, and before anybody is
    /// refused for it.
    ReadBudget = "TransactGetItems", "`B#line item`: `L` and each `S#slot`; old days where needed",
        "2 reads an item";
    /// Everybody else is asked for quiet, when all slots of a busy budget are to be written.
    AskForQuiet = "TransactWriteItems", "`B#line item`, each `S#slot` by itself", "2 writes a slot";
    /// A budget with all its days, for a look.
    LookAtBudget = "Query", "`B#line item`", "1 read for each 4 KB";
    /// The slots of many budgets, for a look.
    ReadSlots = "BatchGetItem", "`B#line item`: `L` and each `S#slot`", "1 read an item";
    /// The version of a user, before he is refused because of a budget.
    ReadVersion = "GetItem", "`U#prefix`, `S#suffix#00`", "1 read for each 4 KB of state";
    /// The directory of budgets.
    ListBudgets = "Query", "`B`", "1 read for each 4 KB of entries";
    /// Which budgets have changed, by shard.
    ReadShards = "BatchGetItem", "each `H#shard`", "1 read for each shard";
    /// Where every shard stands and how far they are merged.
    ReadHeads = "BatchGetItem", "`M` and each `H#shard`", "1 read for each shard, and 1";
    /// Places for what is new.
    WriteMerge = "TransactWriteItems",
        "`M`: head and entry; `M#shard` for each shard with news",
        "4 writes, and 2 for each shard with news";
    /// Which runs a place or a position is in.
    FindRun = "Query",
        "`M`, `E#place` or `M#shard`, the latest before; or from a place",
        "1 read for each 4 KB";
    /// Whose the records of a run are.
    ReadGroups = "Query", "`J#shard#…`, from a group", "1 read for each 4 KB of groups";
    /// Whose imported records are.
    ReadImported = "Query", "`JI#…`, from a place", "1 read for each 4 KB of entries";
    /// Records by user and position.
    ReadRecords = "BatchGetItem", "`U#prefix`, `R#suffix#…`",
        "half a read for each 4 KB of each record; again, whole, for one that was just written";
    /// What is due first, by shard and endpoint.
    FindDue = "Query on `due`", "`D#shard`, from an endpoint", "half a read for each 4 KB of entries";
    /// A delivery with what hangs on it.
    ReadFamily = "Query", "`U#prefix`, `D#id…`", "1 read for each 4 KB";
    /// Deliveries by id.
    ReadDeliveries = "BatchGetItem", "`U#prefix`, `D#id`", "1 read for each 4 KB of each delivery";
    /// Leases, settlements and replays.
    WriteDeliveries = "TransactWriteItems", "`Q#shard`, and `U#prefix`, `D#id` for each delivery",
        "2 writes, and 2 for each KB of each delivery; 1 or 2 for each that moves in the index";
    /// A page of an endpoint's list, by shard.
    ListDeliveries = "Query", "`A#app#mode#shard`, after a spot", "1 read for each 4 KB of entries";
    /// Deliveries of a state that is not the usual end, by shard.
    FindDeliveries = "Query on `due`", "`D#shard` or `P#shard`, an endpoint",
        "half a read for each 4 KB of entries";
    /// How many deliveries are in each state.
    ReadCounts = "BatchGetItem", "each `H#shard` and `Q#shard`", "2 reads for each shard";
    /// The layout and the number of shards; and whether a table that was out of reach is back.
    ReadMeta = "GetItem", "`META`", "1 read";
    /// What every other item stands on.
    WriteMeta = "TransactWriteItems", "`META`, `M`, each `H#shard` and `Q#shard`",
        "4 writes, and 4 for each shard";
    /// A run of a mover has the store.
    TakeOver = "TransactWriteItems", "`META`, and each `H#shard` and `Q#shard` by itself",
        "2 writes, and 4 for each shard";
    /// A change of the phase.
    WritePhase = "TransactWriteItems", "`META`, each `H#shard` and `Q#shard`, at once or one by one",
        "2 writes, and 4 for each shard";
    /// Which state the table has.
    WriteIdentity = "TransactWriteItems", "`META`", "2 writes";
    /// How far a mover was told who was touched.
    ReadNotes = "GetItem", "`T#run`, a place", "1 read";
    /// The same, for the next time.
    WriteNotes = "TransactWriteItems", "`T#run`, a place", "2 writes";
    /// What a move has copied in becomes readable.
    WriteImport = "TransactWriteItems", "`META`, `M` and each `H#shard` with deliveries",
        "4 writes, and 2 for each such shard";
    /// Rows that a move copies in and that nothing changes later.
    Import = "BatchWriteItem", "records, and the directories of records and users",
        "1 write for each KB of each item";
    /// Rows that a move copies in and that are changed later, so that none may come late.
    ImportFenced = "TransactWriteItems", "`H#shard` and users or deliveries; `META` and budgets",
        "2 writes, and 2 for each KB of each item; 1 for each new entry of the index";
}

/// What was asked of the server so far, by kind.
#[derive(Debug)]
pub struct Meter {
    kinds: Vec<Kind>,
}

#[derive(Debug, Default)]
struct Kind {
    calls: AtomicU64,
    met: AtomicU64,
    found: AtomicU64,
    read_halves: AtomicU64,
    write_halves: AtomicU64,
}

/// The sums of one kind of request.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Consumed {
    /// Requests that were sent, repetitions included.
    pub calls: u64,
    /// Items that reads have met.
    pub met: u64,
    /// Items that they have given back: fewer, if something was left out.
    pub found: u64,
    /// Read units, as far as the server reports them.
    pub reads: f64,
    /// Write units, as far as the server reports them.
    pub writes: f64,
}

impl Default for Meter {
    fn default() -> Self {
        Self { kinds: REQUESTS.iter().map(|_| Kind::default()).collect() }
    }
}

/// Requests that were sent to DynamoDB, repetitions included, by `request`.
const CALLS: &str = "guerdon_dynamo_requests_total";
/// Read units that DynamoDB has reported, by `request`; a half is told with the next one.
const READ_UNITS: &str = "guerdon_dynamo_read_units_total";
/// Write units that DynamoDB has reported, by `request`.
const WRITE_UNITS: &str = "guerdon_dynamo_write_units_total";

impl Meter {
    pub(crate) fn call(&self, request: Request) {
        self.kind(request).calls.fetch_add(1, Ordering::Relaxed);
        metrics::counter!(CALLS, "request" => request.name()).increment(1);
    }

    pub(crate) fn read(&self, request: Request, units: f64) {
        let whole = add(&self.kind(request).read_halves, units);
        metrics::counter!(READ_UNITS, "request" => request.name()).increment(whole);
    }

    /// Items that a read has met, and how many of them came back.
    pub(crate) fn items(&self, request: Request, met: usize, found: usize) {
        self.kind(request).met.fetch_add(met as u64, Ordering::Relaxed);
        self.kind(request).found.fetch_add(found as u64, Ordering::Relaxed);
    }

    pub(crate) fn wrote(&self, request: Request, units: f64) {
        let whole = add(&self.kind(request).write_halves, units);
        metrics::counter!(WRITE_UNITS, "request" => request.name()).increment(whole);
    }

    fn kind(&self, request: Request) -> &Kind {
        &self.kinds[request as usize]
    }

    /// The sums by kind, in the order of [`REQUESTS`].
    #[must_use]
    pub fn by_kind(&self) -> Vec<(&'static str, Consumed)> {
        let names = REQUESTS.iter().map(|info| info.name);
        names.zip(self.kinds.iter().map(Kind::consumed)).collect()
    }

    /// The sums over all kinds.
    #[must_use]
    pub fn total(&self) -> Consumed {
        let kinds = self.kinds.iter().map(Kind::consumed);
        kinds.fold(Consumed::default(), |sum, one| Consumed {
            calls: sum.calls + one.calls,
            met: sum.met + one.met,
            found: sum.found + one.found,
            reads: sum.reads + one.reads,
            writes: sum.writes + one.writes,
        })
    }

    /// Starts again from 0.
    pub fn reset(&self) {
        for kind in &self.kinds {
            let Kind { calls, met, found, read_halves, write_halves } = kind;
            for sum in [calls, met, found, read_halves, write_halves] {
                sum.store(0, Ordering::Relaxed);
            }
        }
    }
}

impl Kind {
    fn consumed(&self) -> Consumed {
        let units = |halves: &AtomicU64| halves.load(Ordering::Relaxed) as f64 / 2.0;
        Consumed {
            calls: self.calls.load(Ordering::Relaxed),
            met: self.met.load(Ordering::Relaxed),
            found: self.found.load(Ordering::Relaxed),
            reads: units(&self.read_halves),
            writes: units(&self.write_halves),
        }
    }
}

/// Adds to a sum of halves, and says how many whole units it has more than before.
fn add(sum: &AtomicU64, units: f64) -> u64 {
    let halves = halves(units);
    let before = sum.fetch_add(halves, Ordering::Relaxed);
    (before + halves) / 2 - before / 2
}

/// Units are whole or half; halves add up exactly.
fn halves(units: f64) -> u64 {
    (units * 2.0).round() as u64
}
