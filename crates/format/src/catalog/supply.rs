//! Publishers, apps and units, as they are written.

use std::collections::BTreeMap;

use domain::catalog::{App, AppKey, Currency, Endpoint, Publisher, Theme, Unit};
use domain::ids::Mode;
use domain::money::Rounding;

use super::dialect::DialectForm;
use super::human::{CurrencyText, DigestText, RateText, SecretText, ShareText};
use super::mirror::{is_default, mirror, mirror_enum};

mirror! {
    /// A company that owns apps.
    PublisherDoc = Publisher {
        /// Its number.
        id: u32,
        /// What operators call it.
        name: String,
    }

    /// An app's points.
    CurrencyDoc = Currency {
        /// What users call a point, such as `P` or `coins`.
        name: String,
        /// Decimal places of a point as users see it.
        #[serde(default)]
        minor_units: u8,
        /// Points (in the minor unit) for one unit of each currency that the app can be paid in.
        #[serde(default)]
        #[schema(value_type = BTreeMap<String, String>)]
        rates: BTreeMap<CurrencyText, RateText>,
        /// What happens to fractions of a point.
        #[serde(default)]
        rounding: RoundingDoc,
    }

    /// A bearer key of a publisher's server.
    AppKeyDoc = AppKey {
        /// Whether it speaks for real users.
        mode: ModeDoc,
        /// Digest of the key; the key itself is shown once, when it is made.
        digest: DigestText,
        /// What people call the key.
        #[serde(default, skip_serializing_if = "is_default")]
        label: String,
    }

    /// Where and how rewards are told to a publisher.
    EndpointDoc = Endpoint {
        /// Address of the call; it may hold the dialect's macros.
        url: String,
        /// The form of the call: the name of a preset, or a table.
        #[serde(default)]
        #[schema(value_type = super::dialect::DialectChoice)]
        dialect: DialectForm,
        /// Signing secrets; two are live during a rotation, the newest first. If the dialect
        /// encrypts, its key and its vector come before them.
        #[serde(default, skip_serializing_if = "is_default")]
        secrets: Vec<SecretText>,
    }

    /// How the mission page of an app looks.
    #[derive(Default)]
    ThemeDoc = Theme {
        /// Main colour as `#rrggbb`.
        #[serde(default, skip_serializing_if = "is_default")]
        primary: Option<String>,
        /// Corner radius in pixels, 0 to 32.
        #[serde(default, skip_serializing_if = "is_default")]
        radius: Option<u8>,
        /// Address of the logo.
        #[serde(default, skip_serializing_if = "is_default")]
        logo_url: Option<String>,
    }

    /// An app or site with points of its own.
    AppDoc = App {
        /// Its number.
        id: u32,
        /// Its owner.
        publisher_id: u32,
        /// What users call it.
        name: String,
        /// Its points.
        currency: CurrencyDoc,
        /// Share of a payout that becomes points where a step names no reward of its own.
        user_share: ShareText,
        /// Share of a payout that the publisher keeps.
        #[serde(default)]
        publisher_share: ShareText,
        /// Keys of its server.
        #[serde(default, skip_serializing_if = "is_default")]
        keys: Vec<AppKeyDoc>,
        /// Where live rewards are told; without one they wait for the pull API.
        #[serde(default, skip_serializing_if = "is_default")]
        postback: Option<EndpointDoc>,
        /// Where test rewards are told.
        #[serde(default, skip_serializing_if = "is_default")]
        test_postback: Option<EndpointDoc>,
        /// How the mission page looks.
        #[serde(default, skip_serializing_if = "is_default")]
        theme: ThemeDoc,
    }

    /// A placement inside an app.
    UnitDoc = Unit {
        /// Its number.
        id: u32,
        /// The app it is in.
        app_id: u32,
        /// What operators call it.
        name: String,
    }
}

mirror_enum! {
    /// Whether money is real.
    ModeDoc = Mode {
        /// Real users and real money.
        Live,
        /// A developer trying things out.
        Test,
    }

    /// What happens to a fraction of a point.
    #[derive(Default)]
    RoundingDoc = Rounding {
        /// Dropped.
        #[default]
        Down,
        /// Half a point or more becomes one.
        Nearest,
        /// Any fraction becomes one.
        Up,
    }
}
