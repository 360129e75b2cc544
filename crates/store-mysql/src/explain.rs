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
use store::explain::{Cost, Explained, Facts, Kind, Unit, tables_of};

use crate::ask::Ask;
use crate::connect::{Connector, Role, Session};
use crate::error::{Failure, OpenError};
use crate::migrate;
use crate::options::SCAN_MAX;
use crate::server::Settings;
use crate::sql::{STATEMENTS, Statement};

use plan::Plan;
use sample::Sample;

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
            facts.steps = self.plan(statement).await?.steps;
        }
        if kind == Kind::Read {
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

    /// What the server would do.
    async fn plan(&mut self, statement: &Statement) -> Result<Plan, Failure> {
        let text = self.told("EXPLAIN FORMAT=JSON", statement).await?;
        plan::from_json(&text)
    }

    /// What the server has done.
    async fn cost(&mut self, statement: &Statement) -> Result<Cost, Failure> {
        let examined = if self.is_mariadb {
            plan::from_json(&self.told("ANALYZE FORMAT=JSON", statement).await?)?.examined
        } else {
            plan::examined_in_tree(&self.told("EXPLAIN ANALYZE", statement).await?)
        };
        let ask = self.sample.bind(Ask::many(statement.whole()), statement.binds);
        let returned = self.session.rows(&ask, SCAN_MAX).await?.len();
        Ok(Cost { unit: Unit::Rows, examined, returned: returned as f64, units: None })
    }

    /// What the server answers to a word before a statement.
    async fn told(&mut self, word: &str, statement: &Statement) -> Result<String, Failure> {
        let ask = Ask::many(format!("{word} {}", statement.whole()));
        let ask = self.sample.bind(ask, statement.binds);
        match self.session.row(&ask, SCAN_MAX).await? {
            // Bytes of keys stand in it.
            Some(row) => Ok(String::from_utf8_lossy(row.try_get_unchecked(0)?).into_owned()),
            None => Ok(String::new()),
        }
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
