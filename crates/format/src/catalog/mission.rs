//! Missions and their steps, as they are written.

use domain::catalog::{
    Aim, Choice, Creative, Landing, LocalText, Mission, MissionKind, MissionStatus, Repeat, Role,
    Rule, Sequence, Step, StepText, Window, WindowStart, Wording,
};

use super::human::SecondsText;
use super::mirror::{Mirror, is_default, mirror, mirror_enum};

/// How a mission presents itself in one language.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = catalog::CreativeDoc)]
pub struct CreativeDoc {
    /// BCP 47 language, lower case, such as `ko`.
    pub language: String,
    /// Its name.
    pub title: String,
    /// What to do, in one line.
    #[serde(default, skip_serializing_if = "is_default")]
    pub summary: String,
    /// What to do, at length.
    #[serde(default, skip_serializing_if = "is_default")]
    pub description: String,
    /// Address of the icon.
    #[serde(default, skip_serializing_if = "is_default")]
    pub icon_url: Option<String>,
    /// Address of the large image.
    #[serde(default, skip_serializing_if = "is_default")]
    pub image_url: Option<String>,
    /// Words on the button.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cta: String,
    /// Conditions in small print.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fine_print: String,
}

impl Mirror<Creative> for CreativeDoc {
    fn of(value: &Creative) -> Self {
        let Wording { language, title, summary, description, icon_url, image_url, cta, fine_print } =
            value.wording();
        let [language, title, summary, description, cta, fine_print] =
            [language, title, summary, description, cta, fine_print].map(str::to_owned);
        let [icon_url, image_url] = [icon_url, image_url].map(|url| url.map(str::to_owned));
        Self { language, title, summary, description, icon_url, image_url, cta, fine_print }
    }

    fn into_domain(self) -> Creative {
        Creative::from(Wording {
            language: &self.language,
            title: &self.title,
            summary: &self.summary,
            description: &self.description,
            icon_url: self.icon_url.as_deref(),
            image_url: self.image_url.as_deref(),
            cta: &self.cta,
            fine_print: &self.fine_print,
        })
    }
}

mirror! {
    /// A text in one language.
    LocalTextDoc = LocalText {
        /// BCP 47 language, lower case, such as `ko`.
        language: String,
        /// The text.
        text: String,
    }

    /// How often a step is paid.
    RepeatDoc = Repeat {
        /// Occurrences that are paid, at least 1.
        limit: u32,
        /// Occurrences that are paid for one day of the line item.
        #[serde(default, skip_serializing_if = "is_default")]
        per_day: Option<u32>,
    }

    /// A step's own time limit, inside the mission's.
    WindowDoc = Window {
        /// What it is counted from.
        from: WindowStartDoc,
        /// How long it is.
        seconds: SecondsText,
    }

    /// How a step presents itself in one language.
    StepTextDoc = StepText {
        /// BCP 47 language, lower case, such as `ko`.
        language: String,
        /// What to do.
        title: String,
        /// More about it.
        #[serde(default, skip_serializing_if = "is_default")]
        description: String,
    }

    /// One rewarded event of a mission.
    StepDoc = Step {
        /// Its number, unique inside the mission and kept over versions.
        id: u32,
        /// What it is for the mission.
        #[serde(default)]
        role: RoleDoc,
        /// What the advertiser owes for one occurrence, in micro-units; 0 for an unpaid signal.
        #[serde(default)]
        payout: i64,
        /// Worth of the points for one occurrence, in micro-units; by default the app's share.
        #[serde(default, skip_serializing_if = "is_default")]
        reward: Option<i64>,
        /// How long the reward stays pending, in hours.
        #[serde(default, skip_serializing_if = "is_default")]
        hold_hours: u32,
        /// Steps that must be done before this one opens, besides what the sequence asks for.
        #[serde(default, skip_serializing_if = "is_default")]
        after: Vec<u32>,
        /// How often it is paid; by default once.
        #[serde(default, skip_serializing_if = "is_default")]
        repeat: RepeatDoc,
        /// Its own time limit.
        #[serde(default, skip_serializing_if = "is_default")]
        window: Option<WindowDoc>,
        /// What has to happen.
        rule: RuleDoc,
        /// How it presents itself; the first is the fallback.
        texts: Vec<StepTextDoc>,
    }

    /// What a user does, step by step.
    MissionDoc = Mission {
        /// Its number.
        id: u32,
        /// Given by the catalogue, one more for each edit; what a request says is not used.
        #[serde(default, skip_serializing_if = "is_default")]
        version: u32,
        /// Who pays for it.
        line_item_id: u32,
        /// What sort of thing it asks for.
        #[serde(default)]
        kind: MissionKindDoc,
        /// Whether it is offered.
        #[serde(default)]
        status: MissionStatusDoc,
        /// The order of its required steps.
        #[serde(default)]
        sequence: SequenceDoc,
        /// Time from participation to the deadline.
        window_seconds: SecondsText,
        /// How long the whole usually takes, in minutes.
        #[serde(default, skip_serializing_if = "is_default")]
        typical_minutes: Option<u32>,
        /// Conditions shown before the tap, such as `new_users_only`.
        #[serde(default, skip_serializing_if = "is_default")]
        requirements: Vec<String>,
        /// Missions that must be completed before this one is shown.
        #[serde(default, skip_serializing_if = "is_default")]
        prerequisites: Vec<u32>,
        /// Address of the landing page with macros such as `{click_id}`.
        #[serde(default, skip_serializing_if = "is_default")]
        landing_url: String,
        /// Where the landing page opens.
        #[serde(default)]
        landing: LandingDoc,
        /// How it presents itself; the first is the fallback.
        creatives: Vec<CreativeDoc>,
        /// Its steps by position.
        steps: Vec<StepDoc>,
    }

    /// One of a quiz's choices.
    ChoiceDoc = Choice {
        /// Its words.
        texts: Vec<LocalTextDoc>,
    }
}

