//! Korean particles, which depend on whether a word ends in a consonant.

/// A pair of particles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Particle {
    /// 은/는
    Topic,
    /// 이/가
    Subject,
    /// 을/를
    Object,
    /// 으로/로
    Toward,
}

/// How a word ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Vowel,
    /// The consonant ㄹ, which takes 로.
    Rieul,
    Consonant,
    /// Nobody can tell from the letters: both forms are shown.
    Unknown,
}

/// First and last precomposed syllable, and how many there are per vowel.
const SYLLABLES: std::ops::RangeInclusive<char> = '가'..='힣';
const FINALS: u32 = 28;
const FINAL_RIEUL: u32 = 8;

/// The word with its particle: `미션` and 을/를 is `미션을`.
pub(crate) fn with(word: &str, particle: Particle) -> String {
    format!("{word}{}", of(word, particle))
}

/// The particle that follows this word.
pub(crate) fn of(word: &str, particle: Particle) -> &'static str {
    use Ending::{Consonant, Rieul, Unknown, Vowel};
    match (particle, ending(word)) {
        (Particle::Topic, Vowel) => "는",
        (Particle::Topic, Rieul | Consonant) => "은",
        (Particle::Topic, Unknown) => "은(는)",
        (Particle::Subject, Vowel) => "가",
        (Particle::Subject, Rieul | Consonant) => "이",
        (Particle::Subject, Unknown) => "이(가)",
        (Particle::Object, Vowel) => "를",
        (Particle::Object, Rieul | Consonant) => "을",
        (Particle::Object, Unknown) => "을(를)",
        (Particle::Toward, Vowel | Rieul) => "로",
        (Particle::Toward, Consonant) => "으로",
        (Particle::Toward, Unknown) => "(으)로",
    }
}

/// Looks at the last character that is spoken: closing quotes and brackets are not.
fn ending(word: &str) -> Ending {
    let Some(last) = word.chars().rfind(|c| c.is_alphanumeric()) else {
        return Ending::Unknown;
    };
    if SYLLABLES.contains(&last) {
        return match (u32::from(last) - u32::from('가')) % FINALS {
            0 => Ending::Vowel,
            FINAL_RIEUL => Ending::Rieul,
            _ => Ending::Consonant,
        };
    }
    match last {
        // 영 일 이 삼 사 오 육 칠 팔 구
        '1' | '7' | '8' => Ending::Rieul,
        '0' | '3' | '6' => Ending::Consonant,
        '2' | '4' | '5' | '9' => Ending::Vowel,
        letter if is_spelled(word) => letter_ending(letter),
        _ => Ending::Unknown,
    }
}

/// A word in capitals is read letter by letter: `P` is 피, `VIP` is 브이아이피.
fn is_spelled(word: &str) -> bool {
    word.chars().filter(|c| c.is_alphabetic()).all(|c| c.is_ascii_uppercase())
}

fn letter_ending(letter: char) -> Ending {
    match letter {
        // 엘 and 알
        'L' | 'R' => Ending::Rieul,
        // 엠 and 엔
        'M' | 'N' => Ending::Consonant,
        _ => Ending::Vowel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn particles() {
        use Particle::{Object, Subject, Topic, Toward};
        let cases = [
            ("미션", Object, "미션을"),
            ("리워드", Object, "리워드를"),
            ("앱", Topic, "앱은"),
            ("퀴즈", Topic, "퀴즈는"),
            ("단계", Subject, "단계가"),
            ("상점", Toward, "상점으로"),
            ("서울", Toward, "서울로"),
            ("앱스토어", Toward, "앱스토어로"),
            ("레벨 10", Object, "레벨 10을"),
            ("레벨 21", Toward, "레벨 21로"),
            ("레벨 5", Subject, "레벨 5가"),
            ("VIP", Topic, "VIP는"),
            ("ATM", Subject, "ATM이"),
            ("Idle Farm", Object, "Idle Farm을(를)"),
            ("‘아이들 팜’", Object, "‘아이들 팜’을"),
            ("!?", Toward, "!?(으)로"),
        ];
        for (word, particle, text) in cases {
            assert_eq!(with(word, particle), text);
        }
    }
}
