//! The compose files.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use services::MariaDb;

use super::{Place, SHAPES, deploy, read};
use crate::support::shape::Shape;

fn compose(shape: Shape) -> Value {
    let path = deploy().join(shape.name()).join("docker-compose.yml");
    serde_saphyr::from_str(&read(&path)).unwrap_or_else(|error| panic!("{shape:?}: {error}"))
}

fn services(compose: &Value) -> impl Iterator<Item = (&String, &Value)> {
    compose["services"].as_object().unwrap().iter()
}

/// The words of a list.
fn words(list: &Value) -> Vec<String> {
    let words = list.as_array().into_iter().flatten();
    words
        .map(|word| word.as_str().unwrap_or_else(|| panic!("{word} is no text")).to_owned())
        .collect()
}

/// The names that a part of the file declares.
fn declared(compose: &Value, part: &str) -> BTreeSet<String> {
    compose[part].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// Services of our own image, in the order in which they may start.
fn own(compose: &Value) -> Vec<(&String, &Value)> {
    let mut own: Vec<_> = services(compose).filter(|(_, one)| one["image"] == "guerdon").collect();
    own.sort_by_key(|(name, one)| {
        let waits = one["depends_on"].as_object().map_or(0, |on| on.len());
        (one["depends_on"]["migrate"].is_object(), waits, (*name).clone())
    });
    own
}

#[test]
fn everything_that_is_named_is_there() {
    for shape in SHAPES {
        let compose = compose(shape);
        let folder = deploy().join(shape.name());
        let names: BTreeSet<_> = services(&compose).map(|(name, _)| name.clone()).collect();
        let secrets = declared(&compose, "secrets");
        let configs = declared(&compose, "configs");
        let volumes = declared(&compose, "volumes");
        for (name, service) in services(&compose) {
            let told = format!("{shape:?}: {name}");
            for secret in words(&service["secrets"]) {
                assert!(secrets.contains(&secret), "{told}: {secret}");
            }
            for config in service["configs"].as_array().into_iter().flatten() {
                assert!(configs.contains(config["source"].as_str().unwrap()), "{told}: {config}");
            }
            for volume in words(&service["volumes"]) {
                assert!(volumes.contains(volume.split(':').next().unwrap()), "{told}: {volume}");
            }
            waits_for_what_can_be_awaited(&compose, &names, &told, &service["depends_on"]);
            if let Some(build) = service["build"].as_object() {
                let context = folder.join(build["context"].as_str().unwrap());
                let file = context.join(build["dockerfile"].as_str().unwrap());
                assert!(file.is_file(), "{told}: {}", file.display());
            }
        }
        for (_, config) in compose["configs"].as_object().unwrap() {
            assert!(folder.join(config["file"].as_str().unwrap()).is_file(), "{config}");
        }
    }
}

fn waits_for_what_can_be_awaited(
    compose: &Value,
    names: &BTreeSet<String>,
    told: &str,
    on: &Value,
) {
    for (name, wait) in on.as_object().into_iter().flatten() {
        assert!(names.contains(name), "{told}: {name}");
        let other = &compose["services"][name];
        match wait["condition"].as_str().unwrap() {
            "service_healthy" => assert!(other["healthcheck"].is_object(), "{told}: {name}"),
            "service_completed_successfully" => {
                assert_eq!(other["restart"], "on-failure", "{told}: {name} has to end");
            }
            "service_started" => {}
            other => panic!("{told}: {other}"),
        }
    }
    for name in on.as_array().into_iter().flatten() {
        assert!(names.contains(name.as_str().unwrap()), "{told}: {name}");
    }
}

#[test]
fn servers_of_the_configuration_are_services_and_its_files_are_mounted() {
    for shape in SHAPES {
        let compose = compose(shape);
        let config = read(&deploy().join(shape.name()).join("guerdon.toml"));
        let lines = config.lines().filter(|line| !line.trim_start().starts_with('#'));
        let settings: Vec<&str> = lines.filter(|line| !line.starts_with("public_url")).collect();
        let quoted: Vec<&str> =
            settings.iter().flat_map(|line| line.split('"').skip(1).step_by(2)).collect();
        for address in quoted.iter().filter_map(|text| text.split_once("://")) {
            let host = address.1.rsplit('@').next().unwrap().split([':', '/']).next().unwrap();
            assert!(compose["services"][host].is_object(), "{shape:?}: {host}");
        }
        for (name, service) in own(&compose) {
            let told = format!("{shape:?}: {name}");
            for secret in quoted.iter().filter_map(|text| text.strip_prefix("/run/secrets/")) {
                assert!(
                    words(&service["secrets"]).contains(&secret.to_owned()),
                    "{told}: {secret}"
                );
            }
            assert_eq!(service["configs"][0]["target"], "/etc/guerdon/guerdon.toml", "{told}");
        }
    }
}

#[test]
fn the_database_is_durable_as_it_is_started() {
    for shape in SHAPES.into_iter().filter(|shape| *shape != Shape::Embedded) {
        let options = words(&compose(shape)["services"]["mariadb"]["command"]);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let started = MariaDb::start_with(&options).unwrap();
        let settings =
            started.sql("SELECT @@log_bin, @@sync_binlog, @@innodb_flush_log_at_trx_commit");
        assert_eq!(settings.unwrap().trim(), "1\t1\t1", "{shape:?}");
    }
}

/// Runs a service's health check as its container would.
fn is_healthy(service: &Value, port: u16) -> bool {
    let test = words(&service["healthcheck"]["test"]);
    assert_eq!(test[0], "CMD");
    let words = test[1..].iter().map(|word| word.replace("8080", &port.to_string()));
    let words: Vec<String> = words.collect();
    Command::new(&words[0]).args(&words[1..]).output().unwrap().status.success()
}

fn commands_start(shape: Shape) {
    let compose = compose(shape);
    let place = Place::new(shape);
    let mut running = Vec::new();
    for (name, service) in own(&compose) {
        let Some(started) = place.start(&words(&service["command"])) else { continue };
        assert!(is_healthy(service, started.port), "{shape:?}: {name}");
        running.push((service, started));
    }
    assert!(!running.is_empty(), "{shape:?} serves nothing");
    for (service, started) in running {
        let port = started.port;
        started.stop();
        assert!(!is_healthy(service, port), "a server that has ended is not healthy");
    }
}

#[test]
fn commands_of_embedded_start() {
    commands_start(Shape::Embedded);
}

#[test]
fn commands_of_compact_start() {
    commands_start(Shape::Compact);
}

#[test]
fn commands_of_standard_start() {
    commands_start(Shape::Standard);
}

#[test]
fn commands_of_scaled_start() {
    commands_start(Shape::Scaled);
}
