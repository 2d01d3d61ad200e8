//! The machine that both fakes pretend to be, and the knobs that make its driver fail.
//!
//! `FAKE_<LIBRARY>_…` variables are read here and nowhere else: the product knows of none.

use std::io::Write;

/// A pretended card.
pub struct Card {
    pub name: &'static str,
    pub uuid: [u8; 16],
    pub pci_bus: u32,
    pub memory: u64,
    pub capability: (i32, i32),
    pub drives_a_screen: bool,
}

/// The number in `/dev/nvidiaN` of the card at PCI rank 0; the others follow. No machine has so
/// many: nothing of a test's machine is taken for a pretended card's.
pub const MINOR_OF_RANK_0: u32 = 4000;

const GIB: u64 = 1 << 30;

const FORBIDDEN: Card = Card {
    name: "NVIDIA GeForce RTX 5060 Ti",
    uuid: *b"\x50\x60\x00\x11\x22\x22\x33\x33\x44\x44\x55\x55\x55\x55\x55\x55",
    pci_bus: 0x01,
    memory: 16 * GIB,
    capability: (12, 0),
    drives_a_screen: true,
};

const ALLOWED: Card = Card {
    name: "NVIDIA GeForce RTX 3090",
    uuid: *b"\x30\x90\x00\xaa\xbb\xbb\xcc\xcc\xdd\xdd\xee\xee\xee\xee\xee\xee",
    pci_bus: 0x0a,
    memory: 24 * GIB,
    capability: (8, 6),
    drives_a_screen: false,
};

/// The values of a library's knobs.
pub struct Knobs {
    library: &'static str,
}

impl Knobs {
    /// The knobs `FAKE_<library>_…`.
    pub const fn of(library: &'static str) -> Self {
        Self { library }
    }

    /// The value of a knob.
    pub fn get(&self, name: &str) -> Option<String> {
        std::env::var(format!("FAKE_{}_{name}", self.library)).ok()
    }

    /// Called at the start of each function: writes it down, and does what a knob says.
    pub fn enter(&self, function: &str) -> Result<(), u32> {
        self.write_down(function);
        let names = |knob: &str| self.get(knob).is_some_and(|value| value == function);
        // At once, or from the making of a file on.
        let time_has_come = || match self.get("HANG_WHEN") {
            Some(file) => std::path::Path::new(&file).exists(),
            None => true,
        };
        if names("HANG") && time_has_come() {
            loop {
                std::thread::sleep(std::time::Duration::from_secs(3600));
            }
        }
        if names("ABORT") {
            eprintln!("fake driver: assertion failed in {function}");
            std::process::abort();
        }
        match self.get("FAIL").as_deref().and_then(|v| v.split_once(':')) {
            Some((name, code)) if name == function => Err(code.parse().unwrap_or(999)),
            _ => Ok(()),
        }
    }

    /// Adds a line, after the process id, to the file that the knob `LOG` names.
    pub fn write_down(&self, line: &str) {
        if let Some(path) = self.get("LOG") {
            let mut file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .expect("the log can be opened");
            writeln!(file, "{} {line}", std::process::id()).expect("the log can be written");
        }
    }

    /// Whether a line that ends like this is in the file that the knob `LOG` names.
    pub fn wrote_down(&self, line: &str) -> bool {
        self.get("LOG")
            .and_then(|path| std::fs::read_to_string(path).ok())
            .is_some_and(|log| log.lines().any(|written| written.ends_with(line)))
    }

    /// The machine's cards by PCI address, as the knob `CARDS` says.
    pub fn cards(&self) -> Vec<Card> {
        match self.get("CARDS").as_deref() {
            None | Some("both") => vec![FORBIDDEN, ALLOWED],
            Some("swapped") => vec![
                Card {
                    pci_bus: 0x01,
                    ..ALLOWED
                },
                Card {
                    pci_bus: 0x0a,
                    ..FORBIDDEN
                },
            ],
            Some("forbidden-only") => vec![FORBIDDEN],
            Some("small") => vec![
                FORBIDDEN,
                Card {
                    memory: 12 * GIB,
                    ..ALLOWED
                },
            ],
            Some("old") => vec![
                FORBIDDEN,
                Card {
                    capability: (3, 7),
                    ..ALLOWED
                },
            ],
            Some("none") => Vec::new(),
            Some(other) => panic!("no such set of cards: {other}"),
        }
    }
}

/// `GPU-` and five groups.
pub fn uuid_text(uuid: &[u8; 16]) -> String {
    let hex: String = uuid.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "GPU-{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// Copies `text` and a NUL to where C wants it.
///
/// # Safety
/// `room` bytes can be written at `to`.
pub unsafe fn put_text(to: *mut std::ffi::c_char, room: usize, text: &str) {
    let length = text.len().min(room - 1);
    // SAFETY: the caller's promise; the text is no longer than the room.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr().cast(), to, length);
        *to.add(length) = 0;
    }
}
