//! `Cache`: what is found is what was put, and never what somebody has changed since.

use std::sync::Arc;
use std::time::Duration;

use super::{CacheFixture, Checked, Failure, all};
use crate::{Ages, Allowance, Cache, CacheKey, Entry, Found, Rate, Ticket};

/// Nothing grows old while a case runs.
const LONG: Ages = Ages {
    early: Duration::from_secs(600),
    fresh: Duration::from_secs(1_200),
    kept: Duration::from_secs(1_800),
};
/// How long a case waits for something that must happen.
const WITHIN: Duration = Duration::from_secs(20);
/// Between two looks at whether it has happened.
const LOOK_EVERY: Duration = Duration::from_millis(2);

fn key() -> CacheKey {
    CacheKey::of("case", b"somebody")
}

fn entry(version: u64, bytes: &[u8]) -> Entry {
    Entry { version, bytes: bytes.into() }
}

fn entry_of(found: &Found) -> Option<&Entry> {
    found.entry.as_ref().map(|(entry, _)| entry)
}

/// What is found.
async fn held(cache: &dyn Cache) -> Option<Entry> {
    cache.get(key(), &LONG).await.entry.map(|(entry, _)| entry)
}

/// A ticket, which whoever misses must get.
async fn ticket(cache: &dyn Cache, ages: &Ages) -> Result<Ticket, Failure> {
    let found = cache.get(key(), ages).await;
    found.ticket.ok_or_else(|| Failure::new(format!("no ticket was given: {found:?}")))
}

/// Puts what must be kept.
async fn fill(cache: &dyn Cache, entry: Entry, ages: &Ages) -> Checked {
    let ticket = ticket(cache, ages).await?;
    ensure!(cache.put(key(), ticket, entry, ages).await, "the put with a new ticket was refused");
    Ok(())
}

