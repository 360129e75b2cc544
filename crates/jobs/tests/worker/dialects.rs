//! Every dialect that comes with Guerdon, told to a server that checks it by the vendor's own rules.
//!
//! The expected parameters and signatures are written down here once more, from the facts of the
//! reward, without the code that renders them.

use std::collections::BTreeMap;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use data_encoding::{BASE64, HEXLOWER};
use domain::dialect::{PRESETS, preset};
use engine::{Delivery, DeliveryState};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Digest;

use crate::receiver::{Answer, Receiver, Request, status};
use crate::world::{WHSEC, World, all_delivered, in_time, speaking};

const SECRET: &str = "s3cret";
const AES_KEY: &str = "12341234asdfasdf";

/// The publisher's id of the user: one that has to be escaped.
const USER: &str = "u 1&=ü";

/// What the receiver knows of the reward.
struct Facts {
    tx: String,
    delivery: String,
    run: String,
    /// Where the receiver listens.
    origin: String,
}

/// One dialect: how its endpoint is written, and what must come.
struct Row {
    name: &'static str,
    query: &'static str,
    secrets: &'static [&'static str],
    method: &'static str,
    answer: fn(&Facts) -> Answer,
    /// The parameters without the signature: the query, the form, or the members of the JSON.
    params: fn(&Facts) -> Params,
    /// Where the signature is, and what it must be.
    signature: fn(&Request, &Facts) -> (String, String),
    reversal: Reversal,
}

