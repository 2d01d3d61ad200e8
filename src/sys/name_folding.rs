//! Which names are one name to a file system.

use std::io;
use std::path::Path;

/// Which differences of names a file system does not see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameFolding {
    /// Upper and lower case.
    pub case: bool,
    /// Composed and decomposed forms of a character (NFC and NFD).
    pub normalization: bool,
}

impl NameFolding {
    /// Neither is seen.
    pub const ALL: Self = Self {
        case: true,
        normalization: true,
    };
}

/// What the file system does with names in a folder that exists: by trying, since configurations
/// and systems only say what is usual.
pub fn name_folding(folder: &Path) -> io::Result<NameFolding> {
    let probe = tempfile::Builder::new()
        .prefix(".gpuguard-caf\u{e9}-")
        .suffix(".tmp")
        .tempfile_in(folder)?;
    let name = probe.path().file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    let exists = |name: &str| folder.join(name).symlink_metadata().is_ok();
    Ok(NameFolding {
        case: exists(&name.replace("gpuguard", "GPUGUARD")),
        normalization: exists(&name.replace('\u{e9}', "e\u{301}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_about_names_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let folding = name_folding(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        if cfg!(target_os = "linux") {
            assert_eq!(folding, NameFolding::default());
        }
    }
}
