//! Values that are in the database, found by the statements themselves.

use std::collections::{BTreeSet, HashMap};

use domain::catalog::EntityKind;
use domain::time::Timestamp;
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;
use store::DeliveryState;

use crate::ask::Ask;
use crate::codec::state_to_column;
use crate::connect::Session;
use crate::error::Failure;
use crate::options::SCAN_MAX;
use crate::sql::{self, Bind};

/// Rows of a page, as the program asks for.
const PAGE: u64 = 100;
/// How many users lie between the two keys of a range.
const USERS_BETWEEN: u64 = 20;
/// How many days a report is about.
const DAYS: i64 = 7;
/// How long the time is in which deliveries are looked for: a day, in milliseconds.
const BOOKED_MS: i64 = 86_400_000;
/// Bits of a delivery's number that say its rank within its record.
const RANK_BITS: u32 = 6;
/// An id that nothing has, as far as anybody can guess.
const NOBODY: [u8; 16] = [0x5A; 16];

/// A value of a column.
#[derive(Clone, Debug)]
enum Value {
    Uint(u64),
    Int(i64),
    Bytes(Vec<u8>),
    Text(String),
}

impl Value {
    /// Another one for each number. Texts do not stand in lists.
    fn plus(&self, number: usize) -> Self {
        match self {
            Self::Uint(first) => Self::Uint(first.wrapping_add(number as u64)),
            Self::Int(first) => Self::Int(first.wrapping_add(number as i64)),
            Self::Bytes(first) => {
                let mut bytes = first.clone();
                let last = bytes.iter_mut().rev();
                last.zip(number.to_le_bytes()).for_each(|(byte, by)| *byte ^= by);
                Self::Bytes(bytes)
            }
            Self::Text(text) => Self::Text(text.clone()),
        }
    }
}

/// Values by what they are for.
#[derive(Debug, Default)]
pub(super) struct Sample {
    values: HashMap<Bind, Value>,
    /// Tables without a row.
    empty: BTreeSet<&'static str>,
}

impl Sample {
    /// Takes values from the middle of each table.
    pub(super) async fn take(session: &mut Session, now: Timestamp) -> Result<Self, Failure> {
        let mut sample = Self::default();
        sample.fixed(now);
        sample.users(session).await?;
        sample.journal(session).await?;
        sample.deliveries(session).await?;
        sample.budgets(session).await?;
        sample.catalog(session).await?;
        sample.rest(session).await?;
        Ok(sample)
    }

    /// A statement with its values bound. The first of each kind is one that is there, others are near.
    pub(super) fn bind(&self, mut ask: Ask, binds: &[(Bind, usize)]) -> Ask {
        for (bind, number) in binds {
            match self.values.get(bind).map(|value| value.plus(*number)) {
                Some(Value::Uint(number)) => ask.push(number),
                Some(Value::Int(number)) => ask.push(number),
                Some(Value::Bytes(bytes)) => ask.push(&bytes[..]),
                Some(Value::Text(text)) => ask.push(&text[..]),
                // Its table is empty.
                None => ask.push(0_u64),
            }
        }
        ask
    }

    /// Whether a table has no rows.
    pub(super) fn is_empty(&self, table: &str) -> bool {
        self.empty.contains(table)
    }

    fn put(&mut self, bind: Bind, value: Value) {
        self.values.insert(bind, value);
    }

    fn fixed(&mut self, now: Timestamp) {
        let text = |text: &str| Value::Text(text.to_owned());
        self.values.extend([
            (Bind::Written, Value::Uint(1)),
            (Bind::Name, Value::Bytes(NOBODY.to_vec())),
            (Bind::Text, text("{}")),
            (Bind::Page, Value::Uint(PAGE)),
            (Bind::Nothing, Value::Uint(0)),
            (Bind::Now, Value::Int(now.0)),
            (Bind::BookedFrom, Value::Int(now.0 - BOOKED_MS)),
            (Bind::MissionKind, text(EntityKind::Mission.name())),
            (Bind::Table, text("users")),
            (Bind::Column, text("user_key")),
            (Bind::Index, text("users_due")),
        ]);
    }

    /// A user in the middle of the keys, which are digests, or the first one.
    async fn users(&mut self, session: &mut Session) -> Result<(), Failure> {
        let mut found = Vec::new();
        for from in [&[0x80_u8; 16], &[0; 16]] {
            let ask = Ask::new(sql::USERS_SCAN).bind(&from[..]).bind(USERS_BETWEEN);
            if found.is_empty() {
                found = session.rows(&ask, SCAN_MAX).await?;
            }
        }
        let (Some(first), Some(last)) = (found.first(), found.last()) else {
            self.empty.insert("users");
            return Ok(());
        };
        self.put(Bind::User, Value::Bytes(first.try_get(3)?));
        self.put(Bind::UserLater, Value::Bytes(last.try_get(3)?));
        Ok(())
    }

