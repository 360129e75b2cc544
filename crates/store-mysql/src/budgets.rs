//! `Budgets`: limits are set in the writer's groups, levels are read beside it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::budget::{Level, Limits};
use domain::ids::LineItemId;
use domain::journal::{Chain, Record};
use domain::time::{Day, Timestamp};
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;
use store::{Budgets, FreshLevels, LevelsMark, LimitsOutcome, StoreError, Writing};

use crate::ask::Ask;
use crate::books::{Books, Wants, limits_of, used_of};
use crate::codec::record_to_bytes;
use crate::error::Failure;
use crate::options::{POINT_MAX, SCAN_MAX};
use crate::writer::Work;
use crate::{MysqlStore, sql};

/// New limits, with the record that tells of them.
struct SetLimits {
    line_item: LineItemId,
    limits: Limits,
    record: Arc<[u8]>,
}

impl Work for SetLimits {
    type Answer = LimitsOutcome;

    const WRITING: Option<Writing> = Some(Writing::Change);

    fn wants(&self, wants: &mut Wants) {
        wants.budget(self.line_item);
    }

    fn run(&self, books: &mut Books) -> Result<LimitsOutcome, StoreError> {
        let budget = books.budget(self.line_item);
        let is_same = budget.limits() == Some(&self.limits);
        if !self.limits.may_follow(budget.limits(), &budget.total) {
            return Ok(LimitsOutcome::BelowCommitted(books.level(self.line_item)));
        }
        if !is_same {
            books.set_limits(self.line_item, self.limits);
            books.append(None, Chain::default(), Arc::clone(&self.record));
        }
        Ok(LimitsOutcome::Set(books.level(self.line_item)))
    }
}

fn levels_of(found: &[MySqlRow]) -> Result<Vec<Level>, Failure> {
    found.iter().map(|row| level_of(row).map(|(_, level)| level)).collect()
}

/// Reads the columns that `sql` lists for a budget, and whether its limits were ever set.
fn level_of(row: &MySqlRow) -> Result<(bool, Level), Failure> {
    let level = Level {
        line_item: LineItemId(row.try_get(0)?),
        limits: limits_of(row, 2)?,
        total: used_of(row, 7)?,
        day: Day(row.try_get::<Option<i32>, _>(10)?.unwrap_or_default()),
        today: used_of(row, 11)?,
    };
    Ok((row.try_get::<i8, _>(1)? != 0, level))
}

#[async_trait]
impl Budgets for MysqlStore {
    async fn set_limits(
        &self,
        line_item: LineItemId,
        limits: Limits,
        now: Timestamp,
    ) -> Result<LimitsOutcome, StoreError> {
        let record = record_to_bytes(&Record::of_limits(line_item, limits, now)).into();
        self.ask(SetLimits { line_item, limits, record }).await
    }

    async fn level(&self, line_item: LineItemId) -> Result<Option<Level>, StoreError> {
        let ask = Ask::new(sql::BUDGETS_OF).bind(line_item.0);
        let found = self.readers().row(&ask, POINT_MAX).await?;
        let level = found.as_ref().map(level_of).transpose()?;
        Ok(level.and_then(|(is_set, level)| is_set.then_some(level)))
    }

    async fn levels(&self) -> Result<Vec<Level>, StoreError> {
        let found = self.readers().rows(&Ask::new(sql::BUDGETS_SET), SCAN_MAX).await?;
        Ok(levels_of(&found)?)
    }

    /// A mark is the place of the newest record when the latest of these budgets was written. Groups are
    /// committed in the order of their places, so whoever sees one sees all before it.
    async fn levels_since(&self, known: Option<&LevelsMark>) -> Result<FreshLevels, StoreError> {
        let known = self.marks.at(known).and_then(|at| at.first().copied());
        let ask = match known {
            None => Ask::new(sql::BUDGETS_SET),
            Some(place) => Ask::new(sql::BUDGETS_CHANGED).bind(place),
        };
        let found = self.readers().rows(&ask, SCAN_MAX).await?;
        let mut levels = levels_of(&found)?;
        levels.sort_unstable_by_key(|level| level.line_item);
        let mut newest = known.unwrap_or_default();
        for row in &found {
            newest = newest.max(row.try_get(14).map_err(Failure::from)?);
        }
        let mark = Some(self.marks.mark(vec![newest]));
        Ok(FreshLevels { levels, is_whole: known.is_none(), mark })
    }
}
