//! A lock between processes that dies with its holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// A held lock; dropping it lets the next process in. The file stays.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock at `path`, waiting for another holder up to `patience`.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another process still holds it after `patience`.
    pub fn acquire(path: &Path, patience: Duration) -> io::Result<Self> {
        Self::take(path, patience, File::try_lock)
    }

    /// Takes the lock together with all others that take it like this; nobody then gets it with
    /// [`FileLock::acquire`].
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another process still holds it alone after `patience`.
    pub fn acquire_shared(path: &Path, patience: Duration) -> io::Result<Self> {
        Self::take(path, patience, File::try_lock_shared)
    }

    fn take(
        path: &Path,
        patience: Duration,
        try_lock: fn(&File) -> Result<(), TryLockError>,
    ) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)?;
        let start = Instant::now();
        loop {
            match try_lock(&file) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(source)) => return Err(source),
                Err(TryLockError::WouldBlock) if start.elapsed() >= patience => {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}
