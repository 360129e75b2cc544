//! The catalogue, the state and the reports on MySQL or MariaDB, for any number of nodes.
//!
//! # How a commit gets its speed
//!
//! Every transaction of the state, of every node, first locks one row. So they take turns: nothing
//! can deadlock, what is read inside is current, and the journal's order is the order of the commits.
//! Each node has one writer, which commits whatever waits as one transaction with a constant number
//! of round trips ([`writer`]); a hundred callers share the price of one. Guards are checked on what
//! was read under the lock ([`books`]), and stand in the statements as well. Reads go to sessions of
//! their own and take no lock ([`readers`]).
//!
//! # What is guaranteed
//!
//! - An answer is sent after the `COMMIT` is on the server's disk; a read after it sees it. Servers
//!   that are set to lose commits are refused ([`server`]).
//! - A refused change writes nothing, and disturbs nobody who shares its group.
//! - A lost connection is looked into before anybody is answered: what was committed is said to be,
//!   and what cannot be found out in time is [`store::StoreError::Unknown`].
//! - Every wait has a limit ([`options`]). While the database does not answer, calls are refused at
//!   once ([`gate`]).
//! - A migration that was killed anywhere is taken up by the next one ([`mod@migrate`]).
//!
//! # What it does not do
//!
//! It is not for Galera or any other server that writes in several places: row locks do not reach
//! across. It reads from the primary only, because a replica may be behind an acknowledged commit.
//! It never deletes journal records.
//!
//! `docs/mysql.md` is for operators; why there is one order and not many is in ADR 0011.

mod ask;
mod books;
mod budgets;
mod catalog;
mod checks;
mod codec;
mod connect;
mod error;
mod explain;
mod gate;
mod grants;
mod identity;
mod journal;
mod migrate;
mod options;
mod outbox;
mod readers;
mod reports;
mod server;
mod sql;
mod steps;
mod transfer;
mod users;
mod writer;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use store::{MarkGiver, StoreError};

pub use checks::{Check, are_one, checks};
pub use error::OpenError;
pub use explain::explain;
pub use migrate::{Migrated, SCHEMA_VERSION, migrate};
pub use options::{GROUP_MAX_DEFAULT, Options, READERS_DEFAULT};
pub use sql::{STATEMENTS, Statement};

use catalog::EditsSeen;
use connect::{Connector, Role, Session};
use gate::Gate;
use readers::Readers;
use writer::{Queue, Work};

/// All ports on one database.
#[derive(Debug)]
pub struct MysqlStore {
    readers: Readers,
    marks: MarkGiver,
    edits_seen: EditsSeen,
    /// Whether the order of the journal is total, as the database says.
    has_total_order: AtomicBool,
    /// `None` if the store was opened only for reading.
    queue: Option<Queue>,
}

impl MysqlStore {
    /// Opens the store at `url`, `mysql://user:password@host:port/database?ssl-mode=…`.
    ///
    /// # Errors
    /// Nobody answers or lets us in, the server may lose commits, or the schema is another one.
    pub async fn connect(url: &str, options: Options) -> Result<Self, OpenError> {
        let connector = Connector::parse(url)?;
        let mut session = connector.open_first(Role::Reader).await?;
        server::check(&mut session, &options).await?;
        migrate::check_version(&mut session).await?;
        let has_total_order = order_in(&connector, &mut session).await?;
        let gate = Arc::new(Gate::new());
        let queue = Queue::start(connector.clone(), Arc::clone(&gate), options.group_max).await;
        let queue = queue.map_err(|failure| connector.refusal(failure))?;
        let readers = Readers::pool(connector, gate, options.readers);
        Ok(Self::on(readers, has_total_order, Some(queue)))
    }

    /// Opens the store at `url` as it is at this moment: whatever is committed meanwhile is not seen,
    /// so what is read fits together. Every write answers as unavailable.
    ///
    /// The server keeps every row that is changed for as long as the view is open, so close it soon.
    ///
    /// # Errors
    /// Nobody answers or lets us in, or the schema is another one.
    pub async fn open_view(url: &str) -> Result<Self, OpenError> {
        let connector = Connector::parse(url)?;
        let mut session = connector.open_first(Role::View).await?;
        migrate::check_version(&mut session).await?;
        let begun = session.plain(sql::BEGIN_VIEW, options::POINT_MAX).await;
        begun.map_err(|failure| connector.refusal(failure))?;
        let has_total_order = order_in(&connector, &mut session).await?;
        Ok(Self::on(Readers::view(session), has_total_order, None))
    }

    fn on(readers: Readers, has_total_order: AtomicBool, queue: Option<Queue>) -> Self {
        let (marks, edits_seen) = (MarkGiver::new(), EditsSeen::default());
        Self { readers, marks, edits_seen, has_total_order, queue }
    }

    fn readers(&self) -> &Readers {
        &self.readers
    }

    /// Has the writer do some work, and waits until it is durable or refused.
    async fn ask<W: Work>(&self, work: W) -> Result<W::Answer, StoreError> {
        match &self.queue {
            Some(queue) => queue.ask(work).await,
            None => Err(StoreError::Unavailable("the store is open only for reading".to_owned())),
        }
    }
}

/// Whether the order of the journal is total, for a store that is being opened.
async fn order_in(connector: &Connector, session: &mut Session) -> Result<AtomicBool, OpenError> {
    let is_total = readers::has_total_order(session).await;
    is_total.map(AtomicBool::new).map_err(|failure| connector.refusal(failure))
}
