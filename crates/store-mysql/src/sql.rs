//! Every statement this crate runs, by name, so that each one can be shown and judged.
//!
//! Statements over many rows end before their rows: whoever runs them appends one group of
//! placeholders for each ([`rows_of`], [`list_of`]). What is not here: the steps in `steps` and the
//! settings of a session in `connect`.
//!
//! Where a page begins deep within an index the statement names the index: left to itself, MariaDB
//! walks there from the beginning of the app's part instead of going there at once.

/// A statement and its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Its name, as of a constant.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $text;)*

        /// Every statement, in the order of the tables.
        pub const STATEMENTS: &[Statement] =
            &[$(Statement { name: stringify!($name), text: $text }),*];
    };
}

/// A delivery's columns, as `outbox::row` reads them.
macro_rules! delivery_columns {
    () => {
        "d.id, d.delivery_id, d.app, d.mode, d.state, d.attempts, d.booked_at, d.due_at, \
         d.ready_at, d.lease_until, d.fence, d.waits_for, d.last_at, d.last_status, d.last_note, \
         d.last_ms"
    };
}

/// A delivery with the record that it was born in.
macro_rules! delivery_select {
    () => {
        concat!(
            "SELECT ",
            delivery_columns!(),
            ", j.user_key, j.body FROM deliveries d JOIN journal j ON j.seq = d.id >> 6"
        )
    };
}

/// A budget with days, as `budgets` reads it.
macro_rules! level_select {
    ($join:literal, $day:literal, $rest:literal) => {
        concat!(
            "SELECT b.line_item, b.is_set, b.total, b.daily, b.grace, b.starts, b.daily_starts, \
             b.booked, b.held, b.started, ",
            $day,
            ", d.booked, d.held, d.started \
             FROM budgets b LEFT JOIN budget_days d ON d.line_item = b.line_item",
            $join,
            $rest
        )
    };
}

