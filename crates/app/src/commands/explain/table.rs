//! The explanation for people.

use super::{CostLine, Explanation, Line, Shown, StoreLines};
use crate::output::counted;

impl Explanation {
    /// A table for each store, and a sentence at the end.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for store in &self.stores {
            match self.shown {
                Shown::One => store.statements.iter().for_each(|line| text.push_str(&whole(line))),
                Shown::All => text.push_str(&table(store, |_| true)),
                Shown::Remarkable => text.push_str(&table(store, |line| line.verdict != "fine")),
            }
        }
        let all = self.bad + self.notes + self.fine;
        text.push_str(&format!(
            "{}: {} fine, {}, {} bad.",
            counted(all as u64, "statement or request", "statements and requests"),
            self.fine,
            counted(self.notes as u64, "note", "notes"),
            self.bad
        ));
        if let (Shown::Remarkable, true) = (self.shown, self.fine > 0) {
            text.push_str(
                " `--all` shows what is fine, `--statement NAME` all that is known of one.",
            );
        }
        text
    }
}

/// A head, and a line for each statement that is shown, with its findings below.
fn table(store: &StoreLines, is_shown: impl Fn(&Line) -> bool) -> String {
    let mut text = format!("[{}] {}\n", store.section, store.store);
    let lines: Vec<&Line> = store.statements.iter().filter(|line| is_shown(line)).collect();
    let rows: Vec<[String; 5]> = lines.iter().map(|line| cells(line)).collect();
    let head = ["name", "kind", "read/returned", "verdict", "plan"].map(str::to_owned);
    let all = || std::iter::once(&head).chain(&rows);
    let width = |cell: usize| all().map(|row| row[cell].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..4).map(width).collect();
    for (number, row) in all().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            text.push_str(&format!("  {cell:width$}"));
        }
        text.push_str(&format!("  {}", row[4]));
        text.truncate(text.trim_end().len());
        text.push('\n');
        let line = number.checked_sub(1).and_then(|number| lines.get(number));
        if let Some(line) = line {
            text.push_str(&below(line));
        }
    }
    text.push('\n');
    text
}

fn cells(line: &Line) -> [String; 5] {
    let cost = line.cost.as_ref().map(cost).unwrap_or_default();
    let plan = line.plan.join("; ");
    [line.name.to_owned(), line.kind.to_owned(), cost, line.verdict.to_owned(), plan]
}

/// What it is for, and what was noticed.
fn below(line: &Line) -> String {
    let mut text = format!("      {}\n", line.purpose);
    for found in &line.findings {
        text.push_str(&format!("      -> {}: {}\n", found.code, found.detail));
    }
    text
}

fn cost(cost: &CostLine) -> String {
    let units = cost.units.map(|units| format!(", {units} units")).unwrap_or_default();
    let unit = if cost.unit == "steps" { " steps" } else { "" };
    format!("{:.0}{unit}/{:.0}{units}", cost.examined, cost.returned)
}

/// Everything that is known of one statement.
fn whole(line: &Line) -> String {
    let mut text = format!("{} ({}): {}\n{}", line.name, line.kind, line.verdict, below(line));
    text.push_str(&format!("  {}\n", line.text));
    for step in &line.plan {
        text.push_str(&format!("  plan: {step}\n"));
    }
    if let Some(found) = &line.cost {
        text.push_str(&format!("  read/returned: {}\n", cost(found)));
    }
    text.push('\n');
    text
}
