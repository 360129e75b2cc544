//! Korean, in 합니다체 throughout.

use super::moment::in_hours;
use super::number::grouped;
use super::particle::{self, Particle};
use super::{Advice, Card, Common, Detail, Fixed, Left, List, Notice, Step, Texts, Wallet};
use crate::view::{Empty, Ineligible, Kind, Nudge, Platform, Refusal, StepState, WalletTab, Why};

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
    missions: "미션",
    rewards: "내 리워드",
    skip: "본문으로 건너뛰기",
    menu: "주 메뉴",
    back: "전체 미션",
    times_in: |zone| format!("시각은 {zone} 기준입니다."),
    date_time: |at| at.strftime("%Y. %-m. %-d. %H:%M").to_string(),
    today: |at| format!("오늘 {}", at.strftime("%H:%M")),
    left,
    about: |minutes| match in_hours(minutes) {
        None => format!("약 {minutes}분"),
        Some(hours) => format!("약 {hours}시간"),
    },
    seconds: |n| format!("{}초", grouped(u64::from(n))),
    kind,
    the_app: "앱",
};

const CARD: Card = Card {
    steps: |n| format!("{n}단계"),
    first: |reward, time| match time {
        Some(time) => format!("{time} 만에 첫 {reward}"),
        None => format!("첫 {reward}"),
    },
    up_to_days: |n| format!("최대 {n}일"),
    new_users_only: "신규 이용자만",
    payment_needed: "결제 필요",
    no_payment: "결제 없음",
    min_age: |age| format!("만 {age}세 이상"),
    os,
    tracking: "광고 ID 사용",
    boosted: "추가 적립",
    boosted_until: |date| format!("{date}까지 추가 적립"),
    usually: "원래 리워드",
    requirements: "참여 조건",
};

const LIST: List = List {
    earnable: "지금 받을 수 있는 리워드",
    earned: "지금까지 받은 리워드",
    in_progress: "진행 중",
    for_you: "추천 미션",
    kinds: "미션 종류",
    all: "전체",
    steps_done: |done, total| format!("{total}단계 중 {done}단계"),
    earned_of: |earned, total| format!("{earned} / {total}"),
    next: "다음",
    checking: |n| format!("확인 중인 단계 {n}개"),
    go_on: "계속하기",
    look: "확인하기",
    more: "미션 더 보기",
    empty,
    see_all: "전체 미션 보기",
    see_rewards: "내 리워드 보기",
};

