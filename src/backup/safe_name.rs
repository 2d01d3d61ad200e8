//! Names from an archive or a tag that may be written below a folder, and those that may not.
//! Refuses, never repairs: a name that needs repair is not the one that was saved.

use std::path::{Path, PathBuf};

use super::NameFault;
use crate::git::RepoPath;

/// A path all of whose parts are plain names on this system, and none that reaches Git's folder
/// on any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeName(RepoPath);

impl SafeName {
    /// Takes a path whose every part is harmless.
    pub fn new(path: &RepoPath) -> Result<Self, NameFault> {
        for part in path.as_bytes().split(|byte| *byte == b'/') {
            check_part(part, cfg!(windows))?;
        }
        Ok(Self(path.clone()))
    }

    /// Where it lies below `root`, once no folder on the way is a link or a file.
    pub fn below(&self, root: &Path) -> Result<PathBuf, NameFault> {
        self.below_knowing(root, &mut None)
    }

    /// The same, for many files one behind the other: the folder that was found right for the
    /// last one is not looked at again.
    pub(super) fn below_knowing(
        &self,
        root: &Path,
        known: &mut Option<PathBuf>,
    ) -> Result<PathBuf, NameFault> {
        let whole = self.0.below(root).ok_or(NameFault::Reserved)?;
        if known.is_some() && known.as_deref() == whole.parent() {
            return Ok(whole);
        }
        for folder in folders_between(root, &whole) {
            match folder.symlink_metadata() {
                Ok(found) if !found.is_dir() => return Err(NameFault::Parent),
                _ => {}
            }
        }
        *known = whole.parent().map(Path::to_owned);
        Ok(whole)
    }
}

/// The folders from below `root` down to the one that holds `file`, outermost first.
fn folders_between<'p>(root: &Path, file: &'p Path) -> Vec<&'p Path> {
    let mut folders: Vec<&Path> = file
        .ancestors()
        .skip(1)
        .take_while(|folder| *folder != root)
        .collect();
    folders.reverse();
    folders
}

fn check_part(part: &[u8], windows: bool) -> Result<(), NameFault> {
    if part.is_empty() {
        return Err(NameFault::EmptyPart);
    }
    if part == b"." || part == b".." {
        return Err(NameFault::Relative);
    }
    // Elsewhere `\` and `:` are letters like others, and files with them are there to be saved.
    if part.contains(&0) || (windows && part.iter().any(|byte| matches!(byte, b'\\' | b':'))) {
        return Err(NameFault::Character);
    }
    if names_git_folder(part) {
        return Err(NameFault::GitFolder);
    }
    // NAME_MAX of Linux in bytes; NTFS and APFS count UTF-16 units, of which there are no more.
    if part.len() > 255 && !(windows && utf16_length(part) <= 255) {
        return Err(NameFault::TooLong);
    }
    if windows && reserved_on_windows(part) {
        return Err(NameFault::Reserved);
    }
    Ok(())
}

fn utf16_length(part: &[u8]) -> usize {
    String::from_utf8_lossy(part).encode_utf16().count()
}

/// Whether some file system takes the name for `.git`, or for a path through it: HFS+ ignores
/// certain code points, NTFS ignores case, trailing dots and spaces, knows `.git` as `git~1`, and
/// reads `\` and `:` as more than letters (CVE-2014-9390, CVE-2019-1352, CVE-2019-1353). Refused
/// on every system: a backup may be carried to another.
fn names_git_folder(part: &[u8]) -> bool {
    part.split(|byte| *byte == b'\\').any(|piece| {
        let before_stream = piece.split(|byte| *byte == b':').next();
        before_stream.is_some_and(is_git_folder)
    })
}

fn is_git_folder(name: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(name) else {
        return false;
    };
    let visible: String = text
        .chars()
        .filter(|character| {
            !matches!(character,
                '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
        })
        .flat_map(char::to_lowercase)
        .collect();
    let name = visible.trim_end_matches(['.', ' ']);
    let short = name.strip_prefix("git~").is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    });
    name == ".git" || short
}

