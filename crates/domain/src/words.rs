//! How figures read in sentences for people.

use std::fmt::Display;

/// A number of things, such as `1 attempt` or `2 attempts`.
#[must_use]
pub fn counted<N: Display + PartialEq + From<u8>>(number: N, thing: &str) -> String {
    let ending = if number == N::from(1) { "" } else { "s" };
    format!("{number} {thing}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_not_several() {
        assert_eq!(counted(0, "run"), "0 runs");
        assert_eq!(counted(1_u32, "run"), "1 run");
        assert_eq!(counted(2_usize, "run"), "2 runs");
    }
}
