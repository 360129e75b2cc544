//! The stylesheet, at a path that changes with its content.

use std::io::Write;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::theme::Theme;

/// What a browser may do with a file whose path holds its hash.
pub const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The same about an icon that is not there: its path is fixed, so it is asked for again some day.
pub const NO_ICON: &str = "public, max-age=2592000";

/// Characters of the hash in the path: 64 bits, enough that no two releases meet.
const HASH_CHARS: usize = 16;

/// A file of the page.
#[derive(Debug)]
pub struct Asset {
    /// The file's name, the last part of its path.
    pub name: String,
    /// Its content.
    pub body: String,
    /// The same in gzip: packed once, so it costs no request anything.
    pub gzip: Vec<u8>,
}

static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| {
    let body =
        format!("{}{}", Theme::default().css(), compact(include_str!("../assets/mission.css")));
    let hash = blake3::hash(body.as_bytes()).to_hex();
    let name = format!("{}.css", &hash.as_str()[..HASH_CHARS]);
    let gzip = packed(body.as_bytes());
    Asset { name, body, gzip }
});

/// The stylesheet of all pages.
pub fn stylesheet() -> &'static Asset {
    &STYLESHEET
}

/// The stylesheet, if that is its name in this release. The caller answers a name from another
/// release with 404: an old page then shows unstyled rather than wrongly styled.
pub fn find(name: &str) -> Option<&'static Asset> {
    Some(stylesheet()).filter(|asset| asset.name == name)
}

/// Gzip at its best. Writing to memory does not fail; if it did, an empty file would say so.
fn packed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

/// Drops comments, line ends and indentation, which only readers of the source need.
fn compact(css: &str) -> String {
    let mut short = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        short.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    short.push_str(rest);
    let lines: Vec<&str> = short.lines().map(str::trim).collect();
    lines.concat().replace(": ", ":").replace(" {", "{").replace(";}", "}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decided with the page's weight: one file, one round trip, on a slow phone.
    const STYLESHEET_BYTES_MAX: usize = 12 * 1024;
    /// What goes over the air.
    const PACKED_BYTES_MAX: usize = 4 * 1024;

    #[test]
    fn stylesheet_is_small_and_named_by_its_hash() {
        let asset = stylesheet();
        assert!(asset.body.len() <= STYLESHEET_BYTES_MAX, "{}", asset.body.len());
        assert!(asset.gzip.len() <= PACKED_BYTES_MAX, "{}", asset.gzip.len());
        let mut unpacked = String::new();
        std::io::Read::read_to_string(
            &mut flate2::read::GzDecoder::new(asset.gzip.as_slice()),
            &mut unpacked,
        )
        .unwrap();
        assert_eq!(unpacked, asset.body);
        assert_eq!(asset.name.len(), HASH_CHARS + ".css".len());
        assert!(find(&asset.name).is_some());
        assert!(find("0000000000000000.css").is_none());
    }

    #[test]
    fn compacting_keeps_the_rules() {
        let css = "/* a */\n.a {\n  color: red;\n}\n.b { c: d; }/* b */";
        assert_eq!(compact(css), ".a{color:red}.b{ c:d; }");
    }

    #[test]
    fn stylesheet_works_in_both_writing_directions() {
        let body = &stylesheet().body;
        for physical in [
            "margin-left",
            "margin-right",
            "padding-left",
            "padding-right",
            "border-left",
            "border-right",
            "text-align:left",
            "text-align:right",
            ";left:",
            ";right:",
            "{left:",
            "{right:",
        ] {
            assert!(!body.contains(physical), "{physical}");
        }
    }

    #[test]
    fn stylesheet_loads_nothing() {
        assert!(!stylesheet().body.contains("url("));
        assert!(!stylesheet().body.contains("@import"));
    }
}
