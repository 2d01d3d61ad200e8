//! What there is to say when a guarded program has ended.

use std::process::ExitStatus;
use std::time::Duration;

use serde::Serialize;

use super::Violation;
use crate::sys::foreground::{exit_code, signal};

/// The exit code for a program that used a card that is not allowed.
pub const VIOLATION_CODE: u8 = 97;

/// What a guarded program did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunReport {
    /// The answer.
    pub outcome: Outcome,
    /// The exit code of the program itself, as a shell gives it; `None` if it did not end.
    pub program_code: Option<u8>,
    /// The signal that ended the program, if one did.
    pub program_signal: Option<i32>,
    /// Whether the program was ended for what it did.
    pub ended_by_guard: bool,
    /// Processes of it that are still there, by id. They are watched no more.
    pub left_running: Vec<u32>,
    /// What it did on cards that are not allowed.
    pub violations: Vec<Violation>,
    /// Ids of processes that came to a card that is not allowed, and of which it cannot be told
    /// whose they are.
    pub untold: Vec<u32>,
    /// How often all lists were looked at while it ran.
    pub looks: u64,
    /// How often NVML gave no answer.
    pub failed_looks: u64,
    /// The time between two looks, in milliseconds.
    pub every_ms: u64,
    /// The longest time between two looks that were answered, in milliseconds.
    pub longest_gap_ms: u64,
    /// What could not be seen.
    pub limits: Vec<Limit>,
    /// Names of the cards that are not allowed.
    pub forbidden: Vec<String>,
    /// What it did on the cards that are.
    pub cards: Vec<CardUse>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was never seen on a card that is not allowed.
    Clean,
    /// It was.
    Violation,
    /// It was not watched, or not up to its end.
    NotWatched,
}

/// Something that the guard does not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// NVML gives the machine's process ids, which are others in a container.
    Container,
    /// On WSL2, NVML lists processes in part.
    Wsl,
    /// This driver's lists are known to be wrong.
    DriverLists,
    /// The driver keeps no list of what draws.
    NoGraphicsList,
    /// The driver keeps no list of clients of the multi-process service.
    NoMpsList,
    /// The driver takes no samples of who worked on a card, so that a short visit is not seen.
    NoSamples,
}

impl Limit {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Container => {
                "this is a container with process ids of its own, and NVML gives the machine's (`--pid=host` shares them)"
            }
            Self::Wsl => "on WSL2 NVML lists the processes of Linux in part",
            Self::DriverLists => {
                "the process lists of drivers 535.43 to 535.98 are wrong (update the driver)"
            }
            Self::NoGraphicsList => "the driver keeps no list of programs that draw",
            Self::NoMpsList => "the driver keeps no list of the multi-process service's clients",
            Self::NoSamples => {
                "the driver takes no samples: what used a card between two looks is not seen"
            }
        }
    }
}

/// What a program did on a card that it may use.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardUse {
    /// The card's name.
    pub name: String,
    /// The card's UUID.
    pub uuid: String,
    /// The most memory that it was seen to use, in bytes; `None` if it was never seen.
    pub peak_bytes: Option<u64>,
    /// Whether that is what the whole card used more than before, since the driver does not tell
    /// it of single processes.
    pub peak_is_estimate: bool,
    /// How long it was on the card, in seconds, as far as looks can tell.
    pub seconds: f64,
    /// The card's memory in use before its start, in bytes.
    pub used_before_bytes: Option<u64>,
    /// The card's memory in use after its end, in bytes.
    pub used_after_bytes: Option<u64>,
    /// Memory that it did not give back, in bytes; `None` where other programs came or went.
    pub not_given_back_bytes: Option<u64>,
}

impl RunReport {
    /// Whether it was watched without a gap: every look was answered, and none came much later
    /// than it should.
    pub fn is_without_gaps(&self) -> bool {
        const LATE_MS: u64 = 1000;
        self.failed_looks == 0
            && self.longest_gap_ms <= self.every_ms.saturating_mul(3).max(LATE_MS)
    }

    /// A program that was not watched.
    pub(super) fn not_watched(status: ExitStatus) -> Self {
        Self {
            outcome: Outcome::NotWatched,
            program_code: Some(exit_code(status)),
            program_signal: signal(status),
            ended_by_guard: false,
            left_running: Vec::new(),
            violations: Vec::new(),
            untold: Vec::new(),
            looks: 0,
            failed_looks: 0,
            every_ms: 0,
            longest_gap_ms: 0,
            limits: Vec::new(),
            forbidden: Vec::new(),
            cards: Vec::new(),
        }
    }
}

/// A duration in whole milliseconds.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
