//! A store on a database of its own.

use services::MariaDb;
use store_mysql::{MysqlStore, Options, migrate};

/// The address of a database with the schema of this release.
pub(crate) async fn database(server: &MariaDb, name: &str) -> String {
    let url = server.url(name);
    migrate(&url, Options::default(), &mut |_| {}).await.unwrap();
    url
}

/// A store at an address.
pub(crate) async fn open(url: &str) -> MysqlStore {
    MysqlStore::connect(url, Options::default()).await.unwrap()
}
