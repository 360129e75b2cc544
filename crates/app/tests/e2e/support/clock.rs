//! The server's wall clock, which a test can put forward: rewards on hold for hours are released
//! without waiting, and deadlines pass.
//!
//! The binary has no switch for it, so nobody can turn its clock in production: a small C library
//! (`clock.c`) is preloaded that answers for the system.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long something that was sent may be on its way; a server gives up earlier.
const ON_ITS_WAY_MAX: Duration = Duration::from_secs(30);

/// A clock that can be put forward.
#[derive(Clone, Default)]
pub(crate) struct Clock {
    ahead_ms: Arc<AtomicI64>,
    /// When it was last put forward, and by how much.
    leap: Arc<Mutex<Option<(Instant, i64)>>>,
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
        Self { file: Some(Arc::new(file)), ..Self::default() }
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
        *self.leap.lock().unwrap() = Some((Instant::now(), hours * 3_600_000));
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

    /// What time it may have been, in seconds since 1970, when something was sent that comes now: just
    /// this, or what it would be if the clock had not been put forward a moment ago.
    pub(crate) fn sent_s(&self) -> Vec<i64> {
        let now_ms = self.now_ms();
        let leap = self.leap.lock().unwrap().filter(|(at, _)| at.elapsed() < ON_ITS_WAY_MAX);
        let by_ms = [Some(0), leap.map(|(_, by_ms)| by_ms)];
        by_ms.into_iter().flatten().map(|by_ms| (now_ms - by_ms) / 1_000).collect()
    }

    /// Seconds since 1970 by this clock.
    pub(crate) fn now_s(&self) -> i64 {
        self.now_ms() / 1_000
    }
}
