//! What partners send, as each preset reads it.

use super::{check, fields, line, read};
use crate::recipe::{PRESETS, preset};

#[test]
fn appsflyer_sends_installs_and_events_apart() {
    check(
        "appsflyer",
        &[
            ("clickid=C", "click=C event=install"),
            ("clickid=C&install-unix-ts=1700000000", "click=C event=install at=1700000000000"),
            (
                "clickid=C&event_name=af_purchase&event_revenue=12.99&event_revenue_currency=EUR&event_time=2023-11-14 22:13:20.5",
                "click=C event=af_purchase at=1700000000500 amount=12990000 currency=EUR",
            ),
            ("clickid=C&blocked-reason=bots", "click=C event=install is=rejected"),
            ("clickid=C&blocked_reason=", "click=C event=install"),
            ("clickid=C&is_attributed=False", "click=C event=install is=organic"),
            ("media_source=Organic", "event=install is=organic"),
        ],
    );
}

#[test]
fn adjust_sends_tokens_and_kinds_of_activity() {
    check(
        "adjust",
        &[
            (
                "click_id=C&event=abc123&event_name=Level 10&created_at=1700000000",
                "click=C event=abc123 at=1700000000000",
            ),
            ("click_id=C&activity_kind=install", "click=C event=install"),
            (
                "label=C&activity_kind=rejected_install",
                "click=C event=rejected_install is=rejected",
            ),
            (
                "click_id=C&created_at=2023-11-15T07:13:20Z+0900",
                "click=C event=install at=1700000000000",
            ),
            ("network_name=Organic&event=abc123", "event=abc123 is=organic"),
        ],
    );
}

#[test]
fn singular_fills_an_address_or_posts_json() {
    check(
        "singular",
        &[
            (
                "cl_id=C&app_id=com.example&timestamp=1700000000000",
                "click=C event=install at=1700000000000",
            ),
            (
                "cl=C&event=purchase&amount=4.99&cur=USD&utcm=1700000000123&utc=1700000000",
                "click=C event=purchase at=1700000000123 amount=4990000 currency=USD",
            ),
            ("cl=C&evtname=level_10&utc=1700000000", "click=C event=level_10 at=1700000000000"),
            ("cl_id={cl?Guerdon}&event={EVTNAME}&amount={AMOUNT}", "event=install"),
            (
                "click_id=C&name=sng_login&timestamp=2023-11-14 22:13:20",
                "click=C event=sng_login at=1700000000000",
            ),
            ("click_id=C&rejected_reason=time_to_install", "click=C event=install is=rejected"),
            ("click_id=C&is_rejected=false&rejected_reason=", "click=C event=install"),
            ("partner=Organic&name=level_10", "event=level_10 is=organic"),
            ("is_attributed=false&name=level_10", "event=level_10 is=organic"),
            (
                "click_id=C&name=purchase&amount=-4.99&cur=USD&reversal=1",
                "click=C event=purchase amount=4990000 currency=USD is=reversal",
            ),
        ],
    );
}

#[test]
fn branch_fills_an_address_or_posts_its_own_json() {
    check(
        "branch",
        &[
            (
                "click_id=C&event_name=install&event_timestamp=1700000000123&is_attributed=1&~campaign=x",
                "click=C event=install at=1700000000123",
            ),
            (
                "name=PURCHASE&customer_event_alias=first_purchase&id=987&timestamp=1700000000000&attributed=true\
                 &last_attributed_touch_data.~click_id=C&event_data.revenue=1.5&event_data.currency=USD",
                "click=C event=first_purchase id=987 at=1700000000000 amount=1500000 currency=USD",
            ),
            (
                "~click_id=C&name=ACHIEVE_LEVEL&customer_event_alias=${(customer_event_alias)!}&id=${(id)!}",
                "click=C event=ACHIEVE_LEVEL",
            ),
            (
                "click_id=C&name=PURCHASE&event_data.transaction_id=o-1",
                "click=C event=PURCHASE id=o-1",
            ),
            ("name=INSTALL&attributed=false", "event=INSTALL is=organic"),
            ("name=INSTALL&is_attributed=0", "event=INSTALL is=organic"),
            ("click_id=C&name=INSTALL&rejected_reason=bot", "click=C event=INSTALL is=rejected"),
            (
                "click_id=C&name=PURCHASE&id=1&reversal=true",
                "click=C event=PURCHASE id=1 is=reversal",
            ),
        ],
    );
}

