//! Background work: what was committed to the outbox leaves the house from here.

pub mod outbound;
