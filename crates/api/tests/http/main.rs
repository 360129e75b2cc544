//! The API in this process, on memory stores: what is asked, what is answered, and that every answer
//! is described.

mod server;

mod access;
mod catalog;
mod deliveries;
mod document;
mod figures;
mod operations;
mod rows;
