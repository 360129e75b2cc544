//! `Broker`: a hint reaches the other nodes, and nothing rests on it.

use std::time::Duration;

use super::{BrokerFixture, Checked, Failure};
use crate::{Broker, Topic};

/// How long a case waits for a hint that is given again and again.
const WITHIN: Duration = Duration::from_secs(20);
/// Between two hints, since one may be lost.
const AGAIN: Duration = Duration::from_millis(50);

/// Hints until the other node hears it.
async fn reach(from: &dyn Broker, to: &dyn Broker, topic: Topic) -> Checked {
    let hints = async {
        loop {
            from.hint(topic);
            if tokio::time::timeout(AGAIN, to.wait(topic)).await.is_ok() {
                return;
            }
        }
    };
    let heard = tokio::time::timeout(WITHIN, hints).await;
    heard.map_err(|_| Failure::new(format!("no hint about {} was heard", topic.name())))
}

/// Whether nothing has come for as long as a hint takes that is heard at all: one is sent behind it on
/// the other topic.
async fn is_silent(from: &dyn Broker, to: &dyn Broker, topic: Topic, other: Topic) -> Checked {
    reach(from, to, other).await?;
    let silence = tokio::time::timeout(Duration::ZERO, to.wait(topic)).await;
    ensure!(silence.is_err(), "a hint about {} came from nowhere", topic.name());
    Ok(())
}

/// Each node is heard by the other, about each topic.
pub async fn broker_hint_reaches_the_other_node(fixture: &dyn BrokerFixture) -> Checked {
    let (one, other) = fixture.pair().await?;
    for topic in Topic::ALL {
        reach(&*one, &*other, topic).await?;
        reach(&*other, &*one, topic).await?;
    }
    Ok(())
}

/// A node does not wake itself: it knows what it has done.
pub async fn broker_hint_is_not_for_oneself(fixture: &dyn BrokerFixture) -> Checked {
    let (one, other) = fixture.pair().await?;
    reach(&*one, &*other, Topic::Work).await?;
    reach(&*other, &*one, Topic::Catalog).await?;
    // What connecting may have left behind is taken first.
    let _ = tokio::time::timeout(AGAIN, one.wait(Topic::Work)).await;
    reach(&*one, &*other, Topic::Work).await?;
    is_silent(&*other, &*one, Topic::Work, Topic::Catalog).await
}

/// A hint that comes while nobody waits is there for the next wait, and waits for one topic do not
/// hear the other.
pub async fn broker_wait_finds_what_came_before(fixture: &dyn BrokerFixture) -> Checked {
    let (one, other) = fixture.pair().await?;
    reach(&*one, &*other, Topic::Work).await?;
    // The hint about work is given again and not waited for until one about the catalogue, which
    // travels behind it, has come.
    let _ = tokio::time::timeout(AGAIN, other.wait(Topic::Catalog)).await;
    let heard = async {
        loop {
            one.hint(Topic::Work);
            reach(&*one, &*other, Topic::Catalog).await?;
            if tokio::time::timeout(Duration::ZERO, other.wait(Topic::Work)).await.is_ok() {
                return Ok(());
            }
        }
    };
    let heard = tokio::time::timeout(WITHIN, heard).await;
    heard.map_err(|_| Failure::new("the hint was gone when somebody waited"))?
}
