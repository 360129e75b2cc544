//! Values of the domain as they stand in columns.
//!
//! Ids are `BINARY`, so they are compared byte by byte; places and versions are unsigned, money and
//! moments are signed.

use std::fmt::Display;

use domain::catalog::Entity;
use domain::change::Loaded;
use domain::ids::Mode;
use domain::journal::{Chain, Record};
use domain::user::UserState;
use sqlx::Row;
use sqlx::mysql::MySqlRow;
use store::{DeliveryState, StoreError, Stored};

use crate::error::Failure;

/// What is stored does not decode.
pub(crate) fn corrupt(what: &str, why: impl Display) -> StoreError {
    StoreError::Corrupt(format!("{what}: {why}"))
}

/// A limit on rows as a parameter.
pub(crate) fn rows(limit: usize) -> u64 {
    limit as u64
}

pub(crate) fn state_to_bytes(state: &UserState) -> Vec<u8> {
    format::state::encode_state(state)
}

pub(crate) fn state_from_bytes(bytes: &[u8]) -> Result<UserState, StoreError> {
    format::state::decode_state(bytes).map_err(|why| corrupt("user state", why))
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

/// Reads 16 bytes of a column: a key, an id or a chain.
pub(crate) fn bytes_of(row: &MySqlRow, column: usize) -> Result<[u8; 16], Failure> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| wrong_length(bytes.len()))
}

/// Reads 16 bytes of a column that may be empty.
pub(crate) fn bytes_if_any(row: &MySqlRow, column: usize) -> Result<Option<[u8; 16]>, Failure> {
    let bytes: Option<&[u8]> = row.try_get(column)?;
    bytes.map(|bytes| bytes.try_into().map_err(|_| wrong_length(bytes.len()))).transpose()
}

fn wrong_length(found: usize) -> Failure {
    corrupt("id", format_args!("{found} bytes instead of 16")).into()
}

/// Reads `version, chain, state`, the first columns of the row.
pub(crate) fn loaded_of(row: &MySqlRow) -> Result<Loaded, Failure> {
    let state = state_from_bytes(row.try_get(2)?)?;
    Ok(Loaded { version: row.try_get(0)?, chain: Chain(bytes_of(row, 1)?), state })
}

/// Reads `seq, chain, body`, the first columns of the row.
pub(crate) fn stored_of(row: &MySqlRow) -> Result<Stored, Failure> {
    let record = record_from_bytes(row.try_get(2)?)?;
    Ok(Stored { seq: row.try_get(0)?, chain: Chain(bytes_of(row, 1)?), record })
}

pub(crate) fn mode_to_column(mode: Mode) -> u8 {
    match mode {
        Mode::Live => 0,
        Mode::Test => 1,
    }
}

pub(crate) fn mode_from_column(column: u8) -> Result<Mode, StoreError> {
    match column {
        0 => Ok(Mode::Live),
        1 => Ok(Mode::Test),
        other => Err(corrupt("mode of a delivery", other)),
    }
}

/// The places of the states in columns; they never change their numbers.
pub(crate) fn state_to_column(state: DeliveryState) -> u8 {
    match state {
        DeliveryState::Queued => 0,
        DeliveryState::Retrying => 1,
        DeliveryState::Stopped => 2,
        DeliveryState::Delivered => 3,
        DeliveryState::Parked => 4,
    }
}

pub(crate) fn state_from_column(column: u8) -> Result<DeliveryState, StoreError> {
    DeliveryState::ALL
        .into_iter()
        .find(|&state| state_to_column(state) == column)
        .ok_or_else(|| corrupt("state of a delivery", column))
}
