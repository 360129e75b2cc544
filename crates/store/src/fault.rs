//! Injects faults into a state store by a plan that the test gives, so a failing run can be repeated.

use std::sync::Arc;

use crate::StateStore;
use crate::tap::{Calls, Method, Tap, Tapped};

/// What goes wrong with a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// The call is not made: [`crate::StoreError::Unavailable`].
    Unavailable,
    /// The call is made and its answer is lost: [`crate::StoreError::Unknown`].
    UnknownApplied,
    /// The call is lost on its way: [`crate::StoreError::Unknown`].
    UnknownNotApplied,
    /// Somebody else was faster: a commit answers `Stale` and a settlement `Fenced` without being
    /// made. Other methods have no such answer and are called as usual.
    Stale,
}

/// Which call fails how: the method, and which of its calls, from 1.
type Plan = Box<dyn Fn(Method, u64) -> Option<Fault> + Send + Sync>;

/// A tap that follows a plan.
pub struct Script {
    calls: Calls,
    plan: Plan,
}

impl Tap for Script {
    fn heard(&self, method: Method) -> Option<Fault> {
        let nth = self.calls.count(method);
        (self.plan)(method, nth)
    }
}

/// A state store whose calls fail by plan.
pub type FaultyStore = Tapped<Script>;

impl Tapped<Script> {
    /// Lets exactly the listed calls fail: the method, which of its calls (from 1), and how.
    #[must_use]
    pub fn scripted(inner: Arc<dyn StateStore>, script: &[(Method, u64, Fault)]) -> Self {
        let script = script.to_vec();
        Self::planned(inner, move |method, nth| {
            let line = script.iter().find(|line| (line.0, line.1) == (method, nth));
            line.map(|line| line.2)
        })
    }

    /// Asks `plan` about every call. It has to be a function of its arguments and of a seed, or
    /// runs are not repeatable.
    #[must_use]
    pub fn planned(
        inner: Arc<dyn StateStore>,
        plan: impl Fn(Method, u64) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self::with(inner, Script { calls: Calls::default(), plan: Box::new(plan) })
    }

    /// The calls so far, failed ones included.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.tap.calls
    }
}
