//! Finding and running the programs that `cargo xtask services` installs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Debian puts servers here, and an ordinary user's search path may lack it.
const SYSTEM_PROGRAMS: &str = "/usr/sbin";

/// The path of an installed program.
pub(crate) fn find(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from(SYSTEM_PROGRAMS)]);
    match folders.map(|folder| folder.join(name)).find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => bail!("{}", missing(name)),
    }
}

/// The sentence for a program that is not there.
pub(crate) fn missing(name: &str) -> String {
    format!("`{name}` is not installed; `cargo xtask services` installs it")
}

/// What a program printed; an error with everything it said when it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = Path::new(command.get_program()).display().to_string();
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot start {name}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed ({}): {} {}", output.status, said.trim(), printed.trim());
    }
    Ok(printed.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_an_error_that_says_what_to_do() {
        assert!(find("sh").is_ok());
        let error = find("no-such-program").unwrap_err().to_string();
        assert!(error.contains("no-such-program") && error.contains("cargo xtask services"));
    }

    #[test]
    fn a_failure_tells_what_the_program_said() {
        assert_eq!(output(Command::new("echo").arg("yes")).unwrap(), "yes\n");
        let failed = output(Command::new("sh").args(["-c", "echo because >&2; exit 3"]));
        assert!(failed.unwrap_err().to_string().contains("because"));
    }
}
