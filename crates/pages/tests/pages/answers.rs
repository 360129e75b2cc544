//! What every answer carries: headers, languages, looks, and nothing that could run.

use std::sync::Arc;

use domain::catalog::{Creative, StepText, Wording};
use domain::targeting::Profile;

use crate::browser::Browser;
use crate::world::{World, american};

/// Texts that try to leave their element, attribute or template.
const HOSTILE: [&str; 3] = [
    "<script>alert('<breakout>')</script>",
    "\"><breakout onclick=\"x\">",
    "' onmouseover='x' {{ 7*7 }} &amp; <breakout/>",
];

#[tokio::test]
async fn hostile_texts_are_texts() {
    let world = World::new().await;
    world
        .edit(2, |mission| {
            mission.creatives = vec![Creative::from(Wording {
                language: "en",
                title: HOSTILE[0],
                summary: HOSTILE[1],
                fine_print: HOSTILE[2],
                icon_url: Some("https://cdn.example/a'onerror=x.png"),
                ..Wording::default()
            })];
            mission.requirements = vec![HOSTILE[1].to_owned()];
            for step in &mut mission.steps {
                step.texts = Arc::new(vec![StepText {
                    language: "en".to_owned(),
                    title: HOSTILE[1].to_owned(),
                    description: HOSTILE[2].to_owned(),
                }]);
            }
        })
        .await;
    let mut page = world.open("ann").await;
    let check = |page: &Browser| {
        assert!(page.texts("breakout, script, [onclick], [onmouseover], [onerror]").is_empty());
        assert!(!page.body.contains("49"), "a template was evaluated");
    };
    assert!(page.texts(".card h3").contains(&HOSTILE[0].to_owned()), "shown as it is");
    check(&page);
    page.get("/m/missions/2").await;
    assert_eq!(page.text("h1"), HOSTILE[0]);
    check(&page);
    page.submit("/start", &[]).await;
    check(&page);
    page.submit("/complete", &[("answer", "<breakout>")]).await;
    check(&page);
    page.get("/m/missions/2?n=%3Cbreakout%3E").await;
    assert!(page.texts(".flash").is_empty());
    check(&page);
    page.submit("/complete", &[("answer", "1")]).await;
    page.get("/m/wallet?show=%22%3E%3Cbreakout%3E&after=%3Cbreakout%3E").await;
    assert_eq!(page.text(".entry h3"), HOSTILE[0]);
    check(&page);
}

#[tokio::test]
async fn pages_say_what_they_may_load_and_who_may_keep_them() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    for (address, cache) in [
        ("/m", "private, no-cache"),
        ("/m/wallet", "private, no-cache"),
        ("/m/missions/1", "private, no-store"),
        ("/m/nowhere", "private, no-store"),
    ] {
        page.get(address).await;
        assert_eq!(page.header("cache-control"), cache, "{address}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("vary"), "cookie, accept-language");
        let policy = page.header("content-security-policy").to_owned();
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        let leads_out = policy.contains("market:");
        assert_eq!(leads_out, address == "/m/missions/1", "{address}: {policy}");
        assert!(page.attributes("[style]", "style").is_empty());
        assert!(page.texts("script, style, iframe").is_empty());
    }
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    page.get("/m").await;
    let etag = page.header("etag").to_owned();
    assert!(etag.starts_with('"'));
    page.headers.push(("if-none-match", format!("\"x\", W/{etag}")));
    page.get("/m").await;
    assert_eq!((page.status, page.body.as_str()), (304, ""));
    assert_eq!(page.header("etag"), etag);
    let mut eve = world.open("eve").await;
    eve.get("/m/missions/3").await;
    eve.submit("/start", &[]).await;
    eve.headers.push(("if-none-match", etag));
    eve.get("/m").await;
    assert_eq!(eve.status, 200, "another user's page is another page");
}

#[tokio::test]
async fn the_language_is_the_users_then_the_browsers() {
    let world = World::new().await;
    let with = |language: &str| Profile { language: language.to_owned(), ..american() };
    let cases = [
        ("ko", "en", "ko", "성 짓기"),
        ("", "ko-KR,en;q=0.5", "ko", "성 짓기"),
        ("fr", "ja", "ja", "Castle"),
        ("fr", "de", "en", "Castle"),
    ];
    for (nth, (own, accept, lang, title)) in cases.into_iter().enumerate() {
        let token = world.token(&format!("user {nth}"), with(own)).await;
        let mut page = Browser::new(world.router.clone());
        page.headers = vec![("accept-language", accept.to_owned())];
        page.get(&pages::session_path(&token)).await;
        assert_eq!(page.attributes("html", "lang"), [lang]);
        assert!(page.texts(".card h3").contains(&title.to_owned()), "{own} {accept}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_users_language() {
    let world = World::new().await;
    let korean = Profile { language: "ko".to_owned(), ..american() };
    let mut page = world.open_as("ann", korean).await;
    page.get("/m/missions/1").await;
    let (start, _) = page.form("/start");
    for address in ["/m/nowhere", "/m/missions/999", "/m/missions/x"] {
        page.get(address).await;
        assert_eq!((page.status, page.attributes("html", "lang")), (404, vec!["ko".to_owned()]));
        assert_eq!(page.text(".app"), "Haru Rewards");
    }
    page.post(&start, &[]).await;
    assert_eq!((page.status, page.attributes("html", "lang")), (403, vec!["ko".to_owned()]));
}

#[tokio::test]
async fn there_is_no_icon_and_browsers_may_remember_it() {
    let world = World::new().await;
    let mut anybody = Browser::new(world.router.clone());
    anybody.get("/favicon.ico").await;
    assert_eq!((anybody.status, anybody.body.as_str()), (204, ""));
    assert_eq!(anybody.header("cache-control"), "public, max-age=2592000");
}

#[tokio::test]
async fn stylesheets_are_kept_for_ever() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    let sheets = page.attributes("link[rel=stylesheet]", "href");
    assert_eq!(sheets.len(), 2, "ours and the app's");
    assert_eq!(sheets[1], "/m/theme/0a7d5a-24.css");
    let mut anybody = Browser::new(world.router.clone());
    for sheet in sheets {
        anybody.get(&sheet).await;
        assert_eq!(anybody.status, 200);
        assert_eq!(anybody.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(anybody.header("content-type"), "text/css; charset=utf-8");
        assert!(anybody.body.contains("--p:"));
    }
    for unknown in ["/m/assets/0000000000000000.css", "/m/theme/red-1.css", "/m/theme/x"] {
        page.get(unknown).await;
        assert_eq!(page.status, 404);
    }
}

#[tokio::test]
async fn a_long_list_comes_in_parts() {
    let world = World::new().await;
    let castle = {
        let snapshot = world.engine.snapshot();
        snapshot.catalog().missions[&domain::ids::MissionId(3)].as_ref().clone()
    };
    let more = (101..=130).map(|id| {
        let mission = domain::catalog::Mission { id: domain::ids::MissionId(id), ..castle.clone() };
        domain::catalog::Entity::Mission(std::sync::Arc::new(mission))
    });
    let more: Vec<_> = more.collect();
    world.engine.apply_entities(&world.ctx(), &more, false, "test").await.unwrap();
    let mut page = world.open("ann").await;
    let mut seen = Vec::new();
    let mut parts = 0;
    loop {
        seen.extend(page.attributes(".card h3 a", "href"));
        parts += 1;
        let next = page.attributes(".more a", "href");
        match next.first() {
            Some(next) => page.get(next).await,
            None => break,
        }
    }
    assert_eq!((parts, seen.len()), (2, 36));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 36, "every mission once");
}
