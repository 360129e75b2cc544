//! `Users` without its commits: what is read back, and in which order.

use domain::change::{Change, Loaded};
use domain::ids::{AppId, Mode, UserKey};
use domain::time::{SECOND_MS, Timestamp};
use domain::user::{Phase, UserState};

use super::check::{advance, apply, fresh, in_place};
use super::sample::{self, APP, Draft, NOW};
use super::{Checked, Failure, Fixture};
use crate::{Glance, LedgerPage, Seq, StateStore, Stored};

/// Limit on rows where a case wants them all.
const ALL: usize = 1_000;
/// A moment at which everything of the samples is due.
const FAR: Timestamp = Timestamp(NOW.0 * 2);

/// A user who was never seen is the empty state at version 0, also if traces name him.
pub async fn users_load_of_a_stranger_is_empty(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let user = sample::user("ann").state.key();
    ensure_eq!(state.load(user).await?, Loaded::default(), "a user who was never seen");
    state.append(sample::trace(Some(user), "install")).await?;
    ensure_eq!(state.load(user).await?, Loaded::default(), "a user known only by a trace");
    Ok(())
}

/// Every field comes back as it was written, at the edges of what it may hold, and can be emptied.
pub async fn users_load_keeps_every_field(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    for (app, mode) in [(APP, Mode::Live), (AppId(u32::MAX), Mode::Test), (AppId(0), Mode::Live)] {
        let nobody = sample::stranger(app, mode, "앤 \u{0}'; --");
        let full = sample::full_state(app, mode, "앤 \u{0}'; --");
        let full = put(&*state, &nobody, full).await?;
        ensure_eq!(state.load(full.state.key()).await?, full, "a full state of app {app}");
        let empty = put(&*state, &full, nobody.state).await?;
        ensure_eq!(state.load(empty.state.key()).await?, empty, "an emptied state of app {app}");
    }
    Ok(())
}

/// A user may have as many runs as the domain allows.
pub async fn users_load_keeps_the_largest_state(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let largest = sample::largest_state("ann");
    let loaded = put(&*state, &sample::user("ann"), largest).await?;
    let found = state.load(loaded.state.key()).await?;
    let runs = found.state.enrollments.len();
    ensure!(found == loaded, "the largest state was not read back; it has {runs} runs");
    Ok(())
}

/// Ids that look alike are different users, and so are the same ids in another app or mode.
pub async fn users_load_tells_user_ids_apart(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let ids = ["a", "A", "a ", " a", "á", "a\u{301}", "a\0", "ａ", "ß", "ss", "0", "00", "%", "_"];
    let mut users: Vec<Loaded> = ids.map(sample::user).to_vec();
    users.push(sample::stranger(APP, Mode::Test, "a"));
    users.push(sample::stranger(AppId(2), Mode::Live, "a"));
    let mut known = Vec::new();
    for (user, age) in users.iter().zip(1..) {
        known.push(advance(&*state, user, sample::profile(user, age)).await?);
    }
    for user in known {
        let found = state.load(user.state.key()).await?;
        ensure_eq!(found, user, "the user {:?}", user.state.user_id);
    }
    Ok(())
}

/// A store that knows something of a user without reading him knows what reading him would say, and
/// nothing of strangers and of those whose sessions were ended.
pub async fn users_glance_is_as_true_as_a_load(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let mut user = sample::user("ann");
    let key = user.state.key();
    ensure_eq!(state.load(key).await?, Loaded::default(), "a user who was never seen");
    ensure_eq!(state.glance(key), None, "a user who was never seen");
    for age in 1..=5 {
        let change = match age {
            5 => ending_sessions(&user),
            age => sample::profile(&user, age),
        };
        user = advance(&*state, &user, change).await?;
        let is_plain = user.state.sessions_since.is_none();
        for moment in ["after a commit", "after a load"] {
            let right = Glance { version: user.version, app: user.state.app };
            let glance = state.glance(key);
            ensure!(
                glance.is_none_or(|glance| is_plain && glance == right),
                "{moment}: {glance:?}, but he is {right:?}"
            );
            ensure_eq!(state.load(key).await?, user, "{moment}");
        }
    }
    Ok(())
}

