//! A real browser, driven through `WebDriver`.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::{Client, Request};

/// How `WebDriver` calls an element in its answers.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long an element is awaited.
const ELEMENT_WITHIN_MS: u32 = 30_000;

/// The screen that a page is looked at on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Whether it is a telephone's.
    pub(crate) is_mobile: bool,
}

/// One window of a browser of its own.
pub(crate) struct Browser {
    driver: Child,
    client: Client,
    session: String,
    _profile: TempDir,
}

impl Browser {
    pub(crate) async fn open(screen: Screen) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing; run `cargo xtask services`");
        let client = Client::new(address(&mut driver));
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self { driver, client, session: String::new(), _profile: profile };
        let wish = wish(screen, browser._profile.path().to_str().unwrap());
        let opened = browser.ask("POST", "/session", &wish).await;
        browser.session = opened["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    pub(crate) async fn visit(&self, url: &str) {
        self.command("POST", "url", &json!({"url": url})).await;
    }

    /// What can be read on the page; every kind of space is a plain one.
    pub(crate) async fn text(&self) -> String {
        let text = self.measure("document.body ? document.body.innerText : ''").await;
        text.as_str().unwrap().replace(['\u{a0}', '\u{202f}'], " ")
    }

    /// Scrolls the first element that fits to the middle of the window, as a person would, and
    /// clicks it.
    pub(crate) async fn click(&self, css: &str) {
        let element = self.find(css).await;
        let script = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
        let wish = json!({"script": script, "args": [{ELEMENT: element}]});
        self.command("POST", "execute/sync", &wish).await;
        self.command("POST", &format!("element/{element}/click"), &json!({})).await;
    }

    /// How many pixels the page is wider than the window.
    pub(crate) async fn overflow(&self) -> i64 {
        let width = self.measure("document.documentElement.scrollWidth - window.innerWidth").await;
        width.as_i64().unwrap()
    }

    /// How many scripts the page has.
    pub(crate) async fn scripts(&self) -> i64 {
        self.measure("document.scripts.length").await.as_i64().unwrap()
    }

    async fn measure(&self, what: &str) -> Value {
        let script = format!("return {what}");
        let wish = json!({"script": script, "args": []});
        self.command("POST", "execute/sync", &wish).await
    }

    async fn find(&self, css: &str) -> String {
        let wish = json!({"using": "css selector", "value": css});
        let found = self.command("POST", "element", &wish).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    async fn command(&self, method: &'static str, name: &str, wish: &Value) -> Value {
        self.ask(method, &format!("/session/{}/{name}", self.session), wish).await
    }

    async fn ask(&self, method: &'static str, path: &str, wish: &Value) -> Value {
        let request = Request::new(method, path).header("host", "localhost");
        let request = if wish.is_null() { request } else { request.json(wish) };
        let answer = self.client.send(&request).await;
        let mut said = answer.json();
        assert_eq!(answer.status, 200, "{method} {path}: {said}");
        said["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser when it is told to end, but not when it is killed.
        let _ = Command::new("kill").arg(self.driver.id().to_string()).status();
        let _ = self.driver.wait();
    }
}

/// Where the driver listens, as it says once it does.
fn address(driver: &mut Child) -> SocketAddr {
    let said = BufReader::new(driver.stdout.take().unwrap());
    let port = said.lines().map_while(Result::ok).find_map(|line| {
        let rest = line.strip_prefix("ChromeDriver was started successfully on port ")?;
        rest.trim_end_matches('.').parse::<u16>().ok()
    });
    SocketAddr::from(([127, 0, 0, 1], port.expect("the driver has not said its port")))
}

fn wish(screen: Screen, profile: &str) -> Value {
    let Screen { width, height, is_mobile } = screen;
    let mut options = json!({
        "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            format!("--user-data-dir={profile}"), format!("--window-size={width},{height}"),
        ],
    });
    if is_mobile {
        let metrics = json!({"width": width, "height": height, "pixelRatio": 2.0, "touch": true});
        options["mobileEmulation"] = json!({"deviceMetrics": metrics});
    }
    // An element is awaited, because a click may lead to a page that is still on its way.
    let timeouts = json!({"implicit": ELEMENT_WITHIN_MS});
    json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options, "timeouts": timeouts}}})
}