    async fn journal(&mut self, session: &mut Session) -> Result<(), Failure> {
        let head = session.row(&Ask::new(sql::HEAD), SCAN_MAX).await?;
        let head: u64 = head.map_or(Ok(0), |row| row.try_get(2))?;
        if head == 0 {
            self.empty.insert("journal");
        }
        self.put(Bind::Seq, Value::Uint(head / 2));
        self.put(Bind::SeqEnd, Value::Uint(head + 1));
        Ok(())
    }

    /// A delivery of the last endpoint, in the middle if there is one, in the first state that has any.
    async fn deliveries(&mut self, session: &mut Session) -> Result<(), Failure> {
        let endpoints = session.rows(&Ask::new(sql::ENDPOINTS), SCAN_MAX).await?;
        let Some(endpoint) = endpoints.last() else {
            self.empty.insert("deliveries");
            return Ok(());
        };
        let (app, mode): (u32, u8) = (endpoint.try_get(0)?, endpoint.try_get(1)?);
        let middle = match self.values.get(&Bind::Seq) {
            Some(Value::Uint(seq)) => seq << RANK_BITS,
            _ => 0,
        };
        let states = DeliveryState::ALL.map(state_to_column);
        for (state, after) in states.iter().rev().flat_map(|state| [(*state, middle), (*state, 0)])
        {
            let ask = Ask::new(sql::DELIVERIES_BOOKED).bind(app).bind(mode).bind(state);
            let ask = ask.bind(i64::MIN).bind(i64::MAX).bind(after).bind(1_u64);
            let Some(row) = session.row(&ask, SCAN_MAX).await? else { continue };
            let number: u64 = row.try_get(0)?;
            self.values.extend([
                (Bind::App, Value::Uint(app.into())),
                (Bind::Mode, Value::Uint(mode.into())),
                (Bind::State, Value::Uint(state.into())),
                (Bind::DeliveryNumber, Value::Uint(number)),
                (Bind::DeliveryLast, Value::Uint(number | ((1 << RANK_BITS) - 1))),
                (Bind::Delivery, Value::Bytes(row.try_get(1)?)),
            ]);
            break;
        }
        Ok(())
    }

    async fn budgets(&mut self, session: &mut Session) -> Result<(), Failure> {
        let all = session.rows(&Ask::new(sql::BUDGETS_WHOLE), SCAN_MAX).await?;
        let Some(row) = all.get(all.len() / 2) else {
            self.empty.extend(["budgets", "budget_days"]);
            return Ok(());
        };
        self.put(Bind::LineItem, Value::Uint(row.try_get::<u32, _>(0)?.into()));
        if let Some(day) = row.try_get::<Option<i32>, _>(10)? {
            self.put(Bind::Day, Value::Int(day.into()));
            self.put(Bind::DayLater, Value::Int(i64::from(day) + DAYS));
        }
        Ok(())
    }

    async fn catalog(&mut self, session: &mut Session) -> Result<(), Failure> {
        let all = session.rows(&Ask::new(sql::CATALOG_WHOLE), SCAN_MAX).await?;
        let mut of_part: [Vec<&MySqlRow>; 3] = Default::default();
        for row in &all {
            if let Some(part) = of_part.get_mut(row.try_get::<u64, _>(0)? as usize) {
                part.push(row);
            }
        }
        let [head, versions, rows] = of_part;
        let revision: u64 = head.first().map_or(Ok(0), |row| row.try_get(3))?;
        self.put(Bind::Revision, Value::Uint(revision));
        self.put(Bind::RevisionEnd, Value::Uint(revision + 1));
        if revision == 0 {
            self.empty.extend(["catalog_history", "mission_versions", "catalog"]);
        }
        if let Some(row) = versions.get(versions.len() / 2) {
            self.put(Bind::Mission, Value::Uint(row.try_get(2)?));
        }
        if let Some(row) = rows.get(rows.len() / 2) {
            self.put(Bind::EntityKind, Value::Text(row.try_get(1)?));
            self.put(Bind::EntityId, Value::Uint(row.try_get(2)?));
        }
        Ok(())
    }

    /// Tables from which no value is taken.
    async fn rest(&mut self, session: &mut Session) -> Result<(), Failure> {
        let touched = Ask::new(sql::TOUCHED_READ).bind(0_u64).bind(1_u64);
        if session.row(&touched, SCAN_MAX).await?.is_none() {
            self.empty.insert("touched_users");
        }
        let place = session.row(&Ask::new(sql::REPORT_PLACE), SCAN_MAX).await?;
        let place: u64 = place.map_or(Ok(0), |row| row.try_get(0))?;
        if place == 0 {
            self.empty.insert("report_days");
        }
        Ok(())
    }
}
