//! The live connections of a proxy and what becomes of their bytes.
//!
//! Two threads carry each connection, one for each direction. Before they pass a piece on they ask
//! the shared state, under one lock, so a change of mode holds for every piece not passed yet.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// As much as is read and passed on at once.
const PIECE_BYTES: usize = 16 * 1024;

/// How bytes flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Pass,
    Freeze,
    /// Pieces from the client wait so long.
    Delay(Duration),
}

/// The direction of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Answer,
}

/// All connections of one proxy.
pub(super) struct Links {
    target: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    flow: Flow,
    /// Looked for in requests until it is seen.
    pattern: Option<Vec<u8>>,
    answers_cut: usize,
    live: HashMap<u64, Link>,
    next_id: u64,
}

/// One connection: both its ends, to shut them down.
struct Link {
    client: TcpStream,
    server: TcpStream,
    /// The request with the pattern was passed on, and its answer will not be.
    is_doomed: bool,
}

impl Links {
    pub(super) fn new(target: SocketAddr) -> Self {
        let state = State {
            flow: Flow::Pass,
            pattern: None,
            answers_cut: 0,
            live: HashMap::new(),
            next_id: 0,
        };
        Self { target, state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(super) fn set(&self, flow: Flow) {
        self.state().flow = flow;
        self.changed.notify_all();
    }

    pub(super) fn arm(&self, pattern: &[u8]) {
        self.state().pattern = Some(pattern.to_owned());
    }

    pub(super) fn disarm(&self) {
        self.state().pattern = None;
    }

    pub(super) fn answers_cut(&self) -> usize {
        self.state().answers_cut
    }

    pub(super) fn cut_all(&self) {
        for (_, link) in self.state().live.drain() {
            link.cut();
        }
        self.changed.notify_all();
    }

    /// Carries one connection until it ends.
    pub(super) fn serve(self: Arc<Self>, client: TcpStream) {
        // Where anything fails, dropping the client's end is the answer it gets.
        let Ok(server) = TcpStream::connect(self.target) else {
            return;
        };
        let Some(id) = self.admit(&client, &server) else {
            return;
        };
        thread::scope(|scope| {
            scope.spawn(|| self.carry(id, Direction::Request, &client, &server));
            self.carry(id, Direction::Answer, &server, &client);
        });
        self.state().live.remove(&id);
    }

    fn admit(&self, client: &TcpStream, server: &TcpStream) -> Option<u64> {
        client.set_nodelay(true).ok()?;
        server.set_nodelay(true).ok()?;
        let link = Link {
            client: client.try_clone().ok()?,
            server: server.try_clone().ok()?,
            is_doomed: false,
        };
        let mut state = self.state();
        let id = state.next_id;
        state.next_id += 1;
        state.live.insert(id, link);
        Some(id)
    }

    /// Passes on one direction until it ends; an end passes like a piece, an error ends both.
    fn carry(&self, id: u64, direction: Direction, mut from: &TcpStream, mut to: &TcpStream) {
        let mut piece = vec![0; PIECE_BYTES];
        let mut seen = Vec::new();
        loop {
            let Ok(length) = from.read(&mut piece) else {
                return self.cut(id);
            };
            if !self.may_pass(id, direction, &piece[..length], &mut seen) {
                return self.cut(id);
            }
            if length == 0 {
                let _ended_already = to.shutdown(Shutdown::Write);
                return;
            }
            if to.write_all(&piece[..length]).is_err() {
                return self.cut(id);
            }
        }
    }

    /// Waits until the mode lets the piece through; false when the connection is cut instead.
    /// `seen` holds the end of the earlier pieces, where a pattern may begin.
    fn may_pass(&self, id: u64, direction: Direction, piece: &[u8], seen: &mut Vec<u8>) -> bool {
        let mut state = self.wait_for_passage(id, direction);
        match direction {
            Direction::Request => {
                if state.completes_pattern(piece, seen)
                    && let Some(link) = state.live.get_mut(&id)
                {
                    link.is_doomed = true;
                }
            }
            Direction::Answer => {
                if state.live.get(&id).is_some_and(|link| link.is_doomed) {
                    // The end of a server that died is no answer.
                    state.answers_cut += usize::from(!piece.is_empty());
                    return false;
                }
            }
        }
        state.live.contains_key(&id)
    }

    fn wait_for_passage(&self, id: u64, direction: Direction) -> MutexGuard<'_, State> {
        let arrived = Instant::now();
        let mut state = self.state();
        while state.live.contains_key(&id) {
            let rest = match (state.flow, direction) {
                (Flow::Freeze, _) => None,
                (Flow::Delay(delay), Direction::Request) => {
                    Some(delay.saturating_sub(arrived.elapsed()))
                }
                (Flow::Delay(_) | Flow::Pass, _) => Some(Duration::ZERO),
            };
            state = match rest {
                Some(Duration::ZERO) => return state,
                Some(rest) => {
                    let waited = self.changed.wait_timeout(state, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        state
    }

    fn cut(&self, id: u64) {
        if let Some(link) = self.state().live.remove(&id) {
            link.cut();
        }
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the pattern ends in this piece; then it is not looked for any longer.
    fn completes_pattern(&mut self, piece: &[u8], seen: &mut Vec<u8>) -> bool {
        let Some(pattern) = &self.pattern else {
            seen.clear();
            return false;
        };
        seen.extend_from_slice(piece);
        let found = seen.windows(pattern.len().max(1)).any(|window| window == pattern);
        if found {
            self.pattern = None;
            seen.clear();
        } else {
            seen.drain(..seen.len().saturating_sub(pattern.len().saturating_sub(1)));
        }
        found
    }
}

impl Link {
    fn cut(&self) {
        // An end that is closed already needs no cutting.
        let _closed = self.client.shutdown(Shutdown::Both);
        let _closed = self.server.shutdown(Shutdown::Both);
    }
}
