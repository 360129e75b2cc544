//! The two hidden fields of every form.

/// Guards of all forms on one rendered page.
///
/// `seed` is fresh for each rendering; each form derives its own idempotency key from it, so two
/// taps on one button are one request, and two buttons are two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormGuard {
    /// Token from [`crate::csrf::token`].
    pub csrf: String,
    /// Unique per rendering, see [`FormGuard::new`].
    pub seed: String,
}

impl FormGuard {
    /// Makes the guards of a page from its session's token and fresh randomness.
    pub fn new(csrf: String, randomness: [u8; 16]) -> Self {
        let seed = randomness.iter().map(|b| format!("{b:02x}")).collect();
        Self { csrf, seed }
    }

    /// The idempotency key of the form with this purpose.
    pub(crate) fn key(&self, purpose: &str) -> String {
        format!("{}-{purpose}", self.seed)
    }

    /// The idempotency key of a form which belongs to one step.
    pub(crate) fn step_key(&self, purpose: &str, step_id: &u64) -> String {
        format!("{}-{purpose}-{step_id}", self.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_its_own_key() {
        let guard = FormGuard::new("t".to_owned(), [0xab; 16]);
        assert_eq!(guard.key("start"), format!("{}-start", "ab".repeat(16)));
        assert_ne!(guard.step_key("quiz", &1), guard.step_key("quiz", &2));
    }
}