fn ending_sessions(user: &Loaded) -> Change {
    let mut change = sample::profile(user, 50);
    change.state.sessions_since = Some(NOW);
    change
}

/// A user's own records come newest first, page by page, whatever others do in between.
pub async fn users_ledger_is_newest_first_and_pages(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let mut users = [sample::user("ann"), sample::user("bob")];
    for round in 0..5 {
        for user in &mut users {
            let change = Draft::of(user, Timestamp(NOW.0 + round)).grant(1).change();
            *user = advance(&*state, user, change).await?;
            in_place(&*state).await?;
        }
    }
    let [ann, bob] = users.map(|user| user.state.key());
    let mut own = own_records(&*state, ann).await?;
    own.reverse();
    ensure_eq!(state.ledger(ann, None, ALL).await?.records, own, "the whole ledger");
    for limit in [1, 2, 3, 4, 5] {
        ensure_eq!(pages(&*state, ann, limit).await?, own, "the ledger in pages of {limit}");
    }
    let first_of_bob = own_records(&*state, bob).await?[0].seq;
    let older = state.ledger(ann, Some(first_of_bob), ALL).await?;
    ensure_eq!(older.records, own[4..], "the records before one of another user");
    ensure_eq!(state.ledger(ann, Some(Seq::MAX), ALL).await?.records, own, "before the end");
    for before in [0, 1] {
        let page = state.ledger(ann, Some(before), ALL).await?;
        ensure_eq!(page, LedgerPage::default(), "the records before place {before}");
    }
    let nobody = sample::user("eve").state.key();
    ensure_eq!(state.ledger(nobody, None, ALL).await?, LedgerPage::default(), "a stranger's");
    Ok(())
}

/// Traces stand among their user's records, also if he was never seen.
pub async fn users_ledger_includes_traces(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let ann = sample::user("ann");
    let key = ann.state.key();
    state.append(sample::trace(Some(key), "early")).await?;
    let ann = advance(&*state, &ann, Draft::of(&ann, NOW).grant(1).change()).await?;
    in_place(&*state).await?;
    state.append(sample::trace(None, "nobody's")).await?;
    in_place(&*state).await?;
    state.append(sample::trace(Some(key), "between")).await?;
    apply(&*state, sample::profile(&ann, 30)).await?;
    state.append(sample::trace(Some(key), "late")).await?;
    let mut own = own_records(&*state, key).await?;
    own.reverse();
    ensure_eq!(own.iter().map(|stored| stored.seq).collect::<Vec<_>>(), [5, 4, 2, 1], "places");
    for limit in [1, 2, ALL] {
        ensure_eq!(pages(&*state, key, limit).await?, own, "the ledger in pages of {limit}");
    }
    let eve = sample::user("eve").state.key();
    state.append(sample::trace(Some(eve), "install")).await?;
    let seq = state.head().await?;
    let places: Vec<Seq> = pages(&*state, eve, ALL).await?.iter().map(|one| one.seq).collect();
    ensure_eq!(places, [seq], "the records of a user known only by a trace");
    Ok(())
}

/// Users are due at the moment that their state says and not before, earliest first, until the
/// state says otherwise.
pub async fn users_due_is_in_order_and_ends(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let mut known = Vec::new();
    for (name, seconds) in [("ann", 3), ("bob", 1), ("eve", 2)] {
        let (user, at) = (sample::user(name), NOW.plus_seconds(seconds));
        known.push(advance(&*state, &user, Draft::of(&user, at).start(1, 0).change()).await?);
    }
    let idle = sample::user("ida");
    apply(&*state, sample::profile(&idle, 30)).await?;
    let [ann, bob, eve] = [0, 1, 2].map(|place: usize| known[place].state.key());
    let first = known[1].state.due_at().unwrap_or_default();
    let before = Timestamp(first.0 - 1);
    ensure_eq!(state.due(before, ALL).await?, [], "who is due a moment before the first");
    ensure_eq!(state.due(first, ALL).await?, [bob], "who is due at the first moment");
    let second = Timestamp(first.0 + SECOND_MS);
    ensure_eq!(state.due(second, ALL).await?, [bob, eve], "who is due a second later");
    ensure_eq!(state.due(FAR, ALL).await?, [bob, eve, ann], "who is due in the end");
    ensure_eq!(state.due(FAR, 2).await?, [bob, eve], "the first two of them");
    let mut closed = known[1].state.clone();
    closed.enrollments[0].phase = Phase::Closed;
    put(&*state, &known[1], closed).await?;
    let mut later = known[2].state.clone();
    later.enrollments[0].late_until = later.enrollments[0].late_until.plus_seconds(60);
    put(&*state, &known[2], later).await?;
    ensure_eq!(state.due(FAR, ALL).await?, [ann, eve], "who is due after one ended and one moved");
    Ok(())
}

