//! `bench growth`: what lists, conversions and edits cost while the catalogue, the users and the nodes
//! grow.
//!
//! Line items grow together with the kinds of users that they are for, so that a user fits about
//! fifty missions whatever there is beside them. Users grow alone. Nodes share one set of stores, and
//! all of it shares this machine.

mod catalogues;
mod edits;
mod found;
mod nodes;
mod plots;
mod users;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::Options;
use crate::client::Answer;
use crate::data;
use crate::measure::Row;
use crate::report::{Aim, Report};
use crate::server::Guerdon;
use crate::world::Contents;
use found::Found;

/// Connections that ask for lists.
const CALLERS: usize = 8;
/// Line items of the smallest and the largest catalogue, which the aims compare.
const FEWEST: f64 = 500.0;
const MOST: f64 = 50_000.0;

/// Runs it.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let guerdon = Guerdon::beside_this()?;
    let (found, rows, notes) = (Found::default(), Vec::new(), Vec::new());
    let mut bench = Bench { options, guerdon: &guerdon, contents: None, found, rows, notes };
    catalogues::measure(&mut bench).await?;
    users::measure(&mut bench).await?;
    nodes::measure(&mut bench).await?;
    bench.publish()
}

/// The benchmark under way.
struct Bench<'a> {
    options: &'a Options,
    guerdon: &'a Guerdon,
    /// What the data are beside which the users and the nodes are measured.
    contents: Option<Contents>,
    found: Found,
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Bench<'_> {
    /// Where plots and raw data go.
    fn folder(&self) -> Result<PathBuf> {
        let folder = match self.options.write_docs {
            true => data::root().join("docs/performance"),
            false => data::target_folder()?.join("bench/growth"),
        };
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    fn publish(self) -> Result<()> {
        let contents = self.contents.context("nothing was measured")?;
        let mut report = Report::new("growth", self.options, self.guerdon, contents)?;
        report.note("These are the data of the last users; the rows say what differs.".to_owned());
        let folder = self.folder()?;
        for image in plots::draw(&self.found, &folder)? {
            report.image(image);
        }
        self.found.write(&folder.join("growth.csv"))?;
        if self.options.write_docs {
            report.note("[growth.csv](performance/growth.csv) has every figure.".to_owned());
        }
        judge(&self.found, &mut report);
        self.found.tell(&mut report);
        self.notes.into_iter().for_each(|note| report.note(note));
        self.rows.into_iter().for_each(|row| report.row(row));
        eprintln!("plots and raw data are in {}", folder.display());
        report.publish(self.options)
    }
}

/// What was aimed at, where it was measured.
fn judge(found: &Found, report: &mut Report) {
    let at = |size, figure| found.median(catalogues::OVER, size, figure);
    let cpu = [FEWEST, MOST].map(|size| at(size, found::CPU_OF_LIST));
    if let [Some(few), Some(many)] = cpu {
        let what = "server CPU of a list among 50,000 line items, times that among 500";
        report.aim(Aim::at_most(what, many / few, 1.3, ""));
    }
    for (figure, wanted, unit) in [
        (found::MEMORY, 400.0, "MiB"),
        (found::START, 1.0, "s"),
        (found::SERVED_AFTER, 1_000.0, "ms"),
    ] {
        if let Some(measured) = at(MOST, figure) {
            report.aim(Aim::at_most(
                &format!("50000 line items: {figure}"),
                measured,
                wanted,
                unit,
            ));
        }
    }
}

/// Whether it is a list.
fn is_list(answer: &Answer<'_>) -> bool {
    answer.status == 200
}
