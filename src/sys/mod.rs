//! Every touch of the operating system: files, children, locks, environment, clock, terminal.
//!
//! Knows nothing of Git, GPUs or policies.

pub mod child;
pub mod clock;
pub mod companion;
#[cfg(target_os = "linux")]
pub mod confine;
#[cfg(not(target_os = "linux"))]
#[path = "no_confine.rs"]
pub mod confine;
pub mod environment;
pub mod fault;
pub mod file;
pub mod foreground;
pub mod interrupt;
pub mod lock;
pub mod name_folding;
#[cfg(target_os = "linux")]
pub mod process_tree;
#[cfg(not(target_os = "linux"))]
#[path = "no_process_tree.rs"]
pub mod process_tree;
pub mod real_path;
pub mod shared_file;
pub mod terminal;
