//! Clients who do not give up: every request is sent until it is answered, each time to any node, and
//! every answer is remembered and held against the books in the end.
//!
//! A request may be refused with 503 and a `Retry-After`, or may have no answer. Anything else that is
//! not what the client wants fails the test at once: a second reward for an event, an answer that
//! changes, a wallet that lacks what was acknowledged.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::catalog::LIVE_KEY;
use crate::support::chance::Chance;
use crate::support::crowd::in_turns;
use crate::support::http::{Answer, Client, Request};
use crate::support::people::{Verdict, conversion};

/// The mission that everybody does, again and again; see [`crate::crash::catalog`].
pub(crate) const MISSION: u32 = 11;
/// Points for one conversion.
pub(crate) const REWARD: i64 = 60;
/// What a conversion costs the advertiser, in millionths.
pub(crate) const PAYOUT: i64 = 100_000;

/// Clients at the same time.
const CALLERS: usize = 12;
/// Conversions of one user, after which the client goes on with a new one.
const EVENTS_EACH: usize = 12;
/// How long a client waits for an answer before it asks somebody else.
const GIVES_UP_AFTER: Duration = Duration::from_secs(4);
/// How long a mission may be shown as it was before an acknowledged conversion, where nodes have a
/// cache.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);
/// How long a client waits after a refusal; much less than it is told, so that much is refused.
const PAUSE: Duration = Duration::from_millis(20);

/// Where the nodes are reached at the moment; a node that starts again has another port.
#[derive(Clone)]
pub(crate) struct Doors(Vec<Arc<Mutex<Arc<Client>>>>);

impl Doors {
    pub(crate) fn new(addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        let door = |address| Arc::new(Mutex::new(Arc::new(Client::new(address))));
        Self(addresses.into_iter().map(door).collect())
    }

    /// The node of that place is somewhere else from now on.
    pub(crate) fn move_to(&self, place: usize, address: SocketAddr) {
        *self.0[place].lock().unwrap() = Arc::new(Client::new(address));
    }

    /// Some of them.
    pub(crate) fn only(&self, places: &[usize]) -> Self {
        Self(places.iter().map(|place| Arc::clone(&self.0[*place])).collect())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Connections to the node of that place.
    pub(crate) fn at(&self, place: usize) -> Arc<Client> {
        Arc::clone(&self.0[place].lock().unwrap())
    }
}

/// What clients together have seen so far.
struct Seen {
    /// Acknowledged conversions by node.
    acknowledged: Vec<AtomicUsize>,
    refused: AtomicUsize,
    unanswered: AtomicUsize,
    news: watch::Sender<()>,
}

impl Seen {
    /// Nothing yet.
    fn of(doors: &Doors, news: watch::Sender<()>) -> Self {
        let acknowledged = (0..doors.count()).map(|_| AtomicUsize::new(0)).collect();
        Self { acknowledged, refused: AtomicUsize::new(0), unanswered: AtomicUsize::new(0), news }
    }

    fn counts(&self) -> Vec<usize> {
        self.acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).collect()
    }
}

/// Clients under way.
pub(crate) struct Load {
    seen: Arc<Seen>,
    news: watch::Receiver<()>,
    stop: watch::Sender<bool>,
    callers: JoinSet<Vec<Life>>,
}

impl Load {
    /// Lets clients loose; `name` begins the ids of their users.
    pub(crate) fn begin(doors: &Doors, name: &str) -> Self {
        Self::let_loose(doors, name, Duration::ZERO)
    }

    /// The same where users are shown through a cache that may be gone.
    pub(crate) fn begin_cached(doors: &Doors, name: &str) -> Self {
        Self::let_loose(doors, name, SHOWN_WITHIN)
    }

