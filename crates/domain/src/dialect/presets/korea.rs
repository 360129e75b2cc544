//! Korean networks.

use super::{fields, hex, ok_only, value};
use crate::dialect::{
    Algorithm, Body, BodyTest, Dialect, Encrypted, Escaping, Field, Json, Macro, Method, Part,
    Place, RetryPlan, Signature, StatusSet, SuccessTest, Template,
};

/// Longest `title` of Buzzvil's postback, in characters.
const BUZZVIL_TITLE_MAX: u16 = 255;

/// Buzzvil's reward postback: a form, credited by 200 or 204, and by 409 when it was credited before.
/// Open: the layout behind the checksum `c`. Buzzvil has no reversal.
pub(super) fn buzzvil() -> Dialect {
    Dialect {
        body: Body::Form(buzzvil_fields()),
        escaping: Escaping::Form,
        signature: buzzvil_checksum(),
        success: SuccessTest::status(StatusSet::of(&[200, 204, 409])),
        retry: RetryPlan::of(&[(60, 1), (600, 1), (3_600, 1), (10_800, 1), (86_400, 1)]),
        ..Dialect::new("buzzvil", Method::Post)
    }
}

/// Buzzvil's postback with its fields as JSON in `data`, AES-CBC. Open: whether `c` is sent beside it.
pub(super) fn buzzvil_encrypted() -> Dialect {
    Dialect {
        name: "buzzvil_encrypted".to_owned(),
        body: Body::Encrypted(Encrypted {
            field: "data".to_owned(),
            inner: buzzvil_json(),
            plain: Vec::new(),
        }),
        ..buzzvil()
    }
}

fn buzzvil_fields() -> Vec<Field> {
    vec![
        Field::new("user_id", Macro::UserId),
        Field::new("transaction_id", Macro::TransactionId),
        Field::new("point", Macro::Amount),
        Field::new("unit_id", Macro::UnitId),
        Field::new("title", Macro::MissionTitle).max_chars(BUZZVIL_TITLE_MAX),
        Field::new("action_type", Template::literal("a")),
        Field::new("revenue_type", Macro::RevenueType),
        Field::new("campaign_id", Macro::LineItemId),
        Field::new("event_at", Macro::EventAt),
        Field::new("extra", Template::literal("{}")),
        Field::new("custom2", Macro::Custom).optional(),
        Field::new("custom3", Macro::Custom2).optional(),
        Field::new("custom4", Macro::Custom3).optional(),
    ]
}

fn buzzvil_json() -> Json {
    Json::Object(vec![
        text("user_id", Macro::UserId),
        text("transaction_id", Macro::TransactionId),
        integer("point", Macro::Amount),
        integer("unit_id", Macro::UnitId),
        text("title", Macro::MissionTitle),
        ("action_type".to_owned(), Json::Text(Template::literal("a"))),
        text("revenue_type", Macro::RevenueType),
        integer("campaign_id", Macro::LineItemId),
        integer("event_at", Macro::EventAt),
        ("extra".to_owned(), Json::Text(Template::literal("{}"))),
        text("custom2", Macro::Custom),
        text("custom3", Macro::Custom2),
        text("custom4", Macro::Custom3),
    ])
}

fn buzzvil_checksum() -> Option<Signature> {
    let parts = vec![
        value(Macro::LineItemId),
        value(Macro::UserId),
        value(Macro::Amount),
        value(Macro::TransactionId),
    ];
    let place = Place::FormField("c".to_owned());
    hex(Algorithm::HmacSha256, parts, ":", place)
}

/// TNK Factory: a form, retried every five minutes, then hourly, for a day.
pub(super) fn tnk() -> Dialect {
    let parts = vec![Part::Secret, value(Macro::UserId), value(Macro::TransactionId)];
    Dialect {
        body: Body::Form(fields(&[
            ("seq_id", Macro::TransactionId),
            ("pay_pnt", Macro::Amount),
            ("md_user_nm", Macro::UserId),
            ("app_id", Macro::MissionId),
            ("pay_dt", Macro::EventAtMs),
            ("app_nm", Macro::MissionTitle),
        ])),
        signature: hex(Algorithm::Md5, parts, "", Place::FormField("md_chk".to_owned())),
        success: ok_only(),
        retry: RetryPlan::of(&[(300, 12), (3_600, 23)]),
        ..Dialect::new("tnk", Method::Post)
    }
}

