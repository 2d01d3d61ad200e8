//! Paths as people type them, relative to where they are, as paths of the repository.

use std::path::{Component, Path, PathBuf};

use super::Failure;
use crate::git::RepoPath;
use crate::sys::real_path::real_path;
use crate::text::printable;

/// A path of the system, safe to show.
pub(super) fn shown(path: &Path) -> String {
    printable(path.as_os_str().as_encoded_bytes())
}

/// `path` as a path of the repository whose working tree is `root`; literal, never a pattern.
pub(super) fn repo_path(root: &Path, directory: &Path, path: &Path) -> Result<RepoPath, Failure> {
    path_inside(root, directory, path).ok_or_else(|| {
        Failure::new(format!(
            "`{}` is not in this working tree; nothing was done",
            shown(path)
        ))
        .note(format!("the working tree is `{}`", shown(root)))
    })
}

/// The same; `None` for a path outside the working tree.
pub(super) fn path_inside(root: &Path, directory: &Path, path: &Path) -> Option<RepoPath> {
    let whole = without_dots(&directory.join(path));
    let relative = match whole.strip_prefix(root) {
        Ok(relative) => relative,
        Err(_) => whole.strip_prefix(real_path(root).ok()?).ok()?,
    };
    RepoPath::from_relative(relative)
}

fn without_dots(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            other => whole.push(other),
        }
    }
    whole
}

/// A number of bytes for people.
pub(super) fn bytes_shown(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_from_where_the_person_is() {
        let root = Path::new("/w/repo");
        let at = |path: &str| repo_path(root, Path::new("/w/repo/sub"), Path::new(path));
        assert_eq!(at("x").unwrap().as_bytes(), b"sub/x");
        assert_eq!(at("../y/./z").unwrap().as_bytes(), b"y/z");
        assert_eq!(at("/w/repo/q").unwrap().as_bytes(), b"q");
        assert_eq!(at("..").unwrap().as_bytes(), b"");
        assert!(at("../../other").is_err());
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(bytes_shown(1023), "1023 B");
        assert_eq!(bytes_shown(1536), "1.5 KiB");
        assert_eq!(bytes_shown(3 * 1024 * 1024), "3.0 MiB");
    }
}
