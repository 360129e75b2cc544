//! The demo's users: who they are, and what they have done so far.

use anyhow::Context;
use serde_json::{Value, json};

use super::Scene;
use super::caller::{Call, Caller};
use super::folder::Keys;

/// The mission that the guide and the walk lead through, and who reports its events.
pub(super) const MISSION: u32 = 101;
/// Its title, in the language of whoever is led.
pub(super) const MISSION_TITLE: &str = "Kingdom of Tiles";

/// Which app a user belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    Coinpick,
    Lumi,
}

/// Which partner reports an event, with the fields in which it does.
#[derive(Clone, Copy)]
enum Report {
    Generic(&'static str),
    AppsFlyer(&'static str),
    Adjust(&'static str),
}

/// Something a user does.
#[derive(Clone, Copy)]
enum Act {
    Start(u32),
    Event(u32, Report),
    Answer(u32, u8),
    CheckIn(u32),
}

/// A user.
pub(super) struct Person {
    pub(super) user_id: &'static str,
    pub(super) home: Home,
    pub(super) story: &'static str,
    country: &'static str,
    language: &'static str,
    age: u8,
    gender: &'static str,
    acts: &'static [Act],
}

/// Whom the guide leads through a mission; nothing has happened to her yet.
pub(super) const MINA: &Person = &PEOPLE[0];

/// Everybody, in the order in which they are shown.
pub(super) const PEOPLE: [Person; 5] = [
    Person {
        user_id: "mina",
        home: Home::Coinpick,
        story: "has not begun anything",
        country: "US",
        language: "en",
        age: 29,
        gender: "female",
        acts: &[],
    },
    Person {
        user_id: "jiho",
        home: Home::Coinpick,
        story: "is half through Kingdom of Tiles",
        country: "KR",
        language: "ko",
        age: 24,
        gender: "male",
        acts: &[
            Act::Start(MISSION),
            Act::Event(MISSION, Report::Generic("install")),
            Act::Event(MISSION, Report::Generic("level_5")),
            Act::Event(MISSION, Report::Generic("purchase")),
            Act::Start(109),
            Act::CheckIn(109),
        ],
    },
    Person {
        user_id: "sora",
        home: Home::Coinpick,
        story: "has finished two missions and may start the next",
        country: "KR",
        language: "ko",
        age: 33,
        gender: "female",
        acts: &[
            Act::Start(103),
            Act::Event(103, Report::AppsFlyer("af_complete_registration")),
            Act::Start(107),
            Act::Answer(107, 2),
        ],
    },
    Person {
        user_id: "haruto",
        home: Home::Lumi,
        story: "has a reward on hold",
        country: "JP",
        language: "ja",
        age: 41,
        gender: "male",
        acts: &[
            Act::Start(105),
            Act::Event(105, Report::Adjust("activity_kind=install")),
            Act::Event(105, Report::Adjust("event=k7d2bq")),
            Act::Start(106),
        ],
    },
    Person {
        user_id: "emma",
        home: Home::Lumi,
        story: "got a quiz wrong once",
        country: "US",
        language: "en",
        age: 19,
        gender: "other",
        acts: &[Act::Start(107), Act::Answer(107, 0)],
    },
];

impl Person {
    /// The key of the user's app.
    pub(super) fn key<'a>(&self, keys: &'a Keys) -> &'a str {
        match self.home {
            Home::Coinpick => &keys.coinpick.live,
            Home::Lumi => &keys.lumi.live,
        }
    }

    /// What the app's server sends to open a session for somebody like this user.
    pub(super) fn session(&self, user_id: &str) -> Value {
        let unit_id = match self.home {
            Home::Coinpick => 1,
            Home::Lumi => 3,
        };
        json!({
            "unit_id": unit_id,
            "user_id": user_id,
            "profile": {
                "country": self.country,
                "utc_offset_minutes": self.utc_offset_minutes(),
                "platform": "android",
                "language": self.language,
                "age": self.age,
                "gender": self.gender,
                "os_version": "14",
            },
        })
    }

    /// Korea and Japan share a clock; the others are shown UTC, as by an app that does not say.
    fn utc_offset_minutes(&self) -> i16 {
        match self.country {
            "KR" | "JP" => 540,
            _ => 0,
        }
    }

    /// The call that opens the session.
    pub(super) fn open_session(&self, keys: &Keys, user_id: &str) -> Call {
        Call::post("/v1/sessions").with_key(self.key(keys)).with_body(self.session(user_id))
    }
}

/// Lets everybody do what they have done.
pub(super) async fn seed(scene: &Scene<'_>) -> anyhow::Result<()> {
    for person in &PEOPLE {
        live(&scene.caller, &scene.folder.keys, person)
            .await
            .with_context(|| person.user_id.to_owned())?;
    }
    Ok(())
}

/// Lets one user do what he has done. Doing it again would change nothing.
async fn live(caller: &Caller, keys: &Keys, person: &Person) -> anyhow::Result<()> {
    let opened = caller.call(&person.open_session(keys, person.user_id)).await?;
    let token = opened.text("token")?;
    for act in person.acts {
        match *act {
            Act::Start(mission) => {
                caller.call(&participation(mission).with_key(&token)).await?;
            }
            Act::Event(mission, report) => {
                let started = caller.call(&participation(mission).with_key(&token)).await?;
                caller.call(&postback(keys, report, &started.text("click_id")?)).await?;
            }
            Act::Answer(mission, choice) => {
                let answer = json!({ "answer": choice });
                caller.call(&completion(mission).with_body(answer).with_key(&token)).await?;
            }
            Act::CheckIn(mission) => {
                caller.call(&completion(mission).with_body(json!({})).with_key(&token)).await?;
            }
        }
    }
    Ok(())
}

/// The tap. A second one answers the same run with the same click id.
pub(super) fn participation(mission: u32) -> Call {
    Call::post(format!("/v1/missions/{mission}/participations"))
}

/// The user's runs.
pub(super) fn runs() -> Call {
    Call::get("/v1/enrollments")
}

/// The first step's completion, for steps that Guerdon verifies.
fn completion(mission: u32) -> Call {
    Call::post(format!("/v1/missions/{mission}/steps/1/completions"))
}

/// The event as its partner reports it. The event's name is its id: everybody does it once.
fn postback(keys: &Keys, report: Report, click_id: &str) -> Call {
    let (token, click, event) = match report {
        Report::Generic(event) => return generic_postback(keys, click_id, event),
        Report::AppsFlyer(name) => (&keys.appsflyer_token, "clickid", format!("event_name={name}")),
        Report::Adjust(fields) => (&keys.adjust_token, "click_id", fields.to_owned()),
    };
    Call::get(format!("/v1/postbacks/{token}?{click}={click_id}&{event}&event_id=seeded"))
}

/// An event as the advertiser's own server reports it.
pub(super) fn generic_postback(keys: &Keys, click_id: &str, event: &str) -> Call {
    let token = &keys.generic_token;
    Call::get(format!("/v1/postbacks/{token}?click_id={click_id}&event={event}&event_id={event}-1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_shown_his_own_clock() {
        for person in &PEOPLE {
            let offset = if matches!(person.language, "ko" | "ja") { 540 } else { 0 };
            let session = person.session(person.user_id);
            assert_eq!(session["profile"]["utc_offset_minutes"], offset, "{}", person.user_id);
        }
    }
}
