//! Rows of the tables, and how they are read.
//!
//! Moments are milliseconds since 1970, reckoned by the database.

use sqlx::Row;
use sqlx::mysql::MySqlRow;

use super::rules::{Done, Run};

type Read<T> = Result<T, sqlx::Error>;

/// The columns of [`Mission`].
pub(super) const MISSION: &str = "mission.id, mission.line_item_id, mission.kind, mission.sequence, mission.typical_minutes, \
     mission.requirements, mission.status";
/// The columns of [`Text`].
pub(super) const TEXT: &str = "mission_id, language, title, summary, icon_url, cta";
/// The columns of [`Step`].
pub(super) const STEP: &str = "id, mission_id, number, position, kind, role, repeat_limit, points";
/// The columns of [`StepTitle`].
pub(super) const STEP_TITLE: &str = "step_id, language, title";
/// The columns of [`Profile`].
pub(super) const PROFILE: &str = "id, country, platform, gender, age, language";
/// The columns of [`click`].
pub(super) const CLICK: &str = "id, mission_id, code, status, \
     TIMESTAMPDIFF(MICROSECOND, '1970-01-01', deadline) DIV 1000";
/// The columns of [`done`].
pub(super) const COMPLETION: &str = "click_id, step_id, status, points, \
     TIMESTAMPDIFF(MICROSECOND, '1970-01-01', booked_at) DIV 1000";
/// The columns of [`LineItem`].
pub(super) const LINE_ITEM: &str = "line_item.id, line_item.priority, line_item.per_user_cap, \
     TIMESTAMPDIFF(MICROSECOND, '1970-01-01', line_item.starts_at) DIV 1000, \
     TIMESTAMPDIFF(MICROSECOND, '1970-01-01', line_item.ends_at) DIV 1000";

/// An app.
pub(super) struct App {
    pub(super) id: i64,
    pub(super) currency_name: String,
    pub(super) minor_units: u16,
}

impl App {
    pub(super) fn read(row: &MySqlRow) -> Read<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            currency_name: row.try_get(1)?,
            minor_units: row.try_get(2)?,
        })
    }
}

/// A user, without what he has done.
pub(super) struct Profile {
    pub(super) id: i64,
    pub(super) country: String,
    pub(super) platform: String,
    pub(super) gender: String,
    pub(super) age: Option<u16>,
    pub(super) language: String,
}

impl Profile {
    pub(super) fn read(row: &MySqlRow) -> Read<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            country: row.try_get(1)?,
            platform: row.try_get(2)?,
            gender: row.try_get(3)?,
            age: row.try_get(4)?,
            language: row.try_get(5)?,
        })
    }
}

/// Who pays, and when it runs.
#[derive(Clone)]
pub(super) struct LineItem {
    pub(super) id: i64,
    pub(super) priority: u16,
    pub(super) per_user_cap: Option<u32>,
    pub(super) starts_at: Option<i64>,
    pub(super) ends_at: Option<i64>,
}

impl LineItem {
    /// Reads the columns that begin at `at`.
    pub(super) fn read(row: &MySqlRow, at: usize) -> Read<Self> {
        Ok(Self {
            id: row.try_get(at)?,
            priority: row.try_get(at + 1)?,
            per_user_cap: row.try_get(at + 2)?,
            starts_at: row.try_get(at + 3)?,
            ends_at: row.try_get(at + 4)?,
        })
    }

    /// Whether its flight has begun and not ended.
    pub(super) fn may_start(&self, now: i64) -> bool {
        self.starts_at.is_none_or(|begins| begins <= now)
            && self.ends_at.is_none_or(|ends| now < ends)
    }

    /// Whether a user who has started so many of its missions may start another one.
    pub(super) fn has_room(&self, starts: usize) -> bool {
        self.per_user_cap.is_none_or(|cap| starts < cap as usize)
    }
}

