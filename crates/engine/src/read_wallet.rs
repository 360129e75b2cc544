//! `read_wallet`: a user's points and the entries that they are the sum of.
//!
//! | step | store calls |
//! |---|---|
//! | load the user | 1 |
//! | pages of his records, until there are enough entries | 1 each, 25 at most |

use domain::catalog::{Creative, text_for};
use domain::change::Loaded;
use domain::ids::{Act, EnrollmentId, MissionId, StepId, TransactionId};
use domain::ledger::Transaction;
use domain::money::Points;
use domain::snapshot::Snapshot;
use domain::targeting::Profile;
use domain::time::Timestamp;
use domain::user::{Enrollment, PaidState};
use store::{Seq, Stored};

use crate::list_enrollments::LEDGER_PAGE;
use crate::list_missions::earned;
use crate::{Ctx, Engine, EngineError, Viewer};

/// Pages of a user's records that are looked through for one page of entries.
const PAGES_MAX: usize = 25;

/// A user's points and a page of entries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wallet {
    /// Points that he can spend.
    pub balance: Points,
    /// Points on hold.
    pub pending: Points,
    /// Points that have reached his wallet in all and were not taken back; [`Self::pending`] ones have
    /// not.
    pub earned: Points,
    /// What is known of him, for the language and the times of his entries.
    pub profile: Profile,
    /// Entries, newest first.
    pub lines: Vec<WalletLine>,
    /// Where the next page begins.
    pub before: Option<Seq>,
}

/// One change of a user's points.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WalletLine {
    /// When.
    pub at: Timestamp,
    /// The transaction.
    pub transaction: TransactionId,
    /// What it does.
    pub act: Act,
    /// In which run.
    pub enrollment: EnrollmentId,
    /// Of which mission.
    pub mission: MissionId,
    /// Its name in the user's language.
    pub mission_title: String,
    /// For which step.
    pub step: StepId,
    /// Its name in the user's language.
    pub step_title: String,
    /// Change of the points that he can spend.
    pub wallet: Points,
    /// Change of the points on hold.
    pub pending: Points,
    /// Where the reward stands now, whatever this line did to it.
    pub stands: Option<PaidState>,
}

impl Engine {
    /// The user's points, and the entries of the records before `before`: `limit` of them, and what
    /// else the last record has.
    ///
    /// # Errors
    /// [`EngineError::Store`] if the user cannot be loaded.
    pub async fn read_wallet(
        &self,
        ctx: &Ctx,
        viewer: &Viewer,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<Wallet, EngineError> {
        let snapshot = self.snapshot();
        let loaded = self.load_for(ctx, viewer).await?;
        let (mut lines, mut before) = (Vec::new(), before);
        // Events that booked nothing stand between the entries; they are passed over.
        for _ in 0..PAGES_MAX {
            let page = self.stores.state.ledger(viewer.user, before, LEDGER_PAGE);
            let page = ctx.metered("users.ledger", page).await?;
            let mut records = page.records.iter();
            for Stored { seq, record, .. } in records.by_ref() {
                let transactions = record.transactions.iter();
                lines.extend(transactions.map(|one| line(&snapshot, &loaded, one, record.at)));
                before = Some(*seq);
                if lines.len() >= limit {
                    break;
                }
            }
            if records.len() == 0 {
                before = page.before;
            }
            if before.is_none() || lines.len() >= limit {
                break;
            }
        }
        Ok(Wallet {
            balance: loaded.state.balance,
            pending: loaded.state.pending,
            earned: earned(&loaded),
            profile: loaded.state.profile,
            lines,
            before,
        })
    }
}

fn line(
    snapshot: &Snapshot,
    loaded: &Loaded,
    transaction: &Transaction,
    at: Timestamp,
) -> WalletLine {
    let run = loaded.state.run(transaction.enrollment);
    let mission = run.and_then(|run| snapshot.mission_version(run.mission, run.version));
    let language = loaded.state.profile.language.as_str();
    let creative = mission.and_then(|one| text_for(&one.creatives, language, Creative::language));
    let step = mission.and_then(|one| one.step(transaction.step));
    let text = step.and_then(|step| text_for(&step.texts, language, |text| &text.language));
    WalletLine {
        at,
        transaction: transaction.id,
        act: transaction.act,
        enrollment: transaction.enrollment,
        mission: run.map(|run| run.mission).unwrap_or_default(),
        mission_title: creative.map(|one| one.wording().title.to_owned()).unwrap_or_default(),
        step: transaction.step,
        step_title: text.map(|text| text.title.clone()).unwrap_or_default(),
        wallet: transaction.wallet_change(),
        pending: transaction.pending_change(),
        stands: run.and_then(|run| stands(run, transaction)),
    }
}

/// Occurrences are booked in order and never forgotten, so their number is their place.
fn stands(run: &Enrollment, transaction: &Transaction) -> Option<PaidState> {
    let place = usize::try_from(transaction.occurrence).ok()?;
    run.step(transaction.step)?.paid.get(place).map(|one| one.state)
}
