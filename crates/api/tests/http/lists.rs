//! The list of missions: its pages, and that it says what each mission says of itself.

use std::collections::BTreeSet;

use axum::http::header;
use domain::ids::Mode;
use serde_json::Value;

use crate::allocations::line_items;
use crate::server::{APP, Server};

const LIST: &str = "/v1/missions?user_id=ann&unit_id=1";
/// More than a sheet has, and than a page may have.
const MANY: u32 = 520;

/// Somebody with one run, before so many missions.
async fn server_with(missions: u32) -> Server {
    let server = Server::start().await;
    let rows = line_items(missions);
    server.engine.apply_entities(&server.ctx(), &rows, false, "many").await.unwrap();
    server.reward(1, Mode::Live, "ann").await;
    server
}

/// The missions of all pages, and how many pages there were.
async fn pages(server: &Server, limit: usize) -> (Vec<Value>, usize) {
    let (mut missions, mut count) = (Vec::new(), 0);
    let mut path = format!("{LIST}&limit={limit}");
    loop {
        let page = server.get(&path, APP).await.expect(200);
        let own = page.body["missions"].as_array().unwrap();
        let offers = own.iter().filter(|mission| mission["enrollment_id"].is_null()).count();
        assert!(offers <= limit, "{offers} of {limit}");
        missions.extend(own.iter().cloned());
        count += 1;
        let Value::String(cursor) = &page.body["next_cursor"] else { return (missions, count) };
        assert_eq!(offers, limit);
        path = format!("{LIST}&limit={limit}&cursor={cursor}");
    }
}

#[tokio::test]
async fn pages_are_the_list_in_parts() {
    let server = server_with(MANY).await;
    let (missions, count) = pages(&server, 500).await;
    assert_eq!(count, 2);
    let ids: BTreeSet<u64> = missions.iter().filter_map(|one| one["id"].as_u64()).collect();
    assert_eq!((missions.len(), ids.len()), (MANY as usize, MANY as usize));
    for limit in [7, 100, 173, 499] {
        assert_eq!(pages(&server, limit).await.0, missions, "{limit}");
    }
}

/// The mission by itself is written by other means.
#[tokio::test]
async fn each_mission_is_as_it_says_itself() {
    let server = server_with(12).await;
    let list = server.get(LIST, APP).await.expect(200);
    let missions = list.body["missions"].as_array().unwrap();
    assert_eq!(missions.len(), 12);
    assert!(missions[0]["enrollment_id"].is_string() && missions[1]["enrollment_id"].is_null());
    for mission in missions {
        let path = format!("/v1/missions/{}?user_id=ann&unit_id=1", mission["id"]);
        let detail = server.get(&path, APP).await.expect(200);
        for (name, value) in mission.as_object().unwrap() {
            assert_eq!(&detail.body[name], value, "{path} {name}");
        }
    }
    let steps = missions.iter().flat_map(|mission| mission["steps"].as_array().unwrap());
    let left: i64 = steps
        .map(|step| {
            let left = step["repeat_limit"].as_i64().unwrap() - step["completed"].as_i64().unwrap();
            left * step["reward"].as_i64().unwrap()
        })
        .sum();
    assert_eq!(list.body["earnable"], left);
}

/// `HEAD` goes the long way, through the router.
#[tokio::test]
async fn the_router_answers_as_well() {
    let server = server_with(3).await;
    let list = server.get(LIST, APP).await.expect(200);
    let (status, head) = server.head(LIST, APP, None).await;
    assert_eq!(status, 200);
    for name in [header::ETAG, header::CONTENT_TYPE, header::CACHE_CONTROL] {
        assert_eq!(head.get(&name), list.headers.get(&name), "{name}");
    }
    let length = head.get(header::CONTENT_LENGTH).unwrap();
    assert_eq!(length.to_str().unwrap(), list.text.len().to_string());
    let (status, kept) = server.head(LIST, APP, head.get(header::ETAG)).await;
    assert_eq!((status.as_u16(), kept.get(header::ETAG)), (304, head.get(header::ETAG)));
    // A length would have to be that of the list.
    assert_eq!(kept.get(header::CONTENT_LENGTH), None);
}

#[tokio::test]
async fn foreign_cursors_are_refused_and_encoded_names_are_read() {
    let server = server_with(3).await;
    // `missions:101`, as the operator's list of missions gives it.
    server.get(&format!("{LIST}&cursor=bWlzc2lvbnM6MTAx"), APP).await.expect(400);
    let encoded = LIST.replace("user_id", "user%5Fid");
    assert_ne!(encoded, LIST);
    let [plain, encoded] = [server.get(LIST, APP).await, server.get(&encoded, APP).await];
    assert_eq!(plain.expect(200).text, encoded.expect(200).text);
}
