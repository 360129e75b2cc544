//! A browser without scripts: follows redirects, keeps a cookie, fills in forms.

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use scraper::{Html, Selector};
use tower::ServiceExt;

/// Most redirects that are followed.
const HOPS_MAX: usize = 5;

/// One tab.
pub(crate) struct Browser {
    router: Router,
    cookie: Option<String>,
    /// Whether cookies are kept at all.
    pub(crate) keeps_cookies: bool,
    /// Sent with each request.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Where it is, or where it was sent outside.
    pub(crate) at: String,
    /// The last answer.
    pub(crate) status: u16,
    pub(crate) answer: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            cookie: None,
            keeps_cookies: true,
            headers: vec![("accept-language", "en".to_owned())],
            at: String::new(),
            status: 0,
            answer: HeaderMap::new(),
            body: String::new(),
        }
    }

    /// Opens an address and follows where it leads, as long as that is here.
    pub(crate) async fn get(&mut self, address: &str) {
        self.request("GET", address, String::new()).await;
        self.follow().await;
    }

    /// Opens an address and stays at its answer.
    pub(crate) async fn get_only(&mut self, address: &str) {
        self.request("GET", address, String::new()).await;
    }

    /// Sends fields as a form, and follows.
    pub(crate) async fn post(&mut self, address: &str, fields: &[(String, String)]) {
        self.request("POST", address, serde_urlencoded::to_string(fields).unwrap()).await;
        self.follow().await;
    }

    /// Sends the form of this page whose address ends so, with more fields filled in.
    pub(crate) async fn submit(&mut self, action: &str, more: &[(&str, &str)]) {
        let (address, mut fields) = self.form(action);
        fields.extend(more.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        self.post(&address, &fields).await;
    }

    /// The address and the hidden fields of a form of this page.
    pub(crate) fn form(&self, action: &str) -> (String, Vec<(String, String)>) {
        let page = self.page();
        let forms = Selector::parse("form[method=post]").unwrap();
        let is_wanted = |address: &str| address.ends_with(action);
        let form = page.select(&forms).find(|form| is_wanted(form.attr("action").unwrap()));
        let form = form.unwrap_or_else(|| panic!("no form {action} in {}", self.body));
        let hidden = Selector::parse("input[type=hidden]").unwrap();
        let field = |input: scraper::ElementRef<'_>| {
            let value = |name| input.attr(name).unwrap().to_owned();
            (value("name"), value("value"))
        };
        (form.attr("action").unwrap().to_owned(), form.select(&hidden).map(field).collect())
    }

    /// The texts of all elements that fit, with single spaces.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let page = self.page();
        let selector = Selector::parse(selector).unwrap();
        let text = |element: scraper::ElementRef<'_>| {
            let whole: String = element.text().collect();
            whole.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        page.select(&selector).map(text).collect()
    }

    /// The text of the only element that fits.
    pub(crate) fn text(&self, selector: &str) -> String {
        let texts = self.texts(selector);
        assert_eq!(texts.len(), 1, "{selector}: {texts:?} in {}", self.body);
        texts[0].clone()
    }

    /// An attribute of all elements that fit.
    pub(crate) fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let page = self.page();
        let selector = Selector::parse(selector).unwrap();
        let found = page.select(&selector).filter_map(|element| element.attr(name));
        found.map(str::to_owned).collect()
    }

    /// A header of the last answer.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.answer.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn page(&self) -> Html {
        Html::parse_document(&self.body)
    }

    async fn follow(&mut self) {
        for _ in 0..HOPS_MAX {
            if self.status != 303 {
                return;
            }
            let next = self.header(LOCATION.as_str()).to_owned();
            if !next.starts_with('/') {
                self.at = next;
                return;
            }
            self.request("GET", &next, String::new()).await;
        }
        panic!("too many redirects, the last to {}", self.at);
    }

    async fn request(&mut self, method: &str, address: &str, body: String) {
        let mut request = Request::builder().method(method).uri(address);
        if method == "POST" {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        self.at = address.to_owned();
        self.status = parts.status.as_u16();
        self.answer = parts.headers;
        self.body = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        let set = self.answer.get(SET_COOKIE).filter(|_| self.keeps_cookies);
        if let Some(set) = set {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(pair.to_owned());
        }
    }
}
