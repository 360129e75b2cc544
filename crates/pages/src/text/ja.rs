//! Japanese, in です・ます throughout.

use super::moment::in_hours;
use super::number::grouped;
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
    missions: "ミッション",
    rewards: "獲得リワード",
    skip: "本文へ移動",
    menu: "メインメニュー",
    back: "ミッション一覧",
    times_in: |zone| format!("時刻は{zone}で表示しています。"),
    date_time: |at| at.strftime("%Y年%-m月%-d日 %H:%M").to_string(),
    today: |at| format!("今日 {}", at.strftime("%H:%M")),
    left,
    about: |minutes| match in_hours(minutes) {
        None => format!("約{minutes}分"),
        Some(hours) => format!("約{hours}時間"),
    },
    seconds: |n| format!("{}秒", grouped(u64::from(n))),
    kind,
    the_app: "アプリ",
};

const CARD: Card = Card {
    steps: |n| format!("全{n}ステップ"),
    first: |reward, time| match time {
        Some(time) => format!("{time}で最初の{reward}"),
        None => format!("最初の{reward}"),
    },
    up_to_days: |n| format!("最長{n}日"),
    new_users_only: "新規の方のみ",
    payment_needed: "支払いあり",
    no_payment: "支払いなし",
    min_age: |age| format!("{age}歳以上"),
    os,
    tracking: "広告IDオン",
    boosted: "増量中",
    boosted_until: |date| format!("{date}まで増量"),
    usually: "通常のリワード",
    requirements: "参加条件",
};

const LIST: List = List {
    earnable: "いま獲得できるリワード",
    earned: "これまでの獲得",
    in_progress: "進行中",
    for_you: "おすすめ",
    kinds: "ミッションの種類",
    all: "すべて",
    steps_done: |done, total| format!("{total}ステップ中{done}完了"),
    earned_of: |earned, total| format!("{earned} / {total}"),
    next: "次",
    checking: |n| format!("確認中のステップ{n}件"),
    go_on: "続ける",
    look: "見る",
    more: "ミッションをもっと見る",
    empty,
    see_all: "すべてのミッションを見る",
    see_rewards: "獲得リワードを見る",
};

const DETAIL: Detail = Detail {
    total: "リワード合計",
    earned: "獲得済み",
    steps: "ステップ",
    bonus: "ボーナスステップ",
    bonus_hint: "行わなくてもミッションは完了します。完了するとリワードが増えます。",
    how: "カウントのしくみ",
    how_in_app: [
        "ストアで検索せず、このページのボタンからインストールしてください。",
        "トラッキングの許可を求められたら許可してください。許可がないと確認できません。",
        "アプリをはじめて開くときは、2分間オンラインのままにしてください。",
    ],
    how_on_web: [
        "このページのボタンから移動し、同じブラウザーで進めてください。",
        "確認されるまで、プライベートウィンドウやブロッカーを使わないでください。",
        "各ステップに表示された時間内に完了してください。",
    ],
    how_here: [
        "すべてこのページで行います。インストールは必要ありません。",
        "ここで完了すると、すぐにカウントされます。",
        "リワードはステップごとに1回、または表示された回数だけ支払われます。",
    ],
    conditions: "参加条件",
    fine_print: "注意事項",
    locked_terms: "リワードと期限は、開始した時点の条件のまま変わりません。",
    start,
    go_on: "続ける",
    to_step: |n| format!("ステップ{n}へ"),
    opens_outside: "ページの外で開きます",
    nothing_opened: |host| match host {
        Some(host) => format!("開かない場合は{host}へ"),
        None => "開かない場合はこちらのリンクへ".to_owned(),
    },
    next_title: "これからの流れ",
    next_in_app: [
        "下のボタンでストアを開き、アプリをインストールします。",
        "オンラインの状態でアプリを一度開きます。",
        "このページに戻ります。確認でき次第、最初のステップに「確認できました」と表示されます。",
    ],
    next_on_web: [
        "下のボタンでページを開きます。",
        "最初のステップの案内どおりに進めます。",
        "このページに戻ります。確認でき次第、「確認できました」と表示されます。",
    ],
    next_here: [
        "下の最初のステップを行います。",
        "すぐにカウントされ、「獲得リワード」に表示されます。",
        "残りのステップは、期限内ならいつでも続けられます。",
    ],
    completed: "ミッションを完了しました。おつかれさまでした。",
    waiting: "いま行うことはありません。内容を確認しています。",
    expired: "このミッションの期限は終わりました。",
    ended: "このミッションは終了しました。",
    see_others: "ほかのミッションを見る",
    flash_started: |title| format!("「{title}」を開始しました。リワードはこの条件で確定しました。"),
    flash_visit: "時間の計測を始めました。ページを開いてしばらく見たあと、戻って「見てきました」を押してください。",
    flash_wait: |n| {
        format!("あと{n}秒足りません。もう少し見てから、「見てきました」をもう一度押してください。")
    },
    flash_wrong: |left| match left {
        None => "正解ではありません。もう一度お試しください。".to_owned(),
        Some(0) => "正解ではありません。残りの回数がなくなりました。".to_owned(),
        Some(n) => format!("正解ではありません。あと{n}回答えられます。"),
    },
    flash_paid: "完了しました。リワードを獲得しました。",
    flash_checking: "確認できました。審査のうえ、確定し次第お支払いします。",
    flash_again: "すでにカウント済みのため、変更はありません。",
    flash_no_answer: "先に答えを選んでください。",
    nudge: |nudge| match nudge {
        Nudge::InstallNotSeen => {
            "インストールがまだ確認できていません。オンラインの状態でアプリを一度開くか、ここからもう一度続けてください。"
        }
        Nudge::CheckIsLate => {
            "確認に通常より時間がかかっています。記録は残っているので、やり直す必要はありません。"
        }
    },
};

