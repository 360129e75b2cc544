//! `GET /v1/wallet`: a user's points, and the entries that they are the sum of.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use engine::{Wallet, WalletLine};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Caller, OnBehalf};
use crate::extract::{Command, UserParams};
use crate::paging::{self, PageParams};
use crate::problem::Problem;
use crate::stamp::rfc3339;
use crate::state::Api;

/// Name of the list in its cursors.
const LIST: &str = "wallet";

pub(crate) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(read_wallet))
}

/// A user's points and a page of entries.
#[derive(Serialize, ToSchema)]
pub(crate) struct WalletDoc {
    /// Points that he can spend.
    balance: i64,
    /// Points on hold.
    pending: i64,
    /// Points that have reached the wallet in all and were not taken back; those on hold are
    /// `pending`.
    earned: i64,
    /// Entries, newest first.
    entries: Vec<EntryDoc>,
    /// Gives the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// One change of a user's points.
#[derive(Serialize, ToSchema)]
pub(crate) struct EntryDoc {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// The transaction.
    transaction_id: String,
    /// `grant`, `capture` (a hold has ended) or `reversal`.
    kind: &'static str,
    /// Change of the points that he can spend.
    amount: i64,
    /// Change of the points on hold.
    pending: i64,
    /// In which run.
    enrollment_id: String,
    /// Of which mission.
    mission_id: u32,
    /// Its name.
    mission_title: String,
    /// For which step.
    step_id: u32,
    /// Its name.
    step_title: String,
}

/// Read a user's wallet.
#[utoipa::path(
    get, path = "/v1/wallet", tag = "end user",
    security(("session" = []), ("app_key" = [])),
    params(OnBehalf, PageParams),
    responses((status = 200, body = WalletDoc)),
)]
async fn read_wallet(
    State(api): State<Arc<Api>>,
    Command(ctx): Command,
    Caller(viewer): Caller,
    UserParams(page): UserParams<PageParams>,
) -> Result<Json<WalletDoc>, Problem> {
    let (before, limit) = (page.after(LIST)?, page.limit()?);
    let wallet = api.engine().read_wallet(&ctx, &viewer, before, limit).await?;
    Ok(Json(WalletDoc::from(wallet)))
}

impl From<Wallet> for WalletDoc {
    fn from(wallet: Wallet) -> Self {
        Self {
            balance: wallet.balance.0,
            pending: wallet.pending.0,
            earned: wallet.earned.0,
            entries: wallet.lines.into_iter().map(EntryDoc::from).collect(),
            next_cursor: wallet.before.map(|before| paging::cursor(LIST, before)),
        }
    }
}

impl From<WalletLine> for EntryDoc {
    fn from(line: WalletLine) -> Self {
        Self {
            at: rfc3339(line.at),
            transaction_id: line.transaction.to_string(),
            kind: line.act.name(),
            amount: line.wallet.0,
            pending: line.pending.0,
            enrollment_id: line.enrollment.to_string(),
            mission_id: line.mission.0,
            mission_title: line.mission_title,
            step_id: line.step.0,
            step_title: line.step_title,
        }
    }
}
