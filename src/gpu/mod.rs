//! The card itself: inventory, identity, kernel check.
//!
//! Knows nothing of scans or backups. Whatever touches a driver does so in a child process
//! under a deadline, so that no driver can hang or crash this one.

mod advice;
mod cache;
mod check;
mod child_environment;
mod cuda_code;
mod device_mask;
#[cfg(windows)]
mod dll_search;
mod doctor;
pub mod guard;
mod health;
mod identity;
mod inventory;
mod kernel;
mod loader;
mod probe;
mod protocol;
mod record;
mod soak;
mod verdict;

use std::time::Duration;

pub use cache::forget;
pub use check::{check, check_before_start};
pub use device_mask::{MaskError, MaskForm, visible_devices};
pub use doctor::{Diagnosis, Weight, diagnose};
pub use health::{CardBefore, Health};
pub use identity::{IdentityMismatch, policy_card};
pub use inventory::{ComputeMode, Inventory, InventoryCard};
pub use probe::{COMMAND, ProbeError, ProbeTask, Trouble, run_probe};
pub use protocol::{NvmlTrouble, ProbeFailure};
pub use record::{Recorded, RecordedSoak, note_soak, recorded};
pub use soak::{Progress, Sample, SoakReport, SoakTask, soak};
pub use verdict::{CardFacts, CardStatus, CardVerdict, Phase};

/// The machine's cards by PCI rank, and the driver's version, through NVML in a child process
/// that gets `deadline`.
pub fn inventory(deadline: Duration) -> Result<Inventory, ProbeError> {
    check::take_inventory(probe::Deadline::starting_now(deadline)).map(|(inventory, _)| inventory)
}

/// UUIDs of the cards in the order in which CUDA counts them unless it is told otherwise, asked
/// of CUDA itself in a child process that gets `deadline`.
pub fn default_order(deadline: Duration) -> Result<Vec<String>, ProbeError> {
    let deadline = probe::Deadline::starting_now(deadline);
    probe::probe(&ProbeTask::Order, None, deadline).map(|report| report.order)
}

/// What to do about an inventory that failed.
pub fn hint(error: &ProbeError) -> Option<String> {
    advice::for_trouble(&error.trouble).1.hint
}