/// Looks until what is found is as wanted.
async fn until(
    cache: &Arc<dyn Cache>,
    ages: &Ages,
    wanted: impl Fn(&Found) -> bool,
    words: &str,
) -> Result<Found, Failure> {
    let looks = async {
        loop {
            let found = cache.get(key(), ages).await;
            if wanted(&found) {
                return found;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let found = tokio::time::timeout(WITHIN, looks).await;
    found.map_err(|_| Failure::new(format!("it did not come to this: {words}")))
}

/// Who looks for what was never put finds nothing and gets a ticket, the same as others who miss.
pub async fn cache_get_of_a_stranger_gives_a_ticket(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    let found = cache.get(key(), &LONG).await;
    ensure!(found.entry.is_none() && found.ticket.is_some(), "{found:?}");
    ensure_eq!(cache.get(key(), &LONG).await, found, "what the next one finds");
    let other = cache.get(CacheKey::of("case", b"somebody else"), &LONG).await;
    ensure!(other.ticket != found.ticket, "two keys share a ticket: {other:?}");
    Ok(())
}

/// Bytes of every kind come back as they were put, and nobody is asked to refresh them.
pub async fn cache_put_is_read_back(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    let every: Vec<u8> = (0..=255).cycle().take(40_000).collect();
    for (version, bytes) in [(0, &b""[..]), (1, b"\0\r\n"), (7, &every)] {
        cache.remove(key(), version, &LONG).await;
        let wanted = entry(version, bytes);
        if version > 0 {
            fill(&*cache, wanted.clone(), &LONG).await?;
        } else {
            let ticket = ticket(&*cache, &LONG).await?;
            ensure!(cache.put(key(), ticket, wanted.clone(), &LONG).await, "an empty put failed");
        }
        let found = cache.get(key(), &LONG).await;
        ensure!(entry_of(&found) == Some(&wanted), "version {version} is not what was put");
        ensure_eq!(found.ticket, None, "the ticket with something young");
    }
    Ok(())
}

/// A ticket that was never given, or is used up, is worth nothing.
pub async fn cache_put_without_its_ticket_is_refused(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    let stranger = Ticket(0x5eed);
    ensure!(!cache.put(key(), stranger, entry(1, b"a"), &LONG).await, "no ticket was out");
    let ticket = ticket(&*cache, &LONG).await?;
    ensure!(!cache.put(key(), stranger, entry(1, b"b"), &LONG).await, "another ticket was out");
    ensure!(cache.put(key(), ticket, entry(1, b"c"), &LONG).await, "the ticket was good");
    ensure!(!cache.put(key(), ticket, entry(2, b"d"), &LONG).await, "the ticket was used up");
    ensure_eq!(held(&*cache).await, Some(entry(1, b"c")), "what is found");
    Ok(())
}

/// Who has read before somebody else's change puts nothing back after it, whatever he has read.
pub async fn cache_put_after_a_removal_is_refused(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    let slow = ticket(&*cache, &LONG).await?;
    ensure!(cache.remove(key(), 2, &LONG).await, "the removal is not certain");
    ensure!(!cache.put(key(), slow, entry(1, b"old"), &LONG).await, "the old version came back");
    ensure!(!cache.put(key(), slow, entry(2, b"new"), &LONG).await, "the ticket outlived it");
    ensure_eq!(held(&*cache).await, None, "what is found");
    Ok(())
}

/// A version below the one that a removal asked for is not taken, even with a new ticket: whoever
/// put it has read a copy that lags behind.
pub async fn cache_put_of_an_older_version_is_refused(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    cache.remove(key(), 5, &LONG).await;
    let ticket = ticket(&*cache, &LONG).await?;
    ensure!(!cache.put(key(), ticket, entry(4, b"four"), &LONG).await, "version 4 came after 5");
    ensure!(cache.put(key(), ticket, entry(5, b"five"), &LONG).await, "version 5 was refused");
    let early = Ages { early: Duration::ZERO, ..LONG };
    let again = cache.get(key(), &early).await.ticket;
    let again = again.ok_or_else(|| Failure::new("nobody was asked to refresh"))?;
    ensure!(!cache.put(key(), again, entry(4, b"four"), &LONG).await, "version 4 replaced 5");
    ensure!(cache.put(key(), again, entry(6, b"six"), &LONG).await, "version 6 was refused");
    Ok(())
}

/// The age of what is put is that of its ticket: it was read at some time after that.
pub async fn cache_put_takes_the_age_of_its_ticket(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    let ticket = ticket(&*cache, &LONG).await?;
    let pause = Duration::from_millis(40);
    tokio::time::sleep(pause).await;
    ensure!(cache.put(key(), ticket, entry(1, b"a"), &LONG).await, "the put was refused");
    let found = cache.get(key(), &LONG).await;
    let age = found.entry.map(|(_, age)| age).unwrap_or_default();
    // Clocks of milliseconds may each be cut short by one.
    ensure!(age + Duration::from_millis(2) >= pause, "it is only {age:?} old");
    Ok(())
}

/// A ticket that is too old puts nothing: what was read with it may be stale.
pub async fn cache_put_with_a_stale_ticket_is_refused(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    let ticket = ticket(&*cache, &LONG).await?;
    let short = Ages { fresh: Duration::from_millis(1), ..LONG };
    tokio::time::sleep(Duration::from_millis(5)).await;
    ensure!(!cache.put(key(), ticket, entry(1, b"a"), &short).await, "it was kept");
    Ok(())
}

/// A removal takes what is older and leaves what is as new as it asks for, in any order.
pub async fn cache_remove_forgets_what_is_older(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    fill(&*cache, entry(3, b"three"), &LONG).await?;
    ensure!(cache.remove(key(), 3, &LONG).await, "the removal is not certain");
    ensure_eq!(held(&*cache).await, Some(entry(3, b"three")), "version 3");
    ensure!(cache.remove(key(), 2, &LONG).await, "a late removal is not certain");
    ensure_eq!(held(&*cache).await, Some(entry(3, b"three")), "version 3");
    ensure!(cache.remove(key(), 4, &LONG).await, "the removal is not certain");
    ensure_eq!(held(&*cache).await, None, "version 3 after the change to 4");
    Ok(())
}

/// One of those who find something that is growing old is asked to refresh it; the others are not.
pub async fn cache_get_asks_one_reader_to_refresh(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    fill(&*cache, entry(1, b"a"), &LONG).await?;
    let early = Ages { early: Duration::from_millis(20), ..LONG };
    let grown = |found: &Found| found.ticket.is_some();
    let asked = async {
        loop {
            let first = until(&cache, &early, grown, "somebody is asked to refresh").await?;
            ensure_eq!(entry_of(&first), Some(&entry(1, b"a")), "what he finds meanwhile");
            // A ticket that has been out for too long counts as lost, and another one is given; so
            // it is enough that the next one is ever left in peace.
            if cache.get(key(), &early).await.ticket.is_none() {
                return Ok(());
            }
        }
    };
    let asked = tokio::time::timeout(WITHIN, asked).await;
    asked.map_err(|_| Failure::new("everybody is asked to refresh"))?
}

/// What is stale is still told, with its age, and a ticket with it; in the end it is gone.
pub async fn cache_get_tells_the_age_of_what_is_stale(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    let ages = Ages { early: Duration::from_millis(5), fresh: Duration::from_millis(10), ..LONG };
    fill(&*cache, entry(1, b"a"), &LONG).await?;
    let is_stale = |found: &Found| found.entry.as_ref().is_some_and(|(_, age)| *age >= ages.fresh);
    let stale = until(&cache, &ages, is_stale, "it grows stale").await?;
    ensure!(stale.ticket.is_some(), "whoever finds it stale has no ticket: {stale:?}");
    let gone = Ages { kept: Duration::from_millis(20), ..ages };
    until(&cache, &gone, |found| found.entry.is_none(), "it is gone in the end").await?;
    Ok(())
}

/// A full bucket gives its burst and no more.
pub async fn cache_take_gives_the_burst_and_no_more(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    let rate = Rate { per_minute: 1, burst: 3 };
    for nth in 1..=3 {
        ensure_eq!(cache.take(key(), rate).await, Allowance::Allowed, "token {nth} of 3");
    }
    let Allowance::Refused { retry_after } = cache.take(key(), rate).await else {
        return Err(Failure::new("a fourth token was there"));
    };
    let minute = Duration::from_secs(60);
    ensure!(retry_after <= minute && !retry_after.is_zero(), "wait for {retry_after:?}");
    let other = CacheKey::of("case", b"another bucket");
    ensure_eq!(cache.take(other, rate).await, Allowance::Allowed, "another bucket's token");
    Ok(())
}

/// An empty bucket has a token again when it said so.
pub async fn cache_take_finds_a_token_again(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    let rate = Rate { per_minute: 1_200, burst: 1 };
    ensure_eq!(cache.take(key(), rate).await, Allowance::Allowed, "the first token");
    for nth in 2..=4 {
        while let Allowance::Refused { retry_after } = cache.take(key(), rate).await {
            ensure!(retry_after <= Duration::from_millis(50), "token {nth}: {retry_after:?}");
            tokio::time::sleep(retry_after).await;
        }
    }
    Ok(())
}

/// However many ask at once, a bucket gives what it has.
pub async fn cache_take_race_gives_the_burst(fixture: &dyn CacheFixture) -> Checked {
    let cache = fixture.fresh().await?;
    let rate = Rate { per_minute: 1, burst: 10 };
    let answers = all((0..100).map(|_| cache.take(key(), rate))).await;
    let allowed = answers.iter().filter(|one| **one == Allowance::Allowed).count();
    ensure_eq!(allowed, 10, "tokens of a bucket of ten");
    Ok(())
}
