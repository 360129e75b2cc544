//! `Transfer`: a run that another has taken over changes nothing any more.

use super::check::{advance, all};
use super::sample::{self, Draft, NOW};
use super::transfer::{ALL, Busy, everything, let_others_run, turn};
use super::{Checked, Failure, MoveFixture, Running};
use crate::{BudgetRow, Claimed, Movable, Phase, RunNumber, StoreError, Stored, UserRow};

/// Runs that take a store over at once.
const RIVALS: usize = 8;

/// Each run has a higher number than those before and is told the phase; also after a restart.
pub async fn transfer_take_over_tells_the_phase(fixture: &dyn MoveFixture) -> Checked {
    let mut store = fixture.fresh().await?;
    let mut latest = RunNumber::default();
    let phases = [
        Phase::Live,
        Phase::Watched,
        Phase::Moved("to the moon".to_owned()),
        Phase::Filling,
        Phase::Live,
    ];
    for phase in phases {
        let (run, _) = store.transfer.take_over().await?;
        ensure!(run > latest, "{run:?} comes after {latest:?}");
        store.transfer.set_phase(run, phase.clone()).await?;
        let (next, found) = store.transfer.take_over().await?;
        ensure!(next > run, "{next:?} comes after {run:?}");
        ensure_eq!(found, phase, "the phase that the next run was told");
        latest = next;
        let Some(reopened) = fixture.reopen(store).await? else { return Ok(()) };
        store = reopened;
    }
    store.transfer.set_phase(latest, Phase::Watched).await?;
    Ok(())
}

/// Of runs that take a store over at the same time each has a number of its own, and one has it.
pub async fn transfer_take_over_race_has_one_winner(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let rivals = (0..RIVALS).map(|_| store.transfer.take_over());
    let mut runs = Vec::new();
    for taken in all(rivals).await {
        match taken {
            Ok((run, _)) => runs.push(run),
            // By another one while it was at it.
            Err(StoreError::TakenOver) => {}
            Err(error) => return Err(error.into()),
        }
    }
    ensure!(!runs.is_empty(), "nobody has the store");
    runs.sort_unstable();
    ensure!(runs.windows(2).all(|pair| pair[0] < pair[1]), "their numbers are {runs:?}");
    let mut winners = Vec::new();
    for run in &runs {
        if store.transfer.set_phase(*run, Phase::Watched).await.is_ok() {
            winners.push(*run);
        }
    }
    ensure_eq!(winners, runs[runs.len() - 1..], "those that have the store");
    Ok(())
}

/// A run that was taken over changes no phase, forgets no notes, and is told none.
pub async fn transfer_take_over_ends_the_run_before(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let old = turn(&store, Phase::Watched).await?;
    let (new, _) = store.transfer.take_over().await?;
    store.transfer.set_phase(new, Phase::Watched).await?;
    let ann = sample::user("ann");
    advance(&*store.state, &ann, Draft::of(&ann, NOW).grant(1).change()).await?;
    let phases =
        [Phase::Live, Phase::Watched, Phase::Moved("to the moon".to_owned()), Phase::Filling];
    for phase in phases {
        let refused = store.transfer.set_phase(old, phase.clone()).await;
        is_taken_over("a change of the phase", &refused)?;
        ensure_eq!(store.transfer.phase().await?, Phase::Watched, "the phase after {phase:?}");
    }
    is_taken_over("a look at the notes", &store.transfer.touched(old, 0, ALL).await)?;
    let noted = store.transfer.touched(new, 0, ALL).await?.0;
    ensure_eq!(noted, [ann.state.key()], "the notes of the run that has the store");
    // Commits go on, and so does the run that has the store.
    advance(&*store.state, &sample::user("bob"), sample::profile(&sample::user("bob"), 3)).await?;
    store.transfer.set_phase(new, Phase::Live).await?;
    Ok(())
}

/// A run that was taken over puts nothing, whether the next one still fills the store or not.
pub async fn transfer_take_over_refuses_what_the_run_before_puts(
    fixture: &dyn MoveFixture,
) -> Checked {
    let from = fixture.fresh().await?;
    let busy = Busy::on(&from).await?;
    let to = fixture.fresh().await?;
    let old = turn(&to, Phase::Filling).await?;
    to.transfer.put_records(old, from.state.read(0, ALL).await?).await?;
    to.transfer.put_users(old, from.transfer.users(None, ALL).await?).await?;
    to.transfer.put_budgets(old, from.transfer.budget_rows().await?).await?;
    to.transfer.put_deliveries(old, from.transfer.delivery_rows(None, ALL).await?).await?;
    let (new, _) = to.transfer.take_over().await?;
    for phase in [Phase::Filling, Phase::Live] {
        to.transfer.set_phase(new, phase.clone()).await?;
        let before = everything(&to, &busy).await?;
        for (what, refused) in puts(&to, &from, old).await? {
            is_taken_over(&format!("{what}, {phase:?}"), &refused)?;
        }
        ensure_eq!(everything(&to, &busy).await?, before, "the store, {phase:?}");
    }
    Ok(())
}

