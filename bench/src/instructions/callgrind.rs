//! Callgrind around a server: counting begins and ends when it is told to.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::server::succeeded;

/// Where a count is written, beneath a folder of its own.
const OUT: &str = "callgrind.out";

/// Starts a program under callgrind; nothing is counted yet. `folder` takes what is counted.
pub(super) fn command(program: &Path, folder: &Path) -> Command {
    let mut command = services::command(Path::new("valgrind"));
    command.args(["--tool=callgrind", "--instr-atstart=no"]);
    command.arg(format!("--callgrind-out-file={}", folder.join(OUT).display())).arg(program);
    command
}

/// What was counted between [`begin`] and [`end`].
pub(super) struct Profile {
    /// Instructions of a request.
    pub(super) each: f64,
    requests: f64,
    /// Lines of `callgrind_annotate`: each function with all that it calls.
    functions: String,
}

/// Counting begins.
pub(super) fn begin(pid: u32) -> Result<()> {
    control(&["--instr=on"], pid)
}

/// Counting ends; that many requests were answered meanwhile.
pub(super) fn end(pid: u32, folder: &Path, requests: usize) -> Result<Profile> {
    control(&["--instr=off"], pid)?;
    control(&["--dump"], pid)?;
    // The first dump of a process has the number 1.
    let file = folder.join(format!("{OUT}.1"));
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("callgrind has not written {}", file.display()))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total: f64 = total.context("callgrind tells no total")?.trim().parse()?;
    if total == 0.0 {
        bail!("callgrind has counted nothing");
    }
    let mut annotate = Command::new("callgrind_annotate");
    let functions = annotate.args(["--inclusive=yes", "--threshold=100"]).arg(&file).output();
    let requests = requests as f64;
    Ok(Profile { each: total / requests, requests, functions: succeeded(functions?)? })
}

impl Profile {
    /// Instructions of a request in a function, of whose name this is a part, and in what it calls.
    pub(super) fn of(&self, name: &str) -> Result<f64> {
        let of_name = self.functions.lines().filter(|line| line.contains(name));
        let most = of_name.filter_map(count_of).fold(0.0, f64::max);
        if most == 0.0 {
            bail!("no function of this profile is called {name}");
        }
        Ok(most / self.requests)
    }
}

/// The count at the beginning of a line such as `1,234,567 (12.3%)  file:function [binary]`.
fn count_of(line: &str) -> Option<f64> {
    line.split_whitespace().next()?.replace(',', "").parse().ok()
}

fn control(arguments: &[&str], pid: u32) -> Result<()> {
    let mut command = Command::new("callgrind_control");
    command.args(arguments).arg(pid.to_string());
    succeeded(command.output().context("callgrind_control is missing; install valgrind")?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_the_most_of_its_names() {
        let functions = "\
            1,035,967,316 (100.0%)  PROGRAM TOTALS\n\
              158,470,919 (15.30%)  ???:format::wire::decode [/bin/guerdon]\n\
               41,186,680 ( 3.98%)  ???:format::wire::decode'2 [/bin/guerdon]\n"
            .to_owned();
        let profile = Profile { each: 0.0, requests: 1_000.0, functions };
        assert_eq!(profile.of("format::wire::decode").ok(), Some(158_470.919));
        assert!(profile.of("nobody").is_err());
    }
}
