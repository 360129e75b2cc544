//! Missions that cannot be started, and everything else that is bad news.

use domain::catalog::MissionStatus;
use domain::targeting::{CountryCode, OsVersion, Platform, Profile};
use store::counting::Method;
use store::fault::Fault;

use crate::browser::Browser;
use crate::world::{World, american};

/// Sends a form for a mission whose page the user has open while it goes away.
async fn tap(page: &mut Browser, mission: u32) {
    page.get("/m/missions/1").await;
    let (_, fields) = page.form("/start");
    page.post(&format!("/m/missions/{mission}/start"), &fields).await;
}

#[tokio::test]
async fn each_refusal_says_why_and_offers_others() {
    let world = World::new().await;
    let mut first = world.open("bob").await;
    tap(&mut first, 5).await;
    tap(&mut first, 6).await;
    let mut page = world.open("ann").await;
    let cases = [
        (5, 409, "All places are taken", "More people"),
        (6, 409, "All places are taken for now", "More people"),
        (7, 409, "This mission has ended", ""),
        (8, 422, "This mission is not open to you", ""),
    ];
    for (mission, status, title, why) in cases {
        tap(&mut page, mission).await;
        assert_eq!(page.status, status, "{mission}");
        assert_eq!(page.text("h1"), title);
        assert!(page.body.contains(why));
        assert_eq!(page.texts("[aria-labelledby=similar] .card").len(), 2);
        assert_eq!(page.header("cache-control"), "private, no-store");
        assert!(page.texts("form").is_empty());
    }
    tap(&mut page, 6).await;
    assert!(page.body.contains("24 Nov 2026, 00:00"), "the next day of the line item");
    tap(&mut page, 5).await;
    assert_eq!(page.texts("[aria-labelledby=similar] h3")[0], "Coffee quiz", "the same kind first");
}

#[tokio::test]
async fn what_was_done_is_not_done_again() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    page.get("/m/missions/2").await;
    page.submit("/start", &[]).await;
    page.submit("/complete", &[("answer", "1")]).await;
    tap(&mut page, 2).await;
    assert_eq!((page.status, page.text("h1").as_str()), (409, "You have done this mission before"));
    assert_eq!(page.attributes("main a.btn", "href"), ["/m/wallet"]);
}

#[tokio::test]
async fn a_blocked_user_is_told_so() {
    let world = World::new().await;
    let token = world.token("ann", american()).await;
    let mut page = world.open("ann").await;
    page.get("/m/missions/1").await;
    world.block(&token).await;
    page.submit("/start", &[]).await;
    assert_eq!(page.status, 422);
    assert!(page.texts(".card").is_empty());
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    for address in ["/m/missions/999", "/m/missions/7", "/m/missions/x", "/m/nowhere", "/m/a/b/c"] {
        page.get(address).await;
        assert_eq!(page.status, 404, "{address}");
        assert_eq!(page.text("h1"), "This page does not exist");
        assert_eq!(page.attributes("main a.btn", "href"), ["/m"]);
    }
    tap(&mut page, 999).await;
    assert_eq!(page.status, 404);
}

#[tokio::test]
async fn a_store_that_is_away_is_our_problem() {
    // The first load is the session's.
    let world = World::with_faults(&[(Method::Load, 2, Fault::Unavailable)]).await;
    let token = world.token("ann", american()).await;
    let mut page = Browser::new(world.router.clone());
    page.headers.push(("x-request-id", "req-7".to_owned()));
    page.get(&format!("{}?c=1", pages::session_path(&token))).await;
    assert_eq!(page.status, 503);
    assert_eq!(page.header("retry-after"), "5");
    let list = format!("/m/u/{token}");
    assert_eq!(page.attributes("main a.btn", "href"), [list.as_str()]);
    assert_eq!(page.text(".meta code"), "req-7");
    page.get(&list).await;
    assert_eq!(page.status, 200);
}

#[tokio::test]
async fn an_empty_list_says_why() {
    let world = World::new().await;
    for mission in 1..=6 {
        world.edit(mission, |mission| mission.status = MissionStatus::Paused).await;
    }
    let korean = Profile {
        country: CountryCode::parse("KR"),
        platform: Some(Platform::Android),
        os_version: OsVersion::parse("14"),
        age: Some(30),
        ..american()
    };
    let cases = [
        (american(), "No missions in your region yet"),
        (
            Profile { platform: Some(Platform::Ios), ..korean.clone() },
            "No missions for this device",
        ),
        (Profile { age: Some(15), ..korean.clone() }, "No missions for your age"),
    ];
    for (nth, (profile, title)) in cases.into_iter().enumerate() {
        let page = world.open_as(&format!("user {nth}"), profile).await;
        assert_eq!(page.text(".empty h3"), title);
    }
    let mut page = world.open_as("kim", korean).await;
    let pills = page.texts(".pills li");
    assert_eq!(pills, ["Android 10+", "Age 19+"]);
    page.get("/m/missions/8").await;
    assert_eq!(page.texts(".pills li"), pills);
    page.submit("/start", &[]).await;
    page.get("/m").await;
    assert_eq!(page.text(".empty h3"), "All done for now");
}
