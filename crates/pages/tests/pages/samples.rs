//! Every sample of every page renders to sound HTML that holds nothing it should not.

use pages::page::{CachePolicy, Page, render};
use pages::{MissionDetail, MissionList, Notice, Wallet};
use scraper::{Html, Selector};

/// Decided with the page's weight: the HTML of one page on a slow phone.
const PAGE_BYTES_MAX: usize = 64 * 1024;

#[test]
fn every_sample_renders() {
    check::<MissionList>();
    check::<MissionDetail>();
    check::<Wallet>();
    check::<Notice>();
}

fn check<P: Page>() {
    let samples = P::samples();
    assert!(samples.len() >= 5, "{}", P::NAME);
    for sample in samples {
        let name = format!("{} {}", P::NAME, sample.name);
        let rendered = render(&sample.page).unwrap();
        assert!(rendered.body.len() <= PAGE_BYTES_MAX, "{name}: {} bytes", rendered.body.len());
        assert_eq!(rendered.etag.is_some(), sample.page.cache() == CachePolicy::Revalidate);
        sound(&name, &rendered.body);
    }
}

fn sound(name: &str, body: &str) {
    let page = Html::parse_document(body);
    assert_eq!(page.errors, Vec::<String>::new(), "{name}");
    let all = |selector: &str| page.select(&Selector::parse(selector).unwrap()).count();
    assert_eq!(all("h1"), 1, "{name}");
    assert_eq!(all("main"), 1, "{name}");
    assert_eq!(all("breakout, script, style, [style], [onclick], [onmouseover]"), 0, "{name}");
    assert_eq!(all("a[href^='javascript:'], [src^='data:']"), 0, "{name}");
    assert_eq!(all("img:not([alt])"), 0, "{name}");
    let forms = Selector::parse("form").unwrap();
    let guards = Selector::parse("input[name=csrf], input[name=idempotency_key]").unwrap();
    for form in page.select(&forms) {
        assert_eq!(form.select(&guards).count(), 2, "{name}");
    }
    let with_id = Selector::parse("[id]").unwrap();
    let mut ids: Vec<_> = page.select(&with_id).filter_map(|one| one.attr("id")).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "{name}: an id is there twice");
}
