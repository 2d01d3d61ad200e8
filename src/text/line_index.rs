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
    /// Characters before each block of [`BLOCK`] bytes; empty where every character is one byte.
    /// A column far to the right of a long line costs a block, not the line.
    characters: Vec<usize>,
}

const BLOCK: usize = 1 << 10;

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
        let characters = if text.is_ascii() {
            Vec::new()
        } else {
            let counts = bytes.chunks(BLOCK).map(count);
            std::iter::once(0)
                .chain(counts)
                .scan(0, |sum, next| {
                    *sum += next;
                    Some(*sum)
                })
                .collect()
        };
        Self { starts, characters }
    }

    /// Number of lines; a text without a line end has one.
    pub fn lines(&self) -> usize {
        self.starts.len()
    }

    /// Line and column of a byte offset of `text`, the text this index was made from.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let offset = offset.min(text.len());
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        Position {
            line: line + 1,
            column: self.characters_before(text, offset)
                - self.characters_before(text, self.starts[line])
                + 1,
        }
    }

    fn characters_before(&self, text: &str, offset: usize) -> usize {
        let block = offset / BLOCK;
        self.characters.get(block).map_or(offset, |before| {
            before + count(&text.as_bytes()[block * BLOCK..offset])
        })
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

/// How many characters start in a piece of UTF-8.
fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xc0) != 0x80).count()
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
    fn columns_of_long_lines_count_characters() {
        let text = format!("x\n{}cuda", "é".repeat(BLOCK * 2));
        let index = LineIndex::new(&text);
        let at = |offset| index.position(&text, offset);
        let far = text.find("cuda").unwrap();
        let (line, column) = (2, BLOCK * 2 + 1);
        assert_eq!(at(far), Position { line, column });
        let (line, column) = (2, 2);
        assert_eq!(at(4), Position { line, column });
    }
}
