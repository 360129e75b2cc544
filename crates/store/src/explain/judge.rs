//! What is to be thought of a plan: pure rules.

use super::{Cost, Design, Does, Facts, Unit};

/// Below so many rows a table is read whole by any optimiser, so that it says nothing.
const ROWS_FEW: f64 = 100.0;
/// Rows that may be examined for nothing.
const ROWS_FREE: f64 = 200.0;
/// Rows that may be examined for each that is returned.
const ROWS_FOR_ONE: f64 = 10.0;
/// Steps of SQLite's machine that stand for a row.
const STEPS_OF_ROW: f64 = 10.0;

/// How bad something is, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// Nothing is wrong.
    Fine,
    /// Worth knowing, and meant to be so or too little is known.
    Note,
    /// Wrong: it gets slower as data grows.
    Bad,
}

/// Something that was noticed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// How bad it is.
    pub verdict: Verdict,
    /// A word for it that does not change.
    pub code: &'static str,
    /// What is wrong and what to do, or why it is meant to be so.
    pub words: String,
}

impl Finding {
    fn bad(code: &'static str, words: impl Into<String>) -> Self {
        Self { verdict: Verdict::Bad, code, words: words.into() }
    }

    fn note(code: &'static str, words: impl Into<String>) -> Self {
        Self { verdict: Verdict::Note, code, words: words.into() }
    }

    /// Bad, unless the list gives a reason.
    fn unless(reason: Option<&str>, code: &'static str, words: impl Into<String>) -> Self {
        match reason {
            Some(reason) => Self::note(code, format!("by design: {reason}")),
            None => Self::bad(code, words),
        }
    }
}

/// Everything that is to be noticed; nothing if all is fine. Of findings with one code there is one.
///
/// Of an empty table nothing is said but that: there any way is as good as another, and a database may
/// take the worst.
#[must_use]
pub fn judge(facts: &Facts, design: Design) -> Vec<Finding> {
    if facts.has_no_rows {
        let words = "the verdict is not meaningful; look again on a database in use";
        return vec![Finding::note("no rows", words)];
    }
    let steps = facts.steps.iter().filter_map(|step| of_step(step.does, &step.words, design));
    let cost = facts.cost.and_then(|cost| of_cost(cost, design));
    let mut findings: Vec<Finding> = Vec::new();
    for finding in steps.chain(cost).chain(of_ignorance(facts)) {
        match findings.iter_mut().find(|one| one.code == finding.code) {
            Some(one) if one.verdict < finding.verdict => *one = finding,
            Some(_) => {}
            None => findings.push(finding),
        }
    }
    findings
}

fn of_step(does: Does, words: &str, design: Design) -> Option<Finding> {
    match does {
        Does::Search => None,
        Does::Scan { rows: Some(rows), .. } if rows < ROWS_FEW && design.walks.is_none() => {
            let told =
                format!("`{words}`: the table is read whole, which with {rows} rows says nothing");
            Some(Finding::note("small table", told))
        }
        Does::Scan { had_index: true, .. } => Some(Finding::unless(
            design.walks,
            "full scan",
            format!(
                "`{words}`: everything is read although there is an index; compare the types and the \
                 order of the columns, or run ANALYZE"
            ),
        )),
        Does::Scan { had_index: false, .. } => Some(Finding::unless(
            design.walks,
            "full scan",
            format!("`{words}`: everything is read; add an index on what is searched for"),
        )),
        Does::Sort => Some(Finding::unless(
            design.sorts,
            "sort",
            format!("`{words}`: rows are sorted each time; add an index that ends in the order"),
        )),
        Does::Temporary => Some(Finding::unless(
            design.sorts,
            "temporary table",
            format!("`{words}`: rows are kept aside; group or order by the columns of one index"),
        )),
        Does::MakesIndex => Some(Finding::bad(
            "missing index",
            format!("`{words}`: an index is made each time; make it once"),
        )),
        Does::Filters => Some(Finding::note(
            "filter",
            format!("`{words}`: what is left out was read and is paid for"),
        )),
        Does::Fails => Some(Finding::bad(
            "refused",
            format!("`{words}`: the statement cannot be carried out; mend the schema"),
        )),
        Does::Unknown => Some(Finding::note(
            "unknown step",
            format!("`{words}`: this release does not know what the step means"),
        )),
    }
}

fn of_cost(cost: Cost, design: Design) -> Option<Finding> {
    let of_row = match cost.unit {
        Unit::Rows => 1.0,
        Unit::Steps => STEPS_OF_ROW,
    };
    let free = (ROWS_FREE + ROWS_FOR_ONE * cost.returned) * of_row;
    if cost.examined <= free {
        return None;
    }
    let counted = match cost.unit {
        Unit::Rows => "rows examined",
        Unit::Steps => "steps of SQLite's machine",
    };
    let Cost { examined, returned, .. } = cost;
    let words = format!(
        "{examined:.0} {counted} for {returned:.0} returned; add what is filtered by to the index"
    );
    Some(Finding::unless(design.walks, "examined", words))
}

