//! What the figures were measured on.

use std::fs::{File, read_to_string};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::data;
use crate::process::{self, Process};
use crate::server::{Guerdon, succeeded};

/// Writes that are timed for the disk's median.
const FSYNCS: usize = 201;
/// Bytes of each: a page, as that of a database.
pub(crate) const FSYNC_BYTES: usize = 4_096;

/// A process that takes more of a core than this counts as busy.
const BUSY_CORES: f64 = 0.05;

/// A machine and the programs on it.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
    /// Median of appending a page and `fdatasync`, in microseconds, where the data lies.
    pub(crate) fsync_us: u64,
    pub(crate) guerdon: String,
    pub(crate) rustc: String,
}

impl Machine {
    /// Looks at this one.
    pub(crate) fn look(guerdon: &Guerdon) -> Result<Self> {
        let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = read_to_string("/proc/meminfo").unwrap_or_default();
        let memory_kib = after(&memory, "MemTotal:").and_then(|text| text.parse::<u64>().ok());
        let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let rustc = Command::new("rustc").arg("--version").output().map_err(Into::into);
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            processor: after(&cpu, "model name").unwrap_or("unknown").to_owned(),
            memory_mib: memory_kib.unwrap_or(0) / 1_024,
            kernel: format!("Linux {}", kernel.trim()),
            fsync_us: durable_us(&data::kept_folder()?, FSYNC_BYTES)?,
            guerdon: guerdon.version()?,
            rustc: rustc
                .and_then(succeeded)
                .map_or("unknown".to_owned(), |text| text.trim().to_owned()),
        })
    }

    /// In one sentence.
    pub(crate) fn sentence(&self) -> String {
        format!(
            "{} cores ({}), {} MiB memory, {}, {} µs for a page and its fdatasync; {}, {}.",
            self.cores,
            self.processor,
            self.memory_mib,
            self.kernel,
            self.fsync_us,
            self.guerdon,
            self.rustc
        )
    }
}

/// What else the machine does, from now on: processes that this one has not started.
pub(crate) struct Others {
    before: Vec<Process>,
    begun: Instant,
}

impl Others {
    /// Begins to watch.
    pub(crate) fn watch() -> Result<Self> {
        Ok(Self { before: process::all()?, begun: Instant::now() })
    }

    /// Since then: cores that were busy for others, and who took more than a twentieth of one.
    pub(crate) fn seen(&self) -> Result<(f64, Vec<String>)> {
        let now = process::all()?;
        let own = process::family(&now, std::process::id());
        let others = now.iter().filter(|one| !own.contains(&one.pid));
        let seconds = self.begun.elapsed().as_secs_f64();
        let used = others.map(|one| {
            let before = self.before.iter().find(|before| before.pid == one.pid);
            let before = before.map_or(Duration::ZERO, |before| before.cpu);
            (&one.name, one.cpu.saturating_sub(before).as_secs_f64() / seconds)
        });
        let used: Vec<(&String, f64)> = used.collect();
        let busy = used.iter().filter(|(_, cores)| *cores > BUSY_CORES);
        let busy = busy.map(|(name, _)| (*name).clone()).collect();
        Ok((used.iter().map(|(_, cores)| cores).sum(), busy))
    }
}

/// Processes that wanted to run, on average over the last minute.
pub(crate) fn load_average() -> f64 {
    let text = read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}

/// The value on the first line that begins with `name`, unit left out.
fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    let value = rest.trim_start_matches([' ', '\t', ':']);
    Some(value.trim_end_matches(" kB").trim())
}

/// Median of appending so many bytes to a file in a folder and `fdatasync`, in microseconds.
pub(crate) fn durable_us(folder: &Path, bytes: usize) -> Result<u64> {
    let path = folder.join("fsync.probe");
    let mut file = File::create(&path)?;
    let page = vec![b'x'; bytes];
    let mut times = Vec::with_capacity(FSYNCS);
    for _ in 0..FSYNCS {
        let begun = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    std::fs::remove_file(&path)?;
    times.sort_unstable();
    Ok(times[FSYNCS / 2].as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_without_units() {
        assert_eq!(after("A: 1\nMemTotal:   2048 kB\n", "MemTotal:"), Some("2048"));
        assert_eq!(after("model name\t: A CPU @ 2 GHz\n", "model name"), Some("A CPU @ 2 GHz"));
        assert_eq!(after("", "x"), None);
    }
}
