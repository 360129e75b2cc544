//! Templates, plans, status sets, and that every preset is sound.

use super::*;

#[test]
fn templates_are_read_and_written() {
    let table = [
        ("", ""),
        ("plain", "plain"),
        ("{user_id}", "<user_id>"),
        ("a{user_id}b{amount}", "a<user_id>b<amount>"),
        ("{{x}}", "{x}"),
        ("a}b", "a}b"),
        ("{is_reversal?rejected:approved}", "<rejected|approved>"),
        ("{is_reversal?:1}", "<|1>"),
        ("미션 {mission_title}", "미션 <mission_title>"),
    ];
    for (text, expected) in table {
        let template = Template::parse(text).unwrap();
        assert_eq!(shown(&template), expected, "{text}");
        let again = Template::parse(&template.to_string()).unwrap();
        assert_eq!(again, template, "{text} does not survive writing");
    }
}

fn shown(template: &Template) -> String {
    template
        .pieces()
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Value(value) => format!("<{}>", value.name()),
            Piece::Choice { reversed, granted } => format!("<{reversed}|{granted}>"),
        })
        .collect()
}

#[test]
fn broken_templates_say_where_and_what() {
    let table = [
        ("ab{user_id", 2, "never closed"),
        ("{userid}", 0, "did you mean user_id"),
        ("x={usr_id}", 2, "user_id"),
        ("{player_id}", 0, "unknown macro {player_id} at position 0"),
        ("{amount?a:b}", 0, "is_reversal"),
        ("{is_reversal?a}", 0, "is_reversal"),
        ("{}", 0, "unknown macro {}"),
    ];
    for (text, at, part) in table {
        let error = Template::parse(text).unwrap_err();
        assert_eq!(error.at, at, "{text}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
    let long = "x".repeat(TEMPLATE_BYTES_MAX + 1);
    assert_eq!(Template::parse(&long).unwrap_err().kind, TemplateErrorKind::TooLong);
}

#[test]
fn no_text_breaks_the_reader() {
    let alphabet = ["{", "}", "{{", "?", ":", "user_id", "is_reversal", "é", "한", "[", "%"];
    let mut seed = 7_u64;
    for _ in 0..5_000 {
        let mut text = String::new();
        for _ in 0..8 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(alphabet[(seed >> 33) as usize % alphabet.len()]);
        }
        if let Ok(template) = Template::parse(&text) {
            assert_eq!(Template::parse(&template.to_string()).as_ref(), Ok(&template), "{text}");
        }
    }
}

#[test]
fn aliases_win_and_the_longest_first() {
    let aliases = [
        Alias::new("[ID]", Macro::TransactionId),
        Alias::new("{{userId}}", Macro::UserId),
        Alias::new("{gaid}", Template::default()),
        Alias::new("{gaid}+", Macro::AdvertisingId),
    ];
    let read = |text| shown(&Template::parse_with(text, &aliases).unwrap());
    assert_eq!(
        read("https://a/b?i=[ID]&u={{userId}}"),
        "https://a/b?i=<transaction_id>&u=<user_id>"
    );
    assert_eq!(read("{gaid}|{gaid}+|{amount}"), "|<advertising_id>|<amount>");
}

#[test]
fn only_a_fixed_host_is_fixed() {
    let table = [
        ("https://pub.example/cb?u={user_id}", true),
        ("https://pub.example?u={user_id}", true),
        ("https://pub.example", true),
        ("https://pub.example{user_id}", false),
        ("https://{custom}.example/", false),
        ("{custom}://pub.example/", false),
        ("pub.example/{user_id}", false),
        ("", false),
    ];
    for (text, fixed) in table {
        assert_eq!(Template::parse(text).unwrap().host_is_fixed(), fixed, "{text}");
    }
}

#[test]
fn macro_names_are_unique_and_found() {
    for (at, value) in Macro::ALL.iter().enumerate() {
        assert_eq!(Macro::from_name(value.name()), Some(*value));
        assert!(!Macro::ALL[..at].iter().any(|m| m.name() == value.name()));
        assert!(value.doc().trim().ends_with('.'), "{}", value.name());
    }
}

#[test]
fn the_default_ladder_reaches_75_h_35_m_exactly() {
    let plan = RetryPlan::default();
    assert_eq!(plan.reach_s(), 75 * 3_600 + 35 * 60);
    assert_eq!(plan.reach_s(), DEFAULT_REACH_S);
    assert_eq!(plan.retries(), 13);
    assert_eq!(plan.longest_reach_s(), 83 * 3_600 + 8 * 60 + 30);
    let mut at = 0;
    let tries: Vec<u32> = (1..=13)
        .map(|n| {
            at += plan.next_delay(n, 0).unwrap();
            at
        })
        .collect();
    assert_eq!(
        tries,
        [5, 30, 120, 300, 900, 2_100, 5_700, 12_900, 27_300, 56_100, 99_300, 185_700, 272_100]
    );
    assert_eq!(plan.next_delay(14, 0), None);
}

#[test]
fn jitter_only_lengthens() {
    let plan = RetryPlan::of(&[(1_000, 1)]);
    assert_eq!(plan.next_delay(1, 0), Some(1_000));
    assert_eq!(plan.next_delay(1, u16::MAX), Some(1_100));
    for unit in (0..=u16::MAX).step_by(97) {
        let delay = plan.next_delay(1, unit).unwrap();
        assert!((1_000..=1_100).contains(&delay), "{unit}: {delay}");
    }
}

#[test]
fn retry_after_is_a_floor_with_a_ceiling() {
    let plan = RetryPlan::of(&[(60, 2)]);
    assert_eq!(plan.next_delay_after(1, 0, Some(5)), Some(60));
    assert_eq!(plan.next_delay_after(1, 0, Some(120)), Some(120));
    assert_eq!(plan.next_delay_after(1, u16::MAX, Some(120)), Some(132));
    assert_eq!(plan.next_delay_after(1, 0, Some(u32::MAX)), Some(RETRY_AFTER_MAX_S));
    assert_eq!(plan.next_delay_after(3, 0, Some(120)), None);
}

#[test]
fn vendors_plans_are_theirs() {
    let table = [
        ("buzzvil", 5, 60 + 600 + 3_600 + 10_800 + 86_400),
        ("ayet", 12, 3_600),
        ("tapjoy", 1_152, 4 * 86_400),
        ("adgate", 5, 1_500),
        ("tnk", 35, 86_400),
        ("standard_webhooks", 13, DEFAULT_REACH_S),
    ];
    for (name, retries, reach_s) in table {
        let plan = preset(name).unwrap().retry;
        assert_eq!((plan.retries(), plan.reach_s()), (retries, reach_s), "{name}");
    }
}

#[test]
fn every_preset_is_known_and_sound() {
    for name in PRESETS {
        let dialect = preset(name).unwrap();
        assert_eq!(&dialect.name, name);
        assert_eq!(dialect.problems(), [], "{name}");
    }
    assert_eq!(preset("nobody"), None);
}

#[test]
fn statuses() {
    let set = StatusSet::of(&[200, 204, 409]);
    assert!(set.contains(409) && !set.contains(201));
    assert!(StatusSet::range(200, 299).overlaps(&set));
    assert!(!StatusSet::of(&[410]).overlaps(&set));
    assert!(StatusSet::default().is_empty() && StatusSet::range(300, 200).is_empty());
    let buzzvil = preset("buzzvil").unwrap();
    assert!(buzzvil.success.any_of[0].statuses.contains(409));
    let tapjoy = preset("tapjoy").unwrap();
    assert!(!tapjoy.success.any_of[0].statuses.contains(409) && tapjoy.stop.contains(403));
}

/// A change to a dialect.
type Spoil = fn(&mut Dialect);

#[test]
fn problems_name_the_field() {
    let table: &[(&str, &str, Spoil)] = &[
        ("tapjoy", "name", |d| d.name.clear()),
        ("tapjoy", "timeout_ms", |d| d.timeout_ms = 1),
        ("tapjoy", "concurrency", |d| d.concurrency = 0),
        ("tapjoy", "body", |d| d.body = Body::StandardWebhook),
        ("tapjoy", "url", |d| d.url = Template::of(Macro::UserId)),
        ("tapjoy", "url", |d| d.url = Template::literal("/relative")),
        ("tapjoy", "query.snuid", |d| d.query.push(Field::new("snuid", Macro::UserId))),
        ("tapjoy", "query.key", |d| d.query.push(Field::new("key", Macro::Secret))),
        ("tapjoy", "query.v", |d| d.query.push(Field::new("v", Macro::Signature))),
        ("tapjoy", "headers.Host", |d| d.headers.push(Field::new("Host", Macro::UserId))),
        ("tapjoy", "headers.a b", |d| d.headers.push(Field::new("a b", Macro::UserId))),
        ("tapjoy", "stop", |d| d.stop = StatusSet::of(&[200])),
        ("tapjoy", "success", |d| d.success = SuccessTest::default()),
        ("tapjoy", "success", |d| d.success = SuccessTest::status(StatusSet::of(&[302]))),
        ("tapjoy", "success", |d| d.success = SuccessTest::status(StatusSet::of(&[700]))),
        ("tapjoy", "retry", |d| d.retry = RetryPlan::of(&[(1, 2_001)])),
        ("tapjoy", "retry", |d| d.retry = RetryPlan::of(&[(0, 1)])),
        ("tapjoy", "retry", |d| d.retry.jitter_percent = 101),
        ("tapjoy", "signature.parts", |d| recipe(d).parts.retain(|p| *p != Part::Secret)),
        ("ayet", "signature.parts", |d| recipe(d).parts.clear()),
        ("ayet", "signature.place", |d| {
            recipe(d).place =
                Place::Header { name: "X".to_owned(), value: Template::literal("no hash") };
        }),
        ("buzzvil", "body.at", |d| {
            if let Body::Form(fields) = &mut d.body {
                fields.push(Field::new("at", Macro::Timestamp));
            }
        }),
        ("buzzvil", "signature.place", |d| recipe(d).parts.push(Part::Body)),
        ("buzzvil", "signature.place", |d| recipe(d).parts.push(Part::Timestamp)),
        ("buzzvil", "signature.place", |d| recipe(d).place = Place::JsonField("c".to_owned())),
        ("lootably", "signature.place", |d| recipe(d).parts.push(Part::FullUrl)),
        ("adgem_v3", "body", |d| d.body = Body::Json(Json::Text(Template::of(Macro::UserId)))),
        ("buzzvil_encrypted", "body.field", |d| {
            if let Body::Encrypted(encrypted) = &mut d.body {
                encrypted.field.clear();
            }
        }),
    ];
    for (name, field, spoil) in table {
        let mut dialect = preset(name).unwrap();
        spoil(&mut dialect);
        let problems = dialect.problems();
        assert!(problems.iter().any(|p| p.field == *field), "{name} {field}: {problems:?}");
    }
}

fn recipe(dialect: &mut Dialect) -> &mut SignatureRecipe {
    match &mut dialect.signature {
        Some(Signature::Recipe(recipe)) => recipe,
        _ => panic!("no recipe"),
    }
}

#[test]
fn endpoint_urls_are_judged_in_their_dialect() {
    let table = [
        ("standard_webhooks", "https://pub.example/hook", 0),
        ("tapjoy", "https://pub.example/tapjoy", 0),
        ("ayet", "https://pub.example/cb?t={transaction_id}&u={external_identifier}", 0),
        ("ayet", "https://pub.example/cb?u={external_identifier}", 1),
        ("ayet", "https://pub.example/cb?t={transaction_id}&x={nonsense}", 1),
        ("ironsource", "https://pub.example/?u=[USER_ID]&r=[REWARDS]&e=[EVENT_ID]", 0),
        ("lootably", "https://pub.example/?u={userID}&t={transactionID}&h={hash}", 0),
        ("ayet", "https://pub.example/cb?t={transaction_id}&h={signature}", 1),
        ("ayet", "https://pub.example/cb?t={transaction_id}&k={secret}", 1),
        ("tapjoy", "https://{custom}.example/", 1),
        ("tapjoy", "{endpoint_url}", 2),
    ];
    for (name, url, count) in table {
        let problems = preset(name).unwrap().endpoint_problems(url);
        assert_eq!(problems.len(), count, "{name} {url}: {problems:?}");
    }
}

#[test]
fn reversal_styles() {
    let ironsource = preset("ironsource").unwrap().reversal;
    assert_eq!(ironsource.params(), [("negativeCallback", "true")]);
    assert!(!ironsource.negative());
    assert!(preset("ayet").unwrap().reversal.negative());
    assert!(preset("torox").unwrap().reversal.negative());
    assert_eq!(preset("buzzvil").unwrap().reversal, ReversalStyle::NotSupported);
}
