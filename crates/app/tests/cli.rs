//! The binary as it is called: exit codes, output for people and for programs, and files.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what cannot be done has to fail its test, in helpers too"
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// What a command came to.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guerdon"));
    command.current_dir(folder).env_remove("GUERDON_CONFIG").args(args);
    command
}

fn guerdon(folder: &Path, args: &[&str]) -> Ran {
    let done = command(folder, args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: done.status.code(), out: text(done.stdout), err: text(done.stderr) }
}

/// A folder with a configuration.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    guerdon(home.path(), &["init"]).expect(0);
    home
}

const CATALOG: &str = r#"[[publishers]]
id = 1
name = "P"

[[apps]]
id = 1
publisher_id = 1
name = "A"
user_share = "60%"
currency = { name = "coins", rates = { USD = "1000" } }
"#;

#[test]
fn help_teaches() {
    let home = tempfile::tempdir().unwrap();
    let help = guerdon(home.path(), &["--help"]).expect(0).out;
    for words in ["`guerdon demo`", "`guerdon init`", "Exit codes: 0 done", "GUERDON_CONFIG"] {
        assert!(help.contains(words), "{words} in {help}");
    }
    let commands = [
        "demo",
        "init",
        "serve",
        "worker",
        "migrate",
        "migrate-state",
        "doctor",
        "explain",
        "catalog",
        "key",
        "verify",
        "backup",
        "restore",
        "config",
        "openapi",
        "completions",
        "seed",
    ];
    for name in commands {
        assert!(help.contains(&format!("\n  {name} ")), "{name} in {help}");
        let own = guerdon(home.path(), &[name, "--help"]).expect(0).out;
        assert!(own.lines().next().is_some_and(|line| line.len() > 20), "{own}");
    }
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let cases: [&[&str]; 11] = [
        &[],
        &["init", "--shape", "round"],
        &["dance"],
        &["catalog", "apply"],
        &["serve", "--listen", "nowhere"],
        &["demo", "--port", "70000"],
        &["key", "admin", "ann", "--role", "king"],
        &["key", "admin", ""],
        &["key", "admin", " "],
        &["key", "digest", ""],
        &["key", "digest", "fifteen letters"],
    ];
    for args in cases {
        let ran = guerdon(home.path(), args).expect(2);
        assert!(ran.err.contains("Usage:") || ran.err.contains("--help"), "{args:?}: {}", ran.err);
    }
}

#[test]
fn init_writes_private_files_once() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let first = guerdon(home.path(), &["init", "here"]).expect(0).out;
    assert!(first.contains("guerdon --config here/guerdon.toml serve"), "{first}");
    let config = home.path().join("here/guerdon.toml");
    for path in [&config, &home.path().join("here/master.key")] {
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    let written = std::fs::read_to_string(&config).unwrap();
    let again = guerdon(home.path(), &["init", "here"]).expect(1);
    assert!(again.err.contains("is there already; nothing was changed"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(&config).unwrap(), written);
}

#[test]
fn init_writes_a_configuration_for_each_shape() {
    for shape in ["embedded", "compact", "standard", "scaled"] {
        let home = tempfile::tempdir().unwrap();
        let told = guerdon(home.path(), &["init", "--shape", shape]).expect(0).out;
        let wants_migration = shape != "embedded";
        assert_eq!(told.contains("guerdon.toml migrate"), wants_migration, "{told}");
        let printed = guerdon(home.path(), &["config", "print"]).expect(0).out;
        assert_eq!(printed.contains("mysql://"), wants_migration, "{printed}");
        assert!(!printed.contains("password ="), "{printed}");
    }
}

#[test]
fn the_first_admin_key_is_the_one_in_the_configuration() {
    let home = tempfile::tempdir().unwrap();
    let written = guerdon(home.path(), &["init", "--json"]).expect(0).json();
    let key = written["admin_key"].as_str().unwrap();
    let digest = guerdon(home.path(), &["key", "digest", key, "--json"]).expect(0).json();
    let config = guerdon(home.path(), &["config", "print", "--json"]).expect(0).json();
    assert_eq!(config["admin_keys"][0]["digest"], digest["digest"]);
    assert_eq!(config["admin_keys"][0]["role"], "admin");
    assert_eq!(config["server"]["listen"], "127.0.0.1:8080");
    let text = guerdon(home.path(), &["config", "print"]).expect(0).out;
    assert!(text.contains("listen = \"127.0.0.1:8080\""), "{text}");
    assert!(!text.contains(key), "the key itself is kept nowhere");
}

#[test]
fn keys_come_with_the_lines_for_the_configuration() {
    let home = tempfile::tempdir().unwrap();
    let new = guerdon(home.path(), &["key", "admin", "ann", "--role", "ad_ops", "--json"]);
    let new = new.expect(0).json();
    let lines = new["config"].as_str().unwrap();
    for words in ["[[admin_keys]]", "name = \"ann\"", "role = \"ad_ops\""] {
        assert!(lines.contains(words), "{lines}");
    }
    let digest = guerdon(home.path(), &["key", "digest", new["key"].as_str().unwrap(), "--json"]);
    assert_eq!(digest.expect(0).json()["digest"], new["digest"]);
    let people = guerdon(home.path(), &["key", "digest"]).expect(0).out;
    assert!(people.starts_with("key ") && people.contains("\ndigest "), "{people}");
}

#[test]
fn shells_get_completions() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = guerdon(home.path(), &["completions", shell]).expect(0).out;
        assert!(script.contains("guerdon") && script.contains("validate"), "{shell}");
    }
    guerdon(home.path(), &["completions", "cmd"]).expect(2);
}

