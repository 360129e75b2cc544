//! Which answers of a publisher's server mean what.

use super::Template;

/// The answers that mean "credited". An answer that says "I have this one already" is one of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SuccessTest {
    /// It is enough that one of these fits.
    pub any_of: Vec<Answer>,
}

/// One kind of answer: a status and what the body must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Statuses.
    pub statuses: StatusSet,
    /// What the body must say.
    pub body: BodyTest,
}

/// What a body must say. White space around the body and around the expected text does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyTest {
    /// Anything; the body need not even arrive.
    Any,
    /// Exactly this text.
    Equals(Template),
    /// This text somewhere.
    Contains(Template),
    /// A JSON body whose member at `path` is `value`. Strings, numbers and booleans are compared by
    /// their text, so `200` and `"200"` are the same.
    JsonEquals {
        /// Member names from the outermost object inwards; a number picks from an array.
        path: Vec<String>,
        /// Expected text.
        value: String,
    },
}

impl SuccessTest {
    /// Any of `statuses`, whatever the body says.
    pub fn status(statuses: StatusSet) -> Self {
        SuccessTest { any_of: vec![Answer { statuses, body: BodyTest::Any }] }
    }

    /// Status 200 and `body`.
    pub fn ok_and(body: BodyTest) -> Self {
        SuccessTest::default().or(200, body)
    }

    /// This test, or `status` with `body`.
    pub fn or(mut self, status: u16, body: BodyTest) -> Self {
        self.any_of.push(Answer { statuses: StatusSet::of(&[status]), body });
        self
    }
}

impl BodyTest {
    /// The member `name` of a JSON object is `value`.
    pub fn member(name: &str, value: &str) -> Self {
        BodyTest::JsonEquals { path: vec![name.to_owned()], value: value.to_owned() }
    }
}

/// A set of HTTP statuses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatusSet {
    /// The ranges; they may overlap.
    pub ranges: Vec<StatusRange>,
}

/// Statuses from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRange {
    /// Lowest status, 100 to 599.
    pub first: u16,
    /// Highest status, 100 to 599.
    pub last: u16,
}

impl StatusSet {
    /// Exactly these statuses.
    pub fn of(statuses: &[u16]) -> Self {
        StatusSet { ranges: statuses.iter().map(|s| StatusRange { first: *s, last: *s }).collect() }
    }

    /// All statuses from `first` to `last`, both included.
    pub fn range(first: u16, last: u16) -> Self {
        StatusSet { ranges: vec![StatusRange { first, last }] }
    }

    /// Whether `status` is one of them.
    pub fn contains(&self, status: u16) -> bool {
        self.ranges.iter().any(|range| (range.first..=range.last).contains(&status))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ranges.iter().all(|range| range.first > range.last)
    }

    /// Whether some status is in both sets.
    pub fn overlaps(&self, other: &StatusSet) -> bool {
        (100..600).any(|status| self.contains(status) && other.contains(status))
    }
}
