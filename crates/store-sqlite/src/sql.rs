//! Every statement this crate runs, by name, so that each one's plan can be shown and judged.
//!
//! After the name stands what is bound when it is explained (`explain`); after the text, what would
//! be wrong with another and is meant here. What is not here: the numbered steps in `migrations/` and
//! the pragmas, which set a connection or the file and have no plan.

use store::explain::Design;

/// A statement, and what is to be known of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Its name, as of a constant.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Its text.
    pub text: &'static str,
    /// What is meant to be so.
    pub design: Design,
    /// What stands for its parameters when it is explained; nothing for a plain `INSERT`.
    pub(crate) binds: &'static [Bind],
}

/// A value that is bound when a statement is explained, taken from the file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Bind {
    /// What is written and not searched for.
    Written,
    /// Rows of a page.
    Page,
    /// Zero.
    Nothing,
    /// This moment.
    Now,
    /// A name in `meta`.
    MetaName,
    /// A name in `identities`.
    Of,
    /// The key of a user in the middle.
    User,
    /// The key of a user some places further.
    UserLater,
    /// His number.
    UserId,
    /// When the first user is due.
    Due,
    /// The place of a record in the middle.
    Seq,
    /// A line item with a budget.
    LineItem,
    /// The latest day of its budget, or a day of the reports.
    Day,
    /// Some days later.
    DayLater,
    /// The id of a delivery in the middle.
    Delivery,
    /// Its number.
    DeliveryNumber,
    /// The greatest number that a message of the same record can have.
    DeliveryLast,
    /// Its app.
    App,
    /// Its mode.
    Mode,
    /// Its state.
    State,
    /// A day ago.
    BookedFrom,
    /// The end of the time that begins there.
    BookedTo,
    /// The kind of a row of the catalogue.
    EntityKind,
    /// Its id.
    EntityId,
    /// A mission.
    Mission,
    /// The newest revision of the catalogue.
    Revision,
}

