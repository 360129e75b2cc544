//! What decides whether the product works, on every shape.
//!
//! Everything else here runs on `embedded` alone: what comes in over HTTP is judged before a store is
//! asked, and all stores keep one contract. Backups and edited databases are SQLite's by nature.

use crate::support::shape::Shape;

macro_rules! scenes_on {
    ($name:ident, $shape:expr) => {
        scenes_on! { $name, $shape,
            walk::a_user_does_a_mission_and_is_paid_for_every_step,
            walk::partners_report_in_their_own_words,
            walk::steps_are_verified_here_where_no_partner_can,
            walk::a_test_key_books_nothing_live,
            deliveries::a_reversal_is_told_after_its_reward,
            deliveries::a_silent_publisher_does_not_delay_another,
            deliveries::a_publisher_that_says_stop_is_told_when_asked_to,
            deliveries::a_server_that_has_moved_gets_what_has_waited,
            race::the_same_tap_is_one_enrollment_and_the_same_conversion_pays_once,
            race::a_thousand_users_race_for_the_last_unit,
            race::no_mission_in_a_list_is_refused,
            crash::nothing_is_lost_or_doubled_when_the_power_is_cut,
            crash::a_graceful_stop_loses_no_answer,
        }
    };
    ($name:ident, $shape:expr, $($scenes:ident::$scene:ident,)*) => {
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $scene() {
                    crate::$scenes::$scene($shape).await;
                }
            )*
        }
    };
}

macro_rules! fleets_on {
    ($name:ident, $shape:expr) => {
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn three_nodes_are_one() {
                crate::fleet::three_nodes_are_one($shape).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_node_dies_under_load_and_nobody_notices() {
                crate::fleet::a_node_dies_under_load_and_nobody_notices($shape).await;
            }
        }
    };
}

fleets_on!(fleet_of_compact, super::Shape::Compact);
fleets_on!(fleet_of_scaled, super::Shape::Scaled);

scenes_on!(embedded, super::Shape::Embedded);
scenes_on!(compact, super::Shape::Compact);
scenes_on!(standard, super::Shape::Standard);
scenes_on!(scaled, super::Shape::Scaled);
