//! Names that are one name to a file system that does not tell case or Unicode forms apart. Pure:
//! what the file system does is a parameter.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use crate::git::RepoPath;
use crate::sys::name_folding::NameFolding;

/// Two paths that cannot both be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Collision<'p> {
    /// They are one name.
    Same(&'p RepoPath, &'p RepoPath),
    /// The first is a folder on the way to the second.
    Below(&'p RepoPath, &'p RepoPath),
}

/// The first two of `paths` that cannot both be written.
pub fn collision<'p>(
    paths: impl IntoIterator<Item = &'p RepoPath>,
    folding: NameFolding,
) -> Option<Collision<'p>> {
    let mut files: HashMap<Vec<u8>, &RepoPath> = HashMap::new();
    let mut keys = Vec::new();
    for path in paths {
        let key = folded(path.as_bytes(), folding);
        if let Some(other) = files.insert(key.clone(), path) {
            return Some(Collision::Same(other, path));
        }
        keys.push((key, path));
    }
    for (key, path) in &keys {
        let ends = key.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for (end, _) in ends {
            if let Some(file) = key.get(..end).and_then(|folder| files.get(folder)) {
                return Some(Collision::Below(file, path));
            }
        }
    }
    None
}

/// The name that all names have which are one to such a file system.
fn folded(name: &[u8], folding: NameFolding) -> Vec<u8> {
    let text = match std::str::from_utf8(name) {
        Ok(text) if !text.is_ascii() => text,
        // Bytes that are no text are told apart; of ASCII there is one form.
        _ if folding.case => return name.to_ascii_lowercase(),
        _ => return name.to_owned(),
    };
    let text: String = if folding.normalization {
        text.nfd().collect()
    } else {
        text.to_owned()
    };
    if !folding.case {
        return text.into_bytes();
    }
    // By way of upper case, so that forms such as `ß` and `ſ` end as one.
    let upper = text.chars().flat_map(char::to_uppercase);
    let lower = upper.flat_map(char::to_lowercase);
    if folding.normalization {
        lower.nfd().collect::<String>().into_bytes()
    } else {
        lower.collect::<String>().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: NameFolding = NameFolding::ALL;

    fn collides(names: [&str; 2], folding: NameFolding) -> bool {
        let paths = names.map(|name| RepoPath::new(name.as_bytes()));
        collision(&paths, folding).is_some()
    }

    #[test]
    fn names_that_differ_in_case_or_form_are_one_only_where_they_are() {
        let case = NameFolding {
            normalization: false,
            ..ALL
        };
        for names in [["A.py", "a.py"], ["d/É", "D/é"], ["straße", "STRASSE"]] {
            assert!(collides(names, ALL), "{names:?}");
            assert!(collides(names, case), "{names:?}");
            assert!(!collides(names, NameFolding::default()), "{names:?}");
        }
        let forms = ["caf\u{e9}", "cafe\u{301}"];
        assert!(collides(forms, ALL));
        assert!(!collides(forms, case));
        let neither = NameFolding { case: false, ..ALL };
        assert!(collides(forms, neither));
        assert!(!collides(["A", "a"], neither));
        assert!(!collides(["a", "b"], ALL));
    }

    #[test]
    fn a_file_and_a_folder_of_one_name_collide() {
        assert!(collides(["link", "LINK/hooks/x"], ALL));
        assert!(!collides(["link", "LINK/hooks/x"], NameFolding::default()));
        assert!(collides(["a", "a/b"], NameFolding::default()));
        assert!(!collides(["a", "ab/c"], ALL));
    }
}
