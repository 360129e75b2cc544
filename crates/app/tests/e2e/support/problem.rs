//! What is checked of every refusal, whatever it is about.

use super::http::{Answer, Client, Request};

/// A request that has to be refused.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) request: Request,
    pub(crate) status: u16,
    pub(crate) code: &'static str,
}

/// A row of a table.
pub(crate) fn case(name: &'static str, request: Request, status: u16, code: &'static str) -> Case {
    Case { name, request, status, code }
}

/// Sends every request of the table and checks its refusal.
pub(crate) async fn refuses(client: &Client, cases: Vec<Case>) {
    for Case { name, request, status, code } in cases {
        let answer = client.send(&request).await;
        let told = (answer.status, answer.text());
        assert_eq!((told.0, problem_code(&answer)), (status, code.to_owned()), "{name}: {told:?}");
    }
}

/// Checks that an answer is a problem as RFC 9457 and we describe it, and gives its code.
#[track_caller]
pub(crate) fn problem_code(answer: &Answer) -> String {
    let text = answer.text();
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{text}");
    let problem = answer.json();
    let word = |name: &str| {
        let word = problem[name].as_str().unwrap_or_else(|| panic!("no {name} in {text}"));
        assert!(!word.is_empty(), "an empty {name} in {text}");
        word.to_owned()
    };
    let code = word("code");
    assert_eq!(word("type"), format!("urn:guerdon:problem:{code}"));
    assert_eq!(problem["status"], answer.status, "{text}");
    assert_eq!(Some(word("request_id").as_str()), answer.header("x-request-id"), "{text}");
    assert!(word("detail").contains(' ') && !word("title").is_empty(), "{text}");
    assert!(answer.status < 500, "{text}");
    code
}
