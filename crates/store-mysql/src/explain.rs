//! How the server carries out each statement, on this very database, with values that are in it.
//!
//! Every statement is planned with its values bound as the program binds them. One that only reads is
//! also carried out, under `ANALYZE` of MariaDB or `EXPLAIN ANALYZE` of MySQL, which count what was
//! read; one that writes or locks never is.

mod plan;
mod sample;

use domain::time::Timestamp;
use sqlx::Row as _;
use store::StoreError;
use store::explain::{Cost, Does, Explained, Facts, Kind, Step, Unit, tables_of};

use crate::ask::Ask;
use crate::connect::{Connector, Role, Session};
use crate::error::{Failure, OpenError, number_of};
use crate::migrate;
use crate::options::SCAN_MAX;
use crate::server::Settings;
use crate::sql::{Bind, STATEMENTS, Statement};

use plan::Plan;
use sample::Sample;

/// Values of a long list. MariaDB plans lists of a thousand in another way than short ones, and MySQL
/// those of two hundred.
const LONG_LIST: usize = 1_000;
/// Rows of a table which may be read whole for a long list.
const ROWS_FOR_LIST: f64 = 10.0 * LONG_LIST as f64;
/// The error of an index that a statement names and that is not there (`ER_KEY_DOES_NOT_EXITS`).
const NO_SUCH_INDEX: u16 = 1176;

/// Every statement of this crate, in the order of the list, on the database at `url`. Nothing is
/// changed.
///
/// # Errors
/// Nobody answers or lets us in, the schema is another one, or the server stopped answering.
pub async fn explain(url: &str, now: Timestamp) -> Result<Vec<Explained>, OpenError> {
    let connector = Connector::parse(url)?;
    let mut session = connector.open_first(Role::Reader).await?;
    migrate::check_version(&mut session).await?;
    let all = explain_all(&mut session, now).await;
    all.map_err(|failure| connector.refusal(failure))
}

async fn explain_all(session: &mut Session, now: Timestamp) -> Result<Vec<Explained>, Failure> {
    let is_mariadb = Settings::read(session).await?.version().contains("MariaDB");
    let mut explaining =
        Explaining { sample: Sample::take(session, now).await?, session, is_mariadb };
    let mut all = Vec::with_capacity(STATEMENTS.len());
    for statement in STATEMENTS {
        all.push(explaining.explain(statement).await?);
    }
    Ok(all)
}

/// What is needed to explain one statement after another.
struct Explaining<'a> {
    session: &'a mut Session,
    sample: Sample,
    is_mariadb: bool,
}

impl Explaining<'_> {
    async fn explain(&mut self, statement: &Statement) -> Result<Explained, Failure> {
        let text = statement.whole();
        let kind = kind_of(&text);
        let mut facts = Facts::default();
        if kind != Kind::Control {
            facts.steps = self.steps(statement).await?;
        }
        let is_refused = facts.steps.iter().any(|step| step.does == Does::Fails);
        if kind == Kind::Read && !is_refused {
            match self.cost(statement).await {
                Ok(cost) => facts.cost = Some(cost),
                // It was not carried out within the time that a read has.
                Err(failure) if failure.is_lost() => return Err(failure),
                Err(failure) => facts.unknown = Some(StoreError::from(failure).to_string()),
            }
        }
        let is_empty = |table: &&str| self.sample.is_empty(table);
        facts.has_no_rows = !facts.steps.is_empty() && tables_of(&text).iter().any(is_empty);
        Ok(Explained {
            name: statement.name,
            purpose: statement.purpose.trim().to_owned(),
            kind,
            text,
            design: statement.design,
            facts,
        })
    }

    /// What the server would do, with one value in each list and, where that is not the same, with many.
    async fn steps(&mut self, statement: &Statement) -> Result<Vec<Step>, Failure> {
        let mut steps = match self.plan(statement, 1).await {
            Err(Failure::Sql(error)) if number_of(&error) == Some(NO_SUCH_INDEX) => {
                return Ok(vec![Step::new(error.to_string(), Does::Fails)]);
            }
            plan => plan?.steps,
        };
        if Asked::of(statement, 1).has_lists {
            let mut long = self.plan(statement, LONG_LIST).await?.steps;
            let is_short = |rows: Option<f64>| rows.is_some_and(|rows| rows <= ROWS_FOR_LIST);
            long.retain(|step| match step.does {
                Does::Scan { rows, .. } if is_short(rows) => false,
                _ => !steps.contains(step),
            });
            steps.extend(long);
        }
        Ok(steps)
    }

    async fn plan(&mut self, statement: &Statement, list: usize) -> Result<Plan, Failure> {
        let text = self.told("EXPLAIN FORMAT=JSON", &Asked::of(statement, list)).await?;
        plan::from_json(&text)
    }

    /// What the server has done.
    async fn cost(&mut self, statement: &Statement) -> Result<Cost, Failure> {
        let asked = Asked::of(statement, 1);
        let examined = if self.is_mariadb {
            plan::from_json(&self.told("ANALYZE FORMAT=JSON", &asked).await?)?.examined
        } else {
            plan::examined_in_tree(&self.told("EXPLAIN ANALYZE", &asked).await?)
        };
        let ask = self.sample.bind(Ask::many(asked.text), &asked.binds);
        let returned = self.session.rows(&ask, SCAN_MAX).await?.len();
        Ok(Cost { unit: Unit::Rows, examined, returned: returned as f64, units: None })
    }

    /// What the server answers to a word before a statement.
    async fn told(&mut self, word: &str, asked: &Asked) -> Result<String, Failure> {
        let ask = Ask::many(format!("{word} {}", asked.text));
        let ask = self.sample.bind(ask, &asked.binds);
        match self.session.row(&ask, SCAN_MAX).await? {
            // Bytes of keys stand in it.
            Some(row) => Ok(String::from_utf8_lossy(row.try_get_unchecked(0)?).into_owned()),
            None => Ok(String::new()),
        }
    }
}