#[test]
fn the_api_is_described_without_a_server() {
    let home = tempfile::tempdir().unwrap();
    let document = guerdon(home.path(), &["openapi"]).expect(0).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{document}");
    assert!(document["paths"]["/v1/missions"]["get"].is_object(), "{document}");
}

#[test]
fn a_configuration_that_cannot_be_used_fails_with_its_place() {
    let home = home();
    let config = home.path().join("guerdon.toml");
    let missing = guerdon(home.path(), &["--config", "other.toml", "verify"]).expect(1);
    assert!(missing.err.contains("cannot read other.toml"), "{}", missing.err);
    std::fs::write(&config, "[server]\nport = 1\n").unwrap();
    let unknown = guerdon(home.path(), &["verify"]).expect(1);
    assert!(unknown.err.contains("guerdon.toml is not usable"), "{}", unknown.err);
    assert!(unknown.err.contains("line 2") && unknown.err.contains("`port`"), "{}", unknown.err);
    std::fs::write(&config, "").unwrap();
    std::fs::write(home.path().join("master.key"), "c0ffee\n").unwrap();
    let short = guerdon(home.path(), &["catalog", "export"]).expect(1);
    assert!(short.err.contains("64 hexadecimal digits"), "{}", short.err);
    assert!(!short.err.contains("c0ffee"), "{}", short.err);
}

#[test]
fn a_lost_master_key_is_asked_back_before_anything_is_made() {
    let home = home();
    let (key, kept) = (home.path().join("master.key"), home.path().join("kept"));
    std::fs::rename(&key, &kept).unwrap();
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["catalog", "export"], &["verify"]] {
        let told = guerdon(home.path(), args).expect(1).err;
        assert!(told.contains("put its copy back"), "{told}");
        assert!(told.contains("`guerdon init` in an empty folder"), "{told}");
    }
    assert!(!home.path().join("guerdon.db").exists());
    std::fs::rename(&kept, &key).unwrap();
    guerdon(home.path(), &["catalog", "export"]).expect(0);
}

#[test]
fn validate_finds_the_line_and_the_field() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(home.path().join(name), text).unwrap();
    let validate = |name: &str| guerdon(home.path(), &["catalog", "validate", name]);
    file("good.toml", CATALOG);
    let good = validate("good.toml").expect(0);
    assert!(good.out.contains("good.toml is a catalogue"), "{}", good.out);

    file("owner.toml", &CATALOG.replace("publisher_id = 1", "publisher_id = 7"));
    let owner = validate("owner.toml").expect(3);
    let expected = "owner.toml:7:16: apps[0].publisher_id: there is no publisher 7";
    assert!(owner.out.contains(expected), "{}", owner.out);
    assert!(owner.err.contains("1 problem"), "{}", owner.err);

    file("field.toml", &CATALOG.replace("name = \"P\"", "name = 5"));
    let field = validate("field.toml").expect(3);
    assert!(field.out.contains("field.toml:3:8: publishers[0].name: "), "{}", field.out);

    file("broken.json", "{\"publishers\": [{\"id\": 1}]}");
    let args = ["catalog", "validate", "broken.json", "--json"];
    let broken = guerdon(home.path(), &args).expect(3).json();
    assert_eq!(broken["valid"], false);
    assert_eq!(broken["errors"][0]["line"], 1);
    assert_eq!(broken["errors"][0]["field"], "publishers[0]");

    file("catalog.yaml", "");
    assert!(validate("catalog.yaml").expect(1).err.contains("must end in .toml or .json"));
    assert!(validate("missing.toml").expect(1).err.contains("cannot read missing.toml"));
}