const STEP: Step = Step {
    number: |n| format!("ステップ{n}"),
    state,
    why,
    until: |date| format!("{date}まで"),
    within_days: |n| format!("開始から{n}日以内"),
    times: |done, limit| format!("{limit}回中{done}回"),
    each: |reward| format!("1回 {reward}"),
    ask: "このステップについて問い合わせる",
    visit_hint: |seconds| format!("ページを{seconds}以上見てください。"),
    visit_start: "訪問を始める",
    visit_open: "ページを開く",
    visit_back: "見てきました",
    quiz_send: "答えを送る",
    tries_left: |n| format!("残り{n}回"),
    check_in: "今日のチェックイン",
    check_in_next: |date| format!("チェックインしました。次は{date}からです"),
};

const WALLET: Wallet = Wallet {
    balance: "残高",
    pending: "確認中",
    pending_hint: "確定し次第お支払いします。",
    tabs: "表示",
    tab: |tab| match tab {
        WalletTab::All => "すべて",
        WalletTab::Paid => "支払い済み",
        WalletTab::Checking => "確認中",
        WalletTab::NotCounted => "対象外",
        WalletTab::TakenBack => "取り消し",
    },
    entries: "履歴",
    older: "以前の履歴を見る",
    reference: "番号",
    empty: |tab, currency| match tab {
        WalletTab::All => Advice::new(
            &format!("{currency}はまだありません"),
            "完了したステップがここに表示されます。",
            "ミッションを選んでみてください。最初のステップは数分で終わるものが多くあります。",
        ),
        WalletTab::Paid => Advice::new(
            "支払い済みのリワードはまだありません",
            "ステップが確定し次第、ここに表示されます。",
            "まずミッションを選んでみてください。",
        ),
        _ => Advice::new(
            "履歴がありません",
            "この状態のステップはありません。",
            "ほかのタブをご覧ください。",
        ),
    },
    see_missions: "ミッションを見る",
};

