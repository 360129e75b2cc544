//! When a delivery is tried again.
//!
//! The default ladder tries at 0 s, 5 s, 30 s, 2 min, 5 min, 15 min, 35 min, 1 h 35 m, 3 h 35 m, 7 h 35 m,
//! 15 h 35 m, 27 h 35 m, 51 h 35 m and 75 h 35 m: often while a restart or a deploy explains the failure,
//! rarely once only people can help, and long enough that a server down for three whole days gets every
//! reward when it returns. Then the delivery is parked and may be replayed. Jitter only lengthens a delay,
//! so 75 h 35 m is the shortest time to the last try; with the default jitter the longest is 83 h 8 m 30 s.

/// Longest wait taken from a `Retry-After`, in seconds: beyond a day the header is a mistake.
pub const RETRY_AFTER_MAX_S: u32 = 86_400;

/// Most retries of one plan: Tapjoy's four days of one every five minutes make 1,152.
pub const RETRIES_MAX: u32 = 2_000;

/// Largest jitter, in percent of a delay.
pub const JITTER_PERCENT_MAX: u8 = 100;

/// Sum of the default ladder, in seconds: 75 h 35 m.
pub const DEFAULT_REACH_S: u64 = 272_100;

/// The default ladder; the module's first paragraph says why.
pub const DEFAULT_LADDER: [RetryStep; 12] = [
    step(5, 1),
    step(25, 1),
    step(90, 1),
    step(180, 1),
    step(600, 1),
    step(1_200, 1),
    step(3_600, 1),
    step(7_200, 1),
    step(14_400, 1),
    step(28_800, 1),
    step(43_200, 1),
    step(86_400, 2),
];

const fn step(delay_s: u32, times: u16) -> RetryStep {
    RetryStep { delay_s, times }
}

/// The same delay so many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryStep {
    /// Delay after the attempt before, in seconds.
    pub delay_s: u32,
    /// How many retries follow that delay.
    pub times: u16,
}

/// The delays of a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPlan {
    /// Delays in order; after the last one the delivery is parked.
    pub steps: Vec<RetryStep>,
    /// How much longer a delay may get, in percent, so that a thousand deliveries do not return at once.
    pub jitter_percent: u8,
}

impl Default for RetryPlan {
    fn default() -> Self {
        RetryPlan { steps: DEFAULT_LADDER.to_vec(), jitter_percent: 10 }
    }
}

impl RetryPlan {
    /// A plan with these `(delay_s, times)` and the default jitter.
    pub fn of(steps: &[(u32, u16)]) -> Self {
        RetryPlan {
            steps: steps.iter().map(|(delay, times)| step(*delay, *times)).collect(),
            ..RetryPlan::default()
        }
    }

    /// Seconds to wait after `attempts` failed attempts (1 or more), or `None` when the plan is used up.
    ///
    /// `jitter_unit` is random: 0 adds nothing, 65,535 adds all of `jitter_percent`.
    pub fn next_delay(&self, attempts: u32, jitter_unit: u16) -> Option<u32> {
        self.next_delay_after(attempts, jitter_unit, None)
    }

    /// [`RetryPlan::next_delay`], but never before the server's `Retry-After` in seconds, of which at
    /// most [`RETRY_AFTER_MAX_S`] is respected. The number of attempts does not change.
    pub fn next_delay_after(
        &self,
        attempts: u32,
        jitter_unit: u16,
        retry_after_s: Option<u32>,
    ) -> Option<u32> {
        let asked = retry_after_s.unwrap_or(0).min(RETRY_AFTER_MAX_S);
        let base = u64::from(self.delay_s(attempts)?.max(asked));
        let percent = u64::from(self.jitter_percent.min(JITTER_PERCENT_MAX));
        let extra = base * percent * u64::from(jitter_unit) / (100 * u64::from(u16::MAX));
        Some(u32::try_from(base + extra).unwrap_or(u32::MAX))
    }

    /// Number of retries.
    pub fn retries(&self) -> u32 {
        self.steps.iter().map(|step| u32::from(step.times)).sum()
    }

    /// Seconds from the first attempt to the last without jitter: the shortest reach.
    pub fn reach_s(&self) -> u64 {
        self.steps.iter().map(|step| u64::from(step.delay_s) * u64::from(step.times)).sum()
    }

    /// Seconds from the first attempt to the last with all of the jitter: the longest reach.
    pub fn longest_reach_s(&self) -> u64 {
        let percent = u64::from(self.jitter_percent.min(JITTER_PERCENT_MAX));
        self.reach_s() * (100 + percent) / 100
    }

    /// The plain delay after `attempts` attempts.
    fn delay_s(&self, attempts: u32) -> Option<u32> {
        let mut left = attempts.saturating_sub(1);
        for step in &self.steps {
            if left < u32::from(step.times) {
                return Some(step.delay_s);
            }
            left -= u32::from(step.times);
        }
        None
    }
}
