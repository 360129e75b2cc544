//! What a user may do, as `SHOW GRANTS` says it.

use std::collections::BTreeSet;

/// What serving needs, and after it what only migrating needs.
const NEEDED: [&str; 7] = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "INDEX"];

/// What these lines do not grant of what is needed on `database`.
pub(crate) fn missing_grants(lines: &[String], database: &str) -> Vec<&'static str> {
    let mut granted = BTreeSet::new();
    for line in lines {
        let Some(rest) = line.strip_prefix("GRANT ") else { continue };
        let Some((rights, rest)) = rest.split_once(" ON ") else { continue };
        let Some((object, _)) = rest.split_once(" TO ") else { continue };
        if covers(object, database) {
            granted.extend(rights.split(", ").map(str::to_owned));
        }
    }
    if granted.contains("ALL PRIVILEGES") || granted.contains("ALL") {
        return Vec::new();
    }
    NEEDED.into_iter().filter(|right| !granted.contains(*right)).collect()
}

/// Whether `*.*` or `` `name`.* `` covers the database. A name is a pattern: `_` is any character and
/// `%` any text, unless a backslash stands before it.
fn covers(object: &str, database: &str) -> bool {
    let Some(name) = object.strip_suffix(".*") else { return false };
    let name = name.trim_matches('`').replace("``", "`");
    name == "*" || matches(&name.chars().collect::<Vec<_>>(), &database.chars().collect::<Vec<_>>())
}

fn matches(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['\\', wanted, pattern @ ..], [found, name @ ..]) => {
            wanted == found && matches(pattern, name)
        }
        (['%', rest @ ..], _) => {
            matches(rest, name)
                || name.split_first().is_some_and(|(_, name)| matches(pattern, name))
        }
        ([wanted, pattern @ ..], [found, name @ ..]) => {
            (*wanted == '_' || wanted == found) && matches(pattern, name)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let all = "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION";
        let usage = "GRANT USAGE ON *.* TO `guerdon`@`%`";
        let data = "GRANT SELECT, INSERT, UPDATE, DELETE ON `my\\_db`.* TO `guerdon`@`%`";
        let schema = "GRANT CREATE, INDEX, ALTER ON `my%`.* TO `guerdon`@`%`";
        let one_table = "GRANT CREATE, INDEX, ALTER ON `my_db`.`users` TO `guerdon`@`%`";
        let cases: [(&[&str], &[&str]); 7] = [
            (&[all], &[]),
            (&["GRANT ALL PRIVILEGES ON `my\\_db`.* TO `guerdon`@`%`", usage], &[]),
            (&["GRANT ALL PRIVILEGES ON `other`.* TO `guerdon`@`%`"], &NEEDED),
            (&[usage], &NEEDED),
            (&[usage, data], &["CREATE", "ALTER", "INDEX"]),
            (&[usage, data, schema], &[]),
            (&[usage, data, one_table], &["CREATE", "ALTER", "INDEX"]),
        ];
        for (lines, missing) in cases {
            let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(missing_grants(&lines, "my_db"), missing, "{lines:?}");
        }
    }

    #[test]
    fn names_are_patterns() {
        for (object, is_covered) in [
            ("*.*", true),
            ("`my_db`.*", true),
            ("`my\\_db`.*", true),
            ("`myXdb`.*", false),
            ("`%`.*", true),
            ("`m%b`.*", true),
            ("`my`.*", false),
            ("`my_dbs`.*", false),
            ("`my_db`.`users`", false),
        ] {
            assert_eq!(covers(object, "my_db"), is_covered, "{object}");
        }
        assert!(!covers("`my\\_db`.*", "myXdb"), "an escaped underscore is itself");
    }
}
