//! Answers: what became of an event, why a wish was refused, and what an inquiry finds out.

/// What became of an inbound event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// It can never earn anything: forged, conflicting, refused by its own sender, unmatched.
    Rejected,
    /// It is genuine but earns nothing: no such step, too late, already paid in full.
    Ignored,
    /// It was decided before; the first answer stands.
    Duplicate,
    /// It is kept and waits: for an earlier step, for more events, or for budget.
    Parked,
    /// The reward is booked and waits for its release.
    Pending,
    /// The reward is paid.
    Rewarded,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 6] = [
        Self::Rejected,
        Self::Ignored,
        Self::Duplicate,
        Self::Parked,
        Self::Pending,
        Self::Rewarded,
    ];

    /// The name in answers and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Ignored => "ignored",
            Self::Duplicate => "duplicate",
            Self::Parked => "parked",
            Self::Pending => "pending",
            Self::Rewarded => "rewarded",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $sentence:literal;)*) => {
        /// Why an event got its [`Verdict`]. Each has a stable code and a plain sentence.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What happened and what can be done, in one sentence.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

reasons! {
    /// The step is done and paid.
    StepDone = "step_done", "The step is done and its reward is booked.";
    /// The step is done; the reward is on hold.
    OnHold = "on_hold", "The step is done; its reward is released when the hold ends.";
    /// The event counts towards a step that needs more.
    Counting = "counting", "The event counts; the step needs more of them.";
    /// An earlier step is missing.
    Early = "early", "An earlier step has not been done yet; the event is applied when it is.";
    /// The step's window has not been opened far enough by the step before it.
    OutsideWindow = "outside_window", "The event lies outside the step's own time window.";
    /// The line item's budget and grace budget are spent.
    AwaitingBudget = "awaiting_budget", "The budget has nothing left for it; it is applied when there is.";
    /// This very event was decided before.
    SeenBefore = "seen_before", "This event was received and decided before.";
    /// The same event id came with other content.
    EventConflict = "event_conflict", "The same event id was received before with other content.";
    /// No step of the mission has such an event.
    NoSuchStep = "no_such_step", "No step of the mission asks for this event.";
    /// Every occurrence of the step is paid.
    LimitReached = "limit_reached", "The step is already paid as often as it can be.";
    /// Every occurrence that one day allows is paid.
    DailyLimit = "daily_limit", "The step is already paid as often as one day allows.";
    /// The deadline and its grace are over.
    Late = "late", "The deadline and its grace period are over.";
    /// The event happened before the user started.
    BeforeParticipation = "before_participation", "The event happened before the user started the mission.";
    /// The enrollment was taken out of play.
    Voided = "voided", "The enrollment was voided.";
    /// The amount is missing or not usable.
    AmountMissing = "amount_missing", "The step adds up revenue, and the event carries no usable amount.";
    /// The amount is in another currency.
    CurrencyMismatch = "currency_mismatch", "The revenue is not in the line item's currency.";
    /// The partner itself refused the event.
    PartnerRejected = "partner_rejected", "The partner marked the event as refused.";
    /// No click of ours led to the event.
    Organic = "organic", "The partner marked the event as organic: no click led to it.";
    /// There is no click id.
    NoClick = "no_click", "The postback carries no click id.";
    /// The click id was not issued by us, or was altered.
    ForgedClick = "forged_click", "The click id was not issued here or was altered.";
    /// The click id belongs to an advertiser that this connection does not report for.
    OtherAdvertiser = "other_advertiser", "The click belongs to another advertiser than this connection.";
    /// There is no such enrollment.
    NoEnrollment = "no_enrollment", "No enrollment belongs to the click id.";
    /// A field cannot be read.
    BadField = "bad_field", "A field of the postback cannot be read.";
    /// The reward was taken back.
    Reversed = "reversed", "The reward was taken back.";
    /// The reversal came before its event.
    ReversalWaits = "reversal_waits", "The reversal is kept and applied when its event comes.";
    /// There is nothing to take back.
    NothingToReverse = "nothing_to_reverse", "The event earned nothing that could be taken back.";
    /// More events wait than one enrollment may hold.
    TooMany = "too_many_events", "The enrollment has received more events than it can keep.";
    /// The user has not stayed long enough.
    TooSoon = "too_soon", "The visit has not lasted long enough yet.";
    /// The user opened the page.
    VisitStarted = "visit_started", "The visit has begun; come back when it has lasted long enough.";
    /// The quiz answer is wrong.
    WrongAnswer = "wrong_answer", "The answer is not right.";
    /// No attempts are left.
    NoAttempts = "no_attempts", "No attempts are left.";
    /// The completion needs another kind of evidence.
    NotOurs = "not_verified_here", "The step is reported by the advertiser's partner, not by the user.";
    /// The step is not open yet.
    Locked = "locked", "An earlier step has to be done first.";
    /// The partner's signature is missing or wrong.
    BadSignature = "bad_signature", "The postback's signature is missing or wrong.";
    /// The run ended before the budget had anything left for the reward.
    BudgetSpent = "budget_spent", "The run ended before the budget had anything left for it.";
}

impl Reason {
    /// The reason of that code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

/// Why a participation was refused; each has a stable code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Refusal {
    /// The user is not among those whom the mission is for.
    NotEligible,
    /// The user has done it, or one for the same advertised app.
    AlreadyDone,
    /// No budget or participations are left, for now or for good.
    Exhausted,
    /// The line item is not running now.
    Closed,
    /// The user is blocked.
    Blocked,
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotEligible => "not_eligible",
            Self::AlreadyDone => "already_done",
            Self::Exhausted => "exhausted",
            Self::Closed => "closed",
            Self::Blocked => "blocked",
        }
    }

    /// What happened and what can be done, in one sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotEligible => {
                "The mission is not offered to this user; list the missions again."
            }
            Self::AlreadyDone => "The user has done this mission, or one for the same app, before.",
            Self::Exhausted => "The mission has no budget left for another participant right now.",
            Self::Closed => "The mission is not running right now.",
            Self::Blocked => "The user is blocked; an inquiry can be opened.",
        }
    }
}

