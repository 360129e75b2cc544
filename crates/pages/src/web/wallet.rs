//! The wallet.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use engine::{EngineError, Seq};

use super::fault::Fault;
use super::shared::Shared;
use super::{Params, Visitor, reply};
use crate::present::{Scene, entries, not_counted};
use crate::view::WalletTab;
use crate::wallet::{ENTRIES_MAX, Wallet};

/// Most parts of the journal that are read until something of the tab is found. Whoever has a longer
/// stretch without finds the way on at the end of the page.
const PARTS_MAX: usize = 10;

/// Points, and where they come from.
pub(crate) async fn wallet(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Fault> {
    let tab = WalletTab::from_code(params.get("show").unwrap_or_default());
    let after = params.get("after").and_then(|cursor| cursor.parse().ok());
    let page = match tab {
        WalletTab::NotCounted => lost(&shared, &visitor, after).await,
        _ => booked(&shared, &visitor, tab, after).await,
    };
    match page {
        Ok(page) => Ok(reply::page(&visitor.asked, &page)),
        Err(error) => Err(Fault::of(&shared, &visitor, &error).await),
    }
}

/// What was booked, from the journal.
async fn booked(
    shared: &Shared,
    visitor: &Visitor,
    tab: WalletTab,
    mut before: Option<Seq>,
) -> Result<Wallet, EngineError> {
    let Visitor { viewer, asked, .. } = visitor;
    let mut read = shared.engine.read_wallet(&asked.ctx, viewer, before, ENTRIES_MAX).await?;
    let mut found = entries(&read.lines, tab);
    for _ in 1..PARTS_MAX {
        before = read.before;
        if !found.is_empty() || before.is_none() {
            break;
        }
        read = shared.engine.read_wallet(&asked.ctx, viewer, before, ENTRIES_MAX).await?;
        found = entries(&read.lines, tab);
    }
    Ok(Wallet {
        frame: crate::present::frame(visitor, &shared.engine.snapshot(), &read.profile),
        balance: read.balance.0,
        pending: read.pending.0,
        tab,
        entries: found,
        next: read.before.map(|seq| seq.to_string()),
    })
}

/// What can earn nothing any more, from the user's runs.
async fn lost(
    shared: &Shared,
    visitor: &Visitor,
    after: Option<u64>,
) -> Result<Wallet, EngineError> {
    let after = after.and_then(|place| usize::try_from(place).ok()).unwrap_or_default();
    let Visitor { viewer, asked, .. } = visitor;
    let listed = shared.engine.list_enrollments(&asked.ctx, viewer, after, ENTRIES_MAX);
    let (runs, loaded) = listed.await?;
    let snapshot = shared.engine.snapshot();
    let scene = Scene::new(visitor, &snapshot, &loaded.state.profile);
    let end = after.saturating_add(ENTRIES_MAX);
    Ok(Wallet {
        balance: loaded.state.balance.0,
        pending: loaded.state.pending.0,
        tab: WalletTab::NotCounted,
        entries: not_counted(&scene, &runs),
        next: (loaded.state.enrollments.len() > end).then(|| end.to_string()),
        frame: scene.frame,
    })
}
