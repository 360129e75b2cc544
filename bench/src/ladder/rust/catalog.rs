//! Missions in a language, and the whole catalogue in the process.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Row};

use super::answer::Shown;
use super::rows::{self, App, LineItem, Mission, Step, StepTitle, Text, each};
use super::rules::language_choices;
use super::session::{Session, in_ids};
use super::state::UserState;

/// Missions with their texts and steps in a language, by three statements.
pub(super) async fn show(
    session: &mut Session,
    missions: Vec<Mission>,
    language: &str,
) -> Result<HashMap<i64, Shown>, sqlx::Error> {
    Ok(Parts::read(session, missions).await?.in_language(language))
}

/// Missions with everything that belongs to them, in all languages.
struct Parts {
    missions: Vec<Mission>,
    texts: HashMap<i64, Vec<Text>>,
    steps: HashMap<i64, Vec<Step>>,
    titles: HashMap<i64, Vec<StepTitle>>,
}

impl Parts {
    async fn read(session: &mut Session, missions: Vec<Mission>) -> Result<Self, sqlx::Error> {
        let ids: Vec<i64> = missions.iter().map(|mission| mission.id).collect();
        let text = format!("SELECT {} FROM mission_text WHERE mission_id IN", rows::TEXT);
        let texts = each(&session.all(in_ids(&text, &ids, "ORDER BY id")).await?, Text::read)?;
        let text = format!("SELECT {} FROM step WHERE mission_id IN", rows::STEP);
        let steps =
            each(&session.all(in_ids(&text, &ids, "ORDER BY position")).await?, Step::read)?;
        let ids: Vec<i64> = steps.iter().map(|step| step.id).collect();
        let text = format!("SELECT {} FROM step_text WHERE step_id IN", rows::STEP_TITLE);
        let titles = session.all(in_ids(&text, &ids, "ORDER BY id")).await?;
        Ok(Self {
            missions,
            texts: grouped(texts, |text| text.mission_id),
            steps: grouped(steps, |step| step.mission_id),
            titles: grouped(each(&titles, StepTitle::read)?, |title| title.step_id),
        })
    }

    fn in_language(&self, language: &str) -> HashMap<i64, Shown> {
        let shown = self.missions.iter().filter_map(|mission| {
            let text = chosen(self.texts.get(&mission.id)?, language, |text| &text.language)?;
            let steps = self.steps.get(&mission.id).cloned().unwrap_or_default();
            let title = |step: &Step| {
                let found = chosen(self.titles.get(&step.id)?, language, |title| &title.language);
                Some(found?.title.clone())
            };
            let titles = steps.iter().map(title).collect::<Option<_>>()?;
            let shown = Shown { mission: mission.clone(), text: text.clone(), steps, titles };
            Some((mission.id, shown))
        });
        shown.collect()
    }
}

/// The one in the language or its primary part, or else the first.
fn chosen<'a, T>(all: &'a [T], language: &str, of: impl Fn(&T) -> &str) -> Option<&'a T> {
    let found = |choice: &str| all.iter().find(|one| of(one) == choice);
    language_choices(language).find_map(found).or(all.first())
}

fn grouped<T>(all: Vec<T>, key: impl Fn(&T) -> i64) -> HashMap<i64, Vec<T>> {
    let mut groups: HashMap<i64, Vec<T>> = HashMap::new();
    for one in all {
        groups.entry(key(&one)).or_default().push(one);
    }
    groups
}

/// One revision of the catalogue. What depends on a user's language or kind is made when the first
/// of them asks, and kept.
pub(super) struct Catalog {
    pub(super) revision: u64,
    apps: HashMap<String, App>,
    unit_apps: HashMap<i64, i64>,
    parts: Parts,
    /// Active missions of each line item, by id.
    of_line_item: HashMap<i64, Vec<i64>>,
    /// Running line items' active ad groups, best first.
    ad_groups: Vec<AdGroup>,
    shown: RwLock<HashMap<String, Arc<HashMap<i64, Shown>>>>,
    fitting: RwLock<HashMap<Person, Arc<Vec<usize>>>>,
}

/// What an ad group asks of a user, apart from his age.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Person {
    country: String,
    platform: String,
    gender: String,
}

struct AdGroup {
    id: i64,
    line_item: LineItem,
    age_min: Option<u16>,
    age_max: Option<u16>,
    /// Pairs of a kind and a value; an empty value lets everybody through.
    targets: HashSet<(String, String)>,
}

impl AdGroup {
    fn takes_age(&self, age: Option<u16>) -> bool {
        let within = |limit: Option<u16>, is_within: fn(u16, u16) -> bool| {
            limit.is_none_or(|limit| age.is_some_and(|age| is_within(age, limit)))
        };
        within(self.age_min, |age, min| age >= min) && within(self.age_max, |age, max| age <= max)
    }

    fn asks_for(&self, person: &Person) -> bool {
        let Person { country, platform, gender } = person;
        [("country", country), ("platform", platform), ("gender", gender)].into_iter().all(
            |(kind, value)| {
                let takes =
                    |value: &str| self.targets.contains(&(kind.to_owned(), value.to_owned()));
                takes("") || takes(value)
            },
        )
    }
}

