//! Opaque cursors: where the next page of a list begins.

use data_encoding::BASE64URL_NOPAD;

use crate::extract::Params;
use crate::problem::Problem;

/// Rows of a page unless the caller wants another number.
pub(crate) const PAGE_DEFAULT: usize = 50;
/// Most rows of a page.
pub(crate) const PAGE_MAX: usize = 200;

/// Name of the parameter of most lists that says where a page begins.
pub(crate) const CURSOR: &str = "cursor";

/// Which part of a list is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// Most rows, 1 to 200; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-]+$")]
    pub(crate) cursor: Option<String>,
}

impl PageParams {
    /// How many rows are wanted.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        limit(self.limit)
    }

    /// The place after which the page begins.
    pub(crate) fn after<T: std::str::FromStr>(&self, list: &str) -> Result<Option<T>, Problem> {
        after((CURSOR, self.cursor.as_deref()), list)
    }
}

/// How many rows are wanted.
pub(crate) fn limit(wish: Option<u32>) -> Result<usize, Problem> {
    match wish {
        None => Ok(PAGE_DEFAULT),
        Some(limit) if (1..=PAGE_MAX).contains(&(limit as usize)) => Ok(limit as usize),
        Some(_) => Err(Params::<()>::bad("limit", format!("must be from 1 to {PAGE_MAX}"))),
    }
}

/// The place in a cursor of that list, which a parameter of that name has brought.
pub(crate) fn after<T: std::str::FromStr>(
    (name, cursor): (&str, Option<&str>),
    list: &str,
) -> Result<Option<T>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let place = || {
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        text.strip_prefix(list)?.strip_prefix(':')?.parse().ok()
    };
    let unknown = || Params::<()>::bad(name, "is not one that this list has given");
    place().map(Some).ok_or_else(unknown)
}

/// The cursor after a place of a list.
pub(crate) fn cursor(list: &str, place: impl std::fmt::Display) -> String {
    BASE64URL_NOPAD.encode(format!("{list}:{place}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_belong_to_one_list() {
        let written = cursor("wallet", 42);
        assert_eq!(after::<u64>((CURSOR, Some(&written)), "wallet").ok(), Some(Some(42)));
        for (text, list) in [(written.as_str(), "runs"), ("", "wallet"), ("%%", "wallet")] {
            assert!(after::<u64>((CURSOR, Some(text)), list).is_err(), "{text} {list}");
        }
        let no_number = cursor("wallet", "x");
        let refused = after::<u64>(("after", Some(&no_number)), "wallet").unwrap_err();
        assert_eq!(refused.errors[0].field, "after");
    }

    #[test]
    fn limits_have_a_range() {
        assert_eq!(limit(None).ok(), Some(PAGE_DEFAULT));
        assert_eq!(limit(Some(200)).ok(), Some(200));
        assert!(limit(Some(0)).is_err() && limit(Some(201)).is_err());
    }
}
