//! `before`: one statement for each thing, the same as Django's stage of that name makes.

use std::collections::HashMap;

use anyhow::Context;
use sqlx::mysql::MySqlArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, MySql, Row};

use super::answer::{List, Shown};
use super::rows::{self, App, LineItem, Mission, Profile, Step, StepTitle, Text, each};
use super::rules::{Run, language_choices};
use super::session::{Database, Session, in_ids};
use super::{Asker, Listed, Refused};

/// Ad groups that the user fits, by nested subqueries; asks for what [`fit`] binds.
const FITTING: &str = "(age_min IS NULL OR age_min <= ?) AND (age_max IS NULL OR age_max >= ?) \
     AND status = 'active' \
     AND id IN (SELECT ad_group_id FROM ad_group_target WHERE kind = 'country' AND value IN ('', ?)) \
     AND id IN (SELECT ad_group_id FROM ad_group_target WHERE kind = 'platform' AND value IN ('', ?)) \
     AND id IN (SELECT ad_group_id FROM ad_group_target WHERE kind = 'gender' AND value IN ('', ?))";

type Asked<'q> = Query<'q, MySql, MySqlArguments>;

/// The list.
pub(super) async fn list(database: &Database, asker: &Asker, now: i64) -> Listed {
    let mut session = database.session().await?;
    let (app, user) = find(&mut session, asker).await?;
    let every_run = read_runs(&mut session, user.id).await?;
    let mut by_deadline: Vec<&Run> = every_run.iter().collect();
    by_deadline.sort_by(|a, b| (a.deadline_ms, &a.code).cmp(&(b.deadline_ms, &b.code)));
    let mut runs = Vec::new();
    for run in by_deadline {
        if let Some(shown) = show_run(&mut session, run, &user, now).await? {
            runs.push((run, shown));
        }
    }
    let mut offers = Vec::new();
    for Startable { mission, steps, line_item, fallback } in
        startable(&mut session, &user, now).await?
    {
        let found = text_of(&mut session, mission.id, &user.language).await?;
        let text = found.or(fallback).context("a mission has no text")?;
        let titles = titles_of(&mut session, &steps, &user.language).await?;
        offers.push((line_item.ends_at, Shown { mission, text, steps, titles }));
    }
    let row = session.one(sqlx::query("SELECT id, number FROM catalog_revision LIMIT 21")).await?;
    let list = List {
        app: &app,
        revision: row.context("there is no catalogue")?.try_get(1)?,
        every_run: &every_run,
        runs: runs.iter().map(|(run, shown)| (*run, shown)).collect(),
        offers: offers.iter().map(|(ends_at, shown)| (*ends_at, shown)).collect(),
    };
    Ok((list.written()?, session.calls()))
}

/// The app of the key and the user, by one statement for each check.
async fn find(session: &mut Session, asker: &Asker) -> Result<(App, Profile), Refused> {
    let app = "SELECT id, currency_name, minor_units FROM app WHERE";
    let by_key = sqlx::query(AssertSqlSafe(format!("{app} api_key = ?"))).bind(&asker.api_key);
    let found = session.one(by_key).await?.ok_or(Refused::Key)?;
    let found = App::read(&found)?;
    let unit = sqlx::query("SELECT id, app_id FROM unit WHERE id = ?").bind(asker.unit_id);
    let unit = session.one(unit).await?.ok_or(Refused::Key)?;
    let user =
        format!("SELECT {} FROM app_user WHERE app_id = ? AND external_id = ?", rows::PROFILE);
    let user = sqlx::query(AssertSqlSafe(user)).bind(found.id).bind(&asker.user_id);
    let user = session.one(user).await?.ok_or(Refused::User)?;
    let of_unit: i64 = unit.try_get(1)?;
    let by_id = sqlx::query(AssertSqlSafe(format!("{app} id = ?"))).bind(of_unit);
    let of_unit = App::read(&session.one(by_id).await?.ok_or(Refused::Key)?)?;
    if of_unit.id != found.id {
        return Err(Refused::Key);
    }
    Ok((found, Profile::read(&user)?))
}