fn of_ignorance(facts: &Facts) -> Option<Finding> {
    let why = facts.unknown.as_ref()?;
    Some(Finding::note("not carried out", why.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;

    const NOTHING: Design = Design { walks: None, sorts: None };
    const MEANT: Design = Design { walks: Some("small"), sorts: Some("few") };
    const SCAN: Does = Does::Scan { rows: Some(40_000.0), had_index: false };

    fn facts(does: &[Does]) -> Facts {
        let steps = does.iter().map(|does| Step::new("a step", *does)).collect();
        Facts { steps, ..Facts::default() }
    }

    fn verdicts(facts: &Facts, design: Design) -> Vec<(&'static str, Verdict)> {
        judge(facts, design).into_iter().map(|one| (one.code, one.verdict)).collect()
    }

    #[test]
    fn a_search_is_fine() {
        assert_eq!(judge(&facts(&[Does::Search, Does::Search]), NOTHING), []);
    }

    #[test]
    fn what_grows_is_bad_unless_it_is_meant() {
        for (does, code) in [
            (SCAN, "full scan"),
            (Does::Scan { rows: None, had_index: true }, "full scan"),
            (Does::Sort, "sort"),
            (Does::Temporary, "temporary table"),
        ] {
            assert_eq!(verdicts(&facts(&[does]), NOTHING), [(code, Verdict::Bad)]);
            assert_eq!(verdicts(&facts(&[does]), MEANT), [(code, Verdict::Note)]);
            assert!(judge(&facts(&[does]), MEANT)[0].words.starts_with("by design: "));
        }
    }

    #[test]
    fn one_reason_does_not_excuse_another_thing() {
        let walks = Design { walks: Some("small"), sorts: None };
        let wanted = [("full scan", Verdict::Note), ("sort", Verdict::Bad)];
        assert_eq!(verdicts(&facts(&[SCAN, Does::Sort]), walks), wanted);
        let sorts = Design { walks: None, sorts: Some("few") };
        let wanted = [("full scan", Verdict::Bad), ("sort", Verdict::Note)];
        assert_eq!(verdicts(&facts(&[SCAN, Does::Sort]), sorts), wanted);
        assert_eq!(verdicts(&facts(&[Does::MakesIndex]), MEANT), [("missing index", Verdict::Bad)]);
    }

    #[test]
    fn a_small_table_says_nothing() {
        let small = Does::Scan { rows: Some(3.0), had_index: false };
        assert_eq!(verdicts(&facts(&[small]), NOTHING), [("small table", Verdict::Note)]);
        // Of two scans the worse is told.
        assert_eq!(
            verdicts(&facts(&[small, SCAN]), NOTHING),
            [("small table", Verdict::Note), ("full scan", Verdict::Bad)]
        );
    }

    #[test]
    fn what_is_examined_is_compared_with_what_comes_back() {
        for (unit, examined, returned, is_bad) in [
            (Unit::Rows, 1.0, 1.0, false),
            (Unit::Rows, 200.0, 0.0, false),
            (Unit::Rows, 201.0, 0.0, true),
            (Unit::Rows, 1_200.0, 100.0, false),
            (Unit::Rows, 40_000.0, 100.0, true),
            (Unit::Steps, 2_000.0, 0.0, false),
            (Unit::Steps, 2_001.0, 0.0, true),
            (Unit::Steps, 12_000.0, 100.0, false),
        ] {
            let cost = Some(Cost { unit, examined, returned, units: None });
            let facts = Facts { cost, ..Facts::default() };
            let wanted: &[_] = if is_bad { &[("examined", Verdict::Bad)] } else { &[] };
            assert_eq!(verdicts(&facts, NOTHING), wanted, "{examined} for {returned}");
            assert!(verdicts(&facts, MEANT).iter().all(|one| one.1 == Verdict::Note));
        }
    }

    #[test]
    fn what_is_not_known_is_said_and_is_not_fine() {
        let empty = Facts { has_no_rows: true, ..facts(&[SCAN, Does::Sort]) };
        assert_eq!(verdicts(&empty, NOTHING), [("no rows", Verdict::Note)]);
        let silent = Facts { unknown: Some("why".to_owned()), ..Facts::default() };
        assert_eq!(verdicts(&silent, NOTHING), [("not carried out", Verdict::Note)]);
        for (does, code) in [(Does::Unknown, "unknown step"), (Does::Filters, "filter")] {
            assert_eq!(verdicts(&facts(&[does]), MEANT), [(code, Verdict::Note)]);
        }
        assert_eq!(verdicts(&facts(&[Does::Fails]), MEANT), [("refused", Verdict::Bad)]);
    }
}
