//! Texts for the missions of a list, as different from each other as those of real advertisers.
//!
//! Seeded missions all have the same texts, which would pack to almost nothing.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde_json::Value;

/// Words that texts are made of.
const WORDS: u64 = 4_000;
/// Shorter texts are codes, numbers and moments, which do repeat.
const TEXT_BYTES_MIN: usize = 10;
/// Fields that people write.
const WRITTEN: [&str; 5] = ["title", "summary", "cta", "description", "icon_url"];

/// The list with other texts of about the same lengths: the same for a mission in every list.
pub(super) fn varied(mut list: Value) -> Result<Vec<u8>> {
    let missions = list["missions"].as_array_mut().context("the list has no missions")?;
    for mission in missions {
        let mut seed = mission["id"].as_u64().context("a mission has no id")?;
        reword(mission, false, &mut seed);
    }
    Ok(serde_json::to_vec(&list)?)
}

fn reword(value: &mut Value, is_written: bool, seed: &mut u64) {
    match value {
        Value::String(text) if is_written && text.len() >= TEXT_BYTES_MIN => {
            *text = words(text.len(), seed);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| reword(item, is_written, seed)),
        Value::Object(fields) => {
            for (name, field) in fields {
                reword(field, WRITTEN.contains(&name.as_str()), seed);
            }
        }
        _ => {}
    }
}

/// Words of that many bytes in all, or a few more.
fn words(bytes: usize, seed: &mut u64) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        let word = word(next(seed) % WORDS);
        let _ = write!(text, "{}{word}", if text.is_empty() { "" } else { " " });
    }
    text
}

/// The word of that number: two to four syllables.
fn word(number: u64) -> String {
    const SYLLABLES: [&str; 24] = [
        "ka", "lo", "mi", "ner", "ta", "vo", "sin", "pra", "du", "el", "gor", "hi", "ju", "bra",
        "cos", "fe", "ran", "tul", "we", "yo", "zan", "qui", "ster", "und",
    ];
    let mut rest = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let count = 2 + rest % 3;
    let mut word = String::new();
    for _ in 0..count {
        rest = rest.rotate_left(11).wrapping_mul(0xff51_afd7_ed55_8ccd);
        word.push_str(SYLLABLES[(rest >> 32) as usize % SYLLABLES.len()]);
    }
    word
}

/// The next of a row of numbers (SplitMix64).
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
