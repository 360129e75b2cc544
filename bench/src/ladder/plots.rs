//! The ladder as pictures: SVG on a white ground of its own, so that it can be read on any page.
//!
//! All axes are logarithmic, because the rungs are thousands of times apart.

use std::path::Path;

use anyhow::Result;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::figures::{Figure, Level};
use super::rungs::Way;
use super::{CALLERS, MOST};
use crate::measure::Spread;
use crate::plot::{Area, FAINT, GRID, INK, MARGIN, WIDTH, around, font, text, tick, title};
use crate::report::{Image, figure};

/// Sizes in pixels.
const ROW: u32 = 30;
const HEAD: u32 = 74;
const FOOT: u32 = 56;
const LABELS: u32 = 270;
/// Room for the figure behind the longest bar.
const FIGURES: u32 = 130;

/// One picture.
struct Picture<'a> {
    file: String,
    title: String,
    subtitle: &'a str,
    axis: &'a str,
    /// What is drawn of a rung, on its row.
    mark: fn(&Canvas<'_, '_>, &Figure, f64) -> Result<()>,
    /// The values that the axis has to reach.
    values: fn(&Level) -> Vec<f64>,
    callers: usize,
}

/// Draws all of them into a folder.
pub(super) fn draw(figures: &[Figure], folder: &Path) -> Result<Vec<Image>> {
    let mut images = Vec::new();
    for picture in pictures() {
        let shown: Vec<&Figure> =
            figures.iter().filter(|one| one.at(picture.callers).is_some()).collect();
        if shown.is_empty() {
            continue;
        }
        picture.draw(&shown, &folder.join(&picture.file))?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        images.push(Image { says: picture.title, path: format!("{name}/{}", picture.file) });
    }
    Ok(images)
}

fn pictures() -> Vec<Picture<'static>> {
    let latency = CALLERS.into_iter().rev().map(|callers| Picture {
        file: format!("ladder-latency-{callers}.svg"),
        title: match callers {
            1 => "How long a list of missions takes one caller".to_owned(),
            _ => format!("How long a list of missions takes each of {callers} callers"),
        },
        subtitle: "small dot: p50; large dot: p95, with its figure; end of the line: p99",
        axis: "milliseconds, logarithmic; less is better",
        mark: match callers {
            1 => |canvas, figure, row| latency(canvas, figure, row, 1),
            8 => |canvas, figure, row| latency(canvas, figure, row, 8),
            _ => |canvas, figure, row| latency(canvas, figure, row, MOST),
        },
        values: |level| vec![level.p50_ms.median, level.p99_ms.median],
        callers,
    });
    let rate = Picture {
        file: "ladder-rate.svg".to_owned(),
        title: format!("Lists of missions a second, {MOST} callers"),
        subtitle: "the median of the rounds; the thin line reaches from the least to the most",
        axis: "requests a second, logarithmic; more is better",
        mark: rate,
        values: |level| vec![level.per_second.min, level.per_second.max],
        callers: MOST,
    };
    let cpu = Picture {
        file: "ladder-cpu.svg".to_owned(),
        title: format!("Processor time for a list of missions, {MOST} callers"),
        subtitle: "thick: the server's processes; thin: the databases",
        axis: "microseconds, logarithmic; less is better",
        mark: cpu,
        // What the databases do while others are served is not worth a decade of the axis.
        values: |level| {
            let (server, store) = (level.server_cpu_us.median, level.store_cpu_us.median);
            vec![server, server.max(store)]
        },
        callers: MOST,
    };
    latency.chain([rate, cpu]).collect()
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<LogCoord<f64>, RangedCoordf64>>;

/// A chart with an axis, on which rows are drawn.
struct Canvas<'a, 'b> {
    root: &'a Area<'b>,
    chart: Chart<'a, 'b>,
    /// The least value of the axis.
    begin: f64,
}

impl Picture<'_> {
    fn draw(&self, figures: &[&Figure], path: &Path) -> Result<()> {
        let height = HEAD + ROW * figures.len() as u32 + FOOT;
        let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE)?;
        let canvas = self.canvas(&root, figures)?;
        title(&root, &self.title, self.subtitle)?;
        for (place, one) in figures.iter().enumerate() {
            let row = place as f64 + 0.5;
            let (_, y) = canvas.chart.backend_coord(&(canvas.begin, row));
            let label = font(16, INK, HPos::Right);
            text(&root, one.rung.says, ((MARGIN + LABELS) as i32 - 12, y), &label)?;
            (self.mark)(&canvas, one, row)?;
        }
        root.present()?;
        Ok(())
    }

    fn canvas<'a, 'b>(&self, root: &'a Area<'b>, figures: &[&Figure]) -> Result<Canvas<'a, 'b>> {
        let levels = figures.iter().filter_map(|one| one.at(self.callers));
        let range = around(levels.flat_map(self.values));
        let begin = range.start;
        let mut chart = ChartBuilder::on(root)
            .margin_left(MARGIN + LABELS)
            .margin_right(FIGURES)
            .margin_top(HEAD)
            .margin_bottom(MARGIN)
            .x_label_area_size(FOOT - MARGIN)
            .build_cartesian_2d(range.log_scale(), figures.len() as f64..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .x_label_formatter(&|value| tick(*value))
            .x_label_style(font(15, FAINT, HPos::Center).top().0)
            .x_desc(self.axis)
            .axis_desc_style(font(15, FAINT, HPos::Center).0)
            .draw()?;
        Ok(Canvas { root, chart, begin })
    }
}

