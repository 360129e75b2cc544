//! What a line of SQLite's plan means.

use store::explain::Does;

/// Lines that only stand above others.
const GROUPS: [&str; 15] = [
    "COMPOUND QUERY",
    "LEFT-MOST SUBQUERY",
    "UNION ALL",
    "CO-ROUTINE",
    "SCALAR SUBQUERY",
    "CORRELATED SCALAR SUBQUERY",
    "LIST SUBQUERY",
    "CORRELATED LIST SUBQUERY",
    "MULTI-INDEX OR",
    "INDEX ",
    "SCAN CONSTANT ROW",
    // What a subquery gives is gone through as it comes; its own lines say what that takes.
    "SCAN (subquery",
    "REUSE LIST SUBQUERY",
    "BLOOM FILTER ON ",
    "CREATE BLOOM FILTER",
];

/// What a line says; `None` if it says nothing by itself.
pub(super) fn read(line: &str) -> Option<Does> {
    if GROUPS.iter().any(|group| line.starts_with(group)) {
        return None;
    }
    if line.contains("AUTOMATIC") {
        return Some(Does::MakesIndex);
    }
    if line.starts_with("SEARCH ") {
        return Some(Does::Search);
    }
    if line.starts_with("SCAN ") {
        return Some(Does::Scan { rows: None, had_index: false });
    }
    if line.starts_with("USE TEMP B-TREE FOR") {
        let is_sort = line.contains("ORDER BY");
        return Some(if is_sort { Does::Sort } else { Does::Temporary });
    }
    if line.starts_with("MATERIALIZE") || line.starts_with("UNION USING TEMP B-TREE") {
        return Some(Does::Temporary);
    }
    Some(Does::Unknown)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    const SCAN: Does = Does::Scan { rows: None, had_index: false };

    /// The lines as the SQLite of this release gives them.
    #[test]
    fn real_plans_are_read() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER, m INTEGER); \
             CREATE INDEX a_n ON a (n); CREATE TABLE b (x INTEGER, y INTEGER)",
        )
        .unwrap();
        for (text, wanted) in [
            ("SELECT m FROM a WHERE id = 1", &[Does::Search][..]),
            ("SELECT m FROM a WHERE n = 1 ORDER BY id LIMIT 2", &[Does::Search]),
            ("SELECT m FROM a WHERE m = 1", &[SCAN]),
            ("SELECT n FROM a", &[SCAN]),
            ("SELECT max(id) FROM a", &[Does::Search]),
            ("SELECT m FROM a WHERE n = 1 ORDER BY m", &[Does::Search, Does::Sort]),
            ("SELECT m, count(*) FROM a WHERE n = 1 GROUP BY m", &[Does::Search, Does::Temporary]),
            ("SELECT DISTINCT m FROM a WHERE n > 1", &[Does::Search, Does::Temporary]),
            ("SELECT * FROM b p JOIN b q ON p.x = q.y", &[SCAN, Does::MakesIndex]),
            ("SELECT m FROM a WHERE n = 1 UNION SELECT 2", &[Does::Search, Does::Temporary]),
            ("SELECT m FROM a WHERE id IN (SELECT x FROM b)", &[Does::Search, SCAN]),
            ("SELECT m FROM a WHERE id = 1 OR n = 2", &[Does::Search, Does::Search]),
            (
                "SELECT * FROM (SELECT n FROM a WHERE n > 1 ORDER BY n LIMIT 1) \
                 UNION ALL SELECT * FROM (SELECT n FROM a WHERE m = 1 LIMIT 1) LIMIT 1",
                &[Does::Search, SCAN],
            ),
            ("DELETE FROM a WHERE m = 1", &[SCAN]),
            ("UPDATE a SET m = 2 WHERE id = 1", &[Does::Search]),
            ("INSERT INTO b VALUES (1, 2)", &[]),
            ("BEGIN", &[]),
        ] {
            let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
            let lines = explain.query_map([], |row| row.get::<_, String>(3)).unwrap();
            let lines: Vec<String> = lines.map(Result::unwrap).collect();
            let found: Vec<Does> = lines.iter().filter_map(|line| read(line)).collect();
            assert_eq!(found, wanted, "{text}: {lines:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_taken_for_a_search() {
        assert_eq!(read("LEAP OVER a"), Some(Does::Unknown));
    }
}
