//! `bench shapes`: the same loads on every shape, one after the other, on servers of this benchmark.
//!
//! The data are seeded once, into SQLite, and brought to the other shapes by the commands that an
//! operator grows with. Every shape begins with a copy of its own.

mod caches;
mod hot;
mod loads;
pub(crate) mod place;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::Options;
use crate::data::{Data, Size};
use crate::report::Report;
use crate::server::Guerdon;
use caches::Caching;
use loads::Loads;
use place::{Home, Servers};

/// Which stores a node has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// One SQLite file.
    Embedded,
    /// MariaDB.
    Compact,
    /// MariaDB, a DynamoDB, one Redis.
    Standard,
    /// MariaDB, a DynamoDB, a Redis Cluster and a Redis as broker, and a worker apart.
    Scaled,
}

impl Shape {
    /// Those that need servers.
    const GROWN: [Self; 3] = [Self::Compact, Self::Standard, Self::Scaled];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Compact => "compact",
            Self::Standard => "standard",
            Self::Scaled => "scaled",
        }
    }

    /// Whether users, budgets and journal are in a DynamoDB.
    fn is_on_dynamo(self) -> bool {
        matches!(self, Self::Standard | Self::Scaled)
    }

    /// The cache that it has unless another one is tried.
    fn cache(self) -> Caching {
        match self {
            Self::Embedded | Self::Compact => Caching::None,
            Self::Standard => Caching::Redis,
            Self::Scaled => Caching::Cluster,
        }
    }
}

/// How much data there is, the same for all: a move to a local DynamoDB takes its time.
fn size(options: &Options) -> Size {
    match options.quick {
        true => Size { users: 150, enrollments: 10, in_progress: 0, line_items: 150, kinds: 30 },
        false => {
            Size { users: 10_000, enrollments: 10, in_progress: 0, line_items: 500, kinds: 30 }
        }
    }
}

/// Runs it.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let guerdon = Guerdon::beside_this()?;
    let data = Data::prepare(&guerdon, size(options))?;
    let report = Report::new("shapes", options, &guerdon, data.world.contents)?;
    let mut bench = Bench { options, guerdon, data, report };
    let embedded = bench.seeded()?;
    bench.measure(&embedded).await?;
    drop(embedded);
    let servers = Servers::start()?;
    bench.note(&servers)?;
    for shape in Shape::GROWN {
        let home = bench.grown(shape, &servers)?;
        bench.measure(&home).await?;
        caches::compare(&mut bench, &home, &servers).await?;
        bench.verify(&home)?;
    }
    bench.report.publish(options)
}

/// The benchmark under way.
struct Bench<'a> {
    options: &'a Options,
    guerdon: Guerdon,
    data: Data,
    report: Report,
}

impl Bench<'_> {
    /// A copy of the seeded data, with the line item that everybody starts.
    fn seeded(&self) -> Result<Home> {
        let folder = self.data.copy()?;
        std::fs::write(folder.path().join("hot.toml"), hot::CATALOG)?;
        let file = folder.path().join("hot.toml");
        self.guerdon.ask(folder.path(), &["catalog", "apply", &file.to_string_lossy()])?;
        Ok(Home { shape: Shape::Embedded, folder })
    }

    /// Such a copy, brought to another shape.
    fn grown(&mut self, shape: Shape, servers: &Servers) -> Result<Home> {
        eprintln!("moving the data to {} …", shape.name());
        let from = self.seeded()?;
        let (home, moved) = Home::grow(&self.guerdon, shape, servers, &from)?;
        let number =
            |name: &str| moved[name].as_f64().with_context(|| format!("a move says no {name}"));
        let (users, records) = (number("users")?, number("records")?);
        let (seconds, pause) = (number("seconds")?, number("pause_ms")?);
        let fact = |what: &str| format!("{}: {what}", shape.name());
        self.report.fact(&fact("users moved from embedded"), users, "");
        self.report.fact(&fact("records moved a second"), records / seconds, "");
        self.report.fact(&fact("pause without changes at the end of the move"), pause, "ms");
        Ok(home)
    }

    /// All loads on one shape.
    async fn measure(&mut self, home: &Home) -> Result<()> {
        let node = home.serve(&self.guerdon).await?;
        let Self { options, data, report, .. } = self;
        let mut loads =
            Loads { options, shape: home.shape, world: &data.world, node: &node, report };
        loads.lists().await?;
        loads.conversions().await?;
        hot::run(&mut loads).await?;
        node.stop()?;
        if home.shape == Shape::Embedded { self.verify(home) } else { Ok(()) }
    }

    /// The books must be right; a finding is an error of the command.
    fn verify(&mut self, home: &Home) -> Result<()> {
        let checked = self.guerdon.ask(home.folder.path(), &["verify"]);
        let checked: Value = checked.context("the books are not right")?;
        let findings = checked["findings"].as_array().context("verify says no findings")?;
        ensure!(findings.is_empty(), "the books are not right: {checked}");
        let entries = checked["entries"].as_f64().context("verify says no entries")?;
        let what = format!("{}: ledger entries verified afterwards, all right", home.shape.name());
        self.report.fact(&what, entries, "");
        Ok(())
    }

    /// What the servers are and how they are set.
    fn note(&mut self, servers: &Servers) -> Result<()> {
        self.report.note("The databases run on the same cores.".to_owned());
        self.report.note(servers.settings()?);
        self.report.note(
            "In place of DynamoDB stands the local server that the tests use; its speed says little \
             of DynamoDB's, and calls and units are what counts."
                .to_owned(),
        );
        Ok(())
    }
}
