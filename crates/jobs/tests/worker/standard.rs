//! Guerdon's own message: Standard Webhooks, checked by hand.

use data_encoding::BASE64;
use domain::catalog::{App, Endpoint};
use domain::ids::Mode;
use domain::secret::Secret;
use engine::DeliveryState;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::receiver::{Receiver, Request, status};
use crate::world::{NOW, WHSEC, WHSEC_BYTES, World, standard};

/// HMAC-SHA256 as RFC 2104 writes it, for keys of at most 64 bytes.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |with: u8| {
        let mut block = [with; 64];
        key.iter().zip(&mut block).for_each(|(byte, slot)| *slot ^= byte);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// The signature that a publisher expects of the request.
fn expected_signature(key: &[u8], request: &Request) -> String {
    let (id, at) = (request.header("webhook-id"), request.header("webhook-timestamp"));
    let mut message = format!("{id}.{at}.").into_bytes();
    message.extend(&request.body);
    format!("v1,{}", BASE64.encode(&hmac_sha256(key, &message)))
}

#[tokio::test]
async fn a_reward_and_its_reversal_are_told_and_signed() {
    let receiver = Receiver::kind().await;
    let mut world = World::new(vec![standard(receiver.url("/hook"))]).await;
    world.start();
    let click = world.earn(1, "u 1&ü").await;
    world.until(1, |one| one.state == DeliveryState::Delivered).await;
    world.take_back(&click).await;
    let seen = receiver.wait_for(2).await;
    let told = world.deliveries(1).await;
    for (request, delivery) in seen.iter().zip(&told) {
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/hook"));
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("webhook-id"), delivery.message.id.to_string());
        assert_eq!(request.header("webhook-timestamp"), (NOW.0 / 1_000).to_string());
        assert_eq!(request.header("webhook-signature"), expected_signature(WHSEC_BYTES, request));
        let kinds = ["reward.granted", "reward.reversed"];
        let kind = kinds[usize::from(delivery.message.id != told[0].message.id)];
        let expected = json!({
            "type": kind,
            "timestamp": "2026-09-21T14:13:20Z",
            "data": {
                "transaction_id": told[0].message.transaction.to_string(),
                "user_id": "u 1&ü",
                "app_id": 1,
                "unit_id": 1,
                "amount": 300,
                "currency": "P",
                "mission_id": 1,
                "mission_title": "Castle",
                "step_id": 1,
                "step_title": "Install and open",
                "enrollment_id": told[0].message.enrollment.to_string(),
                "occurred_at": "2026-09-21T14:13:20Z",
                "custom": "level=3",
            },
        });
        assert_eq!(request.json(), expected);
    }
    assert_ne!(seen[0].header("webhook-id"), seen[1].header("webhook-id"));
}

#[tokio::test]
async fn attempts_share_id_and_body_and_are_signed_anew() {
    let receiver = Receiver::start(|_, nth| status(if nth < 3 { 503 } else { 200 })).await;
    let mut world = World::new(vec![standard(receiver.url("/hook"))]).await;
    world.start();
    world.earn(1, "u").await;
    world.until(1, |one| one.attempts == 1).await;
    // What is renamed meanwhile keeps its old name in what was booked before.
    let rename = |app: &mut App| (app.name, app.currency.name) = ("New".into(), "new".into());
    world.set_app(1, rename).await;
    world.advance_s(5).await;
    world.until(1, |one| one.attempts == 2).await;
    world.advance_s(25).await;
    let seen = receiver.wait_for(3).await;
    let at: Vec<i64> =
        seen.iter().map(|one| one.header("webhook-timestamp").parse().unwrap()).collect();
    let first = NOW.0 / 1_000;
    assert_eq!(at, [first, first + 5, first + 30]);
    for request in &seen {
        assert_eq!(request.header("webhook-id"), seen[0].header("webhook-id"));
        assert_eq!(request.body, seen[0].body);
        assert_eq!(request.header("webhook-signature"), expected_signature(WHSEC_BYTES, request));
    }
    let signatures: std::collections::BTreeSet<&str> =
        seen.iter().map(|one| one.header("webhook-signature")).collect();
    assert_eq!(signatures.len(), 3);
    world.until(1, |one| one.state == DeliveryState::Delivered).await;
}

#[tokio::test]
async fn during_a_rotation_both_secrets_sign() {
    let receiver = Receiver::kind().await;
    let newer = "bmV3LXNlY3JldC1uZXctc2VjcmV0";
    let endpoint = standard(receiver.url("/hook")).map(|endpoint| Endpoint {
        secrets: vec![Secret::new(format!("whsec_{newer}")), Secret::new(WHSEC)],
        ..endpoint
    });
    let mut world = World::new(vec![endpoint]).await;
    world.start();
    world.earn(1, "u").await;
    let seen = receiver.wait_for(1).await;
    let newer = expected_signature(b"new-secret-new-secret", &seen[0]);
    let older = expected_signature(WHSEC_BYTES, &seen[0]);
    assert_eq!(seen[0].header("webhook-signature"), format!("{newer} {older}"));
}

#[tokio::test]
async fn test_rewards_go_to_the_test_endpoint_only() {
    let (live, test) = (Receiver::kind().await, Receiver::kind().await);
    let mut world = World::new(vec![standard(live.url("/live"))]).await;
    world.start();
    let click = world.user_in(Mode::Test, 1, "u").await;
    world.event(&click, &[("event", "install"), ("event_id", "1")]).await;
    // A live reward, booked later, has been told; the test reward was not even tried.
    world.earn(1, "v").await;
    world.until(1, |one| one.state == DeliveryState::Delivered).await;
    assert_eq!(world.deliveries_in(Mode::Test, 1).await[0].attempts, 0);
    let url = test.url("/test");
    world.set_app(1, |app| app.test_postback = standard(url)).await;
    test.wait_for(1).await;
    assert_eq!(live.seen().len(), 1);
}
