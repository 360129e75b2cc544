//! What commands print: text for people on a terminal, JSON for programs.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use serde::Serialize;

/// A check that found something wrong. It ends the command with an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Finding(pub(crate) String);

/// How to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// One JSON document on standard output.
    pub(crate) json: bool,
}

impl Output {
    /// Prints an answer: as JSON, or as the text that `people` makes of it.
    pub(crate) fn answer<T: Serialize>(
        self,
        answer: &T,
        people: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string_pretty(answer)? } else { people(answer) };
        print(&text)
    }
}

/// Prints text and a new line. A closed pipe is not an error: the reader has seen enough.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A number with what it counts.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Progress on standard error: a line that is rewritten on a terminal, a line every five seconds
/// and at each turn elsewhere.
pub(crate) struct Progress {
    what: &'static str,
    begun: Instant,
    shown: Option<Instant>,
    is_due: bool,
    is_terminal: bool,
}

impl Progress {
    /// Begins to show progress of something.
    pub(crate) fn new(what: &'static str) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { what, begun: Instant::now(), shown: None, is_due: false, is_terminal }
    }

    /// Something new has begun: the next state is shown at once.
    pub(crate) fn turn(&mut self) {
        self.is_due = true;
    }

    /// Shows how far it has come, if it is time to.
    pub(crate) fn at(&mut self, state: impl FnOnce() -> String) {
        let every = Duration::from_millis(if self.is_terminal { 100 } else { 5_000 });
        if !self.is_due && self.shown.unwrap_or(self.begun).elapsed() < every {
            return;
        }
        self.is_due = false;
        self.shown = Some(Instant::now());
        let line = format!("{}: {}", self.what, state());
        if self.is_terminal {
            eprint!("\r\x1b[2K{line}");
        } else {
            eprintln!("{line}");
        }
    }

    /// How many seconds it has taken.
    pub(crate) fn end(self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}

impl Drop for Progress {
    /// Leaves the terminal tidy.
    fn drop(&mut self) {
        if self.is_terminal && self.shown.is_some() {
            eprint!("\r\x1b[2K");
        }
    }
}
