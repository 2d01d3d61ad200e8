//! Keeps the house in order: which room may use which, how long files get, what they are called.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms and their layers; a room uses itself and lower layers only.
const LAYERS: [(&str, u8); 15] = [
    ("cli", 6),
    ("report", 5),
    ("hook", 5),
    ("rollback", 5),
    ("outcome", 4),
    ("judge", 4),
    ("dashboard", 4),
    ("scan", 3),
    ("backup", 3),
    ("gpu", 3),
    ("source", 2),
    ("policy", 1),
    ("git", 1),
    ("text", 0),
    ("sys", 0),
];

/// Where a file grows past this, it holds more than one thing.
const MOST_LINES: usize = 600;

/// Names that do not say what is in the file.
const EMPTY_NAMES: [&str; 9] = [
    "util", "utils", "common", "helper", "helpers", "misc", "manager", "handler", "base",
];

/// A source file: its path below `src`, and its text.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The room the file belongs to; `None` for `lib.rs` and `main.rs`.
    fn room(&self) -> Option<String> {
        let first = self.path.iter().next().unwrap().to_string_lossy();
        let room = first.trim_end_matches(".rs");
        (!["lib", "main"].contains(&room)).then(|| room.to_owned())
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(Source {
                    text: fs::read_to_string(&path).unwrap(),
                    path: path.strip_prefix(&root).unwrap().to_owned(),
                });
            }
        }
    }
    assert!(found.len() > 20, "the source files were not found");
    found
}

fn layer(room: &str) -> Option<u8> {
    LAYERS
        .iter()
        .find(|(name, _)| *name == room)
        .map(|(_, layer)| *layer)
}

/// The rooms that code mentions as `crate::room` or `crate::{room, other::Thing}`.
fn rooms_used(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        // `pub(crate)` has no `::`; `$crate::` and `a_crate::` are other words.
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c == '$' || c == '_' || c.is_alphanumeric()) {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => rooms.extend(group_heads(group)),
            None => rooms.extend(head(rest)),
        }
    }
    rooms
}

/// The first words of the entries of a `use` group, whose `{` is already read.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let mut depth = 0;
    let mut entry_starts = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => entry_starts = true,
            c if entry_starts && !c.is_whitespace() => {
                heads.extend(head(&group[at..]));
                entry_starts = false;
            }
            _ => {}
        }
    }
    heads
}

/// The identifier at the start, if it can be a module's name.
fn head(text: &str) -> Option<String> {
    let word: String = text
        .chars()
        .take_while(|c| *c == '_' || c.is_alphanumeric())
        .collect();
    word.starts_with(|c: char| c.is_ascii_lowercase())
        .then_some(word)
}

#[test]
fn a_room_uses_only_itself_and_lower_layers() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(room) = source.room() else { continue };
        let Some(own) = layer(&room) else {
            wrong.push(format!("{}: no such room", source.path.display()));
            continue;
        };
        for used in rooms_used(&source.text) {
            if used != room && layer(&used).is_none_or(|layer| layer >= own) {
                wrong.push(format!("{} uses {used}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn mentions_of_rooms_are_found() {
    let text = "use crate::git::{self, GitError};\n// crate::cli\nuse crate::{\n    scan::{Finding, fact::Fact},\n    text,\n};\n\
                pub(crate) fn f() -> crate::Answer { crate::sys::clock::now(); other_crate::report() }";
    let rooms: Vec<String> = rooms_used(text).into_iter().collect();
    assert_eq!(rooms, ["git", "scan", "sys", "text"]);
}

#[test]
fn files_are_short_say_what_they_are_for_and_have_names_that_mean_something() {
    let mut wrong = Vec::new();
    for source in sources() {
        let path = source.path.display();
        let lines = source.text.lines().count();
        if lines > MOST_LINES {
            wrong.push(format!("{path} has {lines} lines"));
        }
        if !source.text.starts_with("//!") {
            wrong.push(format!("{path} does not start with `//!`"));
        }
        let empty_name = source
            .path
            .iter()
            .map(|part| part.to_string_lossy())
            .any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")));
        if empty_name {
            wrong.push(format!("{path} has a name that says nothing"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