const NOTICE: Notice = Notice {
    refused,
    session_expired: |app| {
        Advice::new(
            "ページをもう一度開いてください",
            "安全のため、時間がたつとページは閉じられます。進み具合とリワードは残っています。",
            &format!("{app}に戻り、ミッションを開き直してください。"),
        )
    },
    not_found: || {
        Advice::new(
            "ページが見つかりません",
            "アドレスが正しくないか、ミッションがなくなった可能性があります。",
            "参加できるミッションはすべて一覧にあります。",
        )
    },
    form_expired: || {
        Advice::new(
            "ページを開いてから時間がたちすぎました",
            "安全のため、ボタンは使えなくなりました。何も送信されていません。",
            "ミッションに戻り、もう一度ボタンを押してください。",
        )
    },
    too_fast: || {
        Advice::new(
            "少し間をあけてください",
            "短い時間にリクエストが集中しました。",
            "1分ほど待ってからお試しください。",
        )
    },
    maintenance: |app| {
        Advice::new(
            &format!("{app}はメンテナンス中です"),
            "ミッションを一時的に表示できません。開始したミッションは続いており、記録も残っています。",
            "数分後にもう一度お試しください。",
        )
    },
    server_error: || {
        Advice::new(
            "サーバーで問題が起きました",
            "進み具合とリワードは安全です。二重に処理されることはありません。",
            "少し待ってからもう一度お試しください。",
        )
    },
    retry: "もう一度試す",
    to_missions: "すべてのミッションを見る",
    to_mission: "ミッションに戻る",
    similar: "こちらのミッションはいかがですか",
    reference: "お問い合わせ番号:",
};

fn left(left: Left) -> String {
    match left {
        Left::Days { days, hours } => format!("残り{days}日{hours}時間"),
        Left::Hours { hours, minutes } => format!("残り{hours}時間{minutes}分"),
        Left::Minutes(0) => "残り1分未満".to_owned(),
        Left::Minutes(minutes) => format!("残り{minutes}分"),
        Left::Over => "期限切れ".to_owned(),
    }
}

fn kind(kind: Kind) -> Fixed {
    match kind {
        Kind::App => "アプリ",
        Kind::Game => "ゲーム",
        Kind::SignUp => "会員登録",
        Kind::Purchase => "ショッピング",
        Kind::Quiz => "クイズ",
        Kind::Visit => "訪問",
        Kind::CheckIn => "デイリー",
        Kind::Follow => "フォロー",
        Kind::Survey => "アンケート",
        Kind::Other => "その他",
    }
}

fn os(platform: Platform, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{} {version}以上", platform.name()),
        None => platform.name().to_owned(),
    }
}

fn start(kind: Kind) -> Fixed {
    match kind {
        Kind::App | Kind::Game => "インストール",
        Kind::SignUp => "登録する",
        Kind::Purchase => "買い物する",
        Kind::Quiz => "クイズを始める",
        Kind::Visit => "訪問を始める",
        Kind::CheckIn => "参加する",
        Kind::Follow => "フォローする",
        Kind::Survey => "アンケートを始める",
        Kind::Other => "始める",
    }
}

fn state(state: &StepState, amount: &str, date: &str) -> String {
    match state {
        StepState::Locked { needs } => format!("ロック中: 先にステップ{needs}へ"),
        StepState::Available => "いま行えます".to_owned(),
        StepState::Pending { usual_minutes: Some(minutes), .. } => {
            format!("確認できました。審査中(通常{})", (COMMON.about)(*minutes))
        }
        StepState::Pending { .. } => "確認できました。審査中".to_owned(),
        StepState::Rewarded { amount: 0, .. } => format!("完了、{date}"),
        StepState::Rewarded { .. } => format!("{amount} 支払い済み、{date}"),
        StepState::Rejected { .. } => format!("対象外、{date}"),
        StepState::Expired { .. } => format!("期限切れ、{date}"),
        StepState::Reversed { .. } => format!("{amount} 取り消し、{date}"),
    }
}

