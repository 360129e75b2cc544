//! The names of what background work measures. Names and labels are fixed: dashboards use them.

/// Declares [`Metric`] with one documented line for each name.
macro_rules! metrics_named {
    ($($(#[doc = $doc:literal])+ $variant:ident = $kind:ident $name:literal,)+) => {
        /// One figure of background work.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Metric { $($(#[doc = $doc])+ $variant,)+ }

        impl Metric {
            /// The name under which it is published.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Metric::$variant => $name),+ }
            }
        }

        /// Tells the collector what each figure is.
        pub(crate) fn describe() {
            $(metrics::$kind!($name, concat!($($doc),+).trim());)+
        }
    };
}

metrics_named! {
    /// Attempts to tell a publisher's server of a reward, by `outcome` (`delivered`, `retrying`, `stopped`, `parked`, `fenced`, `unsettled`) and `reason`.
    Attempts = describe_counter "guerdon_delivery_attempts_total",
    /// Time of one attempt, in seconds.
    AttemptTime = describe_histogram "guerdon_delivery_attempt_seconds",
    /// Time from the booking of a reward to the first attempt to tell of it, in seconds.
    FirstAttempt = describe_histogram "guerdon_delivery_first_attempt_seconds",
    /// Attempts that are under way on this node.
    InFlight = describe_gauge "guerdon_delivery_in_flight",
    /// Deliveries in each `state`.
    Deliveries = describe_gauge "guerdon_deliveries",
    /// Users whose holds and deadlines were looked after.
    Swept = describe_counter "guerdon_swept_users_total",
    /// Records of the journal that were added to reports.
    Reported = describe_counter "guerdon_reported_records_total",
    /// Failures of background work, by `job`.
    JobFailures = describe_counter "guerdon_job_failures_total",
}
