//! Fail points: for the tests, the process can be ended or an operation failed at any touch of a
//! file. Builds without debug assertions have none of it.
//!
//! `GPUGUARD_FAULT=kill@17` ends the process just before its 17th operation, as SIGKILL would:
//! nothing is cleaned up. `ENOSPC@17`, `EIO@17` and `EACCES@17` let that one operation fail;
//! `full@17` lets it and all later ones that need space fail. A line on stderr tells that it
//! happened, and where.

use std::io;
use std::path::Path;

/// What an operation needs, and therefore how it can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Room on the disk: it makes something, or writes.
    Space,
    /// None: it reads, renames or removes.
    NoSpace,
}

/// Comes before each operation on a file. `operation` and `path` are for the line on stderr.
///
/// # Errors
/// What the test asked for; none otherwise.
#[cfg(debug_assertions)]
pub fn point(operation: &str, path: &Path, needs: Needs) -> io::Result<()> {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ASKED: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let text = super::environment::text("GPUGUARD_FAULT")?;
        let (kind, number) = text.split_once('@')?;
        Some((kind.to_owned(), number.parse().ok()?))
    });
    static COUNT: AtomicU64 = AtomicU64::new(0);

    let Some((kind, number)) = &*ASKED else {
        return Ok(());
    };
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    let is_full = kind == "full" && count > *number && needs == Needs::Space;
    if count != *number && !is_full {
        return Ok(());
    }
    announce(kind, count, operation, path);
    // The numbers of Linux, which is where these tests run.
    let code = match &kind[..] {
        "kill" => std::process::abort(),
        "ENOSPC" | "full" => 28,
        "EACCES" => 13,
        _ => 5,
    };
    Err(io::Error::from_raw_os_error(code))
}

/// Nothing happens here in builds for users.
#[cfg(not(debug_assertions))]
#[inline]
pub fn point(_operation: &str, _path: &Path, _needs: Needs) -> io::Result<()> {
    Ok(())
}

#[cfg(debug_assertions)]
fn announce(kind: &str, count: u64, operation: &str, path: &Path) {
    use std::io::Write as _;
    let _ = writeln!(
        io::stderr(),
        "fault {kind}@{count}: {operation} {}",
        path.display()
    );
}
