//! What a benchmark says: a table on the terminal, JSON under the target folder, and a section of
//! `docs/performance.md`.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::Options;
use crate::data;
use crate::machine::Machine;
use crate::measure::Row;
use crate::server::Guerdon;
use crate::world::Contents;

/// A single figure.
#[derive(Debug, Serialize)]
pub(crate) struct Fact {
    what: String,
    value: f64,
    unit: &'static str,
}

/// A table beside that of the loads; the first row names the columns.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A plot that lies beside the page.
#[derive(Debug, Serialize)]
pub(crate) struct Image {
    pub(crate) says: String,
    /// Relative to the page.
    pub(crate) path: String,
}

/// A figure that was aimed at.
#[derive(Debug, Serialize)]
pub(crate) struct Aim {
    what: String,
    wanted: String,
    measured: String,
    is_met: bool,
}

impl Aim {
    /// Met by this much or more.
    pub(crate) fn at_least(what: &str, measured: f64, wanted: f64, unit: &str) -> Self {
        Self::new(what, measured, ("at least", wanted, unit), measured >= wanted)
    }

    /// Met by this much or less.
    pub(crate) fn at_most(what: &str, measured: f64, wanted: f64, unit: &str) -> Self {
        Self::new(what, measured, ("at most", wanted, unit), measured <= wanted)
    }

    fn new(what: &str, measured: f64, wanted: (&str, f64, &str), is_met: bool) -> Self {
        let (side, limit, unit) = wanted;
        let number = |value| format!("{} {unit}", figure(value)).trim_end().to_owned();
        Self {
            what: what.to_owned(),
            wanted: format!("{side} {}", number(limit)),
            measured: number(measured),
            is_met,
        }
    }

    fn verdict(&self) -> &'static str {
        if self.is_met { "met" } else { "not met" }
    }
}

/// A whole benchmark.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    name: &'static str,
    /// A quick run shows that everything works; its figures mean nothing.
    quick: bool,
    measured_at: String,
    machine: Machine,
    data: Contents,
    rows: Vec<Row>,
    tables: Vec<Table>,
    images: Vec<Image>,
    facts: Vec<Fact>,
    /// Sentences about the circumstances.
    notes: Vec<String>,
    aims: Vec<Aim>,
}

impl Report {
    /// An empty one.
    pub(crate) fn new(
        name: &'static str,
        options: &Options,
        guerdon: &Guerdon,
        data: Contents,
    ) -> Result<Self> {
        Ok(Self {
            name,
            quick: options.quick,
            measured_at: today(),
            machine: Machine::look(guerdon)?,
            data,
            rows: Vec::new(),
            tables: Vec::new(),
            images: Vec::new(),
            facts: Vec::new(),
            notes: Vec::new(),
            aims: Vec::new(),
        })
    }

    /// Adds a row, and shows that there is progress.
    pub(crate) fn row(&mut self, row: Row) {
        eprintln!("{}, callers {}: {}/s", row.what, row.callers, figure(row.per_second.median));
        self.rows.push(row);
    }

    /// The closed-loop row of that name.
    pub(crate) fn find(&self, what: &str, callers: usize) -> Result<&Row> {
        let is_it =
            |row: &&Row| row.what == what && row.callers == callers && row.due_per_second.is_none();
        self.rows.iter().find(is_it).with_context(|| format!("{what} has not been measured"))
    }

    /// Adds a figure.
    pub(crate) fn fact(&mut self, what: &str, value: f64, unit: &'static str) {
        self.facts.push(Fact { what: what.to_owned(), value, unit });
    }

    /// Adds a table, which stands before that of the loads.
    pub(crate) fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Adds a plot.
    pub(crate) fn image(&mut self, image: Image) {
        self.images.push(image);
    }

    /// Adds a sentence about the circumstances.
    pub(crate) fn note(&mut self, sentence: String) {
        self.notes.push(sentence);
    }

    /// Adds an aim. A quick run on little data has none.
    pub(crate) fn aim(&mut self, aim: Aim) {
        if !self.quick {
            self.aims.push(aim);
        }
    }

