//! `orm`: the same tables with a fixed number of statements for every user, as Django's stage of
//! that name makes them.

use std::collections::{HashMap, HashSet};

use anyhow::Context;
use sqlx::{AssertSqlSafe, Row};

use super::answer::{List, Shown};
use super::rows::{self, App, LineItem, Mission, Profile, each};
use super::rules::Run;
use super::session::{Database, Session, in_ids};
use super::{Asker, Listed, Refused, catalog};

/// Ad groups that the user fits, with their line items, best first; joins instead of subqueries.
const FITTING: &str = "FROM ad_group \
     INNER JOIN ad_group_target c ON c.ad_group_id = ad_group.id \
     INNER JOIN ad_group_target p ON p.ad_group_id = ad_group.id \
     INNER JOIN ad_group_target g ON g.ad_group_id = ad_group.id \
     INNER JOIN line_item ON line_item.id = ad_group.line_item_id \
     WHERE c.kind = 'country' AND c.value IN ('', ?) AND p.kind = 'platform' AND p.value IN ('', ?) \
     AND g.kind = 'gender' AND g.value IN ('', ?) AND (age_min IS NULL OR age_min <= ?) \
     AND (age_max IS NULL OR age_max >= ?) AND ad_group.status = 'active' \
     AND line_item.status = 'running' \
     ORDER BY line_item.priority DESC, ad_group.expected DESC, ad_group.id";

/// The list.
pub(super) async fn list(database: &Database, asker: &Asker, now: i64) -> Listed {
    let mut session = database.session().await?;
    let (app, user) = find(&mut session, asker).await?;
    let mut clicks = read_clicks(&mut session, user.id).await?;
    let line_items = fitting(&mut session, &user, now).await?;
    let missions = missions_of(&mut session, &clicks.runs, &line_items).await?;
    let shown = catalog::show(&mut session, missions, &user.language).await?;
    clicks.number_steps(&shown);
    let every_run = clicks.runs;
    let mut runs = shown_runs(&every_run, &shown, now);
    runs.sort_by(|(a, _), (b, _)| (a.deadline_ms, &a.code).cmp(&(b.deadline_ms, &b.code)));
    let row = session.one(sqlx::query("SELECT id, number FROM catalog_revision LIMIT 21")).await?;
    let list = List {
        app: &app,
        revision: row.context("there is no catalogue")?.try_get(1)?,
        every_run: &every_run,
        runs,
        offers: startable(&shown, &line_items, &every_run),
    };
    Ok((list.written()?, session.calls()))
}

/// The app and the user, once the key and the unit are known to be right.
async fn find(session: &mut Session, asker: &Asker) -> Result<(App, Profile), Refused> {
    let unit = sqlx::query(
        "SELECT app.id, app.currency_name, app.minor_units, app.api_key FROM unit \
         INNER JOIN app ON app.id = unit.app_id WHERE unit.id = ? LIMIT 1",
    );
    let row = session.one(unit.bind(asker.unit_id)).await?.ok_or(Refused::Key)?;
    if row.try_get::<&str, _>(3)? != asker.api_key {
        return Err(Refused::Key);
    }
    let app = App::read(&row)?;
    let user =
        format!("SELECT {} FROM app_user WHERE app_id = ? AND external_id = ?", rows::PROFILE);
    let user = sqlx::query(AssertSqlSafe(user)).bind(app.id).bind(&asker.user_id);
    let user = session.one(user).await?.ok_or(Refused::User)?;
    Ok((app, Profile::read(&user)?))
}

/// The runs of a user, and for each occurrence the id of its step's row.
struct Clicks {
    runs: Vec<Run>,
    steps: Vec<Vec<i64>>,
}

impl Clicks {
    /// Gives each occurrence the number of its step, which the mission's rows know.
    fn number_steps(&mut self, shown: &HashMap<i64, Shown>) {
        for (run, ids) in self.runs.iter_mut().zip(&self.steps) {
            let steps = shown.get(&run.mission).map_or(&[][..], |shown| &shown.steps);
            for (done, id) in run.done.iter_mut().zip(ids) {
                let found = steps.iter().find(|step| step.id == *id);
                done.step = found.map_or(0, |step| step.number);
            }
        }
    }
}

