//! gpuguard keeps code off the GPU that must not be used.
//!
//! A Git hook, a scanner, backups with rollback, and a check of the card itself. The rooms are
//! layered: a room uses only rooms of lower layers (`tests/architecture.rs` holds the table).

pub mod backup;
pub mod cli;
pub mod dashboard;
pub mod git;
pub mod gpu;
pub mod hook;
pub mod judge;
pub mod outcome;
pub mod policy;
pub mod report;
pub mod rollback;
pub mod scan;
pub mod source;
pub mod sys;
pub mod text;