impl Canvas<'_, '_> {
    /// A bar from the beginning of the axis, so many pixels thick, moved down by `below`.
    fn bar(
        &self,
        row: f64,
        value: f64,
        (thick, below): (i32, i32),
        colour: RGBColor,
    ) -> Result<()> {
        let (left, y) = self.chart.backend_coord(&(self.begin, row));
        let (right, _) = self.chart.backend_coord(&(value.max(self.begin), row));
        let top = y - thick / 2 + below;
        let corners = [(left, top), (right, top + thick)];
        self.root.draw(&Rectangle::new(corners, colour.filled()))?;
        Ok(())
    }

    fn line(&self, row: f64, (from, to): (f64, f64), colour: RGBColor) -> Result<()> {
        let ends = [from, to].map(|value| self.chart.backend_coord(&(value.max(self.begin), row)));
        self.root.draw(&PathElement::new(ends.to_vec(), colour.stroke_width(2)))?;
        Ok(())
    }

    fn dot(&self, row: f64, value: f64, size: i32, colour: RGBColor) -> Result<()> {
        let at = self.chart.backend_coord(&(value.max(self.begin), row));
        self.root.draw(&Circle::new(at, size, colour.filled()))?;
        Ok(())
    }

    /// A figure behind a value.
    fn tell(&self, row: f64, behind: f64, told: &str) -> Result<()> {
        let (x, y) = self.chart.backend_coord(&(behind.max(self.begin), row));
        text(self.root, told, (x + 10, y), &font(15, INK, HPos::Left))
    }
}

fn latency(canvas: &Canvas<'_, '_>, one: &Figure, row: f64, callers: usize) -> Result<()> {
    let Some(level) = one.at(callers) else { return Ok(()) };
    let Level { p50_ms, p95_ms, p99_ms, .. } = level;
    let colour = colour_of(one);
    canvas.line(row, (p50_ms.median, p99_ms.median), colour)?;
    canvas.line(row, (p99_ms.median, p99_ms.median * 1.03), colour)?;
    canvas.dot(row, p50_ms.median, 3, colour)?;
    canvas.dot(row, p95_ms.median, 6, colour)?;
    let behind = p99_ms.median.max(p95_ms.median);
    canvas.tell(row, behind, &format!("{} ms", figure(p95_ms.median)))
}

fn rate(canvas: &Canvas<'_, '_>, one: &Figure, row: f64) -> Result<()> {
    let Some(level) = one.at(MOST) else { return Ok(()) };
    let Spread { median, min, max } = level.per_second;
    canvas.bar(row, median, (16, 0), colour_of(one))?;
    canvas.line(row, (min, max), INK)?;
    canvas.tell(row, max, &figure(median))
}

fn cpu(canvas: &Canvas<'_, '_>, one: &Figure, row: f64) -> Result<()> {
    let Some(level) = one.at(MOST) else { return Ok(()) };
    let (server, store) = (level.server_cpu_us.median, level.store_cpu_us.median);
    canvas.bar(row, server, (12, -3), colour_of(one))?;
    canvas.bar(row, store, (4, 6), FAINT)?;
    canvas.tell(row, server.max(store), &format!("{} + {}", figure(server), figure(store)))
}

/// A colour for each kind of program.
fn colour_of(figure: &Figure) -> RGBColor {
    match figure.rung.way {
        Way::Django(..) => RGBColor(191, 97, 6),
        Way::Rust(_) => RGBColor(120, 87, 173),
        Way::Guerdon(_) | Way::Unchanged => RGBColor(9, 105, 218),
        Way::Bare | Way::Hello => RGBColor(110, 119, 129),
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::figures;
    use super::*;

    #[test]
    fn every_rung_is_in_every_picture_on_a_white_ground() {
        let folder = tempfile::tempdir().unwrap();
        let figures =
            figures(&[("django-before", 5.0, 6_000.0), ("guerdon-embedded", 40_000.0, 1.25)]);
        let images = draw(&figures, folder.path()).unwrap();
        // Nothing was measured with fewer callers.
        assert_eq!(images.len(), 3);
        for image in images {
            let name = image.path.rsplit('/').next().unwrap();
            let svg = std::fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(
                svg.contains("Django before: N+1") && svg.contains("Guerdon embedded"),
                "{svg}"
            );
            assert!(svg.contains("fill=\"#FFFFFF\""), "{svg}");
        }
        let latency = std::fs::read_to_string(folder.path().join("ladder-latency-32.svg")).unwrap();
        assert!(latency.contains("6,000 ms") && latency.contains("1.25 ms"), "{latency}");
    }
}