/// What the run before has under way arrives before the store is taken over, or never.
pub async fn transfer_take_over_waits_for_what_is_under_way(fixture: &dyn MoveFixture) -> Checked {
    let from = fixture.fresh().await?;
    Busy::on(&from).await?;
    for number in 0..CROWD {
        let user = sample::user(&format!("user {number}"));
        advance(&*from.state, &user, sample::profile(&user, 30)).await?;
    }
    let to = fixture.fresh().await?;
    let run = turn(&to, Phase::Filling).await?;
    to.transfer.put_records(run, from.state.read(0, ALL).await?).await?;
    let putter = Box::pin(put_until_taken_over(&from, &to, run)) as Looking<'_>;
    let taker = async {
        while to.transfer.users(None, 1).await?.is_empty() {
            let_others_run().await;
        }
        to.transfer.take_over().await?;
        Ok(Some(rows_of(&to).await?))
    };
    let mut seen = None;
    for ended in all([putter, Box::pin(taker) as Looking<'_>]).await {
        seen = ended?.or(seen);
    }
    ensure_eq!(Some(rows_of(&to).await?), seen, "what the run before had put");
    Ok(())
}

/// Users who are put at once.
const CROWD: u32 = 60;

/// What a run puts that is changed later.
type Rows = (Vec<UserRow>, Vec<BudgetRow>, Vec<Claimed>);

/// What is seen at the end of a future, if it looks.
type Looking<'a> =
    std::pin::Pin<Box<dyn Future<Output = Result<Option<Rows>, Failure>> + Send + 'a>>;

async fn rows_of(store: &Movable) -> Result<Rows, Failure> {
    let store = &*store.transfer;
    Ok((
        store.users(None, ALL).await?,
        store.budget_rows().await?,
        store.delivery_rows(None, ALL).await?,
    ))
}

/// Puts everything again and again, a little different each time.
async fn put_until_taken_over(
    from: &Movable,
    to: &Movable,
    run: RunNumber,
) -> Result<Option<Rows>, Failure> {
    let (mut users, mut budgets, mut deliveries) = rows_of(from).await?;
    loop {
        users.iter_mut().for_each(|row| row.loaded.state.balance.0 += 1);
        budgets.iter_mut().for_each(|row| row.total.booked.0 += 1);
        deliveries.iter_mut().for_each(|row| row.fence += 1);
        let to = &*to.transfer;
        let puts: [Running<'_>; 3] = [
            Box::pin(async { Ok(to.put_users(run, users.clone()).await?) }),
            Box::pin(async { Ok(to.put_budgets(run, budgets.clone()).await?) }),
            Box::pin(async { Ok(to.put_deliveries(run, deliveries.clone()).await?) }),
        ];
        for done in all(puts).await {
            match done {
                Ok(()) => {}
                Err(refusal) if refusal == StoreError::TakenOver.into() => return Ok(None),
                Err(failure) => return Err(failure),
            }
        }
        let_others_run().await;
    }
}

/// Puts something else than what is there, of every sort, and says what became of it.
async fn puts(
    to: &Movable,
    from: &Movable,
    run: RunNumber,
) -> Result<[(&'static str, Result<(), StoreError>); 5], Failure> {
    let to = &*to.transfer;
    let mut users = from.transfer.users(None, ALL).await?;
    users.iter_mut().for_each(|row| row.loaded.state.balance.0 += 1);
    let mut budgets = from.transfer.budget_rows().await?;
    budgets.iter_mut().for_each(|row| row.total.booked.0 += 1);
    let mut deliveries = from.transfer.delivery_rows(None, ALL).await?;
    deliveries.iter_mut().for_each(|row| row.fence += 1);
    let mut records: Vec<Stored> = from.state.read(0, 1).await?;
    let head = from.state.head().await?;
    records.iter_mut().for_each(|stored| stored.seq = head + 1);
    Ok([
        ("an order", to.put_order(run, false).await),
        ("users", to.put_users(run, users).await),
        ("records", to.put_records(run, records).await),
        ("budgets", to.put_budgets(run, budgets).await),
        ("deliveries", to.put_deliveries(run, deliveries).await),
    ])
}

fn is_taken_over<T: std::fmt::Debug>(what: &str, answer: &Result<T, StoreError>) -> Checked {
    ensure!(matches!(answer, Err(StoreError::TakenOver)), "{what} by the run before: {answer:?}");
    Ok(())
}
