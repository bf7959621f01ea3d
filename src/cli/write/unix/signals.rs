//! No temporary file is left by a signal that ends the process: it waits until the file is written.

use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

static WRITING: Mutex<()> = Mutex::new(());
static LISTENING: Once = Once::new();

/// Holds back the end of the process by a signal for as long as the result lives.
pub(super) fn hold() -> MutexGuard<'static, ()> {
    LISTENING.call_once(listen);
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a thread that ends the process on a signal as soon as nothing is being written. Where none can be started, a
/// signal ends the process at once.
fn listen() {
    let (started, wait) = sync_channel(1);
    let listener = move || {
        // Registered here: without this thread, signals would have no effect.
        let signals = Signals::new([SIGINT, SIGTERM]);
        let _ = started.send(());
        let Ok(mut signals) = signals else { return };
        for signal in signals.forever() {
            let _idle = WRITING.lock();
            let _ = emulate_default_handler(signal);
        }
    };
    if thread::Builder::new().name("signals".to_owned()).spawn(listener).is_ok() {
        let _ = wait.recv();
    }
}
