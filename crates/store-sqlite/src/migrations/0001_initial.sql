-- The first layout. A step is never edited after a release; a change is a new step.
--
-- The hot transaction touches one row of `users`, appends one row to `journal`, and rewrites each
-- touched row of `budgets` and `budget_days` once per group. Everything below `deliveries` is
-- derived from the journal afterwards.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES
    ('absorbed', 0), ('catalog_revision', 0), ('report_cursor', 0), ('schema_version', 0);

-- A row at version 0 belongs to a user of whom only traces are known.
CREATE TABLE users (
    id        INTEGER PRIMARY KEY,
    key       BLOB NOT NULL UNIQUE,
    version   INTEGER NOT NULL,
    change_id BLOB NOT NULL,
    chain     BLOB NOT NULL,
    last_seq  INTEGER NOT NULL,
    due_at    INTEGER,
    state     BLOB NOT NULL
) STRICT;

CREATE INDEX users_due ON users (due_at) WHERE due_at IS NOT NULL;

-- `prev_seq` is the user's previous record, so his ledger is a linked list that needs no index.
CREATE TABLE journal (
    seq      INTEGER PRIMARY KEY,
    prev_seq INTEGER NOT NULL,
    user     BLOB,
    chain    BLOB NOT NULL,
    messages INTEGER NOT NULL,
    body     BLOB NOT NULL
) STRICT;

CREATE TABLE budgets (
    line_item    INTEGER PRIMARY KEY,
    is_set       INTEGER NOT NULL,
    total        INTEGER NOT NULL,
    daily        INTEGER,
    grace        INTEGER NOT NULL,
    starts       INTEGER,
    daily_starts INTEGER,
    booked       INTEGER NOT NULL,
    held         INTEGER NOT NULL,
    started      INTEGER NOT NULL,
    latest_day   INTEGER
) STRICT;

CREATE TABLE budget_days (
    line_item INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    booked    INTEGER NOT NULL,
    held      INTEGER NOT NULL,
    started   INTEGER NOT NULL,
    PRIMARY KEY (line_item, day)
) STRICT, WITHOUT ROWID;

-- `id` is the record's place times 64 plus the message's rank by id within it, so the order of the
-- primary key is the order of the pull API, and the words of the message are read from the journal.
-- `ready_at` is when it may be claimed: not before it is due, the lease is over and the grant told.
CREATE TABLE deliveries (
    id          INTEGER PRIMARY KEY,
    key         BLOB NOT NULL UNIQUE,
    app         INTEGER NOT NULL,
    mode        INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    booked_at   INTEGER NOT NULL,
    due_at      INTEGER,
    ready_at    INTEGER,
    lease_until INTEGER,
    fence       INTEGER NOT NULL,
    waits_for   INTEGER,
    last_at     INTEGER,
    last_status INTEGER,
    last_note   TEXT,
    last_ms     INTEGER
) STRICT;

CREATE INDEX deliveries_state ON deliveries (app, mode, state);
CREATE INDEX deliveries_ready ON deliveries (app, mode, ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX deliveries_waiting ON deliveries (waits_for) WHERE waits_for IS NOT NULL;

CREATE TABLE delivery_counts (
    state INTEGER PRIMARY KEY,
    n     INTEGER NOT NULL
) STRICT;

INSERT INTO delivery_counts (state, n) VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0);

CREATE TABLE report_days (
    day             INTEGER NOT NULL,
    line_item       INTEGER NOT NULL,
    app             INTEGER NOT NULL,
    participations  INTEGER NOT NULL,
    rewards         INTEGER NOT NULL,
    reversals       INTEGER NOT NULL,
    payout          INTEGER NOT NULL,
    reward_value    INTEGER NOT NULL,
    publisher_share INTEGER NOT NULL,
    margin          INTEGER NOT NULL,
    points          INTEGER NOT NULL,
    PRIMARY KEY (day, line_item, app)
) STRICT, WITHOUT ROWID;

-- The body of a mission stands in `mission_versions`, so here it is empty.
CREATE TABLE catalog (
    kind     TEXT NOT NULL,
    id       INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    deleted  INTEGER NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE mission_versions (
    mission INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (mission, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE catalog_history (
    revision INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    by       TEXT NOT NULL,
    summary  TEXT NOT NULL
) STRICT;
