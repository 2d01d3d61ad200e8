//! The Git hook: how it is wired into a repository, and what it does when Git calls it.
//!
//! Knows nothing of terminals or of how results are shown.

mod config_entry;
mod doctor;
mod event;
mod hooks_folder;
pub mod install;
mod run;
mod shim;

pub use doctor::diagnose;
pub use event::{EVENTS, Event, event};
pub use run::{HookError, run};