    fn let_loose(doors: &Doors, name: &str, shown_within: Duration) -> Self {
        let (teller, news) = watch::channel(());
        let (stop, is_over) = watch::channel(false);
        let seen = Arc::new(Seen::of(doors, teller));
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            let mut caller = Caller::new(doors, &format!("{name}-{number}"), number as u64);
            caller.seen = Arc::clone(&seen);
            caller.shown_within = shown_within;
            callers.spawn(caller.go_on_until(is_over.clone()));
        }
        Self { seen, news, stop, callers }
    }

    /// Waits until so many more conversions are acknowledged, by whomever.
    pub(crate) async fn acknowledges(&mut self, more: usize) -> Duration {
        let wanted = self.seen.counts().iter().sum::<usize>() + more;
        self.until(|counts| counts.iter().sum::<usize>() >= wanted).await
    }

    /// Waits until every one of these nodes has acknowledged so many more conversions.
    pub(crate) async fn acknowledges_at(&mut self, places: &[usize], more: usize) -> Duration {
        let before = self.seen.counts();
        let is_enough =
            |counts: &[usize]| places.iter().all(|place| counts[*place] >= before[*place] + more);
        self.until(is_enough).await
    }

    /// The same of all nodes.
    pub(crate) async fn acknowledges_everywhere(&mut self, more: usize) -> Duration {
        let places: Vec<usize> = (0..self.seen.acknowledged.len()).collect();
        self.acknowledges_at(&places, more).await
    }

    /// Waits until so many more requests are refused with 503.
    pub(crate) async fn is_refused(&mut self, more: usize) {
        let seen = Arc::clone(&self.seen);
        let wanted = self.refused() + more;
        let enough = self.news.wait_for(|()| seen.refused.load(Ordering::SeqCst) >= wanted);
        timeout(PATIENCE, enough).await.expect("nobody is refused").expect("the load is over");
    }

    /// Requests that were refused with 503 so far.
    pub(crate) fn refused(&self) -> usize {
        self.seen.refused.load(Ordering::SeqCst)
    }

    /// Requests that had no answer so far.
    pub(crate) fn unanswered(&self) -> usize {
        self.seen.unanswered.load(Ordering::SeqCst)
    }

    /// Ends the clients, each after its last conversion was acknowledged.
    pub(crate) async fn end(self) -> Vec<Life> {
        self.stop.send_replace(true);
        let ended = timeout(PATIENCE, self.callers.join_all()).await;
        ended.expect("a client has no answer").into_iter().flatten().collect()
    }

    async fn until(&mut self, is_enough: impl Fn(&[usize]) -> bool) -> Duration {
        let (begun, seen) = (Instant::now(), Arc::clone(&self.seen));
        let enough = self.news.wait_for(|()| is_enough(&seen.counts()));
        let waited = timeout(PATIENCE, enough).await.map(|news| news.map(drop));
        waited.unwrap_or_else(|_| panic!("the load is stuck: {:?}", self.seen.counts())).unwrap();
        begun.elapsed()
    }
}

/// One user, and every answer about him.
pub(crate) struct Life {
    user: String,
    token: String,
    click: String,
    /// Event ids with their first acknowledged answers.
    answers: Vec<(String, Verdict)>,
}

/// One client.
struct Caller {
    name: String,
    doors: Doors,
    chance: Chance,
    seen: Arc<Seen>,
    shown_within: Duration,
}

impl Caller {
    fn new(doors: &Doors, name: &str, seed: u64) -> Self {
        Self {
            name: name.to_owned(),
            doors: doors.clone(),
            chance: Chance::new(seed),
            seen: Arc::new(Seen::of(doors, watch::Sender::new(()))),
            shown_within: Duration::ZERO,
        }
    }

    async fn go_on_until(mut self, is_over: watch::Receiver<bool>) -> Vec<Life> {
        let mut lives: Vec<Life> = Vec::new();
        while !*is_over.borrow() {
            let mut life = self.begin_life(lives.len()).await;
            while life.answers.len() < EVENTS_EACH && !*is_over.borrow() {
                self.report(&mut life).await;
                self.look(&life).await;
            }
            lives.push(life);
        }
        lives
    }