type Params = Vec<(&'static str, String)>;

/// What becomes of a reversal.
enum Reversal {
    /// The dialect cannot say it: the delivery stops.
    Unspoken,
    /// It comes with these parameters.
    Told(fn(&Facts) -> Params),
}

fn row(name: &'static str, query: &'static str, method: &'static str) -> Row {
    Row {
        name,
        query,
        secrets: &[SECRET],
        method,
        answer: |_| status(200),
        params: |_| Vec::new(),
        signature: |_, _| (String::new(), String::new()),
        reversal: Reversal::Unspoken,
    }
}

fn say(body: &str) -> Answer {
    Answer::Say(200, "", body.to_owned())
}

fn list(pairs: &[(&'static str, &str)]) -> Params {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn md5(text: &str) -> String {
    HEXLOWER.encode(&md5::Md5::digest(text))
}

fn sha1(text: &str) -> String {
    HEXLOWER.encode(&sha1::Sha1::digest(text))
}

fn hmac<M: Mac + KeyInit>(text: impl AsRef<[u8]>) -> String {
    let mac = <M as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
    HEXLOWER.encode(&mac.chain_update(text).finalize().into_bytes())
}

type HmacMd5 = Hmac<md5::Md5>;
type HmacSha1 = Hmac<sha1::Sha1>;
type HmacSha256 = Hmac<sha2::Sha256>;

/// The value of a query or form parameter.
fn param(pairs: Vec<(String, String)>, name: &str) -> String {
    pairs.into_iter().find(|(known, _)| known == name).map_or_else(String::new, |(_, value)| value)
}

/// The address as it was called, up to the parameter of that name.
fn url_before(request: &Request, facts: &Facts, name: &str) -> String {
    let whole = format!("{}{}", facts.origin, request.target);
    whole.split(&format!("&{name}=")).next().unwrap().to_owned()
}

fn buzzvil_params(facts: &Facts) -> Params {
    list(&[
        ("user_id", USER),
        ("transaction_id", &facts.tx),
        ("point", "300"),
        ("unit_id", "{unit}"),
        ("title", "Castle"),
        ("action_type", "a"),
        ("revenue_type", "cpe"),
        ("campaign_id", "1"),
        ("event_at", "1790000000"),
        ("extra", "{}"),
        ("custom2", "level=3"),
    ])
}

fn buzzvil_signature(request: &Request, facts: &Facts) -> (String, String) {
    let signed = format!("1:{USER}:300:{}", facts.tx);
    (param(request.form(), "c"), hmac::<HmacSha256>(signed))
}

fn decrypted(request: &Request) -> serde_json::Value {
    let sealed = BASE64.decode(param(request.form(), "data").as_bytes()).unwrap();
    let key: [u8; 16] = AES_KEY.as_bytes().try_into().unwrap();
    let plain = cbc::Decryptor::<aes::Aes128>::new(&key.into(), &key.into())
        .decrypt_padded_vec::<Pkcs7>(&sealed);
    serde_json::from_slice(&plain.unwrap()).unwrap()
}

fn koreans() -> Vec<Row> {
    vec![
        Row {
            answer: |_| status(204),
            params: buzzvil_params,
            signature: buzzvil_signature,
            ..row("buzzvil", "", "POST")
        },
        Row {
            secrets: &[AES_KEY, AES_KEY, SECRET],
            answer: |_| status(409),
            params: |facts| {
                let mut params = buzzvil_params(facts);
                params.extend(list(&[("custom3", ""), ("custom4", "")]));
                params
            },
            signature: buzzvil_signature,
            ..row("buzzvil_encrypted", "", "POST")
        },
        Row {
            params: |facts| {
                list(&[
                    ("seq_id", &facts.tx),
                    ("pay_pnt", "300"),
                    ("md_user_nm", USER),
                    ("app_id", "1"),
                    ("pay_dt", "1790000000000"),
                    ("app_nm", "Castle"),
                ])
            },
            signature: |request, facts| {
                let signed = format!("{SECRET}{USER}{}", facts.tx);
                (param(request.form(), "md_chk"), md5(&signed))
            },
            ..row("tnk", "", "POST")
        },
        Row {
            answer: |_| say(r#"{"Result":true,"ResultCode":1,"ResultMsg":"success"}"#),
            params: |facts| {
                list(&[
                    ("usn", USER),
                    ("reward_key", &facts.tx),
                    ("quantity", "300"),
                    ("campaign_key", "1"),
                    ("campaign_name", "Castle"),
                    ("app_key", "{app}"),
                    ("time_stamp", "2026-09-21 14:13:20"),
                    ("campaign_type", "8"),
                ])
            },
            signature: |request, facts| {
                let signed = format!("{USER}{}3001", facts.tx);
                (param(request.query(), "signed_value"), hmac::<HmacMd5>(signed))
            },
            ..row("adpopcorn", "", "GET")
        },
        Row {
            answer: |_| Answer::Say(400, "", r#"{"code":104,"message":"duplicate"}"#.to_owned()),
            params: |facts| {
                list(&[
                    ("click_key", &facts.tx),
                    ("uid", USER),
                    ("advertising_id", ""),
                    ("platform", "0"),
                    ("campaign_id", "1"),
                    ("ad_name", "Castle"),
                    ("reward", "300"),
                    ("reward_type", "1"),
                ])
            },
            signature: |request, _| {
                (request.header("x-hmac").to_owned(), hmac::<HmacSha256>(&request.body))
            },
            ..row("adison", "", "POST")
        },
        Row {
            answer: |_| say(r#"{"success":true,"message":"ok"}"#),
            params: |facts| {
                list(&[
                    ("callback_id", &facts.tx),
                    ("type", "mission"),
                    ("revenue_type", "cpe"),
                    ("user_id", USER),
                    ("amount", "300"),
                    ("campaign_key", "1"),
                    ("campaign_name", "Castle"),
                    ("app_key", "{app}"),
                    ("os", ""),
                    ("ifa", ""),
                ])
            },
            signature: |request, facts| {
                let signed = format!("{USER}{}3001", facts.tx);
                let found = request.json()["signed_value"].as_str().unwrap_or_default().to_owned();
                (found, hmac::<HmacMd5>(signed))
            },
            ..row("adchain", "", "POST")
        },
    ]
}

fn fixed_names() -> Vec<Row> {
    vec![
        Row {
            params: |facts| {
                list(&[
                    ("snuid", USER),
                    ("currency", "300"),
                    ("mac_address", ""),
                    ("id", &facts.tx),
                ])
            },
            signature: |request, facts| {
                let signed = format!("{}:{USER}:300:{SECRET}", facts.tx);
                (param(request.query(), "verifier"), md5(&signed))
            },
            ..row("tapjoy", "", "GET")
        },
        Row {
            params: |facts| {
                list(&[
                    ("uid", USER),
                    ("amount", "300"),
                    ("currency_name", "P"),
                    ("currency_id", "P"),
                    ("_trans_id_", &facts.tx),
                    ("offer_title", "Castle"),
                    ("payout_net", "0.50"),
                    ("pub0", "level=3"),
                ])
            },
            signature: |request, facts| {
                let signed = format!("{SECRET}{USER}300{}level=3", facts.tx);
                (param(request.query(), "sid"), sha1(&signed))
            },
            ..row("fyber", "", "GET")
        },
        Row {
            params: |facts| {
                list(&[
                    ("request_id", &facts.delivery),
                    ("timestamp", "1790000000"),
                    ("data.conversion_id", &facts.tx),
                    ("data.player_id", USER),
                    ("data.amount", "300"),
                    ("data.payout", "0.5"),
                    ("data.offer_id", "1"),
                    ("data.offer_name", "Castle"),
                    ("data.goal_id", "1"),
                    ("data.goal_name", "Install and open"),
                    ("data.conversion_type", "reward"),
                ])
            },
            signature: |request, _| {
                (request.header("signature").to_owned(), hmac::<HmacSha256>(&request.body))
            },
            ..row("adgem_v3", "", "POST")
        },
        Row {
            params: |facts| {
                list(&[
                    ("user_uuid", USER),
                    ("trans_uuid", &facts.tx),
                    ("currency", "P"),
                    ("coin_amount", "300"),
                    ("sdk_app_id", "{app}"),
                    ("app_id", "1"),
                    ("app_name", "Castle"),
                    ("reward_level", "1"),
                    ("publisher_sub_id1", "level=3"),
                    ("placement", "{unit}"),
                ])
            },
            signature: |request, facts| {
                let app = param(request.query(), "sdk_app_id");
                let signed = format!("{}{USER}P300{app}{SECRET}", facts.tx);
                (param(request.query(), "sid"), sha1(&signed))
            },
            ..row("adjoe", "", "GET")
        },
        Row {
            answer: |_| say("1\n"),
            params: |facts| {
                list(&[
                    ("id", &facts.tx),
                    ("oid", "1"),
                    ("amount", "300"),
                    ("currency_name", "P"),
                    ("user_id", USER),
                    ("payout", "0.50"),
                    ("o_name", "Castle"),
                    ("subid1", "level=3"),
                ])
            },
            signature: |request, _| {
                (param(request.query(), "sig"), md5(&format!("1-{USER}-{SECRET}")))
            },
            reversal: Reversal::Told(|facts| {
                list(&[("id", &facts.delivery), ("amount", "-300"), ("payout", "-0.50")])
            }),
            ..row("torox", "", "GET")
        },
    ]
}

fn own_urls() -> Vec<Row> {
    vec![
        Row {
            params: |facts| {
                list(&[
                    ("uid", USER),
                    ("tx", &facts.tx),
                    ("amount", "300"),
                    ("usd", "0.50"),
                    ("back", "0"),
                    ("kind", "conversion"),
                ])
            },
            signature: |request, _| {
                // The query is already sorted and form-encoded but for the escaping of blanks.
                let mut pairs = request.query();
                pairs.sort();
                let encode = |text: &str| {
                    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                };
                let pairs: Vec<String> =
                    pairs.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
                let found = request.header("x-ayetstudios-security-hash").to_owned();
                (found, hmac::<HmacSha256>(pairs.join("&")))
            },
            reversal: Reversal::Told(|facts| {
                let tx = format!("r-{}", facts.tx);
                list(&[("tx", &tx), ("amount", "-300"), ("usd", "-0.50"), ("back", "1")])
            }),
            ..row(
                "ayet",
                "?uid={external_identifier}&tx={transaction_id}&amount={currency_amount}\
                 &usd={payout_usd}&back={is_chargeback}&kind={callback_type}",
                "GET",
            )
        },
        Row {
            answer: |facts| say(&format!("{}:OK", facts.tx)),
            params: |facts| {
                list(&[
                    ("user", USER),
                    ("rewards", "300"),
                    ("event", &facts.tx),
                    ("timestamp", "202609211413"),
                ])
            },
            signature: |request, facts| {
                let signed = format!("202609211413{}{USER}300{SECRET}", facts.tx);
                (param(request.query(), "signature"), md5(&signed))
            },
            reversal: Reversal::Told(|facts| {
                list(&[("event", &facts.tx), ("negativeCallback", "true")])
            }),
            ..row("ironsource", "?user=[USER_ID]&rewards=[REWARDS]&event=[EVENT_ID]", "GET")
        },
        Row {
            params: |facts| {
                list(&[
                    ("p", USER),
                    ("a", "300"),
                    ("goal", "Install and open"),
                    ("tx", &facts.tx),
                    ("request_id", &facts.delivery),
                    ("timestamp", "1790000000"),
                ])
            },
            signature: |request, facts| {
                let signed = url_before(request, facts, "verifier");
                (param(request.query(), "verifier"), hmac::<HmacSha256>(signed))
            },
            ..row(
                "adgem_v2",
                "?p={player_id}&a={amount}&goal={goal_name}&tx={transaction_id}",
                "GET",
            )
        },
        Row {
            params: |facts| {
                list(&[("s1", USER), ("p", "300"), ("tx", &facts.tx), ("state", "approved")])
            },
            reversal: Reversal::Told(|facts| list(&[("tx", &facts.tx), ("state", "rejected")])),
            ..row("adgate", "?s1={s1}&p={points}&tx={conversion_id}&state={state}", "GET")
        },
        Row {
            params: |facts| list(&[("click", &facts.run), ("u", USER), ("tx", &facts.tx)]),
            ..row("mychips", "?click={click_id}&u={user_id}&tx={install_id}", "GET")
        },
    ]
}

fn hashed_urls() -> Vec<Row> {
    vec![
        Row {
            params: |facts| {
                list(&[
                    ("u", USER),
                    ("tx", &facts.tx),
                    ("ref", &facts.tx),
                    ("v", "300"),
                    ("type", "COMPLETE"),
                ])
            },
            signature: |request, facts| {
                let signed = url_before(request, facts, "hash");
                (param(request.query(), "hash"), hmac::<HmacSha1>(signed))
            },
            reversal: Reversal::Told(|facts| {
                list(&[
                    ("tx", &facts.delivery),
                    ("ref", &facts.tx),
                    ("v", "-300"),
                    ("type", "RECONCILIATION"),
                ])
            }),
            ..row(
                "bitlabs",
                "?u=[%USER:UID%]&tx=[%TX%]&ref=[%REF%]&v=[%VALUE:CURRENCY%]&type=[%TYPE%]",
                "GET",
            )
        },
        Row {
            answer: |_| say("1"),
            params: |facts| {
                list(&[
                    ("u", USER),
                    ("tx", &facts.tx),
                    ("r", "0.50"),
                    ("c", "300"),
                    ("status", "1"),
                ])
            },
            signature: |request, _| {
                let signed = format!("{USER}0.50300{SECRET}");
                let expected = HEXLOWER.encode(&sha2::Sha256::digest(signed));
                (param(request.query(), "h"), expected)
            },
            reversal: Reversal::Told(|facts| list(&[("tx", &facts.tx), ("status", "0")])),
            ..row(
                "lootably",
                "?u={userID}&tx={transactionID}&r={revenue}&c={currencyReward}&h={hash}\
                 &status={status}",
                "GET",
            )
        },
    ]
}

/// Names of the parameters that carry signatures.
const SIGNATURES: [&str; 10] =
    ["c", "md_chk", "signed_value", "verifier", "sid", "sig", "signature", "hash", "h", "data"];

/// The parameters of a request without its signature, wherever they are.
fn params(request: &Request, row: &Row) -> BTreeMap<String, String> {
    let is_json = request.header("content-type") == "application/json";
    let pairs = match row.name {
        "buzzvil_encrypted" => members("", &decrypted(request)),
        _ if is_json => members("", &request.json()),
        _ if request.method == "POST" => request.form(),
        _ => request.query(),
    };
    // `c` is a signature in one dialect and a parameter in another.
    let keep = |name: &str| !SIGNATURES.contains(&name) || (row.name == "lootably" && name == "c");
    pairs.into_iter().filter(|(name, _)| keep(name)).collect()
}

/// The leaves of a JSON object, named by their path.
fn members(path: &str, value: &serde_json::Value) -> Vec<(String, String)> {
    match value {
        serde_json::Value::Object(object) => {
            let dot = if path.is_empty() { "" } else { "." };
            object.iter().flat_map(|(n, v)| members(&format!("{path}{dot}{n}"), v)).collect()
        }
        serde_json::Value::String(text) => vec![(path.to_owned(), text.clone())],
        other => vec![(path.to_owned(), other.to_string())],
    }
}

fn rows() -> Vec<Row> {
    koreans().into_iter().chain(fixed_names()).chain(own_urls()).chain(hashed_urls()).collect()
}

fn facts(delivery: &Delivery, receiver: &Receiver) -> Facts {
    Facts {
        tx: delivery.message.transaction.to_string(),
        delivery: delivery.message.id.to_string(),
        run: delivery.message.enrollment.to_string(),
        origin: receiver.url(""),
    }
}

/// Answers as the dialect's server does; the event's id is in the query where it has to be echoed.
async fn server() -> Receiver {
    Receiver::start(|request, _| {
        let name = request.path().trim_start_matches('/');
        let row = rows().into_iter().find(|row| row.name == name);
        let tx = param(request.query(), "event");
        let facts =
            Facts { tx, delivery: String::new(), run: String::new(), origin: String::new() };
        row.map_or(status(404), |row| (row.answer)(&facts))
    })
    .await
}

/// The requests that came for the dialect.
fn of(receiver: &Receiver, row: &Row) -> Vec<Request> {
    let path = format!("/{}", row.name);
    receiver.seen().into_iter().filter(|request| request.path() == path).collect()
}

fn check(row: &Row, request: &Request, facts: &Facts, app: u32) {
    assert_eq!(request.method, row.method, "{}", row.name);
    let placed =
        |text: String| text.replace("{app}", &app.to_string()).replace("{unit}", &app.to_string());
    let expected: BTreeMap<String, String> = (row.params)(facts)
        .into_iter()
        .map(|(name, text)| (name.to_owned(), placed(text)))
        .collect();
    assert_eq!(params(request, row), expected, "{}", row.name);
    let (found, wanted) = (row.signature)(request, facts);
    assert_eq!(found, wanted, "the signature of {}", row.name);
}

fn check_reversal(row: &Row, request: &Request, facts: &Facts) {
    let Reversal::Told(expected) = row.reversal else { panic!("{} cannot say it", row.name) };
    let found = params(request, row);
    for (name, value) in expected(facts) {
        assert_eq!(found.get(name), Some(&value), "{} {name}", row.name);
    }
}

#[test]
fn every_preset_is_in_the_table() {
    let mut names: Vec<&str> = rows().iter().map(|row| row.name).collect();
    // It has tests of its own.
    names.push("standard_webhooks");
    names.sort_unstable();
    let mut presets = PRESETS.to_vec();
    presets.sort_unstable();
    assert_eq!(names, presets);
}

#[tokio::test]
async fn every_dialect_is_told_as_its_vendor_does() {
    let receiver = server().await;
    let endpoint = |row: &Row| {
        let url = receiver.url(&format!("/{}{}", row.name, row.query));
        speaking(preset(row.name).unwrap(), url, row.secrets)
    };
    let mut world = World::new(rows().iter().map(endpoint).collect()).await;
    world.start();
    for (app, row) in (1..).zip(rows()) {
        let click = world.earn(app, USER).await;
        let granted = world.until(app, |one| one.attempts == 1).await;
        assert_eq!(granted.state, DeliveryState::Delivered, "{}: {:?}", row.name, granted.last);
        let mut facts = facts(&granted, &receiver);
        check(&row, &of(&receiver, &row)[0], &facts, app);
        world.take_back(&click).await;
        let all = world.until_all(app, |all| all.len() == 2 && all[1].attempts == 1).await;
        facts.delivery = all[1].message.id.to_string();
        match row.reversal {
            Reversal::Unspoken => {
                assert_eq!(all[1].state, DeliveryState::Stopped, "{}", row.name);
                let note = &all[1].last.as_ref().unwrap().note;
                assert!(note.contains("no words for a reversal"), "{note}");
            }
            Reversal::Told(_) => {
                assert!(all_delivered(&all), "{}: {:?}", row.name, all[1].last);
                check_reversal(&row, &of(&receiver, &row)[1], &facts);
            }
        }
    }
}

#[tokio::test]
async fn a_missing_secret_is_waited_for() {
    let receiver = Receiver::kind().await;
    let variable = "env:GUERDON_SECRET_NO_SUCH_ONE";
    let endpoint = speaking(preset("standard_webhooks").unwrap(), receiver.url("/"), &[variable]);
    let mut world = World::new(vec![endpoint]).await;
    world.start();
    world.earn(1, "u").await;
    let waiting = world.until(1, |one| one.attempts == 1).await;
    assert_eq!(waiting.state, DeliveryState::Retrying);
    assert!(waiting.last.unwrap().note.contains("GUERDON_SECRET_NO_SUCH_ONE is not set"));
    let url = receiver.url("/");
    world
        .set_app(1, |app| {
            app.postback = speaking(preset("standard_webhooks").unwrap(), url, &[WHSEC]);
        })
        .await;
    world.advance_s(5).await;
    in_time(world.until(1, |one| one.state == DeliveryState::Delivered)).await;
    assert_eq!(receiver.seen()[0].json()["data"]["amount"], json!(300));
}
