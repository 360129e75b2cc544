//! The files of `deploy`: they parse, they fit together, and the commands in them start.

mod compose;
mod units;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::support::binary::{command, run};
use crate::support::shape::{Backing, Shape};

/// Every shape.
const SHAPES: [Shape; 4] = [Shape::Embedded, Shape::Compact, Shape::Standard, Shape::Scaled];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What containers have another name for than one machine.
fn in_containers(shape: Shape) -> Vec<(&'static str, &'static str)> {
    let mut names = vec![
        ("listen = \"127.0.0.1:8080\"", "listen = \"0.0.0.0:8080\""),
        ("master_key_file = \"master.key\"", "master_key_file = \"/run/secrets/master_key\""),
    ];
    match shape {
        Shape::Embedded => {
            names.push(("path = \"guerdon.db\"", "path = \"/var/lib/guerdon/guerdon.db\""));
        }
        // nginx stands before the nodes.
        _ => names.extend([
            ("proxies = 0", "proxies = 1"),
            ("guerdon@127.0.0.1:3306", "guerdon@mariadb:3306"),
            (
                "password_env = \"GUERDON_DB_PASSWORD\"",
                "password_file = \"/run/secrets/db_password\"",
            ),
        ]),
    }
    if matches!(shape, Shape::Standard | Shape::Scaled) {
        names.push((
            "# endpoint = \"http://127.0.0.1:8000\"",
            "endpoint = \"http://dynamodb:8000\"",
        ));
    }
    match shape {
        Shape::Standard => names.push(("redis://127.0.0.1:6379", "redis://redis:6379")),
        Shape::Scaled => names.extend([
            ("redis://127.0.0.1:6379", "redis://broker:6379"),
            ("redis://127.0.0.1:7000", "redis://redis-1:6379"),
            ("redis://127.0.0.1:7001", "redis://redis-2:6379"),
            ("redis://127.0.0.1:7002", "redis://redis-3:6379"),
        ]),
        Shape::Embedded | Shape::Compact => {}
    }
    names
}

/// What `init` writes for the shape, without the admin key that is in no other file.
fn written_by_init(shape: Shape) -> String {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init", "--shape", shape.name()]).expect(0);
    let text = read(&folder.path().join("guerdon.toml"));
    text.split("\n[[admin_keys]]").next().unwrap().to_owned()
}

#[test]
fn configurations_are_those_of_init_with_the_containers_names() {
    for shape in SHAPES {
        let expected =
            in_containers(shape).iter().fold(written_by_init(shape), |text, (old, new)| {
                assert!(text.contains(old), "{shape:?}: {old} in {text}");
                text.replace(old, new)
            });
        let path = deploy().join(shape.name()).join("guerdon.toml");
        if std::env::var_os("GUERDON_WRITE_DEPLOY").is_some() {
            std::fs::write(&path, &expected).unwrap();
        }
        assert_eq!(read(&path), expected, "{}", path.display());
    }
}

/// A folder in which a shape's commands run as they would where the files say: with the names of this
/// machine and of servers that run here.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(shape: Shape) -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), &["init", "--shape", shape.name()]).expect(0);
        let text = read(&deploy().join(shape.name()).join("guerdon.toml"));
        let names = in_containers(shape);
        let text = names.iter().fold(text, |text, (old, new)| text.replace(new, old));
        let config = Backing::shared(shape).put_into(shape, text);
        std::fs::write(folder.path().join("guerdon.toml"), config).unwrap();
        Self { folder }
    }

    /// Runs a command to its end, or starts a server and gives it back with its port.
    fn start(&self, words: &[String]) -> Option<Started> {
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        if !matches!(words[0], "serve" | "worker") {
            run(self.folder.path(), &words).expect(0);
            return None;
        }
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        match words.iter().position(|word| *word == "--listen") {
            Some(place) => words[place + 1] = &listen,
            None => words.extend(["--listen", &listen]),
        }
        let mut serve = command(self.folder.path(), &words);
        let mut child = serve.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let begun = ["guerdon serves", "guerdon works"];
        let is_begun = |line: &String| begun.iter().any(|words| line.contains(words));
        let mut said = Vec::new();
        while !said.last().is_some_and(is_begun) {
            said.push(lines.next().unwrap_or_else(|| panic!("{words:?} ended: {said:#?}")));
        }
        // Whatever else it says has somewhere to go.
        let reader = std::thread::spawn(move || lines.for_each(drop));
        Some(Started { child, port, reader: Some(reader) })
    }
}

/// A server that was started by a file of `deploy`.
struct Started {
    child: Child,
    port: u16,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Started {
    /// Stops it as a supervisor does; it ends in order.
    fn stop(mut self) {
        let id = self.child.id().to_string();
        let mut kill = std::process::Command::new("sh");
        assert!(kill.args(["-c", "kill -TERM \"$0\"", &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        assert_eq!(status.code(), Some(0));
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
