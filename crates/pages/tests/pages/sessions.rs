//! How a page is opened, with a cookie and without.

use domain::time::HOUR_MS;

use crate::browser::Browser;
use crate::world::{World, american};

#[tokio::test]
async fn the_token_leaves_the_address_where_the_cookie_is_kept() {
    let world = World::new().await;
    let token = world.token("ann", american()).await;
    let mut page = Browser::new(world.router.clone());
    page.get_only(&pages::session_path(&token)).await;
    assert_eq!(page.status, 303);
    let cookie = page.header("set-cookie").to_owned();
    for part in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/m"] {
        assert!(cookie.split("; ").any(|one| one == part), "{part}: {cookie}");
    }
    assert_eq!(page.header("cache-control"), "private, no-store");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    page.get(&pages::session_path(&token)).await;
    assert_eq!((page.status, page.at.as_str()), (200, "/m"));
    assert!(!page.body.contains(&token));
}

#[tokio::test]
async fn without_https_the_cookie_is_not_secure() {
    let state = std::sync::Arc::new(store::memory::MemoryState::new());
    let world = World::on(state, "http://127.0.0.1:8080").await;
    let token = world.token("ann", american()).await;
    let mut page = Browser::new(world.router.clone());
    page.get_only(&pages::session_path(&token)).await;
    assert!(!page.header("set-cookie").contains("Secure"));
}

#[tokio::test]
async fn without_cookies_every_link_carries_the_token() {
    let world = World::new().await;
    let token = world.token("ann", american()).await;
    let mut page = Browser::new(world.router.clone());
    page.keeps_cookies = false;
    page.get(&pages::session_path(&token)).await;
    let root = format!("/m/u/{token}");
    assert_eq!((page.status, page.at.as_str()), (200, root.as_str()));
    for address in [root.clone(), format!("{root}/missions/1"), format!("{root}/wallet")] {
        page.get(&address).await;
        assert_eq!(page.status, 200);
        let mut links = page.attributes("a", "href");
        links.extend(page.attributes("form", "action"));
        for link in links {
            assert!(link.starts_with(&root) || link.starts_with('#'), "{link} on {address}");
        }
    }
    page.get(&format!("{root}/missions/1")).await;
    page.submit("/start", &[]).await;
    assert_eq!(page.at, format!("{root}/missions/1?n=started"), "no advertiser's page in a frame");
    assert_eq!(page.attributes("a.btn.big", "target"), ["_blank"]);
    page.get(&format!("{root}/missions/2")).await;
    page.submit("/start", &[]).await;
    page.submit("/complete", &[("answer", "1")]).await;
    assert_eq!(page.at, format!("{root}/missions/2?n=paid"));
}

#[tokio::test]
async fn a_session_that_is_over_opens_nothing() {
    let world = World::new().await;
    let token = world.token("ann", american()).await;
    let mut page = world.open("ann").await;
    world.wait(4 * HOUR_MS).await;
    let cases = ["/m".to_owned(), pages::session_path(&token), format!("/m/u/{token}/wallet")];
    for address in cases {
        page.get(&address).await;
        assert_eq!(page.status, 401, "{address}");
        assert_eq!(page.text("h1"), "Please open this page again");
        assert!(page.attributes("main a", "href").is_empty(), "there is nowhere to go here");
    }
}

/// What an ended session sees, whatever it asks for.
fn is_told_to_come_again(page: &Browser) {
    assert_eq!(page.status, 401, "{}", page.at);
    assert_eq!(page.text("h1"), "Please open this page again", "{}", page.at);
    assert!(page.attributes("main a", "href").is_empty(), "there is nowhere to go here");
}

#[tokio::test]
async fn a_session_that_was_ended_shows_and_does_nothing() {
    let world = World::new().await;
    let token = world.token("ann", american()).await;
    let mut page = world.open("ann").await;
    page.get("/m/missions/3").await;
    let (action, fields) = page.form("/start");
    world.revoke("ann").await;
    let root = format!("/m/u/{token}");
    let below =
        ["", "/missions/1", "/missions/99", "/missions/x", "/wallet", "/wallet?show=not_counted"];
    let below = below.into_iter().flat_map(|path| [format!("/m{path}"), format!("{root}{path}")]);
    for address in below.chain(["/m/nowhere".to_owned(), pages::session_path(&token)]) {
        page.get(&address).await;
        is_told_to_come_again(&page);
    }
    let forms = [(action.as_str(), fields.clone()), (action.as_str(), Vec::new())];
    for (address, fields) in forms.into_iter().chain([("/m/missions/99/start", fields)]) {
        page.post(address, &fields).await;
        is_told_to_come_again(&page);
    }
    // Within the same millisecond, and nothing was started meanwhile.
    let mut page = world.open("ann").await;
    page.get("/m").await;
    assert_eq!((page.status, page.texts(".running").len()), (200, 0));
}

#[tokio::test]
async fn a_token_that_is_not_ours_opens_nothing() {
    let world = World::new().await;
    let mut page = Browser::new(world.router.clone());
    for address in ["/m", "/m/wallet", "/m/missions/1", "/m/s/AAAA", "/m/u/AAAA", "/m/nowhere"] {
        page.get(address).await;
        assert_eq!(page.status, 401, "{address}");
        assert!(page.answer.get("set-cookie").is_none());
    }
}

#[tokio::test]
async fn the_address_counts_before_the_cookie() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    page.get("/m/missions/3").await;
    page.submit("/start", &[]).await;
    let eve = world.token("eve", american()).await;
    page.get(&format!("/m/u/{eve}")).await;
    assert!(page.texts(".running").is_empty());
    page.get("/m").await;
    assert_eq!(page.texts(".running").len(), 1);
}
