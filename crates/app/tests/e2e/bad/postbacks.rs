//! Postbacks that are well-formed and must not pay: each has its verdict and its reason.

use super::Target;
use crate::support::catalog::{FOREIGN, GENERIC, SIGNED};
use crate::support::http::{Request, encode, form};
use crate::support::people::{Verdict, convert};

/// A name of the table, the query, and the verdict with its reason.
type Row = (&'static str, String, (&'static str, &'static str));

/// Sends each query to the generic partner.
async fn judge(target: &Target, rows: Vec<Row>) {
    for (name, query, expected) in rows {
        let ask = Request::get(format!("/v1/postbacks/{GENERIC}?{query}"));
        let found = Verdict::of(&target.client.send(&ask).await);
        assert_eq!(found.said(), expected, "{name}");
        assert_eq!(found.transaction, None, "{name}");
    }
}

const BAD_FIELD: (&str, &str) = ("rejected", "bad_field");
const FORGED: (&str, &str) = ("rejected", "forged_click");
const NO_CLICK: (&str, &str) = ("rejected", "no_click");
const NO_STEP: (&str, &str) = ("ignored", "no_such_step");
const NO_AMOUNT: (&str, &str) = ("ignored", "amount_missing");

fn clicks(target: &Target) -> Vec<Row> {
    let click = target.click.as_str();
    let with = |click: &str| format!("event=install&click_id={click}");
    let other = if click[9..].starts_with('A') { 'B' } else { 'A' };
    let altered = format!("{}{other}{}", &click[..9], &click[10..]);
    vec![
        ("none", "event=install".to_owned(), NO_CLICK),
        ("empty", with(""), NO_CLICK),
        ("blanks", with("%20%20"), NO_CLICK),
        ("a word for nothing", with("null"), NO_CLICK),
        ("a macro", with("%7Bclick_id%7D"), NO_CLICK),
        ("a macro left as it was", with("{click_id}"), NO_CLICK),
        ("a macro escaped twice", with("%257Bclick_id%257D"), NO_CLICK),
        ("another macro", with("[%25TX%25]"), NO_CLICK),
        ("guessed", with("12345"), FORGED),
        ("altered", with(&altered), FORGED),
        ("cut", with(&click[..click.len() - 1]), FORGED),
        ("longer", with(&format!("{click}A")), FORGED),
        ("doubled", with(&format!("{click}{click}")), FORGED),
        ("in another case", with(&click.to_lowercase()), FORGED),
        ("padded", with(&format!("{click}%3D")), FORGED),
        ("a session", with(&target.user.token), FORGED),
        ("escaped twice", with(&format!("%2561{}", &click[1..])), FORGED),
        ("a way up", with("..%2F..%2Fetc%2Fpasswd"), FORGED),
        ("an emoji", with("%F0%9F%98%80"), FORGED),
        ("bad UTF-8", with(&format!("{click}%ff")), FORGED),
        ("10 kB", with(&"A".repeat(10_000)), BAD_FIELD),
        ("a NUL", with(&format!("{click}%00")), BAD_FIELD),
        ("a line end", with(&format!("{click}%0d%0a")), BAD_FIELD),
        ("two", format!("{}&click_id=other", with(click)), BAD_FIELD),
        ("two, the good one last", format!("{}&click_id={click}", with("other")), FORGED),
        ("under another name", format!("event=install&Click_Id={click}"), NO_CLICK),
        ("as a list", format!("event=install&click_id%5B%5D={click}"), NO_CLICK),
    ]
}

fn events(target: &Target) -> Vec<Row> {
    let with = |event: &str| format!("click_id={}&event={event}", target.click);
    vec![
        ("none", format!("click_id={}", target.click), BAD_FIELD),
        ("empty", with(""), BAD_FIELD),
        ("a macro", with("%7Bevent_name%7D"), BAD_FIELD),
        ("unknown", with("uninstall"), NO_STEP),
        ("in another case", with("Install"), NO_STEP),
        ("full-width", with(&encode("ｉｎｓｔａｌｌ")), NO_STEP),
        ("with a dotless i", with(&encode("ınstall")), NO_STEP),
        ("decomposed", with(&encode("insta\u{301}ll")), NO_STEP),
        ("escaped twice", with("%2569nstall"), NO_STEP),
        ("with a plus", with("install+app"), NO_STEP),
        ("bad UTF-8", with("install%ff"), NO_STEP),
        ("an emoji", with(&encode("😀")), NO_STEP),
        ("SQL", with(&encode("install' OR '1'='1")), NO_STEP),
        ("a formula", with(&encode("=cmd|' /C calc'!A0")), NO_STEP),
        ("HTML", with(&encode("<script>alert(1)</script>")), NO_STEP),
        ("a NUL", with("install%00"), BAD_FIELD),
        ("a line end", with("install%0a"), BAD_FIELD),
        ("10 kB", with(&"e".repeat(10_000)), BAD_FIELD),
        ("two", format!("{}&event=uninstall", with("install")), BAD_FIELD),
        ("a long id", format!("{}&event_id={}", with("install"), "1".repeat(256)), BAD_FIELD),
        ("an id with a NUL", format!("{}&event_id=a%00", with("install")), BAD_FIELD),
        ("two ids", format!("{}&event_id=1&event_id=2", with("install")), BAD_FIELD),
        (
            "two times",
            format!("{}&event_time=1700000000&event_time=1700000001", with("install")),
            BAD_FIELD,
        ),
        (
            "refused by the partner",
            format!("{}&rejected=true", with("install")),
            ("rejected", "partner_rejected"),
        ),
        ("organic", format!("{}&organic=1", with("install")), ("ignored", "organic")),
        ("refused and not", format!("{}&rejected=true&rejected=false", with("install")), BAD_FIELD),
    ]
}

fn amounts(target: &Target) -> Vec<Row> {
    let texts = [
        "",
        "0",
        "-0",
        "-1",
        "-0.01",
        "1e309",
        "1e2",
        "NaN",
        "Infinity",
        "inf",
        "0x10",
        "1,000",
        "1.000,00",
        "1 000",
        "1_000",
        "１０",
        "١٠",
        "10$",
        "$10",
        "10USD",
        "ten",
        "true",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "99999999999999999999999999",
        "1.2.3",
        "--1",
        "+-1",
        "0.0000001",
        "{revenue}",
        "(10)",
        "½",
    ];
    let row = |(number, text): (usize, &str)| {
        let event_id = format!("amount-{number}");
        let fields = [
            ("click_id", target.click.as_str()),
            ("event", "purchase"),
            ("event_id", event_id.as_str()),
            ("revenue", text),
        ];
        ("an amount", form(&fields), NO_AMOUNT)
    };
    texts.into_iter().enumerate().map(row).collect()
}

fn currencies(target: &Target) -> Vec<Row> {
    let of = |currency: &str, revenue: &str, id: &str| {
        let fields = [
            ("click_id", target.click.as_str()),
            ("event", "purchase"),
            ("event_id", id),
            ("revenue", revenue),
            ("currency", currency),
        ];
        form(&fields)
    };
    let mismatch = ("ignored", "currency_mismatch");
    vec![
        ("won", of("KRW", "1000", "c1"), mismatch),
        ("yen with decimals", of("JPY", "10.50", "c2"), mismatch),
        ("no such currency", of("ZZZ", "10", "c3"), mismatch),
        ("in lower case", of("eur", "10", "c4"), mismatch),
        ("two letters", of("US", "10", "c5"), NO_AMOUNT),
        ("a sign", of("$", "10", "c6"), NO_AMOUNT),
        ("full-width", of("ＵＳＤ", "10", "c7"), NO_AMOUNT),
        ("look-alike", of("UЅD", "10", "c8"), NO_AMOUNT),
        ("a path", of("../USD", "10", "c9"), NO_AMOUNT),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postbacks_that_earn_nothing_say_why() {
    let target = Target::new().await;
    for table in [clicks(&target), events(&target), amounts(&target), currencies(&target)] {
        judge(&target, table).await;
    }
    let own = form(&[("click_id", &target.click), ("event", "install")]);
    let ask = Request::get(format!("/v1/postbacks/{FOREIGN}?{own}"));
    let foreign = Verdict::of(&target.client.send(&ask).await);
    assert_eq!(foreign.said(), ("rejected", "other_advertiser"));
    target.client.send(&Request::get(format!("/v1/postbacks/{SIGNED}?{own}"))).await.expect(401);
    target.must_be_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_names_in_json_contradict_each_other() {
    let target = Target::new().await;
    let click = &target.click;
    let bodies = [
        format!(r#"{{"click_id":"{click}","event":"install","event":"purchase"}}"#),
        format!(r#"{{"click_id":"{click}","click_id":"x","event":"install"}}"#),
        format!(r#"{{"click_id":"{click}","event":"install","event_id":1,"event_id":2}}"#),
    ];
    for body in bodies {
        let ask = Request::post(format!("/v1/postbacks/{GENERIC}"))
            .body("application/json", body.clone());
        assert_eq!(Verdict::of(&target.client.send(&ask).await).said(), BAD_FIELD, "{body}");
    }
    // The query says one thing and the body another.
    let ask = Request::post(format!("/v1/postbacks/{GENERIC}?event=purchase"));
    let ask = ask.body(
        "application/x-www-form-urlencoded",
        form(&[("click_id", click), ("event", "install")]),
    );
    assert_eq!(Verdict::of(&target.client.send(&ask).await).said(), BAD_FIELD);
    target.must_be_unharmed().await;
}

/// Times that cannot be believed are no times; the event is taken as happening now. Only one that is
/// clear, and before the start, is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_are_read_or_left_out() {
    let target = Target::new().await;
    let now_s = target.node.clock.now_s();
    let before = [
        (now_s - 86_400).to_string(),
        ((now_s - 86_400) * 1_000).to_string(),
        "2001-09-09T01:46:40Z".to_owned(),
        "2020-02-29 23:59:60".to_owned(),
        "2020-01-01T00:00:00+14:00".to_owned(),
    ];
    let too_early = ("ignored", "before_participation");
    let row = |(number, time): (usize, &String)| {
        let id = format!("before-{number}");
        let fields = [
            ("click_id", target.click.as_str()),
            ("event", "install"),
            ("event_id", &id),
            ("event_time", time),
        ];
        ("before the start", form(&fields), too_early)
    };
    judge(&target, before.iter().enumerate().map(row).collect()).await;
    let unreadable = [
        "0",
        "1",
        "-1",
        "1970-01-01T00:00:00Z",
        "2147483648000000000",
        "9999-12-31T23:59:59Z",
        "tomorrow",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01",
        "01/02/2026",
        "1e10",
        "NaN",
        "{event_time}",
        "２０２６-01-01T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T00:00:00+99:00",
    ];
    let names = ["cow", "sheep", "goat"];
    for (number, time) in unreadable.into_iter().enumerate() {
        let (event, id) = (names[number % names.len()], format!("unreadable-{number}"));
        let fields = [
            ("click_id", target.click.as_str()),
            ("event", event),
            ("event_id", &id),
            ("event_time", time),
        ];
        judge(&target, vec![("unreadable", form(&fields), NO_STEP)]).await;
    }
    let future = form(&[
        ("click_id", target.click.as_str()),
        ("event", "purchase"),
        ("event_id", "future"),
        ("event_time", "2099-01-01T00:00:00Z"),
    ]);
    judge(&target, vec![("future", future, NO_AMOUNT)]).await;
    // The same id with other content is a conflict, and pays nothing.
    let conflict = form(&[
        ("click_id", target.click.as_str()),
        ("event", "purchase"),
        ("event_id", "future"),
        ("revenue", "10"),
    ]);
    judge(&target, vec![("conflict", conflict, ("rejected", "event_conflict"))]).await;
    assert_eq!(
        convert(&target.client, &target.click, "purchase", "future").await.said(),
        ("rejected", "event_conflict")
    );
    target.must_be_unharmed().await;
}
