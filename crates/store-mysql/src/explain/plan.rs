//! What a plan of MariaDB or MySQL means. Both nest their steps in JSON, under different names.

use serde_json::{Map, Value};
use store::explain::{Does, Step};

use crate::codec::corrupt;
use crate::error::Failure;

/// A plan, and how many rows were examined if it was carried out.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) examined: f64,
}

/// Reads `EXPLAIN FORMAT=JSON`, and MariaDB's `ANALYZE FORMAT=JSON`.
pub(super) fn from_json(text: &str) -> Result<Plan, Failure> {
    let value: Value = serde_json::from_str(&mended(text)).map_err(|why| corrupt("plan", why))?;
    let mut plan = Plan::default();
    plan.take(&value);
    Ok(plan)
}

/// The text without its conditions. MariaDB writes the values in them as they are, quotation marks and
/// bytes of any kind included, which is no JSON; each stands on one line.
fn mended(text: &str) -> String {
    let mend = |line: &str| match line.split_once("condition\": \"") {
        Some((name, rest)) if name.trim_start().starts_with('"') => {
            let comma = if rest.ends_with(',') { "," } else { "" };
            format!("{name}condition\": \"\"{comma}\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(mend).collect()
}

/// Rows that were examined, by MySQL's `EXPLAIN ANALYZE`: what its accesses to tables have given.
pub(super) fn examined_in_tree(text: &str) -> f64 {
    let accesses = text.lines().filter(|line| is_access(line));
    accesses.filter_map(|line| Some(after(line, " rows=")? * after(line, "loops=")?)).sum()
}

fn is_access(line: &str) -> bool {
    let has = |words: &str| line.contains(words);
    let is_table = (has("can on ") || has("ookup on ")) && !has("can on <");
    is_table || has("Rows fetched before execution")
}

/// The number behind the last of some words.
fn after(line: &str, words: &str) -> Option<f64> {
    let (_, rest) = line.rsplit_once(words)?;
    let end = rest.find(|c: char| !matches!(c, '0'..='9' | '.' | 'e' | '+' | '-'));
    rest[..end.unwrap_or(rest.len())].parse().ok()
}

impl Plan {
    fn take(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => self.take_object(fields),
            Value::Array(values) => values.iter().for_each(|value| self.take(value)),
            _ => {}
        }
    }

    fn take_object(&mut self, fields: &Map<String, Value>) {
        for (name, value) in fields {
            let is_so = value.is_object() || value == &Value::Bool(true);
            match name.as_str() {
                "filesort" | "using_filesort" if is_so => {
                    let key = value.get("sort_key").and_then(Value::as_str);
                    let words = key.map_or("filesort".to_owned(), |key| format!("filesort {key}"));
                    self.steps.push(Step::new(words, Does::Sort));
                }
                "temporary_table" | "using_temporary_table" if is_so => {
                    self.steps.push(Step::new("temporary table", Does::Temporary));
                }
                "table" => self.take_table(value),
                _ => {}
            }
            self.take(value);
        }
    }

    fn take_table(&mut self, table: &Value) {
        if let Some(words) = table.get("message").and_then(Value::as_str) {
            let does = match words {
                "Deleting all rows" => Does::Scan { rows: None, had_index: false },
                _ => Does::Search,
            };
            self.steps.push(Step::new(words, does));
            return;
        }
        let Some(access) = table.get("access_type").and_then(Value::as_str) else { return };
        let is_new = |word| table.get(word) == Some(&Value::Bool(true));
        if is_new("insert") || is_new("replace") {
            return;
        }
        let name = table.get("table_name").and_then(Value::as_str).unwrap_or_default();
        let rows = ["rows", "rows_examined_per_scan"].iter().find_map(|name| number(table, name));
        let does = match access {
            _ if name.starts_with('<') => Does::Temporary,
            "ALL" | "index" => Does::Scan { rows, had_index: table.get("possible_keys").is_some() },
            _ => Does::Search,
        };
        if does != Does::Temporary {
            self.examined += examined(table, access);
        }
        self.steps.push(Step::new(words_of(table, name, access, rows), does));
    }
}

/// Rows that one table has given, in all rounds. A row that was read before it began has no count.
fn examined(table: &Value, access: &str) -> f64 {
    match (number(table, "r_rows"), number(table, "r_loops")) {
        (Some(rows), Some(loops)) => rows * loops,
        _ if matches!(access, "const" | "system") => 1.0,
        _ => 0.0,
    }
}

/// A number, which may stand as text.
fn number(value: &Value, name: &str) -> Option<f64> {
    let value = value.get(name)?;
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn words_of(table: &Value, name: &str, access: &str, rows: Option<f64>) -> String {
    let mut words = format!("{name}: {access}");
    if let Some(key) = table.get("key").and_then(Value::as_str) {
        let parts = table.get("used_key_parts").and_then(Value::as_array);
        let parts: Vec<_> = parts.into_iter().flatten().filter_map(Value::as_str).collect();
        words.push_str(&format!(" {key} ({})", parts.join(", ")));
    }
    if let Some(rows) = rows {
        words.push_str(&format!(", about {rows} rows"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What MariaDB 10.11 and, by its manual, MySQL 8.0 answer, without times and costs.
    fn read(text: &str) -> (Vec<(String, Does)>, f64) {
        let plan = from_json(text).unwrap();
        let step = |step: Step| (step.words, step.does);
        (plan.steps.into_iter().map(step).collect(), plan.examined)
    }

    fn scan(rows: f64, had_index: bool) -> Does {
        Does::Scan { rows: Some(rows), had_index }
    }

    fn words(pairs: &[(&str, Does)]) -> Vec<(String, Does)> {
        pairs.iter().map(|(words, does)| ((*words).to_owned(), *does)).collect()
    }

    #[test]
    fn a_row_by_its_key() {
        let (steps, examined) = read(
            r#"{"query_block": {"select_id": 1, "r_loops": 1, "nested_loop": [{"table": {
                "table_name": "a", "access_type": "const", "possible_keys": ["PRIMARY"],
                "key": "PRIMARY", "key_length": "8", "used_key_parts": ["id"], "ref": ["const"],
                "r_loops": 0, "rows": 1, "r_rows": null, "filtered": 100, "r_filtered": null}}]}}"#,
        );
        assert_eq!(steps, words(&[("a: const PRIMARY (id), about 1 rows", Does::Search)]));
        assert_eq!(examined, 1.0);
    }

    #[test]
    fn a_full_scan_and_what_it_examined() {
        let (steps, examined) = read(
            r#"{"query_block": {"select_id": 1, "r_loops": 1, "nested_loop": [{"table": {
                "table_name": "a", "access_type": "ALL", "r_loops": 1, "rows": 19840,
                "r_rows": 20000, "filtered": 100, "r_filtered": 14.285,
                "attached_condition": "a.m = 5"
                }}]}}"#,
        );
        assert_eq!(steps, words(&[("a: ALL, about 19840 rows", scan(19_840.0, false))]));
        assert_eq!(examined, 20_000.0);
    }

    #[test]
    fn a_filesort_over_an_index() {
        let (steps, examined) = read(
            r#"{"query_block": {"select_id": 1, "nested_loop": [{"read_sorted_file": {"r_rows": 3,
                "filesort": {"sort_key": "a.m", "r_loops": 1, "r_output_rows": 4, "table": {
                "table_name": "a", "access_type": "ref", "possible_keys": ["a_n"], "key": "a_n",
                "used_key_parts": ["n"], "r_loops": 1, "rows": 200, "r_rows": 200}}}}]}}"#,
        );
        let wanted =
            [("filesort a.m", Does::Sort), ("a: ref a_n (n), about 200 rows", Does::Search)];
        assert_eq!((steps, examined), (words(&wanted), 200.0));
    }

    #[test]
    fn a_temporary_table_that_is_sorted() {
        let (steps, _) = read(
            r#"{"query_block": {"select_id": 1, "filesort": {"sort_key": "count(0)",
                "temporary_table": {"nested_loop": [{"table": {"table_name": "a",
                "access_type": "ALL", "r_loops": 1, "rows": 19840, "r_rows": 20000}}]}}}}"#,
        );
        let wanted = [
            ("filesort count(0)", Does::Sort),
            ("temporary table", Does::Temporary),
            ("a: ALL, about 19840 rows", scan(19_840.0, false)),
        ];
        assert_eq!(steps, words(&wanted));
    }

    #[test]
    fn a_join_counts_every_round() {
        let (steps, examined) = read(
            r#"{"query_block": {"select_id": 1, "nested_loop": [{"table": {"table_name": "a",
                "access_type": "range", "key": "PRIMARY", "used_key_parts": ["id"], "r_loops": 1,
                "rows": 3, "r_rows": 3}}, {"block-nl-join": {"table": {"table_name": "b",
                "access_type": "ALL", "r_loops": 3, "rows": 19840, "r_rows": 20000},
                "join_type": "BNL", "r_loops": 3}}]}}"#,
        );
        assert_eq!(steps[1].1, scan(19_840.0, false));
        assert_eq!(examined, 60_003.0);
    }

    #[test]
    fn rows_that_are_put_together_are_not_a_table() {
        let (steps, examined) = read(
            r#"{"query_block": {"nested_loop": [{"table": {"table_name": "<derived2>",
                "access_type": "ALL", "r_loops": 1, "rows": 4, "r_rows": 4, "materialized":
                {"query_block": {"union_result": {"query_specifications": [{"query_block":
                {"nested_loop": [{"table": {"table_name": "a", "access_type": "ref", "key": "a_n",
                "used_key_parts": ["n"], "r_loops": 1, "rows": 200, "r_rows": 2}}]}}]}}}}}]}}"#,
        );
        let wanted = [
            ("<derived2>: ALL, about 4 rows", Does::Temporary),
            ("a: ref a_n (n), about 200 rows", Does::Search),
        ];
        assert_eq!((steps, examined), (words(&wanted), 2.0));
    }

    #[test]
    fn an_update_without_an_index_walks_the_primary_key() {
        let (steps, _) = read(
            r#"{"query_block": {"select_id": 1, "table": {"update": 1, "table_name": "a",
                "access_type": "index", "key": "PRIMARY", "key_length": "",
                "used_key_parts": ["id"], "rows": 19840,
                "attached_condition": "a.m = 2"
                }}}"#,
        );
        assert_eq!(steps[0].1, scan(19_840.0, false));
    }

    #[test]
    fn what_has_no_table_is_a_message() {
        let does = |words: &str| {
            let text = format!(r#"{{"query_block": {{"table": {{"message": "{words}"}}}}}}"#);
            read(&text).0[0].1
        };
        assert_eq!(does("No tables used"), Does::Search);
        assert_eq!(does("Impossible WHERE noticed after reading const tables"), Does::Search);
        assert_eq!(does("Deleting all rows"), Does::Scan { rows: None, had_index: false });
        let inserted = r#"{"query_block": {"select_id": 1, "table": {"table_name": "a"}}}"#;
        assert_eq!(read(inserted).0, []);
    }

    #[test]
    fn bytes_in_a_condition_do_no_harm() {
        let text = "{\"query_block\": {\"table\": {\n\"table_name\": \"a\",\n\
                    \"attached_condition\": \"a.k > '\\0\"\\x\u{fffd}',\" or 1\",\n\
                    \"index_condition\": \"'\"'\",\n\"access_type\": \"ALL\",\n\"rows\": 200,\n\
                    \"having_condition\": \"'\\0'\"\n}}}";
        assert_eq!(read(text).0, words(&[("a: ALL, about 200 rows", scan(200.0, false))]));
    }

    #[test]
    fn mysql_says_the_same_in_other_words() {
        let (steps, _) = read(
            r#"{"query_block": {"select_id": 1, "cost_info": {"query_cost": "4483.75"},
                "ordering_operation": {"using_filesort": true, "grouping_operation": {
                "using_temporary_table": true, "using_filesort": false, "table": {
                "table_name": "a", "access_type": "ALL", "possible_keys": ["a_n"],
                "rows_examined_per_scan": 19840, "rows_produced_per_join": 19840}}}}}"#,
        );
        let found: Vec<Does> = steps.into_iter().map(|step| step.1).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        for does in [Does::Sort, Does::Temporary, scan(19_840.0, true)] {
            assert!(found.contains(&does), "{found:?}");
        }
        let inserted = r#"{"query_block": {"select_id": 1, "table": {"insert": true,
            "table_name": "a", "access_type": "ALL"}}}"#;
        assert_eq!(read(inserted).0, []);
    }

    #[test]
    fn the_tree_of_mysql_is_counted_at_its_leaves() {
        for (tree, examined) in [
            (
                "-> Filter: (t3.i > 8)  (cost=1.75 rows=5) (actual time=0.019..0.021 rows=6 loops=1)\n    \
                 -> Table scan on t3  (cost=1.75 rows=15) (actual time=0.017..0.019 rows=15 loops=1)\n",
                15.0,
            ),
            (
                "-> Nested loop inner join  (cost=4.7 rows=9) (actual time=0.1..0.2 rows=6 loops=1)\n    \
                 -> Index range scan on t3 using PRIMARY over (17 < pk)  (cost=1.26 rows=5) \
                 (actual time=0.013..0.016 rows=5 loops=1)\n    \
                 -> Single-row index lookup on t1 using PRIMARY (id=t3.i)  (cost=0.3 rows=1) \
                 (actual time=0.002..0.002 rows=1 loops=5)\n    \
                 -> Index lookup on t2 using n (n=t3.i)  (never executed)\n",
                10.0,
            ),
            (
                "-> Rows fetched before execution  (cost=0..0 rows=1) (actual time=0..0 rows=1 loops=1)",
                1.0,
            ),
            ("-> Table scan on <temporary>  (actual time=0.001..0.002 rows=7 loops=1)", 0.0),
        ] {
            assert_eq!(examined_in_tree(tree), examined, "{tree}");
        }
    }
}