    /// Opens a session and starts the mission.
    async fn begin_life(&mut self, number: usize) -> Life {
        let user = format!("{}-{number}", self.name);
        let token = self.open_session(&user).await;
        let tap = Request::post(format!("/v1/missions/{MISSION}/participations"));
        let (tapped, is_first) = self.insist(&tap.bearer(&token).json(&json!({}))).await;
        let status = tapped.answer.status;
        // Somebody may have carried out a request that had no answer.
        let is_known = status == 200 && !is_first;
        assert!(status == 201 || is_known, "{user}: {}", tapped.answer.text());
        let click = tapped.answer.json()["click_id"].as_str().unwrap().to_owned();
        Life { user, token, click, answers: Vec::new() }
    }

    async fn open_session(&mut self, user: &str) -> String {
        let wish = json!({"unit_id": 1, "user_id": user});
        let open = Request::post("/v1/sessions").bearer(LIVE_KEY).json(&wish);
        let (opened, _) = self.insist(&open).await;
        opened.answer.expect(201).json()["token"].as_str().unwrap().to_owned()
    }

    /// Sends a new conversion until it is acknowledged.
    async fn report(&mut self, life: &mut Life) {
        let event_id = format!("{}-{}", life.user, life.answers.len());
        let (told, is_first) = self.insist(&life.conversion(&event_id)).await;
        let verdict = Verdict::of(&told.answer);
        let is_known = verdict.said() == ("duplicate", "seen_before");
        assert!(!is_known || !is_first, "{event_id} was never sent before: {verdict:?}");
        life.acknowledged(event_id, verdict);
        self.seen.acknowledged[told.place].fetch_add(1, Ordering::SeqCst);
        self.seen.news.send_replace(());
    }

    /// Now and then, sends an acknowledged conversion once more or looks into the wallet.
    async fn look(&mut self, life: &Life) {
        match self.chance.below(6) {
            0 => {
                let (event_id, first) = self.chance.one_of(&life.answers);
                let (told, _) = self.insist(&life.conversion(event_id)).await;
                let now = Verdict::of(&told.answer);
                assert_eq!(now.said(), ("duplicate", "seen_before"), "{event_id} was lost");
                assert_eq!(now.transaction, first.transaction, "{event_id}");
            }
            1 => {
                let ask = Request::get("/v1/wallet").bearer(&life.token);
                let (told, _) = self.insist(&ask).await;
                let balance = told.answer.expect(200).json()["balance"].as_i64().unwrap();
                assert_eq!(balance, life.points(), "{}", life.user);
            }
            2 => self.look_at_mission(life).await,
            _ => {}
        }
    }

    /// Looks at the mission twice. Whoever asks after the time in which it has to be shown sees
    /// everything that was acknowledged.
    async fn look_at_mission(&mut self, life: &Life) {
        let ask = Request::get(format!("/v1/missions/{MISSION}")).bearer(&life.token);
        let (acknowledged, done) = (Instant::now(), life.answers.len() as u64);
        let mut right = 0;
        while right < 2 {
            let is_late = acknowledged.elapsed() >= self.shown_within;
            let (told, _) = self.insist(&ask).await;
            let shown = told.answer.expect(200).json()["steps"][0]["completed"].as_u64().unwrap();
            assert!(shown <= done && (shown == done || !is_late), "{}: {shown}", life.user);
            right += usize::from(shown == done);
        }
    }

