//! Reading what a move carries.

use domain::budget::Used;
use domain::ids::{ChangeId, UserKey};
use domain::time::Day;
use rusqlite::{Connection, Row, params};
use store::{BudgetRow, UserRow};

use crate::codec::{key_from_row, loaded_from_row, rows};
use crate::error::Failure;
use crate::{budgets, sql};

/// Reads `version, chain, state, key, change_id`.
fn user_from_row(row: &Row<'_>) -> Result<UserRow, Failure> {
    let (key, latest) = (key_from_row(row, 3)?, ChangeId(row.get(4)?));
    Ok(UserRow { key, loaded: loaded_from_row(row)?, latest })
}

/// Users in order of their keys.
pub(super) fn users(
    conn: &Connection,
    after: Option<UserKey>,
    limit: usize,
) -> Result<Vec<UserRow>, Failure> {
    // The empty blob sorts before every key.
    let after = after.map(|user| user.0.to_vec()).unwrap_or_default();
    let mut select = conn.prepare_cached(sql::USERS_CARRIED)?;
    select.query_and_then(params![after, rows(limit)], user_from_row)?.collect()
}

/// Those of these users who were ever seen.
pub(super) fn users_of(conn: &Connection, keys: &[UserKey]) -> Result<Vec<UserRow>, Failure> {
    let mut select = conn.prepare_cached(sql::USER_CARRIED)?;
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        let mut one = select.query([&key.0])?;
        if let Some(row) = one.next()? {
            found.push(user_from_row(row)?);
        }
    }
    Ok(found)
}

/// Every budget with each of its days.
pub(super) fn budgets(conn: &Connection) -> Result<Vec<BudgetRow>, Failure> {
    let mut select = conn.prepare_cached(sql::BUDGETS_CARRIED)?;
    let found = select.query_map([], budgets::row_of)?;
    found
        .map(|row| {
            let budgets::BudgetRow { is_set, level, .. } = row?;
            Ok(BudgetRow {
                line_item: level.line_item,
                limits: is_set.then_some(level.limits),
                total: level.total,
                days: days_of(conn, level.line_item.0)?,
            })
        })
        .collect()
}

fn days_of(conn: &Connection, line_item: u32) -> Result<Vec<(Day, Used)>, Failure> {
    let mut select = conn.prepare_cached(sql::BUDGET_DAYS)?;
    let days =
        select.query_map([line_item], |row| Ok((Day(row.get(0)?), budgets::used_of(row, 1)?)))?;
    Ok(days.collect::<Result<_, _>>()?)
}