/// Two statements: the clicks, and what was done since in all of them.
async fn read_clicks(session: &mut Session, user: i64) -> Result<Clicks, Refused> {
    let text = format!("SELECT {} FROM click WHERE user_id = ?", rows::CLICK);
    let found = session.all(sqlx::query(AssertSqlSafe(text)).bind(user)).await?;
    let (ids, mut runs): (Vec<i64>, Vec<Run>) = each(&found, rows::click)?.into_iter().unzip();
    let places: HashMap<i64, usize> = ids.iter().copied().zip(0..).collect();
    let mut steps = vec![Vec::new(); runs.len()];
    let text = format!("SELECT {} FROM completion WHERE click_id IN", rows::COMPLETION);
    for row in session.all(in_ids(&text, &ids, "ORDER BY id")).await? {
        let (click, step, done) = rows::done(&row)?;
        let place = *places.get(&click).context("a completion has no click")?;
        runs[place].done.push(done);
        steps[place].push(step);
    }
    Ok(Clicks { runs, steps })
}

/// The line items of the ad groups that the user fits, in the order of their best one.
async fn fitting(
    session: &mut Session,
    user: &Profile,
    now: i64,
) -> Result<Vec<LineItem>, Refused> {
    let text = AssertSqlSafe(format!("SELECT {} {FITTING}", rows::LINE_ITEM));
    let query = sqlx::query(text).bind(&user.country).bind(&user.platform).bind(&user.gender);
    let found = session.all(query.bind(user.age).bind(user.age)).await?;
    let mut seen = HashSet::new();
    let mut line_items = each(&found, |row| LineItem::read(row, 0))?;
    line_items.retain(|one| one.may_start(now) && seen.insert(one.id));
    Ok(line_items)
}

/// The missions that the user has clicked and those that he fits.
async fn missions_of(
    session: &mut Session,
    runs: &[Run],
    line_items: &[LineItem],
) -> Result<Vec<Mission>, Refused> {
    let clicked = runs.iter().map(|run| run.mission);
    let fitting = line_items.iter().map(|one| one.id);
    let marks = |count: usize| vec!["?"; count.max(1)].join(", ");
    let text = format!(
        "SELECT {} FROM mission WHERE id IN ({}) OR (line_item_id IN ({}) AND status = 'active') \
         ORDER BY id",
        rows::MISSION,
        marks(runs.len()),
        marks(line_items.len())
    );
    // No id is 0, so the list of nobody finds nothing.
    let nobody = |count: usize| (count == 0).then_some(0);
    let ids = clicked.chain(nobody(runs.len())).chain(fitting).chain(nobody(line_items.len()));
    let query = ids.fold(sqlx::query(AssertSqlSafe(text)), |query, id| query.bind(id));
    Ok(each(&session.all(query).await?, Mission::read)?)
}

fn shown_runs<'a>(
    runs: &'a [Run],
    shown: &'a HashMap<i64, Shown>,
    now: i64,
) -> Vec<(&'a Run, &'a Shown)> {
    let shown = runs.iter().filter_map(|run| Some((run, shown.get(&run.mission)?)));
    shown.filter(|(run, shown)| run.can_earn(&shown.steps, now)).collect()
}

/// What the user can start, in the order of the line items.
fn startable<'a>(
    shown: &'a HashMap<i64, Shown>,
    line_items: &[LineItem],
    runs: &[Run],
) -> Vec<(Option<i64>, &'a Shown)> {
    let clicked: HashSet<i64> = runs.iter().map(|run| run.mission).collect();
    let mut of_line_item: HashMap<i64, Vec<&Shown>> = HashMap::new();
    for one in shown.values() {
        of_line_item.entry(one.mission.line_item_id).or_default().push(one);
    }
    let mut offers = Vec::new();
    for line_item in line_items {
        let mut missions = of_line_item.remove(&line_item.id).unwrap_or_default();
        let starts = missions.iter().filter(|one| clicked.contains(&one.mission.id)).count();
        missions.retain(|one| one.mission.is_active && !clicked.contains(&one.mission.id));
        missions.sort_by_key(|one| one.mission.id);
        if line_item.has_room(starts) {
            offers.extend(missions.into_iter().map(|one| (line_item.ends_at, one)));
        }
    }
    offers
}
