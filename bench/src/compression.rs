//! `bench compression`: what compressing a list of missions would cost, and what it would save.
//!
//! The lists are fetched from the server once, and given texts that do not repeat; what is measured is this thread's processor
//! time for each of them. Beside what a layer around the server would do (compress every answer
//! whole) stands what only this server could do: keep each offer's fragment compressed, and put the
//! compressed fragments together. Every result is unpacked again and must be the list.

mod codings;
mod joined;
mod loopback;
mod words;

use std::time::Instant;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::Options;
use crate::client::Conn;
use crate::data::{Data, Size};
use crate::feed::Draw;
use crate::machine::Machine;
use crate::measure::Spread;
use crate::process::thread_cpu_ns;
use crate::report::{figure, markdown, publish_table, today};
use crate::server::Guerdon;
use crate::world::World;
use codings::Coding;

/// Lists that are compressed.
const LISTS: usize = 200;
/// Users whose lists they are; how many there are beside them changes no list.
const USERS: u32 = 2_000;

/// One way to send a list.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    /// Bytes of a body, mean.
    bytes: f64,
    /// Processor time to make it of the plain body or of the fragments, in microseconds.
    make_us: f64,
    /// Processor time to send and receive it on this machine, both ends, in microseconds.
    send_us: f64,
    /// The network below which it arrives earlier than the plain body, in Mbit/s; none for the plain
    /// one, and where it is made as fast.
    pays_below: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Report {
    quick: bool,
    measured_at: String,
    machine: Machine,
    data: crate::world::Contents,
    lists: usize,
    rows: Vec<Row>,
}

/// Runs it.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let guerdon = Guerdon::beside_this()?;
    let size = Size { users: USERS, ..options.size() };
    let data = Data::prepare(&guerdon, size)?;
    let folder = data.copy()?;
    let server = guerdon.serve(folder.path()).await?;
    let lists = fetch(&data.world, server.address).await?;
    server.stop()?;
    let report = Report {
        quick: options.quick,
        measured_at: today(),
        machine: Machine::look(&guerdon)?,
        data: data.world.contents,
        lists: lists.len(),
        rows: rows(options, &lists)?,
    };
    publish(&report, options)
}

async fn fetch(world: &World, address: std::net::SocketAddr) -> Result<Vec<Vec<u8>>> {
    let mut conn = Conn::open(address).await?;
    let draw = Draw::new();
    let mut lists = Vec::new();
    for _ in 0..LISTS {
        let user = draw.below(world.contents.users as usize) as u32;
        let answer = conn.ask(&world.missions(address, user)).await?;
        lists.push(words::varied(answer.json(&[200])?)?);
    }
    Ok(lists)
}

fn rows(options: &Options, lists: &[Vec<u8>]) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    for coding in codings::all(lists)? {
        let mut bytes = 0;
        for (index, list) in lists.iter().enumerate() {
            let packed = coding.pack(index, list)?;
            ensure!(coding.unpack(&packed)? == *list, "{}: it does not unpack", coding.name());
            bytes += packed.len();
        }
        let bytes = bytes as f64 / lists.len() as f64;
        let make_us = make_us(options, &*coding, lists)?;
        let send_us = loopback::cpu_us(bytes as usize, options.repetitions())?;
        let plain = rows.first().map(|plain| (plain.bytes, plain.make_us));
        let pays_below = plain.filter(|(_, made)| make_us > *made);
        // Bits a microsecond are megabits a second.
        let pays_below = pays_below.map(|(plain, made)| (plain - bytes) * 8.0 / (make_us - made));
        eprintln!("{}: {} bytes, {} µs", coding.name(), figure(bytes), figure(make_us));
        rows.push(Row { what: coding.name().to_owned(), bytes, make_us, send_us, pays_below });
    }
    Ok(rows)
}

/// Processor time of one list: the median of some rounds over all of them.
fn make_us(options: &Options, coding: &dyn Coding, lists: &[Vec<u8>]) -> Result<f64> {
    let mut rounds = Vec::new();
    for _ in 0..options.repetitions() {
        let (begun, clock, mut count) = (thread_cpu_ns()?, Instant::now(), 0);
        while clock.elapsed() < options.lasts() {
            for (index, list) in lists.iter().enumerate() {
                std::hint::black_box(coding.pack(index, list)?);
            }
            count += lists.len();
        }
        rounds.push((thread_cpu_ns()? - begun) as f64 / 1_000.0 / count as f64);
    }
    Ok(Spread::of(rounds).median)
}

fn publish(report: &Report, options: &Options) -> Result<()> {
    let table = table(&report.rows);
    let section = section(report, &table);
    publish_table("compression", options, (report, &report.machine), &table, &section)
}

fn table(rows: &[Row]) -> Vec<Vec<String>> {
    let head = ["body", "bytes", "make CPU µs", "loopback CPU µs", "arrives earlier below Mbit/s"];
    let cells = rows.iter().map(|row| {
        let below = row.pays_below.map_or_else(|| "–".to_owned(), figure);
        let numbers = [row.bytes, row.make_us, row.send_us].map(figure);
        std::iter::once(row.what.clone()).chain(numbers).chain([below]).collect()
    });
    std::iter::once(head.map(str::to_owned).to_vec()).chain(cells).collect()
}

fn section(report: &Report, table: &[Vec<String>]) -> String {
    format!(
        "Measured on {} on {}\n{}\nMeans of {} lists.\n\n{}",
        report.measured_at,
        report.machine.sentence(),
        report.data.sentence(),
        report.lists,
        markdown(table)
    )
}
