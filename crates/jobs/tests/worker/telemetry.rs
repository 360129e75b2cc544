//! What is measured, and what is never logged.

use std::io;
use std::sync::{Arc, Mutex};

use engine::DeliveryState;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::receiver::{Answer, Receiver, status};
use crate::world::{WHSEC, World, all_delivered, standard};

/// Where log lines are collected.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_say_what_happened_and_nothing_private() {
    // Of the whole process, because a subscriber of one thread misses lines while other tests run.
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_env_filter("jobs=trace,engine=trace")
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let receiver = Receiver::start(|_, nth| match nth {
        1 => Answer::Say(500, "", "canary-answer".to_owned()),
        2 => status(200),
        _ => status(410),
    });
    let receiver = receiver.await;
    let endpoint = standard(receiver.url("/canary-path?key=canary-query&u={user_id}"));
    let mut world = World::new(vec![endpoint]).await;
    world.start();
    world.earn(1, "canary-user").await;
    world.until(1, |one| one.attempts == 1).await;
    world.advance_s(5).await;
    world.until_all(1, all_delivered).await;
    world.earn(1, "canary-other").await;
    let all = world.until_all(1, |all| all.len() == 2 && all[1].attempts == 1).await;
    world.stop().await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("canary") && !text.contains(WHSEC), "{text}");
    let ids: Vec<String> = all.iter().map(|one| one.message.id.to_string()).collect();
    let own = text.lines().filter(|line| ids.iter().any(|id| line.contains(id)));
    let own: Vec<&str> = own.collect();
    let wanted = [
        ["DEBUG", "reason=\"status\"", "outcome=\"retrying\"", "status=500"],
        ["DEBUG", "reason=\"ok\"", "outcome=\"delivered\"", "status=200"],
        ["WARN", "reason=\"stop_status\"", "outcome=\"stopped\"", "status=410"],
    ];
    assert_eq!(own.len(), wanted.len(), "{own:?}");
    for (line, words) in own.iter().zip(wanted) {
        assert!(words.iter().all(|word| line.contains(word)), "{line}");
    }
}

#[tokio::test]
async fn attempts_waits_and_backlog_are_measured() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let figures = recorder.handle();
    let _measuring = metrics::set_default_local_recorder(&recorder);
    let receiver = Receiver::start(|_, nth| status(if nth == 1 { 500 } else { 200 })).await;
    let mut world = World::new(vec![standard(receiver.url("/"))]).await;
    world.earn(1, "u").await;
    world.advance_s(7).await;
    world.start();
    world.until(1, |one| one.attempts == 1).await;
    world.advance_s(5).await;
    world.until(1, |one| one.state == DeliveryState::Delivered).await;
    let wanted = [
        "guerdon_delivery_attempts_total{outcome=\"retrying\",reason=\"status\"} 1",
        "guerdon_delivery_attempts_total{outcome=\"delivered\",reason=\"ok\"} 1",
        "guerdon_delivery_first_attempt_seconds_sum 7",
        "guerdon_delivery_first_attempt_seconds_count 1",
        "guerdon_delivery_attempt_seconds_count 2",
        "guerdon_deliveries{state=\"delivered\"} 1",
        "guerdon_deliveries{state=\"retrying\"} 0",
        "guerdon_delivery_in_flight 0",
        "guerdon_reported_records_total",
        "# HELP guerdon_swept_users_total Users whose holds and deadlines were looked after.",
    ];
    // The last look at the backlog comes after the last attempt.
    let rendered = || figures.render();
    let is_complete = |text: &str| wanted.iter().all(|line| text.contains(line));
    let looks = async {
        while !is_complete(&rendered()) {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(20), looks).await;
    assert!(waited.is_ok(), "{}", rendered());
}
