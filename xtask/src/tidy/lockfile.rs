//! The lock file holds the SQLite we tested and none of the libraries we decided against.

use super::{Fault, Tree};

const LOCK_FILE: &str = "Cargo.lock";

/// Packages that must be locked at exactly this version. This one bundles SQLite 3.51.3; from 3.7.0
/// to 3.51.2 two connections that reset the write-ahead log at once could corrupt the database.
const PINNED: &[(&str, &str)] = &[("libsqlite3-sys", "0.37.0")];

/// Packages that must not be linked, and why.
const REFUSED: &[(&str, &str)] = &[
    ("aws-lc-sys", "one implementation of cryptography, and it is ring"),
    ("native-tls", "TLS is rustls everywhere"),
    ("openssl-sys", "TLS is rustls everywhere"),
    ("rsa", "known timing side channel, and nothing here signs with RSA"),
];

/// Packages at the wrong version and packages that must not be there.
pub fn check(tree: &Tree) -> Vec<Fault> {
    let Some(lock) = tree.get(LOCK_FILE) else {
        return vec![Fault::whole(LOCK_FILE, "is missing")];
    };
    let packages = packages(&lock.text);
    let mut faults = Vec::new();
    for (name, version) in PINNED {
        let locked: Vec<&str> =
            packages.iter().filter(|package| package.0 == *name).map(|package| package.1).collect();
        if locked != [*version] {
            let message = format!("{name} must be locked at {version} once, not at {locked:?}");
            faults.push(Fault::whole(LOCK_FILE, message));
        }
    }
    for (name, why) in REFUSED {
        if packages.iter().any(|package| package.0 == *name) {
            faults.push(Fault::whole(LOCK_FILE, format!("{name} may not be used: {why}")));
        }
    }
    faults
}

/// Names and versions of the locked packages.
fn packages(lock: &str) -> Vec<(&str, &str)> {
    let blocks = lock.split("[[package]]").skip(1);
    blocks.filter_map(|block| Some((field(block, "name")?, field(block, "version")?))).collect()
}

fn field<'a>(block: &'a str, name: &str) -> Option<&'a str> {
    block.lines().find_map(|line| {
        let value = line.strip_prefix(name)?.strip_prefix(" = \"")?;
        value.strip_suffix('"')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: (&str, &str) = ("libsqlite3-sys", "0.37.0");

    fn faults(packages: &[(&str, &str)]) -> usize {
        let block = |(name, version): &(&str, &str)| {
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\ndependencies = [\n \"rsa\",\n]\n\n"
            )
        };
        let lock: String = packages.iter().map(block).collect();
        check(&Tree::planted(&[(LOCK_FILE, &lock)])).len()
    }

    #[test]
    fn a_planted_wrong_version_is_found() {
        assert_eq!(faults(&[GOOD]), 0);
        assert_eq!(faults(&[("libsqlite3-sys", "0.36.0")]), 1);
        assert_eq!(faults(&[GOOD, ("libsqlite3-sys", "0.38.0")]), 1);
        assert_eq!(faults(&[]), 1);
        assert_eq!(check(&Tree::default()).len(), 1);
    }

    #[test]
    fn every_planted_refused_package_is_found() {
        for (name, _) in REFUSED {
            assert_eq!(faults(&[GOOD, (name, "1.0.0")]), 1, "{name}");
        }
    }
}