/// A user is found by the first bytes of his key, which every id of his begins with.
pub async fn users_find_goes_by_prefix(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    for name in ["ann", "bob"] {
        let user = sample::user(name);
        let known = advance(&*state, &user, sample::profile(&user, 30)).await?;
        let found = state.find(known.state.key().prefix()).await?;
        ensure_eq!(found, [known], "the users of the prefix of {name}");
    }
    let eve = sample::user("eve").state.key();
    ensure_eq!(state.find(eve.prefix()).await?, [], "the users of a stranger's prefix");
    state.append(sample::trace(Some(eve), "install")).await?;
    ensure_eq!(state.find(eve.prefix()).await?, [], "the users of a prefix known by a trace");
    for prefix in [[0; 8], [u8::MAX; 8]] {
        ensure_eq!(state.find(prefix).await?, [], "the users of the prefix {prefix:?}");
    }
    Ok(())
}

/// All users come in order of their keys, page by page.
pub async fn users_scan_goes_by_key(fixture: &dyn Fixture) -> Checked {
    let state = fresh(fixture).await?;
    let mut known = Vec::new();
    for number in 0..7 {
        let user = sample::user(&format!("user {number}"));
        let loaded = advance(&*state, &user, sample::profile(&user, 30)).await?;
        known.push((user.state.key(), loaded));
    }
    known.sort_unstable_by_key(|(user, _)| *user);
    let trace = sample::trace(Some(sample::user("eve").state.key()), "install");
    state.append(trace).await?;
    for limit in [1, 3, 7, ALL] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = state.scan(after, limit).await?;
            ensure!(page.len() <= limit, "a page of {limit} has {} users", page.len());
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            found.extend(page);
            ensure!(found.len() <= known.len(), "pages of {limit} have no end");
        }
        ensure_eq!(found, known, "all users in pages of {limit}");
    }
    let mut between = known[2].0;
    between.0[15] ^= 1;
    let rest: Vec<_> = known.iter().filter(|(user, _)| *user > between).cloned().collect();
    ensure_eq!(state.scan(Some(between), ALL).await?, rest, "the users after nobody's key");
    Ok(())
}

/// Makes that state the user's next, without a record.
async fn put(state: &dyn StateStore, old: &Loaded, new: UserState) -> Result<Loaded, Failure> {
    advance(state, old, Change::new(old, new, None)).await
}

/// The user's records, oldest first, as the journal has them.
async fn own_records(state: &dyn StateStore, user: UserKey) -> Result<Vec<Stored>, Failure> {
    let all = state.read(0, ALL).await?;
    Ok(all.into_iter().filter(|stored| stored.record.user == Some(user)).collect())
}

/// The user's ledger, put together from pages.
async fn pages(
    state: &dyn StateStore,
    user: UserKey,
    limit: usize,
) -> Result<Vec<Stored>, Failure> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = state.ledger(user, before, limit).await?;
        let size = page.records.len();
        ensure!(size <= limit, "a page of {limit} has {size} records");
        ensure!(size > 0 || page.before.is_none(), "an empty page is followed by another");
        found.extend(page.records);
        ensure!(found.len() <= ALL, "pages of {limit} have no end");
        let Some(next) = page.before else { return Ok(found) };
        before = Some(next);
    }
}
