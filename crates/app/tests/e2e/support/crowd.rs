//! Many callers at once.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Runs `count` callers that all begin at the same moment, and gives their results in any order.
pub(crate) async fn at_once<T, F>(count: usize, caller: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let gate = Arc::new(Barrier::new(count));
    let mut callers = JoinSet::new();
    for number in 0..count {
        let (gate, work) = (Arc::clone(&gate), caller(number));
        callers.spawn(async move {
            gate.wait().await;
            work.await
        });
    }
    callers.join_all().await
}

/// Runs `count` pieces of work, at most `width` at a time, and gives their results in any order.
pub(crate) async fn in_turns<T, F>(width: usize, count: usize, work: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (mut running, mut done) = (JoinSet::new(), Vec::with_capacity(count));
    for number in 0..count {
        if running.len() >= width {
            done.push(running.join_next().await.unwrap().unwrap());
        }
        running.spawn(work(number));
    }
    done.extend(running.join_all().await);
    done
}
