//! English.

use jiff::civil::DateTime;

use super::moment::in_hours;
use super::number::grouped;
use super::{Advice, Card, Common, Detail, Fixed, Left, List, Notice, Step, Texts, Wallet};
use crate::view::{Empty, Ineligible, Kind, Nudge, Platform, Refusal, StepState, WalletTab, Why};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(super) static TEXTS: Texts = Texts {
    common: COMMON,
    card: CARD,
    list: LIST,
    detail: DETAIL,
    step: STEP,
    wallet: WALLET,
    notice: NOTICE,
};

const COMMON: Common = Common {
    missions: "Missions",
    rewards: "My rewards",
    skip: "Skip to content",
    menu: "Main menu",
    back: "All missions",
    times_in: |zone| format!("Times are in {zone}."),
    date_time,
    today: |at| format!("Today {}", at.strftime("%H:%M")),
    left,
    about: |minutes| match in_hours(minutes) {
        None => format!("about {minutes} min"),
        Some(hours) => format!("about {hours} h"),
    },
    seconds: |n| counted(n, "second", "seconds"),
    kind,
    the_app: "the app",
};

const CARD: Card = Card {
    steps: |n| counted(n, "step", "steps"),
    first: |reward, time| match time {
        Some(time) => format!("first {reward} in {time}"),
        None => format!("first {reward}"),
    },
    up_to_days: |n| format!("up to {}", counted(n, "day", "days")),
    new_users_only: "New users only",
    payment_needed: "Payment needed",
    no_payment: "No payment",
    min_age: |age| format!("Age {age}+"),
    os,
    tracking: "Advertising ID on",
    boosted: "Boosted",
    boosted_until: |date| format!("Boosted until {date}"),
    usually: "Usually",
    requirements: "Requirements",
};

const LIST: List = List {
    earnable: "You can earn now",
    earned: "Earned so far",
    in_progress: "In progress",
    for_you: "For you",
    kinds: "Kinds of missions",
    all: "All",
    steps_done: |done, total| format!("{done} of {}", counted(total, "step", "steps")),
    earned_of: |earned, total| format!("{earned} of {total}"),
    next: "Next",
    checking: |n| match n {
        1 => "1 step is being checked".to_owned(),
        n => format!("{n} steps are being checked"),
    },
    go_on: "Continue",
    look: "View",
    more: "Show more missions",
    empty,
    see_all: "See all missions",
    see_rewards: "See my rewards",
};

const DETAIL: Detail = Detail {
    total: "Total reward",
    earned: "Earned",
    steps: "Steps",
    bonus: "Bonus steps",
    bonus_hint: "Not needed to finish. They pay on top.",
    how: "How it counts",
    how_in_app: [
        "Install with the button on this page, not from a search in the store.",
        "If you are asked to allow tracking, allow it. Otherwise the steps cannot be seen.",
        "Stay online for two minutes when you open the app for the first time.",
    ],
    how_on_web: [
        "Go there with the button on this page and stay in the same browser.",
        "Do not use private windows or blockers until the step is noticed.",
        "Finish within the time that is shown at the step.",
    ],
    how_here: [
        "Everything happens on this page; nothing has to be installed.",
        "A step counts as soon as you have finished it here.",
        "Each step is paid once, or as often as it says.",
    ],
    conditions: "Conditions",
    fine_print: "Fine print",
    locked_terms: "Rewards and time limits stay as they were when you started.",
    start,
    go_on: "Continue",
    to_step: |n| format!("Go to step {n}"),
    opens_outside: "Opens outside this page",
    nothing_opened: |host| match host {
        Some(host) => format!("Nothing opened? Go to {host}"),
        None => "Nothing opened? Use this link".to_owned(),
    },
    next_title: "What happens next",
    next_in_app: [
        "Open the store with the button below and install the app.",
        "Open the app once while you are online.",
        "Come back here: the first step says “Noticed” as soon as we see it.",
    ],
    next_on_web: [
        "Open the page with the button below.",
        "Do what the first step says.",
        "Come back here: the step says “Noticed” as soon as we see it.",
    ],
    next_here: [
        "Do the first step below.",
        "It counts at once, and the reward appears in My rewards.",
        "Come back for the other steps whenever you like, until the time is over.",
    ],
    completed: "You have finished this mission. Well done!",
    waiting: "Nothing to do now. We are checking what you have done.",
    expired: "The time for this mission is over.",
    ended: "This mission has ended.",
    see_others: "See other missions",
    flash_started: |title| {
        format!("You have started “{title}”. Its rewards are now fixed for you.")
    },
    flash_visit: "The time runs. Open the page, stay there, then come back and tap “I am back”.",
    flash_wait: |n| {
        let seconds = counted(n, "second is", "seconds are");
        format!("{seconds} still missing. Stay a little longer, then tap “I am back” again.")
    },
    flash_wrong: |left| match left {
        None => "That was not the right answer. Try again.".to_owned(),
        Some(0) => "That was not the right answer, and it was the last try.".to_owned(),
        Some(n) => {
            let tries = counted(n, "try", "tries");
            format!("That was not the right answer. You have {tries} left.")
        }
    },
    flash_paid: "Done! The reward is yours.",
    flash_checking: "Noticed. We are checking it, and will pay as soon as it is confirmed.",
    flash_again: "This was counted before, so nothing changed.",
    flash_no_answer: "Choose an answer first.",
    nudge: |nudge| match nudge {
        Nudge::InstallNotSeen => {
            "We have not seen the installation yet. Open the app once while you are online, or \
             continue here again."
        }
        Nudge::CheckIsLate => {
            "The check takes longer than usual. Nothing is lost, and you need not do it again."
        }
    },
};

