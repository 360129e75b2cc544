//! The shapes: ready configurations for one node and for many.
//!
//! A shape is the commented default with other stores; everything else is the same in all of them.

use crate::cli::Shape;
use crate::config::DEFAULT_TEXT;

const COMPACT: &str = include_str!("shapes/compact.toml");
const STANDARD: &str = include_str!("shapes/standard.toml");
const SCALED: &str = include_str!("shapes/scaled.toml");

/// How often a node looks whether another one has edited the catalogue: often enough for all of them
/// to serve an edit within a second, also where nobody tells them.
const REFRESH: (&str, &str) = ("refresh_ms = 1000", "refresh_ms = 500");

/// The configuration of a shape, in which every setting is explained.
pub(crate) fn text(shape: Shape) -> String {
    let stores = match shape {
        Shape::Embedded => return DEFAULT_TEXT.to_owned(),
        Shape::Compact => COMPACT,
        Shape::Standard => STANDARD,
        Shape::Scaled => SCALED,
    };
    let begin = DEFAULT_TEXT.find("[store]").unwrap_or(0);
    // A comment before it names that section too.
    let end = DEFAULT_TEXT.find("\n[rate_limits]\n").map_or(begin, |end| end + 1);
    let (before, after) = (&DEFAULT_TEXT[..begin], &DEFAULT_TEXT[end..]);
    let before = before
        .replace(" Every setting is shown at its default; leave out what you do not change.", "");
    format!("{before}{stores}{}", after.replace(REFRESH.0, REFRESH.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Broker, Cache, Config, State, Store};

    fn config(shape: Shape) -> Config {
        toml::from_str(&text(shape)).unwrap()
    }

    #[test]
    fn shapes_name_their_stores() {
        let is_mysql = |config: &Config| matches!(config.store, Store::Mysql(_));
        let is_dynamo = |config: &Config| matches!(config.state, Some(State::Dynamo(_)));
        assert_eq!(config(Shape::Embedded), Config::default());
        let compact = config(Shape::Compact);
        assert!(is_mysql(&compact) && compact.state.is_none());
        assert_eq!((compact.cache, compact.broker), (Cache::None {}, Broker::None {}));
        let standard = config(Shape::Standard);
        assert!(is_mysql(&standard) && is_dynamo(&standard));
        assert!(matches!(standard.cache, Cache::Redis(_)));
        let scaled = config(Shape::Scaled);
        assert!(is_mysql(&scaled) && is_dynamo(&scaled));
        assert!(matches!(scaled.cache, Cache::RedisCluster(_)));
        assert!(matches!(scaled.broker, Broker::Redis(_)));
    }

    #[test]
    fn shapes_differ_in_their_stores_alone() {
        for shape in [Shape::Compact, Shape::Standard, Shape::Scaled] {
            let mut config = config(shape);
            assert_eq!(config.jobs.refresh_ms, 500);
            config.jobs.refresh_ms = Config::default().jobs.refresh_ms;
            let Config { store, state, cache, broker, .. } = Config::default();
            config = Config { store, state, cache, broker, ..config };
            assert_eq!(config, Config::default(), "{shape:?}");
            // What nobody has set is explained all the same.
            let (_, limits) = DEFAULT_TEXT.split_once("\n[rate_limits]\n").unwrap();
            let (limits, _) = limits.split_once("[secrets]").unwrap();
            assert!(text(shape).contains(limits), "{shape:?}");
        }
    }
}