    /// Prints the report and writes the files.
    pub(crate) fn publish(&self, options: &Options) -> Result<()> {
        println!("{}", self.text());
        write_json(self.name, self.quick, self)?;
        if options.write_docs {
            self.write_docs()?;
        }
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.machine.sentence(), self.data.sentence());
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        for Table { title, rows } in &self.tables {
            let _ = writeln!(text, "\n{title}\n\n{}", aligned(rows));
        }
        text.push('\n');
        text.push_str(&aligned(&self.loads()));
        text.push('\n');
        for line in self.fact_lines().chain(self.aim_lines()) {
            let _ = write!(text, "\n{line}");
        }
        text
    }

    fn fact_lines(&self) -> impl Iterator<Item = String> {
        self.facts.iter().map(|Fact { what, value, unit }| {
            format!("{what}: {} {unit}", figure(*value)).trim_end().to_owned()
        })
    }

    fn aim_lines(&self) -> impl Iterator<Item = String> {
        self.aims.iter().map(|aim| {
            let Aim { what, wanted, measured, .. } = aim;
            format!("Aim: {what} {wanted}; measured {measured}: {}", aim.verdict())
        })
    }

    fn loads(&self) -> Vec<Vec<String>> {
        let rows = self.rows.iter().map(cells);
        std::iter::once(HEAD.iter().map(|cell| (*cell).to_owned()).collect()).chain(rows).collect()
    }

    /// Puts the report into the page.
    pub(crate) fn write_docs(&self) -> Result<()> {
        write_section(self.name, &self.section())
    }

    /// The section in Markdown, one sentence a line.
    fn section(&self) -> String {
        let sentence = self.machine.sentence();
        let mut text = format!("Measured on {} on {sentence}\n", self.measured_at);
        text.push_str("The load generator and the server share these cores.\n");
        let _ = writeln!(text, "{}", self.data.sentence());
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        for Image { says, path } in &self.images {
            let _ = write!(text, "\n![{says}]({path})\n");
        }
        for Table { title, rows } in &self.tables {
            let _ = write!(text, "\n{title}\n\n{}", markdown(rows));
        }
        let _ = write!(text, "\n{}\n", markdown(&self.loads()));
        for line in self.fact_lines() {
            let _ = writeln!(text, "- {line}");
        }
        if !self.aims.is_empty() {
            text.push_str("\n| aim | wanted | measured | |\n|---|---|---|---|\n");
        }
        for aim in &self.aims {
            let Aim { what, wanted, measured, .. } = aim;
            let _ = writeln!(text, "| {what} | {wanted} | {measured} | {} |", aim.verdict());
        }
        text
    }
}

/// Prints a table, writes the report that it is of, and puts its section into the page if that is
/// wanted, where [`Report`] does not fit.
pub(crate) fn publish_table(
    name: &str,
    options: &Options,
    (report, machine): (&impl Serialize, &Machine),
    table: &[Vec<String>],
    section: &str,
) -> Result<()> {
    println!("{}\n\n{}", machine.sentence(), aligned(table));
    write_json(name, options.quick, report)?;
    if options.write_docs { write_section(name, section) } else { Ok(()) }
}

/// A quick run does not overwrite what a whole one has measured.
fn write_json(name: &str, is_quick: bool, report: &impl Serialize) -> Result<()> {
    let folder = data::target_folder()?.join("bench");
    std::fs::create_dir_all(&folder)?;
    let suffix = if is_quick { "-quick" } else { "" };
    let path = folder.join(format!("{name}{suffix}.json"));
    std::fs::write(&path, serde_json::to_string_pretty(report)? + "\n")?;
    println!("\nwritten to {}", path.display());
    Ok(())
}

/// Puts a section into `docs/performance.md`.
fn write_section(name: &str, section: &str) -> Result<()> {
    let path = data::root().join("docs/performance.md");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    std::fs::write(&path, with_section(&text, name, section)?)?;
    println!("results written to {}", path.display());
    Ok(())
}

const HEAD: [&str; 11] = [
    "load",
    "callers",
    "per second (least to most)",
    "p50 ms",
    "p90 ms",
    "p95 ms",
    "p99 ms",
    "max ms",
    "server CPU µs",
    "generator CPU µs",
    "body bytes",
];

