//! How often somebody may ask. Who asks too often gets `429` with `Retry-After` and nothing is done.
//!
//! A publisher's server is counted by its app, a user by himself, and whoever is neither by his
//! address. Operators are not counted, and neither are partners' postbacks: a conversion that is turned
//! away may never come again. Off unless rates are configured; then nodes that share a Redis count
//! together.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum_extra::extract::cookie::CookieJar;
use engine::{Allowance, Asker, Ctx};

use crate::auth::{SESSION_COOKIE, bearer};
use crate::problem::Problem;
use crate::state::Api;

/// Requests that were turned away because who asked had asked too often, by `who`.
const LIMITED: &str = "guerdon_http_requests_limited_total";

/// The address that a request came from, which the server may put into its extensions. Without it
/// nobody is limited by his address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClientAddress(pub IpAddr);

/// Whose token a request takes, if anybody's.
pub(crate) fn asker(
    api: &Api,
    path: &str,
    headers: &HeaderMap,
    address: Option<ClientAddress>,
) -> Option<Asker> {
    if api.engine().has_rate_limits() { counted(api, path, headers, address) } else { None }
}

/// Why a request is not let in: who asks has no token left.
pub(crate) async fn refusal(api: &Api, asker: Asker) -> Option<Problem> {
    match api.engine().admit(asker).await {
        Allowance::Allowed => None,
        Allowance::Refused { retry_after } => {
            metrics::counter!(LIMITED, "who" => name(asker)).increment(1);
            Some(rate_limited(retry_after))
        }
    }
}

fn counted(
    api: &Api,
    path: &str,
    headers: &HeaderMap,
    address: Option<ClientAddress>,
) -> Option<Asker> {
    if is_exempt(path) {
        return None;
    }
    if let Some(token) = token(headers) {
        if let Some(session) = api.engine().session(&Ctx::at(api.now()), &token) {
            return Some(Asker::User(session.user));
        }
        if let Some((app, mode)) = api.engine().app_of_key(&token) {
            return Some(Asker::App(app, mode));
        }
        if api.admin(&token).is_some() {
            return None;
        }
    }
    Some(Asker::Address(address?.0))
}

/// What is asked by machines that watch, or must not be lost.
fn is_exempt(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/metrics") || path.starts_with("/v1/postbacks/")
}

fn token(headers: &HeaderMap) -> Option<String> {
    if let Some(token) = bearer(headers) {
        return Some(token.to_owned());
    }
    Some(CookieJar::from_headers(headers).get(SESSION_COOKIE)?.value().to_owned())
}

fn name(asker: Asker) -> &'static str {
    match asker {
        Asker::App(..) => "app",
        Asker::User(_) => "user",
        Asker::Address(_) => "address",
    }
}

fn rate_limited(retry_after: Duration) -> Problem {
    let seconds = retry_after.as_millis().div_ceil(1_000).max(1);
    let detail = "You have asked too often; nothing was recorded. Send the same request again after \
                  Retry-After seconds.";
    let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
    problem.retry_after = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_whole_seconds_that_are_long_enough() {
        for (millis, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_999, 60)] {
            let problem = rate_limited(Duration::from_millis(millis));
            assert_eq!(problem.retry_after, Some(seconds), "{millis}");
        }
    }
}
