//! The numbered steps of the schema. A step is never edited after a release; a change is a new one.
//!
//! The server commits every statement of a step by itself, so each has a guard that says whether it
//! has happened already, and each leaves the store usable by the release before: whatever changes a
//! table that may be large says `ALGORITHM=INPLACE, LOCK=NONE` (or `INSTANT`), so that the service
//! goes on meanwhile or the statement is refused at once.

/// One step.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// What it is for, as `guerdon migrate` shows it.
    pub(crate) name: &'static str,
    /// Its statements, in order.
    pub(crate) statements: &'static [Guarded],
}

/// One statement, and how to see that it has happened.
pub(crate) struct Guarded {
    /// What it makes.
    pub(crate) makes: Makes,
    /// Its text.
    pub(crate) text: &'static str,
}

/// What a statement makes; if that is there, the statement is passed over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Makes {
    /// A table of that name.
    Table(&'static str),
    /// A column of a table.
    #[cfg_attr(not(test), expect(dead_code, reason = "for steps to come; tests take such steps"))]
    Column(&'static str, &'static str),
    /// An index of a table.
    #[cfg_attr(not(test), expect(dead_code, reason = "for steps to come; tests take such steps"))]
    Index(&'static str, &'static str),
    /// Rows; the statement makes only those that are missing.
    Rows(&'static str),
}

impl Makes {
    /// It, in words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Table(table) => format!("table {table}"),
            Self::Column(table, column) => format!("column {table}.{column}"),
            Self::Index(table, index) => format!("index {index} of {table}"),
            Self::Rows(table) => format!("first rows of {table}"),
        }
    }
}

/// All steps.
pub(crate) const STEPS: &[Step] = &[Step { name: "the first layout", statements: FIRST }];

/// The table that notes the steps; it is made before the first.
pub(crate) const NOTES: Guarded = table(
    "schema_steps",
    "CREATE TABLE schema_steps (
        step   INT UNSIGNED NOT NULL PRIMARY KEY,
        done   INT UNSIGNED NOT NULL,
        of_all INT UNSIGNED NOT NULL
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
);

const fn table(name: &'static str, text: &'static str) -> Guarded {
    Guarded { makes: Makes::Table(name), text }
}

const fn rows(table: &'static str, text: &'static str) -> Guarded {
    Guarded { makes: Makes::Rows(table), text }
}

