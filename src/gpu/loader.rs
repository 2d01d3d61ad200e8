//! What the dynamic loader is told by the environment (ld.so(8)): where it searches libraries,
//! and what it loads before all others. Nothing is loaded from the current folder, and no driver
//! from the repository that is looked at.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::sys::environment;
use crate::sys::real_path::real_path;

/// The loader's search path.
pub(super) const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

/// What the loader puts before all libraries of a program.
pub(super) const LOADED_FIRST: [&str; 2] = ["LD_PRELOAD", "LD_AUDIT"];

/// The folder of the repository that this process was started in. What lies there is somebody's
/// work, and no driver.
pub(super) fn repository() -> Option<PathBuf> {
    let here = real_path(environment::current_dir().ok()?).ok()?;
    let mut folders = here.ancestors();
    folders
        .find(|folder| folder.join(".git").exists())
        .map(Path::to_owned)
}

/// A search path without the entries that are not trusted, and with `last`: empty and relative
/// ones, which the loader takes for places in the current folder, and those in `repository`.
pub(super) fn search_path(
    value: &OsStr,
    repository: Option<&Path>,
    last: Option<&Path>,
) -> Option<OsString> {
    let entries = folders(value)
        .into_iter()
        .filter(|entry| is_trusted(entry, repository))
        .chain(last.map(Path::to_owned));
    std::env::join_paths(entries)
        .ok()
        .filter(|entries| !entries.is_empty())
}

/// Whether [`search_path`] would leave something out.
pub(super) fn is_redirected(value: &OsStr, repository: Option<&Path>) -> bool {
    let all = folders(value);
    !value.is_empty() && all.iter().any(|entry| !is_trusted(entry, repository))
}

fn is_trusted(entry: &Path, repository: Option<&Path>) -> bool {
    let is_in = |repository| {
        let real = real_path(entry);
        real.is_ok_and(|real| real.starts_with(repository))
    };
    entry.is_absolute() && !repository.is_some_and(is_in)
}

/// The loader separates folders by colons and by semicolons.
#[cfg(unix)]
pub(super) fn folders(value: &OsStr) -> Vec<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let entries = value.as_bytes().split(|byte| b":;".contains(byte));
    entries
        .map(|entry| OsStr::from_bytes(entry).into())
        .collect()
}

#[cfg(not(unix))]
pub(super) fn folders(value: &OsStr) -> Vec<PathBuf> {
    std::env::split_paths(value).collect()
}

/// What `LD_PRELOAD` lists (behind spaces or colons), without the files that are not trusted. A
/// name without a folder is looked for where all libraries are.
pub(super) fn loaded_first(value: &OsStr, repository: Option<&Path>) -> OsString {
    let Some(text) = value.to_str() else {
        // Not to be taken apart, so not to be trusted either.
        return OsString::new();
    };
    let is_named = |entry: &&str| !entry.contains('/') || is_trusted(Path::new(*entry), repository);
    let entries = || text.split([' ', ':']).filter(|entry| !entry.is_empty());
    if entries().all(|entry| is_named(&entry)) {
        return value.to_owned();
    }
    let trusted: Vec<&str> = entries().filter(is_named).collect();
    trusted.join(":").into()
}

#[cfg(test)]
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "a test makes folders of its own")]
mod tests {
    use super::*;

    #[test]
    fn no_library_is_searched_in_the_current_folder_or_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().canonicalize().unwrap();
        let inside = repository.join("lib");
        std::fs::create_dir(&inside).unwrap();
        let link = repository.join("link");
        std::os::unix::fs::symlink("/usr/lib", &link).unwrap();
        let (inside, link) = (inside.to_str().unwrap(), link.to_str().unwrap());
        for (value, expected) in [
            ("/opt/lib:.:/usr/lib", Some("/opt/lib:/usr/lib")),
            ("/opt/lib;lib", Some("/opt/lib")),
            (":/usr/lib:", Some("/usr/lib")),
            ("lib:../lib;;", None),
            ("", None),
            (&format!("{inside};/usr/lib"), Some("/usr/lib")),
            (link, Some(link)),
        ] {
            let path = search_path(value.as_ref(), Some(&repository), None);
            assert_eq!(path.as_deref(), expected.map(OsStr::new), "{value}");
            let is_whole = expected.unwrap_or_default() == value;
            assert_eq!(
                is_redirected(value.as_ref(), Some(&repository)),
                !is_whole,
                "{value}"
            );
        }
        // A program may search its own folder.
        let path = search_path(inside.as_ref(), None, None);
        assert_eq!(path.as_deref(), Some(OsStr::new(inside)));
    }

    #[test]
    fn no_file_of_theirs_is_loaded_first() {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().canonicalize().unwrap();
        let file = repository.join("a.so");
        std::fs::write(&file, "").unwrap();
        let inside = file.to_str().unwrap();
        for (value, expected) in [
            ("/opt/b.so c.so", "/opt/b.so c.so"),
            ("./a.so:/opt/b.so c.so ../d.so", "/opt/b.so:c.so"),
            (inside, ""),
        ] {
            let first = loaded_first(value.as_ref(), Some(&repository));
            assert_eq!(first, *expected, "{value}");
        }
    }
}