const STEP: Step = Step {
    number: |n| format!("Step {n}"),
    state,
    why,
    until: |date| format!("Until {date}"),
    within_days: |n| format!("Within {} of starting", counted(n, "day", "days")),
    times: |done, limit| format!("{done} of {limit} times"),
    each: |reward| format!("{reward} each time"),
    ask: "Ask about this step",
    visit_hint: |seconds| format!("Stay on the page for at least {seconds}."),
    visit_start: "Start the visit",
    visit_open: "Open the page",
    visit_back: "I am back",
    quiz_send: "Send answer",
    tries_left: |n| format!("{} left", counted(n, "try", "tries")),
    check_in: "Check in for today",
    check_in_next: |date| format!("Checked in. Again from {date}"),
};

const WALLET: Wallet = Wallet {
    balance: "Balance",
    pending: "Being checked",
    pending_hint: "Paid as soon as it is confirmed.",
    tabs: "Show",
    tab: |tab| match tab {
        WalletTab::All => "All",
        WalletTab::Paid => "Paid",
        WalletTab::Checking => "Checking",
        WalletTab::NotCounted => "Not counted",
        WalletTab::TakenBack => "Taken back",
    },
    entries: "Entries",
    older: "Show older entries",
    reference: "No.",
    empty: |tab, _| match tab {
        WalletTab::All => Advice::new(
            "No rewards yet",
            "Each step that you finish appears here.",
            "Choose a mission; the first step often takes only minutes.",
        ),
        WalletTab::Paid => Advice::new(
            "Nothing paid yet",
            "Rewards appear here as soon as a step is confirmed.",
            "Choose a mission to begin with.",
        ),
        _ => Advice::new(
            "Nothing here",
            "No step of yours is in this state.",
            "Look at another tab.",
        ),
    },
    see_missions: "See missions",
};

const NOTICE: Notice = Notice {
    refused,
    session_expired: |app| {
        Advice::new(
            "Please open this page again",
            "For your safety it closes after a while. Your progress and rewards are kept.",
            &format!("Go back to {app} and open the missions from there."),
        )
    },
    not_found: || {
        Advice::new(
            "This page does not exist",
            "The address may be incomplete, or the mission may be gone.",
            "All missions that are open to you are in the list.",
        )
    },
    form_expired: || {
        Advice::new(
            "The page was open for too long",
            "To protect you, its button no longer works. Nothing was sent.",
            "Go back to the mission and tap the button again.",
        )
    },
    too_fast: || {
        Advice::new(
            "A little slower, please",
            "There were very many requests in a short time.",
            "Wait a minute, then try again.",
        )
    },
    maintenance: |_| {
        Advice::new(
            "We are tidying up",
            "The missions are away for a short time. Started missions go on, and nothing is lost.",
            "Try again in a few minutes.",
        )
    },
    server_error: || {
        Advice::new(
            "Something went wrong on our side",
            "Your progress and rewards are safe, and nothing is counted twice.",
            "Try again in a moment.",
        )
    },
    retry: "Try again",
    to_missions: "See all missions",
    to_mission: "Back to the mission",
    similar: "You can do these instead",
    reference: "Number for questions:",
};

fn counted(n: u32, one: &str, many: &str) -> String {
    let word = if n == 1 { one } else { many };
    format!("{} {word}", grouped(u64::from(n)))
}

fn date_time(at: &DateTime) -> String {
    let month = usize::try_from(at.month()).map_or("", |m| MONTHS[(m + 11) % 12]);
    format!("{} {month} {}, {}", at.day(), at.year(), at.strftime("%H:%M"))
}

fn left(left: Left) -> String {
    match left {
        Left::Days { days, hours } => format!("{days}d {hours:02}h left"),
        Left::Hours { hours, minutes } => format!("{hours}h {minutes:02}m left"),
        Left::Minutes(0) => "less than 1 min left".to_owned(),
        Left::Minutes(minutes) => format!("{minutes} min left"),
        Left::Over => "Time over".to_owned(),
    }
}

fn kind(kind: Kind) -> Fixed {
    match kind {
        Kind::App => "App",
        Kind::Game => "Game",
        Kind::SignUp => "Sign-up",
        Kind::Purchase => "Shopping",
        Kind::Quiz => "Quiz",
        Kind::Visit => "Visit",
        Kind::CheckIn => "Daily",
        Kind::Follow => "Follow",
        Kind::Survey => "Survey",
        Kind::Other => "Other",
    }
}

