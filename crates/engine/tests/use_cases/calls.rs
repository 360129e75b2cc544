//! Store calls of the use cases: what their module docs promise.

use domain::ids::StepId;
use engine::{EngineError, Inquiry, ListTag};
use store::counting::{CountingStore, Method};

use crate::node::{MISSION, Node, at};
use crate::sessions::VERBS;

/// The calls since the last time, as `load 1, commit 1`.
fn taken(store: &CountingStore) -> String {
    let counted = Method::ALL.into_iter().map(|method| (method, store.calls().of(method)));
    let lines: Vec<String> = counted
        .filter(|(_, calls)| *calls > 0)
        .map(|(method, calls)| format!("{method:?} {calls}").to_lowercase())
        .collect();
    store.calls().reset();
    lines.join(", ")
}

#[tokio::test]
async fn a_session_is_ended_with_two_calls_and_an_ended_one_costs_one() {
    let (node, store) = Node::new().await.through(CountingStore::new).await;
    let started = node.participate(&at(0)).await.expect("an answer").expect("a start");
    store.calls().reset();
    let ctx = at(0);
    node.revoke(&ctx).await;
    assert_eq!((taken(&store).as_str(), ctx.spent().calls), ("load 1, commit 1", 2));
    for verb in VERBS {
        let ctx = at(0);
        let refused = verb.ask(&node, &ctx, started.run.id).await;
        assert!(matches!(refused, Err(EngineError::SessionEnded)), "{verb:?}: {refused:?}");
        assert_eq!((taken(&store).as_str(), ctx.spent().calls), ("load 1", 1), "{verb:?}");
    }
}

#[tokio::test]
async fn an_unchanged_list_costs_nothing_where_the_store_knows_the_user() {
    let (node, store) = Node::new().await.through(CountingStore::new).await;
    store.calls().reset();
    let list = async |kept: ListTag| {
        let ctx = at(0);
        let unless = Some(|tag| (tag == kept).then_some(None));
        let listed =
            node.engine.list_missions_unless(&ctx, &node.viewer, unless, |list| Some(list.tag));
        (listed.await, taken(&store), ctx.spent().calls)
    };
    let tag = node.engine.list_missions(&at(0), &node.viewer, |list| list.tag).await;
    let tag = tag.expect("a list");
    store.calls().reset();
    let (listed, calls, spent) = list(tag).await;
    assert!(matches!(listed, Ok(None)), "{listed:?}");
    assert_eq!((calls.as_str(), spent), ("", 0));
    // Whoever has another one gets it from the user as he is.
    let other = ListTag { version: tag.version + 1, ..tag };
    let (listed, calls, spent) = list(other).await;
    assert!(matches!(listed, Ok(Some(found)) if found == tag), "{listed:?}");
    assert_eq!((calls.as_str(), spent), ("load 1", 1));
    node.participate(&at(0)).await.expect("an answer").expect("a start");
    store.calls().reset();
    let (listed, calls, _) = list(tag).await;
    assert!(matches!(listed, Ok(Some(found)) if found == other), "{listed:?}");
    assert_eq!(calls, "load 1");
    node.revoke(&at(0)).await;
    store.calls().reset();
    let (listed, calls, _) = list(ListTag { version: tag.version + 2, ..tag }).await;
    assert!(matches!(listed, Err(EngineError::SessionEnded)), "{listed:?}");
    assert_eq!(calls, "load 1");
}

/// The node's viewer speaks by a session, so this is what they cost with the look at its end.
#[tokio::test]
async fn the_main_walks_cost_what_they_promise() {
    let node = Node::new().await;
    let (node, store) = node.through(CountingStore::new).await;
    store.calls().reset();

    let ctx = at(0);
    node.engine.list_missions(&ctx, &node.viewer, |_| ()).await.expect("a list");
    assert_eq!((taken(&store).as_str(), ctx.spent().calls), ("load 1", 1));

    let ctx = at(0);
    node.engine.show_mission(&ctx, &node.viewer, MISSION, |_, _| ()).await.expect("a mission");
    assert_eq!((taken(&store).as_str(), ctx.spent().calls), ("load 1", 1));

    let ctx = at(0);
    let started = node.participate(&ctx).await.expect("an answer").expect("a start");
    assert_eq!((taken(&store).as_str(), ctx.spent().calls), ("load 1, commit 1", 2));

    let ctx = at(0);
    node.participate(&ctx).await.expect("an answer").expect("the same start");
    assert_eq!((taken(&store).as_str(), ctx.spent().calls), ("load 1", 1));

    for (event, calls) in [
        ("install", "load 1, commit 1"),
        ("install", "load 1, append 1"),
        ("purchase", "load 1, commit 1"),
        ("dance", "load 1, append 1"),
    ] {
        let ctx = at(1);
        node.post(&ctx, &started.click_id, event, &[]).await.expect("an answer");
        assert_eq!((taken(&store).as_str(), ctx.spent().calls), (calls, 2), "{event}");
    }
    let ctx = at(1);
    node.post(&ctx, "forged", "install", &[]).await.expect("an answer");
    assert_eq!((taken(&store).as_str(), ctx.spent().calls), ("append 1", 1));

    let ctx = at(1);
    node.check_in(&ctx).await.expect("an answer");
    assert_eq!((taken(&store).as_str(), ctx.spent().calls), ("load 1, commit 1", 2));

    let ctx = at(1);
    node.engine.read_wallet(&ctx, &node.viewer, None, 10).await.expect("a wallet");
    assert_eq!((taken(&store).as_str(), ctx.spent().calls), ("load 1, ledger 1", 2));

    let ctx = at(1);
    let enrollment = started.run.id;
    let inquiry = Inquiry { enrollment, step: StepId(1), message: None };
    node.engine.inquire(&ctx, &node.viewer, inquiry).await.expect("an answer");
    assert_eq!((taken(&store).as_str(), ctx.spent().calls), ("load 1, ledger 1, append 1", 3));

    let ctx = at(24 * 30);
    node.engine.sweep(&ctx, 10).await.expect("a sweep");
    assert_eq!((taken(&store).as_str(), ctx.spent().calls), ("load 1, commit 1, due 1", 3));
    node.assert_clean().await;
}
