//! How many bookings a second one line item takes, on a real server that loses nothing:
//! `cargo run --release -p store-mysql --example hot_line_item -- [CALLERS] [SECONDS]`.
//!
//! Every caller books for users of its own, all of one line item, each as soon as its last booking
//! is durable: a state, a record, a guarded budget move and a delivery in one commit.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use services::MariaDb;
use store::contract::sample::{self, Draft, LINE_ITEM, NOW};
use store::{Budgets as _, Journal as _, Outcome, Users as _};
use store_mysql::{MysqlStore, Options, migrate};

/// Callers at once unless told otherwise.
const CALLERS: usize = 64;
/// How long it goes on unless told otherwise.
const SECONDS: u64 = 10;

type Failed = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let callers = arguments.next().map_or(Ok(CALLERS), |one| one.parse())?;
    let seconds = arguments.next().map_or(Ok(SECONDS), |one| one.parse())?;
    let server = MariaDb::start()?;
    let url = server.url("hot");
    migrate(&url, Options::default(), &mut |_| {}).await?;
    let store = Arc::new(MysqlStore::connect(&url, Options::default()).await?);
    store.set_limits(LINE_ITEM, sample::limits(i64::MAX / 2), NOW).await?;
    let begun = Instant::now();
    let took = book(&store, callers, Duration::from_secs(seconds)).await?;
    let run = Run { callers, took, time: begun.elapsed() };
    report(&server, &store, &run).await
}

/// What came of it.
struct Run {
    callers: usize,
    /// How long each booking took, in order.
    took: Vec<Duration>,
    time: Duration,
}

/// Books until the time is over, and gives how long each booking took, in order.
async fn book(
    store: &Arc<MysqlStore>,
    callers: usize,
    time: Duration,
) -> Result<Vec<Duration>, Failed> {
    let until = Instant::now() + time;
    let calls = (0..callers).map(|caller| tokio::spawn(call(Arc::clone(store), caller, until)));
    let mut took = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        took.extend(call.await??);
    }
    took.sort_unstable();
    Ok(took)
}

async fn call(
    store: Arc<MysqlStore>,
    caller: usize,
    until: Instant,
) -> Result<Vec<Duration>, Failed> {
    let mut took = Vec::new();
    while Instant::now() < until {
        let user = sample::user(&format!("{caller} {}", took.len()));
        let change = Draft::of(&user, NOW).grant(1).moving(sample::hold(1)).change();
        let begun = Instant::now();
        match store.commit(change).await? {
            Outcome::Applied(_) => took.push(begun.elapsed()),
            other => return Err(format!("a booking was refused: {other:?}").into()),
        }
    }
    Ok(took)
}

async fn report(server: &MariaDb, store: &MysqlStore, run: &Run) -> Result<(), Failed> {
    let Run { callers, took, time } = run;
    let level = store.level(LINE_ITEM).await?.ok_or("the budget is gone")?;
    let booked = took.len();
    if level.total.held.0 != booked as i64 || store.head().await? != booked as u64 + 1 {
        return Err(format!("{booked} were acknowledged, and the budget says {level:?}").into());
    }
    let of = |part: f64| took.get((booked as f64 * part) as usize).copied().unwrap_or_default();
    let groups: f64 = server.sql("SELECT MAX(group_no) FROM hot.writers")?.trim().parse()?;
    let settings = server.sql(
        "SELECT CONCAT_WS(', ', VERSION(), CONCAT('sync_binlog=', @@sync_binlog), \
         CONCAT('innodb_flush_log_at_trx_commit=', @@innodb_flush_log_at_trx_commit), \
         CONCAT('binlog_format=', @@binlog_format))",
    )?;
    let seconds = time.as_secs_f64();
    let mut out = std::io::stdout();
    writeln!(out, "{}", settings.trim())?;
    writeln!(out, "{callers} callers, {booked} bookings, {:.0}/s", booked as f64 / seconds)?;
    writeln!(
        out,
        "{:.1} bookings a group, {:.0} groups/s",
        booked as f64 / groups,
        groups / seconds
    )?;
    writeln!(out, "p50 {:.1?}, p99 {:.1?}", of(0.5), of(0.99))?;
    Ok(())
}
