//! Waiting for a condition, with an end.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The longest any server may take to start or to reach a state; many times what it takes on a
/// quiet machine, because tests share theirs.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Short enough that nobody waits for the pause itself, long enough to leave the processor alone.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks again and again until the answer is yes; an error ends the waiting at once.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !is_so()? {
        if start.elapsed() > LIMIT {
            bail!("after {} s still not: {what}", LIMIT.as_secs());
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
