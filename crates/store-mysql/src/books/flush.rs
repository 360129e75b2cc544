//! Writing back what a group touched: each row once.

use domain::ids::LineItemId;
use domain::time::Timestamp;
use store::Phase;

use super::budgets::Budget;
use super::{Books, Entry, UserWrite};
use crate::sql;
use crate::writer::{Batch, Value, int_or_null, uint_or_null};

impl Books {
    /// The statements that leave everything as the books say, budgets and the head last; nothing if
    /// nothing was touched.
    pub(crate) fn packets(&self) -> Batch {
        let mut batch = Batch::default();
        batch.insert(sql::JOURNAL_PUT, self.records.iter().map(record_row), "");
        let written =
            self.users.iter().filter_map(|(key, user)| Some((key, user.written.as_ref()?)));
        batch.insert(
            sql::USERS_PUT,
            written.map(|(key, write)| user_row(&key.0, write)),
            sql::USERS_SET,
        );
        self.desk.write_to(&mut batch);
        let touched = self.write_touched(&mut batch);
        self.write_budgets(&mut batch);
        if touched || self.head != self.was {
            self.write_head(&mut batch);
        }
        batch
    }

    /// Whether any user was noted.
    fn write_touched(&self, batch: &mut Batch) -> bool {
        if let Some(up_to) = self.forgotten {
            batch.add(sql::TOUCHED_FORGET, &[Value::Uint(up_to)]);
        }
        let notes = (self.head.touched + 1..).zip(&self.touched);
        let rows = notes.map(|(note, key)| [Value::Uint(note), Value::Bytes(&key.0)]);
        batch.insert(sql::TOUCHED_PUT, rows, "");
        !self.touched.is_empty()
    }

    fn write_budgets(&self, batch: &mut Batch) {
        let dirty = || self.budgets.iter().filter(|(_, budget)| budget.is_dirty);
        let days = dirty().flat_map(|(line_item, budget)| day_rows(*line_item, budget));
        batch.insert(sql::DAYS_PUT, days, sql::DAYS_SET);
        let new = dirty().filter(|(_, budget)| budget.was.is_none());
        batch.insert(
            sql::BUDGETS_PUT,
            new.map(|(line_item, budget)| self.budget_row(*line_item, budget)),
            "",
        );
        for (line_item, budget) in dirty() {
            let Some(was) = budget.was else { continue };
            let [line_item, row @ ..] = self.budget_row(*line_item, budget);
            let guard = [
                line_item,
                Value::Int(was.booked.0),
                Value::Int(was.held.0),
                Value::Uint(was.starts.into()),
            ];
            batch.add_guarded(sql::BUDGET_SET, &[&row[..], &guard[..]].concat());
        }
    }

    /// A budget's next row. A group that changes one has a record, or fills a store that nobody reads,
    /// so the newest place says which group it was.
    fn budget_row<'a>(
        &self,
        LineItemId(line_item): LineItemId,
        budget: &Budget,
    ) -> [Value<'a>; 12] {
        let (limits, total) = (&budget.limits, &budget.total);
        [
            Value::Uint(line_item.into()),
            Value::Uint(budget.is_set.into()),
            Value::Int(limits.total.0),
            int_or_null(limits.daily.map(|daily| daily.0)),
            Value::Int(limits.grace.0),
            uint_or_null(limits.starts),
            uint_or_null(limits.daily_starts),
            Value::Int(total.booked.0),
            Value::Int(total.held.0),
            Value::Uint(total.starts.into()),
            int_or_null(budget.latest.map(|day| day.0.into())),
            Value::Uint(self.head.head),
        ]
    }

    fn write_head(&self, batch: &mut Batch) {
        let (phase, moved_to) = phase_columns(&self.head.phase);
        let touched = self.head.touched + self.touched.len() as u64;
        let values = [
            Value::Uint(phase),
            Value::Text(moved_to),
            Value::Uint(self.head.head),
            Value::Uint(touched),
            Value::Uint(self.head.is_total.into()),
            Value::Uint(self.head.run.0),
            Value::Uint(self.was.head),
        ];
        batch.add_guarded(sql::HEAD_SET, &values);
    }
}

fn phase_columns(phase: &Phase) -> (u64, &str) {
    match phase {
        Phase::Live => (0, ""),
        Phase::Watched => (1, ""),
        Phase::Moved(whereto) => (2, whereto),
        Phase::Filling => (3, ""),
    }
}

fn record_row(entry: &Entry) -> [Value<'_>; 4] {
    [
        Value::Uint(entry.seq),
        entry.user.as_ref().map_or(Value::Null, |user| Value::Bytes(&user.0)),
        Value::Bytes(&entry.chain.0),
        Value::Bytes(&entry.body),
    ]
}

fn user_row<'a>(key: &'a [u8; 16], write: &'a UserWrite) -> [Value<'a>; 6] {
    [
        Value::Bytes(key),
        Value::Uint(write.version),
        Value::Bytes(&write.change.0),
        Value::Bytes(&write.chain.0),
        int_or_null(write.due_at.map(|Timestamp(at)| at)),
        Value::Bytes(&write.state),
    ]
}

fn day_rows(line_item: LineItemId, budget: &Budget) -> impl Iterator<Item = [Value<'_>; 5]> {
    let dirty = budget.days.iter().filter(|(_, one)| one.is_dirty);
    dirty.map(move |(day, one)| {
        [
            Value::Uint(line_item.0.into()),
            Value::Int(day.0.into()),
            Value::Int(one.used.booked.0),
            Value::Int(one.used.held.0),
            Value::Uint(one.used.starts.into()),
        ]
    })
}
