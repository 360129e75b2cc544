//! Dependencies point inwards: which crate may use which, and which libraries each may use.
//!
//! The facts come from `cargo metadata`, the rules are the tables in `rules.rs`. A crate or an edge
//! that is not in the tables is a fault, so that adding one is a decision somebody wrote down.

mod rules;

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use self::rules::{ADAPTER_TESTS_IN, ADAPTERS, CrateRule, OWNED, RULES, SERDE_FREE};
use super::Fault;
use crate::process;

/// One line of one crate's manifest.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The crate whose manifest it is.
    pub from: String,
    /// What it depends on.
    pub on: String,
    /// Whether only its tests do.
    pub for_tests: bool,
    /// The features it asks for.
    pub features: Vec<String>,
}

/// The crates of the workspace and what each depends on.
#[derive(Debug, Default)]
pub struct Graph {
    members: BTreeSet<String>,
    dependencies: Vec<Dependency>,
}

impl Graph {
    /// Asks cargo; reads manifests only, so it works without a network.
    pub fn of_workspace() -> Result<Self> {
        let mut command = process::cargo();
        command.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]);
        Self::parse(&process::output(&mut command)?)
    }

    fn parse(metadata: &str) -> Result<Self> {
        let metadata: Value =
            serde_json::from_str(metadata).context("cargo metadata is not JSON")?;
        let packages =
            metadata["packages"].as_array().context("cargo metadata lists no packages")?;
        let mut graph = Self::default();
        for package in packages {
            let from = text(&package["name"]);
            for dependency in package["dependencies"].as_array().into_iter().flatten() {
                graph.dependencies.push(Dependency {
                    from: from.clone(),
                    on: text(&dependency["name"]),
                    for_tests: dependency["kind"] == "dev",
                    features: texts(&dependency["features"]),
                });
            }
            graph.members.insert(from);
        }
        Ok(graph)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

/// Every edge the rules do not allow, and every crate they do not know.
pub fn check(graph: &Graph) -> Vec<Fault> {
    let unknown = graph.members.iter().filter(|name| rule(name).is_none());
    let mut faults: Vec<Fault> = unknown
        .map(|name| {
            fault(
                name,
                "is not in the table of crates; a new crate needs a decision record".to_owned(),
            )
        })
        .collect();
    for dependency in &graph.dependencies {
        let Some(rule) = rule(&dependency.from) else {
            continue;
        };
        let why = if graph.members.contains(&dependency.on) {
            internal(rule, dependency)
        } else {
            external(rule, dependency)
        };
        faults.extend(why.map(|why| fault(rule.name, why)));
    }
    faults
}

fn rule(name: &str) -> Option<&'static CrateRule> {
    RULES.iter().find(|rule| rule.name == name)
}

fn fault(name: &str, message: String) -> Fault {
    let folder = if matches!(name, "xtask" | "bench") { "" } else { "crates/" };
    Fault::whole(format!("{folder}{name}/Cargo.toml"), message)
}

fn internal(rule: &CrateRule, dependency: &Dependency) -> Option<String> {
    let on = dependency.on.as_str();
    let in_tests = dependency.for_tests
        && (rule.tests_may_use.contains(&on)
            || (ADAPTERS.contains(&on) && ADAPTER_TESTS_IN.contains(&rule.name)));
    let allowed = rule.may_use.contains(&on) || in_tests;
    (!allowed).then(|| format!("may not depend on `{on}`: dependencies point inwards"))
}

fn external(rule: &CrateRule, dependency: &Dependency) -> Option<String> {
    let on = dependency.on.as_str();
    let is_serde = on == "serde" || on.starts_with("serde_") || on.starts_with("serde-");
    if is_serde && SERDE_FREE.contains(&rule.name) {
        return Some(format!("may not depend on `{on}`: serialization happens at the edges"));
    }
    if dependency.for_tests {
        return None;
    }
    if let Some((_, owners)) = OWNED.iter().find(|(name, _)| *name == on)
        && !owners.contains(&rule.name)
    {
        return Some(format!("may not depend on `{on}`: it belongs to {}", owners.join(", ")));
    }
    let libraries = rule.libraries?;
    let Some(library) = libraries.iter().find(|library| library.name == on) else {
        return Some(format!("may not depend on `{on}`: not in its list of libraries"));
    };
    let excess = dependency.features.iter().find(|asked| !library.permits(asked));
    excess.map(|feature| format!("may not use the feature `{feature}` of `{on}`"))
}

#[cfg(test)]
mod tests;
