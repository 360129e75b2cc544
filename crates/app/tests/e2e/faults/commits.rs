//! The answer to a `COMMIT` is lost on its way: whoever asks again gets the first answer.

use services::Proxy;

use super::fleet::{Fleet, STORE_ERRORS, Servers, through, without_jobs};
use super::load::{Life, check_refusal};
use crate::support::http::Client;
use crate::support::people::Verdict;
use crate::support::shape::Shape;

/// Commits whose answer is lost and can be looked for.
const LOST: usize = 10;
/// Commits whose answer is lost together with the way to the database.
const CUT_OFF: usize = 3;
/// How often that is tried at most.
const TRIES_MAX: usize = 30;
/// The statement with the byte that marks a command: sessions begin with `READ COMMITTED`.
const COMMIT: &[u8] = b"\x03COMMIT";

pub(crate) async fn the_answer_to_a_commit_is_lost_and_the_event_is_paid_once(shape: Shape) {
    let servers = Servers::start(shape);
    let proxy = Proxy::start(servers.mysql.address()).unwrap();
    let (backing, ports) = (servers.backing(), (servers.mysql.port(), proxy.port()));
    let edit = |config| without_jobs(through(config, ports.0, ports.1));
    let fleet = Fleet::start_at(servers, &backing, &edit).await;
    let mut life = Life::open(&fleet.doors, "lost").await;
    let (other, cut) = (fleet.doors.at(0), fleet.doors.at(2));
    for number in 1..=LOST {
        let event_id = format!("found-{number}");
        proxy.cut_answer_after(COMMIT);
        let first = Verdict::of(&cut.send(&life.conversion(&event_id)).await);
        assert_eq!(proxy.answers_cut(), number, "the answer came through");
        assert_eq!(first.said(), ("rewarded", "step_done"));
        is_known(&other, &life, &event_id, &first).await;
        life.acknowledged(event_id, first);
    }
    let (mut cut_off, mut number) = (0, 0);
    while cut_off < CUT_OFF {
        number += 1;
        assert!(number <= TRIES_MAX, "no commit was ever sent");
        let events = [format!("unknown-{number}")];
        proxy.cut_answer_after(COMMIT);
        proxy.refuse();
        check_refusal(&cut.send(&life.conversion(&events[0])).await);
        // Where the node happens to need one more connection, it does not come as far as the commit.
        let is_done = proxy.answers_cut() > LOST + cut_off;
        let first = Verdict::of(&other.send(&life.conversion(&events[0])).await);
        let is_known_already = first.said() == ("duplicate", "seen_before");
        assert_eq!(is_known_already, is_done, "{}: {first:?}", events[0]);
        proxy.pass().unwrap();
        life.report_all(&fleet.doors.only(&[2]), &events).await;
        is_known(&cut, &life, &events[0], &first).await;
        cut_off += usize::from(is_done);
    }
    drop((other, cut));
    fleet.settled(vec![life], &STORE_ERRORS).await;
}

/// Another node gives the same answer.
async fn is_known(client: &Client, life: &Life, event_id: &str, first: &Verdict) {
    let again = Verdict::of(&client.send(&life.conversion(event_id)).await);
    assert_eq!(again.said(), ("duplicate", "seen_before"), "{event_id}");
    assert_eq!(again.transaction, first.transaction, "{event_id}");
}
