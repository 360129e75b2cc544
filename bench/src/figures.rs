//! What a server counts of itself: its `/metrics`, at one moment.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};

use crate::client::Conn;
use crate::feed::get;

/// The sums of all processes of a node.
pub(crate) struct Figures {
    lines: Vec<(String, f64)>,
}

impl Figures {
    /// Asks each process.
    pub(crate) async fn of(addresses: &[SocketAddr]) -> Result<Self> {
        let mut lines = Vec::new();
        for &address in addresses {
            let mut conn = Conn::open(address).await?;
            let answer = conn.ask(&get(address, "/metrics", "")).await?;
            ensure!(answer.status == 200, "{}", answer.shown());
            read(&String::from_utf8_lossy(answer.body), &mut lines)?;
        }
        Ok(Self { lines })
    }

    /// The sum of a figure over all its labels that `is_wanted` takes; 0 if it was never counted.
    pub(crate) fn sum(&self, name: &str, is_wanted: impl Fn(&str) -> bool) -> f64 {
        let of_it = self.lines.iter().filter_map(|(line, value)| {
            let labels = line.strip_prefix(name)?;
            (labels.is_empty() || labels.starts_with('{')).then_some((labels, value))
        });
        of_it.filter(|(labels, _)| is_wanted(labels)).map(|(_, value)| value).sum()
    }
}

/// Lines of the Prometheus text format, comments left out.
fn read(text: &str, lines: &mut Vec<(String, f64)>) -> Result<()> {
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').with_context(|| format!("no value: {line}"))?;
        lines.push((name.to_owned(), value.parse().with_context(|| format!("no number: {line}"))?));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_add_up_by_label() {
        let text = "# TYPE a counter\na{k=\"x\"} 1\na{k=\"y z\"} 2.5\nab 9\n\n# HELP b c\nb 4\n";
        let mut lines = Vec::new();
        read(text, &mut lines).unwrap();
        let figures = Figures { lines };
        assert_eq!(figures.sum("a", |_| true), 3.5);
        assert_eq!(figures.sum("a", |labels| labels.contains("\"y z\"")), 2.5);
        assert_eq!((figures.sum("b", |_| true), figures.sum("c", |_| true)), (4.0, 0.0));
        assert!(read("a b\n", &mut Vec::new()).is_err());
    }
}
