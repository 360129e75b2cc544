//! Starting processes that die with this one, even when this one is killed.
//!
//! `setpriv` (util-linux) asks the kernel to kill the program when its parent dies. The parent is
//! the *thread* that started it: a server shared by tests would die with the first test's thread.
//! Therefore one thread starts every process, and it lives as long as this process. Without
//! `setpriv`, on systems other than Linux, servers end by `Drop` alone and outlive a killed test.

use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};

use crate::program;

/// A command, and where its process is to be sent.
type Order = (Command, Sender<io::Result<Child>>);

static ORDERS: LazyLock<Mutex<Sender<Order>>> = LazyLock::new(|| {
    let (orders, received) = channel();
    thread::spawn(move || start_all(&received));
    Mutex::new(orders)
});

/// The program, told to die with the thread that starts it where the system can do that.
///
/// For programs of a caller's own, which he starts on a thread that lives as long as he wants them.
pub fn command(program: &std::path::Path) -> Command {
    let Ok(setpriv) = program::find("setpriv") else {
        return Command::new(program);
    };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Starts the command from the thread that outlives all others.
pub(crate) fn spawn(command: Command) -> Result<Child> {
    let (answer, child) = channel();
    let orders = ORDERS.lock().unwrap_or_else(PoisonError::into_inner);
    orders.send((command, answer)).context("the thread that starts servers is gone")?;
    let child = child.recv().context("the thread that starts servers is gone")?;
    child.context("cannot start the server")
}

fn start_all(orders: &Receiver<Order>) {
    for (mut command, answer) in orders {
        // Nobody waits for the answer only if the caller has panicked; then the process ends here.
        if let Err(unclaimed) = answer.send(command.spawn())
            && let Ok(mut child) = unclaimed.0
        {
            let _gone_already = child.kill();
        }
    }
}
