//! Installing Debian packages, as root or through `sudo`.
//!
//! Debian starts a server as soon as it is installed. We want the program and not the service, so
//! while `apt-get` runs there is a policy ([`QUIETLY`]) that forbids starting any; a policy that is
//! there already is left alone. Nothing is stopped, and a service that runs is not disturbed. On a
//! machine with an init system the new services are enabled as usual and would start when it
//! starts; we do not configure the machine, and the tests do not use them.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// Another installation may be under way, for example on a machine that has just started.
const LOCK_WAIT: &str = "DPkg::Lock::Timeout=120";

/// Where Debian's packages ask whether they may start a service.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Runs the command after the first word while the file of that name is a policy that says no to
/// every service. An error, a success and an interruption all remove it again.
const QUIETLY: &str = r#"
policy=$1; shift
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM
  printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy" || exit 1
fi
"$@"
"#;

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
        command.args(&prefix[1..]).arg("DEBIAN_FRONTEND=noninteractive");
        command.args(["sh", "-c", QUIETLY, "apt-quietly", POLICY, "apt-get"]).args(words);
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn shown(means: &Means) -> Result<String> {
        let command = means.apt_get(&["wrk"], &["update"])?;
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words = words.filter(|word| *word != QUIETLY);
        Ok(words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn root_installs_directly_and_others_through_sudo() {
        let root = Means { apt: true, root: true, sudo: false };
        let command = "env DEBIAN_FRONTEND=noninteractive sh -c apt-quietly /usr/sbin/policy-rc.d \
                       apt-get update";
        assert_eq!(shown(&root).unwrap(), command);
        let user = Means { apt: true, root: false, sudo: true };
        assert_eq!(shown(&user).unwrap(), format!("sudo {command}"));
    }

    /// Runs a shell line quietly, with a policy at this path; its success and what it printed.
    fn run_quietly(policy: &Path, line: &str) -> (bool, String) {
        let mut command = Command::new("sh");
        command.args(["-c", QUIETLY, "apt-quietly"]).arg(policy).args(["sh", "-c", line]);
        let output = command.arg("line").arg(policy).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn no_service_may_start_while_packages_are_installed() {
        let name = format!("policy-test-{}", std::process::id());
        let folder = process::target_dir().join("services").join(name);
        fs::create_dir_all(&folder).unwrap();
        let policy = folder.join("policy-rc.d");
        let ask = "\"$1\" mariadb start; echo $?";
        assert_eq!(run_quietly(&policy, ask), (true, "101\n".to_owned()));
        assert!(!policy.exists(), "the policy is still there");
        assert!(!run_quietly(&policy, "false").0, "a failure was lost");
        assert!(!policy.exists(), "the policy is still there after a failure");

        fs::write(&policy, "the machine's own").unwrap();
        assert_eq!(run_quietly(&policy, "cat \"$1\""), (true, "the machine's own".to_owned()));
        assert!(policy.exists(), "the machine's own policy was removed");
        fs::remove_dir_all(&folder).unwrap();
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
