//! Whether a rung answers what Guerdon answers, and what it asks of its stores for that.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::places::Places;
use super::rungs::{Rung, Up};
use super::{Failure, Ground};
use crate::client::{Answer, Conn};
use crate::feed::Draw;
use crate::measure::Spread;
use crate::server::Guerdon;
use crate::shapes::Shape;
use crate::world;

/// Users whose lists are compared.
const SAMPLED: usize = 40;
/// The same once more, when a rung has been started as it is measured.
const SAMPLED_AGAIN: usize = 3;

/// What the lists of some users have shown.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// Missions of a list, the median.
    pub(super) missions: f64,
    /// Bytes of a list, on average.
    pub(super) bytes: f64,
    /// What is asked of stores, in words.
    pub(super) asks: String,
    /// Lists that were compared, and those that were the same to the last field.
    pub(super) compared: (usize, usize),
}

/// Starts every rung once, alone, counting, and compares its answers with those of Guerdon embedded.
pub(super) async fn all(ground: &Ground<'_>) -> Result<(Vec<(&'static Rung, Look)>, Vec<Failure>)> {
    let &Ground { options, places, guerdon } = ground;
    let reference = places.home(Shape::Embedded)?.serve(guerdon).await?;
    let (mut looks, mut failures) = (Vec::new(), Vec::new());
    for rung in options.rungs() {
        if !rung.answers_lists() {
            continue;
        }
        eprintln!("{}: comparing its answers …", rung.name);
        match look(rung, places, guerdon, reference.address()).await {
            Ok(look) => looks.push((rung, look)),
            Err(error) => failures.push((rung, error)),
        }
    }
    reference.stop()?;
    Ok((looks, failures))
}

async fn look(
    rung: &'static Rung,
    places: &Places,
    guerdon: &Guerdon,
    reference: SocketAddr,
) -> Result<Look> {
    if rung.way == super::rungs::Way::Guerdon(Shape::Embedded) {
        // One file has one server, so it is compared with itself, which only counts.
        return compare(reference, reference, rung, places, SAMPLED).await;
    }
    let up = rung.start(places, guerdon, (0, true)).await?;
    let look = compare(up.address, reference, rung, places, SAMPLED).await;
    up.stop()?;
    look
}

/// Compares a few answers of a rung as it is measured.
pub(super) async fn again(up: &Up, reference: SocketAddr, places: &Places) -> Result<()> {
    compare(up.address, reference, up.rung, places, SAMPLED_AGAIN).await.map(drop)
}

async fn compare(
    address: SocketAddr,
    reference: SocketAddr,
    rung: &Rung,
    places: &Places,
    count: usize,
) -> Result<Look> {
    let (mut own, mut theirs) = (Conn::open(address).await?, Conn::open(reference).await?);
    let (mut missions, mut bytes, mut asks) = (Vec::new(), Vec::new(), Vec::new());
    let (draw, mut same) = (Draw::new(), 0);
    for _ in 0..count {
        let user = draw.below(rung.users(places) as usize) as u32;
        let answer = own.ask(&places.data.world.missions(address, user)).await?;
        let list = answer.json(&[200])?;
        bytes.push(answer.body.len() as f64);
        asks.extend(asked(rung, &answer)?);
        let wanted = theirs.ask(&places.data.world.missions(reference, user)).await?;
        let wanted = wanted.json(&[200])?;
        let lines = essence(&list)?;
        agree(&lines, &essence(&wanted)?).with_context(|| format!("user {user}"))?;
        missions.push(lines.len() as f64 - 1.0);
        same += usize::from(list == wanted);
    }
    Ok(Look {
        missions: Spread::of(missions).median,
        bytes: bytes.iter().sum::<f64>() / count as f64,
        asks: median_of(asks),
        compared: (count, same),
    })
}

