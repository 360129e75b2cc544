//! Every statement is explained and judged, in tables of some size, and what goes wrong is seen.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use services::MariaDb;
use sqlx::{Connection as _, Executor as _, MySqlConnection};
use store::contract::sample::NOW;
use store::explain::{Explained, Kind, Verdict};
use store_mysql::{Options, STATEMENTS, explain, migrate};

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
    INSERT INTO budgets SELECT seq, 1, 100, NULL, 0, NULL, NULL, 1, 1, 1, 20000, seq * 80 FROM seq_1_to_500;
    INSERT INTO budget_days SELECT b.seq, 19990 + d.seq, 1, 1, 1 FROM seq_1_to_500 b, seq_1_to_10 d;
    INSERT INTO report_days SELECT 19000 + d.seq, b.seq, 1, 1, 1, 1, 1, 1, 1, 1, 1
    FROM seq_1_to_500 b, seq_1_to_40 d;
    INSERT INTO mission_versions SELECT seq, 1, '{}' FROM seq_1_to_1500;
    INSERT INTO catalog SELECT 'mission', seq, 1, 0, '' FROM seq_1_to_1500;
    INSERT INTO catalog_history SELECT seq, seq, 'ann', '', '' FROM seq_1_to_1000;
    UPDATE catalog_head SET revision = 1000;
    UPDATE state_head SET head = 40000;
    UPDATE report_head SET place = 40000;
    ANALYZE TABLE deliveries, journal, users, budgets, budget_days, report_days, mission_versions,
                  catalog, catalog_history;
";

async fn filled(server: &MariaDb, name: &str) -> (String, MySqlConnection) {
    let url = server.url(name);
    migrate(&url, Options::default(), &mut |_| {}).await.unwrap();
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    conn.execute(FILL).await.unwrap();
    (url, conn)
}

/// What is bad, with the word for it.
fn bad(all: &[Explained]) -> Vec<(&'static str, String)> {
    let of = |one: &Explained| -> Vec<_> {
        let bad = one.judge().into_iter().filter(|found| found.verdict == Verdict::Bad);
        bad.map(|found| (one.name, found.words)).collect()
    };
    all.iter().flat_map(of).collect()
}

#[tokio::test]
async fn every_statement_is_explained_and_none_is_bad() {
    let server = MariaDb::start().unwrap();
    let (url, _) = filled(&server, "plans").await;
    let sums = "CHECKSUM TABLE plans.users, plans.journal, plans.deliveries, plans.state_head, \
                plans.writers, plans.budgets, plans.catalog, plans.report_days";
    let before = server.sql(sums).unwrap();
    let all = explain(&url, NOW).await.unwrap();
    assert_eq!(bad(&all), []);
    assert_eq!(server.sql(sums).unwrap(), before, "nothing is written");
    assert!(all.iter().map(|one| one.name).eq(STATEMENTS.iter().map(|one| one.name)));
    for one in &all {
        assert!(!one.purpose.is_empty(), "{} says what it is for", one.name);
        assert_eq!(one.facts.unknown, None, "{}", one.name);
        let is_read = one.kind == Kind::Read;
        assert_eq!(one.facts.cost.is_some(), is_read, "{}: only what reads is run", one.name);
        assert!(!is_read || !one.facts.steps.is_empty(), "{}", one.name);
    }
    let returned = |name: &str| {
        let one = all.iter().find(|one| one.name == name).unwrap();
        one.facts.cost.unwrap().returned
    };
    for (name, count) in
        [("USER_LOAD", 1.0), ("JOURNAL_READ", 100.0), ("DELIVERIES_WHOLE", 1.0), ("DAYS_OF", 1.0)]
    {
        assert_eq!(returned(name), count, "{name} has values that are there");
    }
}

#[tokio::test]
async fn a_lost_index_is_seen() {
    let server = MariaDb::start().unwrap();
    let (url, mut conn) = filled(&server, "lost").await;
    for (lose, wanted) in [
        ("ALTER TABLE deliveries DROP INDEX deliveries_waiting", &["DELIVERIES_BEHIND"][..]),
        ("ALTER TABLE budget_days DROP PRIMARY KEY", &["DAYS_OF"]),
        (
            "ALTER TABLE deliveries DROP INDEX deliveries_id",
            &["DELIVERIES_BY_ID", "DELIVERIES_WHOLE"],
        ),
    ] {
        conn.execute(lose).await.unwrap();
        let bad = bad(&explain(&url, NOW).await.unwrap());
        for name in wanted {
            assert!(bad.iter().any(|found| found.0 == *name), "{lose}: {name} in {bad:?}");
        }
    }
}
