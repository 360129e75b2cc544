//! A body in pieces: what was written for one user, and between that what is shared by many and is
//! sent without being copied.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Smaller pieces are copied: that costs less than to send them by themselves.
const SHARED_BYTES_MIN: usize = 2 * 1024;
/// Most pieces of a body. The HTTP library gives sixteen to the system at a time, its head among them.
const PIECES_MAX: usize = 14;

/// The pieces, in order.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    done: VecDeque<Bytes>,
    /// What comes behind them.
    own: Vec<u8>,
}

impl Pieces {
    /// None yet, with room for what is written first.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { done: VecDeque::new(), own: Vec::with_capacity(bytes) }
    }

    /// Where bytes of one user's are appended.
    pub(super) fn own(&mut self) -> &mut Vec<u8> {
        &mut self.own
    }

    /// Appends shared bytes.
    pub(super) fn push(&mut self, shared: Bytes) {
        // Behind these comes one with what is the user's own.
        if shared.len() < SHARED_BYTES_MIN || self.done.len() + 3 > PIECES_MAX {
            return self.own.extend_from_slice(&shared);
        }
        self.flush();
        self.done.push_back(shared);
    }

    /// The body of these.
    pub(super) fn into_body(mut self) -> PiecesBody {
        self.flush();
        PiecesBody { left: self.done.iter().map(|piece| piece.len() as u64).sum(), done: self.done }
    }

    fn flush(&mut self) {
        if !self.own.is_empty() {
            self.done.push_back(std::mem::take(&mut self.own).into());
        }
    }
}

/// Sends pieces, a frame each.
#[derive(Debug)]
pub(super) struct PiecesBody {
    done: VecDeque<Bytes>,
    left: u64,
}

impl Body for PiecesBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.done.pop_front();
        self.left -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.done.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// The frames of a body, each checked against what the body said it had left.
    fn frames(mut body: PiecesBody) -> Vec<Bytes> {
        let mut frames: Vec<Bytes> = Vec::new();
        let all = body.left;
        let mut context = Context::from_waker(Waker::noop());
        while !body.is_end_stream() {
            let sent: usize = frames.iter().map(Bytes::len).sum();
            assert_eq!(body.size_hint().exact(), Some(all - sent as u64));
            let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut context) else {
                panic!("a body that is not at its end has a frame")
            };
            frames.push(frame.into_data().unwrap());
        }
        assert!(matches!(Pin::new(&mut body).poll_frame(&mut context), Poll::Ready(None)));
        frames
    }

    #[test]
    fn large_pieces_are_shared_and_small_ones_copied() {
        let large = Bytes::from(vec![b'l'; SHARED_BYTES_MIN]);
        let mut pieces = Pieces::with_capacity(10);
        pieces.own().extend_from_slice(b"head");
        pieces.push(Bytes::from_static(b"small"));
        pieces.push(large.clone());
        pieces.push(large.clone());
        pieces.own().extend_from_slice(b"tail");
        let frames = frames(pieces.into_body());
        assert_eq!(frames, [&b"headsmall"[..], &large, &large, b"tail"]);
        assert!(frames[1..3].iter().all(|frame| frame.as_ptr() == large.as_ptr()));
    }

    #[test]
    fn there_are_never_too_many_pieces() {
        let large = Bytes::from(vec![b'l'; SHARED_BYTES_MIN]);
        let (mut pieces, mut expected) = (Pieces::default(), Vec::new());
        for number in 0..40 {
            pieces.own().push(number);
            pieces.push(large.clone());
            expected.push(number);
            expected.extend_from_slice(&large);
        }
        let frames = frames(pieces.into_body());
        assert!(frames.len() <= PIECES_MAX, "{}", frames.len());
        assert_eq!(frames.concat(), expected);
    }
}