mirror_enum! {
    /// What sort of thing a mission asks for.
    #[derive(Default)]
    MissionKindDoc = MissionKind {
        /// Install and open an app.
        Install,
        /// Play a game.
        Game,
        /// Sign up.
        SignUp,
        /// Buy something.
        Purchase,
        /// Follow, like or subscribe.
        Follow,
        /// Answer a quiz.
        Quiz,
        /// Visit a page.
        Visit,
        /// Come back day after day.
        Daily,
        /// Anything else.
        #[default]
        Other,
    }

    /// Whether a mission is offered.
    #[derive(Default)]
    MissionStatusDoc = MissionStatus {
        /// It is.
        #[default]
        Active,
        /// It is not; users who have started go on.
        Paused,
    }

    /// In which order the required steps are done.
    #[derive(Default)]
    SequenceDoc = Sequence {
        /// One after the other, by position.
        #[default]
        Ordered,
        /// In any order.
        Any,
    }

    /// Where a user goes when he starts.
    #[derive(Default)]
    LandingDoc = Landing {
        /// The browser or store outside the app.
        #[default]
        ExternalBrowser,
        /// A view inside the app.
        InApp,
    }

    /// What a step is for the mission.
    #[derive(Default)]
    RoleDoc = Role {
        /// Needed for completion.
        #[default]
        Required,
        /// Not needed; paid if done.
        Optional,
        /// An extra, shown in a group of its own.
        Bonus,
    }

    /// What a step's own window is counted from.
    WindowStartDoc = WindowStart {
        /// The participation.
        Participation,
        /// The latest event of the step before it.
        Previous,
    }

    /// What has to happen for one occurrence of a step.
    RuleDoc = Rule {
        /// A partner reports an event.
        Event {
            /// Its name, as the partner connection translates it.
            name: String,
            /// How many of them.
            #[serde(default, skip_serializing_if = "is_default")]
            aim: AimDoc,
        },
        /// The user stays on a page.
        Visit {
            /// The page.
            url: String,
            /// How long.
            dwell_seconds: SecondsText,
        },
        /// The user answers a question.
        Quiz {
            /// The question.
            question: Vec<LocalTextDoc>,
            /// What he chooses from.
            choices: Vec<ChoiceDoc>,
            /// Place of the right choice, from 0.
            answer: u8,
            /// How often he may try.
            #[serde(default = "one_attempt")]
            attempts: u8,
        },
        /// The user comes back, at most once on each day of the line item.
        CheckIn,
    }

    /// How many events make one occurrence.
    #[derive(Default)]
    AimDoc = Aim {
        /// One.
        #[default]
        Once,
        /// So many.
        Count(events: u32),
        /// Events whose revenue adds up to this, in micro-units of the line item's currency.
        Sum(amount: i64),
        /// Events on so many different days of the line item.
        DistinctDays(days: u32),
    }
}

impl Default for RepeatDoc {
    fn default() -> Self {
        Self::of(&Repeat::default())
    }
}

fn one_attempt() -> u8 {
    1
}