const DETAIL: Detail = Detail {
    total: "총 리워드",
    earned: "받은 리워드",
    steps: "참여 단계",
    bonus: "보너스 단계",
    bonus_hint: "하지 않아도 미션은 완료됩니다. 완료하면 리워드를 더 받습니다.",
    how: "이렇게 인정됩니다",
    how_in_app: [
        "스토어에서 검색하지 말고 이 페이지의 버튼으로 설치해 주십시오.",
        "추적 허용을 묻는 창이 나오면 허용해 주십시오. 허용하지 않으면 참여를 확인할 수 없습니다.",
        "앱을 처음 열 때 2분 동안 인터넷 연결을 유지해 주십시오.",
    ],
    how_on_web: [
        "이 페이지의 버튼으로 이동한 뒤 같은 브라우저에서 진행해 주십시오.",
        "단계가 확인될 때까지 시크릿 창이나 차단 프로그램을 사용하지 마십시오.",
        "단계마다 표시된 시간 안에 완료해 주십시오.",
    ],
    how_here: [
        "모두 이 페이지에서 진행되며 설치할 것이 없습니다.",
        "여기에서 완료하면 바로 인정됩니다.",
        "리워드는 단계마다 한 번, 또는 표시된 횟수만큼 지급됩니다.",
    ],
    conditions: "참여 조건",
    fine_print: "유의 사항",
    locked_terms: "리워드와 기한은 시작한 시점의 조건으로 유지됩니다.",
    start,
    go_on: "계속하기",
    to_step: |n| format!("{n}단계로 이동"),
    opens_outside: "페이지 밖에서 열립니다",
    nothing_opened: |host| match host {
        Some(host) => format!("열리지 않습니까? {host} 바로 가기"),
        None => "열리지 않습니까? 이 링크로 열기".to_owned(),
    },
    next_title: "다음에 할 일",
    next_in_app: [
        "아래 버튼으로 스토어를 열고 앱을 설치합니다.",
        "인터넷에 연결된 상태에서 앱을 한 번 실행합니다.",
        "이 페이지로 돌아옵니다. 확인되는 즉시 첫 단계에 ‘확인됨’이 표시됩니다.",
    ],
    next_on_web: [
        "아래 버튼으로 페이지를 엽니다.",
        "첫 단계의 안내대로 진행합니다.",
        "이 페이지로 돌아옵니다. 확인되는 즉시 단계에 ‘확인됨’이 표시됩니다.",
    ],
    next_here: [
        "아래의 첫 단계를 진행합니다.",
        "완료하면 바로 인정되고 ‘내 리워드’에 표시됩니다.",
        "남은 단계는 기한 안에 언제든지 이어서 할 수 있습니다.",
    ],
    completed: "미션을 모두 완료했습니다. 수고하셨습니다!",
    waiting: "지금은 할 일이 없습니다. 참여 내용을 확인하고 있습니다.",
    expired: "이 미션의 참여 기한이 지났습니다.",
    ended: "이 미션은 종료되었습니다.",
    see_others: "다른 미션 보기",
    flash_started: |title| {
        let mission = particle::with(&format!("‘{title}’"), Particle::Object);
        format!("{mission} 시작했습니다. 리워드가 이 조건으로 확정되었습니다.")
    },
    flash_visit: "시간을 재기 시작했습니다. 페이지를 열어 머무른 뒤 돌아와 ‘다녀왔습니다’를 눌러 주십시오.",
    flash_wait: |n| {
        format!("{n}초가 더 필요합니다. 조금 더 머무른 뒤 ‘다녀왔습니다’를 다시 눌러 주십시오.")
    },
    flash_wrong: |left| match left {
        None => "정답이 아닙니다. 다시 시도해 주십시오.".to_owned(),
        Some(0) => "정답이 아닙니다. 남은 기회가 없습니다.".to_owned(),
        Some(n) => format!("정답이 아닙니다. 기회가 {n}번 남았습니다."),
    },
    flash_paid: "완료했습니다! 리워드가 지급되었습니다.",
    flash_checking: "참여가 확인되어 검토하고 있습니다. 확정되는 즉시 지급됩니다.",
    flash_again: "이미 인정된 단계이므로 달라진 것이 없습니다.",
    flash_no_answer: "먼저 답을 선택해 주십시오.",
    nudge: |nudge| match nudge {
        Nudge::InstallNotSeen => {
            "아직 설치가 확인되지 않았습니다. 인터넷에 연결된 상태에서 앱을 한 번 실행하거나, 여기에서 다시 \
             계속해 주십시오."
        }
        Nudge::CheckIsLate => {
            "확인이 평소보다 오래 걸리고 있습니다. 기록은 안전하며 다시 참여하지 않아도 됩니다."
        }
    },
};

const STEP: Step = Step {
    number: |n| format!("{n}단계"),
    state,
    why,
    until: |date| format!("{date}까지"),
    within_days: |n| format!("시작 후 {n}일 이내"),
    times: |done, limit| format!("{limit}회 중 {done}회"),
    each: |reward| format!("회당 {reward}"),
    ask: "이 단계 문의하기",
    visit_hint: |seconds| format!("페이지에 {seconds} 이상 머물러 주십시오."),
    visit_start: "방문 시작하기",
    visit_open: "페이지 열기",
    visit_back: "다녀왔습니다",
    quiz_send: "답 보내기",
    tries_left: |n| format!("남은 기회 {n}번"),
    check_in: "오늘 출석하기",
    check_in_next: |date| format!("출석했습니다. {date}부터 다시 할 수 있습니다"),
};

const WALLET: Wallet = Wallet {
    balance: "잔액",
    pending: "확인 중",
    pending_hint: "확정되는 즉시 지급됩니다.",
    tabs: "보기",
    tab: |tab| match tab {
        WalletTab::All => "전체",
        WalletTab::Paid => "지급",
        WalletTab::Checking => "확인 중",
        WalletTab::NotCounted => "미인정",
        WalletTab::TakenBack => "회수",
    },
    entries: "내역",
    older: "이전 내역 보기",
    reference: "번호",
    empty: |tab, currency| match tab {
        WalletTab::All => Advice::new(
            &format!("아직 받은 {} 없습니다", particle::with(currency, Particle::Subject)),
            "완료한 단계가 여기에 표시됩니다.",
            "미션을 골라 보십시오. 첫 단계는 몇 분이면 끝나는 경우가 많습니다.",
        ),
        WalletTab::Paid => Advice::new(
            "아직 지급된 리워드가 없습니다",
            "단계가 확정되는 즉시 여기에 표시됩니다.",
            "먼저 미션을 골라 보십시오.",
        ),
        _ => Advice::new(
            "내역이 없습니다",
            "이 상태인 단계가 없습니다.",
            "다른 탭을 확인해 주십시오.",
        ),
    },
    see_missions: "미션 보기",
};

