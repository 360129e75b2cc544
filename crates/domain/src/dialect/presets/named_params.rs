//! Networks whose requests have fixed parameter names.

use super::{fields, header, hex, ok_only, value};
use crate::dialect::{
    Algorithm, Body, BodyTest, Dialect, Field, Json, Macro, Method, Part, Place, RetryPlan,
    ReversalStyle, StatusSet, SuccessTest, Template,
};

/// Tapjoy's self-managed currency: 200 or a retry every five minutes for four days, 403 stops, 409 is a
/// failure; an answer within 5 s. Open: that the verifier's parts are joined by colons.
pub(super) fn tapjoy() -> Dialect {
    let signed =
        vec![value(Macro::TransactionId), value(Macro::UserId), value(Macro::Amount), Part::Secret];
    let mut query = fields(&[("snuid", Macro::UserId), ("currency", Macro::Amount)]);
    query.push(Field::new("mac_address", Template::default()));
    query.push(Field::new("id", Macro::TransactionId));
    Dialect {
        query,
        signature: hex(Algorithm::Md5, signed, ":", Place::Query("verifier".to_owned())),
        success: ok_only(),
        stop: StatusSet::of(&[403, 410]),
        retry: RetryPlan::of(&[(300, 1_152)]),
        timeout_ms: 5_000,
        ..Dialect::new("tapjoy", Method::Get)
    }
}

/// Fyber (Digital Turbine): up to ten retries. Open: their distance in time.
pub(super) fn fyber() -> Dialect {
    let signed = vec![
        Part::Secret,
        value(Macro::UserId),
        value(Macro::Amount),
        value(Macro::TransactionId),
        value(Macro::Custom),
        value(Macro::Custom2),
        value(Macro::Custom3),
        value(Macro::Custom4),
        value(Macro::Custom5),
    ];
    let mut query = fields(&[
        ("uid", Macro::UserId),
        ("amount", Macro::Amount),
        ("currency_name", Macro::Currency),
        ("currency_id", Macro::Currency),
        ("_trans_id_", Macro::TransactionId),
        ("offer_title", Macro::MissionTitle),
        ("payout_net", Macro::Payout),
    ]);
    query.extend(optional(&[
        ("pub0", Macro::Custom),
        ("pub1", Macro::Custom2),
        ("pub2", Macro::Custom3),
        ("pub3", Macro::Custom4),
        ("pub4", Macro::Custom5),
    ]));
    Dialect {
        query,
        signature: hex(Algorithm::Sha1, signed, "", Place::Query("sid".to_owned())),
        success: ok_only(),
        retry: RetryPlan::of(&[(60, 2), (600, 2), (3_600, 6)]),
        ..Dialect::new("fyber", Method::Get)
    }
}

/// AdGem by POST: the body is signed in the header `Signature`. Open: the whole of it.
pub(super) fn adgem_v3() -> Dialect {
    let data = Json::Object(vec![
        text("conversion_id", Macro::TransactionId),
        text("player_id", Macro::UserId),
        integer("amount", Macro::Amount),
        ("payout".to_owned(), Json::Number(Template::of(Macro::Payout))),
        integer("offer_id", Macro::MissionId),
        text("offer_name", Macro::MissionTitle),
        integer("goal_id", Macro::StepId),
        text("goal_name", Macro::StepTitle),
        ("conversion_type".to_owned(), Json::Text(Template::literal("reward"))),
    ]);
    Dialect {
        body: Body::Json(Json::Object(vec![
            text("request_id", Macro::DeliveryId),
            integer("timestamp", Macro::EventAt),
            ("data".to_owned(), data),
        ])),
        signature: hex(Algorithm::HmacSha256, vec![Part::Body], "", header("Signature")),
        success: ok_only(),
        ..Dialect::new("adgem_v3", Method::Post)
    }
}

/// adjoe: absent optional values are left out of the query and of the hash. Open: retries, success.
pub(super) fn adjoe() -> Dialect {
    let signed = vec![
        value(Macro::TransactionId),
        value(Macro::UserId),
        value(Macro::Currency),
        value(Macro::Amount),
        value(Macro::AdvertisingId),
        value(Macro::AppId),
        Part::Secret,
    ];
    let mut query = fields(&[
        ("user_uuid", Macro::UserId),
        ("trans_uuid", Macro::TransactionId),
        ("currency", Macro::Currency),
        ("coin_amount", Macro::Amount),
    ]);
    query.extend(optional(&[
        ("device_id", Macro::AdvertisingId),
        ("sdk_app_id", Macro::AppId),
        ("app_id", Macro::MissionId),
        ("app_name", Macro::MissionTitle),
        ("reward_level", Macro::StepId),
        ("publisher_sub_id1", Macro::Custom),
        ("publisher_sub_id2", Macro::Custom2),
        ("publisher_sub_id3", Macro::Custom3),
        ("publisher_sub_id4", Macro::Custom4),
        ("publisher_sub_id5", Macro::Custom5),
        ("placement", Macro::UnitId),
    ]));
    Dialect {
        query,
        signature: hex(Algorithm::Sha1, signed, "", Place::Query("sid".to_owned())),
        success: ok_only(),
        ..Dialect::new("adjoe", Method::Get)
    }
}

/// Torox (OfferToro). Open: that the body must be `1`, and that a reversal has a negative amount.
pub(super) fn torox() -> Dialect {
    let signed = vec![value(Macro::MissionId), value(Macro::UserId), Part::Secret];
    let mut query = fields(&[
        ("id", Macro::TransactionId),
        ("oid", Macro::MissionId),
        ("amount", Macro::Amount),
        ("currency_name", Macro::Currency),
        ("user_id", Macro::UserId),
        ("payout", Macro::Payout),
        ("o_name", Macro::MissionTitle),
    ]);
    query.extend(optional(&[
        ("subid1", Macro::Custom),
        ("subid2", Macro::Custom2),
        ("subid3", Macro::Custom3),
    ]));
    Dialect {
        query,
        signature: hex(Algorithm::Md5, signed, "-", Place::Query("sig".to_owned())),
        success: SuccessTest::ok_and(BodyTest::Equals(Template::literal("1"))),
        reversal: ReversalStyle::NegativeAmount,
        ..Dialect::new("torox", Method::Get)
    }
}

fn optional(named: &[(&str, Macro)]) -> Vec<Field> {
    fields(named).into_iter().map(Field::optional).collect()
}

fn text(name: &str, value: Macro) -> (String, Json) {
    (name.to_owned(), Json::Text(Template::of(value)))
}

fn integer(name: &str, value: Macro) -> (String, Json) {
    (name.to_owned(), Json::Integer(Template::of(value)))
}
