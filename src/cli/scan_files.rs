//! Files of the disk, read and scanned in parallel.

use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::progress::Unit;
use super::{Failure, Screen};
use crate::scan::{FileScan, Scanner, SkipReason};
use crate::source::{Content, FileReader, WorktreeError, WorktreeFile};
use crate::sys::interrupt::Interrupts;

/// Scans files of the disk, in parallel.
pub(super) fn scan_files(
    scanner: &Scanner,
    files: &[WorktreeFile],
    screen: &Screen,
) -> Result<Vec<FileScan>, Failure> {
    let limit = scanner.most_bytes();
    let done = AtomicU64::new(0);
    let interrupts = Interrupts::noticed_once().map_err(Failure::unwatched)?;
    let progress = Mutex::new(screen.progress("scanning", Unit::Files, files.len() as u64));
    let scans = files.par_iter().filter_map(|file| {
        if interrupts.came() {
            return None;
        }
        let scan = FileReader::with(|reader| scan_file(scanner, limit, file, reader));
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        // Whoever holds the bar draws it; nobody waits for it.
        if let Ok(mut progress) = progress.try_lock() {
            progress.at(done);
        }
        scan.transpose()
    });
    let scans: Vec<FileScan> = scans.collect::<Result<_, WorktreeError>>()?;
    drop(progress);
    match interrupts.signal() {
        Some(signal) => Err(Failure::interrupted(signal, "nothing was judged")),
        None => Ok(scans),
    }
}

/// Reads and scans one file; `None` where it is in no language that is scanned and nobody named it.
fn scan_file(
    scanner: &Scanner,
    limit: u64,
    file: &WorktreeFile,
    reader: &mut FileReader,
) -> Result<Option<FileScan>, WorktreeError> {
    Ok(match read_file(scanner, limit, file, reader)? {
        Some(Read::Content(content)) => Some(scanner.scan(&file.path, content)),
        Some(Read::Skipped(scan)) => Some(scan),
        None => None,
    })
}

/// A file that was to be read.
pub(super) enum Read<'r> {
    /// Its bytes.
    Content(&'r [u8]),
    /// It is not to be scanned.
    Skipped(FileScan),
}

/// Reads one file; `None` where it is in no language that is scanned and nobody named it.
pub(super) fn read_file<'r>(
    scanner: &Scanner,
    limit: u64,
    file: &WorktreeFile,
    reader: &'r mut FileReader,
) -> Result<Option<Read<'r>>, WorktreeError> {
    let skipped = |reason| {
        let scan = FileScan::skipped(file.path.clone(), reason);
        Ok(Some(Read::Skipped(scan)))
    };
    let no_language = || {
        file.named
            .then_some(SkipReason::NoLanguage)
            .map_or(Ok(None), skipped)
    };
    // Whoever names a file wants to know about this one.
    let unreadable = |source: io::Error| {
        if file.named {
            return Err(WorktreeError::Unreadable {
                path: PathBuf::from(file.path.to_string()),
                source,
            });
        }
        skipped(SkipReason::Unreadable {
            reason: source.to_string(),
        })
    };
    let code_by_name = scanner.language(&file.path, b"").is_some();
    if !code_by_name && file.path.extension().is_some() {
        return no_language();
    }
    let content = match reader.read(&file.file, limit) {
        Ok(Content::Bytes(content)) => content,
        Ok(Content::TooLarge { bytes }) if code_by_name => {
            return skipped(SkipReason::TooLarge { bytes });
        }
        Ok(Content::TooLarge { .. }) => return no_language(),
        Err(error) => return unreadable(error),
    };
    if !code_by_name && scanner.language(&file.path, content).is_none() {
        return no_language();
    }
    Ok(Some(Read::Content(content)))
}
