//! Byte offsets as lines and columns.

use super::Span;

/// A place as people count: line and column start at 1, columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// Where each line of a text starts. A line ends at `\n`, `\r\n` or a lone `\r`, as in Python.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
    /// In lines longer than [`STRIDE`]: offsets, and how many characters of the line lie before
    /// each. Where thousands of places lie on one line, each is counted from near by.
    marks: Vec<(usize, usize)>,
}

/// How far the marks of a long line are apart, in bytes.
const STRIDE: usize = 4096;

impl LineIndex {
    /// Reads the line starts of `text`.
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' => starts.push(at + 1),
                b'\r' if bytes.get(at + 1) != Some(&b'\n') => starts.push(at + 1),
                _ => {}
            }
        }
        let marks = marks(text, &starts);
        Self { starts, marks }
    }

    /// Number of lines; a text without a line end has one.
    pub fn lines(&self) -> usize {
        self.starts.len()
    }

    /// Line and column of a byte offset of `text`, the text this index was made from.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let offset = offset.min(text.len());
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let start = self.starts[line];
        let behind = self.marks.partition_point(|(mark, _)| *mark <= offset);
        let (from, counted) = behind
            .checked_sub(1)
            .map(|last| self.marks[last])
            .filter(|(mark, _)| *mark > start)
            .unwrap_or((start, 0));
        let before = text.get(from..offset).unwrap_or_default();
        Position {
            line: line + 1,
            column: counted + before.chars().count() + 1,
        }
    }

    /// The bytes of a line (counted from 1) without its line end; `None` past the last line.
    pub fn line_span(&self, text: &str, line: usize) -> Option<Span> {
        let start = *self.starts.get(line.checked_sub(1)?)?;
        let end = self.starts.get(line).copied().unwrap_or(text.len());
        let content = text.get(start..end)?.trim_end_matches(['\n', '\r']);
        Some(Span::new(start, start + content.len()))
    }

    /// The text of the line (from 1) that holds `offset`, without its line end.
    pub fn line_text<'t>(&self, text: &'t str, offset: usize) -> &'t str {
        self.line_span(text, self.position(text, offset).line)
            .and_then(|span| text.get(span.start..span.end))
            .unwrap_or_default()
    }
}

/// The marks of all long lines.
fn marks(text: &str, starts: &[usize]) -> Vec<(usize, usize)> {
    let ends = starts.iter().skip(1).copied();
    let lines = starts.iter().copied().zip(ends.chain([text.len()]));
    let mut marks = Vec::new();
    for (mut from, end) in lines.filter(|(start, end)| end - start > STRIDE) {
        let mut counted = 0;
        while end - from > STRIDE {
            let next = text.ceil_char_boundary(from + STRIDE);
            counted += text.get(from..next).unwrap_or_default().chars().count();
            marks.push((next, counted));
            from = next;
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_all_line_ends_count() {
        let text = "a\r\né = 1\rlast";
        let index = LineIndex::new(text);
        assert_eq!(index.lines(), 3);
        let equals = text.find('=').unwrap();
        assert_eq!(
            index.position(text, equals),
            Position { line: 2, column: 3 }
        );
        assert_eq!(index.line_text(text, equals), "é = 1");
        assert_eq!(
            index.position(text, text.len()),
            Position { line: 3, column: 5 }
        );
    }

    #[test]
    fn columns_of_long_lines_are_counted_from_near_by() {
        let line = "aé".repeat(STRIDE);
        let text = format!("{line}\nx\n{line}");
        let index = LineIndex::new(&text);
        assert!(index.marks.len() >= 4);
        for (line, start) in [(1, 0), (3, line.len() + 3)] {
            for (at, (offset, _)) in text[start..].char_indices().enumerate().step_by(97) {
                if at < 2 * STRIDE {
                    let column = at + 1;
                    assert_eq!(
                        index.position(&text, start + offset),
                        Position { line, column }
                    );
                }
            }
        }
    }
}
