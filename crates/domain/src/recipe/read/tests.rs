use super::*;
use crate::recipe::preset;

mod presets;

/// 2023-11-14T22:13:20Z.
const AT: &str = "2023-11-14 22:13:20";

/// The fields of a query that is not escaped in any way but for a few control characters.
fn fields(query: &str) -> Fields {
    let unescaped =
        |text: &str| text.replace("\\0", "\0").replace("\\r", "\r").replace("\\n", "\n");
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.to_owned(), unescaped(value))
    };
    Fields::new(query.split('&').filter(|part| !part.is_empty()).map(pair).collect())
}

/// A reading in one line, without what is absent.
fn line(reading: &Reading) -> String {
    let mut line = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        line.extend(value.map(|value| format!("{name}={value}")));
    };
    add("click", reading.click_id.clone());
    add("event", reading.event.clone());
    add("id", reading.event_id.clone());
    add("at", reading.occurred_at.map(|at| at.0.to_string()));
    add("amount", reading.amount.map(|amount| amount.0.to_string()));
    add("currency", reading.currency.map(|currency| currency.to_string()));
    let standing = format!("{:?}", reading.standing).to_lowercase();
    add("is", (reading.standing != Standing::Good).then_some(standing));
    for problem in &reading.problems {
        add(if problem.is_fatal { "fatal" } else { "minor" }, Some(problem.field.clone()));
    }
    line.join(" ")
}

fn check(recipe: &str, cases: &[(&str, &str)]) {
    let recipe = preset(recipe).unwrap();
    for (query, expected) in cases {
        let reading = read(&recipe, &fields(query));
        assert_eq!(line(&reading), *expected, "{query}");
        let is_fatal = expected.contains("fatal=");
        assert_eq!(reading.is_usable(), !is_fatal, "{query}");
    }
}

#[test]
fn a_generic_postback_reads_field_by_field() {
    check(
        "generic",
        &[
            ("click_id=C&event=signup", "click=C event=signup"),
            (
                "click_id=C&event=buy&event_id=7&event_time=1700000000&revenue=1.50&currency=usd",
                "click=C event=buy id=7 at=1700000000000 amount=1500000 currency=USD",
            ),
            ("event=a&unknown=1&click_id=C", "click=C event=a"),
            ("click_id= C &event= level up ", "click=C event=level up"),
            ("click_id=C&event=회원가입", "click=C event=회원가입"),
            ("click_id=C&event=🎉", "click=C event=🎉"),
            ("click_id=C&event=../../etc", "click=C event=../../etc"),
            ("CLICK_ID=C&event=a", "event=a"),
            ("event=a", "event=a"),
            ("click_id=C", "click=C fatal=event"),
            ("", "fatal=event"),
        ],
    );
}

#[test]
fn macros_that_nobody_filled_in_are_absent() {
    check(
        "generic",
        &[
            ("click_id={click_id}&event=a", "event=a"),
            ("click_id=C&event={event}", "click=C fatal=event"),
            (
                "click_id=C&event=a&event_id=[%TX%]&revenue=${revenue}&currency=(currency)",
                "click=C event=a",
            ),
            (
                "click_id=C&event=a&event_id=null&event_time=N/A&revenue=undefined",
                "click=C event=a",
            ),
            ("click_id=C&event=a&reversal={reversal}", "click=C event=a"),
            ("click_id=%7Bclick_id%7D&event=a", "event=a"),
        ],
    );
    check(
        "appsflyer",
        &[
            ("clickid=(clickid)&click_id=C", "click=C event=install"),
            ("clickid=C&blocked_reason=(blocked_reason)", "click=C event=install"),
            ("clickid=C&event-name=(event-name)&mapped-iae=buy", "click=C event=buy"),
        ],
    );
}

#[test]
fn a_field_that_contradicts_itself_is_fatal() {
    check(
        "generic",
        &[
            ("click_id=C&click_id=C&event=a", "click=C event=a"),
            ("click_id=C&click_id=D&event=a", "click=C event=a fatal=click_id"),
            ("click_id=&click_id=D&event=a", "event=a fatal=click_id"),
            ("click_id=C&event=a&event=b", "click=C event=a fatal=event"),
            ("click_id=C&event=a&event_id=1&event_id=2", "click=C event=a id=1 fatal=event_id"),
            (
                "click_id=C&event=a&revenue=1&revenue=100",
                "click=C event=a amount=1000000 fatal=revenue",
            ),
            (
                "click_id=C&event=a&currency=USD&currency=KRW",
                "click=C event=a currency=USD fatal=currency",
            ),
            ("click_id=C&event=a&reversal=false&reversal=true", "click=C event=a fatal=reversal"),
            ("click_id=C&event=a&x=1&x=2", "click=C event=a"),
        ],
    );
    check(
        "adjust",
        &[(
            "click_id=C&activity_kind=install&activity_kind=event",
            "click=C event=install fatal=activity_kind",
        )],
    );
}