statements! {
    /// Begins a transaction that will write.
    BEGIN = "START TRANSACTION";
    /// The durable moment.
    COMMIT = "COMMIT";
    /// Undoes a transaction.
    ROLLBACK = "ROLLBACK";
    /// A view that stays as it is, over all reads of a session.
    BEGIN_VIEW = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

    /// Whether the server is there.
    PING = "SELECT 1";
    /// A writer's name.
    WRITER_NAME = "SELECT UNHEX(REPLACE(UUID(), '-', ''))";
    /// Forgets the writers that have not written for a month.
    WRITERS_CLEAN = "DELETE FROM writers WHERE seen_at < (UNIX_TIMESTAMP() - 2592000) * 1000";
    /// Notes a writer's newest group, in the transaction of the group.
    WRITER_PUT = "INSERT INTO writers (writer, group_no, seen_at) \
                  VALUES (?, ?, UNIX_TIMESTAMP() * 1000) ON DUPLICATE KEY UPDATE \
                  group_no = VALUES(group_no), seen_at = VALUES(seen_at)";
    /// A writer's newest group.
    WRITER_GROUP = "SELECT group_no FROM writers WHERE writer = ?";

    /// Whose turn it is: what every transaction of the state locks first.
    HEAD_LOCK = "SELECT phase, moved_to, head, touched, is_total, run_no FROM state_head \
                 WHERE id = 1 FOR UPDATE";
    /// The same, to look at.
    HEAD = "SELECT phase, moved_to, head, touched, is_total, run_no FROM state_head WHERE id = 1";
    /// The head after a group; the guard is the place that the group began with.
    HEAD_SET = "UPDATE state_head SET phase = ?, moved_to = ?, head = ?, touched = ?, \
                is_total = ?, run_no = ? WHERE id = 1 AND head = ?";
    /// Which state the database has.
    IDENTITY = "SELECT identity FROM state_head WHERE id = 1";
    /// The same, the phase and the run, for somebody who may write it in turn with all who write.
    IDENTITY_LOCK = "SELECT phase, moved_to, identity, run_no FROM state_head WHERE id = 1 \
                     FOR UPDATE";
    /// Says it.
    IDENTITY_SET = "UPDATE state_head SET identity = ? WHERE id = 1";
    /// Forgets the older notes of touched users.
    TOUCHED_FORGET = "DELETE FROM touched_users WHERE note <= ?";
    /// The oldest note and the newest.
    TOUCHED_ENDS = "SELECT MIN(note), MAX(note) FROM touched_users";
    /// Notes users that were touched.
    TOUCHED_PUT = "INSERT INTO touched_users (note, user_key) VALUES ";
    /// Users that were touched, in order of the notes.
    TOUCHED_READ = "SELECT note, user_key FROM touched_users WHERE note > ? ORDER BY note LIMIT ?";

    /// The one read of a request.
    USER_LOAD = "SELECT version, chain, state FROM users WHERE user_key = ?";
    /// What the commits of a group compare with.
    USERS_HEADS = "SELECT user_key, version, change_id FROM users WHERE user_key IN (?)";
    /// Writes users, new ones and known ones.
    USERS_PUT = "INSERT INTO users (user_key, version, change_id, chain, due_at, state) VALUES ";
    /// What becomes of users that are there already; the end of [`USERS_PUT`].
    USERS_SET = " ON DUPLICATE KEY UPDATE version = VALUES(version), \
                 change_id = VALUES(change_id), chain = VALUES(chain), due_at = VALUES(due_at), \
                 state = VALUES(state)";
    /// Users for whom time alone changes something.
    USERS_DUE = "SELECT user_key FROM users FORCE INDEX (users_due) WHERE due_at <= ? \
                 ORDER BY due_at, user_key LIMIT ?";
    /// Users whose keys lie between two.
    USERS_BETWEEN = "SELECT version, chain, state FROM users \
                     WHERE user_key BETWEEN ? AND ? ORDER BY user_key";
    /// Users in order of their keys.
    USERS_SCAN = "SELECT version, chain, state, user_key, change_id FROM users \
                  WHERE user_key > ? ORDER BY user_key LIMIT ?";
    /// Some users.
    USERS_OF = "SELECT version, chain, state, user_key, change_id FROM users WHERE user_key IN ";

    /// Appends records.
    JOURNAL_PUT = "INSERT INTO journal (seq, user_key, chain, body) VALUES ";
    /// Records in order.
    JOURNAL_READ = "SELECT seq, chain, body FROM journal WHERE seq > ? ORDER BY seq LIMIT ?";
    /// A user's records, newest first.
    LEDGER = "SELECT seq, chain, body FROM journal FORCE INDEX (journal_user) WHERE user_key = ? AND seq < ? \
              ORDER BY seq DESC LIMIT ?";

    /// Budgets with their latest days.
    BUDGETS_OF = level_select!(" AND d.day = b.latest_day", "b.latest_day", " WHERE b.line_item IN (?)");
    /// All budgets that were ever set, with their latest days.
    BUDGETS_SET = level_select!(
        " AND d.day = b.latest_day",
        "b.latest_day",
        " WHERE b.is_set = 1 ORDER BY b.line_item"
    );
    /// All budgets with all their days.
    BUDGETS_WHOLE = level_select!("", "d.day", " ORDER BY b.line_item, d.day");
    /// Days of budgets.
    DAYS_OF = "SELECT line_item, day, booked, held, started FROM budget_days \
               WHERE line_item IN (?) AND day IN (?)";
    /// Writes days.
    DAYS_PUT = "INSERT INTO budget_days (line_item, day, booked, held, started) VALUES ";
    /// What becomes of days that are there already; the end of [`DAYS_PUT`].
    DAYS_SET = " ON DUPLICATE KEY UPDATE booked = VALUES(booked), held = VALUES(held), \
                started = VALUES(started)";
    /// Writes new budgets.
    BUDGETS_PUT = "INSERT INTO budgets (line_item, is_set, total, daily, grace, starts, \
                   daily_starts, booked, held, started, latest_day) VALUES ";
    /// Writes a budget that is there already; the guard is what it was read as.
    BUDGET_SET = "UPDATE budgets SET is_set = ?, total = ?, daily = ?, grace = ?, starts = ?, \
                  daily_starts = ?, booked = ?, held = ?, started = ?, latest_day = ? \
                  WHERE line_item = ? AND booked = ? AND held = ? AND started = ?";

    /// Deliveries by their ids.
    DELIVERIES_BY_ID =
        concat!("SELECT ", delivery_columns!(), " FROM deliveries d WHERE d.delivery_id IN (?)");
    /// The grants that deliveries wait for.
    DELIVERIES_BEFORE = concat!(
        "SELECT ", delivery_columns!(), " FROM deliveries w \
         JOIN deliveries d ON d.id = w.waits_for WHERE w.delivery_id IN (?)"
    );
    /// The reversals that wait for deliveries.
    DELIVERIES_BEHIND = concat!(
        "SELECT ", delivery_columns!(), " FROM deliveries g \
         JOIN deliveries d ON d.waits_for = g.id WHERE g.delivery_id IN (?)"
    );
    /// Writes deliveries.
    DELIVERIES_PUT = "INSERT INTO deliveries (id, delivery_id, app, mode, state, attempts, \
                      booked_at, due_at, ready_at, lease_until, fence, waits_for, last_at, \
                      last_status, last_note, last_ms) VALUES ";
    /// What becomes of deliveries that are there already; the end of [`DELIVERIES_PUT`].
    DELIVERIES_SET = " ON DUPLICATE KEY UPDATE state = VALUES(state), \
                      attempts = VALUES(attempts), due_at = VALUES(due_at), \
                      ready_at = VALUES(ready_at), lease_until = VALUES(lease_until), \
                      fence = VALUES(fence), last_at = VALUES(last_at), \
                      last_status = VALUES(last_status), last_note = VALUES(last_note), \
                      last_ms = VALUES(last_ms)";
    /// Moves counts.
    COUNTS_PUT = "INSERT INTO delivery_counts (state, n) VALUES ";
    /// What becomes of counts that are there already; the end of [`COUNTS_PUT`].
    COUNTS_ADD = " ON DUPLICATE KEY UPDATE n = n + VALUES(n)";
    /// Every endpoint that ever had a delivery, with the earliest moment at which one is ready; read
    /// by jumps over the index, not by going through it.
    ENDPOINTS = "SELECT app, mode, MIN(ready_at) FROM deliveries GROUP BY app, mode";
    /// What an endpoint can be sent now, oldest first.
    ENDPOINT_READY = "(SELECT app, mode, ready_at, id, delivery_id FROM deliveries \
                      FORCE INDEX (deliveries_ready) WHERE app = ? AND mode = ? AND ready_at <= ? \
                      ORDER BY ready_at, id LIMIT ?)";
    /// The records that some messages were born in.
    DELIVERY_WORDS = "SELECT d.id, j.user_key, j.body FROM deliveries d \
                      JOIN journal j ON j.seq = d.id >> 6 WHERE d.id IN ";
    /// One delivery with its words.
    DELIVERY_WHOLE = concat!(delivery_select!(), " WHERE d.delivery_id = ?");
    /// Deliveries with their words, in order of their booking; the numbers of some follow.
    DELIVERIES_AMONG =
        concat!("SELECT ", delivery_columns!(), ", j.user_key, j.body FROM ");
    /// The end of [`DELIVERIES_AMONG`].
    DELIVERIES_LIMIT = " n JOIN deliveries d ON d.id = n.id JOIN journal j ON j.seq = d.id >> 6 \
                        ORDER BY d.id LIMIT ?";
    /// The numbers of an app's deliveries in a state, in order of their booking.
    NUMBERS_IN_STATE = "(SELECT id FROM deliveries FORCE INDEX (deliveries_state) \
                        WHERE app = ? AND mode = ? AND state = ? \
                        AND id >= ? AND (id > ? OR delivery_id > ?) ORDER BY id LIMIT ?)";
    /// Deliveries of an app in a state that were booked in a time.
    DELIVERIES_BOOKED = "SELECT id, delivery_id FROM deliveries FORCE INDEX (deliveries_state) \
                         WHERE app = ? AND mode = ? AND state = ? \
                         AND booked_at >= ? AND booked_at < ? AND id > ? ORDER BY id LIMIT ?";
    /// Deliveries that are not in their first state any more, in order of their booking.
    DELIVERIES_MOVED = concat!(
        delivery_select!(),
        " WHERE d.id >= ? AND (d.id > ? OR d.delivery_id > ?) \
         AND (d.state <> 0 OR d.fence > 0) ORDER BY d.id LIMIT ?"
    );
    /// The same of some.
    DELIVERIES_OF = concat!(
        delivery_select!(),
        " WHERE (d.state <> 0 OR d.fence > 0) AND d.delivery_id IN "
    );
    /// How many deliveries are in each state; then every endpoint that ever had a delivery, with the
    /// earliest moment at which one is ready.
    BACKLOG = "SELECT 0, CAST(state AS SIGNED), 0, n FROM delivery_counts UNION ALL \
               SELECT 1, CAST(app AS SIGNED), CAST(mode AS SIGNED), MIN(ready_at) \
               FROM deliveries GROUP BY app, mode";
    /// The earliest moment, from one on, at which an endpoint can be sent something that is not
    /// behind its grant.
    ENDPOINT_EARLIEST = "(SELECT d.ready_at FROM deliveries d FORCE INDEX (deliveries_ready) \
                         LEFT JOIN deliveries g ON g.id = d.waits_for \
                         WHERE d.app = ? AND d.mode = ? AND d.ready_at >= ? \
                         AND (g.id IS NULL OR g.state = 3) ORDER BY d.ready_at, d.id LIMIT 1)";

    /// Whether the catalogue has changed: what every node asks all the time.
    CATALOG_REVISION = "SELECT revision FROM catalog_head WHERE id = 1";
    /// The same for somebody who is about to edit: edits take turns.
    CATALOG_LOCK = "SELECT revision, UUID() FROM catalog_head WHERE id = 1 FOR UPDATE";
    /// Which state belongs to the catalogue.
    CATALOG_STATE = "SELECT state FROM catalog_head WHERE id = 1";
    /// The same for somebody who may say it.
    CATALOG_STATE_LOCK = "SELECT state FROM catalog_head WHERE id = 1 FOR UPDATE";
    /// Says it.
    CATALOG_STATE_SET = "UPDATE catalog_head SET state = ? WHERE id = 1";
    /// The revision after an edit.
    CATALOG_SET = "UPDATE catalog_head SET revision = ? WHERE id = 1";
    /// The whole catalogue as of one moment, deleted rows included: a statement has one view. Every
    /// number is cast, because servers differ in what they make of columns of different types.
    CATALOG_WHOLE = "SELECT CAST(0 AS UNSIGNED) AS part, '' AS kind, CAST(0 AS UNSIGNED) AS id, \
                     CAST(revision AS UNSIGNED) AS number, CAST(0 AS UNSIGNED) AS deleted, \
                     '' AS body FROM catalog_head WHERE id = 1 \
                     UNION ALL SELECT CAST(1 AS UNSIGNED), '', CAST(mission AS UNSIGNED), \
                     CAST(version AS UNSIGNED), CAST(0 AS UNSIGNED), body FROM mission_versions \
                     UNION ALL SELECT CAST(2 AS UNSIGNED), kind, CAST(id AS UNSIGNED), \
                     CAST(0 AS UNSIGNED), CAST(deleted AS UNSIGNED), body FROM catalog";
    /// Creates or replaces rows.
    CATALOG_PUT = "REPLACE INTO catalog (kind, id, revision, deleted, body) VALUES ";
    /// Removes a row from sight.
    CATALOG_DELETE = "UPDATE catalog SET deleted = 1, revision = ? \
                      WHERE kind = ? AND id = ? AND deleted = 0";
    /// Every version of some missions.
    VERSIONS_OF = "SELECT mission, version, body FROM mission_versions WHERE mission IN ";
    /// Which of some missions are not deleted.
    MISSIONS_LIVE = "SELECT id FROM catalog WHERE kind = ? AND deleted = 0 AND id IN ";
    /// Keeps versions of missions.
    VERSION_PUT = "INSERT INTO mission_versions (mission, version, body) VALUES ";
    /// Remembers edits.
    HISTORY_PUT = "INSERT INTO catalog_history (revision, saved_at, author, summary, edit) VALUES ";
    /// Which edit led to a revision.
    HISTORY_EDIT = "SELECT edit FROM catalog_history WHERE revision = ?";
    /// Edits, newest first.
    HISTORY_READ = "SELECT revision, saved_at, author, summary FROM catalog_history \
                    WHERE revision < ? ORDER BY revision DESC LIMIT ?";

    /// How far the journal is in the reports.
    REPORT_PLACE = "SELECT place FROM report_head WHERE id = 1";
    /// The same for somebody who is about to add: additions take turns.
    REPORT_LOCK = "SELECT place FROM report_head WHERE id = 1 FOR UPDATE";
    /// The place after an addition.
    REPORT_SET = "UPDATE report_head SET place = ? WHERE id = 1";
    /// Adds to the figures of days.
    REPORT_ADD = "INSERT INTO report_days (day, line_item, app, participations, rewards, reversals, \
                  payout, reward_value, publisher_share, margin, points) VALUES ";
    /// What becomes of figures that are there already; the end of [`REPORT_ADD`].
    REPORT_SUM = " ON DUPLICATE KEY UPDATE \
                  participations = participations + VALUES(participations), \
                  rewards = rewards + VALUES(rewards), \
                  reversals = reversals + VALUES(reversals), \
                  payout = payout + VALUES(payout), \
                  reward_value = reward_value + VALUES(reward_value), \
                  publisher_share = publisher_share + VALUES(publisher_share), \
                  margin = margin + VALUES(margin), \
                  points = points + VALUES(points)";
    /// The figures of some days.
    REPORT_READ = "SELECT day, line_item, app, participations, rewards, reversals, payout, \
                   reward_value, publisher_share, margin, points FROM report_days \
                   WHERE day BETWEEN ? AND ? ORDER BY day, line_item, app";
    /// Forgets all figures.
    REPORT_CLEAR = "DELETE FROM report_days";

    /// The steps of the schema that were begun, with how much of each is done.
    STEPS_READ = "SELECT step, done, of_all FROM schema_steps ORDER BY step";
    /// Notes how much of a step is done.
    STEP_NOTE = "INSERT INTO schema_steps (step, done, of_all) VALUES (?, ?, ?) \
                 ON DUPLICATE KEY UPDATE done = VALUES(done), of_all = VALUES(of_all)";
    /// Keeps a second migrator away; the server lets go when the session ends.
    STEPS_LOCK = "SELECT GET_LOCK(CONCAT('guerdon.', SHA1(DATABASE())), ?)";
    /// Lets a second migrator in.
    STEPS_UNLOCK = "SELECT RELEASE_LOCK(CONCAT('guerdon.', SHA1(DATABASE())))";
    /// Marks the database for others to see, and says with what; the server lets go when the session
    /// ends.
    MARK = "SELECT CAST(CONNECTION_ID() AS CHAR), \
            GET_LOCK(CONCAT('one.', LEFT(SHA1(DATABASE()), 32), '.', CONNECTION_ID()), 0)";
    /// Whether the session of that number has marked the database.
    MARK_SEEN = "SELECT IS_USED_LOCK(CONCAT('one.', LEFT(SHA1(DATABASE()), 32), '.', ?)) = ?";
    /// Which tables there are.
    TABLES = "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
              WHERE table_schema = DATABASE() ORDER BY 1";
    /// Whether a table is there.
    HAS_TABLE = "SELECT COUNT(*) FROM information_schema.tables \
                 WHERE table_schema = DATABASE() AND table_name = ?";
    /// Whether a column is there.
    HAS_COLUMN = "SELECT COUNT(*) FROM information_schema.columns \
                  WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?";
    /// Whether an index is there.
    HAS_INDEX = "SELECT COUNT(*) FROM information_schema.statistics \
                 WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?";

    /// What the server is set to.
    SETTINGS = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'version_comment', \
                'innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog', 'binlog_format', \
                'wsrep_on', 'max_connections', 'max_user_connections', 'max_allowed_packet', \
                'read_only')";
    /// How many sessions the server has.
    SESSIONS = "SHOW GLOBAL STATUS LIKE 'Threads_connected'";
    /// Whether this session is encrypted.
    CIPHER = "SHOW SESSION STATUS LIKE 'Ssl_cipher'";
    /// What this user may do.
    GRANTS = "SHOW GRANTS";
    /// The server's clock, in microseconds.
    CLOCK = "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)";
    /// Columns of text that do not compare byte by byte.
    LOOSE_COLUMNS = "SELECT CAST(CONCAT(table_name, '.', column_name) AS CHAR) \
                     FROM information_schema.columns WHERE table_schema = DATABASE() \
                     AND collation_name IS NOT NULL AND collation_name <> 'utf8mb4_bin' ORDER BY 1";
    /// The database that the session is in.
    DATABASE = "SELECT CAST(DATABASE() AS CHAR)";
}

/// `(?, …), (?, …)`: so many rows of so many placeholders.
pub(crate) fn rows_of(rows: usize, columns: usize) -> String {
    vec![list_of(columns); rows].join(", ")
}

/// `(?, …)`: so many placeholders.
pub(crate) fn list_of(columns: usize) -> String {
    format!("({})", vec!["?"; columns].join(", "))
}
