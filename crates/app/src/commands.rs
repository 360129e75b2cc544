//! The commands, a file each.

pub(crate) mod backup;
pub(crate) mod catalog;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod migrate;
pub(crate) mod migrate_state;
pub(crate) mod openapi;
pub(crate) mod restore;
pub(crate) mod verify;
