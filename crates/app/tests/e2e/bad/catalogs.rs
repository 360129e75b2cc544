//! Catalogue files and mission graphs that cannot be: nothing of them is saved.

use serde_json::{Value, json};

use crate::support::catalog::{AMPLE, base, campaign, on_event};
use crate::support::http::{Client, Request};
use crate::support::node::Node;
use crate::support::problem::problem_code;

const TOML: &str = "application/toml";

struct Desk {
    node: Node,
    client: Client,
}

impl Desk {
    fn open() -> Self {
        let node = Node::start(&base("http://127.0.0.1:9"));
        let client = node.client();
        Self { node, client }
    }

    fn apply(&self, kind: &str, file: impl Into<Vec<u8>>) -> Request {
        Request::post("/v1/admin/catalog/apply").bearer(&self.node.admin_key).body(kind, file)
    }

    async fn revision(&self) -> Value {
        let list = Request::get("/v1/admin/apps").bearer(&self.node.admin_key);
        self.client.send(&list).await.expect(200).json()["catalog_revision"].clone()
    }

    /// The fields that are named when a file is refused.
    async fn refuses(&self, name: &str, file: &str) -> Vec<String> {
        let answer = self.client.send(&self.apply(TOML, file)).await;
        assert_eq!(answer.status, 422, "{name}: {}", answer.text());
        assert_eq!(problem_code(&answer), "invalid_catalog", "{name}");
        let problem = answer.json();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let text =
            |error: &Value, field: &str| error[field].as_str().unwrap_or_default().to_owned();
        assert!(errors.iter().all(|one| !text(one, "message").is_empty()), "{name}: {problem}");
        errors.iter().map(|one| text(one, "field")).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_cannot_be_read_change_nothing() {
    let desk = Desk::open();
    let before = desk.revision().await;
    let good = "[[advertisers]]\nid = 9\nname = \"Nine\"\n";
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let korean = [
        b"[[advertisers]]\nid = 9\nname = \"".to_vec(),
        vec![0xC7, 0xD1, 0xB1, 0xDB],
        b"\"\n".to_vec(),
    ]
    .concat();
    let bytes = [("UTF-16", utf16), ("CP949", korean), ("zeros", vec![0; 100])];
    for (name, file) in bytes {
        let answer = desk.client.send(&desk.apply(TOML, file)).await;
        assert!(matches!(answer.status, 400 | 422), "{name}: {}", answer.text());
        problem_code(&answer);
    }
    let files = [
        ("half a line", "[[advertisers]]\nid = ", ""),
        ("a table twice", "[advertisers]\n[advertisers]\n", ""),
        ("a key twice", "[[advertisers]]\nid = 9\nid = 9\nname = \"N\"\n", ""),
        ("no name", "[[advertisers]]\nid = 9\n", "advertisers[0]"),
        (
            "an unknown field",
            "[[advertisers]]\nid = 9\nname = \"N\"\nowner = 1\n",
            "advertisers[0].owner",
        ),
        ("an unknown table", "[[adverts]]\nid = 9\n", ""),
        (
            "the same row twice",
            "[[advertisers]]\nid = 9\nname = \"N\"\n[[advertisers]]\nid = 9\nname = \"M\"\n",
            "advertisers[1].id",
        ),
        (
            "half good",
            "[[advertisers]]\nid = 9\nname = \"N\"\n[[advertisers]]\nid = 10\nname = \"\"\n",
            "advertisers[1].name",
        ),
        ("id 0", "[[advertisers]]\nid = 0\nname = \"N\"\n", "advertisers[0].id"),
        ("a negative id", "[[advertisers]]\nid = -1\nname = \"N\"\n", "advertisers[0].id"),
        (
            "an id beyond 32 bits",
            "[[advertisers]]\nid = 4294967296\nname = \"N\"\n",
            "advertisers[0].id",
        ),
        ("a text for an id", "[[advertisers]]\nid = \"9\"\nname = \"N\"\n", "advertisers[0].id"),
        ("a name of blanks", "[[advertisers]]\nid = 9\nname = \"  \"\n", "advertisers[0].name"),
        (
            "a name with a line end",
            "[[advertisers]]\nid = 9\nname = \"a\\nb\"\n",
            "advertisers[0].name",
        ),
        (
            "a name that turns round",
            "[[advertisers]]\nid = 9\nname = \"a\\u202Eb\"\n",
            "advertisers[0].name",
        ),
        (
            "a NUL in a name",
            "[[advertisers]]\nid = 9\nname = \"a\\u0000b\"\n",
            "advertisers[0].name",
        ),
        ("no such owner", "[[units]]\nid = 9\napp_id = 999\nname = \"U\"\n", "units[0].app_id"),
    ];
    for (name, file, field) in files {
        let fields = desk.refuses(name, file).await;
        assert!(field.is_empty() || fields.iter().any(|one| one == field), "{name}: {fields:?}");
    }
    let json = |text: &str| desk.apply("application/json", text);
    for text in [
        "",
        "{",
        "[]",
        "null",
        r#"{"advertisers": [{"id": 9, "id": 10, "name": "N"}]}"#,
        r#"{"advertisers": {}}"#,
    ] {
        let answer = desk.client.send(&json(text)).await;
        assert!(matches!(answer.status, 400 | 422), "{text}: {}", answer.text());
        problem_code(&answer);
    }
    let xml = desk.client.send(&desk.apply("text/xml", good)).await;
    assert_eq!((xml.status, problem_code(&xml)), (415, "unsupported_media_type".to_owned()));
    let huge =
        desk.client.send(&desk.apply(TOML, format!("# {}\n", "x".repeat(17 * 1024 * 1024)))).await;
    assert_eq!((huge.status, problem_code(&huge)), (413, "body_too_large".to_owned()));
    assert_eq!(desk.revision().await, before);

    // What is only unusual is taken: a mark of byte order, and line ends of another system.
    let unusual = format!("\u{feff}{}", good.replace('\n', "\r\n"));
    let applied = desk.client.send(&desk.apply(TOML, unusual)).await.expect(200).json();
    assert_eq!(applied["created"], json!([{"kind": "advertisers", "id": 9}]));
    desk.node.finish();
}

/// What is wrong, the file, and the field that is named.
type Row = (&'static str, String, &'static str);

fn install() -> String {
    on_event("install", 1_000_000)
}

/// A mission of these steps; each is what its step has beside an ordinary rule.
fn steps(fields: &[&str]) -> String {
    let steps: Vec<String> =
        fields.iter().map(|fields| format!("{fields} {}", install())).collect();
    let steps: Vec<&str> = steps.iter().map(|step| step.trim()).collect();
    campaign(11, AMPLE, &steps)
}

fn graphs() -> Vec<Row> {
    let (all, after) = ("missions[0].steps", "missions[0].steps[0].after");
    let needs = |mission: u32| {
        let prerequisites = format!("prerequisites = [{mission}]\nwindow_seconds");
        steps(&[""]).replace("window_seconds", &prerequisites)
    };
    vec![
        ("no step", steps(&[]), all),
        ("1,000 steps", steps(&[""; 1_000]), all),
        ("only bonus steps", steps(&["role = \"bonus\","]), all),
        ("a step after itself", steps(&["after = [1],"]), after),
        ("a circle of steps", steps(&["after = [2],", "after = [1],"]), after),
        ("a step after one that comes later", steps(&["after = [2],", ""]), after),
        ("a step after none", steps(&["after = [9],"]), after),
        ("a mission after itself", needs(11), "missions[0].prerequisites"),
        ("a mission after none", needs(99), "missions[0].prerequisites"),
    ]
}

fn terms() -> Vec<Row> {
    let (payout, reward) = ("missions[0].steps[0].payout", "missions[0].steps[0].reward");
    let repeat = "missions[0].steps[0].repeat";
    let paying = |payout| campaign(11, AMPLE, &[&on_event("install", payout)]);
    let unnamed = campaign(11, AMPLE, &[&on_event("", 1)]);
    vec![
        ("a negative payout", paying(-1), payout),
        ("a payout beyond any", paying(i64::MAX), payout),
        ("a reward above the payout", steps(&["reward = 1_000_001,"]), reward),
        ("a negative reward", steps(&["reward = -1,"]), reward),
        ("no repetition", steps(&["repeat = { limit = 0 },"]), repeat),
        ("repetitions without end", steps(&["repeat = { limit = 4_000_000_000 },"]), repeat),
        (
            "a hold without end",
            steps(&["hold_hours = 100_000,"]),
            "missions[0].steps[0].hold_hours",
        ),
        ("an event without a name", unnamed, "missions[0].steps[0].rule"),
        ("no time", steps(&[""]).replace("\"30d\"", "0"), "missions[0].window_seconds"),
    ]
}

fn addresses() -> Vec<Row> {
    let landing = "missions[0].landing_url";
    let at = |url: &str| steps(&[""]).replace("https://landing.example/11?click={click_id}", url);
    let icon = steps(&[""]).replace("summary =", "icon_url = \"javascript:alert(1)\", summary =");
    vec![
        ("no click id in the landing page", at("https://landing.example/"), landing),
        ("an unknown macro", at("https://landing.example/?c={click_id}&x={secret}"), landing),
        ("a landing page that runs", at("javascript:alert('{click_id}')"), landing),
        ("a landing page with data", at("data:text/html,{click_id}"), landing),
        ("a file", at("file:///etc/passwd?{click_id}"), landing),
        ("an icon that runs", icon, "missions[0].creatives[0].icon_url"),
    ]
}

fn line_items() -> Vec<Row> {
    let with = |settings: &str| campaign(11, settings, &[&install()]);
    let also = |settings: &str| with(&format!("{AMPLE}\n{settings}"));
    let in_currency = |code: &str| steps(&[""]).replace("\"USD\"", &format!("{code:?}"));
    let (all, budget) = ("missions[0].steps", "line_items[0].budget");
    let flight =
        "flight = { starts_at = \"2030-01-01T00:00:00Z\", ends_at = \"2029-01-01T00:00:00Z\" }";
    let local = "flight = { starts_at = \"2030-01-01T00:00:00\" }";
    vec![
        ("no budget", with("budget = 0"), budget),
        ("a negative budget", with("budget = -1"), budget),
        ("a fraction of a budget", with("budget = 1.5"), budget),
        ("less than one mission pays", with("budget = 999_999"), all),
        ("less on a day", with("budget = 10_000_000\ndaily_budget = 999_999"), all),
        ("a lower-case currency", in_currency("usd"), "line_items[0].currency"),
        ("no such currency", in_currency("DOLLAR"), "line_items[0].currency"),
        ("a cap of nobody", also("caps = { total = 0 }"), "line_items[0].caps.total"),
        ("an end before the start", also(flight), "line_items[0].flight.ends_at"),
        ("a start without a zone", also(local), "line_items[0].flight.starts_at"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missions_that_cannot_be_done_or_paid_are_refused() {
    let desk = Desk::open();
    let before = desk.revision().await;
    for (name, file, field) in [graphs(), terms(), addresses(), line_items()].concat() {
        let fields = desk.refuses(name, &file).await;
        assert!(fields.iter().any(|one| one.starts_with(field)), "{name}: {fields:?}");
    }
    assert_eq!(desk.revision().await, before);
    // The other end of what is allowed: as many steps as there may be, none of which pays.
    let unpaid = on_event("install", 0);
    let most = campaign(11, AMPLE, &[unpaid.as_str(); 40]);
    desk.client.send(&desk.apply(TOML, most)).await.expect(200);
    desk.node.finish();
}
