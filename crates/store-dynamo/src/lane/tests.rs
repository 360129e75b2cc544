//! Lanes of a store on a real server.

use domain::budget::Limits;
use domain::money::Micros;
use services::Dynamo;
use store::contract::sample::{self, Draft, NOW};
use store::{Budgets as _, Users as _};

use super::*;
use crate::{DynamoStore, Place, create};

/// How long an answer may take on a loaded machine, where all that is waited for are a few pauses.
const PATIENCE: Duration = Duration::from_secs(20);
/// A line item for each of the moves that a change may have.
const LINE_ITEMS: u32 = domain::change::MOVES_MAX as u32;

async fn place(server: &Dynamo) -> Place {
    let place = Place {
        table: "guerdon".to_owned(),
        endpoint: Some(server.endpoint()),
        region: Some("local".to_owned()),
        has_credentials: false,
    };
    create(&place, 1).await.unwrap();
    place
}

/// Two have asked for quiet on budgets that nobody else writes, so that what they have left there
/// stays: a lane that does not know the budgets yet reads all, heeds each of them once, and goes on.
#[tokio::test]
async fn a_lane_heeds_everybody_who_asks_and_goes_on() {
    let server = Dynamo::start().unwrap();
    let place = place(&server).await;
    let store = DynamoStore::open(&place).await.unwrap();
    let limits = Limits { total: Micros(100), ..Limits::default() };
    let user = sample::user("ann");
    let mut draft = Draft::of(&user, NOW);
    for line_item in (1..=LINE_ITEMS).map(LineItemId) {
        store.set_limits(line_item, limits, NOW).await.unwrap();
        let ask = ask_for_quiet(line_item, 0, u64::from(line_item.0 % 2));
        store.base.db.transact(Request::AskForQuiet, vec![ask]).await.unwrap();
        draft = draft.moving(domain::budget::BudgetMove { line_item, ..sample::hold(7) });
    }
    let other = DynamoStore::open(&place).await.unwrap();
    let answer = tokio::time::timeout(PATIENCE, other.commit(draft.change())).await;
    let outcome = answer.expect("the lane is quiet for ever").unwrap();
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
}
