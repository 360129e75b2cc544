//! The advertisers' pages. A start page holds a link for each thing that its user may have done; the
//! link is the postback that the advertiser's partner would send.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use serde::Deserialize;

use super::Desk;
use crate::clock;
use crate::demo::folder::Keys;

/// Where postbacks go, and the tokens of those who send them.
pub(super) struct Tokens {
    server: SocketAddr,
    generic: String,
    appsflyer: String,
    adjust: String,
    /// Grows with each link, so that clicking a new one is a new event.
    next_event: AtomicU64,
}

impl Tokens {
    pub(super) fn new(server: SocketAddr, keys: &Keys) -> Self {
        Self {
            server,
            generic: keys.generic_token.clone(),
            appsflyer: keys.appsflyer_token.clone(),
            adjust: keys.adjust_token.clone(),
            // Event ids must not come again after a restart.
            next_event: AtomicU64::new(clock::now().0.unsigned_abs()),
        }
    }

    fn token(&self, partner: Partner) -> &str {
        match partner {
            Partner::Generic => &self.generic,
            Partner::AppsFlyer => &self.appsflyer,
            Partner::Adjust => &self.adjust,
        }
    }

    /// The postback that reports `event` for a click, as HTML holds it.
    fn postback(&self, partner: Partner, event: &str, click_id: &str) -> String {
        let click = match partner {
            Partner::AppsFlyer => "clickid",
            Partner::Generic | Partner::Adjust => "click_id",
        };
        let id = self.next_event.fetch_add(1, Ordering::Relaxed);
        let (server, token) = (self.server, self.token(partner));
        format!(
            "http://{server}/v1/postbacks/{token}?{click}={click_id}&amp;{event}&amp;event_id={id:x}"
        )
    }
}

/// Whose postback it is, which decides its token and the name of the click.
#[derive(Clone, Copy)]
enum Partner {
    Generic,
    AppsFlyer,
    Adjust,
}

/// A page that missions lead to.
struct Start {
    path: &'static str,
    title: &'static str,
    partner: Partner,
    /// What the user may do, and the fields by which the partner reports it.
    events: &'static [(&'static str, &'static str)],
}

const STARTS: &[Start] = &[
    Start {
        path: "kingdom-of-tiles",
        title: "Kingdom of Tiles",
        partner: Partner::Generic,
        events: &[
            ("install and open it", "event=install"),
            ("reach level 5", "event=level_5"),
            ("reach level 10", "event=level_10"),
            ("buy a crate", "event=purchase&amp;revenue=4.99&amp;currency=USD"),
        ],
    },
    Start {
        path: "tile-sprint",
        title: "Tile Sprint",
        partner: Partner::Generic,
        events: &[
            ("play a round", "event=round"),
            ("win", "event=win"),
            ("run the daily race", "event=daily_race"),
        ],
    },
    Start {
        path: "pocket-bank",
        title: "Pocket Bank",
        partner: Partner::AppsFlyer,
        events: &[("finish the sign-up", "event_name=af_complete_registration")],
    },
    Start {
        path: "pocket-card",
        title: "The Pocket card",
        partner: Partner::AppsFlyer,
        events: &[(
            "pay 15,000 won",
            "event_name=af_purchase&amp;event_revenue=15000&amp;event_revenue_currency=KRW",
        )],
    },
    Start {
        path: "wayfarer",
        title: "Wayfarer",
        partner: Partner::Adjust,
        events: &[("install it", "activity_kind=install"), ("book a night", "event=k7d2bq")],
    },
    Start {
        path: "wayfarer-letter",
        title: "Wayfarer's weekly letter",
        partner: Partner::Adjust,
        events: &[("confirm the subscription", "event=m4w9xz")],
    },
];

pub(super) fn router() -> Router<Arc<Desk>> {
    Router::new().route("/start/{name}", get(start)).route("/pages/{name}", get(page))
}

/// The click, under the name that the partner gives it.
#[derive(Deserialize)]
struct Click {
    #[serde(alias = "clickid")]
    click_id: Option<String>,
}

/// An advertiser's page, for the click that led to it.
async fn start(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    Query(click): Query<Click>,
) -> Result<Html<String>, StatusCode> {
    let start = STARTS.iter().find(|one| one.path == name).ok_or(StatusCode::NOT_FOUND)?;
    let click_id = click.click_id.unwrap_or_default();
    // Only what a click id can hold may reach the page.
    let is_safe = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_');
    if !click_id.chars().all(is_safe) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let links = start.events.iter().map(|(what, event)| {
        let postback = desk.tokens.postback(start.partner, event, &click_id);
        format!("<li><a href=\"{postback}\">{what}</a></li>")
    });
    Ok(document(
        start.title,
        &format!(
            "<p>This page stands for the advertiser. Pretend that you did one of these; the link is \
             what the advertiser's partner sends, and its answer is Guerdon's.</p><ul>{}</ul>\
             <p>Then go back to the mission page.</p>",
            links.collect::<String>()
        ),
    ))
}

/// A page that a mission asks to be looked at.
async fn page(Path(name): Path<String>) -> Result<Html<String>, StatusCode> {
    let (title, words) = match name.as_str() {
        "tilefolk" => ("Tilefolk", "Eleven people, two kilns and a great many tiles."),
        "history-of-tiles" => (
            "A short history of tiles",
            "The oldest tiles are of fired clay. They kept the rain out of houses in Mesopotamia \
             and China thousands of years ago, and they still do.",
        ),
        _ => return Err(StatusCode::NOT_FOUND),
    };
    Ok(document(title, &format!("<p>{words}</p><p>Stay a while, and go back.</p>")))
}

/// A page in plain HTML; what goes into it is ours.
fn document(title: &str, content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>body{{font:1rem/1.5 system-ui;max-width:36rem;margin:2rem auto;padding:0 1rem}}</style>\
         <h1>{title}</h1>{content}</html>"
    ))
}