    /// Sends a request until it is answered, and says whether that was at once.
    async fn insist(&mut self, request: &Request) -> (Told, bool) {
        let begun = Instant::now();
        let mut is_first = true;
        loop {
            let place = usize::try_from(self.chance.below(self.doors.count() as u64)).unwrap();
            let client = self.doors.at(place);
            match timeout(GIVES_UP_AFTER, client.try_send(request)).await {
                Ok(Ok(answer)) if answer.status != 503 => {
                    return (Told { place, answer }, is_first);
                }
                Ok(Ok(answer)) => {
                    check_refusal(&answer);
                    self.seen.refused.fetch_add(1, Ordering::SeqCst);
                }
                Ok(Err(_)) | Err(_) => drop(self.seen.unanswered.fetch_add(1, Ordering::SeqCst)),
            }
            self.seen.news.send_replace(());
            is_first = false;
            assert!(begun.elapsed() < PATIENCE, "{}: nobody answers", self.name);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// An answer, and who gave it.
struct Told {
    place: usize,
    answer: Answer,
}

/// A refusal says when to come back, and that is soon.
pub(crate) fn check_refusal(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    let seconds = answer.header("retry-after").and_then(|text| text.parse::<u64>().ok());
    let seconds = seconds.unwrap_or_else(|| panic!("no Retry-After: {}", answer.text()));
    assert!((1..=30).contains(&seconds), "{seconds}");
}

impl Life {
    /// A user who does not send anything by himself.
    pub(crate) async fn open(doors: &Doors, user: &str) -> Self {
        Caller::new(doors, user, 0).begin_life(0).await
    }

    /// An event of this user.
    pub(crate) fn conversion(&self, event_id: &str) -> Request {
        conversion(&self.click, "round", event_id)
    }

    /// Remembers the first acknowledged answer about an event.
    #[track_caller]
    pub(crate) fn acknowledged(&mut self, event_id: String, verdict: Verdict) {
        let is_right =
            matches!(verdict.said(), ("rewarded", "step_done") | ("duplicate", "seen_before"));
        assert!(is_right && verdict.transaction.is_some(), "{event_id}: {verdict:?}");
        self.answers.push((event_id, verdict));
    }

    /// Sends events, of which some may have been sent before, until they are acknowledged.
    pub(crate) async fn report_all(&mut self, doors: &Doors, event_ids: &[String]) {
        let mut caller = Caller::new(doors, &self.user, 1);
        for event_id in event_ids {
            let (told, _) = caller.insist(&self.conversion(event_id)).await;
            self.acknowledged(event_id.clone(), Verdict::of(&told.answer));
        }
    }

    fn points(&self) -> i64 {
        REWARD * i64::try_from(self.answers.len()).unwrap()
    }

    /// Sends every event once more: it has its first answer, for ever. Gives the transactions.
    pub(crate) async fn report_again(&self, doors: &Doors) -> Vec<String> {
        let mut caller = Caller::new(doors, &self.user, 2);
        let mut transactions = Vec::new();
        for (event_id, first) in &self.answers {
            let (told, _) = caller.insist(&self.conversion(event_id)).await;
            let now = Verdict::of(&told.answer);
            assert_eq!(now.said(), ("duplicate", "seen_before"), "{event_id} was lost");
            assert_eq!(now.transaction, first.transaction, "{event_id}");
            transactions.extend(now.transaction);
        }
        transactions
    }

    /// Asks one node for everything once more, and gives the transactions.
    async fn settle(self, door: Doors) -> Vec<String> {
        let transactions = self.report_again(&door).await;
        let mut caller = Caller::new(&door, &self.user, 3);
        let token = caller.open_session(&self.user).await;
        let (told, _) = caller.insist(&Request::get("/v1/wallet").bearer(&token)).await;
        let balance = told.answer.expect(200).json()["balance"].as_i64().unwrap();
        assert_eq!(balance, self.points(), "{}", self.user);
        transactions
    }
}

/// Holds every life against what the nodes say now: nothing acknowledged is lost, the same id has the
/// same answer, each event has a transaction of its own, and wallets hold the acknowledged rewards.
pub(crate) async fn settle(lives: Vec<Life>, doors: &Doors) -> BTreeSet<String> {
    let count: usize = lives.iter().map(|life| life.answers.len()).sum();
    assert!(count > 0, "nothing was acknowledged, so nothing is proved");
    let lives: Vec<_> = lives.into_iter().map(|life| Mutex::new(Some(life))).collect();
    let settled = in_turns(16, lives.len(), |number| {
        let life = lives[number].lock().unwrap().take().unwrap();
        life.settle(doors.only(&[number % doors.count()]))
    });
    let transactions: BTreeSet<String> = settled.await.into_iter().flatten().collect();
    assert_eq!(transactions.len(), count, "each event has a transaction of its own");
    transactions
}
