//! Faults on the real servers: killed, frozen, slow, cut off, and everybody at once.
//!
//! Each scene takes a shape. The servers are the scene's own, because it breaks them; what it measures
//! is printed, for whoever runs it with `--nocapture`.

mod fleet;
mod load;

mod kills;
mod outages;
mod commits;
mod cut_off;
mod copies;
mod last_unit;
mod budgets;
mod dynamo;
mod dynamo_table;
mod redis;
mod redis_cluster;
mod workers;

use std::time::Duration;

use crate::support::shape::Shape;

/// How long after its cause is gone a fault may be felt.
const BACK: Duration = Duration::from_secs(10);

macro_rules! scenes_on {
    ($name:ident, $shape:expr, $($scenes:ident::$scene:ident,)*) => {
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $scene() {
                    super::$scenes::$scene($shape).await;
                }
            )*
        }
    };
}

scenes_on! { compact, super::Shape::Compact,
    kills::nothing_is_lost_when_mariadb_is_killed,
    kills::nothing_is_lost_when_nodes_are_killed,
    outages::a_database_that_is_down_is_told_at_once,
    outages::a_database_that_is_frozen_is_told_soon,
    outages::a_slow_way_to_the_database_loses_nothing,
    commits::the_answer_to_a_commit_is_lost_and_the_event_is_paid_once,
    cut_off::a_node_without_its_database_is_left_out_and_comes_back,
    cut_off::a_node_that_freezes_in_a_commit_holds_up_nobody_for_long,
    copies::many_copies_at_once_pay_once,
    last_unit::one_of_a_thousand_gets_the_last_unit_every_time,
    budgets::budgets_are_exact_whatever_becomes_of_what_they_promise,
}

scenes_on! { standard, super::Shape::Standard,
    kills::nothing_is_lost_when_mariadb_is_killed,
    dynamo::nothing_is_lost_when_dynamodb_is_killed,
    dynamo::nothing_is_lost_while_dynamodb_is_away,
    dynamo_table::a_migration_that_is_killed_is_finished_by_the_next,
    redis::nobody_is_refused_when_redis_is_killed_or_emptied,
    redis::nobody_waits_for_a_redis_that_comes_late_and_is_full,
    copies::many_copies_at_once_pay_once,
}

scenes_on! { scaled, super::Shape::Scaled,
    dynamo::nothing_is_lost_when_dynamodb_is_killed,
    redis::rewards_are_told_without_hints,
    redis_cluster::nobody_is_refused_when_masters_are_killed,
    redis_cluster::nobody_is_refused_when_replicas_take_over,
    kills::nothing_is_lost_when_nodes_are_killed,
    workers::nothing_is_lost_when_workers_are_killed,
    copies::many_copies_at_once_pay_once,
}
