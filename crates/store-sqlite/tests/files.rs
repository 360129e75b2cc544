//! The file: who may open it, what is made of it, and what happens when there is no room.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::error::Error;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use domain::change::Change;
use rusqlite::Connection;
use store::contract::sample::{self, Draft, NOW};
use store::{Journal as _, Outcome, StoreError, Users as _};
use store_sqlite::{OpenError, Options, SCHEMA_VERSION, SqliteStore, restore};
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    (folder, path)
}

fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, Options::default())
}

#[test]
fn the_library_has_no_known_corruption() {
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    let conn = Connection::open_in_memory().unwrap();
    let linked: String = conn.query_row("SELECT sqlite_version()", [], |row| row.get(0)).unwrap();
    assert_eq!(linked, rusqlite::version());
}

#[tokio::test]
async fn a_second_server_is_refused_until_the_first_has_gone() {
    let (_folder, path) = folder();
    let first = open(&path).unwrap();
    for _ in 0..2 {
        assert!(matches!(open(&path), Err(OpenError::InUse(_))));
    }
    let ann = sample::user("ann");
    let applied = first.commit(sample::profile(&ann, 30)).await.unwrap();
    assert!(matches!(applied, Outcome::Applied(_)));
    drop(first);
    let second = open(&path).unwrap();
    assert_eq!(second.load(ann.state.key()).await.unwrap().version, 1);
}

#[tokio::test]
async fn a_reader_sees_what_is_committed_and_writes_nothing() {
    let (_folder, path) = folder();
    let server = open(&path).unwrap();
    let reader = SqliteStore::open_read_only(&path).unwrap();
    let ann = sample::user("ann");
    server.commit(sample::profile(&ann, 30)).await.unwrap();
    let key = ann.state.key();
    assert_eq!(reader.load(key).await.unwrap(), server.load(key).await.unwrap());
    let refused = reader.commit(sample::profile(&ann, 31)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    let refused = reader.append(sample::trace(None, "install")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(server.head().await.unwrap(), 0);
}

#[tokio::test]
async fn a_layout_is_made_from_nothing_and_kept() {
    for is_there in [false, true] {
        let (_folder, path) = folder();
        if is_there {
            fs::write(&path, []).unwrap();
        }
        for version in 0..3 {
            let store = open(&path).unwrap();
            let ann = store.load(sample::user("ann").state.key()).await.unwrap();
            assert_eq!(ann.version, version);
            let ann = if version == 0 { sample::user("ann") } else { ann };
            store.commit(sample::profile(&ann, version as u8)).await.unwrap();
            assert_eq!(
                number(&path, "SELECT value FROM meta WHERE name = 'schema_version'"),
                SCHEMA_VERSION
            );
        }
    }
}

#[test]
fn files_of_others_and_of_newer_releases_are_left_untouched() {
    let (_folder, path) = folder();
    fs::write(&path, "this is no database, but it is long enough to be taken for one").unwrap();
    check_refused(&path, "is not a Guerdon store");
    fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE theirs (id INTEGER)").unwrap();
    drop(other);
    check_refused(&path, "is not a Guerdon store");
    fs::remove_file(&path).unwrap();
    drop(open(&path).unwrap());
    let newer = Connection::open(&path).unwrap();
    newer.execute_batch("UPDATE meta SET value = 999 WHERE name = 'schema_version'").unwrap();
    drop(newer);
    check_refused(&path, "the file has schema 999");
}

#[tokio::test]
async fn new_files_are_for_their_owner_alone() {
    let (folder, path) = folder();
    let [backup, restored] = ["backup.db", "b.db"].map(|name| folder.path().join(name));
    let store = open(&path).unwrap();
    store.commit(sample::profile(&sample::user("ann"), 30)).await.unwrap();
    store.backup(&backup, |_| {}).await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&PathBuf::from(format!("{}{suffix}", path.display()))), 0o600, "{suffix}");
    }
    assert_eq!(mode(&backup), 0o600);
    fs::set_permissions(&backup, Permissions::from_mode(0o644)).unwrap();
    restore(&backup, &restored, false).unwrap();
    assert_eq!(mode(&restored), 0o600);
    drop(store);
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    drop(open(&path).unwrap());
    assert_eq!(mode(&path), 0o640, "what the operator has chosen stays");
}

#[test]
fn what_cannot_be_opened_is_said_once() {
    let (folder, path) = folder();
    let target = folder.path().join("b.db");
    let missing = format!("there is no file {}", path.display());
    let refused = [
        SqliteStore::open_read_only(&path).unwrap_err(),
        SqliteStore::open_view(&path).unwrap_err(),
        restore(&path, &target, false).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(in_full(&error), missing);
    }
    assert!(!path.exists() && !target.exists());
    fs::write(&path, "a file").unwrap();
    let below_a_file = in_full(&SqliteStore::open_read_only(&path.join("c.db")).unwrap_err());
    assert_eq!(below_a_file.matches("unable to open").count(), 1, "{below_a_file}");
}

#[tokio::test]
async fn without_room_commits_are_refused_whole_and_go_on_when_there_is_some() {
    let (_folder, path) = folder();
    let options = Options { pages_max: Some(200), ..Options::default() };
    let store = SqliteStore::open(&path, options).unwrap();
    let mut known = Vec::new();
    let failed = loop {
        let user = sample::user(&format!("user {}", known.len()));
        let change = large_change(&user);
        match store.commit(change.clone()).await {
            Ok(_) => known.push(sample::after(&user, &change)),
            Err(error) => break error,
        }
        assert!(known.len() < 100, "200 pages never fill");
    };
    assert!(matches!(failed, StoreError::Unavailable(_)), "{failed:?}");
    let lost = sample::user(&format!("user {}", known.len()));
    assert_eq!(store.load(lost.state.key()).await.unwrap().version, 0);
    assert_eq!(store.head().await.unwrap(), known.len() as u64);
    store.limit_pages(10_000).await.unwrap();
    let applied = store.commit(large_change(&lost)).await.unwrap();
    assert!(matches!(applied, Outcome::Applied(_)), "{applied:?}");
    drop(store);
    let store = open(&path).unwrap();
    assert_eq!(store.head().await.unwrap(), known.len() as u64 + 1);
    for user in known {
        assert_eq!(store.load(user.state.key()).await.unwrap(), user);
    }
}

/// The first change of a user that takes some tens of pages.
fn large_change(user: &domain::change::Loaded) -> Change {
    let record = Draft::of(user, NOW).change().record;
    Change::new(user, sample::largest_state(&user.state.user_id), record)
}

/// An error with everything below it, as commands print it.
fn in_full(error: &dyn Error) -> String {
    let below = error.source().map(|source| format!(": {}", in_full(source)));
    format!("{error}{}", below.unwrap_or_default())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn check_refused(path: &Path, why: &str) {
    let before = fs::read(path).unwrap();
    let refused = open(path).unwrap_err().to_string();
    assert!(refused.contains(why), "{refused}");
    assert_eq!(fs::read(path).unwrap(), before);
}

fn number(path: &Path, question: &str) -> u32 {
    Connection::open(path).unwrap().query_row(question, [], |row| row.get(0)).unwrap()
}
