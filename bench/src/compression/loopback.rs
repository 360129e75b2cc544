//! What it costs to send bytes to another thread of this machine.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use anyhow::{Result, anyhow};

use crate::measure::Spread;
use crate::process::thread_cpu_ns;

/// Bodies that are sent in one round.
const BODIES: usize = 2_000;

/// Processor time of both ends for one body of that length, in microseconds: the median of rounds.
pub(super) fn cpu_us(bytes: usize, rounds: usize) -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let sender = thread::spawn(move || send(&mut server, bytes, rounds));
    let received = receive(&mut client, bytes, rounds)?;
    let sent = sender.join().map_err(|_| anyhow!("the sender has panicked"))??;
    let both = received.iter().zip(&sent);
    let each = both.map(|(one, other)| (one + other) as f64 / 1_000.0 / BODIES as f64);
    Ok(Spread::of(each).median)
}

/// Sends a body whenever it is asked for; the processor time of each round.
fn send(stream: &mut TcpStream, bytes: usize, rounds: usize) -> Result<Vec<u64>> {
    let body = vec![b'a'; bytes];
    let mut took = Vec::new();
    for _ in 0..rounds {
        let begun = thread_cpu_ns()?;
        for _ in 0..BODIES {
            stream.read_exact(&mut [0])?;
            stream.write_all(&body)?;
        }
        took.push(thread_cpu_ns()? - begun);
    }
    Ok(took)
}

fn receive(stream: &mut TcpStream, bytes: usize, rounds: usize) -> Result<Vec<u64>> {
    let mut body = vec![0; bytes];
    let mut took = Vec::new();
    for _ in 0..rounds {
        let begun = thread_cpu_ns()?;
        for _ in 0..BODIES {
            stream.write_all(b"?")?;
            stream.read_exact(&mut body)?;
        }
        took.push(thread_cpu_ns()? - begun);
    }
    Ok(took)
}
