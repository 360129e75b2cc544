//! The values a template may name.

/// Declares [`Macro`] with one documented line per value.
macro_rules! macros {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A value that a template may name as `{name}`.
        ///
        /// A value that a message does not have is the empty text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Macro { $($(#[doc = $doc])+ $variant,)+ }

        impl Macro {
            /// Every macro, in the order of the documentation.
            pub const ALL: &[Macro] = &[$(Macro::$variant),+];

            /// The name as written between braces.
            pub fn name(self) -> &'static str {
                match self { $(Macro::$variant => $name),+ }
            }

            /// One or more sentences on what the value is.
            pub fn doc(self) -> &'static str {
                match self { $(Macro::$variant => concat!($($doc),+)),+ }
            }
        }
    };
}

macros! {
    /// The endpoint's own URL with its macros filled in; only in a dialect's `url`.
    EndpointUrl = "endpoint_url",
    /// Id of the delivery, the same over all attempts.
    DeliveryId = "delivery_id",
    /// Id to credit by; what a reversal shows here is decided by the reversal style.
    TransactionId = "transaction_id",
    /// Id of the reward, also in a reversal.
    OriginalTransactionId = "original_transaction_id",
    /// The publisher's own id of the user.
    UserId = "user_id",
    /// Id of the app, a number.
    AppId = "app_id",
    /// Name of the app.
    AppName = "app_name",
    /// Id of the unit, a number.
    UnitId = "unit_id",
    /// Points in the app's minor unit, a whole number; negative in reversals where the style says so.
    Amount = "amount",
    /// Name of the app's points.
    Currency = "currency",
    /// What the advertiser owes, in major units with a decimal point and at least two decimals.
    Payout = "payout",
    /// What the advertiser owes, in millionths of a major unit.
    PayoutMicros = "payout_micros",
    /// ISO code of the payout's currency.
    PayoutCurrency = "payout_currency",
    /// Id of the mission, a number.
    MissionId = "mission_id",
    /// Title of the mission.
    MissionTitle = "mission_title",
    /// 1 when this step completed the mission, else 0.
    MissionCompleted = "mission_completed",
    /// Id of the line item, a number.
    LineItemId = "line_item_id",
    /// Id of the step, a number.
    StepId = "step_id",
    /// Title of the step.
    StepTitle = "step_title",
    /// Id of the enrollment.
    EnrollmentId = "enrollment_id",
    /// Price model, for example `cpe`.
    RevenueType = "revenue_type",
    /// When the reward was booked, in unix seconds.
    EventAt = "event_at",
    /// When the reward was booked, in unix milliseconds.
    EventAtMs = "event_at_ms",
    /// When the reward was booked, in RFC 3339, UTC.
    EventAtRfc3339 = "event_at_rfc3339",
    /// When the reward was booked, as `YYYY-MM-DD HH:MM:SS`, UTC.
    EventAtDatetime = "event_at_datetime",
    /// When the reward was booked, as `YYYYMMDDHHMM`, UTC.
    EventAtMinute = "event_at_minute",
    /// When the event behind the reward happened, in RFC 3339, UTC.
    OccurredAt = "occurred_at",
    /// `reward.granted` or `reward.reversed`.
    EventType = "event_type",
    /// 1 for a reversal, 0 for a reward. `{is_reversal?A:B}` writes A for a reversal and B for a reward.
    IsReversal = "is_reversal",
    /// Why a reward was taken back; empty for a reward.
    Reason = "reason",
    /// What the publisher passed when the session was made.
    Custom = "custom",
    /// Second value passed by the publisher.
    Custom2 = "custom_2",
    /// Third value passed by the publisher.
    Custom3 = "custom_3",
    /// Fourth value passed by the publisher.
    Custom4 = "custom_4",
    /// Fifth value passed by the publisher.
    Custom5 = "custom_5",
    /// Advertising id of the device.
    AdvertisingId = "advertising_id",
    /// `android`, `ios` or `web`.
    Platform = "platform",
    /// 1 for Android, 2 for iOS, 0 for anything else.
    PlatformCode = "platform_code",
    /// ISO code of the user's country.
    Country = "country",
    /// The user's IP address at participation.
    Ip = "ip",
    /// Time of the attempt in unix seconds; changes with every attempt, so never in a body.
    Timestamp = "timestamp",
    /// The endpoint's secret; only in headers and signatures.
    Secret = "secret",
    /// The signature; only where the signature's place says so.
    Signature = "signature",
}

impl Macro {
    /// The macro of that name.
    pub fn from_name(name: &str) -> Option<Macro> {
        Macro::ALL.iter().copied().find(|m| m.name() == name)
    }

    /// Up to three known names that look like `name`, nearest first.
    pub(super) fn suggestions(name: &str) -> Vec<&'static str> {
        let name = name.to_ascii_lowercase();
        let mut near: Vec<(usize, &'static str)> = Macro::ALL
            .iter()
            .map(|m| (distance(&name, m.name()), m.name()))
            .filter(|(far, known)| *far * 2 <= known.len() || known.contains(name.as_str()))
            .collect();
        near.sort();
        near.truncate(3);
        near.into_iter().map(|(_, known)| known).collect()
    }
}

/// Number of single-character edits between two names.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
