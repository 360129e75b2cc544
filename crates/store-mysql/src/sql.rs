//! Every statement this crate runs, by name, so that each one can be shown and judged.
//!
//! Statements over many rows end before their rows: whoever runs them appends one group of
//! placeholders for each ([`rows_of`], [`list_of`]), and what `then` says comes after. After the name
//! stands what is bound when a statement is explained (`explain`); at its end, what would be wrong
//! with another and is meant here. What is not here: the steps in `steps`, and the settings of a
//! session in `connect`, which have no plan.
//!
//! Where a page begins deep within an index the statement names the index: left to itself, MariaDB
//! walks there from the beginning of the app's part instead of going there at once.

use store::explain::Design;

/// A statement, and what is to be known of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Its name, as of a constant.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Its text; over many rows only the beginning.
    text: &'static str,
    /// What follows, for one row.
    then: &'static [&'static str],
    /// What is meant to be so.
    pub design: Design,
    /// What stands for its parameters when it is explained.
    pub(crate) binds: &'static [Bind],
}

impl Statement {
    /// The whole text; of a statement over many rows, for one row.
    #[must_use]
    pub fn whole(&self) -> String {
        [&[self.text], self.then].concat().concat()
    }
}

/// A value that is bound when a statement is explained, taken from the database.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Bind {
    /// A number that is written and not searched for.
    Written,
    /// 16 bytes that are written, or that nothing is called.
    Name,
    /// A text that is written and not searched for.
    Text,
    /// Rows of a page.
    Page,
    /// Zero.
    Nothing,
    /// This moment.
    Now,
    /// A day ago.
    BookedFrom,
    /// The key of a user in the middle.
    User,
    /// The key of a user some places further.
    UserLater,
    /// The place of a record in the middle.
    Seq,
    /// The place after all records.
    SeqEnd,
    /// A line item with a budget.
    LineItem,
    /// A day of its budget.
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
    /// The kind of a row of the catalogue.
    EntityKind,
    /// Its id.
    EntityId,
    /// The kind that missions have.
    MissionKind,
    /// A mission.
    Mission,
    /// The newest revision of the catalogue.
    Revision,
    /// The revision after it.
    RevisionEnd,
    /// The name of a table.
    Table,
    /// The name of a column of it.
    Column,
    /// The name of an index of it.
    Index,
}

