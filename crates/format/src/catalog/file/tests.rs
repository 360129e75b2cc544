//! Errors name their place, and what is written reads back.

use domain::catalog::{Catalog, EntityKind, diff, sample, validate};

use super::*;
use crate::catalog::{to_json, to_toml};

fn lines(errors: &FileErrors) -> String {
    errors.to_string()
}

#[test]
fn the_sample_reads_back() {
    let catalog = sample::catalog();
    let toml = to_toml(&catalog).unwrap();
    let json = to_json(&catalog).unwrap();
    for (syntax, text) in [(Syntax::Toml, &toml), (Syntax::Json, &json)] {
        let file = parse(syntax, text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        assert!(diff(&catalog, &file.entities, true).is_empty(), "{text}");
        let new = Catalog::default();
        let edits = diff(&new, &file.entities, false).edits;
        assert_eq!(new.edited(&edits), catalog);
    }
}

#[test]
fn a_file_for_people_is_understood() {
    let text = r#"
        prune = true
        [[line_items]]
        id = 7
        advertiser_id = 1
        name = "Winter"
        currency = "KRW"
        budget = 5000000000
        utc_offset = 540
        flight = { starts_at = 2026-01-01T00:00:00+09:00 }
        grace_seconds = 3600
        hold = { share = 0.25 }

        [[missions]]
        id = 9
        line_item_id = 7
        window_seconds = "14d"
        creatives = [{ language = "ko", title = "눈" }]
        [[missions.steps]]
        id = 1
        texts = [{ language = "ko", title = "설치" }]
        rule = { event = { name = "install", aim = { count = 3 } } }
        [[missions.steps]]
        id = 2
        texts = [{ language = "ko", title = "출석" }]
        rule = "check_in"

        [[partners]]
        id = 3
        advertiser_id = 1
        name = "MMP"
        recipe = { preset = "appsflyer", event_default = "" }
        token_digest = "00000000000000000000000000000000000000000000000000000000000000ff"
    "#;
    let file = parse_toml(text).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(file.prune);
    let kinds: Vec<_> = file.entities.iter().map(Entity::kind).collect();
    assert_eq!(kinds, [EntityKind::LineItem, EntityKind::Mission, EntityKind::Partner]);
    let Entity::LineItem(line_item) = &file.entities[0] else { panic!() };
    assert_eq!(line_item.flight.starts_at.0, 1_767_193_200_000);
    assert_eq!(line_item.utc_offset.0, 540);
    let Entity::Partner(partner) = &file.entities[2] else { panic!() };
    assert_eq!(partner.recipe.event_default, None);
    assert_eq!(partner.recipe.name, "appsflyer");
}

#[test]
fn toml_errors_name_their_place() {
    let publisher = "[[publishers]]\nid = 1\nname = \"P\"\n";
    let cases = [
        ("prune = 1".to_owned(), "line 1, column 9: prune: it must be true or false"),
        ("[publishers]\nid = 1".to_owned(), "line 1, column 1: publishers: it must be a list; begin each with [[publishers]]"),
        ("a = [".to_owned(), "line 1, column 6: unclosed array"),
        ("campaigns = []".to_owned(), "line 1, column 13: campaigns: it is not known; use prune, publishers"),
        ("\n[[publishers]]\nid = 1\n".to_owned(), "line 2, column 1: publishers[0]: missing field `name`"),
        ("[[publishers]]\nid = 1\nname = 2\n".to_owned(), "line 3, column 8: publishers[0].name: invalid type: integer `2`, expected a string"),
        ("[[publishers]]\nid = 1\nname = \"P\"\nnick = 1\n".to_owned(), "line 4, column 1: publishers[0].nick: unknown field `nick`"),
        (publisher.repeat(2), "line 4, column 1: publishers[1].id: number 1 is given twice"),
        ("[[units]]\nid = -1\n".to_owned(), "line 2, column 6: units[0].id: invalid value: integer `-1`, expected u32"),
        (
            "[[apps]]\nid = 1\npublisher_id = 1\nname = \"A\"\nuser_share = \"60\u{ff05}\"\n".to_owned(),
            "line 5, column 14: apps[0].user_share: expected a share such as \"60%\"",
        ),
        (
            "[[partners]]\nid = 1\nname = \"A\"\nadvertiser_id = 1\nrecipe = \"appflyer\"".to_owned(),
            "line 5, column 10: partners[0].recipe: there is no preset \"appflyer\"; use one of generic, appsflyer",
        ),
        (
            "[[partners]]\nid = 1\nrecipe = { preset = \"adjust\", revenu = [] }".to_owned(),
            "line 3, column 31: partners[0].recipe.revenu: unknown field `revenu`",
        ),
        (
            "[[missions]]\nid = 1\n[[missions.steps]]\nid = 1\ntexts = []\nrule = \"check_in\"\n[[missions.steps]]\nid = 2\npayout = \"1\"".to_owned(),
            "line 9, column 10: missions[0].steps[1].payout: invalid type: string \"1\", expected i64",
        ),
        (
            "[[line_items]]\nid = 1\nname = \"A\"\nadvertiser_id = 1\ncurrency = \"USD\"\nbudget = 10.5".to_owned(),
            "line 6, column 10: line_items[0].budget: invalid type: floating point `10.5`, expected i64; amounts are whole numbers: money in micro-units",
        ),
    ];
    for (text, expected) in cases {
        let told = parse_toml(&text).map(drop).map_err(|errors| lines(&errors)).unwrap_err();
        assert!(told.starts_with(expected), "{told}\nfor {expected}");
    }
}

#[test]
fn json_errors_name_their_place() {
    let cases = [
        ("", "line 1, column 1: expected an object"),
        ("[]", "line 1, column 1: expected an object"),
        ("{\"units\": [[1]]}", "line 1, column 12: units[0]: expected an object"),
        ("{\"units\": [}", "line 1, column 12: units[0]: expected value"),
        ("{}\n{}", "line 2, column 1: trailing characters"),
        (
            "{\n  \"campaigns\": []}",
            "line 2, column 13: campaigns: unknown field `campaigns`, expected one of",
        ),
        ("{\"units\": [], \"units\": []}", "line 1, column 21: duplicate field `units`"),
        (
            "{\"publishers\": [\n{\"id\": 1}]}",
            "line 2, column 9: publishers[0]: missing field `name`",
        ),
        (
            "{\"publishers\": [\n{\"id\": 1,\n \"name\": true}]}",
            "line 3, column 13: publishers[0].name: invalid type: boolean `true`",
        ),
        (
            "{\"publishers\": [{\"id\": 1, \"id\": 2, \"name\": \"\"}]}",
            "line 1, column 30: publishers[0]: duplicate field `id`",
        ),
    ];
    for (text, expected) in cases {
        let told = parse_json(text).map(drop).map_err(|errors| lines(&errors)).unwrap_err();
        assert!(told.starts_with(expected), "{told}\nfor {expected}");
    }
}

#[test]
fn every_wrong_entity_is_told_at_once() {
    let text = "[[publishers]]\nid = 1\n[[publishers]]\nname = \"x\"\n[[apps]]\nid = 1\n";
    let errors = parse_toml(text).map(drop).unwrap_err();
    let places: Vec<usize> = errors.0.iter().filter_map(|one| one.place).map(|p| p.line).collect();
    assert_eq!(places, [1, 3, 5]);
}

#[test]
fn problems_find_their_line() {
    let text = "[[publishers]]\nid = 5\nname = \"P\"\n\n[[apps]]\nid = 2\npublisher_id = 6\n\
        name = \"A\"\nuser_share = \"60%\"\npublisher_share = \"50%\"\n[apps.currency]\nname = \"\"\n";
    let json = "{\"publishers\": [{\"id\": 5, \"name\": \"P\"}],\n\"apps\": [{\"id\": 2,\n\
        \"publisher_id\": 6,\n\"name\": \"A\",\n\"user_share\": \"60%\", \"publisher_share\": \"50%\",\n\
        \"currency\": {\"name\": \"\"}}]}";
    let expected = [
        (7, 3, "apps[0].publisher_id: there is no publisher 6"),
        (9, 5, "apps[0].user_share: the user's and"),
        (12, 6, "apps[0].currency.name: it must not be empty"),
    ];
    for (syntax, text) in [(Syntax::Toml, text), (Syntax::Json, json)] {
        let file = parse(syntax, text).unwrap_or_else(|errors| panic!("{errors}"));
        let edits = diff(&Catalog::default(), &file.entities, false).edits;
        let errors = file.locate(&validate(&Catalog::default().edited(&edits)));
        assert_eq!(errors.0.len(), expected.len(), "{errors}");
        for (error, (toml, json, words)) in errors.0.iter().zip(expected) {
            let line = if syntax == Syntax::Toml { toml } else { json };
            assert_eq!(error.place.map(|place| place.line), Some(line), "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}

#[test]
fn a_problem_outside_the_file_has_no_place() {
    let file = parse_toml("").unwrap_or_else(|errors| panic!("{errors}"));
    let mut catalog = sample::catalog();
    catalog.publishers.clear();
    let told = file.locate(&validate(&catalog)).to_string();
    assert_eq!(told, "apps/1.publisher_id: there is no publisher 1");
}

#[test]
fn places_count_characters() {
    let place = |text: &str, offset| Lines::of(text).place(offset);
    assert_eq!(place("a\n가나x", "a\n가나".len()), Place { line: 2, column: 3 });
    assert_eq!(place("a\n\nb", 2), Place { line: 2, column: 1 });
    assert_eq!(place("a\n\nb", 9), Place { line: 3, column: 2 });
    assert_eq!(place("", 9), Place { line: 1, column: 1 });
}
