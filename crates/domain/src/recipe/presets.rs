//! The recipes that come with Guerdon.
//!
//! Most partners let the receiver choose the names in his postback address, so a preset lists those
//! that are usual, the best first. What is marked "open" in its comment was learnt at second hand:
//! check it with a test event, and override it in the catalogue if needed.

use super::{FieldIs, Recipe, Signature, SignatureAlgorithm, SignaturePlace, SignedContent};

/// Names that [`preset`] knows, in the order of the documentation.
pub const PRESETS: &[&str] =
    &["generic", "appsflyer", "adjust", "singular", "branch", "airbridge", "adbrix", "buzzvil"];

/// The recipe of that name.
#[must_use]
pub fn preset(name: &str) -> Option<Recipe> {
    match name {
        "generic" => Some(generic()),
        "appsflyer" => Some(appsflyer()),
        "adjust" => Some(adjust()),
        "singular" => Some(singular()),
        "branch" => Some(branch()),
        "airbridge" => Some(airbridge()),
        "adbrix" => Some(adbrix()),
        "buzzvil" => Some(buzzvil()),
        _ => None,
    }
}

fn generic() -> Recipe {
    Recipe {
        name: "generic".to_owned(),
        click_id: names(&["click_id"]),
        event: names(&["event"]),
        event_default: None,
        event_id: names(&["event_id"]),
        event_time: names(&["event_time"]),
        revenue: names(&["revenue"]),
        currency: names(&["currency"]),
        reversal: vec![is_true("reversal")],
        rejected: vec![is_true("rejected")],
        organic: vec![is_true("organic")],
        signature: Some(Signature {
            place: SignaturePlace::Field("signature".to_owned()),
            content: SignedContent::SortedFields,
            algorithm: SignatureAlgorithm::HmacSha256,
            required: false,
        }),
    }
}

/// Field names as AppsFlyer's partner postback macros are commonly mapped; both the hyphen and the
/// underscore spelling occur. A blocked postback carries the reason for which it was blocked.
fn appsflyer() -> Recipe {
    Recipe {
        name: "appsflyer".to_owned(),
        click_id: names(&["clickid", "click_id", "af_click_id"]),
        event: names(&["event_name", "event-name", "mapped_iae", "mapped-iae"]),
        event_default: Some("install".to_owned()),
        event_id: names(&["event_id", "af_event_id", "transaction_id"]),
        event_time: names(&[
            "event_time",
            "event-time",
            "timestamp",
            "install_unix_ts",
            "install-unix-ts",
        ]),
        revenue: names(&["event_revenue", "monetary", "orig_monetary", "orig-monetary"]),
        currency: names(&["event_revenue_currency", "currency"]),
        reversal: vec![is_true("is_reversal"), is_true("reversal")],
        rejected: vec![is_there("blocked_reason"), is_there("blocked-reason")],
        organic: vec![
            is_true("is_organic"),
            field_is("media_source", &["organic"]),
            is_false("is_attributed"),
        ],
        signature: None,
    }
}

/// Placeholder names of Adjust's callbacks. `event` is the permanent token and comes before the
/// changeable `event_name`; without either the kind of activity is the event.
fn adjust() -> Recipe {
    Recipe {
        name: "adjust".to_owned(),
        click_id: names(&["click_id", "label"]),
        event: names(&["event", "event_token", "event_name", "activity_kind"]),
        event_default: Some("install".to_owned()),
        event_id: names(&["event_id", "callback_id", "nonce"]),
        event_time: names(&["created_at", "event_time", "installed_at"]),
        revenue: names(&["revenue_float", "revenue"]),
        currency: names(&["currency"]),
        reversal: vec![is_true("reversal")],
        rejected: vec![field_is("activity_kind", &["rejected_install", "rejected_reattribution"])],
        organic: vec![
            is_true("is_organic"),
            field_is("network_name", &["organic"]),
            field_is("tracker_name", &["organic"]),
        ],
        signature: None,
    }
}

/// Singular: JSON by POST, or an address in which `{cl?…}`, `{EVTNAME}`, `{UTCM}` and `{AMOUNT}` are
/// filled in. Its time in milliseconds comes before that in seconds. Open: all names, the marks too.
fn singular() -> Recipe {
    Recipe {
        name: "singular".to_owned(),
        click_id: names(&["click_id", "cl_id", "cl"]),
        event: names(&["event_name", "event", "evtname", "name"]),
        event_default: Some("install".to_owned()),
        event_id: names(&["event_id", "transaction_id"]),
        event_time: names(&["event_time", "timestamp", "utcm", "utc"]),
        revenue: names(&["amount", "revenue", "amt"]),
        currency: names(&["currency", "cur"]),
        reversal: vec![is_true("reversal")],
        rejected: vec![is_true("is_rejected"), is_there("rejected_reason")],
        organic: vec![
            is_true("is_organic"),
            field_is("partner", &["organic", "unattributed"]),
            is_false("is_attributed"),
        ],
        signature: None,
    }
}

