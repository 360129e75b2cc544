//! The invented app and missions of the samples, in each language.

use crate::text::Lang;

/// Texts that an operator would have written.
pub(crate) struct Words {
    pub(crate) app: &'static str,
    pub(crate) currency: &'static str,
    /// Title and summary: game, sign-up, quiz, check-in, visit, purchase.
    pub(crate) offers: [(&'static str, &'static str); 6],
    /// Title and description of the game's steps.
    pub(crate) steps: [(&'static str, &'static str); 8],
    pub(crate) bonus: (&'static str, &'static str),
    pub(crate) install: &'static str,
    pub(crate) conditions: [&'static str; 3],
    pub(crate) fine_print: [&'static str; 2],
    pub(crate) question: &'static str,
    pub(crate) answers: [&'static str; 4],
}

pub(crate) fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::En => &EN,
        Lang::Ja => &JA,
        Lang::Ko => &KO,
    }
}

static EN: Words = Words {
    app: "Haru Rewards",
    currency: "P",
    offers: [
        ("Idle Farm", "Grow your farm up to level 40"),
        ("Narae Bank account", "Open an account in ten minutes"),
        ("Coffee quiz of the day", "Answer one question about coffee"),
        ("Seven days in a row", "Come back every day for a week"),
        ("Winter sale at Onda", "Look at the sale for 30 seconds"),
        ("First order at Dal Market", "Order fresh food for 20 euros or more"),
    ],
    steps: [
        ("Install and open", "Install the game and open it once while you are online."),
        ("Finish the tutorial", "Plant and harvest your first field."),
        ("Reach level 5", "Usually takes 20 minutes."),
        ("Reach level 10", "The mill opens at level 8 and makes it quicker."),
        ("Build the market", "It costs 2,000 coins in the game."),
        ("Reach level 20", "Usually takes two days."),
        ("Reach level 30", "Usually takes a week."),
        ("Reach level 40", "The end of the mission."),
    ],
    bonus: ("Buy the starter pack", "Any purchase in the game counts once."),
    install: "Install",
    conditions: [
        "Only for people who have never installed the game.",
        "One device and one account per person.",
        "Emulators and copied apps do not count.",
    ],
    fine_print: [
        "Idle Farm is made by an independent studio, which measures the steps and confirms them to \
         us. Steps are confirmed within 24 hours in nearly all cases.",
        "Rewards for purchases that are refunded are taken back.",
    ],
    question: "Which country drinks the most coffee per person?",
    answers: ["Finland", "Brazil", "Italy", "Ethiopia"],
};

static KO: Words = Words {
    app: "하루 리워드",
    currency: "포인트",
    offers: [
        ("아이들 팜", "농장을 40레벨까지 키우기"),
        ("나래은행 계좌 만들기", "10분이면 계좌 개설 완료"),
        ("오늘의 커피 퀴즈", "커피에 관한 문제 하나 풀기"),
        ("7일 연속 출석", "일주일 동안 매일 방문하기"),
        ("온다 겨울 세일", "세일 페이지를 30초 동안 둘러보기"),
        ("달마켓 첫 주문", "신선식품을 3만 원 이상 주문하기"),
    ],
    steps: [
        ("설치하고 실행하기", "게임을 설치하고 인터넷에 연결된 상태에서 한 번 실행합니다."),
        ("튜토리얼 마치기", "첫 번째 밭에 씨를 뿌리고 수확합니다."),
        ("레벨 5 달성", "보통 20분 걸립니다."),
        ("레벨 10 달성", "레벨 8에 방앗간이 열리면 더 빨라집니다."),
        ("시장 짓기", "게임 안에서 2,000코인이 필요합니다."),
        ("레벨 20 달성", "보통 이틀 걸립니다."),
        ("레벨 30 달성", "보통 일주일 걸립니다."),
        ("레벨 40 달성", "미션의 마지막 단계입니다."),
    ],
    bonus: ("스타터 팩 구매", "게임 안에서 한 번 구매하면 인정됩니다."),
    install: "설치하기",
    conditions: [
        "게임을 설치한 적이 없는 분만 참여할 수 있습니다.",
        "한 사람이 기기 한 대, 계정 하나로 참여할 수 있습니다.",
        "에뮬레이터와 복제 앱은 인정되지 않습니다.",
    ],
    fine_print: [
        "아이들 팜은 외부 개발사의 게임이며, 개발사가 각 단계를 측정해 알려 줍니다. 거의 모든 단계는 24시간 안에 확정됩니다.",
        "환불된 구매의 리워드는 회수됩니다.",
    ],
    question: "1인당 커피를 가장 많이 마시는 나라는 어디입니까?",
    answers: ["핀란드", "브라질", "이탈리아", "에티오피아"],
};

static JA: Words = Words {
    app: "ハルリワード",
    currency: "ポイント",
    offers: [
        ("アイドルファーム", "農場をレベル40まで育てる"),
        ("ナラエ銀行の口座開設", "10分で口座を開設できます"),
        ("今日のコーヒークイズ", "コーヒーの問題に1問答える"),
        ("7日連続チェックイン", "1週間、毎日アクセスする"),
        ("オンダの冬セール", "セールのページを30秒見る"),
        ("ダルマーケット初回注文", "生鮮食品を3,000円以上注文する"),
    ],
    steps: [
        ("インストールして開く", "ゲームをインストールし、オンラインの状態で一度開きます。"),
        ("チュートリアルを終える", "最初の畑に種をまき、収穫します。"),
        ("レベル5に到達", "通常20分かかります。"),
        ("レベル10に到達", "レベル8で製粉所が開くと早くなります。"),
        ("市場を建てる", "ゲーム内で2,000コイン必要です。"),
        ("レベル20に到達", "通常2日かかります。"),
        ("レベル30に到達", "通常1週間かかります。"),
        ("レベル40に到達", "ミッションの最後です。"),
    ],
    bonus: ("スターターパックを購入", "ゲーム内で1回購入するとカウントされます。"),
    install: "インストール",
    conditions: [
        "ゲームをインストールしたことがない方が対象です。",
        "お一人につき端末1台、アカウント1つまでです。",
        "エミュレーターや複製アプリは対象外です。",
    ],
    fine_print: [
        "アイドルファームは外部の開発会社のゲームです。開発会社が各ステップを計測し、当方に知らせます。ほとんどのステップは24時間以内に確定します。",
        "返金された購入のリワードは取り消されます。",
    ],
    question: "1人あたりのコーヒー消費量が最も多い国はどこですか。",
    answers: ["フィンランド", "ブラジル", "イタリア", "エチオピア"],
};
