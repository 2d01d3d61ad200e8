//! Where a path really leads.

use std::io;
use std::path::{Path, PathBuf};

/// The absolute path without links, `.` and `..`. On Windows it is given as people and Git write it,
/// `C:\folder`, and only where it has to be in the form `\\?\C:\folder`, which Git does not know.
///
/// # Errors
/// Where there is nothing, or nothing that may be looked at.
pub fn real_path(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    dunce::canonicalize(path)
}
