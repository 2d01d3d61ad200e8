//! A difference as it is shown: as a diff that `git apply` reads, as JSON, or as counts.

use std::fmt::Write as _;

use crate::backup::{Found, StoredPath};
use crate::git::RepoPath;
use crate::text::quoted;

/// One side of a change, for the output.
pub(super) struct SideShown {
    mode: u32,
    size: u64,
}

impl From<Found> for SideShown {
    fn from(found: Found) -> Self {
        Self {
            mode: found.mode.octal(),
            size: found.size,
        }
    }
}

/// What became of a file's lines.
pub(super) enum Body {
    Lines(Vec<u8>),
    Binary,
    TooLarge,
}

impl Body {
    /// How many lines came and how many went.
    fn counts(&self) -> Option<(usize, usize)> {
        let Self::Lines(lines) = self else {
            return None;
        };
        let mut counts = (0, 0);
        // Two lines of names stand above the first place.
        for line in lines.split(|byte| *byte == b'\n').skip(2) {
            match line.first() {
                Some(b'+') => counts.0 += 1,
                Some(b'-') => counts.1 += 1,
                _ => {}
            }
        }
        Some(counts)
    }
}

/// A difference, read.
pub(super) struct Change {
    pub(super) path: RepoPath,
    old: Option<SideShown>,
    new: Option<SideShown>,
    counts: Option<(usize, usize)>,
    body: Body,
}

impl Change {
    pub(super) fn new(
        path: RepoPath,
        (old, new): (Option<Found>, Option<Found>),
        body: Body,
    ) -> Self {
        Self {
            path,
            old: old.map(Into::into),
            new: new.map(Into::into),
            counts: body.counts(),
            body,
        }
    }

    pub(super) fn without_lines(self) -> Self {
        let body = match self.body {
            Body::Lines(_) => Body::Lines(Vec::new()),
            other => other,
        };
        Self { body, ..self }
    }

    /// The change as `git apply` reads it.
    pub(super) fn text(&self) -> Vec<u8> {
        let name = |side: &str| quoted(&[side.as_bytes(), self.path.as_bytes()].concat());
        let mut text = [b"diff --git ", &name("a/")[..], b" ", &name("b/"), b"\n"].concat();
        let modes = match (&self.old, &self.new) {
            (None, Some(new)) => format!("new file mode {:06o}\n", new.mode),
            (Some(old), None) => format!("deleted file mode {:06o}\n", old.mode),
            (Some(old), Some(new)) if old.mode != new.mode => {
                format!("old mode {:06o}\nnew mode {:06o}\n", old.mode, new.mode)
            }
            _ => String::new(),
        };
        text.extend(modes.as_bytes());
        let why = match &self.body {
            Body::Lines(lines) => {
                text.extend(lines);
                return text;
            }
            Body::Binary => "Binary files",
            Body::TooLarge => "Files too large to be shown,",
        };
        let side = |exists: bool, side| {
            if exists {
                name(side)
            } else {
                b"/dev/null".to_vec()
            }
        };
        text.extend(why.as_bytes());
        text.push(b' ');
        text.extend(side(self.old.is_some(), "a/"));
        text.extend(b" and ");
        text.extend(side(self.new.is_some(), "b/"));
        text.extend(b" differ\n");
        text
    }

    fn word(&self) -> &'static str {
        match (&self.old, &self.new) {
            (None, _) => "added",
            (_, None) => "deleted",
            (Some(_), Some(_)) if self.counts == Some((0, 0)) => "mode",
            _ => "modified",
        }
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let mode = |side: &Option<SideShown>| side.as_ref().map(|it| format!("{:06o}", it.mode));
        let size = |side: &Option<SideShown>| side.as_ref().map(|it| it.size);
        let mut json = serde_json::json!({
            "change": self.word(),
            "old_mode": mode(&self.old),
            "new_mode": mode(&self.new),
            "old_size": size(&self.old),
            "new_size": size(&self.new),
            "binary": matches!(self.body, Body::Binary),
            "insertions": self.counts.map(|(insertions, _)| insertions),
            "deletions": self.counts.map(|(_, deletions)| deletions),
        });
        // The path as all other output has it: text, and the bytes where they are not UTF-8.
        let path = serde_json::to_value(StoredPath::new(&self.path)).unwrap_or_default();
        if let (Some(json), serde_json::Value::Object(path)) = (json.as_object_mut(), path) {
            json.extend(path);
        }
        json
    }
}

/// How many lines of each file differ.
pub(super) fn statistics(changes: &[Change]) -> String {
    let mut text = String::new();
    let (mut insertions, mut deletions) = (0, 0);
    for change in changes {
        let path = &change.path;
        let _ = match change.counts {
            Some((0, 0)) if change.word() == "mode" => writeln!(text, " {path} | mode"),
            Some((added, removed)) => {
                insertions += added;
                deletions += removed;
                writeln!(text, " {path} | +{added} -{removed}")
            }
            None => {
                let size = |side: &Option<SideShown>| side.as_ref().map_or(0, |it| it.size);
                let (old, new) = (size(&change.old), size(&change.new));
                writeln!(text, " {path} | {old} -> {new} bytes")
            }
        };
    }
    let files = if changes.len() == 1 { "file" } else { "files" };
    let _ = writeln!(
        text,
        "{} {files} changed, +{insertions} -{deletions}",
        changes.len()
    );
    text
}
