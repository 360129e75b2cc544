//! The units of systemd.

use std::collections::BTreeMap;

use super::{Place, deploy, read};
use crate::support::shape::Shape;

/// The units, and the shapes whose machines run them.
const UNITS: [(&str, &[Shape]); 4] = [
    ("guerdon-migrate.service", &[Shape::Compact, Shape::Standard, Shape::Scaled]),
    ("guerdon.service", &[Shape::Embedded, Shape::Compact, Shape::Standard]),
    ("guerdon-answers.service", &[Shape::Scaled]),
    ("guerdon-worker.service", &[Shape::Scaled]),
];

/// Settings by section and name.
type Unit = BTreeMap<(String, String), String>;

fn unit(name: &str) -> Unit {
    let (mut unit, mut section) = (Unit::new(), String::new());
    let text = read(&deploy().join("systemd").join(name));
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(head) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            assert!(["Unit", "Service", "Install"].contains(&head), "{name}: {line}");
            section = head.to_owned();
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{name}: {line}"));
        let before = unit.insert((section.clone(), key.to_owned()), value.to_owned());
        assert_eq!(before, None, "{name} sets {key} twice");
    }
    unit
}

fn setting<'a>(unit: &'a Unit, section: &str, key: &str) -> &'a str {
    unit.get(&(section.to_owned(), key.to_owned())).map_or("", String::as_str)
}

/// What the unit starts, as words after the program and its configuration.
fn started(unit: &Unit) -> Vec<String> {
    let words = setting(unit, "Service", "ExecStart");
    let own = words.strip_prefix("/usr/local/bin/guerdon --config /etc/guerdon/guerdon.toml ");
    own.unwrap_or_else(|| panic!("{words}")).split(' ').map(str::to_owned).collect()
}

#[test]
fn every_unit_is_known_and_careful() {
    let files = std::fs::read_dir(deploy().join("systemd")).unwrap();
    let mut names: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut known = UNITS.map(|(name, _)| name.to_owned());
    known.sort();
    assert_eq!(names, known);
    for (name, _) in UNITS {
        let unit = unit(name);
        for (key, value) in [
            ("User", "guerdon"),
            ("StateDirectory", "guerdon"),
            ("NoNewPrivileges", "yes"),
            ("ProtectSystem", "strict"),
            ("EnvironmentFile", "-/etc/guerdon/environment"),
        ] {
            assert_eq!(setting(&unit, "Service", key), value, "{name}: {key}");
        }
        let is_server = matches!(started(&unit)[0].as_str(), "serve" | "worker");
        assert_eq!(setting(&unit, "Service", "Restart") == "always", is_server, "{name}");
        assert_eq!(setting(&unit, "Service", "Type") == "oneshot", !is_server, "{name}");
        if is_server {
            // Ours ends after ten seconds at most; then there is nothing left to kill.
            let patience = setting(&unit, "Service", "TimeoutStopSec");
            assert!(patience.parse::<u32>().unwrap() > 10, "{name}");
        }
    }
}

#[test]
fn commands_of_every_unit_start() {
    for shape in [Shape::Embedded, Shape::Compact, Shape::Standard, Shape::Scaled] {
        let place = Place::new(shape);
        let units = UNITS.iter().filter(|(_, shapes)| shapes.contains(&shape));
        let running: Vec<_> =
            units.filter_map(|(name, _)| place.start(&started(&unit(name)))).collect();
        assert!(!running.is_empty(), "{shape:?}");
        running.into_iter().for_each(super::Started::stop);
    }
}