macro_rules! statements {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident $([$($bind:ident),*])? = $text:expr
        $(, walks $walks:literal)? $(, sorts $sorts:literal)?;
    )*) => {
        $($(#[doc = $doc])* pub(crate) const $name: &str = $text;)*

        /// Every statement, in the order of the tables.
        pub const STATEMENTS: &[Statement] = &[$(Statement {
            name: stringify!($name),
            purpose: concat!($($doc),*),
            text: $text,
            design: Design { walks: reason!($($walks)?), sorts: reason!($($sorts)?) },
            binds: &[$($(Bind::$bind),*)?],
        }),*];
    };
}

/// A reason, if there is one.
macro_rules! reason {
    () => {
        None
    };
    ($words:literal) => {
        Some($words)
    };
}

/// A delivery's columns, as `outbox::row` reads them.
macro_rules! delivery_columns {
    () => {
        "d.id, d.key, d.app, d.mode, d.state, d.attempts, d.due_at, d.lease_until, d.fence, \
         d.waits_for, d.last_at, d.last_status, d.last_note, d.last_ms"
    };
}

/// A budget with its latest day, as `budgets::level_of` reads it.
macro_rules! level_select {
    ($rest:literal) => {
        concat!(
            "SELECT b.line_item, b.is_set, b.total, b.daily, b.grace, b.starts, b.daily_starts, \
             b.booked, b.held, b.started, b.latest_day, \
             coalesce(d.booked, 0), coalesce(d.held, 0), coalesce(d.started, 0) \
             FROM budgets b LEFT JOIN budget_days d \
             ON d.line_item = b.line_item AND d.day = b.latest_day ",
            $rest
        )
    };
}

statements! {
    /// Takes the write lock at once, so that no group fails half way for want of it.
    BEGIN_WRITE = "BEGIN IMMEDIATE";
    /// A stable view over several reads.
    BEGIN_READ = "BEGIN DEFERRED";
    /// The durable moment.
    COMMIT = "COMMIT";
    /// Undoes a group.
    ROLLBACK = "ROLLBACK";
    /// How many tables and indexes a file has that may be another program's.
    SCHEMA_OBJECTS = "SELECT count(*) FROM sqlite_schema",
        walks "one row a table or index, at the first start";
    /// One number of `meta`.
    META_GET [MetaName] =
        "SELECT value FROM meta WHERE name = ?1";
    /// Sets one number of `meta`.
    META_SET [MetaName, Written] =
        "UPDATE meta SET value = ?2 WHERE name = ?1";
    /// The phase of a move, and where the state has moved; each group reads it.
    PHASE_GET = "SELECT m.value, t.words FROM meta m LEFT JOIN moved_to t ON t.id = 1 \
                 WHERE m.name = 'phase'";
    /// Which state the file has, or belongs to its catalogue.
    IDENTITY_GET [Of] =
        "SELECT id FROM identities WHERE of = ?1";
    /// Says that.
    IDENTITY_PUT = "INSERT OR REPLACE INTO identities (of, id) VALUES (?1, ?2)";
    /// Says where the state has moved.
    MOVED_TO_PUT = "INSERT OR REPLACE INTO moved_to (id, words) VALUES (1, ?1)";
    /// Notes a user whom a change has touched.
    TOUCHED_PUT = "INSERT INTO touched (user) VALUES (?1)";
    /// Users who were noted, in order.
    TOUCHED_READ [Nothing, Page] =
        "SELECT place, user FROM touched WHERE place > ?1 ORDER BY place LIMIT ?2";
    /// Forgets who was noted.
    TOUCHED_CLEAR = "DELETE FROM touched",
        walks "empty but for a move, which ends with this";

    /// The one read of a request.
    USER_LOAD [User] =
        "SELECT version, chain, state, id FROM users WHERE key = ?1";
    /// The same, where it is remembered which row that is.
    USER_LOAD_AT [UserId, User] =
        "SELECT version, chain, state FROM users WHERE id = ?1 AND key = ?2";
    /// What a commit compares with.
    USER_HEAD [User] =
        "SELECT id, version, change_id, last_seq, due_at FROM users WHERE key = ?1";
    /// The same, where it is remembered which row that is.
    USER_HEAD_AT [UserId, User] =
        "SELECT id, version, change_id, last_seq, due_at FROM users WHERE id = ?1 AND key = ?2";
    /// A user's first change.
    USER_INSERT = "INSERT INTO users (key, version, change_id, chain, last_seq, due_at, state) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    /// A change that leaves the due moment alone, and with it the index.
    USER_UPDATE [UserId, Written, Written, Written, Written, Written] =
        "UPDATE users SET version = ?2, change_id = ?3, chain = ?4, last_seq = ?5, \
         state = ?6 WHERE id = ?1";
    /// A change that moves the due moment.
    USER_UPDATE_DUE [UserId, Written, Written, Written, Written, Written, Written] =
        "UPDATE users SET version = ?2, change_id = ?3, chain = ?4, last_seq = ?5, \
         state = ?6, due_at = ?7 WHERE id = ?1";
    /// Hangs a trace on a user's list of records.
    USER_LAST_SEQ [UserId, Written] =
        "UPDATE users SET last_seq = ?2 WHERE id = ?1";
    /// The newest record of a user.
    USER_NEWEST [User] =
        "SELECT last_seq FROM users WHERE key = ?1";
    /// Users for whom time alone changes something.
    USERS_DUE [Due, Page] =
        "SELECT key FROM users WHERE due_at IS NOT NULL AND due_at <= ?1 \
         ORDER BY due_at, id LIMIT ?2";
    /// Users whose keys lie between two.
    USERS_BETWEEN [User, UserLater] =
        "SELECT version, chain, state FROM users \
         WHERE key >= ?1 AND key <= ?2 AND version > 0 ORDER BY key";
    /// Users in order of their keys.
    USERS_SCAN [User, Page] =
        "SELECT version, chain, state, key FROM users \
         WHERE key > ?1 AND version > 0 ORDER BY key LIMIT ?2";
    /// Users in order of their keys, with their latest changes.
    USERS_CARRIED [User, Page] =
        "SELECT version, chain, state, key, change_id FROM users \
         WHERE key > ?1 AND version > 0 ORDER BY key LIMIT ?2";
    /// One user with his latest change.
    USER_CARRIED [User] =
        "SELECT version, chain, state, key, change_id FROM users \
         WHERE key = ?1 AND version > 0";
    /// Writes a user as he is; his list of records stays.
    USER_PUT = "INSERT INTO users (key, version, change_id, chain, last_seq, due_at, state) \
                VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6) ON CONFLICT (key) DO UPDATE SET \
                version = excluded.version, change_id = excluded.change_id, \
                chain = excluded.chain, due_at = excluded.due_at, state = excluded.state";

    /// Appends a record.
    JOURNAL_INSERT = "INSERT INTO journal (seq, prev_seq, user, chain, messages, body) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    /// The newest record's place.
    JOURNAL_HEAD = "SELECT coalesce(max(seq), 0) FROM journal";
    /// Records in order.
    JOURNAL_READ [Seq, Page] =
        "SELECT seq, chain, body FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    /// One record of somebody's list.
    JOURNAL_ONE [Seq] =
        "SELECT seq, chain, body, prev_seq FROM journal WHERE seq = ?1";
    /// Whose record it is, and which of his comes before.
    JOURNAL_LINK [Seq] =
        "SELECT prev_seq, user FROM journal WHERE seq = ?1";
    /// Records whose messages may not be in the outbox yet.
    JOURNAL_MESSAGES [Seq, Page] =
        "SELECT seq, CASE WHEN messages > 0 THEN body END FROM journal \
         WHERE seq > ?1 ORDER BY seq LIMIT ?2";

    /// One budget with its latest day.
    BUDGET_LEVEL [LineItem] = level_select!("WHERE b.line_item = ?1");
    /// All budgets with their latest days.
    BUDGET_LEVELS = level_select!("WHERE b.is_set = 1 ORDER BY b.line_item"),
        walks "one row a line item, once for each snapshot of the catalogue and never for a request";
    /// All budgets, those without limits too.
    BUDGETS_CARRIED = level_select!("ORDER BY b.line_item"),
        walks "a move reads all budgets, one row a line item, once";
    /// Every day of a budget.
    BUDGET_DAYS [LineItem] =
        "SELECT day, booked, held, started FROM budget_days WHERE line_item = ?1 \
         ORDER BY day";
    /// One day of a budget.
    BUDGET_DAY [LineItem, Day] =
        "SELECT booked, held, started FROM budget_days WHERE line_item = ?1 AND day = ?2";
    /// Writes a budget back, once per group.
    BUDGET_PUT = "INSERT OR REPLACE INTO budgets (line_item, is_set, total, daily, grace, starts, \
                  daily_starts, booked, held, started, latest_day) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    /// Writes a day back, once per group.
    BUDGET_DAY_PUT = "INSERT OR REPLACE INTO budget_days (line_item, day, booked, held, started) \
                      VALUES (?1, ?2, ?3, ?4, ?5)";

    /// Takes a message into the outbox, unless it is there.
    DELIVERY_INSERT = "INSERT INTO deliveries (id, key, app, mode, state, attempts, booked_at, \
                       due_at, ready_at, fence) VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, ?6, ?6, 0) \
                       ON CONFLICT (key) DO NOTHING";
    /// Makes a reversal wait for its grant.
    DELIVERY_WAIT [DeliveryNumber, Written] =
        "UPDATE deliveries SET waits_for = ?2 WHERE id = ?1";
    /// A delivery's number.
    DELIVERY_ID [Delivery] =
        "SELECT id FROM deliveries WHERE key = ?1";
    /// One delivery by its id.
    DELIVERY_BY_KEY [Delivery] =
        concat!("SELECT ", delivery_columns!(), " FROM deliveries d WHERE d.key = ?1");
    /// One delivery by its number.
    DELIVERY_BY_ID [DeliveryNumber] =
        concat!("SELECT ", delivery_columns!(), " FROM deliveries d WHERE d.id = ?1");
    /// Reversals that wait for a grant.
    DELIVERY_WAITING [DeliveryNumber] =
        concat!("SELECT ", delivery_columns!(), " FROM deliveries d WHERE d.waits_for = ?1");
    /// Writes a delivery's place in its life back.
    DELIVERY_UPDATE [DeliveryNumber, Written, Written, Written, Written, Written, Written] =
        "UPDATE deliveries SET state = ?2, attempts = ?3, due_at = ?4, ready_at = ?5, \
         lease_until = ?6, fence = ?7 WHERE id = ?1";
    /// Notes the latest attempt.
    DELIVERY_NOTE [DeliveryNumber, Written, Written, Written, Written] =
        "UPDATE deliveries SET last_at = ?2, last_status = ?3, last_note = ?4, \
         last_ms = ?5 WHERE id = ?1";
    /// The record a message was born in.
    DELIVERY_RECORD [Seq] =
        "SELECT user, body FROM journal WHERE seq = ?1";
    /// The next endpoint that has anything to send, however late: one step of a skip scan. Comparing
    /// both columns at once would go through all that the endpoint before has to send.
    ENDPOINT_NEXT [App, Mode] =
        "SELECT * FROM (SELECT app, mode FROM deliveries WHERE ready_at IS NOT NULL \
         AND app = ?1 AND mode > ?2 ORDER BY mode LIMIT 1) \
         UNION ALL SELECT * FROM (SELECT app, mode FROM deliveries WHERE ready_at IS NOT NULL \
         AND app > ?1 ORDER BY app, mode LIMIT 1) LIMIT 1";
    /// What an endpoint has to send, earliest first; read only until one need not wait.
    ENDPOINT_EARLIEST [App, Mode] =
        "SELECT id, ready_at FROM deliveries WHERE ready_at IS NOT NULL \
         AND app = ?1 AND mode = ?2 ORDER BY ready_at, id";
    /// What an endpoint can be sent now, oldest first.
    ENDPOINT_READY [App, Mode, Now, Page] =
        "SELECT id, ready_at FROM deliveries WHERE ready_at IS NOT NULL \
         AND app = ?1 AND mode = ?2 AND ready_at <= ?3 ORDER BY ready_at, id LIMIT ?4";
    /// The place in the listing order after which a page begins.
    DELIVERY_AFTER [DeliveryNumber, DeliveryLast, Delivery] =
        "SELECT coalesce(max(id), ?1 - 1) FROM deliveries \
         WHERE id BETWEEN ?1 AND ?2 AND key <= ?3";
    /// Deliveries of an app in a state, in order of their booking.
    DELIVERIES_IN_STATE [App, Mode, State, DeliveryNumber, Page] =
        "SELECT id FROM deliveries WHERE app = ?1 AND mode = ?2 AND state = ?3 \
         AND id > ?4 ORDER BY id LIMIT ?5";
    /// Deliveries of an app in a state that were booked in a time.
    DELIVERIES_BOOKED [App, Mode, State, BookedFrom, BookedTo, Nothing, Page] =
        "SELECT id FROM deliveries WHERE app = ?1 AND mode = ?2 AND state = ?3 \
         AND booked_at >= ?4 AND booked_at < ?5 AND id > ?6 ORDER BY id LIMIT ?7",
        walks "an operator's replay passes over what was booked at other times; an index for that would \
               be written with every delivery";
    /// Deliveries that are not in their first state, in order of their booking.
    DELIVERIES_CARRIED [DeliveryNumber, Page] = concat!(
        "SELECT ",
        delivery_columns!(),
        " FROM deliveries d WHERE d.id > ?1 AND (d.state <> 0 OR d.fence > 0) \
         ORDER BY d.id LIMIT ?2"
    ),
        walks "a move reads all deliveries in order, and passes over those that are as they were born";
    /// How many deliveries are in each state.
    COUNTS_GET = "SELECT state, n FROM delivery_counts ORDER BY state",
        walks "five rows, one a state";
    /// Moves a count, once per group.
    COUNTS_ADD [State, Written] =
        "UPDATE delivery_counts SET n = n + ?2 WHERE state = ?1";

    /// Adds to the figures of a day.
    REPORT_ADD = "INSERT INTO report_days (day, line_item, app, participations, rewards, reversals, \
                  payout, reward_value, publisher_share, margin, points) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
                  ON CONFLICT (day, line_item, app) DO UPDATE SET \
                  participations = participations + excluded.participations, \
                  rewards = rewards + excluded.rewards, \
                  reversals = reversals + excluded.reversals, \
                  payout = payout + excluded.payout, \
                  reward_value = reward_value + excluded.reward_value, \
                  publisher_share = publisher_share + excluded.publisher_share, \
                  margin = margin + excluded.margin, \
                  points = points + excluded.points";
    /// The figures of some days.
    REPORT_READ [Day, DayLater] =
        "SELECT day, line_item, app, participations, rewards, reversals, payout, \
         reward_value, publisher_share, margin, points FROM report_days \
         WHERE day BETWEEN ?1 AND ?2 ORDER BY day, line_item, app";
    /// Forgets all figures.
    REPORT_CLEAR = "DELETE FROM report_days",
        walks "the reports are derived anew from the journal";

    /// Every row of the catalogue, deleted ones included.
    CATALOG_ROWS = "SELECT kind, id, deleted, body FROM catalog",
        walks "the catalogue is read whole, once for each revision";
    /// One row, if it is not deleted.
    CATALOG_HAS [EntityKind, EntityId] =
        "SELECT 1 FROM catalog WHERE kind = ?1 AND id = ?2 AND deleted = 0";
    /// Creates or replaces a row.
    CATALOG_PUT = "INSERT OR REPLACE INTO catalog (kind, id, revision, deleted, body) \
                   VALUES (?1, ?2, ?3, 0, ?4)";
    /// Removes a row from sight.
    CATALOG_DELETE [EntityKind, EntityId, Written] =
        "UPDATE catalog SET deleted = 1, revision = ?3 \
         WHERE kind = ?1 AND id = ?2 AND deleted = 0";
    /// Every version of every mission.
    VERSIONS_ALL = "SELECT mission, version, body FROM mission_versions",
        walks "the catalogue is read whole, once for each revision";
    /// Every version of one mission.
    VERSIONS_OF [Mission] =
        "SELECT mission, version, body FROM mission_versions WHERE mission = ?1";
    /// Keeps a version of a mission.
    VERSION_PUT = "INSERT INTO mission_versions (mission, version, body) VALUES (?1, ?2, ?3)";
    /// Remembers an edit.
    HISTORY_PUT = "INSERT INTO catalog_history (revision, at, by, summary) VALUES (?1, ?2, ?3, ?4)";
    /// Edits, newest first.
    HISTORY_READ [Revision, Page] =
        "SELECT revision, at, by, summary FROM catalog_history WHERE revision < ?1 \
         ORDER BY revision DESC LIMIT ?2";
}