/// Everything that `apply` and `export` promise, whoever answers.
fn apply_keeps_its_promises(home: &Path) {
    let file = |name: &str, text: &str| std::fs::write(home.join(name), text).unwrap();
    let catalog = |args: &[&str]| guerdon(home, &[&["catalog"], args].concat());
    file("c.toml", CATALOG);
    let dry = catalog(&["apply", "c.toml", "--dry-run"]).expect(0).out;
    assert!(dry.contains("+ publishers 1\n+ apps 1\n"), "{dry}");
    assert!(dry.contains("2 to create, 0 to change, 0 to delete; a dry run"), "{dry}");
    let applied = catalog(&["apply", "c.toml", "--json"]).expect(0).json();
    assert_eq!(applied["dry_run"], false);
    assert_eq!(applied["revision"], 1, "the dry run saved nothing");
    assert_eq!(applied["created"][1], serde_json::json!({"kind": "apps", "id": 1}));
    let again = catalog(&["apply", "c.toml"]).expect(0).out;
    assert_eq!(again.trim(), "nothing changes; the catalogue is at revision 1");

    file("c.toml", &CATALOG.replace("60%", "55.5%").replace("\"P\"", "\"Q\""));
    let dry = catalog(&["apply", "c.toml", "--dry-run"]).expect(0).out;
    assert!(dry.contains("~ apps 1\n    user_share  \"60%\" -> \"55.5%\"\n"), "{dry}");
    let changed = catalog(&["apply", "c.toml", "--json"]).expect(0).json();
    let field = &changed["changed"][0]["fields"][0];
    assert_eq!(
        (&changed["changed"][0]["kind"], &field["path"]),
        (&"publishers".into(), &"name".into())
    );
    assert_eq!((&field["old"], &field["new"]), (&"\"P\"".into(), &"\"Q\"".into()));

    file("wrong.toml", "[[units]]\nid = 4\napp_id = 9\nname = \"U\"\n");
    let wrong = catalog(&["apply", "wrong.toml"]).expect(1).err;
    assert_eq!(wrong.to_lowercase().matches("nothing was").count(), 1, "{wrong}");
    assert!(wrong.contains("nothing was changed"), "{wrong}");
    assert!(wrong.contains("wrong.toml:3") && wrong.contains("units[0].app_id"), "{wrong}");

    for (name, args) in [("x.toml", vec!["export"]), ("x.json", vec!["export", "--format", "json"])]
    {
        file(name, &catalog(&args).expect(0).out);
        catalog(&["validate", name]).expect(0);
        let same = catalog(&["apply", name, "--prune"]).expect(0).out;
        assert!(same.contains("nothing changes"), "{same}");
    }
    file("less.toml", "[[publishers]]\nid = 1\nname = \"Q\"\n");
    assert!(catalog(&["apply", "less.toml"]).expect(0).out.contains("nothing changes"));
    let pruned = catalog(&["apply", "less.toml", "--prune"]).expect(0).out;
    assert!(pruned.contains("- apps 1\n0 created, 0 changed, 1 deleted"), "{pruned}");
}

#[test]
fn the_catalogue_is_applied_without_a_server() {
    apply_keeps_its_promises(home().path());
}

#[test]
fn the_catalogue_is_applied_through_a_running_server() {
    let home = home();
    let server = Server::start(home.path());
    apply_keeps_its_promises(home.path());
    // It was the server that did it: nobody else can have the database.
    let second = guerdon(home.path(), &["serve", "--listen", "127.0.0.1:0"]).expect(1);
    assert!(second.err.contains("in use by another process"), "{}", second.err);
    let verified = guerdon(home.path(), &["verify", "--json"]).expect(0).json();
    assert_eq!(verified["findings"], serde_json::json!([]));
    server.stop();
}

