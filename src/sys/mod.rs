//! Every touch of the operating system: files, children, locks, environment, clock, terminal.
//!
//! Knows nothing of Git, GPUs or policies.

pub mod child;
pub mod clock;
pub mod environment;
pub mod fault;
pub mod file;
pub mod interrupt;
pub mod lock;
pub mod terminal;
pub mod watched;
