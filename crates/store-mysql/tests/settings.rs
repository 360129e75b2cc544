//! A store starts only on a server that keeps what it acknowledges, in the words of `guerdon doctor`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;

use domain::time::Timestamp;
use services::MariaDb;
use store_mysql::{Check, MysqlStore, OpenError, Options, are_one, checks, migrate};

const LENIENT: Options = Options { readers: 4, group_max: 16, allow_unsafe_durability: true };

async fn connect(url: &str, options: Options) -> Result<(), OpenError> {
    migrate(url, options, &mut |_| {}).await?;
    MysqlStore::connect(url, options).await.map(drop)
}

/// The server's own clock, so that the check of the clock has nothing to find.
fn now(server: &MariaDb) -> Timestamp {
    let seconds: i64 = server.sql("SELECT UNIX_TIMESTAMP()").unwrap().trim().parse().unwrap();
    Timestamp(seconds * 1_000)
}

fn failed(checks: &[Check]) -> Vec<&'static str> {
    checks.iter().filter(|check| !check.passed).map(|check| check.code).collect()
}

fn detail<'a>(checks: &'a [Check], code: &str) -> &'a str {
    &checks.iter().find(|check| check.code == code).unwrap().detail
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_lose_commits_is_refused_unless_allowed() {
    let server = MariaDb::start().unwrap();
    let url = server.url("durable");
    connect(&url, Options::default()).await.unwrap();
    for (setting, back) in [
        ("innodb_flush_log_at_trx_commit = 2", "innodb_flush_log_at_trx_commit = 1"),
        ("innodb_flush_log_at_trx_commit = 0", "innodb_flush_log_at_trx_commit = 1"),
        ("sync_binlog = 0", "sync_binlog = 1"),
        ("sync_binlog = 100", "sync_binlog = 1"),
    ] {
        server.sql(&format!("SET GLOBAL {setting}")).unwrap();
        let refused = connect(&url, Options::default()).await.unwrap_err();
        assert!(matches!(refused, OpenError::Unsafe(_)), "{setting}: {refused}");
        let name = setting.split(' ').next().unwrap();
        assert!(refused.to_string().contains(name), "{setting}: {refused}");
        connect(&url, LENIENT).await.unwrap();
        let found = checks(&url, Options::default(), now(&server)).await;
        assert_eq!(failed(&found), ["durability"], "{setting}");
        server.sql(&format!("SET GLOBAL {back}")).unwrap();
    }
    connect(&url, Options::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_work_is_refused_whatever_is_allowed() {
    let server = MariaDb::start_with(&["--binlog-format=STATEMENT"]).unwrap();
    let refused = connect(&server.url("text"), LENIENT).await.unwrap_err();
    assert!(
        matches!(&refused, OpenError::Setting(why) if why.contains("binlog_format")),
        "{refused}"
    );
    // Without a provider the server replicates nothing, but says that it is on, as a cluster does.
    let server = MariaDb::start_with(&["--wsrep-on=ON"]).unwrap();
    let refused = connect(&server.url("galera"), LENIENT).await.unwrap_err();
    assert!(matches!(refused, OpenError::Galera), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_let_in_in_silence() {
    let server = MariaDb::start().unwrap();
    let (url, default) = (server.url("locked"), Options::default());
    let port = server.port();
    for (url, wanted) in [
        ("127.0.0.1/locked", "address"),
        (&format!("{url}?ssl_mode=REQUIRED"), "address"),
        (&format!("{url}?ssl-mode=SURE"), "address"),
        (&format!("mysql://root@127.0.0.1:{port}/"), "address"),
        (&format!("mysql://root:wrong@127.0.0.1:{port}/locked"), "credentials"),
        (&format!("mysql://nobody@127.0.0.1:{port}/locked"), "credentials"),
        (&format!("mysql://root@127.0.0.1:{port}/missing"), "credentials"),
        ("mysql://root@127.0.0.1:1/locked", "reachable"),
        (&format!("{url}?ssl-mode=REQUIRED"), "reachable"),
    ] {
        let found = checks(url, default, now(&server)).await;
        assert_eq!(failed(&found), [wanted], "{url}: {found:?}");
        assert!(!found[0].remedy.is_empty() && found.len() == 1, "{url}: {found:?}");
        assert!(!found[0].detail.contains("wrong"), "a password is shown: {found:?}");
        let refused = MysqlStore::connect(url, default).await.unwrap_err();
        assert_eq!(refused.to_string(), found[0].detail, "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_name_what_is_wrong_and_nothing_else() {
    let server = MariaDb::start().unwrap();
    let (url, default) = (server.url("checked"), Options::default());
    let look = async |url: &str, now| failed(&checks(url, default, now).await);
    assert_eq!(look(&url, now(&server)).await, ["schema"], "before the migration");
    migrate(&url, default, &mut |_| {}).await.unwrap();
    assert_eq!(look(&url, now(&server)).await, [""; 0], "as it should be");
    let late = Timestamp(now(&server).0 - 60_000);
    assert_eq!(look(&url, late).await, ["clock"], "a minute behind");
    for (spoil, mend, wanted) in [
        ("SET GLOBAL max_connections = 10", "SET GLOBAL max_connections = 500", "connections"),
        (
            "SET GLOBAL max_allowed_packet = 1048576",
            "SET GLOBAL max_allowed_packet = 16777216",
            "packet",
        ),
        ("SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0", "writable"),
        (
            "ALTER TABLE checked.catalog MODIFY kind VARCHAR(32) COLLATE utf8mb4_general_ci NOT NULL",
            "ALTER TABLE checked.catalog MODIFY kind VARCHAR(32) COLLATE utf8mb4_bin NOT NULL",
            "collation",
        ),
    ] {
        server.sql(spoil).unwrap();
        assert_eq!(look(&url, now(&server)).await, [wanted], "{spoil}");
        server.sql(mend).unwrap();
    }
    let (data, all) = ("SELECT, INSERT, UPDATE, DELETE ON checked.*", "ALL ON checked.*");
    let some = server.create_user("some", "checked", &[data]).unwrap();
    assert_eq!(look(&some, now(&server)).await, ["grants"], "a user who may not migrate");
    MysqlStore::connect(&some, default).await.unwrap();
    let enough = server.create_user("enough", "checked", &[all]).unwrap();
    assert_eq!(look(&enough, now(&server)).await, [""; 0], "a user who may do everything there");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_can_demand_an_encrypted_connection_to_the_right_server() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
    let file = |name: &str| folder.join(name).display().to_string();
    let (cert, key) = (file("server.pem"), file("server-key.pem"));
    let options = [format!("--ssl-cert={cert}"), format!("--ssl-key={key}")];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let server = MariaDb::start_with(&options).unwrap();
    let (url, default) = (server.url("tls"), Options::default());
    migrate(&url, default, &mut |_| {}).await.unwrap();
    let (ours, others) = (file("authority.pem"), file("other-authority.pem"));
    for (query, is_let_in) in [
        ("ssl-mode=REQUIRED".to_owned(), true),
        (format!("ssl-mode=VERIFY_CA&ssl-ca={ours}"), true),
        (format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={ours}"), true),
        (format!("ssl-mode=VERIFY_CA&ssl-ca={others}"), false),
        (format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={others}"), false),
    ] {
        let url = format!("{url}?{query}");
        let found = checks(&url, default, now(&server)).await;
        assert_eq!(failed(&found).is_empty(), is_let_in, "{query}: {found:?}");
        if is_let_in {
            assert!(detail(&found, "encryption").starts_with("encrypted"), "{query}: {found:?}");
        }
        assert_eq!(MysqlStore::connect(&url, default).await.is_ok(), is_let_in, "{query}");
    }
    // The certificate is for the number only.
    let named = url.replace("127.0.0.1", "localhost");
    for (mode, is_let_in) in [("VERIFY_CA", true), ("VERIFY_IDENTITY", false)] {
        let url = format!("{named}?ssl-mode={mode}&ssl-ca={ours}");
        assert_eq!(MysqlStore::connect(&url, default).await.is_ok(), is_let_in, "{url}");
    }
    let found = checks(&format!("{url}?ssl-mode=DISABLED"), default, now(&server)).await;
    assert!(detail(&found, "encryption").starts_with("not encrypted"), "{found:?}");
}

fn remedy<'a>(checks: &'a [Check], code: &str) -> &'a str {
    &checks.iter().find(|check| check.code == code).unwrap().remedy
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_and_is_gone_is_named() {
    let server = MariaDb::start().unwrap();
    let (url, default) = (server.url("lost"), Options::default());
    connect(&url, default).await.unwrap();
    let found = checks(&url, default, now(&server)).await;
    assert_eq!(failed(&found), [""; 0], "{found:?}");
    server.sql("DROP TABLE lost.writers; DROP TABLE lost.report_days").unwrap();
    let found = checks(&url, default, now(&server)).await;
    assert_eq!(failed(&found), ["tables"], "{found:?}");
    assert_eq!(detail(&found, "tables"), "made once, and gone: table writers, table report_days");
    // It is no help, and is not said to be one.
    migrate(&url, default, &mut |_| {}).await.unwrap();
    assert_eq!(failed(&checks(&url, default, now(&server)).await), ["tables"]);
    assert!(remedy(&found, "tables").contains("backup"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_program_is_not_to_be_migrated() {
    let server = MariaDb::start().unwrap();
    let (url, default) = (server.url("shop"), Options::default());
    let of_nobody = checks(&url, default, now(&server)).await;
    assert_eq!(failed(&of_nobody), ["schema"], "{of_nobody:?}");
    assert_eq!(remedy(&of_nobody, "schema"), "run `guerdon migrate`");
    server.sql("CREATE TABLE shop.orders (id INT) COLLATE utf8mb4_bin").unwrap();
    let found = checks(&url, default, now(&server)).await;
    assert_eq!(failed(&found), ["schema"], "{found:?}");
    assert_eq!(remedy(&found, "schema"), "give Guerdon a database of its own");
    let refused = migrate(&url, default, &mut |_| {}).await.unwrap_err();
    assert!(matches!(refused, OpenError::NotOurs(_)), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn remedies_are_for_what_is_wrong() {
    let server = MariaDb::start().unwrap();
    let (port, url) = (server.port(), server.url("there"));
    for (url, code, words) in [
        (
            "nonsense".to_owned(),
            "address",
            "mysql://USER@HOST:PORT/DATABASE, and name the variable",
        ),
        (
            url.replace("root", "root:wrong"),
            "credentials",
            "the password in the variable or the file",
        ),
        (format!("mysql://root@127.0.0.1:{port}/elsewhere"), "credentials", "create the database"),
        (url.replace(&port.to_string(), "1"), "reachable", "start the server"),
    ] {
        let found = checks(&url, Options::default(), Timestamp(0)).await;
        assert_eq!(failed(&found), [code], "{url}: {found:?}");
        assert!(remedy(&found, code).contains(words), "{url}: {found:?}");
        assert!(!remedy(&found, code).contains("PASSWORD@"), "{url}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_database_is_known_under_two_names() {
    let servers = [MariaDb::start().unwrap(), MariaDb::start().unwrap()];
    let [url, elsewhere] = [0, 1].map(|number| servers[number].url("one"));
    let beside = servers[0].url("two");
    let named = url.replace("127.0.0.1", "localhost");
    for (other, expected) in [(&url, true), (&named, true), (&beside, false), (&elsewhere, false)] {
        assert_eq!(are_one(&url, other).await.unwrap(), expected, "{other}");
        assert_eq!(are_one(other, &url).await.unwrap(), expected, "{other}");
    }
    servers[1].kill().unwrap();
    assert!(matches!(are_one(&url, &elsewhere).await, Err(OpenError::Unreachable(..))));
}