const NOTICE: Notice = Notice {
    refused,
    session_expired: |app| {
        Advice::new(
            "페이지를 다시 열어 주십시오",
            "안전을 위해 시간이 지나면 페이지가 닫힙니다. 진행 상황과 리워드는 그대로 있습니다.",
            &format!("{} 돌아가 미션을 다시 열어 주십시오.", particle::with(app, Particle::Toward)),
        )
    },
    not_found: || {
        Advice::new(
            "페이지를 찾을 수 없습니다",
            "주소가 잘못되었거나 미션이 사라졌을 수 있습니다.",
            "참여할 수 있는 미션은 모두 목록에 있습니다.",
        )
    },
    form_expired: || {
        Advice::new(
            "페이지를 연 지 너무 오래되었습니다",
            "안전을 위해 버튼이 더 이상 작동하지 않습니다. 아무것도 전송되지 않았습니다.",
            "미션으로 돌아가 버튼을 다시 눌러 주십시오.",
        )
    },
    too_fast: || {
        Advice::new(
            "조금만 천천히 진행해 주십시오",
            "짧은 시간에 요청이 너무 많았습니다.",
            "1분 뒤에 다시 시도해 주십시오.",
        )
    },
    maintenance: |app| {
        Advice::new(
            &format!("{} 지금 점검 중입니다", particle::with(app, Particle::Topic)),
            "미션을 잠시 볼 수 없습니다. 시작한 미션은 그대로 진행되며 기록은 안전합니다.",
            "몇 분 뒤에 다시 시도해 주십시오.",
        )
    },
    server_error: || {
        Advice::new(
            "서버에 문제가 생겼습니다",
            "진행 상황과 리워드는 안전하며, 두 번 처리되는 일은 없습니다.",
            "잠시 뒤에 다시 시도해 주십시오.",
        )
    },
    retry: "다시 시도",
    to_missions: "전체 미션 보기",
    to_mission: "미션으로 돌아가기",
    similar: "대신 이런 미션은 어떻습니까",
    reference: "문의 번호:",
};

fn left(left: Left) -> String {
    match left {
        Left::Days { days, hours } => format!("{days}일 {hours}시간 남음"),
        Left::Hours { hours, minutes } => format!("{hours}시간 {minutes}분 남음"),
        Left::Minutes(0) => "1분 미만 남음".to_owned(),
        Left::Minutes(minutes) => format!("{minutes}분 남음"),
        Left::Over => "기한 지남".to_owned(),
    }
}

fn kind(kind: Kind) -> Fixed {
    match kind {
        Kind::App => "앱",
        Kind::Game => "게임",
        Kind::SignUp => "회원가입",
        Kind::Purchase => "쇼핑",
        Kind::Quiz => "퀴즈",
        Kind::Visit => "방문",
        Kind::CheckIn => "출석",
        Kind::Follow => "팔로우",
        Kind::Survey => "설문",
        Kind::Other => "기타",
    }
}

fn os(platform: Platform, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{} {version} 이상", platform.name()),
        None => platform.name().to_owned(),
    }
}

fn start(kind: Kind) -> Fixed {
    match kind {
        Kind::App | Kind::Game => "설치하기",
        Kind::SignUp => "가입하기",
        Kind::Purchase => "쇼핑하기",
        Kind::Quiz => "퀴즈 시작하기",
        Kind::Visit => "방문 시작하기",
        Kind::CheckIn => "참여하기",
        Kind::Follow => "팔로우하기",
        Kind::Survey => "설문 시작하기",
        Kind::Other => "시작하기",
    }
}

fn state(state: &StepState, amount: &str, date: &str) -> String {
    match state {
        StepState::Locked { needs } => format!("잠김: {needs}단계 먼저"),
        StepState::Available => "지금 할 수 있음".to_owned(),
        StepState::Pending { usual_minutes: Some(minutes), .. } => {
            format!("확인됨, 검토 중 (보통 {})", (COMMON.about)(*minutes))
        }
        StepState::Pending { .. } => "확인됨, 검토 중".to_owned(),
        StepState::Rewarded { amount: 0, .. } => format!("완료, {date}"),
        StepState::Rewarded { .. } => format!("{amount} 지급, {date}"),
        StepState::Rejected { .. } => format!("인정되지 않음, {date}"),
        StepState::Expired { .. } => format!("기한 지남, {date}"),
        StepState::Reversed { .. } => format!("{amount} 회수, {date}"),
    }
}

fn why(why: Why) -> Fixed {
    match why {
        Why::TooLate => "기한이 지난 뒤에 완료되었습니다.",
        Why::NotNew => {
            "이전에 사용한 앱이나 계정입니다. 이 단계는 신규 이용자만 참여할 수 있습니다."
        }
        Why::Repeated => "이미 인정된 참여입니다.",
        Why::NotByThisLink => {
            "이 페이지의 버튼으로 진행되지 않았습니다. 다음 단계는 버튼으로 진행해 주십시오."
        }
        Why::NotConfirmed => "광고주가 참여를 확인하지 않았습니다.",
        Why::WrongAnswer => "정답이 아니며 남은 기회가 없습니다.",
        Why::LimitReached => "참여 한도에 도달했습니다. 다른 단계는 계속 인정됩니다.",
        Why::Cancelled => "구매 또는 가입이 취소되었습니다.",
        Why::Mistake => "잘못 지급된 리워드입니다.",
        Why::RuleBroken => "미션의 참여 조건을 지키지 않았습니다.",
        Why::Unstated => "광고주가 사유를 알리지 않았습니다.",
    }
}

