//! The stages of the ladder once more, in Rust on the tables of the Django application: what the
//! language gives, told apart from what the design gives.
//!
//! A program of its own, which the benchmark starts: axum, sqlx, serde, as a team would write it
//! that knows them. Each stage asks the same of its stores as Django's stage of that name, and
//! answers the same.

mod answer;
mod batched;
mod before;
mod catalog;
mod kv;
mod rows;
mod rules;
mod session;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use tokio::net::TcpListener;

use kv::Kv;
use session::{Calls, Database};
use state::StateStore;

/// How the list is got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    /// A statement for each thing.
    Before,
    /// A fixed number of statements.
    Orm,
    /// The catalogue in the process, the user in DynamoDB.
    Kv,
    /// The same with the user in Redis.
    KvRedis,
}

/// What the program is told.
#[derive(Args, Clone, Debug)]
pub(crate) struct RustServer {
    #[arg(long)]
    stage: Stage,
    #[arg(long)]
    listen: SocketAddr,
    /// The address of the database that Django has filled.
    #[arg(long)]
    database: String,
    /// The address of the Redis with the users.
    #[arg(long)]
    redis: String,
    /// The address of the DynamoDB with the users.
    #[arg(long)]
    dynamo: String,
    /// Say in a header of each answer what was asked of stores.
    #[arg(long)]
    count: bool,
}

/// Who asks for which user's missions.
struct Asker {
    api_key: String,
    unit_id: i64,
    user_id: String,
}

/// Why there is no list.
#[derive(Debug)]
enum Refused {
    /// The key is not the one of the unit's app.
    Key,
    /// There is no such user.
    User,
    /// A store failed.
    Store(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

/// What a stage answers: the JSON, and what it has asked for it.
type Listed = Result<(Vec<u8>, Calls), Refused>;

enum Way {
    Before(Database),
    Orm(Database),
    Kv(Kv),
}

struct App {
    way: Way,
    count: bool,
}

/// Serves until it is stopped.
pub(crate) async fn serve(wanted: &RustServer) -> Result<()> {
    let database = Database::open(&wanted.database)?;
    let way = match wanted.stage {
        Stage::Before => Way::Before(database),
        Stage::Orm => Way::Orm(database),
        Stage::Kv => Way::Kv(Kv::open(database, StateStore::dynamo(&wanted.dynamo)).await?),
        Stage::KvRedis => {
            Way::Kv(Kv::open(database, StateStore::redis(&wanted.redis).await?).await?)
        }
    };
    let app = Arc::new(App { way, count: wanted.count });
    let router = Router::new()
        .route("/v1/missions", get(list_missions))
        .route("/readyz", get(async || "ready"))
        .with_state(app);
    let listener = TcpListener::bind(wanted.listen).await?;
    axum::serve(listener, router).with_graceful_shutdown(told_to_stop()).await?;
    Ok(())
}

async fn told_to_stop() {
    let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    if let Ok(mut signal) = signal {
        signal.recv().await;
    }
}

#[derive(Deserialize)]
struct OnBehalf {
    user_id: String,
    unit_id: i64,
}

async fn list_missions(
    State(app): State<Arc<App>>,
    Query(OnBehalf { user_id, unit_id }): Query<OnBehalf>,
    headers: HeaderMap,
) -> Response {
    let key = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(key) = key.and_then(|value| value.strip_prefix("Bearer ")) else {
        return Refused::Key.into_response();
    };
    let asker = Asker { api_key: key.to_owned(), unit_id, user_id };
    let listed = match &app.way {
        Way::Before(database) => before::list(database, &asker, now_ms()).await,
        Way::Orm(database) => batched::list(database, &asker, now_ms()).await,
        Way::Kv(kv) => kv.list(&asker, now_ms()).await,
    };
    match listed {
        Ok((json, calls)) => {
            let mut response = ([(header::CONTENT_TYPE, "application/json")], json).into_response();
            if app.count {
                response.headers_mut().insert("x-queries", calls.header());
            }
            response
        }
        Err(refused) => refused.into_response(),
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Key => {
                (StatusCode::UNAUTHORIZED, "no app has this key and this unit").into_response()
            }
            Self::User => (StatusCode::NOT_FOUND, "no such user").into_response(),
            Self::Store(error) => {
                (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response()
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a server of the benchmark's own reads the clock")]
fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
