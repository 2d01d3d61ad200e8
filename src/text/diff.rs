//! The difference of two contents, as `git apply` and `patch` read it.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline, group_diff_ops};

/// Lines shown around a change.
const CONTEXT: usize = 3;
/// The shortest difference is not worth more time; what is found by then is also right.
const PATIENCE: Duration = Duration::from_secs(2);

/// A unified diff of the bytes of `path`; empty where nothing differs. Lines end at `\n` only, as
/// they do for Git.
pub fn unified_diff(path: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    diff_of_sides(path, Some(old), Some(new))
}

/// The same for a file that one side may not have, which stands there as `/dev/null`.
pub fn diff_of_sides(path: &[u8], old: Option<&[u8]>, new: Option<&[u8]>) -> Vec<u8> {
    let names = [("---", "a/", old.is_some()), ("+++", "b/", new.is_some())];
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    if old == new {
        return Vec::new();
    }
    let split = |content| -> Vec<&[u8]> {
        let content: &[u8] = content;
        content.split_inclusive(|byte| *byte == b'\n').collect()
    };
    let (old, new) = (split(old), split(new));
    let deadline = Some(Instant::now() + PATIENCE);
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &old, &new, deadline);
    let mut diff = Vec::new();
    for (mark, side, exists) in names {
        diff.extend(mark.as_bytes());
        diff.push(b' ');
        if exists {
            let name = quoted(&[side.as_bytes(), path].concat());
            // Behind a tab nothing of a name with blanks is lost.
            let tab: &[u8] = if name.contains(&b' ') && !name.starts_with(b"\"") {
                b"\t"
            } else {
                b""
            };
            diff.extend([&name, tab].concat());
        } else {
            diff.extend(b"/dev/null");
        }
        diff.push(b'\n');
    }
    for group in group_diff_ops(ops, CONTEXT) {
        hunk(&mut diff, &group, &old, &new);
    }
    diff
}

fn hunk(diff: &mut Vec<u8>, group: &[DiffOp], old: &[&[u8]], new: &[&[u8]]) {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return;
    };
    let side = |start: usize, end: usize| {
        // An empty side is named by the line before it.
        let line = if start == end { start } else { start + 1 };
        format!("{line},{}", end - start)
    };
    let before = side(first.old_range().start, last.old_range().end);
    let after = side(first.new_range().start, last.new_range().end);
    diff.extend(format!("@@ -{before} +{after} @@\n").as_bytes());
    for op in group {
        if let DiffOp::Equal { .. } = op {
            lines(diff, b' ', &old[op.old_range()]);
        } else {
            lines(diff, b'-', &old[op.old_range()]);
            lines(diff, b'+', &new[op.new_range()]);
        }
    }
}

fn lines(diff: &mut Vec<u8>, mark: u8, lines: &[&[u8]]) {
    for line in lines {
        diff.push(mark);
        diff.extend(*line);
        if !line.ends_with(b"\n") {
            diff.extend(b"\n\\ No newline at end of file\n");
        }
    }
}

/// A name as Git writes it in a diff: quoted where it holds what would end or bend the line.
pub fn quoted(name: &[u8]) -> Vec<u8> {
    let plain = std::str::from_utf8(name).is_ok()
        && !name
            .iter()
            .any(|byte| *byte < b' ' || [0x7f, b'"', b'\\'].contains(byte));
    if plain {
        return name.to_owned();
    }
    let mut text = vec![b'"'];
    for byte in name {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', *byte]),
            b' '..=b'~' => text.push(*byte),
            _ => text.extend(format!("\\{byte:03o}").as_bytes()),
        }
    }
    text.push(b'"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(old: &str, new: &str) -> String {
        String::from_utf8(unified_diff(b"a.py", old.as_bytes(), new.as_bytes())).unwrap()
    }

    #[test]
    fn a_diff_has_names_places_and_context() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
        let expected =
            "--- a/a.py\n+++ b/a.py\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n";
        assert_eq!(diff(old, new), expected);
        assert_eq!(diff(old, old), "");
    }

    #[test]
    fn ends_without_a_line_end_and_empty_sides_are_told() {
        assert!(diff("", "a").ends_with("@@ -0,0 +1,1 @@\n+a\n\\ No newline at end of file\n"));
        assert!(diff("a\r\n", "").ends_with("@@ -1,1 +0,0 @@\n-a\r\n"));
    }

    #[test]
    fn a_side_without_the_file_is_dev_null() {
        let added = diff_of_sides(b"a", None, Some(b"1\n"));
        assert_eq!(added, b"--- /dev/null\n+++ b/a\n@@ -0,0 +1,1 @@\n+1\n");
        let removed = diff_of_sides(b"a", Some(b"1\n"), None);
        assert_eq!(removed, b"--- a/a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-1\n");
        assert_eq!(diff_of_sides(b"a", None, Some(b"")), b"");
    }

    #[test]
    fn names_cannot_bend_the_diff() {
        assert_eq!(quoted(b"a/\xc3\xa9.py"), b"a/\xc3\xa9.py");
        assert_eq!(quoted(b"a/b c"), b"a/b c");
        let diff = unified_diff(b"b c", b"", b"1\n");
        assert!(diff.starts_with(b"--- a/b c\t\n+++ b/b c\t\n"));
        assert_eq!(quoted(b"a\n+b\"\xff"), b"\"a\\012+b\\\"\\377\"");
    }
}
