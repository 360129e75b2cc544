//! Every path of the mission page, in one place: the router and the templates use the same names.

use crate::view::{Kind, WalletTab};

/// The list of missions. `?kind=` narrows it, `?after=` continues it.
pub const LIST: &str = "/m";
/// The wallet. `?show=` picks a tab, `?after=` continues it.
pub const WALLET: &str = "/m/wallet";
/// Router pattern of one mission; `?n=` carries a [`crate::view::Flash`].
pub const MISSION: &str = "/m/missions/{id}";
/// Router pattern of the form which starts a mission.
pub const START: &str = "/m/missions/{id}/start";
/// Router pattern of the form which starts the dwell time of a visit.
pub const VISIT: &str = "/m/missions/{id}/steps/{step_id}/visit";
/// Router pattern of the forms which finish a step that we verify.
pub const COMPLETE: &str = "/m/missions/{id}/steps/{step_id}/complete";
/// Router pattern of the stylesheet; `{name}` is `<hash>.css`.
pub const ASSET: &str = "/m/assets/{name}";
/// Router pattern of a theme's stylesheet; `{name}` is `<rrggbb>-<radius>.css`.
pub const THEME: &str = "/m/theme/{name}";

/// The page of one mission.
pub fn mission(id: &u64) -> String {
    format!("/m/missions/{id}")
}

/// Where the start form posts to.
pub fn start(id: &u64) -> String {
    format!("/m/missions/{id}/start")
}

/// Where the form which starts a visit posts to.
pub fn visit(id: &u64, step_id: &u64) -> String {
    format!("/m/missions/{id}/steps/{step_id}/visit")
}

/// Where the form which finishes a step posts to.
pub fn complete(id: &u64, step_id: &u64) -> String {
    format!("/m/missions/{id}/steps/{step_id}/complete")
}

/// The list narrowed to one kind.
pub fn list_of(kind: &Kind) -> String {
    format!("{LIST}?kind={}", kind.code())
}

/// The next part of the list.
pub fn list_after(kind: Option<Kind>, cursor: &str) -> String {
    let after = query_value(cursor);
    match kind {
        Some(kind) => format!("{}&after={after}", list_of(&kind)),
        None => format!("{LIST}?after={after}"),
    }
}

/// One tab of the wallet.
pub fn wallet_of(tab: &WalletTab) -> String {
    match tab {
        WalletTab::All => WALLET.to_owned(),
        other => format!("{WALLET}?show={}", other.code()),
    }
}

/// The next part of a tab of the wallet.
pub fn wallet_after(tab: WalletTab, cursor: &str) -> String {
    format!("{WALLET}?show={}&after={}", tab.code(), query_value(cursor))
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
        assert_eq!(
            list_after(Some(Kind::Quiz), "a&kind=b#c"),
            "/m?kind=quiz&after=a%26kind%3Db%23c"
        );
        assert_eq!(wallet_after(WalletTab::Paid, "é"), "/m/wallet?show=paid&after=%C3%A9");
    }

    #[test]
    fn built_paths_fit_their_patterns() {
        let fill = |pattern: &str| pattern.replace("{id}", "7").replace("{step_id}", "9");
        assert_eq!(mission(&7), fill(MISSION));
        assert_eq!(start(&7), fill(START));
        assert_eq!(visit(&7, &9), fill(VISIT));
        assert_eq!(complete(&7, &9), fill(COMPLETE));
    }
}
