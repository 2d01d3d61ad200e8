//! Files that can never be opened again: not on this system.

use std::path::PathBuf;

/// Why the files can still be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// The system cannot do it.
    #[error("only Linux can keep a program from opening the device files of a card")]
    NotLinux,
}

/// Whether the system can do it.
pub fn is_possible() -> Result<(), ConfineError> {
    Err(ConfineError::NotLinux)
}

/// Does not.
pub fn never_open(_: &[PathBuf]) -> Result<(), ConfineError> {
    Err(ConfineError::NotLinux)
}