/// A statement with lists of some length.
struct Asked {
    text: String,
    /// What is bound, and the how many-th value of that kind.
    binds: Vec<(Bind, usize)>,
    has_lists: bool,
}

impl Asked {
    fn of(statement: &Statement, list: usize) -> Self {
        let mut asked = Self { text: String::new(), binds: Vec::new(), has_lists: false };
        let mut binds = statement.binds.iter();
        let whole = statement.whole();
        let mut parts = whole.split('?').peekable();
        while let Some(part) = parts.next() {
            asked.text.push_str(part);
            let (Some(next), Some(bind)) = (parts.peek(), binds.next()) else { continue };
            let is_list = part.ends_with("IN (") && next.starts_with(')');
            let values = if is_list { list } else { 1 };
            asked.has_lists |= is_list;
            asked.text.push_str(&vec!["?"; values].join(", "));
            asked.binds.extend((0..values).map(|number| (*bind, number)));
        }
        asked
    }
}

fn kind_of(text: &str) -> Kind {
    let first = text.split([' ', '(']).find(|word| !word.is_empty());
    match first {
        // Locks by name are taken and given back by reading.
        Some("SELECT") if text.contains("_LOCK(") => Kind::Control,
        Some("SELECT") if text.ends_with("FOR UPDATE") => Kind::Write,
        Some("SELECT") => Kind::Read,
        Some("INSERT" | "UPDATE" | "DELETE" | "REPLACE") => Kind::Write,
        _ => Kind::Control,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_has_a_value() {
        for statement in STATEMENTS {
            let marks = statement.whole().matches('?').count();
            assert_eq!(marks, statement.binds.len(), "{}", statement.name);
        }
    }

    #[test]
    fn lists_are_as_long_as_they_shall_be() {
        let named = |name: &str| STATEMENTS.iter().find(|one| one.name == name).unwrap();
        let days = Asked::of(named("DAYS_OF"), 3);
        assert!(days.has_lists && days.text.matches("IN (?, ?, ?)").count() == 2, "{}", days.text);
        let numbers: Vec<_> = days.binds.iter().map(|bind| bind.1).collect();
        assert_eq!(numbers, [0, 1, 2, 0, 1, 2]);
        for name in ["USERS_OF", "DELIVERIES_BEHIND", "VERSIONS_OF"] {
            let (short, long) = (Asked::of(named(name), 1), Asked::of(named(name), 50));
            assert_eq!(short.text, named(name).whole(), "{name}");
            assert_eq!(long.binds.len(), short.binds.len() + 49, "{name}");
            assert_eq!(long.text.matches('?').count(), long.binds.len(), "{name}");
        }
        assert!(!Asked::of(named("USER_LOAD"), 2).has_lists);
    }

    #[test]
    fn what_locks_is_not_carried_out() {
        let kind = |name: &str| {
            let found = STATEMENTS.iter().find(|one| one.name == name).unwrap();
            kind_of(&found.whole())
        };
        for name in ["HEAD_LOCK", "CATALOG_LOCK", "USERS_PUT", "CATALOG_PUT", "WRITERS_CLEAN"] {
            assert_eq!(kind(name), Kind::Write, "{name}");
        }
        for name in ["STEPS_LOCK", "STEPS_UNLOCK", "MARK", "BEGIN", "COMMIT", "SETTINGS"] {
            assert_eq!(kind(name), Kind::Control, "{name}");
        }
        for name in ["USER_LOAD", "ENDPOINT_READY", "BACKLOG", "CATALOG_WHOLE"] {
            assert_eq!(kind(name), Kind::Read, "{name}");
        }
    }
}
