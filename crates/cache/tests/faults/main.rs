//! Redis that is gone, dies, forgets, is full, evicts, stalls, fails over and moves slots: nobody is
//! shown what he must not be, no call takes long, and the cache is back within seconds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod crowd;

mod cluster;
mod node;