macro_rules! statements {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident $([$($bind:ident),*])? = $text:expr
        $(, then [$($then:expr),*])? $(, walks $walks:literal)? $(, sorts $sorts:literal)?;
    )*) => {
        $($(#[doc = $doc])* pub(crate) const $name: &str = $text;)*

        /// Every statement, in the order of the tables.
        pub const STATEMENTS: &[Statement] = &[$(Statement {
            name: stringify!($name),
            purpose: concat!($($doc),*),
            text: $text,
            then: &[$($($then),*)?],
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
        level_select!($join, $day, $rest, "")
    };
    ($join:literal, $day:literal, $rest:literal, $by:literal) => {
        concat!(
            "SELECT b.line_item, b.is_set, b.total, b.daily, b.grace, b.starts, b.daily_starts, \
             b.booked, b.held, b.started, ",
            $day,
            ", d.booked, d.held, d.started, b.changed \
             FROM budgets b",
            $by,
            " LEFT JOIN budget_days d ON d.line_item = b.line_item",
            $join,
            $rest
        )
    };
}

/// The revision of the catalogue and the edit that led there, before the rows of a union.
macro_rules! catalog_head_select {
    () => {
        "SELECT CAST(0 AS UNSIGNED) AS part, '' AS kind, CAST(0 AS UNSIGNED) AS id, \
         CAST(h.revision AS UNSIGNED) AS number, CAST(0 AS UNSIGNED) AS deleted, \
         COALESCE(e.edit, '') AS body FROM catalog_head h \
         LEFT JOIN catalog_history e ON e.revision = h.revision WHERE h.id = 1 "
    };
}

/// The beginning of a statement that writes whole deliveries.
macro_rules! deliveries_insert {
    () => {
        "INSERT INTO deliveries (id, delivery_id, app, mode, state, attempts, booked_at, due_at, \
         ready_at, lease_until, fence, waits_for, last_at, last_status, last_note, last_ms) VALUES "
    };
}

/// What becomes of users that are there already; the end of [`USERS_PUT`].
pub(crate) const USERS_SET: &str = " ON DUPLICATE KEY UPDATE version = VALUES(version), \
     change_id = VALUES(change_id), chain = VALUES(chain), due_at = VALUES(due_at), \
     state = VALUES(state)";

/// What becomes of days that are there already; the end of [`DAYS_PUT`].
pub(crate) const DAYS_SET: &str = " ON DUPLICATE KEY UPDATE booked = VALUES(booked), held = VALUES(held), \
     started = VALUES(started)";

/// What becomes of deliveries that are there already; the end of [`DELIVERIES_PUT`].
pub(crate) const DELIVERIES_SET: &str = " ON DUPLICATE KEY UPDATE state = VALUES(state), \
     attempts = VALUES(attempts), due_at = VALUES(due_at), \
     ready_at = VALUES(ready_at), lease_until = VALUES(lease_until), \
     fence = VALUES(fence), last_at = VALUES(last_at), \
     last_status = VALUES(last_status), last_note = VALUES(last_note), \
     last_ms = VALUES(last_ms)";

/// What becomes of counts that are there already; the end of [`COUNTS_PUT`].
pub(crate) const COUNTS_ADD: &str = " ON DUPLICATE KEY UPDATE n = n + VALUES(n)";

/// The end of [`DELIVERIES_AMONG`].
pub(crate) const DELIVERIES_LIMIT: &str = " n JOIN deliveries d ON d.id = n.id JOIN journal j ON j.seq = d.id >> 6 \
     ORDER BY d.id LIMIT ?";

/// What becomes of figures that are there already; the end of [`REPORT_ADD`].
pub(crate) const REPORT_SUM: &str = " ON DUPLICATE KEY UPDATE \
     participations = participations + VALUES(participations), \
     rewards = rewards + VALUES(rewards), \
     reversals = reversals + VALUES(reversals), \
     payout = payout + VALUES(payout), \
     reward_value = reward_value + VALUES(reward_value), \
     publisher_share = publisher_share + VALUES(publisher_share), \
     margin = margin + VALUES(margin), \
     points = points + VALUES(points)";

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
    WRITERS_CLEAN = "DELETE FROM writers WHERE seen_at < (UNIX_TIMESTAMP() - 2592000) * 1000",
        walks "one row a node that writes, once a start";
    /// Notes a writer's newest group, in the transaction of the group.
    WRITER_PUT [Name, Written] =
        "INSERT INTO writers (writer, group_no, seen_at) \
         VALUES (?, ?, UNIX_TIMESTAMP() * 1000) ON DUPLICATE KEY UPDATE \
         group_no = VALUES(group_no), seen_at = VALUES(seen_at)";
    /// A writer's newest group.
    WRITER_GROUP [Name] =
        "SELECT group_no FROM writers WHERE writer = ?";

    /// Whose turn it is: what every transaction of the state locks first.
    HEAD_LOCK = "SELECT phase, moved_to, head, touched, is_total, run_no FROM state_head \
                 WHERE id = 1 FOR UPDATE";
    /// The same, to look at.
    HEAD = "SELECT phase, moved_to, head, touched, is_total, run_no FROM state_head WHERE id = 1";
    /// The head after a group; the guard is the place that the group began with.
    HEAD_SET [Written, Written, Written, Written, Written, Written, Seq] =
        "UPDATE state_head SET phase = ?, moved_to = ?, head = ?, touched = ?, \
         is_total = ?, run_no = ? WHERE id = 1 AND head = ?";
    /// Which state the database has.
    IDENTITY = "SELECT identity FROM state_head WHERE id = 1";
    /// The same, the phase and the run, for somebody who may write it in turn with all who write.
    IDENTITY_LOCK = "SELECT phase, moved_to, identity, run_no FROM state_head WHERE id = 1 \
                     FOR UPDATE";
    /// Says it.
    IDENTITY_SET [Name] =
        "UPDATE state_head SET identity = ? WHERE id = 1";
    /// Forgets the older notes of touched users.
    TOUCHED_FORGET [Nothing] =
        "DELETE FROM touched_users WHERE note <= ?";
    /// The oldest note and the newest.
    TOUCHED_ENDS = "SELECT MIN(note), MAX(note) FROM touched_users";
    /// Notes users that were touched.
    TOUCHED_PUT [Written, User] =
        "INSERT INTO touched_users (note, user_key) VALUES ",
        then ["(?, ?)"];
         /// Users that were touched, in order of the notes.
         TOUCHED_READ [Nothing, Page] = "SELECT note, user_key FROM touched_users WHERE note > ? ORDER BY note LIMIT ?";

    /// The one read of a request.
    USER_LOAD [User] =
        "SELECT version, chain, state FROM users WHERE user_key = ?";
    /// What the commits of a group compare with.
    USERS_HEADS [User] =
        "SELECT user_key, version, change_id FROM users WHERE user_key IN (?)";
    /// Writes users, new ones and known ones.
    USERS_PUT [User, Written, Name, Name, Now, Name] =
        "INSERT INTO users (user_key, version, change_id, chain, due_at, state) VALUES ",
        then ["(?, ?, ?, ?, ?, ?)", USERS_SET];
         /// Users for whom time alone changes something.
         USERS_DUE [Now, Page] = "SELECT user_key FROM users FORCE INDEX (users_due) WHERE due_at <= ? \
         ORDER BY due_at, user_key LIMIT ?";
    /// Users whose keys lie between two.
    USERS_BETWEEN [User, UserLater] =
        "SELECT version, chain, state FROM users \
         WHERE user_key BETWEEN ? AND ? ORDER BY user_key";
    /// Users in order of their keys.
    USERS_SCAN [User, Page] =
        "SELECT version, chain, state, user_key, change_id FROM users \
         WHERE user_key > ? ORDER BY user_key LIMIT ?";
    /// Some users.
    USERS_OF [User] =
        "SELECT version, chain, state, user_key, change_id FROM users WHERE user_key IN ",
        then ["(?)"];

         /// Appends records.
         JOURNAL_PUT [Written, User, Name, Name] = "INSERT INTO journal (seq, user_key, chain, body) VALUES ",
        then ["(?, ?, ?, ?)"];
         /// Records in order.
         JOURNAL_READ [Seq, Page] = "SELECT seq, chain, body FROM journal WHERE seq > ? ORDER BY seq LIMIT ?";
    /// A user's records, newest first.
    LEDGER [User, SeqEnd, Page] =
        "SELECT seq, chain, body FROM journal FORCE INDEX (journal_user) WHERE user_key = ? AND seq < ? \
         ORDER BY seq DESC LIMIT ?";

    /// Budgets with their latest days.
    BUDGETS_OF [LineItem] = level_select!(" AND d.day = b.latest_day", "b.latest_day", " WHERE b.line_item IN (?)");
    /// All budgets that were ever set, with their latest days.
    BUDGETS_SET = level_select!(
        " AND d.day = b.latest_day",
        "b.latest_day",
        " WHERE b.is_set = 1 ORDER BY b.line_item"
    ),
        walks "one row a line item, once for each snapshot of the catalogue, once a minute, and never for a request";
    /// Those of them that have changed.
    BUDGETS_CHANGED [Seq] = level_select!(
        " AND d.day = b.latest_day",
        "b.latest_day",
        " WHERE b.changed > ? AND b.is_set = 1",
        " FORCE INDEX (budgets_changed)"
    );
    /// All budgets with all their days.
    BUDGETS_WHOLE = level_select!("", "d.day", " ORDER BY b.line_item, d.day"),
        walks "a move reads all budgets, one row a line item and day, once",
        sorts "a move reads all budgets once, and no index leads over two tables";
    /// Days of budgets.
    DAYS_OF [LineItem, Day] =
        "SELECT line_item, day, booked, held, started FROM budget_days \
         WHERE line_item IN (?) AND day IN (?)";
    /// Writes days.
    DAYS_PUT [LineItem, Day, Written, Written, Written] =
        "INSERT INTO budget_days (line_item, day, booked, held, started) VALUES ",
        then ["(?, ?, ?, ?, ?)", DAYS_SET];
         /// Writes new budgets.
         BUDGETS_PUT [LineItem, Written, Written, Written, Written, Written, Written, Written, Written, Written, Written, Written] = "INSERT INTO budgets (line_item, is_set, total, daily, grace, starts, \
         daily_starts, booked, held, started, latest_day, changed) VALUES ",
        then ["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"];
         /// Writes a budget that is there already; the guard is what it was read as.
         BUDGET_SET [Written, Written, Written, Written, Written, Written, Written, Written, Written, Written, Written, LineItem, Written, Written, Written] = "UPDATE budgets SET is_set = ?, total = ?, daily = ?, grace = ?, starts = ?, \
         daily_starts = ?, booked = ?, held = ?, started = ?, latest_day = ?, \
         changed = ? WHERE line_item = ? AND booked = ? AND held = ? AND started = ?";

    /// Deliveries by their ids.
    DELIVERIES_BY_ID [Delivery] =
        concat!("SELECT ", delivery_columns!(), " FROM deliveries d WHERE d.delivery_id IN (?)");
    /// The grants that deliveries wait for.
    DELIVERIES_BEFORE [Delivery] = concat!(
        "SELECT ", delivery_columns!(), " FROM deliveries w \
         JOIN deliveries d ON d.id = w.waits_for WHERE w.delivery_id IN (?)"
    );
    /// The reversals that wait for deliveries. Nearly all wait for none, which the server takes for many
    /// that wait for the same; so it is told where to begin.
    DELIVERIES_BEHIND [Delivery] = concat!(
        "SELECT ", delivery_columns!(), " FROM deliveries g \
         STRAIGHT_JOIN deliveries d FORCE INDEX (deliveries_waiting) ON d.waits_for = g.id \
         WHERE g.delivery_id IN (?)"
    );
    /// Writes new deliveries.
    DELIVERIES_NEW [DeliveryNumber, Delivery, App, Mode, State, Written, Written, Written, Written, Written, Written, Written, Written, Written, Written, Written] = deliveries_insert!(),
        then ["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"];
    /// Writes deliveries that are there already.
    DELIVERIES_PUT [DeliveryNumber, Delivery, App, Mode, State, Written, Written, Written, Written, Written, Written, Written, Written, Written, Written, Written] = deliveries_insert!(),
        then ["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", DELIVERIES_SET];
    /// Moves counts.
    COUNTS_PUT [State, Written] =
        "INSERT INTO delivery_counts (state, n) VALUES ",
        then ["(?, ?)", COUNTS_ADD];
         /// Every endpoint that ever had a delivery, with the earliest moment at which one is ready; read
         /// by jumps over the index, not by going through it.
         ENDPOINTS = "SELECT app, mode, MIN(ready_at) FROM deliveries GROUP BY app, mode";
    /// What an endpoint can be sent now, oldest first.
    ENDPOINT_READY [App, Mode, Now, Page] =
        "(SELECT app, mode, ready_at, id, delivery_id FROM deliveries \
         FORCE INDEX (deliveries_ready) WHERE app = ? AND mode = ? AND ready_at <= ? \
         ORDER BY ready_at, id LIMIT ?)";
    /// The records that some messages were born in.
    DELIVERY_WORDS [DeliveryNumber] =
        "SELECT d.id, j.user_key, j.body FROM deliveries d \
         JOIN journal j ON j.seq = d.id >> 6 WHERE d.id IN ",
        then ["(?)"];
    /// Some deliveries with their words.
    DELIVERIES_WHOLE [Delivery] = concat!(delivery_select!(), " WHERE d.delivery_id IN (?)");
         /// Deliveries with their words, in order of their booking; the numbers of some follow.
         DELIVERIES_AMONG [App, Mode, State, DeliveryNumber, DeliveryLast, Delivery, Page, Page] =
         concat!("SELECT ", delivery_columns!(), ", j.user_key, j.body FROM "),
        then ["(", NUMBERS_IN_STATE, ")", DELIVERIES_LIMIT],
        sorts "a page is merged from one page of each state";
    /// The numbers of an app's deliveries in a state, in order of their booking.
    NUMBERS_IN_STATE [App, Mode, State, DeliveryNumber, DeliveryLast, Delivery, Page] =
        "(SELECT id FROM deliveries FORCE INDEX (deliveries_state) \
         WHERE app = ? AND mode = ? AND state = ? \
         AND id >= ? AND (id > ? OR delivery_id > ?) ORDER BY id LIMIT ?)";
    /// Deliveries of an app in a state that were booked in a time.
    DELIVERIES_BOOKED [App, Mode, State, BookedFrom, Now, Nothing, Page] =
        "SELECT id, delivery_id FROM deliveries FORCE INDEX (deliveries_state) \
         WHERE app = ? AND mode = ? AND state = ? \
         AND booked_at >= ? AND booked_at < ? AND id > ? ORDER BY id LIMIT ?",
        walks "an operator's replay passes over what was booked at other times; an index for that would be written with every delivery";
    /// Deliveries that are not in their first state any more, in order of their booking.
    DELIVERIES_MOVED [DeliveryNumber, DeliveryLast, Delivery, Page] = concat!(
        delivery_select!(),
        " WHERE d.id >= ? AND (d.id > ? OR d.delivery_id > ?) \
         AND (d.state <> 0 OR d.fence > 0) ORDER BY d.id LIMIT ?"
    ),
        walks "a move reads all deliveries in order, and passes over those that are as they were born";
    /// The same of some.
    DELIVERIES_OF [Delivery] = concat!(
        delivery_select!(),
        " WHERE (d.state <> 0 OR d.fence > 0) AND d.delivery_id IN "
    ),
        then ["(?)"];
    /// How many deliveries are in each state; then every endpoint that ever had a delivery, with the
    /// earliest moment at which one is ready.
    BACKLOG = "SELECT 0, CAST(state AS SIGNED), 0, n FROM delivery_counts UNION ALL \
               SELECT 1, CAST(app AS SIGNED), CAST(mode AS SIGNED), MIN(ready_at) \
               FROM deliveries GROUP BY app, mode",
        walks "five rows, one a state; the endpoints are read by jumps",
        sorts "five rows, and one an endpoint";
    /// The earliest moment, from one on, at which an endpoint can be sent something that is not
    /// behind its grant.
    ENDPOINT_EARLIEST [App, Mode, Nothing] =
        "(SELECT d.ready_at FROM deliveries d FORCE INDEX (deliveries_ready) \
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
    CATALOG_STATE_SET [Name] =
        "UPDATE catalog_head SET state = ? WHERE id = 1";
    /// The revision after an edit.
    CATALOG_SET [Revision] =
        "UPDATE catalog_head SET revision = ? WHERE id = 1";
    /// The whole catalogue as of one moment, deleted rows included: a statement has one view. Every
    /// number is cast, because servers differ in what they make of columns of different types.
    CATALOG_WHOLE = concat!(catalog_head_select!(),
                     "UNION ALL SELECT CAST(1 AS UNSIGNED), '', CAST(mission AS UNSIGNED), \
                     CAST(version AS UNSIGNED), CAST(0 AS UNSIGNED), body FROM mission_versions \
                     UNION ALL SELECT CAST(2 AS UNSIGNED), kind, CAST(id AS UNSIGNED), \
                     CAST(0 AS UNSIGNED), CAST(deleted AS UNSIGNED), body FROM catalog"),
        walks "the catalogue is read whole, once for each revision";
    /// What of it is newer than a revision, in the same form, and which edit led to that revision.
    CATALOG_NEWER [Revision, Revision, MissionKind, Revision] =
        concat!(catalog_head_select!(),
         "UNION ALL SELECT CAST(3 AS UNSIGNED), '', CAST(0 AS UNSIGNED), CAST(0 AS UNSIGNED), \
         CAST(0 AS UNSIGNED), edit FROM catalog_history WHERE revision = ? \
         UNION ALL SELECT CAST(1 AS UNSIGNED), '', CAST(v.mission AS UNSIGNED), \
         CAST(v.version AS UNSIGNED), CAST(0 AS UNSIGNED), v.body \
         FROM catalog c FORCE INDEX (catalog_revision) STRAIGHT_JOIN mission_versions v \
         ON v.mission = c.id WHERE c.revision > ? AND c.kind = ? \
         UNION ALL SELECT CAST(2 AS UNSIGNED), kind, CAST(id AS UNSIGNED), CAST(0 AS UNSIGNED), \
         CAST(deleted AS UNSIGNED), body FROM catalog FORCE INDEX (catalog_revision) \
         WHERE revision > ?");
    /// Creates or replaces rows.
    CATALOG_PUT [EntityKind, EntityId, Revision, Written, Text] =
        "REPLACE INTO catalog (kind, id, revision, deleted, body) VALUES ",
        then ["(?, ?, ?, ?, ?)"];
         /// Removes a row from sight.
         CATALOG_DELETE [Revision, EntityKind, EntityId] = "UPDATE catalog SET deleted = 1, revision = ? \
         WHERE kind = ? AND id = ? AND deleted = 0";
    /// Every version of some missions.
    VERSIONS_OF [Mission] =
        "SELECT mission, version, body FROM mission_versions WHERE mission IN ",
        then ["(?)"];
         /// Which of some missions are not deleted.
         MISSIONS_LIVE [MissionKind, Mission] = "SELECT id FROM catalog WHERE kind = ? AND deleted = 0 AND id IN ",
        then ["(?)"];
         /// Keeps versions of missions.
         VERSION_PUT [Mission, Written, Text] = "INSERT INTO mission_versions (mission, version, body) VALUES ",
        then ["(?, ?, ?)"];
         /// Remembers edits.
         HISTORY_PUT [Revision, Now, Text, Text, Text] = "INSERT INTO catalog_history (revision, saved_at, author, summary, edit) VALUES ",
        then ["(?, ?, ?, ?, ?)"];
         /// Which edit led to a revision.
         HISTORY_EDIT [Revision] = "SELECT edit FROM catalog_history WHERE revision = ?";
    /// Edits, newest first.
    HISTORY_READ [RevisionEnd, Page] =
        "SELECT revision, saved_at, author, summary FROM catalog_history \
         WHERE revision < ? ORDER BY revision DESC LIMIT ?";

    /// How far the journal is in the reports.
    REPORT_PLACE = "SELECT place FROM report_head WHERE id = 1";
    /// The same for somebody who is about to add: additions take turns.
    REPORT_LOCK = "SELECT place FROM report_head WHERE id = 1 FOR UPDATE";
    /// The place after an addition.
    REPORT_SET [Seq] =
        "UPDATE report_head SET place = ? WHERE id = 1";
    /// Adds to the figures of days.
    REPORT_ADD [Day, LineItem, App, Written, Written, Written, Written, Written, Written, Written, Written] =
        "INSERT INTO report_days (day, line_item, app, participations, rewards, reversals, \
         payout, reward_value, publisher_share, margin, points) VALUES ",
        then ["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", REPORT_SUM];
         /// The figures of some days.
         REPORT_READ [Day, DayLater] = "SELECT day, line_item, app, participations, rewards, reversals, payout, \
         reward_value, publisher_share, margin, points FROM report_days \
         WHERE day BETWEEN ? AND ? ORDER BY day, line_item, app";
    /// Forgets all figures.
    REPORT_CLEAR = "DELETE FROM report_days",
        walks "the reports are derived anew from the journal";

    /// The steps of the schema that were begun, with how much of each is done.
    STEPS_READ = "SELECT step, done, of_all FROM schema_steps ORDER BY step",
        walks "one row a step of the schema",
        sorts "one row a step of the schema";
    /// Notes how much of a step is done.
    STEP_NOTE [Written, Written, Written] =
        "INSERT INTO schema_steps (step, done, of_all) VALUES (?, ?, ?) \
         ON DUPLICATE KEY UPDATE done = VALUES(done), of_all = VALUES(of_all)";
    /// Keeps a second migrator away; the server lets go when the session ends.
    STEPS_LOCK [Nothing] =
        "SELECT GET_LOCK(CONCAT('guerdon.', SHA1(DATABASE())), ?)";
    /// Lets a second migrator in.
    STEPS_UNLOCK = "SELECT RELEASE_LOCK(CONCAT('guerdon.', SHA1(DATABASE())))";
    /// Marks the database for others to see, and says with what; the server lets go when the session
    /// ends.
    MARK = "SELECT CAST(CONNECTION_ID() AS CHAR), \
            GET_LOCK(CONCAT('one.', LEFT(SHA1(DATABASE()), 32), '.', CONNECTION_ID()), 0)";
    /// Whether the session of that number has marked the database.
    MARK_SEEN [Written, Written] =
        "SELECT IS_USED_LOCK(CONCAT('one.', LEFT(SHA1(DATABASE()), 32), '.', ?)) = ?";
    /// Which tables there are.
    TABLES = "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
              WHERE table_schema = DATABASE() ORDER BY 1",
        walks "the server looks into its own dictionary",
        sorts "the server looks into its own dictionary";
    /// Whether a table is there.
    HAS_TABLE [Table] =
        "SELECT COUNT(*) FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name = ?",
        walks "the server looks into its own dictionary",
        sorts "the server looks into its own dictionary";
    /// Whether a column is there.
    HAS_COLUMN [Table, Column] =
        "SELECT COUNT(*) FROM information_schema.columns \
         WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?",
        walks "the server looks into its own dictionary",
        sorts "the server looks into its own dictionary";
    /// Whether an index is there.
    HAS_INDEX [Table, Index] =
        "SELECT COUNT(*) FROM information_schema.statistics \
         WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?",
        walks "the server looks into its own dictionary",
        sorts "the server looks into its own dictionary";

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
                     AND collation_name IS NOT NULL AND collation_name <> 'utf8mb4_bin' ORDER BY 1",
        walks "the server looks into its own dictionary",
        sorts "the server looks into its own dictionary";
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