fn why(why: Why) -> Fixed {
    match why {
        Why::TooLate => "期限を過ぎてから完了しました。",
        Why::NotNew => {
            "以前に使われたアプリまたはアカウントです。このステップは新規の方が対象です。"
        }
        Why::Repeated => "すでにカウント済みです。",
        Why::NotByThisLink => {
            "このページのボタンから行われませんでした。次のステップはボタンから進めてください。"
        }
        Why::NotConfirmed => "広告主の確認が取れませんでした。",
        Why::WrongAnswer => "正解ではなく、残りの回数もありません。",
        Why::LimitReached => "上限に達しました。ほかのステップは引き続き対象です。",
        Why::Cancelled => "購入または登録が取り消されました。",
        Why::Mistake => "誤って支払われたリワードです。",
        Why::RuleBroken => "ミッションの条件が守られていませんでした。",
        Why::Unstated => "広告主から理由は示されていません。",
    }
}

fn empty(empty: Empty, date: Option<&str>) -> Advice {
    match empty {
        Empty::AllDone(_) => Advice::new(
            "いまはすべて完了しています",
            "参加できるミッションは、すべて開始済みか完了済みです。",
            &date.map_or_else(
                || "新しいミッションはよく追加されます。明日またご覧ください。".to_owned(),
                |date| format!("{date}に新しいミッションが始まります。"),
            ),
        ),
        Empty::Region => Advice::new(
            "この地域のミッションはまだありません",
            "現在、お住まいの国で参加できるミッションがありません。",
            "新しいミッションはここに表示されます。明日またご覧ください。",
        ),
        Empty::Device => Advice::new(
            "この端末で参加できるミッションがありません",
            "公開中のミッションには、別のOSまたは新しいバージョンが必要です。",
            "OSを更新するか、別の端末でこのページを開いてください。",
        ),
        Empty::Kind(kind) => Advice::new(
            &format!("いま「{}」のミッションはありません", (COMMON.kind)(kind)),
            "すべて終了したか、この端末では参加できません。",
            "ほかのミッションをご覧ください。",
        ),
        Empty::Tracking => Advice::new(
            "広告IDがオフになっています",
            "広告IDがないと、アプリでの行動を確認できず、お支払いできません。",
            "端末のプライバシー設定でオンにしてから、このページを開き直してください。",
        ),
        Empty::Age => Advice::new(
            "年齢に合うミッションがありません",
            "公開中のミッションは、より年上の方が対象です。",
            "年齢に合うミッションが始まると、ここに表示されます。",
        ),
    }
}

fn refused(refusal: Refusal, date: &str, app: &str) -> Advice {
    match refusal {
        Refusal::NotEligible(why) => Advice::new(
            "このミッションには参加できません",
            not_eligible(why),
            "開始されておらず、何も失われていません。",
        ),
        Refusal::AlreadyDone => Advice::new(
            "すでに参加したミッションです",
            "参加はお一人につき1回です。獲得したリワードは残っています。",
            "獲得したリワードは「獲得リワード」で確認できます。",
        ),
        Refusal::Exhausted(Some(_)) => Advice::new(
            "いまは満員です",
            "用意された枠を超える方が、このミッションを開始しました。",
            &format!("{date}に新しい枠が追加されます。"),
        ),
        Refusal::Exhausted(None) => Advice::new(
            "満員になりました",
            "用意された枠を超える方が、このミッションを開始しました。",
            "すでに開始したミッションへの影響はありません。",
        ),
        Refusal::Closed => Advice::new(
            "終了したミッションです",
            "開始する前に終了しました。",
            "すでに開始したミッションは続き、お支払いの対象です。",
        ),
        Refusal::Blocked => Advice::new(
            "いまはミッションを開始できません",
            "アカウントに通常と異なる動きが見られたため、一時的に停止しています。",
            &format!("お心当たりがない場合は、{app}のサポートにお問い合わせください。"),
        ),
    }
}

fn not_eligible(why: Ineligible) -> Fixed {
    match why {
        Ineligible::Region => "別の地域の方が対象です。",
        Ineligible::Device => "別の端末、または新しいOSが必要です。",
        Ineligible::Age => "別の年齢層の方が対象です。",
        Ineligible::NotNew => "アプリを使ったことがない方が対象です。",
        Ineligible::Tracking => "広告IDが必要です。端末のプライバシー設定でオンにできます。",
        Ineligible::Unstated => "別の方を対象としたミッションです。",
    }
}