/// The clicks of a user, each with what was done since, one by one.
async fn read_runs(session: &mut Session, user: i64) -> Result<Vec<Run>, Refused> {
    let clicks = format!("SELECT {} FROM click WHERE user_id = ?", rows::CLICK);
    let clicks = session.all(sqlx::query(AssertSqlSafe(clicks)).bind(user)).await?;
    let mut runs = Vec::new();
    for row in &clicks {
        let (id, mut run) = rows::click(row)?;
        let done =
            format!("SELECT {} FROM completion WHERE click_id = ? ORDER BY id", rows::COMPLETION);
        for row in session.all(sqlx::query(AssertSqlSafe(done)).bind(id)).await? {
            let (_, step, mut done) = rows::done(&row)?;
            done.step = step_of(session, step).await?.number;
            run.done.push(done);
        }
        runs.push(run);
    }
    Ok(runs)
}

async fn step_of(session: &mut Session, id: i64) -> Result<Step, Refused> {
    let text = format!("SELECT {} FROM step WHERE id = ?", rows::STEP);
    let row = session.one(sqlx::query(AssertSqlSafe(text)).bind(id)).await?;
    Ok(Step::read(&row.context("a completion has no step")?)?)
}

/// A run as it is shown, if it can still earn.
async fn show_run(
    session: &mut Session,
    run: &Run,
    user: &Profile,
    now: i64,
) -> Result<Option<Shown>, Refused> {
    let text = format!("SELECT {} FROM mission WHERE mission.id = ?", rows::MISSION);
    let row = session.one(sqlx::query(AssertSqlSafe(text)).bind(run.mission)).await?;
    let mission = Mission::read(&row.context("a run has no mission")?)?;
    let text = format!("SELECT {} FROM step WHERE mission_id = ? ORDER BY position", rows::STEP);
    let steps = session.all(sqlx::query(AssertSqlSafe(text)).bind(mission.id)).await?;
    let steps = each(&steps, Step::read)?;
    if !run.can_earn(&steps, now) {
        return Ok(None);
    }
    let text = match text_of(session, mission.id, &user.language).await? {
        Some(text) => text,
        None => first_text(session, mission.id).await?,
    };
    let titles = titles_of(session, &steps, &user.language).await?;
    Ok(Some(Shown { mission, text, steps, titles }))
}

