//! The lines that edits change, as a diff shows them.

use super::remedy::ChangedLines;
use crate::text::{Edit, LineIndex, Span, apply};

/// Nobody reads more than this, in bytes: a file of one line can have thousands of findings.
const LONGEST: usize = 2_000;

/// What `edits` do to the lines of `text`; empty where these are too long.
pub(super) fn changed_lines(text: &str, lines: &LineIndex, edits: &[Edit]) -> Vec<ChangedLines> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort();
    let mut changed = Vec::new();
    for edits in neighbours(text, lines, &sorted) {
        match change(text, lines, &edits) {
            Some(change) => changed.push(change),
            None => return Vec::new(),
        }
    }
    changed
}

/// Edits on the same or on neighbouring lines belong together.
fn neighbours(text: &str, lines: &LineIndex, edits: &[&Edit]) -> Vec<Vec<Edit>> {
    let mut groups: Vec<Vec<Edit>> = Vec::new();
    let mut last_line = 0;
    for edit in edits {
        let first = lines.position(text, edit.span.start).line;
        match groups.last_mut() {
            Some(group) if first <= last_line + 1 => group.push((*edit).clone()),
            _ => groups.push(vec![(*edit).clone()]),
        }
        last_line = last_line.max(lines.position(text, edit.span.end).line);
    }
    groups
}

fn change(text: &str, lines: &LineIndex, edits: &[Edit]) -> Option<ChangedLines> {
    let start = edits.first()?.span.start;
    let end = edits.iter().map(|edit| edit.span.end).max()?;
    let first = lines.position(text, start).line;
    let last = lines.position(text, end).line;
    let whole = Span::new(
        lines.line_span(text, first)?.start,
        lines.line_span(text, last)?.end,
    );
    let length = edits
        .iter()
        .map(|edit| edit.replacement.len())
        .sum::<usize>();
    if whole.end - whole.start + length > LONGEST {
        return None;
    }
    let before = text.get(whole.start..whole.end)?;
    let inside: Vec<Edit> = edits
        .iter()
        .map(|edit| Edit {
            // A line end at the end of the text may be replaced too.
            span: Span::new(
                edit.span.start - whole.start,
                (edit.span.end - whole.start).min(before.len()),
            ),
            replacement: edit.replacement.clone(),
        })
        .collect();
    let after = apply(before, &inside)?;
    let (mut removed, mut added) = (split(before), split(&after));
    let same = removed.iter().zip(&added).take_while(|(a, b)| a == b);
    let same = same.count();
    removed.drain(..same);
    added.drain(..same);
    while !removed.is_empty() && removed.last() == added.last() {
        removed.pop();
        added.pop();
    }
    Some(ChangedLines {
        line: first + same,
        removed: removed.into_iter().map(str::to_owned).collect(),
        added: added.into_iter().map(str::to_owned).collect(),
    })
}

fn split(text: &str) -> Vec<&str> {
    text.split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, edits: &[(usize, usize, &str)]) -> Vec<ChangedLines> {
        let edits: Vec<Edit> = edits
            .iter()
            .map(|(start, end, replacement)| Edit {
                span: Span::new(*start, *end),
                replacement: (*replacement).to_owned(),
            })
            .collect();
        changed_lines(text, &LineIndex::new(text), &edits)
    }

    fn lines(line: usize, removed: &[&str], added: &[&str]) -> ChangedLines {
        let owned = |all: &[&str]| all.iter().map(|line| (*line).to_owned()).collect();
        ChangedLines {
            line,
            removed: owned(removed),
            added: owned(added),
        }
    }

    #[test]
    fn a_changed_line_is_told_before_and_after() {
        let text = "a = 1\r\nb = 2\r\nc = 3\r\n";
        assert_eq!(
            changed(text, &[(11, 12, "0")]),
            [lines(2, &["b = 2"], &["b = 0"])]
        );
        // Neighbours are told together, others apart.
        assert_eq!(
            changed(text, &[(4, 5, "0"), (11, 12, "0")]),
            [lines(1, &["a = 1", "b = 2"], &["a = 0", "b = 0"])]
        );
        assert_eq!(
            changed(text, &[(4, 5, "0"), (18, 19, "0")]),
            [
                lines(1, &["a = 1"], &["a = 0"]),
                lines(3, &["c = 3"], &["c = 0"])
            ]
        );
    }

    #[test]
    fn added_and_removed_lines_stand_alone() {
        let text = "import os\nimport torch\n";
        assert_eq!(
            changed(text, &[(10, 10, "x = 1\ny = 2\n")]),
            [lines(2, &[], &["x = 1", "y = 2"])]
        );
        assert_eq!(
            changed(text, &[(0, 10, "")]),
            [lines(1, &["import os"], &[])]
        );
        assert_eq!(changed("", &[(0, 0, "x\n")]), [lines(1, &[], &["x"])]);
    }

    #[test]
    fn what_nobody_reads_is_left_out() {
        let text = format!("x = [{}]", "1, ".repeat(LONGEST));
        assert_eq!(changed(&text, &[(5, 6, "0")]), []);
    }
}
