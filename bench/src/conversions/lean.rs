//! The lean loop: what the leanest layout on SQLite can do on this machine, without HTTP and rules.
//!
//! It has the seeded users, one value each, that is read, changed and written back; a journal of
//! which one record is appended for each change; and budgets, of which each that is touched is
//! written once for a group. Values and records are as long as Guerdon's own. SQLite is set as the
//! store sets it, and each group is on disk before the next one begins.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, params};

use crate::feed::Draw;
use crate::measure::Spread;

/// As the store sets SQLite.
const SETTINGS: &str = "
    PRAGMA page_size = 4096;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4096;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -65536;
    PRAGMA temp_store = MEMORY;
";
const LAYOUT: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,
        version INTEGER NOT NULL, state BLOB NOT NULL) STRICT;
    CREATE TABLE journal (seq INTEGER PRIMARY KEY, user BLOB NOT NULL, body BLOB NOT NULL) STRICT;
    CREATE TABLE budgets (line_item INTEGER PRIMARY KEY, booked INTEGER NOT NULL) STRICT;
    INSERT INTO users SELECT id, key, version, state FROM seeded.users;
    INSERT INTO budgets SELECT line_item, booked FROM seeded.budgets;
";
/// Records whose usual length is that of a conversion: the newest that carry a message.
const RECORD_BYTES: &str = "SELECT CAST(avg(length(body)) AS INTEGER) FROM \
    (SELECT body FROM seeded.journal WHERE messages > 0 ORDER BY seq DESC LIMIT 1000)";
/// Groups after which the pages of the log are counted.
const COUNTED: u32 = 200;

/// The loop on a database of its own.
pub(super) struct Lean {
    conn: Connection,
    keys: Vec<[u8; 16]>,
    line_items: Vec<i64>,
    record: Vec<u8>,
    seq: i64,
    draw: Draw,
}

impl Lean {
    /// Makes the database in a folder, from the one of a stopped server there.
    pub(super) fn beside(folder: &Path) -> Result<Self> {
        let conn = Connection::open(folder.join("lean.db"))?;
        conn.execute_batch(SETTINGS)?;
        let seeded = folder.join("guerdon.db");
        let seeded = seeded.to_str().context("the folder's name is not UTF-8")?;
        conn.execute("ATTACH ?1 AS seeded", [seeded])?;
        let bytes: u32 = conn.query_row(RECORD_BYTES, [], |row| row.get(0))?;
        conn.execute_batch(LAYOUT)?;
        conn.execute_batch("DETACH seeded")?;
        checkpoint(&conn, "TRUNCATE")?;
        let keys = column(&conn, "SELECT key FROM users")?;
        let line_items = column(&conn, "SELECT line_item FROM budgets")?;
        let record = vec![b'x'; bytes as usize];
        Ok(Self { conn, keys, line_items, record, seq: 0, draw: Draw::new() })
    }

    /// Bytes of a record.
    pub(super) fn record_bytes(&self) -> usize {
        self.record.len()
    }

    /// Changes a second in groups of that size, several times after a run that warms up.
    pub(super) fn rate(&mut self, group: usize, lasts: Duration, runs: usize) -> Result<Spread> {
        let mut rates = Vec::new();
        for _ in 0..=runs {
            let (begun, mut changes) = (Instant::now(), 0);
            while begun.elapsed() < lasts {
                self.group(group)?;
                changes += group;
            }
            rates.push(changes as f64 / begun.elapsed().as_secs_f64());
        }
        let kept: i64 =
            self.conn.query_row("SELECT count(*) FROM journal", [], |row| row.get(0))?;
        ensure!(kept == self.seq, "{kept} of {} changes were kept", self.seq);
        Ok(Spread::of(rates[1..].iter().copied()))
    }

    /// Pages that a group of one writes to the log.
    pub(super) fn pages_alone(&mut self) -> Result<f64> {
        checkpoint(&self.conn, "TRUNCATE")?;
        for _ in 0..COUNTED {
            self.group(1)?;
        }
        Ok(f64::from(checkpoint(&self.conn, "PASSIVE")?) / f64::from(COUNTED))
    }

    fn group(&mut self, size: usize) -> Result<()> {
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut touched = BTreeMap::new();
        for _ in 0..size {
            self.change()?;
            let line_item = self.line_items[self.draw.below(self.line_items.len())];
            *touched.entry(line_item).or_insert(0) += 1;
        }
        let book = "UPDATE budgets SET booked = booked + ?2 WHERE line_item = ?1";
        for (line_item, times) in touched {
            self.conn.prepare_cached(book)?.execute(params![line_item, times])?;
        }
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// One user's value is read, changed and written back, and a record is appended.
    fn change(&mut self) -> Result<()> {
        let key = self.keys[self.draw.below(self.keys.len())];
        let read = "SELECT id, version, state FROM users WHERE key = ?1";
        let mut read = self.conn.prepare_cached(read)?;
        let (id, version, mut state): (i64, i64, Vec<u8>) =
            read.query_row([&key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        state.iter_mut().for_each(|byte| *byte = byte.wrapping_add(1));
        let write = "UPDATE users SET version = ?2, state = ?3 WHERE id = ?1";
        self.conn.prepare_cached(write)?.execute(params![id, version + 1, state])?;
        self.seq += 1;
        let append = "INSERT INTO journal (seq, user, body) VALUES (?1, ?2, ?3)";
        self.conn.prepare_cached(append)?.execute(params![self.seq, key, self.record])?;
        Ok(())
    }
}

/// Moves the log into the file; pages that were in it.
fn checkpoint(conn: &Connection, how: &str) -> Result<u32> {
    Ok(conn.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| row.get(1))?)
}

fn column<T: rusqlite::types::FromSql>(conn: &Connection, select: &str) -> Result<Vec<T>> {
    let mut select = conn.prepare(select)?;
    let values = select.query_map([], |row| row.get(0))?;
    let values: Vec<T> = values.collect::<rusqlite::Result<_>>()?;
    ensure!(!values.is_empty(), "the seeded database has no rows");
    Ok(values)
}