/// A mission's text in the user's language, by a statement for each language that would do.
async fn text_of(
    session: &mut Session,
    mission: i64,
    language: &str,
) -> Result<Option<Text>, Refused> {
    for choice in language_choices(language) {
        let text = format!(
            "SELECT {} FROM mission_text WHERE mission_id = ? AND language = ? ORDER BY id LIMIT 1",
            rows::TEXT
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(mission).bind(choice);
        if let Some(row) = session.one(query).await? {
            return Ok(Some(Text::read(&row)?));
        }
    }
    Ok(None)
}

async fn first_text(session: &mut Session, mission: i64) -> Result<Text, Refused> {
    let text =
        format!("SELECT {} FROM mission_text WHERE mission_id = ? ORDER BY id LIMIT 1", rows::TEXT);
    let row = session.one(sqlx::query(AssertSqlSafe(text)).bind(mission)).await?;
    Ok(Text::read(&row.context("a mission has no text")?)?)
}

/// The titles of the steps, by a statement for each.
async fn titles_of(
    session: &mut Session,
    steps: &[Step],
    language: &str,
) -> Result<Vec<String>, Refused> {
    let mut titles = Vec::with_capacity(steps.len());
    for step in steps {
        let text =
            format!("SELECT {} FROM step_text WHERE step_id = ? ORDER BY id", rows::STEP_TITLE);
        let texts = session.all(sqlx::query(AssertSqlSafe(text)).bind(step.id)).await?;
        let texts = each(&texts, StepTitle::read)?;
        let of = |choice: &str| texts.iter().find(|text| text.language == choice);
        let found = language_choices(language).find_map(of).or(texts.first());
        titles.push(found.context("a step has no title")?.title.clone());
    }
    Ok(titles)
}

/// A mission that the user can start.
struct Startable {
    mission: Mission,
    steps: Vec<Step>,
    line_item: LineItem,
    /// The first text, for users whose language there is not.
    fallback: Option<Text>,
}

/// What the user can start, the best ad group's first: two statements for each mission.
async fn startable(
    session: &mut Session,
    user: &Profile,
    now: i64,
) -> Result<Vec<Startable>, Refused> {
    let Candidates { missions, texts, mut steps, line_items } =
        candidates(session, user, now).await?;
    let mut ranked = Vec::new();
    for mission in missions {
        let line_item = line_items.get(&mission.line_item_id).context("no line item")?.clone();
        let best = format!(
            "SELECT id, expected FROM ad_group WHERE line_item_id = ? \
             AND id IN (SELECT id FROM ad_group WHERE {FITTING}) ORDER BY expected DESC, id LIMIT 1"
        );
        let best = fit(sqlx::query(AssertSqlSafe(best)).bind(line_item.id), user);
        let best = session.one(best).await?.context("no ad group")?;
        let (ad_group, expected): (i64, i64) = (best.try_get(0)?, best.try_get(1)?);
        let starts = sqlx::query(
            "SELECT COUNT(*) FROM click INNER JOIN mission ON click.mission_id = mission.id \
             WHERE mission.line_item_id = ? AND click.user_id = ?",
        );
        let starts = session.one(starts.bind(line_item.id).bind(user.id)).await?;
        let starts: i64 = starts.context("no count")?.try_get(0)?;
        if line_item.has_room(starts as usize) {
            let rank = (-i64::from(line_item.priority), -expected, ad_group, mission.id);
            let steps = steps.remove(&mission.id).unwrap_or_default();
            let fallback = texts.iter().find(|text| text.mission_id == mission.id).cloned();
            ranked.push((rank, Startable { mission, steps, line_item, fallback }));
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    Ok(ranked.into_iter().map(|(_, one)| one).collect())
}

/// Missions that the user fits, with the rows that Django prefetches.
struct Candidates {
    missions: Vec<Mission>,
    texts: Vec<Text>,
    steps: HashMap<i64, Vec<Step>>,
    line_items: HashMap<i64, LineItem>,
}

async fn candidates(
    session: &mut Session,
    user: &Profile,
    now: i64,
) -> Result<Candidates, Refused> {
    let text = format!(
        "SELECT {} FROM mission WHERE line_item_id IN (SELECT id FROM line_item \
         WHERE (starts_at IS NULL OR starts_at <= ?) AND (ends_at IS NULL OR ends_at > ?) \
         AND status = 'running' AND id IN (SELECT line_item_id FROM ad_group WHERE {FITTING})) \
         AND status = 'active' AND NOT (id IN (SELECT mission_id FROM click WHERE user_id = ?))",
        rows::MISSION
    );
    let now = sql_moment(now);
    let query = fit(sqlx::query(AssertSqlSafe(text)).bind(&now).bind(&now), user).bind(user.id);
    let missions = each(&session.all(query).await?, Mission::read)?;
    let ids: Vec<i64> = missions.iter().map(|mission| mission.id).collect();
    let texts = format!("SELECT {} FROM mission_text WHERE mission_id IN", rows::TEXT);
    let texts = each(&session.all(in_ids(&texts, &ids, "ORDER BY id")).await?, Text::read)?;
    let of_missions = format!("SELECT {} FROM step WHERE mission_id IN", rows::STEP);
    let rows_found = session.all(in_ids(&of_missions, &ids, "ORDER BY position")).await?;
    let mut steps: HashMap<i64, Vec<Step>> = HashMap::new();
    for step in each(&rows_found, Step::read)? {
        steps.entry(step.mission_id).or_default().push(step);
    }
    let mut owners: Vec<i64> = missions.iter().map(|mission| mission.line_item_id).collect();
    owners.sort_unstable();
    owners.dedup();
    let line_items = format!("SELECT {} FROM line_item WHERE id IN", rows::LINE_ITEM);
    let line_items = session.all(in_ids(&line_items, &owners, "")).await?;
    let line_items = each(&line_items, |row| LineItem::read(row, 0))?;
    // Prefetched like the others, and then left aside: the best ad group is asked for again.
    let ad_groups = "SELECT id, line_item_id, status, age_min, age_max, expected FROM ad_group \
                     WHERE line_item_id IN";
    session.all(in_ids(ad_groups, &owners, "")).await?;
    let line_items = line_items.into_iter().map(|one| (one.id, one)).collect();
    Ok(Candidates { missions, texts, steps, line_items })
}

/// Binds what [`FITTING`] asks for.
fn fit<'q>(query: Asked<'q>, user: &'q Profile) -> Asked<'q> {
    query.bind(user.age).bind(user.age).bind(&user.country).bind(&user.platform).bind(&user.gender)
}

/// A moment as the database compares it.
fn sql_moment(ms: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    moment.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}
