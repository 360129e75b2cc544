//! Backups are taken while the server writes, and a restored one is the store of that moment.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use domain::change::Change;
use store::contract::sample::{self, APP, Draft, LINE_ITEM, NOW};
use store::{
    Budgets as _, CatalogStore as _, DeliveryFilter, Identity as _, Journal as _, Outbox as _,
    StateId, Users as _,
};
use store_sqlite::{OpenError, Options, SqliteStore, restore};

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Options::default()).unwrap()
}

/// A store of several steps of a backup.
async fn filled(path: &Path) -> SqliteStore {
    let store = open(path);
    store.keep(StateId([7; 16])).await.unwrap();
    store.adopt(StateId([8; 16])).await.unwrap();
    store.set_limits(LINE_ITEM, sample::limits(1_000), NOW).await.unwrap();
    for number in 0..60 {
        let user = sample::user(&format!("user {number}"));
        let record = Draft::of(&user, NOW).grant(1).moving(sample::hold(1)).change().record;
        let state = sample::largest_state(&user.state.user_id);
        store.commit(Change::new(&user, state, record)).await.unwrap();
    }
    assert!(store.bytes_on_disk().unwrap() > 5 << 20, "too small to be copied in steps");
    store
}

/// Copies a store as a server that is killed now would leave it: the latest changes are only in the
/// log.
fn kill(running: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let at = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        fs::copy(at(running), at(to)).unwrap();
        assert!(fs::metadata(at(to)).unwrap().len() > 0, "{suffix} is empty");
    }
}

/// The files of a folder whose names begin so.
fn names(folder: &Path, prefix: &str) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(prefix)).collect()
}

/// All that can be read of a store, in words.
async fn content(store: &SqliteStore) -> String {
    let filter = DeliveryFilter {
        app: APP,
        mode: domain::ids::Mode::Live,
        state: None,
        after: None,
        limit: 1_000,
    };
    let deliveries = store.deliveries(filter).await.unwrap();
    let users = store.scan(None, 1_000).await.unwrap();
    let (records, levels) = (store.read(0, 1_000).await.unwrap(), store.levels().await.unwrap());
    let identities = (store.get().await.unwrap(), store.state().await.unwrap());
    format!("{users:?} {records:?} {levels:?} {deliveries:?} {identities:?}")
}

#[tokio::test]
async fn a_backup_is_the_store_of_its_moment_while_writes_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let store = filled(&at("a.db")).await;
    let before = content(&store).await;
    // The copy stops after its first step until others have written.
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let (written, has_written) = mpsc::channel();
    let mut steps = 0;
    let pause = move |progress: store_sqlite::BackupProgress| {
        steps += 1;
        if steps == 1 {
            assert!(progress.done < progress.total, "the whole was copied in one step");
            begun.send(()).unwrap();
            has_written.recv().unwrap();
        }
    };
    let write = async {
        has_begun.recv().await.unwrap();
        for number in 0..50 {
            let user = sample::user(&format!("late {number}"));
            store.commit(Draft::of(&user, NOW).grant(1).change()).await.unwrap();
        }
        written.send(()).unwrap();
    };
    let to = at("backup.db");
    let (made, ()) = tokio::join!(store.backup(&to, pause), write);
    made.unwrap();
    assert_eq!(store.head().await.unwrap(), 111);
    assert!(!at("backup.db-wal").exists(), "a backup is one file");
    restore(&to, &at("b.db"), false).unwrap();
    assert_eq!(content(&open(&at("b.db"))).await, before);
}

#[tokio::test]
async fn a_restore_replaces_nothing_unasked_and_nothing_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let store = filled(&at("a.db")).await;
    let before = content(&store).await;
    store.backup(&at("backup.db"), |_| {}).await.unwrap();
    let again = store.backup(&at("backup.db"), |_| {}).await;
    assert!(matches!(again, Err(OpenError::Exists(_))), "{again:?}");
    let in_use = restore(&at("backup.db"), &at("a.db"), true);
    assert!(matches!(in_use, Err(OpenError::InUse(_))), "{in_use:?}");
    let late = sample::user("late");
    store.commit(sample::profile(&late, 30)).await.unwrap();
    drop(store);
    let unasked = restore(&at("backup.db"), &at("a.db"), false);
    assert!(matches!(unasked, Err(OpenError::Exists(_))), "{unasked:?}");
    assert_eq!(open(&at("a.db")).load(late.state.key()).await.unwrap().version, 1);
    let kept = restore(&at("backup.db"), &at("a.db"), true).unwrap();
    assert_eq!(content(&open(&at("a.db"))).await, before);
    let kept = open(&kept.unwrap());
    assert_eq!(kept.load(late.state.key()).await.unwrap().version, 1);
}

