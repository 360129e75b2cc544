//! The server's wall clock, which a test can put forward: rewards on hold for hours are released
//! without waiting, and deadlines pass.
//!
//! The binary has no switch for it, so nobody can turn its clock in production: a small C library
//! (`clock.c`) is preloaded that answers for the system.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock that can be put forward.
#[derive(Clone, Default)]
pub(crate) struct Clock {
    ahead_ms: Arc<AtomicI64>,
    file: Option<Arc<PathBuf>>,
}

impl Clock {
    /// A clock for a server that lives in `folder`.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let (library, file) = (folder.join("clock.so"), folder.join("clock"));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/support/clock.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", source, "-o"]).arg(&library);
        assert!(compiler.status().unwrap().success(), "the clock's library could not be built");
        std::fs::write(&file, 0_i64.to_ne_bytes()).unwrap();
        Self { ahead_ms: Arc::default(), file: Some(Arc::new(file)) }
    }

    /// Lets a command live by this clock.
    pub(crate) fn give_to(&self, command: &mut Command) {
        if let Some(file) = &self.file {
            command.env("LD_PRELOAD", file.with_extension("so"));
            command.env("GUERDON_TEST_CLOCK", file.as_path());
        }
    }

    /// Puts the clock forward.
    pub(crate) fn forward_hours(&self, hours: i64) {
        let ahead = self.ahead_ms.fetch_add(hours * 3_600_000, Ordering::SeqCst);
        let file = self.file.as_ref().expect("this server has the machine's clock");
        let file = OpenOptions::new().write(true).open(file.as_path()).unwrap();
        file.write_all_at(&(ahead + hours * 3_600_000).to_ne_bytes(), 0).unwrap();
    }

    /// Milliseconds since 1970 by this clock.
    #[expect(clippy::disallowed_methods, reason = "tests send and compare real moments")]
    pub(crate) fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(since.as_millis()).unwrap() + self.ahead_ms.load(Ordering::SeqCst)
    }

    /// Seconds since 1970 by this clock.
    pub(crate) fn now_s(&self) -> i64 {
        self.now_ms() / 1_000
    }
}