/// Branch: an address with its macros, or its own JSON with link data under
/// `last_attributed_touch_data`. The customer's alias of an event comes before Branch's name for it;
/// times are in milliseconds. Open: the way to the click id in JSON, and `rejected_reason`.
fn branch() -> Recipe {
    Recipe {
        name: "branch".to_owned(),
        click_id: names(&["click_id", "~click_id", "last_attributed_touch_data.~click_id"]),
        event: names(&["customer_event_alias", "event_name", "name"]),
        event_default: Some("install".to_owned()),
        event_id: names(&["event_id", "id", "transaction_id", "event_data.transaction_id"]),
        event_time: names(&["event_timestamp", "timestamp"]),
        revenue: names(&["revenue", "event_data.revenue"]),
        currency: names(&["currency", "event_data.currency"]),
        reversal: vec![is_true("reversal")],
        rejected: vec![is_there("rejected_reason")],
        organic: vec![is_true("is_organic"), is_false("attributed"), is_false("is_attributed")],
        signature: None,
    }
}

/// Airbridge: an address whose parameters are edited event by event, in either spelling. Open: the
/// names of time, value and id, and the channel of events that no click led to.
fn airbridge() -> Recipe {
    Recipe {
        name: "airbridge".to_owned(),
        click_id: names(&["click_id", "clickID", "clickId"]),
        event: names(&["event_name", "eventName", "event_category", "eventCategory"]),
        event_default: Some("install".to_owned()),
        event_id: names(&["event_id", "event_uuid", "eventUUID", "transaction_id"]),
        event_time: names(&[
            "event_timestamp",
            "eventTimestamp",
            "event_datetime",
            "eventDatetime",
        ]),
        revenue: names(&["event_value", "eventValue", "revenue"]),
        currency: names(&["currency"]),
        reversal: vec![is_true("reversal")],
        rejected: vec![is_there("rejected_reason")],
        organic: vec![
            is_true("is_organic"),
            field_is("channel", &["unattributed", "organic"]),
            is_false("is_attributed"),
        ],
        signature: None,
    }
}

/// Adbrix: our click id is its `cb_1`, `cb_param1` in older set-ups; an in-app event is an `activity`,
/// everything else a type of event. An order id is no event id: one order may come product by
/// product. Open: all names, and the zone of its times, which are read as UTC.
fn adbrix() -> Recipe {
    Recipe {
        name: "adbrix".to_owned(),
        click_id: names(&["click_id", "last_cb_1", "cb_1", "cb_param1"]),
        event: names(&["activity", "event_name", "event_type_code"]),
        event_default: Some("install".to_owned()),
        event_id: names(&["event_id"]),
        event_time: names(&["event_time", "first_install_time"]),
        revenue: names(&["sales", "revenue"]),
        currency: names(&["currency"]),
        reversal: vec![is_true("reversal")],
        rejected: vec![is_there("rejected_reason")],
        organic: vec![
            is_true("is_organic"),
            field_is("network", &["organic"]),
            is_false("is_attributed"),
        ],
        signature: None,
    }
}

/// An advertiser who is set up for Buzzvil's server-to-server call: `bz_tracking_id`, and for a purchase
/// the `transaction_id` of the order. He reports one action only, which has the name that Buzzvil's
/// script gives it. Open: the names beside those two; a list of products is not added up.
fn buzzvil() -> Recipe {
    Recipe {
        name: "buzzvil".to_owned(),
        click_id: names(&["bz_tracking_id"]),
        event: names(&["action", "event"]),
        event_default: Some("bz_action_complete".to_owned()),
        event_id: names(&["transaction_id", "event_id"]),
        event_time: names(&["event_time", "event_at"]),
        revenue: names(&["revenue", "price"]),
        currency: names(&["currency"]),
        reversal: vec![is_true("reversal")],
        rejected: vec![is_true("rejected")],
        organic: vec![is_true("organic")],
        signature: None,
    }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|&name| name.to_owned()).collect()
}

fn field_is(field: &str, values: &[&str]) -> FieldIs {
    FieldIs { field: field.to_owned(), values: names(values) }
}

fn is_true(field: &str) -> FieldIs {
    field_is(field, &["true", "1"])
}

fn is_false(field: &str) -> FieldIs {
    field_is(field, &["false", "0"])
}

fn is_there(field: &str) -> FieldIs {
    field_is(field, &[])
}