#[tokio::test]
async fn a_replaced_store_is_kept_with_what_only_its_log_holds() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let store = filled(&at("source.db")).await;
    store.backup(&at("backup.db"), |_| {}).await.unwrap();
    let backed_up = content(&store).await;
    for number in 1..=2 {
        let late = sample::user(&format!("late {number}"));
        store.commit(Draft::of(&late, NOW).grant(1).change()).await.unwrap();
        kill(&at("source.db"), &at("a.db"));
        let replaced = content(&store).await;
        let unasked = restore(&at("backup.db"), &at("a.db"), false);
        assert!(matches!(unasked, Err(OpenError::Exists(_))), "{unasked:?}");
        // What a restore leaves that was cut off just before its last step.
        fs::write(at("a.db-partial"), "of an earlier attempt").unwrap();
        let kept = restore(&at("backup.db"), &at("a.db"), true).unwrap().unwrap();
        assert_eq!(kept, at(&format!("a.db-before-{number}")));
        assert!(!at("a.db-wal").exists() && !at("a.db-partial").exists());
        assert_eq!(content(&open(&at("a.db"))).await, backed_up);
        assert_eq!(content(&open(&kept)).await, replaced);
    }
}

#[tokio::test]
async fn a_damaged_store_is_kept_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let store = filled(&at("source.db")).await;
    store.backup(&at("backup.db"), |_| {}).await.unwrap();
    // A log alone, which somebody left when he moved the file away, takes a name too.
    for (number, suffixes) in [(1, &["", "-wal"][..]), (2, &["-wal"]), (3, &[""])] {
        for suffix in suffixes {
            fs::write(at(&format!("a.db{suffix}")), format!("damaged{suffix}")).unwrap();
        }
        let unasked = restore(&at("backup.db"), &at("a.db"), false);
        assert!(matches!(unasked, Err(OpenError::Exists(_))), "{unasked:?}");
        let kept = restore(&at("backup.db"), &at("a.db"), true).unwrap().unwrap();
        assert_eq!(kept, at(&format!("a.db-before-{number}")));
        for suffix in suffixes {
            let kept = fs::read_to_string(at(&format!("a.db-before-{number}{suffix}"))).unwrap();
            assert_eq!(kept, format!("damaged{suffix}"));
        }
        assert_eq!(content(&open(&at("a.db"))).await, content(&store).await);
        fs::remove_file(at("a.db")).unwrap();
    }
    assert_eq!(restore(&at("backup.db"), &at("a.db"), true).unwrap(), None, "nothing was there");
}

#[tokio::test]
async fn a_store_that_somebody_looks_at_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let store = filled(&at("source.db")).await;
    store.backup(&at("backup.db"), |_| {}).await.unwrap();
    store.commit(sample::profile(&sample::user("late"), 30)).await.unwrap();
    let before = content(&store).await;
    kill(&at("source.db"), &at("a.db"));
    let view = SqliteStore::open_view(&at("a.db")).unwrap();
    let in_use = restore(&at("backup.db"), &at("a.db"), true);
    assert!(matches!(in_use, Err(OpenError::InUse(_))), "{in_use:?}");
    drop(view);
    assert_eq!(content(&open(&at("a.db"))).await, before);
    assert_eq!(names(folder.path(), "a.db-before"), [""; 0]);
}

#[tokio::test]
async fn a_damaged_backup_is_refused_and_the_store_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let store = filled(&at("a.db")).await;
    store.backup(&at("backup.db"), |_| {}).await.unwrap();
    let before = content(&store).await;
    drop(store);
    let whole = fs::read(at("backup.db")).unwrap();
    let middle = whole.len() / 2;
    let mut overwritten = whole.clone();
    overwritten[middle..middle + 4_096].fill(0xA5);
    for damaged in [&whole[..middle], &overwritten, &whole[..100], b"nothing of the kind"] {
        fs::write(at("backup.db"), damaged).unwrap();
        assert!(restore(&at("backup.db"), &at("a.db"), true).is_err());
        assert!(!at("a.db-partial").exists(), "a failed restore leaves nothing behind");
    }
    assert_eq!(content(&open(&at("a.db"))).await, before);
}
