//! Another session of the database, which gets in the store's way.

use std::time::Duration;

use domain::ids::UserKey;
use sqlx::{Connection as _, Executor as _, MySqlConnection, Row as _};

/// A session of somebody else.
pub(crate) struct Other(MySqlConnection);

impl Other {
    /// Opens it.
    pub(crate) async fn at(url: &str) -> Self {
        Self(MySqlConnection::connect(url).await.unwrap())
    }

    /// Runs statements.
    pub(crate) async fn run(&mut self, text: &str) {
        self.0.execute(sqlx::AssertSqlSafe(text)).await.unwrap();
    }

    /// Holds the row that every writer locks, until the transaction ends.
    pub(crate) async fn lock_head(&mut self) {
        self.run("START TRANSACTION; SELECT head FROM state_head WHERE id = 1 FOR UPDATE").await;
    }

    /// Holds the row of a user who is there, until the transaction ends.
    pub(crate) async fn lock_user(&mut self, key: &UserKey) {
        let key: String = key.0.iter().map(|byte| format!("{byte:02X}")).collect();
        let lock = format!("SELECT version FROM users WHERE user_key = X'{key}' FOR UPDATE");
        self.run(&format!("START TRANSACTION; {lock}")).await;
    }

    /// Waits until so many transactions of the server wait for a row.
    pub(crate) async fn wait_for_waiting(&mut self, transactions: i64) {
        while self.status("Innodb_row_lock_current_waits").await != transactions {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How often a transaction of the server had to wait for a row so far.
    pub(crate) async fn waits(&mut self) -> i64 {
        self.status("Innodb_row_lock_waits").await
    }

    /// Waits until transactions had to wait so often.
    pub(crate) async fn wait_for_waits(&mut self, waits: i64) {
        while self.waits().await < waits {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// One of the server's counters.
    async fn status(&mut self, name: &str) -> i64 {
        let select = "SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status";
        let text = format!("{select} WHERE variable_name = '{name}'");
        let row = self.0.fetch_one(sqlx::AssertSqlSafe(text)).await.unwrap();
        row.get(0)
    }
}
