//! Every rule: who passes, who fails, and what becomes of a user of whom the property is not known.

use std::collections::BTreeSet;

use domain::decide::Rule;

use super::scene::Scene;

/// Settings and the verdict on mission 1; see [`Scene`] for the words.
const MISSION_RULES: &str = "
                                            => yes
    blocked                                 => blocked user_blocked
    blocked mission=paused                  => blocked user_blocked
    mission=paused                          => closed mission_active
    mission=paused line=draft               => closed mission_active
    line=draft                              => closed line_item_running
    line=paused                             => closed line_item_running
    line=ended from=10                      => closed line_item_running
    from=0                                  => yes
    from=1                                  => closed flight
    until=1                                 => yes
    until=0                                 => closed flight
    unit=2                                  => not_eligible unit_of_app
    unit=99                                 => not_eligible unit_of_app
    pays=KRW                                => yes
    pays=JPY                                => not_eligible currency
    ran=open                                => already_done already_started
    ran=closed                              => already_done already_started
    ran=expired                             => already_done already_started
    ran=voided                              => already_done already_started
    advertises=g rival.advertises=g rival=open            => already_done advertised_app_done
    advertises=g rival.advertises=g rival=closed          => already_done advertised_app_done
    advertises=g rival.advertises=g rival=expired_touched => already_done advertised_app_done
    advertises=g rival.advertises=g rival=expired         => yes
    advertises=g rival.advertises=g rival=voided          => yes
    advertises=g rival.advertises=h rival=closed          => yes
    advertises=g rival=closed                             => yes
    rival.advertises=g rival=closed                       => yes
    advertises=g rival.advertises=g rival=closed rival.deleted => already_done advertised_app_done
    needs=3 before=completed                => yes
    needs=3 before=closed                   => yes
    needs=3                                 => not_eligible prerequisites
    needs=3 before=open                     => not_eligible prerequisites
    needs=3 before=expired_touched          => not_eligible prerequisites
    needs=3 before=reversed                 => not_eligible prerequisites
    needs=2,3 before=completed              => not_eligible prerequisites
    needs=2,3 before=completed rival=closed => yes
    new_users advertises=g is.installed=a,g => not_eligible new_users_only
    new_users advertises=g is.installed=z,g,a => not_eligible new_users_only
    new_users advertises=g is.installed=a   => yes
    new_users advertises=g                  => yes
    new_users is.installed=g                => yes
    advertises=g is.installed=g             => yes
    per_user=2 started=1                    => yes
    per_user=2 started=2                    => exhausted user_cap_total
    per_user=0                              => exhausted user_cap_total
    per_user_daily=1 started_yesterday=5    => yes
    per_user_daily=1 started=1              => exhausted user_cap_daily
    per_user=1 per_user_daily=1 started=1   => exhausted user_cap_total
    started=999                             => yes
    started=1000                            => exhausted enrollments_max
    level=none                              => exhausted budget_total
    budget=3                                => yes
    budget=3 used=1                         => exhausted budget_total
    budget=2                                => exhausted budget_total
    daily=3                                 => yes
    daily=10 used=7                         => yes
    daily=10 used=8                         => exhausted budget_daily
    budget=9 daily=9 used=8                 => exhausted budget_total
    daily=100 used=51                       => yes
    daily=100 used=51 even                  => yes
    daily=100 used=52 even                  => exhausted pacing
    used=52 even                            => yes
    daily=100 even hour=0                   => yes
    daily=100 used=1 even hour=0            => yes
    daily=100 used=2 even hour=0            => exhausted pacing
    cap=3 starts=2                          => yes
    cap=3 starts=3                          => exhausted cap_total
    cap_daily=3 starts=2                    => yes
    cap_daily=3 starts=3                    => exhausted cap_daily
    cap=3 cap_daily=3 starts=3              => exhausted cap_total
    test level=none                         => yes
    test budget=1 cap=1 starts=1            => yes
    test per_user=0                         => exhausted user_cap_total
";

const TARGETING_RULES: &str = "
    group=none                              => not_eligible ad_group_active
    group=paused                            => not_eligible ad_group_active
    group=paused for.country=KR             => not_eligible ad_group_active
    for.country=JP,KR is.country=KR         => yes
    for.country=JP,KR is.country=US         => not_eligible country
    for.country=JP,KR                       => not_eligible country
    for.platform=android,web is.platform=web => yes
    for.platform=android,web is.platform=ios => not_eligible platform
    for.platform=android                    => not_eligible platform
    for.os_version=14..16 is.os_version=14  => yes
    for.os_version=14..16 is.os_version=16  => yes
    for.os_version=14..16 is.os_version=13.9.9 => not_eligible os_version
    for.os_version=14..16 is.os_version=16.0.1 => not_eligible os_version
    for.os_version=14.. is.os_version=99    => yes
    for.os_version=..14 is.os_version=1     => yes
    for.os_version=..14 is.os_version=14.1  => not_eligible os_version
    for.os_version=16..14 is.os_version=15  => not_eligible os_version
    for.os_version=14..16                   => not_eligible os_version
    for.age=19..29 is.age=19                => yes
    for.age=19..29 is.age=29                => yes
    for.age=19..29 is.age=18                => not_eligible age
    for.age=19..29 is.age=30                => not_eligible age
    for.age=65..120 is.age=121              => yes
    for.age=29..19 is.age=25                => not_eligible age
    for.age=19..29                          => not_eligible age
    for.gender=female is.gender=female      => yes
    for.gender=female is.gender=other       => not_eligible gender
    for.gender=female                       => not_eligible gender
    for.language=ko,pt is.language=ko       => yes
    for.language=ko,pt is.language=pt-br    => yes
    for.language=pt-br is.language=pt-br    => yes
    for.language=pt-br is.language=pt       => not_eligible language
    for.language=ko is.language=ja          => not_eligible language
    for.language=ko                         => not_eligible language
    for.unit=1,7                            => yes
    for.unit=7                              => not_eligible unit
    for.installed=a,b is.installed=b,c      => yes
    for.installed=a,b is.installed=c        => not_eligible installed
    for.installed=a,b                       => not_eligible installed
    for.not_installed=a,b is.installed=c    => yes
    for.not_installed=a,b is.installed=b,c  => not_eligible not_installed
    for.not_installed=a,b                   => yes
    for.segment=1,2 is.segment=2,3          => yes
    for.segment=1,2 is.segment=3            => not_eligible segment
    for.segment=1,2                         => not_eligible segment
    for.not_segment=1,2 is.segment=3        => yes
    for.not_segment=1,2 is.segment=2        => not_eligible not_segment
    for.not_segment=1,2                     => yes
    for.country=KR for.age=19..29 is.country=KR  => not_eligible age
    is.country=KR is.age=5 is.language=xx   => yes
";

#[test]
fn every_rule_says_yes_and_no() {
    let mut refusing = BTreeSet::new();
    for table in [MISSION_RULES, TARGETING_RULES] {
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let (settings, expected) = line.split_once("=>").expect("settings => verdict");
            let verdict = Scene::new(settings).verdict();
            assert_eq!(verdict, expected.trim(), "{line}");
            refusing.extend(verdict.split(' ').nth(1).and_then(Rule::parse));
        }
    }
    let silent: Vec<_> = Rule::ALL.iter().filter(|rule| !refusing.contains(rule)).collect();
    assert!(silent.is_empty(), "rules without a refusal in the tables: {silent:?}");
}