fn os(platform: Platform, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{} {version}+", platform.name()),
        None => platform.name().to_owned(),
    }
}

fn start(kind: Kind) -> Fixed {
    match kind {
        Kind::App | Kind::Game => "Install",
        Kind::SignUp => "Sign up",
        Kind::Purchase => "Go shopping",
        Kind::Quiz => "Start the quiz",
        Kind::Visit => "Start the visit",
        Kind::CheckIn => "Take part",
        Kind::Follow => "Follow",
        Kind::Survey => "Start the survey",
        Kind::Other => "Start",
    }
}

fn state(state: &StepState, amount: &str, date: &str) -> String {
    match state {
        StepState::Locked { needs } => format!("Locked: finish step {needs} first"),
        StepState::Available => "Ready to do".to_owned(),
        StepState::Pending { usual_minutes: Some(minutes), .. } => {
            format!("Noticed, checking (usually {})", (COMMON.about)(*minutes))
        }
        StepState::Pending { .. } => "Noticed, checking".to_owned(),
        StepState::Rewarded { amount: 0, .. } => format!("Done, {date}"),
        StepState::Rewarded { .. } => format!("Paid {amount}, {date}"),
        StepState::Rejected { .. } => format!("Did not count, {date}"),
        StepState::Expired { .. } => format!("Time over, {date}"),
        StepState::Reversed { .. } => format!("Taken back {amount}, {date}"),
    }
}

fn why(why: Why) -> Fixed {
    match why {
        Why::TooLate => "It was done after the time limit.",
        Why::NotNew => "The app or account had been used before; this step is for new users.",
        Why::Repeated => "It had been counted before.",
        Why::NotByThisLink => {
            "It was not done with the button on this page. Use the button for the other steps."
        }
        Why::NotConfirmed => "The advertiser did not confirm it.",
        Why::WrongAnswer => "The answers were not right, and no try is left.",
        Why::LimitReached => "The limit was reached. The other steps still count.",
        Why::Cancelled => "The purchase or sign-up was cancelled.",
        Why::Mistake => "It had been paid by mistake.",
        Why::RuleBroken => "It did not follow the conditions of the mission.",
        Why::Unstated => "The advertiser gave no reason.",
    }
}

fn empty(empty: Empty, date: Option<&str>) -> Advice {
    match empty {
        Empty::AllDone(_) => Advice::new(
            "All done for now",
            "You have started or finished every mission that is open to you.",
            &date.map_or_else(
                || "New missions appear often. Look in again tomorrow.".to_owned(),
                |date| format!("New missions: {date}."),
            ),
        ),
        Empty::Region => Advice::new(
            "No missions in your region yet",
            "At the moment no mission is open in your country.",
            "New ones appear here by themselves. Look in again tomorrow.",
        ),
        Empty::Device => Advice::new(
            "No missions for this device",
            "The open missions need another system or a newer version.",
            "Update the system, or open this page on another device.",
        ),
        Empty::Kind(_) => Advice::new(
            "No missions of this kind now",
            "They are finished, or they are not for this device.",
            "There may be others for you.",
        ),
        Empty::Tracking => Advice::new(
            "The advertising ID is off",
            "Without it, what you do in an app cannot be seen, so it cannot be paid.",
            "Turn it on in your device’s privacy settings, then open this page again.",
        ),
        Empty::Age => Advice::new(
            "No missions for your age",
            "The open missions are for older users.",
            "Missions for your age appear here by themselves.",
        ),
    }
}

fn refused(refusal: Refusal, date: &str, app: &str) -> Advice {
    match refusal {
        Refusal::NotEligible(why) => Advice::new(
            "This mission is not open to you",
            not_eligible(why),
            "Nothing was started, and nothing was lost.",
        ),
        Refusal::AlreadyDone => Advice::new(
            "You have done this mission before",
            "Everybody can do it once. Your rewards for it are kept.",
            "What you have earned is in My rewards.",
        ),
        Refusal::Exhausted(Some(_)) => Advice::new(
            "All places are taken for now",
            "More people started this mission than it has places for.",
            &format!("New places: {date}."),
        ),
        Refusal::Exhausted(None) => Advice::new(
            "All places are taken",
            "More people started this mission than it has places for.",
            "Missions that you have started are not affected.",
        ),
        Refusal::Closed => Advice::new(
            "This mission has ended",
            "It ended before you started it.",
            "Missions that you have started go on and are paid.",
        ),
        Refusal::Blocked => Advice::new(
            "You cannot start missions at the moment",
            "Something about this account looked unusual, so we paused it.",
            &format!("If this is a mistake, write to the support of {app}."),
        ),
    }
}

fn not_eligible(why: Ineligible) -> Fixed {
    match why {
        Ineligible::Region => "It is for another region.",
        Ineligible::Device => "It needs another device or a newer system version.",
        Ineligible::Age => "It is for another age group.",
        Ineligible::NotNew => "It is for people who have not used the app before.",
        Ineligible::Tracking => {
            "It needs the advertising ID. You can turn it on in your device’s privacy settings."
        }
        Ineligible::Unstated => "It is meant for another group of users.",
    }
}
