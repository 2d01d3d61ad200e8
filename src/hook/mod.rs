//! The Git hook: how it is wired into a repository.
//!
//! Knows nothing of terminals or of how results are shown.

mod config_entry;
mod hooks_folder;
pub mod install;
mod shim;
