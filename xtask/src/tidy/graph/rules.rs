//! The tables: crates, the crates they may use, and the libraries of the inner ones.

/// What one crate may depend on.
pub(super) struct CrateRule {
    pub(super) name: &'static str,
    /// Crates of the workspace.
    pub(super) may_use: &'static [&'static str],
    /// More crates of the workspace, for its tests only.
    pub(super) tests_may_use: &'static [&'static str],
    /// Libraries from outside; no list means no limit beside [`OWNED`].
    pub(super) libraries: Option<&'static [Library]>,
}

/// A library an inner crate may use.
pub(super) struct Library {
    pub(super) name: &'static str,
    /// The only features it may ask for; no list means no limit.
    features: Option<&'static [&'static str]>,
}

impl Library {
    pub(super) fn permits(&self, feature: &str) -> bool {
        self.features.is_none_or(|allowed| allowed.contains(&feature))
    }
}

const fn library(name: &'static str) -> Library {
    Library { name, features: None }
}

/// The rules compute and hash; they do not read, wait, log, or serialize.
const DOMAIN_LIBRARIES: &[Library] = &[library("blake3"), library("foldhash")];

/// Ports are traits; the in-memory stores need locks and time, but no runtime.
const STORE_LIBRARIES: &[Library] = &[
    library("async-trait"),
    library("thiserror"),
    Library { name: "tokio", features: Some(&["sync", "time"]) },
];

/// Use cases wait, log, seal tokens, and check signatures; they do not serialize or speak HTTP.
const ENGINE_LIBRARIES: &[Library] = &[
    library("aes-gcm-siv"),
    library("async-trait"),
    library("blake3"),
    library("bytes"),
    library("data-encoding"),
    library("foldhash"),
    library("futures-util"),
    library("hmac"),
    library("md-5"),
    library("sha1"),
    library("sha2"),
    library("subtle"),
    library("thiserror"),
    library("tokio"),
    library("tracing"),
];

/// Every crate of the workspace, inner ones first.
pub(super) const RULES: &[CrateRule] = &[
    CrateRule {
        name: "domain",
        may_use: &[],
        tests_may_use: &[],
        libraries: Some(DOMAIN_LIBRARIES),
    },
    CrateRule { name: "format", may_use: &["domain"], tests_may_use: &[], libraries: None },
    CrateRule {
        name: "store",
        may_use: &["domain"],
        tests_may_use: &[],
        libraries: Some(STORE_LIBRARIES),
    },
    CrateRule {
        name: "engine",
        may_use: &["domain", "store"],
        tests_may_use: &["format"],
        libraries: Some(ENGINE_LIBRARIES),
    },
    CrateRule {
        name: "store-sqlite",
        may_use: &["domain", "store", "format"],
        tests_may_use: &[],
        libraries: None,
    },
    CrateRule {
        name: "store-mysql",
        may_use: &["domain", "store", "format"],
        tests_may_use: &["services"],
        libraries: None,
    },
    CrateRule {
        name: "store-dynamo",
        may_use: &["domain", "store", "format"],
        tests_may_use: &["services"],
        libraries: None,
    },
    CrateRule {
        name: "cache",
        may_use: &["domain", "store"],
        tests_may_use: &["services"],
        libraries: None,
    },
    CrateRule {
        name: "api",
        may_use: &["domain", "engine", "format"],
        tests_may_use: &["store"],
        libraries: None,
    },
    CrateRule {
        name: "pages",
        may_use: &["domain", "engine", "format"],
        tests_may_use: &["store"],
        libraries: None,
    },
    CrateRule {
        name: "jobs",
        may_use: &["domain", "engine", "format"],
        tests_may_use: &["store"],
        libraries: None,
    },
    CrateRule {
        name: "app",
        may_use: &[
            "domain",
            "store",
            "format",
            "engine",
            "store-sqlite",
            "store-mysql",
            "store-dynamo",
            "cache",
            "api",
            "pages",
            "jobs",
        ],
        tests_may_use: &["services"],
        libraries: None,
    },
    // A client: it sees what a client sees, and the formats it sends.
    CrateRule {
        name: "bench",
        may_use: &["domain", "format", "services"],
        tests_may_use: &["store", "engine"],
        libraries: None,
    },
    // The servers that tests and benchmarks start for themselves.
    CrateRule { name: "services", may_use: &[], tests_may_use: &[], libraries: None },
    CrateRule { name: "xtask", may_use: &[], tests_may_use: &[], libraries: None },
];

/// The crates that talk to a store of the outside world.
pub(super) const ADAPTERS: &[&str] = &["store-sqlite", "store-mysql", "store-dynamo", "cache"];

/// The crates whose tests may use an adapter.
pub(super) const ADAPTER_TESTS_IN: &[&str] =
    &["store-sqlite", "store-mysql", "store-dynamo", "cache", "app", "bench"];

/// The crates that never serialize, not even in tests.
pub(super) const SERDE_FREE: &[&str] = &["domain", "store", "engine"];

/// Libraries that belong to some crates; others go through those.
pub(super) const OWNED: &[(&str, &[&str])] = &[
    ("libsqlite3-sys", &["store-sqlite"]),
    ("rusqlite", &["store-sqlite", "bench"]),
    ("sqlx", &["store-mysql", "bench"]),
    ("aws-config", &["store-dynamo"]),
    ("aws-sdk-dynamodb", &["store-dynamo", "bench"]),
    ("redis", &["cache", "bench"]),
    ("reqwest", &["jobs", "app", "bench"]),
    ("askama", &["pages"]),
    ("axum", &["api", "pages", "app", "bench"]),
    ("clap", &["app", "bench"]),
];