fn cells(row: &Row) -> Vec<String> {
    let rate = row.per_second;
    let due = row.due_per_second.map(|due| format!(", {} a second due", figure(due)));
    vec![
        format!("{}{}", row.what, due.unwrap_or_default()),
        row.callers.to_string(),
        format!("{} ({} to {})", figure(rate.median), figure(rate.min), figure(rate.max)),
        figure(row.p50_ms.median),
        figure(row.p90_ms.median),
        figure(row.p95_ms.median),
        figure(row.p99_ms.median),
        figure(row.max_ms),
        figure(row.server_cpu_us.median),
        figure(row.generator_cpu_us.median),
        figure(row.body_bytes.median),
    ]
}

/// A number with three digits that count, and thousands set apart.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => thousands(value.round() as i64),
        size if size >= 9.995 => format!("{value:.1}"),
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 0.9995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn thousands(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = if value < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// For a terminal: the first column to the left, the others to the right.
fn aligned(table: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = table.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let columns = table.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let padded = cells.map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        padded.collect::<Vec<_>>().join("  ")
    };
    table.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn markdown(table: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (index, row) in table.iter().enumerate() {
        let _ = writeln!(text, "| {} |", row.join(" | "));
        if index == 0 {
            let _ = writeln!(text, "|---|{}", "---:|".repeat(row.len() - 1));
        }
    }
    text
}

/// The text with what stands between the section's marks replaced.
fn with_section(text: &str, name: &str, section: &str) -> Result<String> {
    let begin = format!("<!-- {name}: begin -->\n");
    let end = format!("<!-- {name}: end -->");
    let missing = || format!("docs/performance.md has no marks of the section {name}");
    let from = text.find(&begin).with_context(missing)? + begin.len();
    let to = from + text[from..].find(&end).with_context(missing)?;
    Ok(format!("{}\n{section}\n{}", &text[..from], &text[to..]))
}

#[expect(clippy::disallowed_methods, reason = "a report says when it was measured")]
pub(crate) fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits() {
        let cases = [
            (15_432.6, "15,433"),
            (1_234_567.0, "1,234,567"),
            (999.6, "1,000"),
            (123.4, "123"),
            (12.34, "12.3"),
            (99.96, "100"),
            (1.234, "1.23"),
            (0.1234, "0.123"),
            (50.0, "50.0"),
            (2.0, "2"),
            (0.0, "0"),
            (-1_500.0, "-1,500"),
        ];
        for (value, text) in cases {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn an_aim_is_met_at_its_limit() {
        assert!(Aim::at_least("a", 5.0, 5.0, "/s").is_met);
        assert!(!Aim::at_least("a", 4.9, 5.0, "/s").is_met);
        assert!(Aim::at_most("a", 5.0, 5.0, "/s").is_met);
        let aim = Aim::at_most("a", 5.1, 5.0, "ms");
        assert_eq!((aim.wanted.as_str(), aim.measured.as_str()), ("at most 5 ms", "5.10 ms"));
        assert_eq!(aim.verdict(), "not met");
    }

    #[test]
    fn only_the_own_section_is_replaced() {
        let text = "# T\n<!-- a: begin -->\nold\n<!-- a: end -->\n<!-- b: begin -->\nkept\n<!-- b: end -->\n";
        let new = with_section(text, "a", "new").unwrap();
        assert!(new.contains("<!-- a: begin -->\n\nnew\n<!-- a: end -->\n<!-- b"), "{new}");
        assert!(new.contains("kept") && !new.contains("old"));
        assert_eq!(with_section(&new, "a", "new").unwrap(), new);
        assert!(with_section(text, "c", "new").is_err());
    }

    #[test]
    fn tables_are_aligned() {
        let table = vec![vec!["load".into(), "µs".into()], vec!["a".into(), "1,000".into()]];
        assert_eq!(aligned(&table), "load     µs\na     1,000");
        assert_eq!(markdown(&table), "| load | µs |\n|---|---:|\n| a | 1,000 |\n");
    }
}
