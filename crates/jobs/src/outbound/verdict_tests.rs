//! Answers and what they mean.

use super::*;

fn expecting(wanted: Wanted) -> Expectation {
    Expectation { answers: vec![(StatusSet::of(&[200]), wanted)], stop: StatusSet::of(&[410]) }
}

fn json(path: &[&str], value: &str) -> Wanted {
    Wanted::Json {
        path: path.iter().map(|name| (*name).to_owned()).collect(),
        value: value.to_owned(),
    }
}

#[test]
fn statuses_alone() {
    let any = expecting(Wanted::Anything);
    let table = [
        (200, Look::Accepted),
        (201, Look::NotAccepted),
        (302, Look::Redirect),
        (304, Look::Redirect),
        (410, Look::Stop),
        (429, Look::NotAccepted),
        (500, Look::NotAccepted),
    ];
    for (status, look) in table {
        assert_eq!(any.look(status), look, "{status}");
    }
    let body = expecting(Wanted::Equals("1".to_owned()));
    assert_eq!(body.look(200), Look::DependsOnBody);
}

#[test]
fn bodies() {
    let table: &[(Wanted, &[u8], bool)] = &[
        (Wanted::Equals("t1:OK".to_owned()), b"t1:OK", true),
        (Wanted::Equals("t1:OK".to_owned()), b" t1:OK\r\n", true),
        (Wanted::Equals("t1:OK".to_owned()), "\u{feff}t1:OK".as_bytes(), true),
        (Wanted::Equals("t1:OK".to_owned()), b"t1:ok", false),
        (Wanted::Equals("t1:OK".to_owned()), b"t11:OK", false),
        (Wanted::Equals("1".to_owned()), b"", false),
        (Wanted::Contains("OK".to_owned()), b"<p>OK</p>", true),
        (Wanted::Contains("OK".to_owned()), b"\xff\xfeOK", true),
        (json(&["code"], "200"), br#"{"code":200,"message":"success"}"#, true),
        (json(&["code"], "200"), br#"{"code":"200"}"#, true),
        (json(&["code"], "200"), br#"{"code":104}"#, false),
        (json(&["code"], "200"), b"200", false),
        (json(&["code"], "200"), b"{broken", false),
        (json(&["Result"], "true"), br#"{"Result":true}"#, true),
        (json(&["Result"], "true"), br#"{"Result":"true"}"#, true),
        (json(&["Result"], "true"), br#"{"Result":{}}"#, false),
        (json(&["a", "1", "b"], "x"), br#"{"a":[0,{"b":"x"}]}"#, true),
        (json(&["a", "2", "b"], "x"), br#"{"a":[0,{"b":"x"}]}"#, false),
    ];
    for (wanted, body, fits) in table {
        let expectation = expecting(wanted.clone());
        assert_eq!(expectation.accepts(200, body), *fits, "{wanted:?} {body:?}");
        assert!(!expectation.accepts(500, body));
    }
    assert!(!expecting(json(&["a"], "1")).accepts(200, "[".repeat(100_000).as_bytes()));
}

#[test]
fn heads_are_short_and_safe() {
    let table: &[(&[u8], &str)] = &[
        (b"", ""),
        (b"OK\n", "OK\n"),
        (b"a\0b\x1b[2J", "a\\x00b\\x1b[2J"),
        (b"\xff\xfeOK", "\\xff\\xfeOK"),
        ("적립\u{85}".as_bytes(), "적립\\xc2\\x85"),
    ];
    for (body, expected) in table {
        assert_eq!(head_of(body), *expected);
    }
    for body in [vec![0_u8; 5_000], "한".repeat(5_000).into_bytes(), vec![b'x'; 5_000]] {
        let head = head_of(&body);
        assert!(head.len() <= ANSWER_KEPT_MAX && head.len() > ANSWER_KEPT_MAX - 4);
    }
}

#[test]
fn a_request_that_cannot_be_made_is_an_attempt() {
    let stopped = Attempt::from(RenderError::ReversalNotSupported);
    assert!(matches!(stopped.outcome, Outcome::Stop { .. }));
    let missing = Attempt::from(RenderError::MissingSecret);
    assert!(matches!(missing.outcome, Outcome::Retry { .. }));
    assert_eq!(missing.note(), "not sent: the endpoint has no secret");
}
