//! A store on a database of its own.

use services::MariaDb;
use store_mysql::{MysqlStore, OpenError, Options, migrate};

/// How often a server is asked that does not answer in time: a machine that runs many tests may take
/// longer than a node waits, and none of these tests is about that.
const ATTEMPTS: u32 = 10;

/// The address of a database with the schema of this release.
pub(crate) async fn database(server: &MariaDb, name: &str) -> String {
    let url = server.url(name);
    let address = &*url;
    patiently(|| async move { migrate(address, Options::default(), &mut |_| {}).await }).await;
    url
}

/// A store at an address.
pub(crate) async fn open(url: &str) -> MysqlStore {
    patiently(|| MysqlStore::connect(url, Options::default())).await
}

async fn patiently<T, F: Future<Output = Result<T, OpenError>>>(attempt: impl Fn() -> F) -> T {
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(OpenError::Unreachable(..)) => {}
            answered => return answered.unwrap(),
        }
    }
    attempt().await.unwrap()
}
