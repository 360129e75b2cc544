//! The curves as pictures.

use std::path::Path;

use anyhow::Result;

use super::found::{
    CONVERSIONS, CPU_OF_CONVERSION, CPU_OF_LIST, Found, MEMORY, P50_OF_LIST, P99_OF_LIST,
    RATE_OF_LISTS, SERVED_AFTER, START,
};
use super::{catalogues, nodes, users};
use crate::plot::{Chart, Curve};
use crate::report::Image;

/// One picture: some figures of one unit, while one thing grows.
struct Picture {
    file: &'static str,
    title: &'static str,
    over: &'static str,
    unit: &'static str,
    /// Each with its name in the picture, and by what it is multiplied to have the unit.
    figures: &'static [(&'static str, &'static str, f64)],
}

const PICTURES: &[Picture] = &[
    Picture {
        file: "growth-line-items-latency.svg",
        title: "How long a list takes while line items grow",
        over: catalogues::OVER,
        unit: "milliseconds",
        figures: &[(P50_OF_LIST, "p50", 1.0), (P99_OF_LIST, "p99", 1.0)],
    },
    Picture {
        file: "growth-line-items-cpu.svg",
        title: "Processor time of a list while line items grow",
        over: catalogues::OVER,
        unit: "microseconds of the server's",
        figures: &[(CPU_OF_LIST, "list", 1.0)],
    },
    Picture {
        file: "growth-line-items-rebuild.svg",
        title: "The catalogue, from the store and after an edit",
        over: catalogues::OVER,
        unit: "milliseconds",
        figures: &[(START, "start until ready", 1e3), (SERVED_AFTER, "edit until served", 1.0)],
    },
    Picture {
        file: "growth-line-items-memory.svg",
        title: "Memory of the server under load while line items grow",
        over: catalogues::OVER,
        unit: "MiB",
        figures: &[(MEMORY, "memory", 1.0)],
    },
    Picture {
        file: "growth-users-latency.svg",
        title: "How long a list takes while users grow",
        over: users::OVER,
        unit: "milliseconds",
        figures: &[(P50_OF_LIST, "p50", 1.0), (P99_OF_LIST, "p99", 1.0)],
    },
    Picture {
        file: "growth-users-cpu.svg",
        title: "Processor time of a request while users grow",
        over: users::OVER,
        unit: "microseconds of the server's",
        figures: &[(CPU_OF_LIST, "list", 1.0), (CPU_OF_CONVERSION, "conversion", 1.0)],
    },
    Picture {
        file: "growth-users-rate.svg",
        title: "Requests a second while users grow",
        over: users::OVER,
        unit: "a second",
        figures: &[(RATE_OF_LISTS, "lists", 1.0), (CONVERSIONS, "durable conversions", 1.0)],
    },
    Picture {
        file: "growth-nodes-cpu.svg",
        title: "Processor time of a request while nodes grow",
        over: nodes::OVER,
        unit: "microseconds of all nodes'",
        figures: &[(CPU_OF_LIST, "list", 1.0), (CPU_OF_CONVERSION, "conversion", 1.0)],
    },
];

/// Draws all that was measured into a folder.
pub(super) fn draw(found: &Found, folder: &Path) -> Result<Vec<Image>> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut images = Vec::new();
    for picture in PICTURES {
        let curves: Vec<Curve> =
            picture.figures.iter().filter_map(|one| curve(found, picture, one)).collect();
        if curves.is_empty() {
            continue;
        }
        let subtitle = format!(
            "{}, logarithmic; medians, the thin lines from the least to the most",
            picture.unit
        );
        let chart =
            Chart { title: picture.title, subtitle: &subtitle, sizes: picture.over, curves };
        chart.draw(&folder.join(picture.file))?;
        let path = format!("{name}/{}", picture.file);
        images.push(Image { says: picture.title.to_owned(), path });
    }
    Ok(images)
}

fn curve(
    found: &Found,
    picture: &Picture,
    &(figure, says, times): &(&str, &str, f64),
) -> Option<Curve> {
    let measured = found.curve(picture.over, figure);
    let points =
        measured.into_iter().map(|(size, value)| (size, value.times(times))).collect::<Vec<_>>();
    (!points.is_empty()).then(|| Curve { says: says.to_owned(), points })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_drawn_in_its_unit() {
        let folder = tempfile::tempdir().unwrap();
        let mut found = Found::default();
        for (size, seconds, memory) in [(500.0, 0.25, 99.0), (5_000.0, 0.75, 210.0)] {
            found.fact((catalogues::OVER, size), START, seconds, "s");
            found.fact((catalogues::OVER, size), MEMORY, memory, "MiB");
        }
        let images = draw(&found, folder.path()).unwrap();
        let drawn: Vec<&str> =
            images.iter().filter_map(|image| image.path.rsplit('/').next()).collect();
        assert_eq!(drawn, ["growth-line-items-rebuild.svg", "growth-line-items-memory.svg"]);
        let svg = std::fs::read_to_string(folder.path().join(drawn[0])).unwrap();
        assert!(svg.contains("start until ready") && svg.contains("250"), "{svg}");
        assert!(svg.contains("750") && !svg.contains("edit until served"), "{svg}");
    }
}
