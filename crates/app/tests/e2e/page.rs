//! The mission page in a real browser, on a telephone and on a desk. It has no scripts at all.

use std::sync::Arc;

use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::browser::{Browser, Screen};
use crate::support::catalog::{AMPLE, base, campaign};
use crate::support::node::Node;
use crate::support::people::User;
use crate::support::publisher::Publisher;

const PHONE: Screen = Screen { width: 390, height: 844, is_mobile: true };
const DESK: Screen = Screen { width: 1_280, height: 900, is_mobile: false };

/// A mission that is done on the page itself, so that the browser need not leave it.
fn daily() -> String {
    let check_in = "payout = 10_000, repeat = { limit = 3, per_day = 1 }, rule = \"check_in\"";
    let text = campaign(23, AMPLE, &[check_in]);
    let lines = text.lines().filter(|line| !line.starts_with("landing_url"));
    lines.map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn a_mission_is_done_with_clicks_only() {
    let publisher = Publisher::open().await;
    let node = Node::start(&(base(&publisher.base()) + &daily()));
    let client = Arc::new(node.client());
    for (user, screen) in [("ann", PHONE), ("ben", DESK)] {
        let user = User::open(&client, user).await;
        let browser = Browser::open(screen).await;
        browser.visit(&user.page_url).await;
        reads(&browser, screen, &["Mission 23", "Do it"]).await;
        browser.click("a.cover").await;
        reads(&browser, screen, &["Step 1"]).await;
        browser.click("form.cta button").await;
        reads(&browser, screen, &["+6 P", "1 of 3"]).await;
        browser.click("a.nav-link").await;
        browser.click("a.nav-link").await;
        reads(&browser, screen, &["Mission 23", "Step 1", "+6 P"]).await;
        assert_eq!(user.balance().await, 6);
    }
    node.finish();
}

/// Whether these words can be read, nothing stands outside the window, and nothing needs a script.
async fn reads(browser: &Browser, screen: Screen, words: &[&str]) {
    let mut text = String::new();
    let has_come = async {
        while !words.iter().all(|word| text.contains(word)) {
            text = browser.text().await;
        }
    };
    let has_come = timeout(PATIENCE, has_come).await.is_ok();
    assert!(has_come, "not all of {words:?} are on the page ({screen:?}):\n{text}");
    assert_eq!(browser.scripts().await, 0);
    assert!(browser.overflow().await <= 0, "the page is wider than {screen:?}:\n{text}");
}
