//! The schema is brought forward whatever happens in between, and a store starts on exactly its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use domain::catalog::Catalog;
use services::MariaDb;
use store::{CatalogStore, Reports};
use store_mysql::{Migrated, MysqlStore, OpenError, Options, SCHEMA_VERSION, migrate};

async fn migrate_all(url: &str) -> Result<Vec<Migrated>, OpenError> {
    let mut told = Vec::new();
    migrate(url, Options::default(), &mut |one| told.push(one)).await?;
    Ok(told)
}

async fn connect(url: &str) -> Result<MysqlStore, OpenError> {
    MysqlStore::connect(url, Options::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_says_what_it_does_and_does_it_once() {
    let server = MariaDb::start().unwrap();
    let url = server.url("once");
    let told = migrate_all(&url).await.unwrap();
    let last = told.last().unwrap();
    assert_eq!((last.step, last.done), (SCHEMA_VERSION, last.of), "the last statement");
    assert_eq!(told[0].makes, "table state_head");
    assert!(told.iter().all(|one| one.is_new), "{told:?}");
    let store = connect(&url).await.unwrap();
    assert_eq!(
        (store.cursor().await.unwrap(), store.snapshot(Some(&Catalog::default())).await.unwrap()),
        (0, None)
    );
    assert_eq!(migrate_all(&url).await.unwrap(), [], "what a second run does");
}

/// The server is killed right after each table that a run makes; the next run, on the server that
/// came back, goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_outlives_kills_of_the_server() {
    let server = MariaDb::start().unwrap();
    let (whole, url) = (server.url("whole"), server.url("killed"));
    let tables = migrate_all(&whole).await.unwrap();
    let tables = tables.iter().filter(|one| one.makes.starts_with("table")).count();
    for table in 0..tables {
        let mut is_killed = false;
        let mut kill = |one: Migrated| {
            if one.is_new && one.makes.starts_with("table") {
                server.kill().unwrap();
                is_killed = true;
            }
        };
        let outcome = migrate(&url, Options::default(), &mut kill).await;
        assert!(is_killed, "run {table} made nothing: {outcome:?}");
        server.restart().unwrap();
        if table + 1 < tables {
            assert!(outcome.is_err(), "a run went on without its server");
            let refused = connect(&url).await.unwrap_err();
            assert!(matches!(refused, OpenError::Older { found: 0, .. }), "{refused}");
        }
    }
    assert!(migrate_all(&url).await.unwrap().len() <= 1, "something was left to do");
    connect(&url).await.unwrap();
    assert_eq!(layout(&server, "killed"), layout(&server, "whole"));
}

fn layout(server: &MariaDb, database: &str) -> String {
    let columns = "SELECT table_name, column_name, column_type, column_key, is_nullable \
                   FROM information_schema.columns WHERE table_schema = DATABASE() \
                   ORDER BY table_name, ordinal_position";
    server.sql(&format!("USE {database}; {columns}; SELECT * FROM schema_steps")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_starts_on_its_own_schema_only() {
    let server = MariaDb::start().unwrap();
    let refused = connect(&server.url("empty")).await.unwrap_err();
    assert!(matches!(refused, OpenError::Older { found: 0, known: SCHEMA_VERSION }), "{refused}");
    assert!(refused.to_string().contains("guerdon migrate"), "{refused}");

    let url = server.url("foreign");
    server.sql("CREATE TABLE `foreign`.users (id INT)").unwrap();
    let refused = migrate_all(&url).await.unwrap_err();
    assert!(matches!(&refused, OpenError::NotOurs(name) if name == "foreign"), "{refused}");
    let tables = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'foreign'";
    assert_eq!(server.sql(tables).unwrap(), "1\n", "it was left untouched");

    let url = server.url("newer");
    migrate_all(&url).await.unwrap();
    let next = SCHEMA_VERSION + 1;
    server.sql(&format!("INSERT INTO newer.schema_steps VALUES ({next}, 1, 2)")).unwrap();
    connect(&url).await.unwrap();
    server.sql("UPDATE newer.schema_steps SET done = of_all").unwrap();
    for refused in [connect(&url).await.map(drop), migrate_all(&url).await.map(drop)] {
        let refused = refused.unwrap_err();
        assert!(matches!(&refused, OpenError::Newer { found, .. } if *found == next), "{refused}");
    }
}