impl Catalog {
    /// Reads everything, in a fixed number of statements.
    pub(super) async fn read(session: &mut Session) -> Result<Self> {
        let revision = revision(session).await?;
        let apps = sqlx::query("SELECT id, currency_name, minor_units, api_key FROM app");
        let apps = session.all(apps).await?;
        let apps = each(&apps, |row| Ok((row.try_get(3)?, App::read(row)?)))?;
        let units = session.all(sqlx::query("SELECT id, app_id FROM unit")).await?;
        let units = each(&units, |row| Ok((row.try_get(0)?, row.try_get(1)?)))?;
        let missions = format!("SELECT {} FROM mission ORDER BY id", rows::MISSION);
        let missions = session.all(sqlx::query(AssertSqlSafe(missions))).await?;
        let missions = each(&missions, Mission::read)?;
        let active = missions.iter().filter(|mission| mission.is_active);
        let mut of_line_item: HashMap<i64, Vec<i64>> = HashMap::new();
        for mission in active {
            of_line_item.entry(mission.line_item_id).or_default().push(mission.id);
        }
        Ok(Self {
            revision,
            apps: apps.into_iter().collect(),
            unit_apps: units.into_iter().collect(),
            parts: Parts::read(session, missions).await?,
            of_line_item,
            ad_groups: ad_groups(session).await?,
            shown: RwLock::default(),
            fitting: RwLock::default(),
        })
    }

    /// The app of a key, if the unit is one of its.
    pub(super) fn app(&self, api_key: &str, unit: i64) -> Option<&App> {
        self.apps.get(api_key).filter(|app| self.unit_apps.get(&unit) == Some(&app.id))
    }

    /// All missions in a language.
    pub(super) fn shown(&self, language: &str) -> Arc<HashMap<i64, Shown>> {
        let kept = self.shown.read().unwrap_or_else(PoisonError::into_inner).get(language).cloned();
        kept.unwrap_or_else(|| {
            let made = Arc::new(self.parts.in_language(language));
            let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
            shown.insert(language.to_owned(), Arc::clone(&made));
            made
        })
    }

    /// The line items that a user fits, each once, in the order of their best ad group.
    pub(super) fn line_items(&self, user: &UserState) -> Vec<&LineItem> {
        let mut seen = HashSet::new();
        let ad_groups = self.fitting(user);
        let fitting = ad_groups.iter().map(|place| &self.ad_groups[*place]);
        fitting
            .filter(|one| one.takes_age(user.age) && seen.insert(one.line_item.id))
            .map(|one| &one.line_item)
            .collect()
    }

    /// Ids of a line item's active missions.
    pub(super) fn missions_of(&self, line_item: i64) -> &[i64] {
        self.of_line_item.get(&line_item).map_or(&[], Vec::as_slice)
    }

    /// Places of the ad groups that a user fits but for his age.
    fn fitting(&self, user: &UserState) -> Arc<Vec<usize>> {
        let person = Person {
            country: user.country.clone(),
            platform: user.platform.clone(),
            gender: user.gender.clone(),
        };
        let kept =
            self.fitting.read().unwrap_or_else(PoisonError::into_inner).get(&person).cloned();
        kept.unwrap_or_else(|| {
            let all = self.ad_groups.iter().enumerate();
            let found = all.filter(|(_, one)| one.asks_for(&person)).map(|(place, _)| place);
            let found: Arc<Vec<usize>> = Arc::new(found.collect());
            let mut fitting = self.fitting.write().unwrap_or_else(PoisonError::into_inner);
            fitting.insert(person, Arc::clone(&found));
            found
        })
    }
}

/// The newest revision there is.
pub(super) async fn revision(session: &mut Session) -> Result<u64> {
    let row = session.one(sqlx::query("SELECT number FROM catalog_revision")).await?;
    Ok(row.context("there is no catalogue")?.try_get(0)?)
}

async fn ad_groups(session: &mut Session) -> Result<Vec<AdGroup>> {
    let text = format!(
        "SELECT ad_group.id, age_min, age_max, {} FROM ad_group \
         INNER JOIN line_item ON line_item.id = ad_group.line_item_id \
         WHERE ad_group.status = 'active' AND line_item.status = 'running' \
         ORDER BY line_item.priority DESC, expected DESC, ad_group.id",
        rows::LINE_ITEM
    );
    let found = session.all(sqlx::query(AssertSqlSafe(text))).await?;
    let mut ad_groups = each(&found, |row| {
        Ok(AdGroup {
            id: row.try_get(0)?,
            age_min: row.try_get(1)?,
            age_max: row.try_get(2)?,
            line_item: LineItem::read(row, 3)?,
            targets: HashSet::new(),
        })
    })?;
    let targets = sqlx::query("SELECT ad_group_id, kind, value FROM ad_group_target");
    let targets = session.all(targets).await?;
    let mut targets = grouped(
        each(&targets, |row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?))))?,
        |(ad_group, _)| *ad_group,
    );
    for one in &mut ad_groups {
        let own = targets.remove(&one.id).unwrap_or_default();
        one.targets = own.into_iter().map(|(_, target)| target).collect();
    }
    Ok(ad_groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_within_both_limits_and_unknown_ones_within_none() {
        let ad_group = |age_min, age_max| AdGroup {
            id: 1,
            line_item: LineItem {
                id: 1,
                priority: 0,
                per_user_cap: None,
                starts_at: None,
                ends_at: None,
            },
            age_min,
            age_max,
            targets: HashSet::new(),
        };
        let takes = |min, max, age| ad_group(min, max).takes_age(age);
        assert!(takes(Some(20), Some(29), Some(20)) && takes(Some(20), Some(29), Some(29)));
        assert!(!takes(Some(20), Some(29), Some(19)) && !takes(Some(20), Some(29), Some(30)));
        assert!(takes(None, None, None) && !takes(Some(0), None, None));
    }

    #[test]
    fn the_language_is_chosen_and_the_first_one_stands_in() {
        let texts = ["en", "ko"];
        let choose = |language| chosen(&texts, language, |text| text).copied();
        assert_eq!(choose("ko-kr"), Some("ko"));
        assert_eq!(choose("fr"), Some("en"));
    }
}
