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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missions_that_cannot_be_done_or_paid_are_refused() {
    let desk = Desk::open();
    let before = desk.revision().await;
    let install = on_event("install", 1_000_000);
    let with = |fields: &str| format!("{fields}, {install}");
    let many = vec![install.as_str(); 1_000];
    let whole = campaign(11, AMPLE, &[&install]);
    let replaced = |old: &str, new: &str| {
        assert!(whole.contains(old), "{old}");
        whole.replace(old, new)
    };
    let steps = "missions[0].steps";
    let cases = [
        ("no step", campaign(11, AMPLE, &[]), steps),
        ("1,000 steps", campaign(11, AMPLE, &many), steps),
        (
            "a step after itself",
            campaign(11, AMPLE, &[&with("after = [1]")]),
            "missions[0].steps[0].after",
        ),
        (
            "a circle of steps",
            campaign(11, AMPLE, &[&with("after = [2]"), &with("after = [1]")]),
            "missions[0].steps[0].after",
        ),
        (
            "a step after one that comes later",
            campaign(11, AMPLE, &[&with("after = [2]"), &install]),
            "missions[0].steps[0].after",
        ),
        (
            "a step after none",
            campaign(11, AMPLE, &[&with("after = [9]")]),
            "missions[0].steps[0].after",
        ),
        ("only bonus steps", campaign(11, AMPLE, &[&with("role = \"bonus\"")]), steps),
        (
            "a mission after itself",
            replaced("window_seconds", "prerequisites = [11]\nwindow_seconds"),
            "missions[0].prerequisites",
        ),
        (
            "a mission after none",
            replaced("window_seconds", "prerequisites = [99]\nwindow_seconds"),
            "missions[0].prerequisites",
        ),
        (
            "a negative payout",
            campaign(11, AMPLE, &[&on_event("install", -1)]),
            "missions[0].steps[0].payout",
        ),
        (
            "a payout beyond any",
            campaign(11, AMPLE, &[&on_event("install", i64::MAX)]),
            "missions[0].steps[0].payout",
        ),
        (
            "a reward above the payout",
            campaign(11, AMPLE, &[&with("reward = 1_000_001")]),
            "missions[0].steps[0].reward",
        ),
        (
            "a negative reward",
            campaign(11, AMPLE, &[&with("reward = -1")]),
            "missions[0].steps[0].reward",
        ),
        ("more than the budget", campaign(11, "budget = 999_999", &[&install]), steps),
        (
            "more than a day's budget",
            campaign(11, "budget = 10_000_000\ndaily_budget = 999_999", &[&install]),
            steps,
        ),
        (
            "no repetition",
            campaign(11, AMPLE, &[&with("repeat = { limit = 0 }")]),
            "missions[0].steps[0].repeat",
        ),
        (
            "repetitions without end",
            campaign(11, AMPLE, &[&with("repeat = { limit = 4_000_000_000 }")]),
            "missions[0].steps[0].repeat",
        ),
        (
            "an event without a name",
            campaign(11, AMPLE, &[&on_event("", 1)]),
            "missions[0].steps[0].rule",
        ),
        (
            "a hold without end",
            campaign(11, AMPLE, &[&with("hold_hours = 100_000")]),
            "missions[0].steps[0].hold_hours",
        ),
        ("no time", replaced("\"30d\"", "0"), "missions[0].window_seconds"),
        (
            "no click id in the landing page",
            replaced("{click_id}", "{clickid}"),
            "missions[0].landing_url",
        ),
        (
            "a landing page that runs",
            replaced(
                "https://landing.example/11?click={click_id}",
                "javascript:alert('{click_id}')",
            ),
            "missions[0].landing_url",
        ),
        (
            "a landing page with data",
            replaced("https://landing.example/11?click={click_id}", "data:text/html,{click_id}"),
            "missions[0].landing_url",
        ),
        (
            "an icon that runs",
            replaced("summary =", "icon_url = \"javascript:alert(1)\", summary ="),
            "missions[0].creatives[0].icon_url",
        ),
        ("no budget", campaign(11, "budget = 0", &[&install]), "line_items[0].budget"),
        ("a negative budget", campaign(11, "budget = -1", &[&install]), "line_items[0].budget"),
        (
            "a fraction of a budget",
            campaign(11, "budget = 1.5", &[&install]),
            "line_items[0].budget",
        ),
        ("a lower-case currency", replaced("\"USD\"", "\"usd\""), "line_items[0].currency"),
        ("no such currency", replaced("\"USD\"", "\"DOLLAR\""), "line_items[0].currency"),
        (
            "a cap of nobody",
            campaign(11, &format!("{AMPLE}\ncaps = {{ total = 0 }}"), &[&install]),
            "line_items[0].caps.total",
        ),
        (
            "an end before the start",
            campaign(
                11,
                &format!(
                    "{AMPLE}\nflight = {{ starts_at = \"2030-01-01T00:00:00Z\", ends_at = \"2029-01-01T00:00:00Z\" }}"
                ),
                &[&install],
            ),
            "line_items[0].flight.ends_at",
        ),
        (
            "a start without a zone",
            campaign(
                11,
                &format!("{AMPLE}\nflight = {{ starts_at = \"2030-01-01T00:00:00\" }}"),
                &[&install],
            ),
            "line_items[0].flight.starts_at",
        ),
    ];
    for (name, file, field) in cases {
        let fields = desk.refuses(name, &file).await;
        assert!(fields.iter().any(|one| one.starts_with(field)), "{name}: {fields:?}");
    }
    assert_eq!(desk.revision().await, before);
    // The other end of what is allowed: as many steps as there may be, and one that pays nothing.
    let unpaid = on_event("install", 0);
    let most = campaign(11, AMPLE, &[unpaid.as_str(); 40]);
    desk.client.send(&desk.apply(TOML, most)).await.expect(200);
    desk.node.finish();
}
