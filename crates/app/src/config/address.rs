//! Addresses of servers, and the passwords that belong to them.
//!
//! A configuration holds no password: it names the variable or the file that does, so that it can be
//! shown, compared and kept beside others.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use url::Url;

/// An address as a configuration writes it.
pub(crate) struct Address<'a> {
    /// Where it is written, such as `store.url`.
    pub(crate) field: &'a str,
    /// The address, without a password.
    pub(crate) url: &'a str,
    /// What it may begin with, such as `mysql`.
    pub(crate) schemes: &'a [&'a str],
    /// The variable with the password.
    pub(crate) password_env: Option<&'a str>,
    /// The file with the password.
    pub(crate) password_file: Option<&'a PathBuf>,
}

impl Address<'_> {
    /// Checks what can be checked without looking at the password.
    pub(crate) fn check(&self) -> anyhow::Result<Url> {
        let Self { field, url, schemes, .. } = self;
        let url = Url::parse(url).map_err(|error| anyhow::anyhow!("{field} is no URL: {error}"))?;
        ensure!(
            schemes.contains(&url.scheme()) && url.has_host(),
            "{field} must begin with {}:// and name a host",
            schemes.join(":// or ")
        );
        let section = field.rsplit_once('.').map_or("", |(section, _)| section);
        ensure!(
            url.password().is_none(),
            "{field} holds a password; put it into a variable or a file, and name that with \
             {section}.password_env or {section}.password_file"
        );
        ensure!(
            self.password_env.is_none() || self.password_file.is_none(),
            "{section}.password_env and {section}.password_file are both set; one password is enough"
        );
        Ok(url)
    }

    /// The address with its password, to connect with and never to show.
    pub(crate) fn open(&self, folder: &Path) -> anyhow::Result<String> {
        let mut url = self.check()?;
        if let Some(password) = self.password(folder)? {
            let set = url.set_password(Some(&password));
            set.map_err(|()| anyhow::anyhow!("{} cannot take a password", self.field))?;
        }
        Ok(url.into())
    }

    fn password(&self, folder: &Path) -> anyhow::Result<Option<String>> {
        let (told, password) = match (self.password_env, self.password_file) {
            (Some(name), _) => {
                let value = std::env::var(name).ok();
                let value = value.with_context(|| {
                    format!("the variable {name}, which {} needs, is not set", self.field)
                })?;
                (format!("the variable {name}"), value)
            }
            (None, Some(path)) => {
                let path = folder.join(path);
                let text = std::fs::read_to_string(&path).with_context(|| {
                    format!("cannot read the password of {} from {}", self.field, path.display())
                })?;
                (path.display().to_string(), text.trim_end_matches(['\r', '\n']).to_owned())
            }
            (None, None) => return Ok(None),
        };
        if password.is_empty() {
            bail!("{told} holds an empty password for {}", self.field);
        }
        Ok(Some(password))
    }
}

/// A text in which passwords of addresses are covered: errors quote the lines of a file.
pub(crate) fn covered(text: &str) -> String {
    let mut covered = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find("://") {
        let (before, after) = rest.split_at(begin + "://".len());
        covered.push_str(before);
        let end = after.find(|one: char| one.is_whitespace() || "\"'".contains(one));
        let authority = &after[..end.unwrap_or(after.len())];
        let host = authority.rfind('@').map_or(0, |place| place + 1);
        if let Some(colon) = authority[..host].find(':') {
            covered.push_str(&authority[..colon]);
            covered.push_str(":…@");
        } else {
            covered.push_str(&authority[..host]);
        }
        rest = &after[host..];
    }
    covered + rest
}
