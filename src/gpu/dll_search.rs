//! Where Windows looks for the driver's libraries: in its own folder only.
//!
//! cudarc and NVML's wrapper ask for them by bare names (`cuda.dll` before `nvcuda.dll`), which
//! Windows would otherwise also find in the current folder, a repository, and on `PATH`.
#![expect(
    unsafe_code,
    reason = "Windows' own function for it has no safe form in the standard library"
)]

use windows_sys::Win32::System::LibraryLoader::{
    LOAD_LIBRARY_SEARCH_SYSTEM32, SetDefaultDllDirectories,
};

use super::protocol::ProbeFailure;

/// Restricts it for this process. Before anything is loaded.
pub(super) fn restrict() -> Result<(), ProbeFailure> {
    // SAFETY: it takes a number, and touches no memory of ours.
    if unsafe { SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32) } == 0 {
        return Err(ProbeFailure::SearchNotRestricted);
    }
    Ok(())
}