fn empty(empty: Empty, date: Option<&str>) -> Advice {
    match empty {
        Empty::AllDone(_) => Advice::new(
            "지금은 모두 마쳤습니다",
            "참여할 수 있는 미션을 모두 시작했거나 완료했습니다.",
            &date.map_or_else(
                || "새 미션이 자주 나옵니다. 내일 다시 확인해 주십시오.".to_owned(),
                |date| format!("{date}에 새 미션이 열립니다."),
            ),
        ),
        Empty::Region => Advice::new(
            "아직 이 지역의 미션이 없습니다",
            "지금 이 국가에서 참여할 수 있는 미션이 없습니다.",
            "새 미션은 여기에 바로 표시됩니다. 내일 다시 확인해 주십시오.",
        ),
        Empty::Device => Advice::new(
            "이 기기에 맞는 미션이 없습니다",
            "열려 있는 미션은 다른 운영체제나 더 새로운 버전이 필요합니다.",
            "운영체제를 업데이트하거나 다른 기기에서 이 페이지를 열어 주십시오.",
        ),
        Empty::Kind(kind) => Advice::new(
            &format!("지금은 {} 미션이 없습니다", (COMMON.kind)(kind)),
            "모두 종료되었거나 이 기기에 맞지 않습니다.",
            "다른 미션을 확인해 주십시오.",
        ),
        Empty::Tracking => Advice::new(
            "광고 ID가 꺼져 있습니다",
            "광고 ID가 없으면 앱에서 한 활동을 확인할 수 없어 지급할 수 없습니다.",
            "기기의 개인 정보 보호 설정에서 켠 뒤 이 페이지를 다시 열어 주십시오.",
        ),
        Empty::Age => Advice::new(
            "연령에 맞는 미션이 없습니다",
            "열려 있는 미션은 더 높은 연령을 위한 것입니다.",
            "연령에 맞는 미션은 여기에 바로 표시됩니다.",
        ),
    }
}

fn refused(refusal: Refusal, date: &str, app: &str) -> Advice {
    match refusal {
        Refusal::NotEligible(why) => Advice::new(
            "참여할 수 없는 미션입니다",
            not_eligible(why),
            "시작되지 않았으며 달라진 것은 없습니다.",
        ),
        Refusal::AlreadyDone => Advice::new(
            "이미 참여한 미션입니다",
            "한 사람이 한 번만 참여할 수 있습니다. 받은 리워드는 그대로 있습니다.",
            "받은 리워드는 ‘내 리워드’에서 확인할 수 있습니다.",
        ),
        Refusal::Exhausted(Some(_)) => Advice::new(
            "지금은 자리가 모두 찼습니다",
            "준비된 자리보다 많은 분이 이 미션을 시작했습니다.",
            &format!("{date}에 새 자리가 열립니다."),
        ),
        Refusal::Exhausted(None) => Advice::new(
            "자리가 모두 찼습니다",
            "준비된 자리보다 많은 분이 이 미션을 시작했습니다.",
            "이미 시작한 미션에는 영향이 없습니다.",
        ),
        Refusal::Closed => Advice::new(
            "종료된 미션입니다",
            "시작하기 전에 미션이 종료되었습니다.",
            "이미 시작한 미션은 계속 진행되고 지급됩니다.",
        ),
        Refusal::Blocked => Advice::new(
            "지금은 미션을 시작할 수 없습니다",
            "계정에서 평소와 다른 활동이 보여 참여를 잠시 멈추었습니다.",
            &format!("잘못된 조치라면 {app} 고객 지원에 문의해 주십시오."),
        ),
    }
}

fn not_eligible(why: Ineligible) -> Fixed {
    match why {
        Ineligible::Region => "다른 지역을 위한 미션입니다.",
        Ineligible::Device => "다른 기기나 더 새로운 운영체제가 필요합니다.",
        Ineligible::Age => "다른 연령을 위한 미션입니다.",
        Ineligible::NotNew => "앱을 사용한 적이 없는 분만 참여할 수 있습니다.",
        Ineligible::Tracking => {
            "광고 ID가 필요합니다. 기기의 개인 정보 보호 설정에서 켤 수 있습니다."
        }
        Ineligible::Unstated => "다른 이용자를 위한 미션입니다.",
    }
}
