//! The requests of a run: made before it begins, drawn while it lasts.

use std::cell::Cell;
use std::net::SocketAddr;
use std::ops::Range;

/// Many requests in one piece of memory.
#[derive(Default)]
pub(crate) struct Requests {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Requests {
    /// Adds one.
    pub(crate) fn push(&mut self, request: &[u8]) {
        self.bytes.extend_from_slice(request);
        self.ends.push(self.bytes.len());
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[begin..end])
    }
}

impl FromIterator<Vec<u8>> for Requests {
    fn from_iter<I: IntoIterator<Item = Vec<u8>>>(requests: I) -> Self {
        let mut all = Self::default();
        for request in requests {
            all.push(&request);
        }
        all
    }
}

/// A request without a body; `headers` are whole lines with their ends.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{headers}\r\n").into_bytes()
}

/// A request with a JSON body; `headers` are whole lines with their ends.
pub(crate) fn post(address: SocketAddr, path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\n{headers}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The header line of a bearer key.
pub(crate) fn bearer(key: &str) -> String {
    format!("authorization: Bearer {key}\r\n")
}

/// Where callers take their requests from. All callers live on one thread.
pub(crate) struct Feed<'a> {
    requests: &'a Requests,
    order: Order,
}

enum Order {
    /// Any, again and again.
    Random(Draw),
    /// Each once.
    Once { next: Cell<usize>, end: usize },
}

impl<'a> Feed<'a> {
    /// Draws at random and never ends; the same draws in each run.
    pub(crate) fn random(requests: &'a Requests) -> Self {
        Self { requests, order: Order::Random(Draw::new()) }
    }

    /// Hands out each request of a part once, in order.
    pub(crate) fn once(requests: &'a Requests, part: Range<usize>) -> Self {
        let Range { start, end } = part;
        Self { requests, order: Order::Once { next: Cell::new(start), end } }
    }

    /// The next request; `None` when all have been handed out.
    pub(crate) fn take(&self) -> Option<&'a [u8]> {
        let index = match &self.order {
            Order::Random(draw) => draw.below(self.requests.len().max(1)),
            Order::Once { next, end } if next.get() < *end => next.replace(next.get() + 1),
            Order::Once { .. } => return None,
        };
        self.requests.get(index)
    }
}

/// A fast source of numbers that look random (xorshift64*).
pub(crate) struct Draw(Cell<u64>);

impl Draw {
    /// Always the same numbers, so that runs can be compared.
    pub(crate) fn new() -> Self {
        Self(Cell::new(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below `limit`.
    pub(crate) fn below(&self, limit: usize) -> usize {
        let mut state = self.0.get();
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        self.0.set(state);
        let high = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        ((high * limit as u64) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Requests {
        [b"a".to_vec(), b"bb".to_vec(), b"ccc".to_vec()].into_iter().collect()
    }

    #[test]
    fn each_is_handed_out_once() {
        let requests = three();
        let taken = |part| {
            let feed = Feed::once(&requests, part);
            std::iter::from_fn(|| feed.take()).collect::<Vec<_>>()
        };
        assert_eq!(taken(0..3), [b"a".as_slice(), b"bb", b"ccc"]);
        assert_eq!(taken(1..2), [b"bb".as_slice()]);
        assert_eq!(taken(2..9), [b"ccc".as_slice()]);
    }

    #[test]
    fn random_draws_reach_all_and_never_end() {
        let requests = three();
        let feed = Feed::random(&requests);
        let mut seen = [0; 3];
        for _ in 0..3_000 {
            seen[feed.take().unwrap().len() - 1] += 1;
        }
        assert!(seen.iter().all(|count| (800..1_200).contains(count)), "{seen:?}");
    }

    #[test]
    fn requests_are_whole() {
        let address = "127.0.0.1:80".parse().unwrap();
        let request = String::from_utf8(get(address, "/a", &bearer("k"))).unwrap();
        let wanted = "GET /a HTTP/1.1\r\nhost: 127.0.0.1:80\r\nauthorization: Bearer k\r\n\r\n";
        assert_eq!(request, wanted);
        let request = String::from_utf8(post(address, "/a", "", "{}")).unwrap();
        assert!(request.ends_with("content-length: 2\r\n\r\n{}"), "{request}");
    }
}
