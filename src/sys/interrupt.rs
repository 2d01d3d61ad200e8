//! Ctrl+C as something that can be asked about, for work that ends in good order.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};

/// From its making until it is dropped, Ctrl+C and `kill` do not end this process.
#[derive(Debug)]
pub struct Interrupts {
    came: Arc<AtomicBool>,
    /// Which signal; 0 for none.
    signal: Arc<AtomicUsize>,
    ids: Vec<SigId>,
}

impl Interrupts {
    /// Takes notice from now on.
    pub fn noticed() -> io::Result<Self> {
        Self::notice(false)
    }

    /// Takes notice of the first one; a second one ends the process at once. For work that leaves
    /// nothing behind.
    pub fn noticed_once() -> io::Result<Self> {
        Self::notice(true)
    }

    fn notice(once: bool) -> io::Result<Self> {
        let idle = idle()?;
        LISTENERS.fetch_add(1, Ordering::Relaxed);
        idle.store(false, Ordering::Relaxed);
        let mut interrupts = Self {
            came: Arc::new(AtomicBool::new(false)),
            signal: Arc::new(AtomicUsize::new(0)),
            ids: Vec::new(),
        };
        for (signal, number) in [(SIGINT, SIGINT as usize), (SIGTERM, SIGTERM as usize)] {
            // In this order: the first one finds the flag down.
            if once {
                let came = Arc::clone(&interrupts.came);
                let id = signal_hook::flag::register_conditional_default(signal, came)?;
                interrupts.ids.push(id);
            }
            let which = Arc::clone(&interrupts.signal);
            let id = signal_hook::flag::register_usize(signal, which, number)?;
            interrupts.ids.push(id);
            let id = signal_hook::flag::register(signal, Arc::clone(&interrupts.came))?;
            interrupts.ids.push(id);
        }
        Ok(interrupts)
    }

    /// Whether someone wants the end.
    pub fn came(&self) -> bool {
        self.came.load(Ordering::Relaxed)
    }

    /// The signal by which someone wants the end.
    pub fn signal(&self) -> Option<i32> {
        let signal = self.signal.load(Ordering::Relaxed);
        i32::try_from(signal).ok().filter(|signal| *signal != 0)
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            signal_hook::low_level::unregister(id);
        }
        if LISTENERS.fetch_sub(1, Ordering::Relaxed) == 1
            && let Some(idle) = IDLE.get()
        {
            idle.store(true, Ordering::Relaxed);
        }
    }
}

/// How many take notice just now.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);
/// Whether nobody does any more.
static IDLE: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// A signal that somebody took notice of once is not the system's to answer again. So that it ends
/// the process when nobody does any more, that is said here.
fn idle() -> io::Result<&'static Arc<AtomicBool>> {
    if let Some(idle) = IDLE.get() {
        return Ok(idle);
    }
    let idle = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&idle))?;
    }
    Ok(IDLE.get_or_init(|| idle))
}

/// Ends this process as `signal` does where nobody takes notice of it, so that a shell stops its
/// loop too. Comes back only where the system cannot do that.
pub fn end_by(signal: i32) {
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}
