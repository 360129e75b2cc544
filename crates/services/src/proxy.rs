//! A TCP proxy that plays a network that fails.
//!
//! [`link`] holds the rules: what becomes of the bytes of a connection in every mode. This file
//! opens and closes the port.

mod link;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::ports;
use link::{Flow, Links};

/// Passes connections on to a server, in one of four modes: pass, refuse, freeze, delay.
///
/// The mode may change at any time and holds for live connections as well as for new ones. Where
/// the target cannot be reached, a connection is accepted and ends at once. All connections end
/// when the proxy is dropped.
pub struct Proxy {
    port: u16,
    links: Arc<Links>,
    door: Mutex<Option<Door>>,
}

impl Proxy {
    /// Opens a proxy before the target, in the mode [`pass`](Self::pass).
    pub fn start(target: SocketAddr) -> Result<Self> {
        let proxy = Self {
            port: ports::reserve()?,
            links: Arc::new(Links::new(target)),
            door: Mutex::new(None),
        };
        proxy.open()?;
        Ok(proxy)
    }

    /// The port on 127.0.0.1; it stays the same in every mode.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Everything passes, also what was held back by [`freeze`](Self::freeze); a pattern that has
    /// not been seen yet is forgotten.
    pub fn pass(&self) -> Result<()> {
        self.links.disarm();
        self.links.set(Flow::Pass);
        self.open()
    }

    /// New connections are refused, as by a machine without the server. Live connections go on;
    /// [`cut_all`](Self::cut_all) ends them.
    pub fn refuse(&self) {
        self.links.set(Flow::Pass);
        self.close();
    }

    /// Connections are accepted and stay open, and no byte passes in either direction.
    pub fn freeze(&self) -> Result<()> {
        self.links.set(Flow::Freeze);
        self.open()
    }

    /// Every piece that a client sends arrives so much later.
    pub fn delay(&self, delay: Duration) -> Result<()> {
        self.links.set(Flow::Delay(delay));
        self.open()
    }

    /// Ends all live connections in both directions; what was held back is lost.
    pub fn cut_all(&self) {
        self.links.cut_all();
    }

    /// Lets the next request with these bytes through, waits for its answer, and ends the
    /// connection instead of passing the answer on: the server has done it and the client cannot
    /// know. It happens once; [`answers_cut`](Self::answers_cut) tells whether it has.
    ///
    /// The next bytes of the server count as the answer, so this is for clients that send one
    /// request at a time on a connection.
    pub fn cut_answer_after(&self, pattern: &[u8]) {
        self.links.arm(pattern);
    }

    /// How many answers were swallowed so far.
    pub fn answers_cut(&self) -> usize {
        self.links.answers_cut()
    }

    fn open(&self) -> Result<()> {
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        if door.is_none() {
            *door = Some(Door::open(self.port, &self.links)?);
        }
        Ok(())
    }

    fn close(&self) {
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(door) = door.take() {
            door.close();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.close();
        self.links.cut_all();
    }
}

/// The open port and the thread that accepts on it.
struct Door {
    port: u16,
    closing: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Door {
    fn open(port: u16, links: &Arc<Links>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("the proxy cannot open port {port}"))?;
        let closing = Arc::new(AtomicBool::new(false));
        let (links, is_closing) = (Arc::clone(links), Arc::clone(&closing));
        let thread = thread::spawn(move || accept(&listener, &links, &is_closing));
        Ok(Self { port, closing, thread })
    }

    fn close(self) {
        self.closing.store(true, Ordering::SeqCst);
        // Accepting cannot be interrupted; one more connection wakes the thread. It can fail only
        // when the thread is gone already.
        let _wakes = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let _ended = self.thread.join();
    }
}

fn accept(listener: &TcpListener, links: &Arc<Links>, closing: &AtomicBool) {
    for client in listener.incoming() {
        if closing.load(Ordering::SeqCst) {
            return;
        }
        if let Ok(client) = client {
            let links = Arc::clone(links);
            thread::spawn(move || links.serve(client));
        }
    }
}
