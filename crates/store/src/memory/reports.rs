//! `Reports` in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use domain::time::Day;

use super::lock;
use crate::tally::{add_figures, figures_of};
use crate::{DayFigures, ReportKey, Reports, Seq, StoreError, Stored};

/// Derived figures in memory.
#[derive(Debug, Default)]
pub struct MemoryReports {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    cursor: Seq,
    rows: BTreeMap<ReportKey, DayFigures>,
}

impl MemoryReports {
    /// No figures, at the beginning of the journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Reports for MemoryReports {
    async fn cursor(&self) -> Result<Seq, StoreError> {
        Ok(lock(&self.inner).cursor)
    }

    async fn add(&self, records: &[Stored]) -> Result<Seq, StoreError> {
        let mut inner = lock(&self.inner);
        for stored in records {
            if stored.seq <= inner.cursor {
                continue;
            }
            for (key, figures) in figures_of(&stored.record) {
                add_figures(inner.rows.entry(key).or_default(), &figures);
            }
            inner.cursor = stored.seq;
        }
        Ok(inner.cursor)
    }

    async fn figures(
        &self,
        from: Day,
        to: Day,
    ) -> Result<Vec<(ReportKey, DayFigures)>, StoreError> {
        let inner = lock(&self.inner);
        let rows = inner.rows.iter().filter(|(key, _)| key.day >= from && key.day <= to);
        Ok(rows.map(|(key, figures)| (*key, *figures)).collect())
    }

    async fn clear(&self) -> Result<(), StoreError> {
        *lock(&self.inner) = Inner::default();
        Ok(())
    }
}
