//! Where postbacks do not go, and how much of an answer is read.

use domain::dialect::{BodyTest, Dialect, Method, SuccessTest, Template};
use engine::{Delivery, DeliveryState};

use crate::receiver::{Answer, Receiver, status};
use crate::world::{World, speaking, standard};

/// The first delivery after its first attempt.
async fn first_attempt(world: &mut World) -> Delivery {
    world.start();
    world.earn(1, "u").await;
    world.until(1, |one| one.attempts == 1).await
}

fn note(delivery: &Delivery) -> &str {
    &delivery.last.as_ref().unwrap().note
}

#[tokio::test]
async fn private_addresses_are_called_only_if_they_are_allowed() {
    let receiver = Receiver::kind().await;
    let port = receiver.address.port();
    // Host of the endpoint, what is allowed, what comes of it.
    let table = [
        ("127.0.0.1", "", "not sent: address 127.0.0.1 is not public (loopback)"),
        ("127.0.0.1", "10.0.0.0/8", "not sent: address 127.0.0.1 is not public (loopback)"),
        ("localhost", "", "is not public (loopback)"),
        ("0x7f000001", "", "not sent: address 127.0.0.1 is not public (loopback)"),
        ("127.0.0.1", "127.0.0.0/8", ""),
        ("127.0.0.1", "127.0.0.1", ""),
        ("localhost", "localhost", ""),
        ("no-such-host.invalid", "", "the host name could not be looked up"),
    ];
    for (host, allowed, expected) in table {
        let before = receiver.seen().len();
        let mut world = World::new(vec![standard(format!("http://{host}:{port}/"))]).await;
        world.settings.allow_private =
            Some(allowed.to_owned()).into_iter().filter(|entry| !entry.is_empty()).collect();
        let delivery = first_attempt(&mut world).await;
        assert!(note(&delivery).contains(expected), "{host} {allowed}: {}", note(&delivery));
        let calls = usize::from(expected.is_empty());
        assert_eq!(receiver.seen().len() - before, calls, "{host} {allowed}");
        let state = [DeliveryState::Retrying, DeliveryState::Delivered][calls];
        assert_eq!(delivery.state, state, "{host} {allowed}");
    }
}

#[tokio::test]
async fn nonsense_is_not_allowed() {
    let world = World::new(vec![]).await;
    for entry in ["10.0.0.0/33", "not a host", "", "10.0.0.1:80"] {
        let settings =
            jobs::Settings { allow_private: vec![entry.to_owned()], ..world.settings.clone() };
        let clock = std::sync::Arc::new(|| crate::world::NOW);
        let engine = std::sync::Arc::clone(&world.engine);
        let error = jobs::Worker::new(engine, clock, std::sync::Arc::new(|| 0), settings).err();
        assert!(error.is_some_and(|error| error.to_string().contains("network")), "{entry}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = Receiver::kind().await;
    for code in [301, 302, 303, 307, 308] {
        let location: &'static str =
            Box::leak(format!("location: {}\r\n", target.url("/")).into_boxed_str());
        let receiver = Receiver::start(move |_, _| Answer::Say(code, location, String::new()));
        let receiver = receiver.await;
        let mut world = World::new(vec![standard(receiver.url("/"))]).await;
        let delivery = first_attempt(&mut world).await;
        assert_eq!(delivery.state, DeliveryState::Retrying);
        assert!(note(&delivery).contains("redirects are not followed"), "{}", note(&delivery));
    }
    assert_eq!(target.seen().len(), 0);
}

/// A dialect that reads the body.
fn reading() -> Dialect {
    Dialect {
        success: SuccessTest::ok_and(BodyTest::Contains(Template::literal("OK"))),
        ..Dialect::new("reading", Method::Get)
    }
}

/// More than what is read and what the sockets' buffers hold, and far less than an endless body.
const POURED_MAX: u64 = 32 * 1024 * 1024;

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let path = "/?tx={transaction_id}";
    for (dialect, state) in [
        (Dialect::new("ignoring", Method::Get), DeliveryState::Delivered),
        (reading(), DeliveryState::Retrying),
    ] {
        let receiver = Receiver::start(|_, _| Answer::Endless).await;
        let mut world = World::new(vec![speaking(dialect, receiver.url(path), &[])]).await;
        let delivery = first_attempt(&mut world).await;
        assert_eq!(delivery.state, state);
        assert!(note(&delivery).len() <= 1_024);
        let poured = receiver.endless_bytes().await;
        assert!(poured < POURED_MAX, "{poured} bytes were read");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_lies_is_no_answer() {
    // Answer, dialect, state, note.
    let broken = "the connection broke before the answer was complete";
    let say = |body: &str| Answer::Say(200, "", body.to_owned());
    let table = [
        (say("OK"), DeliveryState::Delivered, "OK"),
        (say("no"), DeliveryState::Retrying, "not the acknowledgement"),
        (status(500), DeliveryState::Retrying, "500"),
        (Answer::HangUp, DeliveryState::Retrying, broken),
    ];
    for (answer, state, expected) in table {
        let receiver = Receiver::start(move |_, _| answer.clone()).await;
        let url = receiver.url("/?tx={transaction_id}");
        let mut world = World::new(vec![speaking(reading(), url, &[])]).await;
        let delivery = first_attempt(&mut world).await;
        assert_eq!(delivery.state, state, "{expected}");
        assert!(note(&delivery).contains(expected), "{}", note(&delivery));
    }
}