/// The state, then the reports, then the catalogue. Ids are 16 bytes compared as bytes; moments are
/// milliseconds since 1970 and money is micro-units, both signed.
const FIRST: &[Guarded] = &[
    // One row. Every transaction that writes state locks it first, so they take turns: `head` is the
    // place of the newest record, `phase` and `moved_to` are what the store may be used for,
    // `touched` is the number of the newest note in `touched_users`, `is_total` says whether the order
    // of the journal is that of the commits, and `run_no` is the latest run of a mover. `identity` is of the state, once it was given one.
    table(
        "state_head",
        "CREATE TABLE state_head (
            id       TINYINT UNSIGNED NOT NULL PRIMARY KEY,
            phase    TINYINT UNSIGNED NOT NULL,
            moved_to TEXT NOT NULL,
            head     BIGINT UNSIGNED NOT NULL,
            touched  BIGINT UNSIGNED NOT NULL,
            is_total BOOLEAN NOT NULL,
            run_no   BIGINT UNSIGNED NOT NULL,
            identity BINARY(16) NULL
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    rows(
        "state_head",
        "INSERT IGNORE INTO state_head (id, phase, moved_to, head, touched, is_total, run_no) \
         VALUES (1, 0, '', 0, 0, TRUE, 0)",
    ),
    // One row a node that writes: the number of its newest group, so that a lost answer to a COMMIT
    // can be asked for. `seen_at` is the server's clock; rows of nodes that are gone are cleaned up.
    table(
        "writers",
        "CREATE TABLE writers (
            writer   BINARY(16) NOT NULL PRIMARY KEY,
            group_no BIGINT UNSIGNED NOT NULL,
            seen_at  BIGINT NOT NULL
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    table(
        "touched_users",
        "CREATE TABLE touched_users (
            note     BIGINT UNSIGNED NOT NULL PRIMARY KEY,
            user_key BINARY(16) NOT NULL
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    table(
        "users",
        "CREATE TABLE users (
            user_key  BINARY(16) NOT NULL PRIMARY KEY,
            version   BIGINT UNSIGNED NOT NULL,
            change_id BINARY(16) NOT NULL,
            chain     BINARY(16) NOT NULL,
            due_at    BIGINT NULL,
            state     MEDIUMBLOB NOT NULL,
            KEY users_due (due_at, user_key)
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    // A user's ledger is a range of `journal_user`, traces included, so it needs no row of his.
    table(
        "journal",
        "CREATE TABLE journal (
            seq      BIGINT UNSIGNED NOT NULL PRIMARY KEY,
            user_key BINARY(16) NULL,
            chain    BINARY(16) NOT NULL,
            body     MEDIUMBLOB NOT NULL,
            KEY journal_user (user_key, seq)
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    // `changed` is the place of the newest record when it was written last, which only grows.
    table(
        "budgets",
        "CREATE TABLE budgets (
            line_item    INT UNSIGNED NOT NULL PRIMARY KEY,
            is_set       BOOLEAN NOT NULL,
            total        BIGINT NOT NULL,
            daily        BIGINT NULL,
            grace        BIGINT NOT NULL,
            starts       INT UNSIGNED NULL,
            daily_starts INT UNSIGNED NULL,
            booked       BIGINT NOT NULL,
            held         BIGINT NOT NULL,
            started      INT UNSIGNED NOT NULL,
            latest_day   INT NULL,
            changed      BIGINT UNSIGNED NOT NULL,
            KEY budgets_changed (changed)
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    table(
        "budget_days",
        "CREATE TABLE budget_days (
            line_item INT UNSIGNED NOT NULL,
            day       INT NOT NULL,
            booked    BIGINT NOT NULL,
            held      BIGINT NOT NULL,
            started   INT UNSIGNED NOT NULL,
            PRIMARY KEY (line_item, day)
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    // `id` is the record's place times 64 plus the message's rank by id within it, so the order of the
    // primary key is the order of the pull API; the words are read from the journal. `ready_at` is
    // when it may be claimed: not before it is due, the lease is over and the grant told.
    table(
        "deliveries",
        "CREATE TABLE deliveries (
            id          BIGINT UNSIGNED NOT NULL PRIMARY KEY,
            delivery_id BINARY(16) NOT NULL,
            app         INT UNSIGNED NOT NULL,
            mode        TINYINT UNSIGNED NOT NULL,
            state       TINYINT UNSIGNED NOT NULL,
            attempts    INT UNSIGNED NOT NULL,
            booked_at   BIGINT NOT NULL,
            due_at      BIGINT NULL,
            ready_at    BIGINT NULL,
            lease_until BIGINT NULL,
            fence       BIGINT UNSIGNED NOT NULL,
            waits_for   BIGINT UNSIGNED NULL,
            last_at     BIGINT NULL,
            last_status SMALLINT UNSIGNED NULL,
            last_note   TEXT NULL,
            last_ms     INT UNSIGNED NULL,
            UNIQUE KEY deliveries_id (delivery_id),
            KEY deliveries_state (app, mode, state, id),
            KEY deliveries_ready (app, mode, ready_at, id),
            KEY deliveries_waiting (waits_for)
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    table(
        "delivery_counts",
        "CREATE TABLE delivery_counts (
            state TINYINT UNSIGNED NOT NULL PRIMARY KEY,
            n     BIGINT NOT NULL
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    rows(
        "delivery_counts",
        "INSERT IGNORE INTO delivery_counts (state, n) VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0)",
    ),
    table(
        "report_head",
        "CREATE TABLE report_head (
            id    TINYINT UNSIGNED NOT NULL PRIMARY KEY,
            place BIGINT UNSIGNED NOT NULL
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    rows("report_head", "INSERT IGNORE INTO report_head (id, place) VALUES (1, 0)"),
    table(
        "report_days",
        "CREATE TABLE report_days (
            day             INT NOT NULL,
            line_item       INT UNSIGNED NOT NULL,
            app             INT UNSIGNED NOT NULL,
            participations  BIGINT UNSIGNED NOT NULL,
            rewards         BIGINT UNSIGNED NOT NULL,
            reversals       BIGINT UNSIGNED NOT NULL,
            payout          BIGINT NOT NULL,
            reward_value    BIGINT NOT NULL,
            publisher_share BIGINT NOT NULL,
            margin          BIGINT NOT NULL,
            points          BIGINT NOT NULL,
            PRIMARY KEY (day, line_item, app)
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    // `state` is the identity of the state that belongs to the catalogue, once that was said.
    table(
        "catalog_head",
        "CREATE TABLE catalog_head (
            id       TINYINT UNSIGNED NOT NULL PRIMARY KEY,
            revision BIGINT UNSIGNED NOT NULL,
            state    BINARY(16) NULL
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    rows("catalog_head", "INSERT IGNORE INTO catalog_head (id, revision) VALUES (1, 0)"),
    // The body of a mission stands in `mission_versions`, so here it is empty.
    table(
        "catalog",
        "CREATE TABLE catalog (
            kind     VARCHAR(32) NOT NULL,
            id       INT UNSIGNED NOT NULL,
            revision BIGINT UNSIGNED NOT NULL,
            deleted  BOOLEAN NOT NULL,
            body     LONGTEXT NOT NULL,
            PRIMARY KEY (kind, id),
            KEY catalog_revision (revision)
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    table(
        "mission_versions",
        "CREATE TABLE mission_versions (
            mission INT UNSIGNED NOT NULL,
            version INT UNSIGNED NOT NULL,
            body    LONGTEXT NOT NULL,
            PRIMARY KEY (mission, version)
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
    // `edit` names the edit, so that a lost answer to its COMMIT can be asked for.
    table(
        "catalog_history",
        "CREATE TABLE catalog_history (
            revision BIGINT UNSIGNED NOT NULL PRIMARY KEY,
            saved_at BIGINT NOT NULL,
            author   TEXT NOT NULL,
            summary  TEXT NOT NULL,
            edit     VARCHAR(36) NOT NULL
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    ),
];
