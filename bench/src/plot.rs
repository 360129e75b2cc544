//! Pictures of figures: SVG on a white ground of its own, so that it can be read on any page.

use std::ops::Range;
use std::path::Path;

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::measure::Spread;
use crate::report::figure;

/// Sizes in pixels.
pub(crate) const WIDTH: u32 = 960;
pub(crate) const MARGIN: u32 = 16;
const HEIGHT: u32 = 460;
const HEAD: u32 = 74;
const FOOT: u32 = 56;
/// Room for the numbers of the upright axis.
const NUMBERS: u32 = 74;
/// Room for the names of the curves, at their ends.
const NAMES: u32 = 190;

pub(crate) const INK: RGBColor = RGBColor(36, 41, 47);
pub(crate) const FAINT: RGBColor = RGBColor(101, 109, 118);
pub(crate) const GRID: RGBColor = RGBColor(225, 228, 232);
/// Colours of curves, in their order.
const COLOURS: [RGBColor; 4] =
    [RGBColor(9, 105, 218), RGBColor(191, 97, 6), RGBColor(120, 87, 173), RGBColor(17, 128, 84)];

/// What is drawn on.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Some curves over the same sizes.
pub(crate) struct Chart<'a> {
    pub(crate) title: &'a str,
    pub(crate) subtitle: &'a str,
    /// What the sizes are of.
    pub(crate) sizes: &'a str,
    pub(crate) curves: Vec<Curve>,
}

/// One curve: its values at sizes, which ascend.
pub(crate) struct Curve {
    pub(crate) says: String,
    pub(crate) points: Vec<(f64, Spread)>,
}

impl Chart<'_> {
    /// Draws it; both axes are logarithmic, so what grows with the size is a straight line that rises,
    /// and what does not is level.
    pub(crate) fn draw(&self, path: &Path) -> Result<()> {
        let root = SVGBackend::new(path, (WIDTH, HEIGHT)).into_drawing_area();
        root.fill(&WHITE)?;
        title(&root, self.title, self.subtitle)?;
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let values = points().flat_map(|(_, value)| [value.min, value.max]);
        let (least, most) = ends(points().map(|(size, _)| *size));
        let mut chart = ChartBuilder::on(&root)
            .margin_left(MARGIN)
            .margin_right(NAMES)
            .margin_top(HEAD)
            .margin_bottom(MARGIN)
            .x_label_area_size(FOOT - MARGIN)
            .y_label_area_size(NUMBERS)
            .build_cartesian_2d((least..most).log_scale(), around(values).log_scale())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .x_label_formatter(&|value| tick(*value))
            .y_label_formatter(&|value| tick(*value))
            .label_style(font(15, FAINT, HPos::Center).0)
            .x_desc(self.sizes)
            .axis_desc_style(font(15, FAINT, HPos::Center).0)
            .draw()?;
        for (curve, colour) in self.curves.iter().zip(COLOURS.into_iter().cycle()) {
            let line = curve.points.iter().map(|(size, value)| (*size, value.median));
            chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?;
            for (size, value) in &curve.points {
                let at = chart.backend_coord(&(*size, value.median));
                let reach = [value.min, value.max].map(|end| chart.backend_coord(&(*size, end)));
                root.draw(&PathElement::new(reach.to_vec(), colour.stroke_width(1)))?;
                root.draw(&Circle::new(at, 4, colour.filled()))?;
                let above = (at.0, at.1 - 14);
                text(&root, &figure(value.median), above, &font(14, INK, HPos::Center))?;
            }
            if let Some((size, value)) = curve.points.last() {
                let (x, y) = chart.backend_coord(&(*size, value.median));
                text(&root, &curve.says, (x + 34, y), &font(15, colour, HPos::Left))?;
            }
        }
        root.present()?;
        Ok(())
    }
}

/// The least and the most of the sizes, a little apart from the edges.
fn ends(sizes: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, most) = sizes
        .fold((f64::INFINITY, 0.0_f64), |(least, most), size| (least.min(size), most.max(size)));
    if least > most { (1.0, 10.0) } else { (least / 1.3, most * 1.3) }
}

/// A picture's title, and how it is read.
pub(crate) fn title(root: &Area<'_>, title: &str, subtitle: &str) -> Result<()> {
    let left = MARGIN as i32;
    text(root, title, (left, 14), &font(24, INK, HPos::Left).top())?;
    text(root, subtitle, (left, 44), &font(16, FAINT, HPos::Left).top())
}

/// A number at an axis.
pub(crate) fn tick(value: f64) -> String {
    figure(value).trim_end_matches(".0").to_owned()
}

/// The powers of ten around some values; what is not above zero cannot be shown, and is left out.
pub(crate) fn around(values: impl Iterator<Item = f64>) -> Range<f64> {
    let logs: Vec<f64> = values.filter(|value| *value > 0.0).map(f64::log10).collect();
    let least = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if logs.is_empty() {
        return 1.0..10.0;
    }
    let (begin, end) = (least.floor(), most.ceil());
    10_f64.powf(begin)..10_f64.powf(if end > begin { end } else { begin + 1.0 })
}

/// How something is written.
pub(crate) struct Font(pub(crate) TextStyle<'static>);

pub(crate) fn font(size: i32, colour: RGBColor, side: HPos) -> Font {
    let style = ("sans-serif", size).into_font().color(&colour);
    Font(style.pos(Pos::new(side, VPos::Center)))
}

impl Font {
    /// Its position is its upper edge.
    pub(crate) fn top(self) -> Self {
        let pos = Pos::new(self.0.pos.h_pos, VPos::Top);
        Self(self.0.pos(pos))
    }
}

pub(crate) fn text(root: &Area<'_>, what: &str, at: (i32, i32), font: &Font) -> Result<()> {
    root.draw(&Text::new(what, at, font.0.clone()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_reaches_over_all_values() {
        assert_eq!(around([0.3, 25.0, 0.0].into_iter()), 0.1..100.0);
        assert_eq!(around([10.0].into_iter()), 10.0..100.0);
        assert_eq!(around([0.0].into_iter()), 1.0..10.0);
    }

    #[test]
    fn a_chart_has_every_curve_with_its_figures() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chart.svg");
        let curve = |says: &str, values: [f64; 2]| Curve {
            says: says.to_owned(),
            points: [500.0, 5_000.0].into_iter().zip(values.map(|one| Spread::of([one]))).collect(),
        };
        let curves = vec![curve("p50", [0.3, 0.4]), curve("p99", [1.25, 77.0])];
        let chart = Chart { title: "Lists", subtitle: "how", sizes: "line items", curves };
        chart.draw(&path).unwrap();
        let svg = std::fs::read_to_string(path).unwrap();
        for told in ["Lists", "how", "line items", "p50", "p99", "0.300", "1.25", "77.0"] {
            assert!(svg.contains(told), "{told} in {svg}");
        }
        assert!(svg.contains("fill=\"#FFFFFF\""), "{svg}");
    }
}