/// What an answer says that it has asked of stores; nothing if it does not say.
fn asked(rung: &Rung, answer: &Answer<'_>) -> Result<Option<(u32, u32)>> {
    if rung.is_guerdon() {
        // A list from a cache has asked no store, and says nothing of it.
        let calls = answer.header("server-timing").map(|_| world::store_calls(answer));
        return Ok(Some((0, calls.transpose()?.unwrap_or(0))));
    }
    let Some(text) = answer.header("x-queries") else { return Ok(None) };
    let number = |name: &str| {
        let word = text.split(' ').find_map(|word| word.strip_prefix(name))?;
        word.strip_prefix('=')?.parse().ok()
    };
    let found = number("sql").zip(number("kv"));
    Ok(Some(found.with_context(|| format!("no counts in {text:?}"))?))
}

/// The usual numbers, in words.
fn median_of(asks: Vec<(u32, u32)>) -> String {
    if asks.is_empty() {
        return String::new();
    }
    let median =
        |of: fn(&(u32, u32)) -> u32| Spread::of(asks.iter().map(|one| f64::from(of(one)))).median;
    match (median(|one| one.0), median(|one| one.1)) {
        (0.0, 1.0) => "1 read by key".to_owned(),
        (0.0, reads) => format!("{reads} reads by key"),
        (statements, 0.0) => format!("{statements} SQL"),
        (statements, reads) => format!("{statements} SQL, {reads} reads by key"),
    }
}

/// What a list comes down to: a line of its points, and a line for each mission in their order.
fn essence(list: &Value) -> Result<Vec<String>> {
    let missions = list["missions"].as_array().context("the list has no missions")?;
    let points = format!("earnable {}, earned {}", list["earnable"], list["earned"]);
    let mut lines = vec![points];
    for mission in missions {
        let steps = mission["steps"].as_array().context("a mission has no steps")?;
        let step = |step: &Value| {
            let of = |name: &str| step[name].to_string();
            format!("; step {} {} {} x{}", of("id"), of("state"), of("reward"), of("completed"))
        };
        let steps: String = steps.iter().map(step).collect();
        let of = |name: &str| mission[name].to_string();
        lines.push(format!("mission {} {} {}{steps}", of("id"), of("state"), of("reward_total")));
    }
    Ok(lines)
}

/// Fails with the first line that differs.
fn agree(own: &[String], wanted: &[String]) -> Result<()> {
    if let Some((own, wanted)) = own.iter().zip(wanted).find(|(own, wanted)| own != wanted) {
        bail!("it says `{own}`, and Guerdon says `{wanted}`");
    }
    ensure!(
        own.len() == wanted.len(),
        "it has {} missions, and Guerdon has {}",
        own.len().saturating_sub(1),
        wanted.len().saturating_sub(1)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn list(state: &str, missions: usize) -> Value {
        let step = json!({"id": 1, "state": state, "reward": 250, "completed": 0});
        let mission =
            |id| json!({"id": id, "state": "available", "reward_total": 250, "steps": [step]});
        let missions: Vec<Value> = (0..missions).map(mission).collect();
        json!({"earnable": 500, "earned": 0, "missions": missions})
    }

    #[test]
    fn lists_agree_when_every_state_and_point_does() {
        let of = |state, missions| essence(&list(state, missions)).unwrap();
        assert!(agree(&of("available", 2), &of("available", 2)).is_ok());
        let error = agree(&of("locked", 2), &of("available", 2)).unwrap_err().to_string();
        assert!(error.contains("\"locked\"") && error.contains("\"available\""), "{error}");
        let error = agree(&of("available", 1), &of("available", 2)).unwrap_err().to_string();
        assert_eq!(error, "it has 1 missions, and Guerdon has 2");
    }

    #[test]
    fn what_is_asked_is_told_in_words() {
        assert_eq!(median_of(vec![]), "");
        assert_eq!(median_of(vec![(240, 0), (241, 0), (300, 0)]), "241 SQL");
        assert_eq!(median_of(vec![(0, 1)]), "1 read by key");
        assert_eq!(median_of(vec![(0, 0)]), "0 reads by key");
    }
}
