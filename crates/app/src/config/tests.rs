//! The configuration as files write it: what is read, what is refused, and in which words.

use super::*;

#[test]
fn the_commented_default_is_the_default() {
    let parsed: Config = toml::from_str(DEFAULT_TEXT).unwrap();
    assert_eq!(parsed, Config::default());
    let every_setting = toml::to_string(&Config::default()).unwrap();
    for line in every_setting.lines().filter(|line| line.contains(" = ")) {
        // A list of tables that is empty can only be shown as a comment.
        let line = if line == "admin_keys = []" { "# [[admin_keys]]" } else { line };
        assert!(DEFAULT_TEXT.contains(line), "config.default.toml lacks {line:?}");
    }
}

#[test]
fn mistakes_are_named() {
    let cases = [
        ("[server]\nlisten = \"nowhere\"\n", "invalid socket address"),
        ("[server]\nlsten = \"127.0.0.1:1\"\n", "unknown field `lsten`"),
        ("[store]\nkind = \"oracle\"\n", "unknown variant `oracle`"),
        ("[store]\nkind = \"sqlite\"\nurl = \"mysql://db/x\"\n", "unknown field `url`"),
        ("[store]\nkind = \"sqlite\"\n[store]\nkind = \"mysql\"\n", "duplicate key"),
        ("[store]\nkind = \"dynamo\"\n", "unknown variant `dynamo`"),
        ("[store]\nkind = \"mysql\"\n", "missing field `url`"),
        ("[state]\ntable = \"t\"\n", "missing field `kind`"),
        ("[cache]\nkind = \"none\"\nurl = \"redis://r\"\n", "unknown field `url`"),
        ("[broker]\nkind = \"redis_cluster\"\n", "unknown variant"),
        ("[rate_limits]\nuser = { per_minute = 60 }\n", "missing field `burst`"),
        ("[rate_limits]\nusers = { per_minute = 60, burst = 9 }\n", "unknown field `users`"),
        ("[jobs]\nsweep_ms = \"soon\"\n", "invalid type"),
        ("[[admin_keys]]\nname = \"a\"\nrole = \"king\"\ndigest = \"\"\n", "unknown variant"),
    ];
    for (text, message) in cases {
        let error = toml::from_str::<Config>(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
        assert!(error.contains("line"), "{error}");
    }
}

const GOOD_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// What reading a configuration, and its keys if given, says.
fn told(config: Option<&str>, keys: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    if let Some(text) = config {
        std::fs::write(&path, text).unwrap();
    }
    if let Some(text) = keys {
        std::fs::write(folder.path().join("master.key"), text).unwrap();
    }
    let read = Loaded::read(&path).and_then(|loaded| loaded.master_keys());
    match read {
        Ok((_, older)) => format!("good, {} older", older.len()),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn a_configuration_that_cannot_be_used_says_what_to_do() {
    let digest = "[[admin_keys]]\nname = \"ann\"\nrole = \"admin\"\ndigest = \"00\"\n";
    let cases = [
        (None, "`guerdon init` writes one"),
        (Some("[server]\nport = 1\n"), "guerdon.toml is not usable"),
        (Some("[server]\nport = 1\n"), "line 2, column 1"),
        (Some("store = 5"), "invalid type"),
        (Some("[server]\npublic_url = \"example.com\"\n"), "must begin with http://"),
        (Some(digest), "admin key \"ann\" is not 64 hexadecimal digits"),
        (Some("[state]\nkind = \"sqlite\"\n"), "[state] names the store that [store] names"),
        (Some("[next_state]\nkind = \"sqlite\"\n"), "the state is in already"),
        (
            Some("[rate_limits]\nuser = { per_minute = 0, burst = 1 }\n"),
            "rate_limits.user allows nothing at all",
        ),
        (Some("[cache]\nkind = \"redis_cluster\"\nurls = []\n"), "cache.urls is empty"),
        (
            Some("[state]\nkind = \"dynamo\"\ntable = \"gu\"\n"),
            "state.table must have 3 to 255 letters, digits, `_`, `-` or `.`, not \"gu\"",
        ),
        (
            Some("[next_state]\nkind = \"dynamo\"\ntable = \"my table\"\n"),
            "next_state.table must have 3 to 255",
        ),
        (
            Some("[state]\nkind = \"dynamo\"\nendpoint = \"localhost:8000\"\n"),
            "state.endpoint must begin with http:// or https:// and name a host",
        ),
        (Some("[state]\nkind = \"dynamo\"\nendpoint = \"http://d:8000\"\n"), "good"),
        (Some("[state]\nkind = \"dynamo\"\ntable = \"a_b-c.D1\"\n"), "good"),
    ];
    for (config, expected) in cases {
        let told = told(config, Some(GOOD_KEY));
        assert!(told.contains(expected), "{config:?}: {told}");
    }
}

#[test]
fn a_master_key_is_long_and_random() {
    let (short, letters) = (&GOOD_KEY[2..], GOOD_KEY.replace('0', "g"));
    let (zeros, rotated) = ("0".repeat(64), format!("{GOOD_KEY}\n\n{GOOD_KEY}\n"));
    let cases = [
        (None, "put its copy back. Only a new installation makes a new key"),
        (Some(""), "holds no key"),
        (Some("\n \n"), "holds no key"),
        (Some(short), "must hold 64 hexadecimal digits"),
        (Some(&letters), "must hold 64 hexadecimal digits"),
        (Some(&zeros), "nobody can have drawn at random"),
        (Some(GOOD_KEY), "good, 0 older"),
        (Some(&rotated), "good, 1 older"),
    ];
    for (keys, expected) in cases {
        let told = told(Some(""), keys);
        assert!(told.contains(expected), "{keys:?}: {told}");
        // What is wrong with a key is said without saying the key.
        assert!(!told.contains(short), "{told}");
    }
}

/// What a MySQL store with these settings says.
fn told_of(settings: &str) -> String {
    told(Some(&format!("[store]\nkind = \"mysql\"\n{settings}")), Some(GOOD_KEY))
}

#[test]
fn addresses_are_checked_and_hold_no_password() {
    let cases = [
        ("url = \"mysql://guerdon@db:3306/guerdon\"", "good"),
        ("url = \"db\"", "store.url is no URL"),
        ("url = \"postgres://db/guerdon\"", "store.url must begin with mysql:// and name a host"),
        ("url = \"mysql:guerdon\"", "store.url must begin with mysql:// and name a host"),
        ("url = \"mysql://g:canary@db/guerdon\"", "store.url holds a password; put it into"),
        ("url = 5\nulr = \"mysql://g:canary/@2@db/guerdon\"", "is not usable"),
        ("ulr = \"mysql://g:canary/@2@db/guerdon\"", "is not usable"),
        (
            "url = \"mysql://db/g\"\npassword_env = \"A\"\npassword_file = \"b\"",
            "store.password_env and store.password_file are both set",
        ),
    ];
    for (settings, expected) in cases {
        let told = told_of(settings);
        assert!(told.contains(expected), "{settings}: {told}");
        assert!(!told.contains("canary"), "{told}");
    }
}

#[test]
fn a_password_comes_from_a_file_or_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good"), "p@ss/word:\n").unwrap();
    std::fs::write(folder.path().join("empty"), "\n").unwrap();
    let home = std::env::var("HOME").unwrap();
    let cases = [
        ("", Ok("mysql://g@db/x".to_owned())),
        ("password_file = \"good\"", Ok("mysql://g:p%40ss%2Fword%3A@db/x".to_owned())),
        ("password_file = \"empty\"", Err("holds an empty password for store.url")),
        ("password_file = \"none\"", Err("cannot read the password of store.url from")),
        ("password_env = \"GUERDON_NOT_SET\"", Err("GUERDON_NOT_SET, which store.url needs")),
        ("password_env = \"HOME\"", Ok(format!("mysql://g:{}@db/x", home.replace('/', "%2F")))),
    ];
    for (line, expected) in cases {
        let mysql: Mysql = toml::from_str(&format!("url = \"mysql://g@db/x\"\n{line}")).unwrap();
        let opened = mysql.address("store.url").open(folder.path());
        match (opened, expected) {
            (Ok(url), Ok(expected)) => assert_eq!(url, expected),
            (Err(error), Err(expected)) => {
                assert!(format!("{error:#}").contains(expected), "{error:#}");
            }
            (opened, expected) => panic!("{line}: {opened:?} instead of {expected:?}"),
        }
    }
}

#[test]
fn passwords_are_covered_wherever_an_address_is_quoted() {
    let cases = [
        ("url = \"mysql://g:secret@db/x\" and more", "url = \"mysql://g:…@db/x\" and more"),
        ("'redis://:s@e:c/ret@r:1' https://a.example/b", "'redis://:…@r:1' https://a.example/b"),
        ("mysql://g@db/x", "mysql://g@db/x"),
        ("no address at all", "no address at all"),
    ];
    for (text, expected) in cases {
        assert_eq!(address::covered(text), expected);
    }
}

#[test]
fn a_configuration_is_printed_as_it_is_read() {
    let text = "[store]\nkind = \"mysql\"\nurl = \"mysql://db/x\"\npassword_file = \"p\"\n\
                [state]\nkind = \"dynamo\"\nendpoint = \"http://d:8000\"\n\
                [cache]\nkind = \"redis_cluster\"\nurls = [\"redis://a\", \"redis://b\"]\n\
                [broker]\nkind = \"redis\"\nurl = \"redis://a\"\n";
    let config: Config = toml::from_str(text).unwrap();
    let printed = toml::to_string(&config).unwrap();
    assert_eq!(toml::from_str::<Config>(&printed).unwrap(), config, "{printed}");
    for line in ["url = \"mysql://db/x\"", "table = \"guerdon\"", "readers = 16"] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
}
