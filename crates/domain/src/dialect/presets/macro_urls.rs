//! Networks whose publishers write the whole URL themselves, with the network's macros in it.

use super::{header, hex, ok_only, value};
use crate::dialect::{
    Algorithm, Alias, BodyTest, Dialect, Escaping, Field, Macro, Method, Part, Place, RetryPlan,
    ReversalStyle, SuccessTest, Template,
};

/// ayeT-Studios: sorted parameters signed in a header; twelve retries in an hour; a reversal repeats
/// the id with `r-` before it and negative sums. The vendor's samples escape values once or, in an
/// older one, twice: `passes` of the signature chooses.
pub(super) fn ayet() -> Dialect {
    let mut aliases = aliases(&[
        ("{external_identifier}", Macro::UserId),
        ("{currency_amount}", Macro::Amount),
        ("{payout_usd}", Macro::Payout),
        ("{offer_id}", Macro::MissionId),
        ("{offer_name}", Macro::MissionTitle),
        ("{event_name}", Macro::StepTitle),
        ("{task_name}", Macro::StepTitle),
        ("{task_uuid}", Macro::StepId),
        ("{is_chargeback}", Macro::IsReversal),
        ("{chargeback_reason}", Macro::Reason),
        ("{adslot_id}", Macro::UnitId),
        ("{placement_identifier}", Macro::UnitId),
        ("{currency_identifier}", Macro::Currency),
        ("{callback_ts}", Macro::EventAt),
        ("{custom_1}", Macro::Custom),
    ]);
    aliases.push(Alias::new("{callback_type}", Template::choice("chargeback", "conversion")));
    let sorted = Part::AllParamsSorted { escaping: Escaping::Form, passes: 1 };
    Dialect {
        aliases,
        signature: hex(
            Algorithm::HmacSha256,
            vec![sorted],
            "",
            header("X-Ayetstudios-Security-Hash"),
        ),
        success: ok_only(),
        retry: RetryPlan::of(&[(300, 12)]),
        reversal: ReversalStyle::IdPrefix {
            prefix: "r-".to_owned(),
            params: Vec::new(),
            negative: true,
        },
        ..Dialect::new("ayet", Method::Get)
    }
}

/// ironSource: the body must be `<event id>:OK`. Open: order and hash of the signature, the name
/// `negativeCallback`, the retry plan.
pub(super) fn ironsource() -> Dialect {
    let signed = vec![
        value(Macro::EventAtMinute),
        value(Macro::TransactionId),
        value(Macro::UserId),
        value(Macro::Amount),
        Part::Secret,
    ];
    Dialect {
        aliases: aliases(&[
            ("[USER_ID]", Macro::UserId),
            ("[REWARDS]", Macro::Amount),
            ("[EVENT_ID]", Macro::TransactionId),
            ("[ITEM_NAME]", Macro::Currency),
            ("[TIMESTAMP]", Macro::EventAtMinute),
            ("[COUNTRY]", Macro::Country),
            ("[PLACEMENT_NAME]", Macro::UnitId),
            ("[APP_KEY]", Macro::AppId),
        ]),
        query: vec![Field::new("timestamp", Macro::EventAtMinute)],
        signature: hex(Algorithm::Md5, signed, "", Place::Query("signature".to_owned())),
        success: SuccessTest::ok_and(BodyTest::Equals(
            Template::of(Macro::TransactionId).then(":OK"),
        )),
        reversal: ReversalStyle::Param {
            name: "negativeCallback".to_owned(),
            value: "true".to_owned(),
        },
        ..Dialect::new("ironsource", Method::Get)
    }
}

/// AdGem by GET: the URL without `verifier` is signed. Open: `request_id` and `timestamp`.
pub(super) fn adgem_v2() -> Dialect {
    let mut aliases = aliases(&[
        ("{player_id}", Macro::UserId),
        ("{campaign_id}", Macro::MissionId),
        ("{campaign_name}", Macro::MissionTitle),
        ("{offer_id}", Macro::MissionId),
        ("{offer_name}", Macro::MissionTitle),
        ("{goal_id}", Macro::StepId),
        ("{goal_name}", Macro::StepTitle),
        ("{all_goals_completed}", Macro::MissionCompleted),
        ("{conversion_datetime}", Macro::EventAtDatetime),
        ("{gaid}", Macro::AdvertisingId),
        ("{idfa}", Macro::AdvertisingId),
        ("{c1}", Macro::Custom),
        ("{c2}", Macro::Custom2),
        ("{c3}", Macro::Custom3),
        ("{c4}", Macro::Custom4),
        ("{c5}", Macro::Custom5),
    ]);
    aliases.push(Alias::new("{ad_type}", Template::literal("offerwall")));
    aliases.extend(unknown(&[
        "{app_version}",
        "{city}",
        "{click_datetime}",
        "{connection_type}",
        "{device}",
        "{device_name}",
        "{os_version}",
        "{region}",
        "{state}",
        "{user_agent}",
        "{zip}",
    ]));
    Dialect {
        aliases,
        query: vec![
            Field::new("request_id", Macro::DeliveryId),
            Field::new("timestamp", Macro::Timestamp),
        ],
        signature: hex(
            Algorithm::HmacSha256,
            vec![Part::FullUrl],
            "",
            Place::Query("verifier".to_owned()),
        ),
        success: ok_only(),
        ..Dialect::new("adgem_v2", Method::Get)
    }
}

