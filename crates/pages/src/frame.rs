//! What every page shares: language, look, currency, time.

use crate::assets;
use crate::paths::{self, Links};
use crate::plain::Plain;
use crate::text::{Currency, Lang, Left, Texts, Zone, machine_time};
use crate::theme::Theme;

/// The frame of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Language of all our texts.
    pub lang: Lang,
    /// Name of the app; nothing when no session tells it.
    pub app_name: Option<Plain>,
    /// Its look.
    pub theme: Theme,
    /// Its points.
    pub currency: Currency,
    /// The user's time zone.
    pub zone: Zone,
    /// The moment of the request, unix milliseconds.
    pub now: i64,
    /// Where its links lead.
    pub links: Links,
}

/// A moment, ready for a `<time>` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) machine: String,
    pub(crate) text: String,
}

/// Time that is left, ready for a `<time>` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimeLeft {
    pub(crate) machine: String,
    pub(crate) text: String,
    pub(crate) soon: bool,
}

impl Frame {
    /// The frame of a page that no session stands behind.
    pub fn anonymous(lang: Lang, now: i64) -> Self {
        let currency = Currency { name: Plain::new("P"), minor_units: 0 };
        Self {
            lang,
            app_name: None,
            theme: Theme::default(),
            currency,
            zone: Zone::default(),
            now,
            links: Links::default(),
        }
    }

    /// The catalogue of the page's language.
    pub(crate) fn texts(&self) -> &'static Texts {
        self.lang.texts()
    }

    pub(crate) fn stylesheet(&self) -> String {
        paths::ASSET.replace("{name}", &assets::stylesheet().name)
    }

    pub(crate) fn points(&self, amount: &i64) -> String {
        self.currency.format(*amount)
    }

    pub(crate) fn gain(&self, amount: &i64) -> String {
        self.currency.gain(*amount)
    }

    /// The name to call the app by, in a sentence.
    pub(crate) fn app_in_a_sentence(&self) -> &str {
        match &self.app_name {
            Some(name) => name.as_str(),
            None => self.texts().common.the_app,
        }
    }

    /// A date with its time; today's are just called so.
    pub(crate) fn date(&self, at: i64) -> String {
        let Some(local) = self.zone.local(at) else {
            return String::new();
        };
        let common = &self.texts().common;
        let today = self.zone.local(self.now).map(|now| now.date());
        if today == Some(local.date()) {
            (common.today)(&local)
        } else {
            (common.date_time)(&local)
        }
    }

    pub(crate) fn when(&self, at: &i64) -> When {
        When { machine: machine_time(*at), text: self.date(*at) }
    }

    pub(crate) fn left(&self, deadline: &i64) -> TimeLeft {
        let left = Left::until(*deadline, self.now);
        TimeLeft {
            machine: machine_time(*deadline),
            text: (self.texts().common.left)(left),
            soon: left.is_soon(),
        }
    }

    pub(crate) fn times_in(&self) -> String {
        (self.texts().common.times_in)(&self.zone.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 23 November 2026, 05:02:09 UTC; 14:02 in Seoul.
    const AT: i64 = 1_795_410_129_000;
    const DAY_MS: i64 = 86_400_000;

    fn frame(lang: Lang) -> Frame {
        let zone = Zone { offset_minutes: 540, name: Some(Plain::new("KST")) };
        Frame { zone, ..Frame::anonymous(lang, AT) }
    }

    #[test]
    fn dates_by_language() {
        let cases = [
            (Lang::Ko, "2026. 11. 22. 14:02", "오늘 14:02"),
            (Lang::Ja, "2026年11月22日 14:02", "今日 14:02"),
            (Lang::En, "22 Nov 2026, 14:02", "Today 14:02"),
        ];
        for (lang, yesterday, today) in cases {
            assert_eq!(frame(lang).date(AT - DAY_MS), yesterday);
            assert_eq!(frame(lang).date(AT), today);
        }
    }

    #[test]
    fn time_left_by_language() {
        let deadline = AT + 5 * DAY_MS + 3 * 3_600_000;
        let cases =
            [(Lang::Ko, "5일 3시간 남음"), (Lang::Ja, "残り5日3時間"), (Lang::En, "5d 03h left")];
        for (lang, text) in cases {
            let left = frame(lang).left(&deadline);
            assert_eq!(left.text, text);
            assert_eq!(left.machine, "2026-11-28T08:02:09Z");
            assert!(!left.soon);
        }
    }

    #[test]
    fn moments_beyond_the_calendar_are_left_out() {
        assert_eq!(frame(Lang::En).date(i64::MAX), "");
    }
}