#[test]
fn airbridge_names_parameters_in_both_spellings() {
    check(
        "airbridge",
        &[
            ("click_id=C", "click=C event=install"),
            (
                "clickID=C&eventName=Order Complete&eventTimestamp=1700000000123&eventValue=15000&currency=KRW",
                "click=C event=Order Complete at=1700000000123 amount=15000000000 currency=KRW",
            ),
            (
                "click_id=C&event_name=Level 10&event_category=9360&event_timestamp=1700000000&event_uuid=u-1",
                "click=C event=Level 10 id=u-1 at=1700000000000",
            ),
            ("click_id=C&event_category=9360", "click=C event=9360"),
            (
                "click_id={click_id}&event_name={@postback.eventName}&event_value={value}",
                "event=install",
            ),
            (
                "click_id=C&event_datetime=2023-11-14T22:13:20.123Z",
                "click=C event=install at=1700000000123",
            ),
            ("channel=unattributed&event_name=Level 10", "event=Level 10 is=organic"),
            ("click_id=C&rejected_reason=CTIT", "click=C event=install is=rejected"),
            (
                "click_id=C&event_name=a&event_uuid=u-1&reversal=1",
                "click=C event=a id=u-1 is=reversal",
            ),
        ],
    );
}

#[test]
fn adbrix_carries_the_click_in_its_callback_parameters() {
    check(
        "adbrix",
        &[
            (
                "gaid=x&event_type_code=install&event_time=2023-11-14 22:13:20&cb_1=C&cb_2=7",
                "click=C event=install at=1700000000000",
            ),
            (
                "cb_1=C&activity_group=stage&activity=level_10&event_type_code=activity&event_time=1700000000123",
                "click=C event=level_10 at=1700000000123",
            ),
            (
                "cb_1=A&last_cb_1=C&activity=buy&order_id=o-1&price=500&quantity=2&sales=1000&currency=KRW",
                "click=C event=buy amount=1000000000 currency=KRW",
            ),
            (
                "cb_param1=C&activity={activity}&first_install_time=1700000000",
                "click=C event=install at=1700000000000",
            ),
            ("cb_1={cb_1}&activity=level_10&network=organic", "event=level_10 is=organic"),
            ("cb_1=&activity=level_10", "event=level_10"),
            ("cb_1=C&rejected_reason=ctit", "click=C event=install is=rejected"),
            (
                "cb_1=C&activity=buy&sales=-1000&reversal=1",
                "click=C event=buy amount=1000000000 is=reversal",
            ),
        ],
    );
}

#[test]
fn buzzvil_needs_no_more_than_the_tracking_id() {
    check(
        "buzzvil",
        &[
            ("bz_tracking_id=C", "click=C event=bz_action_complete"),
            (
                "bz_tracking_id=C&transaction_id=o-1&count=2",
                "click=C event=bz_action_complete id=o-1",
            ),
            (
                "bz_tracking_id=C&action=purchase&transaction_id=o-1&price=12000&currency=KRW&event_at=1700000000",
                "click=C event=purchase id=o-1 at=1700000000000 amount=12000000000 currency=KRW",
            ),
            ("bz_tracking_id={bz_tracking_id}", "event=bz_action_complete"),
            ("click_id=C", "event=bz_action_complete"),
            (
                "bz_tracking_id=C&transaction_id=o-1&reversal=true",
                "click=C event=bz_action_complete id=o-1 is=reversal",
            ),
            ("bz_tracking_id=C&rejected=1", "click=C event=bz_action_complete is=rejected"),
            ("bz_tracking_id=C&organic=1", "click=C event=bz_action_complete is=organic"),
        ],
    );
}

/// A preset's first names are those that its documentation tells a partner to use.
#[test]
fn every_preset_is_whole_and_reads_its_first_names() {
    for name in PRESETS {
        let recipe = preset(name).unwrap();
        assert_eq!((&recipe.name.as_str(), recipe.problems()), (name, Vec::new()));
        let lists = [&recipe.event, &recipe.event_id, &recipe.event_time];
        let [event, id, time] = lists.map(|list| list.first().unwrap());
        let (click, revenue) = (&recipe.click_id[0], &recipe.revenue[0]);
        let currency = &recipe.currency[0];
        let query =
            format!("{click}=C&{event}=a&{id}=7&{time}=1700000000&{revenue}=1.5&{currency}=usd");
        let expected = "click=C event=a id=7 at=1700000000000 amount=1500000 currency=USD";
        assert_eq!(line(&read(&recipe, &fields(&query))), expected, "{name}");
    }
    assert_eq!(preset("nobody"), None);
}
