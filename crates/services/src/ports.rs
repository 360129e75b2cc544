//! Ports that stay with their server while it is down.
//!
//! A port given by the system is taken from the range for outgoing connections, and while a killed
//! server is down any client on the machine may be given it. These ports lie below that range and
//! are handed out in turn, across processes, so that one is not used again for a long time.

use std::io::{Read, Seek, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use anyhow::{Context, Result, bail};

use crate::folders;

/// Below the usual ranges for outgoing connections, and so is the same range moved by [`BUS`].
const PORTS: Range<u16> = 10_000..20_000;
/// How far above its port a Redis Cluster node listens for the other nodes.
const BUS: u16 = 10_000;

/// A port on which nothing listens; nor does anything on the one `BUS` above.
pub(crate) fn reserve() -> Result<u16> {
    let mut file = folders::lock("port")?;
    let mut text = String::new();
    file.read_to_string(&mut text).context("cannot read the last port")?;
    // The first process of a checkout starts anywhere, so that two checkouts rarely meet.
    let last = text.trim().parse().unwrap_or_else(|_| anywhere());
    let Some(port) = in_turn(last).find(|port| is_free(*port) && is_free(*port + BUS)) else {
        bail!("no port from {} to {} is free", PORTS.start, PORTS.end);
    };
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{port}").context("cannot write the last port")?;
    Ok(port)
}

/// Every port once, beginning with the one after `last`.
fn in_turn(last: u16) -> impl Iterator<Item = u16> {
    let after = if PORTS.contains(&last) { last + 1 } else { PORTS.start };
    (after..PORTS.end).chain(PORTS.start..after)
}

fn anywhere() -> u16 {
    let width = u32::from(PORTS.end - PORTS.start);
    PORTS.start + u16::try_from(std::process::id() % width).unwrap_or(0)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_handed_out_in_turn_and_only_when_free() {
        let first = reserve().unwrap();
        let second = reserve().unwrap();
        assert_ne!(first, second);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, second)).unwrap();
        assert!(!is_free(second));
        drop(listener);
        assert!(is_free(second));
    }

    #[test]
    fn the_turn_goes_round_once() {
        let all: Vec<u16> = in_turn(PORTS.end - 1).collect();
        assert_eq!((all.len(), all[0]), (PORTS.len(), PORTS.start));
        let from_the_middle: Vec<u16> = in_turn(12_345).collect();
        assert_eq!(from_the_middle.first(), Some(&12_346));
        assert_eq!(from_the_middle.last(), Some(&12_345));
        assert_eq!(from_the_middle.len(), PORTS.len());
    }
}