#[test]
fn amounts_that_cannot_be_read_are_none() {
    let stands = |value: &str| {
        let query = format!("click_id=C&event=a&revenue={value}");
        line(&read(&preset("generic").unwrap(), &fields(&query)))
    };
    for value in [
        "NaN",
        "inf",
        "1e309",
        "1,234.50",
        "1,5",
        "１.５",
        "-1",
        "-0.01",
        "1.5.0",
        "(1.50)",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "$1",
    ] {
        assert_eq!(stands(value), "click=C event=a minor=revenue", "{value}");
    }
    for (value, micros) in [("-0", 0), ("0", 0), ("0.1", 100_000), ("0.30000000000000004", 300_000)]
    {
        assert_eq!(stands(value), format!("click=C event=a amount={micros}"), "{value}");
    }
}

#[test]
fn revenue_in_an_unknown_currency_is_none() {
    check(
        "generic",
        &[
            (
                "click_id=C&event=a&revenue=1&currency=KrW",
                "click=C event=a amount=1000000 currency=KRW",
            ),
            (
                "click_id=C&event=a&revenue=1.55&currency=JPY",
                "click=C event=a amount=1550000 currency=JPY",
            ),
            ("click_id=C&event=a&revenue=1&currency=US", "click=C event=a minor=currency"),
            ("click_id=C&event=a&revenue=1&currency=USDT", "click=C event=a minor=currency"),
            ("click_id=C&event=a&revenue=1&currency=$", "click=C event=a minor=currency"),
            ("click_id=C&event=a&revenue=1&currency=ＵＳＤ", "click=C event=a minor=currency"),
            ("click_id=C&event=a&revenue=1&currency={currency}", "click=C event=a amount=1000000"),
            (
                "click_id=C&event=a&revenue=x&currency=y",
                "click=C event=a minor=revenue minor=currency",
            ),
        ],
    );
}

#[test]
fn times_that_cannot_be_read_are_none() {
    let at = format!("click_id=C&event=a&event_time={AT}");
    check(
        "generic",
        &[
            (&at, "click=C event=a at=1700000000000"),
            ("click_id=C&event=a&event_time=1700000000123", "click=C event=a at=1700000000123"),
            ("click_id=C&event=a&event_time=0", "click=C event=a minor=event_time"),
            ("click_id=C&event=a&event_time=-1", "click=C event=a minor=event_time"),
            ("click_id=C&event=a&event_time=yesterday", "click=C event=a minor=event_time"),
            (
                "click_id=C&event=a&event_time=9999-12-31 23:59:59",
                "click=C event=a minor=event_time",
            ),
        ],
    );
}

#[test]
fn ids_that_are_too_long_or_unprintable_are_fatal() {
    let recipe = preset("generic").unwrap();
    let cases = [("click_id", CLICK_ID_MAX), ("event", EVENT_MAX), ("event_id", EVENT_ID_MAX)];
    for (name, max) in cases {
        for (length, is_usable) in [(max, true), (max + 1, false), (10_240, false)] {
            let query = format!("{name}={}&click_id=C&event=a", "x".repeat(length));
            let query = query.replace(&format!("&{name}=C"), "").replace(&format!("&{name}=a"), "");
            assert_eq!(read(&recipe, &fields(&query)).is_usable(), is_usable, "{name} {length}");
        }
    }
    check(
        "generic",
        &[
            ("click_id=C\\0&event=a", "event=a fatal=click_id"),
            ("click_id=C&event=a\\r\\nX: 1", "click=C fatal=event"),
            ("click_id=C&event=a&event_id=1\\0", "click=C event=a fatal=event_id"),
            ("click_id=C&event=a&event_id=1\u{202e}2", "click=C event=a fatal=event_id"),
            ("click_id=C&event=a&note=1\\0", "click=C event=a"),
        ],
    );
}

#[test]
fn standings_rank_reversal_before_rejected_before_organic() {
    check(
        "generic",
        &[
            ("click_id=C&event=a&reversal=TRUE", "click=C event=a is=reversal"),
            ("click_id=C&event=a&reversal=1", "click=C event=a is=reversal"),
            ("click_id=C&event=a&reversal=false", "click=C event=a"),
            ("click_id=C&event=a&reversal=0", "click=C event=a"),
            ("click_id=C&event=a&rejected=true&organic=1", "click=C event=a is=rejected"),
            ("click_id=C&event=a&organic=true", "click=C event=a is=organic"),
            ("click_id=C&event=a&organic=1&rejected=1&reversal=1", "click=C event=a is=reversal"),
            (
                "click_id=C&event=a&reversal=1&revenue=-1.5",
                "click=C event=a amount=1500000 is=reversal",
            ),
            (
                "click_id=C&event=a&reversal=1&revenue=1.5",
                "click=C event=a amount=1500000 is=reversal",
            ),
            (
                "click_id=C&event=a&rejected=1&revenue=-1",
                "click=C event=a is=rejected minor=revenue",
            ),
        ],
    );
}