fn reserved_on_windows(part: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(part) else {
        return true;
    };
    let stem = text.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    let numbered = |word: &str| {
        stem.strip_prefix(word).is_some_and(|number| {
            let mut digits = number.chars();
            matches!(digits.next(), Some('0'..='9' | '¹' | '²' | '³')) && digits.next().is_none()
        })
    };
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"].contains(&stem.as_str())
        || numbered("COM")
        || numbered("LPT")
        || text.ends_with(['.', ' '])
        || text
            .chars()
            .any(|character| character.is_control() || "<>\"|?*".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(name: &str) -> Option<NameFault> {
        SafeName::new(&RepoPath::new(name.as_bytes())).err()
    }

    #[test]
    fn plain_names_pass() {
        for name in [
            "a",
            "a/b.py",
            "..a/b",
            ".gitignore",
            ".github/x",
            "git",
            "digit~1x",
            #[cfg(not(windows))]
            "a/b..",
            #[cfg(not(windows))]
            "a\nb",
            #[cfg(not(windows))]
            "...",
        ] {
            assert_eq!(fault(name), None, "{name:?}");
        }
        // On Windows every name is UTF-16.
        let latin = SafeName::new(&RepoPath::new(&b"caf\xe9"[..]));
        assert_eq!(latin.is_ok(), !cfg!(windows));
    }

    #[test]
    fn names_that_leave_the_folder_or_reach_git_are_refused() {
        use NameFault::{Character, EmptyPart, GitFolder, Relative};
        for (name, expected) in [
            ("", EmptyPart),
            ("/etc/passwd", EmptyPart),
            ("a//b", EmptyPart),
            ("a/", EmptyPart),
            ("../evil", Relative),
            ("a/../../evil", Relative),
            ("./a", Relative),
            ("a\0b", Character),
            (".git/config", GitFolder),
            ("sub/.GIT/hooks/x", GitFolder),
            (".git./x", GitFolder),
            (".git /x", GitFolder),
            ("git~1/x", GitFolder),
            ("GIT~12", GitFolder),
            (".g\u{200c}it/x", GitFolder),
            ("\u{feff}.git", GitFolder),
            #[cfg(not(windows))]
            (".git::$INDEX_ALLOCATION/x", GitFolder),
            #[cfg(not(windows))]
            ("a\\.git\\config", GitFolder),
        ] {
            assert_eq!(fault(name), Some(expected), "{name:?}");
        }
    }

    #[test]
    fn letters_that_windows_reads_as_more_are_refused_there_only() {
        for name in ["a\\b", "..\\b", "C:", "a:stream", ".git:x", "a\\.git"] {
            let on = |windows| check_part(name.as_bytes(), windows);
            assert_eq!(on(true), Err(NameFault::Character), "{name}");
            let elsewhere = if name.contains(".git") {
                Err(NameFault::GitFolder)
            } else {
                Ok(())
            };
            assert_eq!(on(false), elsewhere, "{name}");
        }
    }

    #[test]
    fn names_that_no_file_system_takes_are_told_before() {
        let long = "x".repeat(255);
        assert_eq!(fault(&long), None);
        assert_eq!(fault(&format!("a/{long}x")), Some(NameFault::TooLong));
        let wide = "é".repeat(200);
        assert_eq!(check_part(wide.as_bytes(), true), Ok(()));
        assert_eq!(check_part(wide.as_bytes(), false), Err(NameFault::TooLong));
    }

    #[test]
    fn devices_of_windows_are_refused_there_in_any_folder() {
        for name in [
            "con",
            "NUL.txt",
            "aux.h",
            "COM1",
            "lpt².log",
            "CLOCK$",
            "x.",
            "a|b",
        ] {
            let on = |windows| check_part(name.as_bytes(), windows);
            assert_eq!(on(true), Err(NameFault::Reserved), "{name}");
            assert_eq!(on(false), Ok(()), "{name}");
        }
    }

    #[test]
    fn windows_names_are_known() {
        for name in [
            "CON", "nul.txt", "com1", "COM¹.py", "LPT9", "a.", "a ", "a?b", "conin$",
        ] {
            assert!(reserved_on_windows(name.as_bytes()), "{name}");
        }
        for name in ["console", "com", "com10", "a.b", "nulx"] {
            assert!(!reserved_on_windows(name.as_bytes()), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_linked_folder_on_the_way_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("d")).unwrap();
        let name = SafeName::new(&RepoPath::new(&b"d/x"[..])).unwrap();
        assert_eq!(name.below(root.path()), Err(NameFault::Parent));
    }
}
