//! The raw data: every measurement, as a line of CSV.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::rounds::Shot;

const HEAD: &str = "rung,round,callers,answers,per_second,p50_ms,p90_ms,p95_ms,p99_ms,max_ms,\
                    server_cpu_us,store_cpu_us,generator_cpu_us,body_bytes";

/// Writes the file.
pub(super) fn write(shots: &[Shot], path: &Path) -> Result<()> {
    std::fs::write(path, text(shots)).with_context(|| format!("cannot write {}", path.display()))
}

fn text(shots: &[Shot]) -> String {
    let mut text = format!("{HEAD}\n");
    for Shot { rung, round, callers, sample, store_cpu_us } in shots {
        let _ = write!(text, "{},{round},{callers},{}", rung.name, sample.answers);
        let figures = [
            sample.per_second,
            sample.p50_ms,
            sample.p90_ms,
            sample.p95_ms,
            sample.p99_ms,
            sample.max_ms,
            sample.server_cpu_us,
            *store_cpu_us,
            sample.generator_cpu_us,
            sample.body_bytes,
        ];
        for figure in figures {
            let _ = write!(text, ",{figure:.3}");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::shots;
    use super::*;

    #[test]
    fn every_measurement_is_a_line_with_all_columns() {
        let text = text(&shots("rust-kv", 8, &[1_234.5, 2.0], 0.5));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[1].starts_with("rust-kv,1,8,100,1234.500,0.250,"), "{text}");
        let columns = |line: &str| line.split(',').count();
        assert!(lines.iter().all(|line| columns(line) == columns(HEAD)), "{text}");
    }
}
