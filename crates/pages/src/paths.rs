//! Every path of the mission page, in one place: the router and the templates use the same names.
//!
//! All pages of a user lie below one root. It is `/m` where the browser keeps our cookie, and
//! `/m/u/<session token>` where it does not, such as in another site's frame (see `web::session`).

use crate::view::{Kind, WalletTab};

/// Root of everything here but [`ICON`], and of a user's pages where his cookie says who he is.
pub const ROOT: &str = "/m";
/// Router pattern of the root of a user's pages where the address says who he is.
pub const TOKEN_ROOT: &str = "/m/u/{token}";
/// Router pattern of the address that opens a session.
pub const SESSION: &str = "/m/s/{token}";
/// Router pattern of the stylesheet; `{name}` is `<hash>.css`.
pub const ASSET: &str = "/m/assets/{name}";
/// Router pattern of a theme's stylesheet; `{name}` is `<rrggbb>-<radius>.css`.
pub const THEME: &str = "/m/theme/{name}";
/// Where browsers look for an icon unasked, outside of the root.
pub const ICON: &str = "/favicon.ico";
/// Router pattern of everything else below the root.
pub const REST: &str = "/m/{*rest}";

/// Below a root: the wallet. `?show=` picks a tab, `?after=` continues it. The root itself is the
/// list of missions; `?kind=` narrows it, `?after=` continues it.
pub const WALLET: &str = "/wallet";
/// Below a root: one mission; `?n=` carries a [`crate::view::Flash`].
pub const MISSION: &str = "/missions/{id}";
/// Below a root: the form which starts a mission.
pub const START: &str = "/missions/{id}/start";
/// Below a root: the form which starts the dwell time of a visit.
pub const VISIT: &str = "/missions/{id}/steps/{step_id}/visit";
/// Below a root: the forms which finish a step that we verify.
pub const COMPLETE: &str = "/missions/{id}/steps/{step_id}/complete";

/// The address that opens a user's page: what `page_url` ends with.
#[must_use]
pub fn session_path(token: &str) -> String {
    format!("/m/s/{}", query_value(token))
}

/// The links of one user's pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    root: String,
}

impl Default for Links {
    fn default() -> Self {
        Self { root: ROOT.to_owned() }
    }
}

impl Links {
    /// Links that carry the session token.
    pub fn with_token(token: &str) -> Self {
        Self { root: format!("/m/u/{}", query_value(token)) }
    }

    /// The list.
    pub fn list(&self) -> String {
        self.root.clone()
    }

    /// The wallet.
    pub fn wallet(&self) -> String {
        format!("{}{WALLET}", self.root)
    }

    /// The page of one mission.
    pub fn mission(&self, id: &u64) -> String {
        format!("{}/missions/{id}", self.root)
    }

    /// Where the start form posts to.
    pub fn start(&self, id: &u64) -> String {
        format!("{}/missions/{id}/start", self.root)
    }

    /// Where the form which starts a visit posts to.
    pub fn visit(&self, id: &u64, step_id: &u64) -> String {
        format!("{}/missions/{id}/steps/{step_id}/visit", self.root)
    }

    /// Where the form which finishes a step posts to.
    pub fn complete(&self, id: &u64, step_id: &u64) -> String {
        format!("{}/missions/{id}/steps/{step_id}/complete", self.root)
    }

    /// The list narrowed to one kind.
    pub fn list_of(&self, kind: &Kind) -> String {
        format!("{}?kind={}", self.root, kind.code())
    }

    /// The next part of the list.
    pub fn list_after(&self, kind: Option<Kind>, cursor: &str) -> String {
        let after = query_value(cursor);
        match kind {
            Some(kind) => format!("{}&after={after}", self.list_of(&kind)),
            None => format!("{}?after={after}", self.root),
        }
    }

    /// One tab of the wallet.
    pub fn wallet_of(&self, tab: &WalletTab) -> String {
        match tab {
            WalletTab::All => self.wallet(),
            other => format!("{}?show={}", self.wallet(), other.code()),
        }
    }

    /// The next part of a tab of the wallet.
    pub fn wallet_after(&self, tab: WalletTab, cursor: &str) -> String {
        format!("{}?show={}&after={}", self.wallet(), tab.code(), query_value(cursor))
    }
}

/// Percent-encodes everything but the characters that are never special.
fn query_value(raw: &str) -> String {
    let mut value = String::with_capacity(raw.len());
    for byte in raw.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            value.push_str(&format!("%{byte:02X}"));
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_cannot_add_parameters() {
        let links = Links::default();
        assert_eq!(
            links.list_after(Some(Kind::Quiz), "a&kind=b#c"),
            "/m?kind=quiz&after=a%26kind%3Db%23c"
        );
        assert_eq!(links.wallet_after(WalletTab::Paid, "é"), "/m/wallet?show=paid&after=%C3%A9");
    }

    #[test]
    fn tokens_cannot_leave_their_place() {
        assert_eq!(session_path("a-_Z"), "/m/s/a-_Z");
        assert_eq!(Links::with_token("../x?y").mission(&7), "/m/u/..%2Fx%3Fy/missions/7");
    }

    #[test]
    fn built_paths_fit_their_patterns() {
        let links = Links::with_token("t");
        let fill = |below: &str| {
            let whole = format!("{TOKEN_ROOT}{below}").replace("{token}", "t");
            whole.replace("{id}", "7").replace("{step_id}", "9")
        };
        assert_eq!(links.wallet(), fill(WALLET));
        assert_eq!(links.mission(&7), fill(MISSION));
        assert_eq!(links.start(&7), fill(START));
        assert_eq!(links.visit(&7, &9), fill(VISIT));
        assert_eq!(links.complete(&7, &9), fill(COMPLETE));
        assert_eq!(session_path("t"), SESSION.replace("{token}", "t"));
    }
}
