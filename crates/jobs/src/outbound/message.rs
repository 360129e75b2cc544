//! What is told about one reward, whatever the dialect.

use domain::ids::{AppId, LineItemId, MissionId, StepId, UnitId};
use domain::journal::MessageKind;
use domain::money::{Micros, Points};
use domain::time::Timestamp;

/// How many texts a publisher may pass through.
pub const CUSTOMS: usize = 5;

/// One reward or one reversal, with every value that a macro can name.
///
/// A text that is not known is empty. Sums are positive in a reversal too; the dialect decides
/// whether they are shown below zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewardMessage {
    /// Reward or reversal.
    pub kind: MessageKind,
    /// Id of the delivery, the same over all attempts.
    pub delivery_id: String,
    /// Id of the booking this message tells of: for a reversal, the reversal's own.
    pub transaction_id: String,
    /// Id of the reward: for a reward, the same as `transaction_id`.
    pub original_transaction_id: String,
    /// The publisher's own id of the user.
    pub user_id: String,
    /// The app.
    pub app_id: AppId,
    /// Name of the app.
    pub app_name: String,
    /// The unit in which the user started.
    pub unit_id: UnitId,
    /// Points in the app's minor unit.
    pub amount: Points,
    /// Name of the app's points.
    pub currency: String,
    /// What the advertiser owes.
    pub payout: Micros,
    /// ISO code of the payout.
    pub payout_currency: String,
    /// Who pays.
    pub line_item_id: LineItemId,
    /// The mission.
    pub mission_id: MissionId,
    /// Its title in the user's language.
    pub mission_title: String,
    /// Whether this step completed the mission.
    pub mission_completed: bool,
    /// The step.
    pub step_id: StepId,
    /// Its title in the user's language.
    pub step_title: String,
    /// The run.
    pub enrollment_id: String,
    /// Price model, for example `cpe`.
    pub revenue_type: String,
    /// When the event happened.
    pub occurred_at: Timestamp,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// Why the reward was taken back.
    pub reason: String,
    /// What the publisher passed when the session was made; the first is `custom`.
    pub custom: [Option<String>; CUSTOMS],
    /// Advertising id of the device.
    pub advertising_id: String,
    /// `android`, `ios` or `web`.
    pub platform: String,
    /// ISO code of the user's country.
    pub country: String,
    /// The user's address at participation.
    pub ip: String,
}

impl RewardMessage {
    /// Whether a reward is taken back.
    pub fn is_reversal(&self) -> bool {
        self.kind == MessageKind::Reversed
    }
}
