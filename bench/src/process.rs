//! What a process has used, as the kernel counts it (Linux).

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

/// One tick of the kernel's processor times: 1/100 s on every Linux that programs see.
const TICK: Duration = Duration::from_millis(10);

/// Processor time of all threads of a process, in user space and in the kernel.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = read(pid, "stat")?;
    let ticks = ticks(&stat).with_context(|| format!("/proc/{pid}/stat cannot be read"))?;
    Ok(TICK * ticks)
}

/// The same of several processes together.
pub(crate) fn cpu_time_of(pids: &[u32]) -> Result<Duration> {
    pids.iter().map(|pid| cpu_time(*pid)).sum()
}

/// A process at one moment.
pub(crate) struct Process {
    pub(crate) pid: u32,
    parent: u32,
    pub(crate) name: String,
    pub(crate) cpu: Duration,
}

/// All processes of the machine.
pub(crate) fn all() -> Result<Vec<Process>> {
    let entries = std::fs::read_dir("/proc").context("there is no /proc")?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // One that has ended meanwhile is left out.
    Ok(pids.filter_map(|pid| parse(pid, &read(pid, "stat").ok()?)).collect())
}

/// A process and all that it has started, and those have started.
pub(crate) fn family(all: &[Process], pid: u32) -> Vec<u32> {
    let mut members = vec![pid];
    let mut at = 0;
    while let Some(&parent) = members.get(at) {
        members.extend(all.iter().filter(|one| one.parent == parent).map(|one| one.pid));
        at += 1;
    }
    members
}

fn parse(pid: u32, stat: &str) -> Option<Process> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let parent = after.split_whitespace().nth(1)?.parse().ok()?;
    Some(Process { pid, parent, name: name.to_owned(), cpu: TICK * ticks(stat)? })
}

/// Processor time of the calling thread, in nanoseconds.
pub(crate) fn thread_cpu_ns() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat");
    let text = text.context("the kernel does not count the time of threads")?;
    let first = text.split_whitespace().next().and_then(|text| text.parse().ok());
    first.with_context(|| format!("/proc/thread-self/schedstat says {text:?}"))
}

/// Memory of a process that is in RAM, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64> {
    let status = read(pid, "status")?;
    let kib = field(&status, "VmRSS:").with_context(|| format!("process {pid} has no memory"))?;
    Ok(kib * 1024)
}

/// Bytes that a process has had written to disks.
pub(crate) fn disk_bytes(pid: u32) -> Result<u64> {
    let io = read(pid, "io")?;
    field(&io, "write_bytes:").with_context(|| format!("/proc/{pid}/io cannot be read"))
}

fn read(pid: u32, name: &str) -> Result<String> {
    let path = Path::new("/proc").join(pid.to_string()).join(name);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Fields 14 and 15. The second is the program's name in brackets, which may hold anything.
fn ticks(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let kernel: u32 = fields.next()?.parse().ok()?;
    Some(user + kernel)
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_brackets_and_spaces_do_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 31 0 0 20 0 3 0 100 1 2";
        assert_eq!(ticks(stat), Some(281));
        let process = parse(7, stat).unwrap();
        assert_eq!((process.parent, process.name.as_str()), (1, "a) b"));
    }

    #[test]
    fn a_family_goes_down_all_generations() {
        let process =
            |pid, parent| Process { pid, parent, name: String::new(), cpu: Duration::ZERO };
        let all = [process(1, 0), process(2, 1), process(3, 2), process(4, 1), process(5, 9)];
        assert_eq!(family(&all, 1), [1, 2, 4, 3]);
        assert_eq!(family(&all, 5), [5]);
    }

    #[test]
    fn this_process_uses_something() {
        let own = std::process::id();
        assert!(resident_bytes(own).unwrap() > 100_000);
        assert!(cpu_time(own).is_ok() && disk_bytes(own).is_ok());
    }
}
