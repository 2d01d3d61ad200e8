//! Ctrl+C as something that can be asked about, for work that ends in good order.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};

/// From its making until it is dropped, Ctrl+C and `kill` do not end this process.
#[derive(Debug)]
pub struct Interrupts {
    came: Arc<AtomicBool>,
    ids: Vec<SigId>,
}

impl Interrupts {
    /// Takes notice from now on.
    pub fn noticed() -> io::Result<Self> {
        let came = Arc::new(AtomicBool::new(false));
        let mut interrupts = Self {
            came: Arc::clone(&came),
            ids: Vec::new(),
        };
        for signal in [SIGINT, SIGTERM] {
            let id = signal_hook::flag::register(signal, Arc::clone(&came))?;
            interrupts.ids.push(id);
        }
        Ok(interrupts)
    }

    /// Whether someone wants the end.
    pub fn came(&self) -> bool {
        self.came.load(Ordering::Relaxed)
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}
