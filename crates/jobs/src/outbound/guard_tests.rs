//! Hostile URLs, one line each (bad-input class 15).

use super::*;

fn verdict(policy: &EgressPolicy, url: &str) -> String {
    let checked = Url::parse(url).map_err(|error| Refused::NotAUrl(error.to_string()));
    match checked.and_then(|url| policy.check_url(&url).map(|()| url)) {
        Ok(url) => format!("ok {}", url.host_str().unwrap_or_default()),
        Err(Refused::Address { ip, range }) => format!("{ip} {range}"),
        Err(Refused::NotAUrl(_)) => "no url".to_owned(),
        Err(Refused::Scheme(_)) => "scheme".to_owned(),
        Err(Refused::UserInfo) => "user".to_owned(),
        Err(Refused::Port(port)) => format!("port {port}"),
        Err(other) => other.to_string(),
    }
}

#[test]
fn hostile_urls() {
    let table = [
        ("https://pub.example/hook", "ok pub.example"),
        ("http://pub.example:8080/hook", "ok pub.example"),
        ("https://8.8.8.8/", "ok 8.8.8.8"),
        ("https://[2606:4700::1111]/", "ok [2606:4700::1111]"),
        // Schemes.
        ("ftp://pub.example/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1:6379/_FLUSHALL", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("pub.example/hook", "no url"),
        ("", "no url"),
        ("https://", "no url"),
        ("http:///127.0.0.1/", "127.0.0.1 loopback"),
        ("HTTP:127.0.0.1", "127.0.0.1 loopback"),
        // Ports.
        ("http://pub.example:22/", "port 22"),
        ("http://pub.example:25/", "port 25"),
        ("http://pub.example:0/", "port 0"),
        ("http://pub.example:1023/", "port 1023"),
        ("http://pub.example:1024/", "ok pub.example"),
        ("http://pub.example:99999/", "no url"),
        // User names and look-alike separators.
        ("http://pub.example@127.0.0.1/", "user"),
        ("http://user:secret@pub.example/", "user"),
        ("http://:secret@pub.example/", "user"),
        ("http://127.0.0.1\\@pub.example/", "127.0.0.1 loopback"),
        ("http://127.0.0.1#@pub.example/", "127.0.0.1 loopback"),
        ("http://127.0.0.1?@pub.example/", "127.0.0.1 loopback"),
        ("http://pub.example%40127.0.0.1/", "no url"),
        // Loopback in every spelling.
        ("http://127.0.0.1/", "127.0.0.1 loopback"),
        ("http://127.1/", "127.0.0.1 loopback"),
        ("http://2130706433/", "127.0.0.1 loopback"),
        ("http://0x7f000001/", "127.0.0.1 loopback"),
        ("http://0x7f.0.0.1/", "127.0.0.1 loopback"),
        ("http://0177.0.0.1/", "127.0.0.1 loopback"),
        ("http://017700000001/", "127.0.0.1 loopback"),
        ("http://127.0.0.1./", "127.0.0.1 loopback"),
        ("http://%31%32%37.0.0.1/", "127.0.0.1 loopback"),
        ("http://１２７.０.０.１/", "127.0.0.1 loopback"),
        ("http://①②⑦.0.0.1/", "127.0.0.1 loopback"),
        ("http://127。0。0。1/", "127.0.0.1 loopback"),
        ("http://\t127.0.0.1\n/", "127.0.0.1 loopback"),
        ("http://0/", "0.0.0.0 this network"),
        ("http://256.256.256.256/", "no url"),
        ("http://1.2.3.4.5/", "no url"),
        // Private and special ranges.
        ("http://10.0.0.1/", "10.0.0.1 private"),
        ("http://172.16.9.9/", "172.16.9.9 private"),
        ("http://192.168.1.1/", "192.168.1.1 private"),
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254 link-local"),
        ("http://2852039166/", "169.254.169.254 link-local"),
        ("http://100.64.0.1/", "100.64.0.1 carrier-grade NAT"),
        ("http://0.0.0.0/", "0.0.0.0 this network"),
        ("http://255.255.255.255/", "255.255.255.255 broadcast"),
        // IPv6.
        ("http://[::1]/", "::1 loopback"),
        ("http://[0:0:0:0:0:0:0:1]/", "::1 loopback"),
        ("http://[::]/", ":: unspecified"),
        ("http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1 IPv4-mapped"),
        ("http://[::ffff:7f00:1]/", "::ffff:127.0.0.1 IPv4-mapped"),
        ("http://[64:ff9b::127.0.0.1]/", "64:ff9b::7f00:1 NAT64"),
        ("http://[2002:7f00:1::]/", "2002:7f00:1:: 6to4"),
        ("http://[fd00::1]/", "fd00::1 unique local"),
        ("http://[fe80::1]/", "fe80::1 link-local"),
        ("http://[fe80::1%25eth0]/", "no url"),
        // Names: looked up later, but spelled one way only.
        ("http://localhost/", "ok localhost"),
        ("http://LOCALHOST./", "ok localhost."),
        ("https://bücher.example/", "ok xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example/", "ok xn--bcher-kva.example"),
        ("https://ｐｕｂ.example/", "ok pub.example"),
        ("http://pub.example\u{0}/", "no url"),
        ("http://pub example/", "no url"),
    ];
    for (url, expected) in table {
        assert_eq!(verdict(&EgressPolicy::default(), url), expected, "{url}");
    }
}

#[test]
fn allowed_networks_and_hosts() {
    let mut policy = EgressPolicy::default();
    for entry in ["127.0.0.0/8", " 10.1.2.3 ", "Hooks.Internal.", "fd00:1::/32"] {
        policy.allow(entry).unwrap();
    }
    let table = [
        ("http://127.9.9.9/", "ok 127.9.9.9"),
        ("http://10.1.2.3/", "ok 10.1.2.3"),
        ("http://10.1.2.4/", "10.1.2.4 private"),
        ("http://[fd00:1::5]/", "ok [fd00:1::5]"),
        ("http://[fd00:2::5]/", "fd00:2::5 unique local"),
        ("http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1 IPv4-mapped"),
        ("http://127.0.0.1:22/", "port 22"),
    ];
    for (url, expected) in table {
        assert_eq!(verdict(&policy, url), expected, "{url}");
    }
    assert!(policy.allow("not a host/24").is_err());
}

#[test]
fn every_resolved_address_must_pass() {
    let mut policy = EgressPolicy::default();
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let good = ip("93.184.216.34");
    let bad = ip("127.0.0.1");
    assert_eq!(policy.check_resolved("a.example", &[good]), Ok(()));
    assert_eq!(policy.check_resolved("a.example", &[]), Err(Refused::NoAddress));
    let mut many = vec![good; 200];
    many.push(bad);
    let refused = Refused::Address { ip: bad, range: "loopback" };
    assert_eq!(policy.check_resolved("a.example", &many), Err(refused.clone()));
    policy.allow("hooks.internal").unwrap();
    assert_eq!(policy.check_resolved("HOOKS.internal.", &[bad]), Ok(()));
    assert_eq!(policy.check_resolved("x.hooks.internal", &[bad]), Err(refused));
}
