//! Files that Windows gives nobody: one that is read-only can be neither replaced nor removed, nor
//! can one that another program has open without sharing it, as editors, indexers and virus
//! scanners do for a moment. Elsewhere a name can be taken from a file whatever it is.

use std::io;
use std::path::Path;

/// Does `act`, which takes the name `path` from what stands there. On Windows what is read-only is
/// made writable for it, and is read-only again after; what is open elsewhere is waited for, a
/// second at most.
///
/// # Errors
/// Those of `act`; then the file that was there is as it was.
#[cfg(not(windows))]
pub(super) fn taking<T>(_path: &Path, mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    act()
}

#[cfg(windows)]
pub(super) fn taking<T>(path: &Path, mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    use std::time::Duration;

    /// Milliseconds between two tries; together a second.
    const WAITS: [u64; 5] = [10, 40, 100, 250, 600];
    /// Of `winerror.h`: the file is open to another program, or a part of it is locked.
    const TAKEN: [i32; 2] = [32, 33];

    let there = path.symlink_metadata();
    let was_read_only = there
        .as_ref()
        .is_ok_and(|there| there.permissions().readonly());
    if was_read_only {
        set_read_only(path, false)?;
    }
    let mut last = act();
    for wait in WAITS {
        match &last {
            // Denied where nothing stands: it is the folder that may not be written to.
            Err(error) if is_one_of(error, &TAKEN) || there.is_ok() && is_denied(error) => {
                std::thread::sleep(Duration::from_millis(wait));
                last = act();
            }
            _ => break,
        }
    }
    if was_read_only && path.symlink_metadata().is_ok() {
        // The new file, or the old one that could not be replaced.
        set_read_only(path, true)?;
    }
    last
}

#[cfg(windows)]
fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

#[cfg(windows)]
fn is_one_of(error: &io::Error, codes: &[i32]) -> bool {
    error
        .raw_os_error()
        .is_some_and(|code| codes.contains(&code))
}

#[cfg(windows)]
fn set_read_only(path: &Path, is_read_only: bool) -> io::Result<()> {
    let mut permissions = std::fs::symlink_metadata(path)?.permissions();
    permissions.set_readonly(is_read_only);
    super::set_permissions(path, permissions)
}
