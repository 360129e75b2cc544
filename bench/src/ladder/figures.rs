//! What the rounds have shown of each rung, and the tables of it.

use super::compare::Look;
use super::rounds::Shot;
use super::rungs::Rung;
use super::{CALLERS, MOST};
use crate::measure::{Sample, Spread};
use crate::report::{Table, figure};

/// One rung.
pub(super) struct Figure {
    pub(super) rung: &'static Rung,
    look: Option<Look>,
    pub(super) levels: Vec<Level>,
}

/// One rung at a number of callers: medians of the rounds, and how far apart they were.
pub(super) struct Level {
    pub(super) callers: usize,
    pub(super) per_second: Spread,
    pub(super) p50_ms: Spread,
    pub(super) p95_ms: Spread,
    pub(super) p99_ms: Spread,
    pub(super) server_cpu_us: Spread,
    pub(super) store_cpu_us: Spread,
    body_bytes: Spread,
}

impl Figure {
    /// With so many callers, if that was measured.
    pub(super) fn at(&self, callers: usize) -> Option<&Level> {
        self.levels.iter().find(|level| level.callers == callers)
    }
}

/// The figures of the rungs that were measured, in their order.
pub(super) fn of(
    rungs: &[&'static Rung],
    looks: &[(&'static Rung, Look)],
    shots: &[Shot],
) -> Vec<Figure> {
    let figures = rungs.iter().map(|&rung| {
        let own: Vec<&Shot> = shots.iter().filter(|shot| shot.rung == rung).collect();
        let look = looks.iter().find(|(looked, _)| *looked == rung).map(|(_, look)| look.clone());
        let levels = CALLERS.into_iter().filter_map(|callers| level(&own, callers)).collect();
        Figure { rung, look, levels }
    });
    figures.filter(|figure| !figure.levels.is_empty()).collect()
}

fn level(shots: &[&Shot], callers: usize) -> Option<Level> {
    let own: Vec<&&Shot> = shots.iter().filter(|shot| shot.callers == callers).collect();
    let spread = |of: fn(&Sample) -> f64| Spread::of(own.iter().map(|shot| of(&shot.sample)));
    (!own.is_empty()).then(|| Level {
        callers,
        per_second: spread(|sample| sample.per_second),
        p50_ms: spread(|sample| sample.p50_ms),
        p95_ms: spread(|sample| sample.p95_ms),
        p99_ms: spread(|sample| sample.p99_ms),
        server_cpu_us: spread(|sample| sample.server_cpu_us),
        store_cpu_us: Spread::of(own.iter().map(|shot| shot.store_cpu_us)),
        body_bytes: spread(|sample| sample.body_bytes),
    })
}

/// The figures as tables.
pub(super) fn tables(figures: &[Figure]) -> Vec<Table> {
    vec![speeds(figures), costs(figures)]
}

fn speeds(figures: &[Figure]) -> Table {
    let head = ["rung", "per second", "p50 ms", "p95 ms", "p99 ms", "times the slowest"];
    let slowest = figures.iter().filter_map(|one| one.at(MOST)).map(|one| one.per_second.median);
    let slowest = slowest.fold(f64::INFINITY, f64::min);
    let rows = figures.iter().filter_map(|one| {
        let level = one.at(MOST)?;
        Some(vec![
            one.rung.name.to_owned(),
            spread(level.per_second),
            spread(level.p50_ms),
            spread(level.p95_ms),
            spread(level.p99_ms),
            figure(level.per_second.median / slowest),
        ])
    });
    let title =
        format!("With {MOST} callers; the median of the rounds, and the least to the most:");
    Table { title, rows: with_head(&head, rows) }
}

fn costs(figures: &[Figure]) -> Table {
    let head = [
        "rung",
        "asks of stores",
        "server CPU µs",
        "databases' CPU µs",
        "bytes",
        "missions",
        "compared (the same to the last field)",
    ];
    let rows = figures.iter().filter_map(|one| {
        let level = one.at(MOST)?;
        let look = |of: &dyn Fn(&Look) -> String| one.look.as_ref().map(of).unwrap_or_default();
        Some(vec![
            one.rung.name.to_owned(),
            look(&|look| look.asks.clone()),
            spread(level.server_cpu_us),
            spread(level.store_cpu_us),
            figure(level.body_bytes.median),
            look(&|look| figure(look.missions)),
            look(&|look| format!("{} ({})", look.compared.0, look.compared.1)),
        ])
    });
    let title = format!(
        "What a list costs, with {MOST} callers; the databases' part holds what standing by costs \
         them:"
    );
    Table { title, rows: with_head(&head, rows) }
}

fn spread(spread: Spread) -> String {
    let Spread { median, min, max } = spread;
    format!("{} ({} to {})", figure(median), figure(min), figure(max))
}

fn with_head(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let head = head.iter().map(|cell| (*cell).to_owned()).collect();
    std::iter::once(head).chain(rows).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::rungs;
    use super::*;

    /// A rung that did the same in each of some rounds but for the rate.
    pub(crate) fn shots(name: &str, callers: usize, rates: &[f64], p95_ms: f64) -> Vec<Shot> {
        let shot = |(round, &per_second): (usize, &f64)| Shot {
            rung: rungs::named(name).unwrap(),
            round: round + 1,
            callers,
            sample: Sample {
                answers: 100,
                per_second,
                p50_ms: p95_ms / 2.0,
                p90_ms: p95_ms,
                p95_ms,
                p99_ms: p95_ms * 1.5,
                max_ms: p95_ms * 2.0,
                unchanged: 0.0,
                body_bytes: 28_000.0,
                server_cpu_us: 50.0,
                generator_cpu_us: 10.0,
            },
            store_cpu_us: 5.0,
        };
        rates.iter().enumerate().map(shot).collect()
    }

    /// Figures of such rungs with the most callers.
    pub(crate) fn figures(rungs: &[(&str, f64, f64)]) -> Vec<Figure> {
        let all: Vec<Shot> = rungs
            .iter()
            .flat_map(|(name, rate, p95_ms)| shots(name, MOST, &[*rate], *p95_ms))
            .collect();
        let rungs: Vec<_> = rungs.iter().map(|(name, ..)| rungs::named(name).unwrap()).collect();
        of(&rungs, &[], &all)
    }

    #[test]
    fn medians_are_of_the_rung_and_its_callers() {
        let mut all = shots("rust-kv", MOST, &[3.0, 1.0, 2.0], 8.0);
        all.extend(shots("rust-kv", 1, &[100.0], 8.0));
        all.extend(shots("bare", MOST, &[900.0], 8.0));
        let rung = rungs::named("rust-kv").unwrap();
        let figures = of(&[rung, rungs::named("rust-orm").unwrap()], &[], &all);
        assert_eq!(figures.len(), 1, "a rung that was not measured has no figures");
        let rate = figures[0].at(MOST).unwrap().per_second;
        assert_eq!((rate.median, rate.min, rate.max), (2.0, 1.0, 3.0));
        assert_eq!(figures[0].at(1).unwrap().per_second.median, 100.0);
        assert!(figures[0].at(8).is_none());
    }

    #[test]
    fn tables_tell_ratios_and_what_was_compared() {
        let mut figures = figures(&[("django-before", 5.0, 6_000.0), ("bare", 80_000.0, 0.5)]);
        figures[0].look = Some(Look {
            missions: 50.0,
            bytes: 28_000.0,
            asks: "240 SQL".to_owned(),
            compared: (40, 39),
        });
        let tables = tables(&figures);
        assert_eq!(tables[0].rows[2][5], "16,000");
        assert_eq!(tables[0].rows[1][1], "5 (5 to 5)");
        let told: Vec<&str> = tables[1].rows[1].iter().map(String::as_str).collect();
        assert_eq!(told[1], "240 SQL");
        assert_eq!(told[6], "40 (39)");
        assert_eq!(tables[1].rows[2][1], "");
    }
}