/// A mission, without its texts and steps.
#[derive(Clone)]
pub(super) struct Mission {
    pub(super) id: i64,
    pub(super) line_item_id: i64,
    pub(super) kind: String,
    pub(super) is_ordered: bool,
    pub(super) is_active: bool,
    pub(super) typical_minutes: Option<u32>,
    pub(super) requirements: Vec<String>,
}

impl Mission {
    pub(super) fn read(row: &MySqlRow) -> Read<Self> {
        let requirements: String = row.try_get(5)?;
        Ok(Self {
            id: row.try_get(0)?,
            line_item_id: row.try_get(1)?,
            kind: row.try_get(2)?,
            is_ordered: row.try_get::<&str, _>(3)? == "ordered",
            is_active: row.try_get::<&str, _>(6)? == "active",
            typical_minutes: row.try_get(4)?,
            requirements: serde_json::from_str(&requirements)
                .map_err(|error| sqlx::Error::Decode(error.into()))?,
        })
    }
}

/// How a mission presents itself in one language.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) mission_id: i64,
    pub(super) language: String,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) icon_url: Option<String>,
    pub(super) cta: String,
}

impl Text {
    pub(super) fn read(row: &MySqlRow) -> Read<Self> {
        Ok(Self {
            mission_id: row.try_get(0)?,
            language: row.try_get(1)?,
            title: row.try_get(2)?,
            summary: row.try_get(3)?,
            icon_url: row.try_get(4)?,
            cta: row.try_get(5)?,
        })
    }
}

/// One rewarded event of a mission.
#[derive(Clone)]
pub(super) struct Step {
    pub(super) id: i64,
    pub(super) mission_id: i64,
    pub(super) number: u32,
    pub(super) position: u16,
    pub(super) kind: String,
    pub(super) is_required: bool,
    pub(super) is_bonus: bool,
    pub(super) repeat_limit: u32,
    pub(super) points: i64,
}

impl Step {
    pub(super) fn read(row: &MySqlRow) -> Read<Self> {
        let role: &str = row.try_get(5)?;
        Ok(Self {
            id: row.try_get(0)?,
            mission_id: row.try_get(1)?,
            number: row.try_get(2)?,
            position: row.try_get(3)?,
            kind: row.try_get(4)?,
            is_required: role == "required",
            is_bonus: role == "bonus",
            repeat_limit: row.try_get(6)?,
            points: row.try_get(7)?,
        })
    }
}

/// What a step says in one language.
#[derive(Clone)]
pub(super) struct StepTitle {
    pub(super) step_id: i64,
    pub(super) language: String,
    pub(super) title: String,
}

impl StepTitle {
    pub(super) fn read(row: &MySqlRow) -> Read<Self> {
        Ok(Self { step_id: row.try_get(0)?, language: row.try_get(1)?, title: row.try_get(2)? })
    }
}

/// A run with nothing done yet, and its row's id.
pub(super) fn click(row: &MySqlRow) -> Read<(i64, Run)> {
    let run = Run {
        mission: row.try_get(1)?,
        code: row.try_get(2)?,
        status: word(row.try_get(3)?)?,
        deadline_ms: row.try_get(4)?,
        done: Vec::new(),
    };
    Ok((row.try_get(0)?, run))
}

/// One occurrence of a step, with the ids of its click and its step.
pub(super) fn done(row: &MySqlRow) -> Read<(i64, i64, Done)> {
    let done = Done {
        step: 0,
        status: word(row.try_get(2)?)?,
        points: row.try_get(3)?,
        booked_ms: row.try_get(4)?,
    };
    Ok((row.try_get(0)?, row.try_get(1)?, done))
}

/// One of the words of a column that has few.
fn word<T: for<'de> serde::Deserialize<'de>>(text: &str) -> Read<T> {
    let read: Result<T, serde::de::value::Error> =
        T::deserialize(serde::de::value::StrDeserializer::new(text));
    read.map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Reads all rows.
pub(super) fn each<T>(rows: &[MySqlRow], read: impl Fn(&MySqlRow) -> Read<T>) -> Read<Vec<T>> {
    rows.iter().map(read).collect()
}
