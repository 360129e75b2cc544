//! Values of the domain as they stand in columns.
//!
//! SQLite's integers are signed; places and versions are counted from 0 and never come near 2^63.

use std::fmt::Display;

use domain::catalog::Entity;
use domain::change::Loaded;
use domain::ids::{Mode, UserKey};
use domain::journal::{Chain, Record};
use domain::user::UserState;
use rusqlite::Row;
use store::{DeliveryState, StoreError, Stored};

use crate::error::Failure;

/// A counted number as a column.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A column as a counted number.
pub(crate) fn uint(column: i64) -> u64 {
    u64::try_from(column).unwrap_or_default()
}

/// A limit on rows as a parameter.
pub(crate) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// What is stored does not decode.
pub(crate) fn corrupt(what: &str, why: impl Display) -> StoreError {
    StoreError::Corrupt(format!("{what}: {why}"))
}

pub(crate) fn state_to_bytes(state: &UserState) -> Vec<u8> {
    format::state::encode_state(state)
}

pub(crate) fn record_to_bytes(record: &Record) -> Vec<u8> {
    format::journal::encode_record(record)
}

pub(crate) fn record_from_bytes(bytes: &[u8]) -> Result<Record, StoreError> {
    format::journal::decode_record(bytes).map_err(|why| corrupt("journal record", why))
}

pub(crate) fn entity_to_text(entity: &Entity) -> String {
    format::catalog::entity_to_json(entity).to_string()
}

/// Reads `version, chain, state`, the first columns of the row.
pub(crate) fn loaded_from_row(row: &Row<'_>) -> Result<Loaded, Failure> {
    let version = uint(row.get(0)?);
    if version == 0 {
        return Ok(Loaded::default());
    }
    let state = format::state::decode_state(row.get_ref(2)?.as_blob().map_err(from_sql)?)
        .map_err(|why| corrupt("user state", why))?;
    Ok(Loaded { version, chain: Chain(row.get(1)?), state })
}

/// Reads `seq, chain, body`, the first columns of the row.
pub(crate) fn stored_from_row(row: &Row<'_>) -> Result<Stored, Failure> {
    let record = record_from_bytes(row.get_ref(2)?.as_blob().map_err(from_sql)?)?;
    Ok(Stored { seq: uint(row.get(0)?), chain: Chain(row.get(1)?), record })
}

pub(crate) fn key_from_row(row: &Row<'_>, column: usize) -> Result<UserKey, Failure> {
    Ok(UserKey(row.get(column)?))
}

pub(crate) fn mode_to_column(mode: Mode) -> i64 {
    match mode {
        Mode::Live => 0,
        Mode::Test => 1,
    }
}

pub(crate) fn mode_from_column(column: i64) -> Result<Mode, StoreError> {
    match column {
        0 => Ok(Mode::Live),
        1 => Ok(Mode::Test),
        other => Err(corrupt("mode of a delivery", other)),
    }
}

/// The places of the states in columns; they never change their numbers.
pub(crate) fn state_to_column(state: DeliveryState) -> usize {
    match state {
        DeliveryState::Queued => 0,
        DeliveryState::Retrying => 1,
        DeliveryState::Stopped => 2,
        DeliveryState::Delivered => 3,
        DeliveryState::Parked => 4,
    }
}

pub(crate) fn state_from_column(column: i64) -> Result<DeliveryState, StoreError> {
    DeliveryState::ALL
        .into_iter()
        .find(|&state| state_to_column(state) as i64 == column)
        .ok_or_else(|| corrupt("state of a delivery", column))
}

/// A column that holds another type than the schema says.
pub(crate) fn from_sql(error: rusqlite::types::FromSqlError) -> Failure {
    Failure::Store(corrupt("column", error))
}