#[test]
fn secrets_that_cannot_be_opened_are_told() {
    let home = home();
    let path = home.path();
    let endpoint = |secrets: &str| {
        let url = "https://p.example/";
        format!("{CATALOG}postback = {{ url = \"{url}\", secrets = [{secrets}] }}\n")
    };
    let both = r#""whsec_aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=", "env:GUERDON_SECRET_NOT_SET""#;
    std::fs::write(path.join("c.toml"), endpoint(both)).unwrap();
    guerdon(path, &["catalog", "apply", "c.toml"]).expect(0);
    let variable =
        "postback.secrets[1]: the environment variable GUERDON_SECRET_NOT_SET is not set";
    let server = Server::start(path);
    let said = server.said.join("\n");
    assert!(said.contains("WARN") && said.contains(variable), "{said}");
    assert!(!said.contains("secrets[0]") && !said.contains("whsec"), "{said}");
    let ready = server.get("/readyz");
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert!(ready.contains(r#""status":"degraded""#) && ready.contains(variable), "{ready}");
    server.stop();

    // Another master key opens nothing that was sealed before.
    let other = self::home();
    std::fs::copy(other.path().join("master.key"), path.join("master.key")).unwrap();
    let server = Server::start(path);
    let said = server.said.join("\n");
    assert!(said.contains("secrets[0]: it was sealed for another row or with another"), "{said}");
    let ready = server.get("/readyz");
    assert!(ready.contains("2 secrets of the catalogue cannot be opened"), "{ready}");
    server.stop();

    // What is set and sealed here is nothing to tell.
    let plain = endpoint(r#""whsec_aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=""#);
    std::fs::write(path.join("c.toml"), plain).unwrap();
    guerdon(path, &["catalog", "apply", "c.toml"]).expect(0);
    let server = Server::start(path);
    assert!(!server.said.join("\n").contains("WARN"), "{:?}", server.said);
    assert!(server.get("/readyz").contains(r#""status":"ready""#));
    server.stop();

    std::fs::write(path.join("c.toml"), endpoint(r#""env:PROD_DB_PASSWORD""#)).unwrap();
    let refused = guerdon(path, &["catalog", "validate", "c.toml"]).expect(3);
    let told = format!("{}{}", refused.out, refused.err);
    assert!(told.contains("postback.secrets[0]: the name of a secret's variable"), "{told}");
}

#[test]
fn a_database_is_verified_backed_up_and_restored() {
    let home = home();
    let path = home.path();
    let missing = guerdon(path, &["verify"]).expect(1);
    assert!(missing.err.contains("cannot open the database"), "{}", missing.err);
    let args = ["seed", "--users", "60", "--enrollments", "3", "--line-items", "40", "--json"];
    let seeded = guerdon(path, &args).expect(0).json();
    assert_eq!(seeded["commits"], 60 * 4);
    assert_eq!(seeded["missions"], 120);
    let refused = guerdon(path, &args).expect(1);
    assert!(refused.err.contains("is not empty"), "{}", refused.err);

    let verified = guerdon(path, &["verify", "--json"]).expect(0).json();
    assert_eq!(verified["users"], 60);
    assert_eq!(verified["findings"], serde_json::json!([]));
    assert!(verified["entries"].as_u64().unwrap() >= 60 * 2, "{verified}");

    let backed = guerdon(path, &["backup", "b.db", "--json"]).expect(0).json();
    assert!(backed["bytes"].as_u64().unwrap() > 0, "{backed}");
    let twice = guerdon(path, &["backup", "b.db"]).expect(1);
    assert!(twice.err.contains("already exists"), "{}", twice.err);
    let over = guerdon(path, &["restore", "b.db"]).expect(1);
    assert!(over.err.contains("nothing was restored"), "{}", over.err);
    let restored = guerdon(path, &["restore", "b.db", "--replace", "--json"]).expect(0).json();
    assert_eq!(restored["records"], verified["records"]);
    assert_eq!(restored["findings"], 0);
    assert!(path.join(restored["kept"].as_str().unwrap()).exists(), "{restored}");
    let told = guerdon(path, &["restore", "b.db", "--replace"]).expect(0).out;
    let kept =
        told.lines().find_map(|line| line.strip_prefix("The database that was there is kept as "));
    let kept = path.join(kept.unwrap().trim_end_matches('.'));
    std::fs::remove_file(path.join("guerdon.db")).unwrap();
    std::fs::rename(kept, path.join("guerdon.db")).unwrap();
    let before = guerdon(path, &["verify", "--json"]).expect(0).json();
    assert_eq!(before["records"], verified["records"]);
}

#[test]
fn seeded_users_are_in_progress_as_often_as_wanted() {
    let home = home();
    let seed = |in_progress| {
        let args = ["seed", "--users", "40", "--enrollments", "5", "--line-items", "150"];
        guerdon(home.path(), &[&args[..], &["--in-progress", in_progress, "--json"]].concat())
    };
    let refused = seed("6").expect(1);
    assert!(refused.err.contains("at most 5 can be in progress"), "{}", refused.err);
    let seeded = seed("5").expect(0).json();
    // Each run is a commit, and each first step that was done is another one.
    assert_eq!(seeded["commits"], 40 * (5 + 5));
    assert_eq!(seeded["missions_per_user"], 15);
    let verified = guerdon(home.path(), &["verify", "--json"]).expect(0).json();
    assert_eq!((&verified["users"], &verified["findings"]), (&40.into(), &serde_json::json!([])));
}

#[test]
fn what_cannot_be_read_is_a_finding() {
    let home = home();
    let args = ["seed", "--users", "9", "--enrollments", "2", "--line-items", "40"];
    guerdon(home.path(), &args).expect(0);
    let script = "import sqlite3\n\
        with sqlite3.connect('guerdon.db') as db: db.execute(\"UPDATE journal SET body = x'00' WHERE seq = 2\")";
    let mut python = Command::new("python3");
    assert!(python.current_dir(home.path()).args(["-c", script]).status().unwrap().success());
    let verified = guerdon(home.path(), &["verify", "--json"]).expect(3).json();
    let finding = &verified["findings"][0];
    assert_eq!(finding["invariant"], "STORE", "{verified}");
    let told = guerdon(home.path(), &["verify"]).expect(3);
    let line =
        format!("\nSTORE  after record 0 and 0 users: {}", finding["detail"].as_str().unwrap());
    assert!(told.out.contains(&line), "{}", told.out);
    assert!(line.contains("corrupt"), "{line}");
    assert!(told.err.contains("1 finding") && !told.err.contains("findings"), "{}", told.err);
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let home = home();
    std::fs::write(home.path().join("b.db"), "not a database").unwrap();
    let refused = guerdon(home.path(), &["restore", "b.db"]).expect(1);
    assert!(refused.err.contains("nothing was restored"), "{}", refused.err);
    assert!(!home.path().join("guerdon.db").exists());
}

#[test]
fn a_closed_pipe_is_no_error() {
    let home = tempfile::tempdir().unwrap();
    let mut child = command(home.path(), &["openapi"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// `guerdon serve` on a port of its own, stopped when dropped.
struct Server {
    process: Child,
    /// What it logged before it served.
    said: Vec<String>,
    address: String,
}

impl Server {
    fn start(home: &Path) -> Self {
        use std::io::{BufRead, BufReader};
        let args = ["serve", "--listen", "127.0.0.1:0"];
        let mut child = command(home, &args).stderr(Stdio::piped()).spawn().unwrap();
        // Its log says when it serves, and where; reading on keeps the pipe open for the rest.
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let address = log.by_ref().map_while(Result::ok).find_map(|line| {
            let address = line.split_once("guerdon serves address=");
            let address = address.map(|(_, rest)| rest.trim().to_owned());
            said.push(line);
            address
        });
        std::thread::spawn(move || log.for_each(drop));
        let mut server = Self { process: child, said, address: String::new() };
        server.address = address.expect("the server ended before it served");
        // Other commands look for the server where the configuration says.
        let config = home.join("guerdon.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, text.replace("127.0.0.1:8080", &server.address)).unwrap();
        server
    }

    /// Its answer to a GET, head and body.
    fn get(&self, path: &str) -> String {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(&self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: guerdon\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Stops it as a supervisor does.
    fn stop(mut self) {
        let id = self.process.id().to_string();
        let told = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &id]).status().unwrap();
        assert!(told.success());
        assert_eq!(self.process.wait().unwrap().code(), Some(0), "a graceful stop is no failure");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
