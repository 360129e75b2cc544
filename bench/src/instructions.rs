//! `bench instructions`: how many instructions a request costs the server, counted by callgrind.
//!
//! Unlike time the count hardly depends on what else the machine does, so it tells two states of the
//! program apart where a load test cannot. It knows nothing of the kernel, of the disk and of caches:
//! what a request really costs is for the other benchmarks to say. The server's own background work
//! is in the count, spread over the requests.

mod callgrind;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::Options;
use crate::bare::BareServer;
use crate::client::Conn;
use crate::data::{Data, Size};
use crate::feed::{self, Draw};
use crate::machine::Machine;
use crate::report::{figure, markdown, publish_table, today};
use crate::server::Guerdon;
use callgrind::Profile;

/// Users; how many there are changes the count by a level of a tree at most.
const USERS: u32 = 10_000;
/// Requests before anything is counted: everything has been made that is made once.
const WARM_UP: usize = 2_000;
/// Users who come again for what they have already.
const RETURNING: usize = 50;
/// Functions whose share of a list is told, by a part of their name: each with all that it calls.
const PARTS: [(&str, &str); 5] = [
    ("who asks", "api::auth::viewer"),
    ("reading the user", "for store_sqlite::SqliteStore>::load"),
    ("of that, decoding him", "format::wire::Wire for domain::user::UserState>::get"),
    ("what he is offered", "domain::decide::assortment::Listing::withheld"),
    ("writing the list", "api::missions::list::write_list"),
];

/// What one kind of request costs.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    /// Instructions of a request.
    instructions: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    quick: bool,
    measured_at: String,
    machine: Machine,
    data: crate::world::Contents,
    requests: usize,
    rows: Vec<Row>,
}

/// Runs it.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let guerdon = Guerdon::beside_this()?;
    let users = if options.quick { options.size().users } else { USERS };
    let data = Data::prepare(&guerdon, Size { users, ..options.size() })?;
    let mut bench = Bench { options, guerdon, data, bytes: 0, rows: Vec::new() };
    bench.lists().await?;
    bench.unchanged().await?;
    bench.bare().await?;
    let Bench { guerdon, data, rows, .. } = bench;
    let report = Report {
        quick: options.quick,
        measured_at: today(),
        machine: Machine::look(&guerdon)?,
        data: data.world.contents,
        requests: requests(options),
        rows,
    };
    publish(&report, options)
}

/// Requests that are counted.
fn requests(options: &Options) -> usize {
    if options.quick { 200 } else { 4_000 }
}

/// The benchmark under way.
struct Bench<'a> {
    options: &'a Options,
    guerdon: Guerdon,
    data: Data,
    /// Bytes of a list.
    bytes: usize,
    rows: Vec<Row>,
}

impl Bench<'_> {
    /// Lists of users at random.
    async fn lists(&mut self) -> Result<()> {
        let (profile, bytes) = self.of_guerdon(None).await?;
        self.bytes = bytes;
        self.note("list", profile.each);
        for (what, name) in PARTS {
            self.note(&format!("list: {what}"), profile.of(name)?);
        }
        Ok(())
    }

    /// Lists that the client has already, whatever they are, of users who were shown one before.
    async fn unchanged(&mut self) -> Result<()> {
        let (profile, bytes) = self.of_guerdon(Some("*")).await?;
        ensure!(bytes == 0, "a list that the client has was sent again");
        self.note("list, unchanged (304)", profile.each);
        Ok(())
    }

    async fn of_guerdon(&self, etag: Option<&str>) -> Result<(Profile, usize)> {
        let folder = self.data.copy()?;
        let under = |program: &Path| callgrind::command(program, folder.path());
        let server = self.guerdon.serve_under(&under, folder.path()).await?;
        let (world, draw) = (&self.data.world, Draw::new());
        let users = world.contents.users as usize;
        let ask = || match etag {
            Some(etag) => {
                let user = draw.below(users.min(RETURNING)) as u32;
                world.missions_unless(server.address, user, etag)
            }
            None => world.missions(server.address, draw.below(users) as u32),
        };
        let counted = count(self.options, (server.pid(), server.address), folder.path(), &ask);
        let counted = counted.await?;
        server.stop()?;
        Ok(counted)
    }

    /// The same bytes from memory.
    async fn bare(&mut self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let under = |program: &Path| callgrind::command(program, folder.path());
        let server = BareServer::start_under(&under, self.bytes as u64)?;
        let ask = || feed::get(server.address, "/", "");
        let counted = count(self.options, (server.pid(), server.address), folder.path(), &ask);
        self.note("bare server, the same bytes", counted.await?.0.each);
        Ok(())
    }

    fn note(&mut self, what: &str, instructions: f64) {
        eprintln!("{what}: {}", figure(instructions));
        self.rows.push(Row { what: what.to_owned(), instructions });
    }
}

/// Asks a server on one connection, and says what was counted and how many bytes the last answer had.
async fn count(
    options: &Options,
    (pid, address): (u32, SocketAddr),
    folder: &Path,
    ask: &dyn Fn() -> Vec<u8>,
) -> Result<(Profile, usize)> {
    let mut conn = Conn::open(address).await?;
    let warm_up = if options.quick { WARM_UP / 20 } else { WARM_UP };
    let requests = requests(options);
    let mut bytes = 0;
    for number in 0..warm_up + requests {
        if number == warm_up {
            callgrind::begin(pid)?;
        }
        let answer = conn.ask(&ask()).await?;
        ensure!([200, 304].contains(&answer.status), "{}", answer.shown());
        bytes = answer.body.len();
    }
    Ok((callgrind::end(pid, folder, requests)?, bytes))
}

fn publish(report: &Report, options: &Options) -> Result<()> {
    let table = table(&report.rows);
    let section = section(report, &table);
    publish_table("instructions", options, (report, &report.machine), &table, &section)
}

fn table(rows: &[Row]) -> Vec<Vec<String>> {
    let cells = rows.iter().map(|row| vec![row.what.clone(), figure(row.instructions)]);
    let head = ["request", "instructions"].map(str::to_owned).to_vec();
    std::iter::once(head).chain(cells).collect()
}

fn section(report: &Report, table: &[Vec<String>]) -> String {
    format!(
        "Measured on {} on {}\n{}\nMeans of {} requests on one connection.\n\n{}",
        report.measured_at,
        report.machine.sentence(),
        report.data.sentence(),
        report.requests,
        markdown(table)
    )
}
