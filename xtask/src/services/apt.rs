//! Installing Debian packages, as root or through `sudo`.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// Another installation may be under way, for example on a machine that has just started.
const LOCK_WAIT: &str = "DPkg::Lock::Timeout=120";

/// Updates the package lists once and installs the packages; prints every command first.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    let means = Means::of_this_machine();
    process::run(&mut means.apt_get(packages, &["update"])?)?;
    let words: Vec<&str> = ["install", "-q", "-y", "--no-install-recommends", "-o", LOCK_WAIT]
        .into_iter()
        .chain(packages.iter().copied())
        .collect();
    process::run(&mut means.apt_get(packages, &words)?)
}

/// What this user may do on this machine.
struct Means {
    apt: bool,
    root: bool,
    sudo: bool,
}

impl Means {
    fn of_this_machine() -> Self {
        let user = process::output(Command::new("id").arg("-u"));
        Self {
            apt: process::on_path("apt-get"),
            root: user.is_ok_and(|id| id == "0"),
            sudo: process::on_path("sudo"),
        }
    }

    fn apt_get(&self, packages: &[&str], words: &[&str]) -> Result<Command> {
        if !self.apt {
            bail!("this is not a Debian machine; please install by hand: {}", packages.join(", "));
        }
        // The environment goes through `env`, as sudo does not hand ours on.
        let prefix: &[&str] = match (self.root, self.sudo) {
            (true, _) => &["env"],
            (false, true) => &["sudo", "env"],
            (false, false) => bail!(
                "installing needs root, and there is no sudo; please run as root: apt-get install {}",
                packages.join(" ")
            ),
        };
        let mut command = Command::new(prefix[0]);
        command.args(&prefix[1..]).args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(words);
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(means: &Means) -> Result<String> {
        let command = means.apt_get(&["wrk"], &["update"])?;
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        Ok(words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn root_installs_directly_and_others_through_sudo() {
        let root = Means { apt: true, root: true, sudo: false };
        assert_eq!(shown(&root).unwrap(), "env DEBIAN_FRONTEND=noninteractive apt-get update");
        let user = Means { apt: true, root: false, sudo: true };
        assert_eq!(shown(&user).unwrap(), "sudo env DEBIAN_FRONTEND=noninteractive apt-get update");
    }

    #[test]
    fn without_means_the_error_says_what_to_do() {
        let neither = Means { apt: true, root: false, sudo: false };
        assert!(
            shown(&neither).unwrap_err().to_string().contains("run as root: apt-get install wrk")
        );
        let foreign = Means { apt: false, root: true, sudo: true };
        assert!(shown(&foreign).unwrap_err().to_string().contains("by hand: wrk"));
    }
}
