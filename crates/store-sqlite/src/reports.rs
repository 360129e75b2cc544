//! `Reports`: sums by day, and how far the journal has been added, in one transaction.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::ids::{AppId, LineItemId};
use domain::time::Day;
use rusqlite::{Connection, Row, params};
use store::{
    DayFigures, ReportKey, Reports, Seq, StoreError, Stored, Writing, add_figures, figures_of,
};

use crate::codec::{int, uint};
use crate::error::Failure;
use crate::writer::{Tx, Work};
use crate::{SqliteStore, sql};

/// What one record adds.
struct Addition {
    seq: Seq,
    figures: BTreeMap<ReportKey, DayFigures>,
}

/// What some records add, each by itself, because the writer alone knows which are new.
struct AddFigures(Vec<Addition>);

impl Work for AddFigures {
    type Answer = Seq;

    const WRITING: Option<Writing> = None;

    fn run(&self, tx: &mut Tx<'_>) -> Result<Seq, Failure> {
        let mut cursor = read_cursor(tx.conn)?;
        let mut sums: BTreeMap<ReportKey, DayFigures> = BTreeMap::new();
        for addition in &self.0 {
            if addition.seq <= cursor {
                continue;
            }
            for (key, figures) in &addition.figures {
                add_figures(sums.entry(*key).or_default(), figures);
            }
            cursor = addition.seq;
        }
        for (key, figures) in &sums {
            write(tx.conn, key, figures)?;
        }
        write_cursor(tx.conn, cursor)?;
        Ok(cursor)
    }
}

/// Forgets everything.
struct ClearFigures;

impl Work for ClearFigures {
    type Answer = ();

    const WRITING: Option<Writing> = None;

    fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        tx.conn.prepare_cached(sql::REPORT_CLEAR)?.execute([])?;
        write_cursor(tx.conn, 0)
    }
}

fn read_cursor(conn: &Connection) -> Result<Seq, Failure> {
    let mut select = conn.prepare_cached(sql::META_GET)?;
    Ok(uint(select.query_row(["report_cursor"], |row| row.get(0))?))
}

fn write_cursor(conn: &Connection, cursor: Seq) -> Result<(), Failure> {
    conn.prepare_cached(sql::META_SET)?.execute(params!["report_cursor", int(cursor)])?;
    Ok(())
}

fn write(conn: &Connection, key: &ReportKey, figures: &DayFigures) -> Result<(), Failure> {
    conn.prepare_cached(sql::REPORT_ADD)?.execute(params![
        key.day.0,
        key.line_item.0,
        key.app.0,
        int(figures.participations),
        int(figures.rewards),
        int(figures.reversals),
        figures.payout,
        figures.reward_value,
        figures.publisher_share,
        figures.margin,
        figures.points,
    ])?;
    Ok(())
}

fn figures_of_row(row: &Row<'_>) -> rusqlite::Result<(ReportKey, DayFigures)> {
    let key = ReportKey {
        day: Day(row.get(0)?),
        line_item: LineItemId(row.get(1)?),
        app: AppId(row.get(2)?),
    };
    let figures = DayFigures {
        participations: uint(row.get(3)?),
        rewards: uint(row.get(4)?),
        reversals: uint(row.get(5)?),
        payout: row.get(6)?,
        reward_value: row.get(7)?,
        publisher_share: row.get(8)?,
        margin: row.get(9)?,
        points: row.get(10)?,
    };
    Ok((key, figures))
}

#[async_trait]
impl Reports for SqliteStore {
    async fn cursor(&self) -> Result<Seq, StoreError> {
        self.readers().point(read_cursor)
    }

    async fn add(&self, records: &[Stored]) -> Result<Seq, StoreError> {
        let addition =
            |stored: &Stored| Addition { seq: stored.seq, figures: figures_of(&stored.record) };
        self.ask(AddFigures(records.iter().map(addition).collect())).await
    }

    async fn figures(
        &self,
        from: Day,
        to: Day,
    ) -> Result<Vec<(ReportKey, DayFigures)>, StoreError> {
        let read = move |conn: &Connection| {
            let mut select = conn.prepare_cached(sql::REPORT_READ)?;
            let rows = select.query_map([from.0, to.0], figures_of_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.readers().scan(read).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.ask(ClearFigures).await
    }
}