/// AdPopcorn (IGAWorks): a query, answered by JSON. Open: the hash, and `3100` for a reward known before.
pub(super) fn adpopcorn() -> Dialect {
    let signed = vec![
        value(Macro::UserId),
        value(Macro::TransactionId),
        value(Macro::Amount),
        value(Macro::LineItemId),
    ];
    let mut query = fields(&[
        ("usn", Macro::UserId),
        ("reward_key", Macro::TransactionId),
        ("quantity", Macro::Amount),
        ("campaign_key", Macro::LineItemId),
        ("campaign_name", Macro::MissionTitle),
        ("app_key", Macro::AppId),
        ("time_stamp", Macro::EventAtDatetime),
    ]);
    query.push(Field::new("campaign_type", Template::literal("8")));
    query.push(Field::new("adid", Macro::AdvertisingId).optional());
    Dialect {
        query,
        signature: hex(Algorithm::HmacMd5, signed, "", Place::Query("signed_value".to_owned())),
        success: SuccessTest::ok_and(BodyTest::member("Result", "true"))
            .or(200, BodyTest::member("ResultCode", "3100")),
        ..Dialect::new("adpopcorn", Method::Get)
    }
}

/// Adison: JSON; a duplicate is answered by status 400 and code 104. Open: header and layout of the HMAC.
pub(super) fn adison() -> Dialect {
    Dialect {
        body: Body::Json(Json::Object(vec![
            text("click_key", Macro::TransactionId),
            text("uid", Macro::UserId),
            text("advertising_id", Macro::AdvertisingId),
            integer("platform", Macro::PlatformCode),
            text("campaign_id", Macro::LineItemId),
            text("ad_name", Macro::MissionTitle),
            integer("reward", Macro::Amount),
            ("reward_type".to_owned(), Json::Integer(Template::literal("1"))),
        ])),
        signature: hex(Algorithm::HmacSha256, vec![Part::Body], "", super::header("X-Hmac")),
        success: SuccessTest::ok_and(BodyTest::member("code", "200"))
            .or(200, BodyTest::member("code", "104"))
            .or(400, BodyTest::member("code", "104")),
        ..Dialect::new("adison", Method::Post)
    }
}

/// Adchain: JSON, the amount as text. Open: what the signature covers.
pub(super) fn adchain() -> Dialect {
    let signed = vec![
        value(Macro::UserId),
        value(Macro::TransactionId),
        value(Macro::Amount),
        value(Macro::LineItemId),
    ];
    Dialect {
        body: Body::Json(Json::Object(vec![
            text("callback_id", Macro::TransactionId),
            ("type".to_owned(), Json::Text(Template::literal("mission"))),
            text("revenue_type", Macro::RevenueType),
            text("user_id", Macro::UserId),
            text("amount", Macro::Amount),
            text("campaign_key", Macro::LineItemId),
            text("campaign_name", Macro::MissionTitle),
            text("app_key", Macro::AppId),
            text("os", Macro::Platform),
            text("ifa", Macro::AdvertisingId),
        ])),
        signature: hex(Algorithm::HmacMd5, signed, "", Place::JsonField("signed_value".to_owned())),
        success: SuccessTest::ok_and(BodyTest::member("success", "true")),
        ..Dialect::new("adchain", Method::Post)
    }
}

fn text(name: &str, value: Macro) -> (String, Json) {
    (name.to_owned(), Json::Text(Template::of(value)))
}

fn integer(name: &str, value: Macro) -> (String, Json) {
    (name.to_owned(), Json::Integer(Template::of(value)))
}
