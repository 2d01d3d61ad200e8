//! Where statements stand on lines: what is between two of them is blanks, comments, semicolons
//! and joined line ends, nothing else.

use ruff_python_ast::Stmt;

use super::span_of;
use crate::text::Span;

/// The line end at `at`, if there is one.
pub(super) fn line_end_at(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at..)?;
    ["\r\n", "\n", "\r"]
        .into_iter()
        .find(|end| rest.starts_with(end))
}

/// The line end that ends at `at`, if there is one.
pub(super) fn line_end_before(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?;
    ["\r\n", "\n", "\r"]
        .into_iter()
        .find(|end| before.ends_with(end))
}

/// The line end for a line that is put at `at`: that of the line before, else of the line there.
pub(super) fn line_end_for(text: &str, at: usize) -> &str {
    line_end_before(text, at)
        .or_else(|| line_end_at(text, end_of_line(text, at)))
        .unwrap_or("\n")
}

/// Where the line that holds `at` ends, without its line end.
pub(super) fn end_of_line(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find(['\n', '\r']).unwrap_or(rest.len())
}

/// Where the line that holds `at` starts.
pub(super) fn start_of_line(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind(['\n', '\r']).map_or(0, |end| end + 1)
}

/// Where the first and the last line of a gap between two statements start that are not joined to
/// the line before; `None` where the statements share a line.
fn breaks(text: &str, gap: Span) -> Option<(usize, usize)> {
    let mut found = None;
    let mut at = gap.start;
    while at < gap.end {
        if let Some(end) = line_end_at(text, at) {
            at += end.len();
            found = Some((found.map_or(at, |(first, _)| first), at));
            continue;
        }
        match text.as_bytes()[at] {
            b'#' => at = end_of_line(text, at),
            b'\\' => at += 1 + line_end_at(text, at + 1).map_or(0, str::len),
            _ => at += 1,
        }
    }
    found
}

/// A body's statements on their lines.
#[derive(Clone, Copy)]
pub(super) struct Lines<'t> {
    pub(super) text: &'t str,
    pub(super) body: &'t [Stmt],
    /// Where the body's first line starts, or one before it.
    pub(super) from: usize,
}

impl Lines<'_> {
    fn gap_before(&self, index: usize) -> Span {
        let start = index
            .checked_sub(1)
            .map_or(self.from, |previous| span_of(&self.body[previous]).end);
        Span::new(start, span_of(&self.body[index]).start)
    }

    /// Whether a statement shares its line with the one before.
    pub(super) fn joins_previous(&self, index: usize) -> bool {
        index > 0 && breaks(self.text, self.gap_before(index)).is_none()
    }

    /// Whether a statement shares its line with the one behind.
    pub(super) fn joins_next(&self, index: usize) -> bool {
        index + 1 < self.body.len() && self.joins_previous(index + 1)
    }

    /// The first statement on a statement's line.
    pub(super) fn first_on_line(&self, index: usize) -> usize {
        let mut first = index;
        while self.joins_previous(first) {
            first -= 1;
        }
        first
    }

    /// Where the line of a statement starts that is the first on it; `None` where something else
    /// stands there.
    pub(super) fn start(&self, index: usize) -> Option<usize> {
        let gap = self.gap_before(index);
        let start = match breaks(self.text, gap) {
            Some((_, last)) => last,
            None if index == 0 => gap.start,
            None => return None,
        };
        let indent = self.text.get(start..gap.end)?;
        // A joined line may stand before it.
        indent
            .chars()
            .all(|c| c.is_whitespace() || c == '\\')
            .then_some(start)
    }

    /// The comment lines right above a statement's line, behind the line of the statement before;
    /// `start` is where the statement's line starts.
    pub(super) fn start_with_comments(&self, index: usize, start: usize) -> usize {
        let Some((first, _)) = breaks(self.text, self.gap_before(index)) else {
            return start;
        };
        let mut at = start;
        while at > first {
            let end = at - line_end_before(self.text, at).map_or(0, str::len);
            let line = start_of_line(self.text, end);
            let is_comment = self
                .text
                .get(line..end)
                .is_some_and(|line| line.trim_start().starts_with('#'));
            if !is_comment {
                break;
            }
            at = line;
        }
        at
    }
}
