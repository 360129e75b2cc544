//! What is told about one reward, whatever the dialect.

use domain::catalog::{App, Catalog};
use domain::journal::{Message, MessageKind};
use domain::money::CurrencyCode;

/// One reward or one reversal: the committed message, and what the catalogue calls the app, its
/// points and the money.
///
/// Sums are positive in a reversal too; the dialect decides whether they are shown below zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RewardMessage<'a> {
    /// What was committed; the same over all attempts.
    pub(crate) told: &'a Message,
    /// Name of the app.
    pub(crate) app_name: &'a str,
    /// Name of the app's points.
    pub(crate) points_name: &'a str,
    /// Currency of the payout; `None` if the line item is gone.
    pub(crate) payout_currency: Option<CurrencyCode>,
}

impl<'a> RewardMessage<'a> {
    /// The message to the server of `app`.
    pub(crate) fn of(told: &'a Message, app: &'a App, catalog: &Catalog) -> Self {
        RewardMessage {
            told,
            app_name: &app.name,
            points_name: &app.currency.name,
            payout_currency: catalog.any_line_item(told.line_item).map(|item| item.currency),
        }
    }

    /// Whether a reward is taken back.
    pub(crate) fn is_reversal(&self) -> bool {
        self.told.kind == MessageKind::Reversed
    }
}
