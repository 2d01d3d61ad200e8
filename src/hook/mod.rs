//! The Git hook: how it is wired into a repository, and what it does when Git calls it.
//!
//! Knows nothing of terminals or of how results are shown.

mod already_right;
mod config_entry;
mod config_file;
mod doctor;
mod event;
mod global;
mod hook_manager;
mod hooks_folder;
pub mod install;
mod joined;
mod noted_folders;
mod place;
mod program_file;
mod push;
mod run;
mod shim;
mod unchecked;
mod wiring;
mod written_hook;

pub use doctor::{diagnose, is_trial};
pub use event::{EVENTS, Event, Gate, event};
pub use global::{GlobalChange, has_own_gate, install_globally, uninstall_globally};
pub use push::judge_push;
pub use run::{HookError, run};
pub use unchecked::{
    Named, NoteError, forget_unchecked, note_last_commit, notes_unchecked, unchecked,
    unchecked_among, unchecked_in_words,
};

/// Whether Git starts a program in the hooks folder itself, by its ending.
const STARTS_PROGRAMS: bool = cfg!(windows);
