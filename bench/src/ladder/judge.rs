//! The ratios that are aimed at.

use super::MOST;
use super::figures::{Figure, Level};
use super::rungs::Way;
use crate::report::{Aim, Report};

/// What is measured against what, with the most callers.
pub(super) fn judge(figures: &[Figure], report: &mut Report) {
    for ratio in ratios(figures) {
        report.fact(&ratio.what, ratio.measured, "");
        report.aim(match ratio.limit {
            Limit::AtLeast(wanted) => Aim::at_least(&ratio.what, ratio.measured, wanted, ""),
            Limit::AtMost(wanted) => Aim::at_most(&ratio.what, ratio.measured, wanted, ""),
        });
    }
}

enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

struct Ratio {
    what: String,
    measured: f64,
    limit: Limit,
}

/// Those whose two sides were measured.
fn ratios(figures: &[Figure]) -> Vec<Ratio> {
    let level = |name: &str| {
        figures.iter().find(|figure| figure.rung.name == name).and_then(|figure| figure.at(MOST))
    };
    let mut ratios = Vec::new();
    let mut add = |what: String, limit, sides: Option<(f64, f64)>| {
        ratios.extend(sides.map(|(own, other)| Ratio { what, measured: own / other, limit }));
    };
    let rate = |level: &Level| level.per_second.median;
    let own = level("guerdon-embedded");
    let against = |other: Option<&Level>, of: fn(&Level) -> f64| Some((of(own?), of(other?)));
    let of_bare = "of the bare limit";
    add(
        format!("embedded: requests a second, share {of_bare}"),
        Limit::AtLeast(0.7),
        against(level("bare"), |level| level.per_second.median),
    );
    add(
        format!("embedded: p99, times that {of_bare}"),
        Limit::AtMost(1.5),
        against(level("bare"), |level| level.p99_ms.median),
    );
    if let Some((name, best)) = best_django_kv(figures) {
        add(
            format!("embedded: requests a second, times {name}"),
            Limit::AtLeast(28.0),
            against(Some(best), |level| level.per_second.median),
        );
        add(
            format!("embedded: p95, share of that of {name}"),
            Limit::AtMost(1.0 / 18.0),
            against(Some(best), |level| level.p95_ms.median),
        );
    }
    add(
        "embedded: requests a second, times django-before".to_owned(),
        Limit::AtLeast(3_000.0),
        against(level("django-before"), |level| level.per_second.median),
    );
    add(
        "unchanged (304): requests a second, share of a bare hello".to_owned(),
        Limit::AtLeast(0.8),
        level("guerdon-304").map(rate).zip(level("hello").map(rate)),
    );
    ratios
}

/// The quickest of Django's `kv` stages under any kind of worker.
fn best_django_kv(figures: &[Figure]) -> Option<(&'static str, &Level)> {
    let kv = figures.iter().filter(
        |figure| matches!(figure.rung.way, Way::Django(stage, _) if stage.starts_with("kv")),
    );
    let levels = kv.filter_map(|figure| Some((figure.rung.name, figure.at(MOST)?)));
    levels.max_by(|(_, a), (_, b)| a.per_second.median.total_cmp(&b.per_second.median))
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::figures;
    use super::*;

    #[test]
    fn the_best_kind_of_worker_is_what_counts() {
        let figures = figures(&[
            ("django-before", 8.0, 6_000.0),
            ("django-kv", 500.0, 90.0),
            ("django-kv-fast", 1_000.0, 36.0),
            ("django-kv-fast-gevent", 900.0, 30.0),
            ("guerdon-embedded", 40_000.0, 1.0),
            ("bare", 80_000.0, 0.5),
        ]);
        let ratios = ratios(&figures);
        let found = |part: &str| {
            let found = ratios.iter().find(|ratio| ratio.what.contains(part));
            found.unwrap_or_else(|| panic!("no {part}")).measured
        };
        assert_eq!(found("share of the bare limit"), 0.5);
        assert_eq!(found("p99, times that of the bare limit"), 2.0);
        assert_eq!(found("requests a second, times django-kv-fast"), 40.0);
        assert_eq!(found("p95, share of that of django-kv-fast"), 1.0 / 36.0);
        assert_eq!(found("times django-before"), 5_000.0);
        assert_eq!(ratios.len(), 5, "what was not measured is not judged");
    }
}
