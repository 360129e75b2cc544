//! `Reports`: sums by day, and how far the journal has been added, in one transaction.
//!
//! | verb | round trips |
//! |---|---|
//! | `cursor`, `figures` | 1 |
//! | `add` | 5: begin, lock the place, add, set the place, commit |
//! | `clear` | 5 |
//!
//! Adding passes over what is at or before the place, so an addition whose answer was lost is simply
//! made again.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::ids::{AppId, LineItemId};
use domain::time::Day;
use sqlx::Row;
use sqlx::mysql::MySqlRow;
use store::{DayFigures, ReportKey, Reports, Seq, StoreError, Stored, add_figures, figures_of};

use crate::ask::Ask;
use crate::codec::corrupt;
use crate::connect::Session;
use crate::error::Failure;
use crate::options::{POINT_MAX, SCAN_MAX, WRITE_MAX};
use crate::readers::Unit;
use crate::{MysqlStore, sql};

/// Rows of figures that one statement adds.
const ROWS_MAX: usize = 500;

/// What one record adds.
struct Addition {
    seq: Seq,
    figures: BTreeMap<ReportKey, DayFigures>,
}

/// What some records add, each by itself, because only the transaction knows which are new.
struct AddFigures(Vec<Addition>);

#[async_trait]
impl Unit for AddFigures {
    type Answer = Seq;

    async fn run(&mut self, session: &mut Session) -> Result<Seq, Failure> {
        let place = place_of(session.row(&Ask::new(sql::REPORT_LOCK), WRITE_MAX).await?)?;
        let mut next = place;
        let mut sums: BTreeMap<ReportKey, DayFigures> = BTreeMap::new();
        for addition in &self.0 {
            if addition.seq <= next {
                continue;
            }
            for (key, figures) in &addition.figures {
                add_figures(sums.entry(*key).or_default(), figures);
            }
            next = addition.seq;
        }
        let sums: Vec<_> = sums.into_iter().collect();
        for part in sums.chunks(ROWS_MAX) {
            session.run(&addition_of(part), WRITE_MAX).await?;
        }
        if next != place {
            session.run(&Ask::new(sql::REPORT_SET).bind(next), WRITE_MAX).await?;
        }
        Ok(next)
    }
}

/// Forgets everything.
struct ClearFigures;

#[async_trait]
impl Unit for ClearFigures {
    type Answer = ();

    async fn run(&mut self, session: &mut Session) -> Result<(), Failure> {
        session.row(&Ask::new(sql::REPORT_LOCK), WRITE_MAX).await?;
        session.run(&Ask::new(sql::REPORT_CLEAR), SCAN_MAX).await?;
        session.run(&Ask::new(sql::REPORT_SET).bind(0_u64), WRITE_MAX).await?;
        Ok(())
    }
}

fn place_of(row: Option<MySqlRow>) -> Result<Seq, Failure> {
    let row = row.ok_or_else(|| corrupt("reports", "the row of their place is missing"))?;
    Ok(row.try_get(0)?)
}

fn addition_of(sums: &[(ReportKey, DayFigures)]) -> Ask {
    let values = sql::rows_of(sums.len(), 11);
    let mut ask = Ask::many(format!("{}{values}{}", sql::REPORT_ADD, sql::REPORT_SUM));
    for (key, figures) in sums {
        ask = ask.bind(key.day.0).bind(key.line_item.0).bind(key.app.0);
        ask = ask.bind(figures.participations).bind(figures.rewards).bind(figures.reversals);
        ask = ask.bind(figures.payout).bind(figures.reward_value).bind(figures.publisher_share);
        ask = ask.bind(figures.margin).bind(figures.points);
    }
    ask
}

fn figures_of_row(row: &MySqlRow) -> Result<(ReportKey, DayFigures), sqlx::Error> {
    let key = ReportKey {
        day: Day(row.try_get(0)?),
        line_item: LineItemId(row.try_get(1)?),
        app: AppId(row.try_get(2)?),
    };
    let figures = DayFigures {
        participations: row.try_get(3)?,
        rewards: row.try_get(4)?,
        reversals: row.try_get(5)?,
        payout: row.try_get(6)?,
        reward_value: row.try_get(7)?,
        publisher_share: row.try_get(8)?,
        margin: row.try_get(9)?,
        points: row.try_get(10)?,
    };
    Ok((key, figures))
}

#[async_trait]
impl Reports for MysqlStore {
    async fn cursor(&self) -> Result<Seq, StoreError> {
        let row = self.readers().row(&Ask::new(sql::REPORT_PLACE), POINT_MAX).await?;
        Ok(place_of(row)?)
    }

    async fn add(&self, records: &[Stored]) -> Result<Seq, StoreError> {
        let addition =
            |stored: &Stored| Addition { seq: stored.seq, figures: figures_of(&stored.record) };
        self.readers().transact(AddFigures(records.iter().map(addition).collect())).await
    }

    async fn figures(
        &self,
        from: Day,
        to: Day,
    ) -> Result<Vec<(ReportKey, DayFigures)>, StoreError> {
        let ask = Ask::new(sql::REPORT_READ).bind(from.0).bind(to.0);
        let rows = self.readers().rows(&ask, SCAN_MAX).await?;
        let figures = rows.iter().map(|row| Ok(figures_of_row(row)?));
        Ok(figures.collect::<Result<_, Failure>>()?)
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.readers().transact(ClearFigures).await
    }
}
