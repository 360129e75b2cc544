//! What is asked all the time is found by an index, from where it begins, in tables of some size.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use services::MariaDb;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, Row as _};
use store_mysql::{Options, STATEMENTS, migrate};

/// Two apps with 20,000 deliveries each, of which one in fifty is open, and their records.
const FILL: &str = "
    INSERT INTO deliveries (id, delivery_id, app, mode, state, attempts, booked_at, due_at,
                            ready_at, fence)
    SELECT seq * 64, UNHEX(MD5(seq)), 1 + seq % 2, 0, IF(seq % 50 = 0, 0, 3), 1, seq, NULL,
           IF(seq % 50 = 0, seq, NULL), 1 FROM seq_1_to_40000;
    INSERT INTO journal (seq, user_key, chain, body)
    SELECT seq, UNHEX(MD5(seq % 1000)), UNHEX(MD5(seq)), REPEAT('x', 300) FROM seq_1_to_40000;
    INSERT INTO users (user_key, version, change_id, chain, due_at, state)
    SELECT UNHEX(MD5(seq)), 1, UNHEX(MD5(seq)), UNHEX(MD5(seq)), IF(seq % 3 = 0, seq, NULL),
           REPEAT('x', 300) FROM seq_1_to_40000;
    ANALYZE TABLE deliveries, journal, users;
";

/// How a table is read: the kind of access, the index, and the bytes of it that narrow the search.
type Access = (String, String, String);

#[tokio::test]
async fn what_is_asked_all_the_time_goes_by_an_index() {
    let server = MariaDb::start().unwrap();
    let url = server.url("plans");
    migrate(&url, Options::default(), &mut |_| {}).await.unwrap();
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    conn.execute(FILL).await.unwrap();
    let key = "UNHEX(MD5(5))";
    for (name, values, wanted) in [
        ("USER_LOAD", &[key][..], ("const", "PRIMARY", "16")),
        ("USERS_DUE", &["9000", "100"], ("range", "users_due", "9")),
        ("LEDGER", &[key, "30000", "20"], ("range", "journal_user", "25")),
        ("JOURNAL_READ", &["20000", "100"], ("range", "PRIMARY", "8")),
        ("DELIVERIES_BY_ID", &[key], ("const", "deliveries_id", "16")),
        ("ENDPOINTS", &[], ("range", "deliveries_ready", "14")),
        ("ENDPOINT_READY", &["1", "0", "30000", "50"], ("range", "deliveries_ready", "14")),
        ("ENDPOINT_EARLIEST", &["1", "0", "100"], ("range", "deliveries_ready", "14")),
        (
            "NUMBERS_IN_STATE",
            &["1", "0", "3", "640000", "640063", key, "100"],
            ("range", "deliveries_state", "14"),
        ),
        (
            "DELIVERIES_BOOKED",
            &["1", "0", "3", "100", "39000", "640000", "500"],
            ("range", "deliveries_state", "14"),
        ),
    ] {
        let (kind, index, bytes) = access(&mut conn, name, values).await;
        assert_eq!((&*kind, &*index, &*bytes), wanted, "{name}");
    }
}

/// How the server says that it reads the first table of a statement with these values.
async fn access(conn: &mut MySqlConnection, name: &str, values: &[&str]) -> Access {
    let statement = STATEMENTS.iter().find(|statement| statement.name == name).unwrap();
    let mut text = "EXPLAIN ".to_owned();
    let mut values = values.iter();
    for part in statement.text.split_inclusive('?') {
        match part.strip_suffix('?') {
            Some(part) => text.extend([part, values.next().unwrap()]),
            None => text.push_str(part),
        }
    }
    let row = conn.fetch_one(AssertSqlSafe(text)).await.unwrap();
    (row.get("type"), row.get("key"), row.get("key_len"))
}
