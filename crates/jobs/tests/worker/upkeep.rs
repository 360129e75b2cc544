//! The other loops: sweeps, the catalogue and budgets, reports, and an endpoint that comes late.

use std::time::Duration;

use domain::catalog::{Edit, Entity, EntityKind};
use domain::ids::{AppId, LineItemId};
use domain::time::{Day, UtcOffset};
use engine::{DeliveryState, Engine};

use crate::receiver::Receiver;
use crate::world::{NOW, World, in_time, standard, vault};

/// The sample mission's window and its grace for late events, in seconds.
const RUN_ENDS_S: i64 = (14 + 1) * 24 * 3_600;

/// Between two looks at something that must come.
const PAUSE: Duration = Duration::from_millis(2);

async fn held(world: &World) -> i64 {
    let ctx = world.ctx();
    world.engine.read_budget(&ctx, LineItemId(1)).await.unwrap().total.held.0
}

#[tokio::test]
async fn holds_of_runs_that_are_over_are_released() {
    let mut world = World::new(vec![]).await;
    for user in 0..250 {
        world.user(1, &format!("user {user}")).await;
    }
    assert_eq!(held(&world).await, 250 * 3_600_000);
    world.start();
    world.advance_s(RUN_ENDS_S + 1).await;
    in_time(async {
        while held(&world).await > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await;
}

#[tokio::test]
async fn reports_follow_the_journal() {
    let mut world = World::new(vec![]).await;
    world.earn(1, "u").await;
    let head = world.stores.state.head().await.unwrap();
    assert_eq!(world.stores.reports.cursor().await.unwrap(), 0);
    world.start();
    in_time(async {
        while world.stores.reports.cursor().await.unwrap() < head {
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await;
    world.stop().await;
    let day = Day::of(NOW, UtcOffset(0));
    let figures = world.stores.reports.figures(day, day).await.unwrap();
    let (key, sums) = figures[0];
    assert_eq!((key.app, sums.participations, sums.rewards), (AppId(1), 1, 1));
}

#[tokio::test]
async fn another_nodes_edit_of_the_catalogue_arrives() {
    let receiver = Receiver::kind().await;
    let mut world = World::new(vec![]).await;
    world.start();
    let other = Engine::new(world.stores.clone(), vault());
    other.refresh_catalog(&world.ctx()).await.unwrap();
    let mut app = other.snapshot().catalog().apps[&AppId(1)].clone();
    app.postback = standard(receiver.url("/"));
    let applied = other.apply_entities(&world.ctx(), &[Entity::App(app)], false, "other").await;
    let revision = applied.unwrap().revision;
    in_time(async {
        while world.engine.snapshot().revision() < revision {
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await;
    world.earn(1, "u").await;
    world.until(1, |one| one.state == DeliveryState::Delivered).await;
}

#[tokio::test]
async fn a_reward_without_an_endpoint_waits_for_one() {
    let receiver = Receiver::kind().await;
    let mut world = World::new(vec![None, standard(receiver.url("/other"))]).await;
    world.start();
    world.earn(1, "u").await;
    // Another's reward, booked later, has been told; this one was not even tried.
    world.earn(2, "v").await;
    world.until(2, |one| one.state == DeliveryState::Delivered).await;
    let waiting = world.deliveries(1).await;
    assert_eq!((waiting[0].state, waiting[0].attempts), (DeliveryState::Queued, 0));
    let url = receiver.url("/");
    world.set_app(1, |app| app.postback = standard(url)).await;
    world.until(1, |one| one.state == DeliveryState::Delivered).await;
}

#[tokio::test]
async fn an_app_that_is_gone_does_not_stop_the_others() {
    let receiver = Receiver::kind().await;
    let gone = standard(receiver.url("/gone"));
    let mut world = World::new(vec![standard(receiver.url("/")), gone]).await;
    world.earn(2, "u").await;
    for kind in [EntityKind::Unit, EntityKind::App] {
        let edit = Edit::Delete(kind, 2);
        world.engine.delete_entity(&world.ctx(), edit, "test").await.unwrap();
    }
    world.start();
    world.earn(1, "v").await;
    world.until(1, |one| one.state == DeliveryState::Delivered).await;
    let waiting = world.until(2, |one| one.attempts == 1).await;
    assert_eq!(waiting.state, DeliveryState::Retrying);
    assert_eq!(receiver.seen().len(), 1);
}