/// AdGate: no signature, so the URL should hold a secret path; reversals are told only to URLs that
/// hold `{state}`; five retries, five minutes apart.
pub(super) fn adgate() -> Dialect {
    let mut aliases = aliases(&[
        ("{s1}", Macro::UserId),
        ("{s2}", Macro::Custom),
        ("{s3}", Macro::Custom2),
        ("{s4}", Macro::Custom3),
        ("{s5}", Macro::Custom4),
        ("{points}", Macro::Amount),
        ("{conversion_id}", Macro::TransactionId),
        ("{tx_id}", Macro::TransactionId),
        ("{vc_title}", Macro::MissionTitle),
        ("{offer_id}", Macro::MissionId),
        ("{offer_name}", Macro::MissionTitle),
        ("{event_id}", Macro::StepId),
        ("{event_name}", Macro::StepTitle),
        ("{session_ip}", Macro::Ip),
        ("{date}", Macro::EventAtDatetime),
    ]);
    aliases.push(Alias::new("{state}", Template::choice("rejected", "approved")));
    Dialect {
        aliases,
        success: ok_only(),
        retry: RetryPlan::of(&[(300, 5)]),
        reversal: ReversalStyle::Placeholder("{state}".to_owned()),
        ..Dialect::new("adgate", Method::Get)
    }
}

/// MyChips: no signature. `{install_id}` carries the transaction, because a mission pays several times.
pub(super) fn mychips() -> Dialect {
    Dialect {
        aliases: aliases(&[
            ("{click_id}", Macro::EnrollmentId),
            ("{install_id}", Macro::TransactionId),
            ("{event_name}", Macro::StepTitle),
            ("{campaign_id}", Macro::LineItemId),
            ("{unix_timestamp}", Macro::EventAt),
            ("{aff_sub2}", Macro::Custom2),
            ("{aff_sub3}", Macro::Custom3),
            ("{aff_sub4}", Macro::Custom4),
            ("{aff_sub5}", Macro::Custom5),
        ]),
        success: ok_only(),
        ..Dialect::new("mychips", Method::Get)
    }
}

/// BitLabs: the URL before `&hash=` is signed. A reversal is a `RECONCILIATION` under its own id that
/// refers to the reward. Open: that its value is negative.
pub(super) fn bitlabs() -> Dialect {
    let mut aliases = aliases(&[
        ("[%USER:UID%]", Macro::UserId),
        ("[%TX%]", Macro::TransactionId),
        ("[%REF%]", Macro::OriginalTransactionId),
        ("[%VALUE:USD%]", Macro::Payout),
        ("[%VALUE:CURRENCY%]", Macro::Amount),
        ("[%VAL%]", Macro::Amount),
        ("[%RAW%]", Macro::Payout),
        ("[%UID%]", Macro::UserId),
        ("[%OFFER:ID%]", Macro::MissionId),
        ("[%OFFER:NAME%]", Macro::MissionTitle),
        ("[%OFFER:TASK:ID%]", Macro::StepId),
        ("[%OFFER:TASK:NAME%]", Macro::StepTitle),
        ("[%USER:IP%]", Macro::Ip),
        ("[%COUNTRY%]", Macro::Country),
    ]);
    let kind = Template::choice("RECONCILIATION", "COMPLETE");
    aliases.push(Alias::new("[%ACTIVITY:TYPE%]", kind.clone()));
    aliases.push(Alias::new("[%TYPE%]", kind));
    Dialect {
        aliases,
        signature: hex(
            Algorithm::HmacSha1,
            vec![Part::FullUrl],
            "",
            Place::Query("hash".to_owned()),
        ),
        success: ok_only(),
        reversal: ReversalStyle::NegativeAmount,
        ..Dialect::new("bitlabs", Method::Get)
    }
}

/// Lootably: the URL's `{hash}` is filled in; the body must be `1`; a reversal has `status=0`.
pub(super) fn lootably() -> Dialect {
    let mut aliases = aliases(&[
        ("{userID}", Macro::UserId),
        ("{transactionID}", Macro::TransactionId),
        ("{offerName}", Macro::MissionTitle),
        ("{offerID}", Macro::MissionId),
        ("{numericOfferID}", Macro::MissionId),
        ("{goalName}", Macro::StepTitle),
        ("{goalID}", Macro::StepId),
        ("{revenue}", Macro::Payout),
        ("{currencyReward}", Macro::Amount),
        ("{hash}", Macro::Signature),
        ("{sid}", Macro::Custom),
    ]);
    aliases.push(Alias::new("{status}", Template::choice("0", "1")));
    let signed = vec![
        value(Macro::UserId),
        value(Macro::Ip),
        value(Macro::Payout),
        value(Macro::Amount),
        Part::Secret,
    ];
    Dialect {
        aliases,
        signature: hex(Algorithm::Sha256, signed, "", Place::Macro),
        success: SuccessTest::ok_and(BodyTest::Equals(Template::literal("1"))),
        reversal: ReversalStyle::Param { name: "status".to_owned(), value: "0".to_owned() },
        ..Dialect::new("lootably", Method::Get)
    }
}

fn aliases(named: &[(&str, Macro)]) -> Vec<Alias> {
    named.iter().map(|(text, value)| Alias::new(text, *value)).collect()
}

/// Macros of a vendor for which Guerdon has no value: they become the empty text.
fn unknown(texts: &[&str]) -> Vec<Alias> {
    texts.iter().map(|text| Alias::new(text, Template::default())).collect()
}