/// What an inquiry finds out; each has a stable code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Finding {
    /// The reward is in the wallet.
    Paid,
    /// The reward is booked, and on hold.
    OnHold,
    /// A part of what the step needs has been counted.
    Counting,
    /// An earlier step has to be done first.
    WaitingForStep,
    /// The step is done, and the budget had nothing left for it.
    WaitingForBudget,
    /// Nothing has been reported yet, which can take a while.
    NotSeenYet,
    /// A step that is verified here has not been done.
    NotDone,
    /// Its time was over.
    TooLate,
    /// Something was reported that does not count.
    DidNotCount,
    /// The reward was taken back.
    TakenBack,
    /// The evidence cannot decide.
    NeedsSupport,
}

impl Finding {
    /// Every finding.
    pub const ALL: [Self; 11] = [
        Self::Paid,
        Self::OnHold,
        Self::Counting,
        Self::WaitingForStep,
        Self::WaitingForBudget,
        Self::NotSeenYet,
        Self::NotDone,
        Self::TooLate,
        Self::DidNotCount,
        Self::TakenBack,
        Self::NeedsSupport,
    ];

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::OnHold => "on_hold",
            Self::Counting => "counting",
            Self::WaitingForStep => "waiting_for_step",
            Self::WaitingForBudget => "waiting_for_budget",
            Self::NotSeenYet => "not_seen_yet",
            Self::NotDone => "not_done",
            Self::TooLate => "too_late",
            Self::DidNotCount => "did_not_count",
            Self::TakenBack => "taken_back",
            Self::NeedsSupport => "needs_support",
        }
    }

    /// Whether somebody has to look: the evidence cannot decide, or time alone does not help.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::WaitingForBudget | Self::NeedsSupport)
    }

    /// `open` or `answered`.
    #[must_use]
    pub fn status(self) -> &'static str {
        if self.is_open() { "open" } else { "answered" }
    }

    /// What was found and what can be done, in plain words.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Paid => "The step is done and its reward is in the wallet.",
            Self::OnHold => "The step is done; its reward reaches the wallet when the hold ends.",
            Self::Counting => "What was done counts; the step needs more of it.",
            Self::WaitingForStep => "Another step has to be done before this one counts.",
            Self::WaitingForBudget => {
                "The step is done; the advertiser's budget has nothing left for it right now."
            }
            Self::NotSeenYet => {
                "Nothing has been reported for the step yet, which can take a while; ask again then."
            }
            Self::NotDone => "The step has not been done yet; it counts as soon as it is.",
            Self::TooLate => "The time for the step was over before anything counted.",
            Self::DidNotCount => "What was done last for the step does not count.",
            Self::TakenBack => "The reward was booked, and later taken back by who reported it.",
            Self::NeedsSupport => "The records cannot decide this; somebody has to look at it.",
        }
    }
}
