//! The figures of all sizes, for the report, the plots and the raw data alike.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::measure::{Row, Spread};
use crate::report::Report;

/// Names of figures that something else looks for.
pub(super) const CPU_OF_LIST: &str = "server CPU of a list";
pub(super) const P50_OF_LIST: &str = "p50 of a list";
pub(super) const P99_OF_LIST: &str = "p99 of a list";
pub(super) const RATE_OF_LISTS: &str = "lists a second";
pub(super) const MEMORY: &str = "memory under load";
pub(super) const START: &str = "start until ready, the catalogue compiled";
pub(super) const SERVED_AFTER: &str = "edit of a line item until it is served";
pub(super) const CONVERSIONS: &str = "conversions a second";
pub(super) const CPU_OF_CONVERSION: &str = "server CPU of a conversion";

const HEAD: &str = "over,size,figure,unit,median,least,most";

/// One figure at one size.
struct Figure {
    /// What grows.
    over: &'static str,
    size: f64,
    name: String,
    unit: &'static str,
    value: Spread,
    /// Whether no row of the report tells it already.
    is_told: bool,
}

/// All of them.
#[derive(Default)]
pub(super) struct Found {
    figures: Vec<Figure>,
}

impl Found {
    /// Adds a figure that was looked at once, or as a median of what was looked at.
    pub(super) fn fact(
        &mut self,
        (over, size): (&'static str, f64),
        name: &str,
        value: f64,
        unit: &'static str,
    ) {
        let (name, value) = (name.to_owned(), Spread::of([value]));
        self.figures.push(Figure { over, size, name, unit, value, is_told: true });
    }

    /// Adds what a row of lists says.
    pub(super) fn lists(&mut self, at: (&'static str, f64), row: &Row) {
        self.of_row(at, P50_OF_LIST, row.p50_ms, "ms");
        self.of_row(at, P99_OF_LIST, row.p99_ms, "ms");
        self.of_row(at, RATE_OF_LISTS, row.per_second, "1/s");
        self.of_row(at, CPU_OF_LIST, row.server_cpu_us, "µs");
    }

    /// Adds what a row of conversions says.
    pub(super) fn conversions(&mut self, at: (&'static str, f64), row: &Row) {
        self.of_row(at, CONVERSIONS, row.per_second, "1/s");
        self.of_row(at, CPU_OF_CONVERSION, row.server_cpu_us, "µs");
    }

    fn of_row(
        &mut self,
        (over, size): (&'static str, f64),
        name: &str,
        value: Spread,
        unit: &'static str,
    ) {
        let name = name.to_owned();
        self.figures.push(Figure { over, size, name, unit, value, is_told: false });
    }

    /// A figure's curve while that grows.
    pub(super) fn curve(&self, over: &str, name: &str) -> Vec<(f64, Spread)> {
        let own = self.figures.iter().filter(|one| one.over == over && one.name == name);
        own.map(|one| (one.size, one.value)).collect()
    }

    /// A figure at a size, if it was measured.
    pub(super) fn median(&self, over: &str, size: f64, name: &str) -> Option<f64> {
        let curve = self.curve(over, name);
        curve.iter().find(|(at, _)| *at == size).map(|(_, value)| value.median)
    }

    /// Puts what stands in no row into the report.
    pub(super) fn tell(&self, report: &mut Report) {
        for Figure { over, size, name, unit, value, .. } in
            self.figures.iter().filter(|one| one.is_told)
        {
            report.fact(&format!("{size} {over}: {name}"), value.median, unit);
        }
    }

    /// Writes all of them as CSV.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        std::fs::write(path, self.text())
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn text(&self) -> String {
        let mut text = format!("{HEAD}\n");
        for Figure { over, size, name, unit, value, .. } in &self.figures {
            let Spread { median, min, max } = value;
            let _ = writeln!(text, "{over},{size},\"{name}\",{unit},{median:.3},{min:.3},{max:.3}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_a_line_and_finds_its_curve() {
        let mut found = Found::default();
        found.fact(("users", 600.0), MEMORY, 40.0, "MiB");
        found.fact(("users", 2_000.0), MEMORY, 50.5, "MiB");
        found.fact(("nodes", 1.0), "store calls of a list, most", 1.0, "");
        let text = found.text();
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.contains("users,2000,\"memory under load\",MiB,50.500,50.500,50.500\n"));
        assert!(text.contains("\"store calls of a list, most\",,1.000"), "{text}");
        let sizes: Vec<f64> = found.curve("users", MEMORY).iter().map(|(size, _)| *size).collect();
        assert_eq!(sizes, [600.0, 2_000.0]);
        assert_eq!(found.median("users", 2_000.0, MEMORY), Some(50.5));
        assert_eq!(found.median("nodes", 2.0, MEMORY), None);
    }
}
