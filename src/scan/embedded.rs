//! Code that lies in a file of another format, such as the cells of a notebook: where each piece
//! of the code stands in the file.
//!
//! Knows no format: whoever reads one puts its pieces down here.

use crate::text::{LineIndex, Span};

/// Code taken out of a file's text. Its cells are one line end apart, which the file has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    code: String,
    /// By place in the code. Those whose two lengths differ are one character that the file
    /// writes otherwise (`\n` in JSON).
    runs: Vec<Run>,
    strings: Vec<Run>,
    cells: Vec<Cell>,
}

/// The same characters in the code and in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where they are in the code.
    pub code: Span,
    /// Where they are in the file's text.
    pub file: Span,
}

/// A cell that holds code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its number among all cells of the file, from 1.
    pub number: usize,
    /// Its code.
    pub code: Span,
    /// Whether statements can be written before its first one.
    pub first: First,
}

/// Where a cell takes a statement that is to come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// At this offset of the code.
    At(usize),
    /// Nowhere: it is in another language. The next cell may take it.
    NextCell,
    /// Nowhere that is known for certain.
    Unknown,
}

/// A place as people find it in a notebook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellPosition {
    /// The cell's number among all cells, from 1.
    pub cell: usize,
    /// Line in the cell, from 1.
    pub line: usize,
    /// Column in that line in characters, from 1.
    pub column: usize,
}

impl Embedded {
    /// The code of all cells.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The cells, by place.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The strings of the file that hold the code, without their quotes, by place.
    pub fn strings(&self) -> &[Run] {
        &self.strings
    }

    /// Each piece of the code, and where it stands in the file.
    pub fn pieces(&self) -> impl Iterator<Item = (Span, &str)> {
        let piece = |run: &Run| Some((run.file, self.code.get(run.code.start..run.code.end)?));
        self.runs.iter().filter_map(piece)
    }

    /// Starts a cell; its offset in the code.
    pub fn start_cell(&mut self, number: usize) -> usize {
        if !self.cells.is_empty() {
            self.code.push('\n');
        }
        let at = self.code.len();
        self.cells.push(Cell {
            number,
            code: Span::new(at, at),
            first: First::Unknown,
        });
        at
    }

    /// Takes the last cell back.
    pub fn drop_cell(&mut self) {
        if let Some(cell) = self.cells.pop() {
            let before = |run: &Run| run.code.start < cell.code.start;
            self.runs.truncate(self.runs.partition_point(before));
            self.strings.truncate(self.strings.partition_point(before));
            let separator = usize::from(!self.cells.is_empty());
            self.code.truncate(cell.code.start - separator);
        }
    }

    /// Starts a string of the cell, whose inside is at `file`.
    pub fn start_string(&mut self, file: Span) {
        let at = self.code.len();
        self.strings.push(Run {
            code: Span::new(at, at),
            file,
        });
    }

    /// Adds code to the string: `text`, which the file writes at `file`.
    pub fn push(&mut self, file: Span, text: &str) {
        if text.is_empty() {
            return;
        }
        let start = self.code.len();
        self.code.push_str(text);
        let end = self.code.len();
        self.runs.push(Run {
            code: Span::new(start, end),
            file,
        });
        if let Some(string) = self.strings.last_mut() {
            string.code.end = end;
        }
        if let Some(cell) = self.cells.last_mut() {
            cell.code.end = end;
        }
    }

    /// Says where the last cell takes a first statement.
    pub fn set_first(&mut self, first: First) {
        if let Some(cell) = self.cells.last_mut() {
            cell.first = first;
        }
    }

    /// The index of the cell that holds an offset of the code, or ends there.
    pub fn cell_at(&self, offset: usize) -> Option<usize> {
        self.cells
            .partition_point(|cell| cell.code.start <= offset)
            .checked_sub(1)
    }

    /// An offset of the code as people find it; `lines` are those of the code.
    pub fn position(&self, lines: &LineIndex, offset: usize) -> Option<CellPosition> {
        let cell = self.cells[self.cell_at(offset)?];
        let first = lines.position(&self.code, cell.code.start).line;
        let position = lines.position(&self.code, offset);
        Some(CellPosition {
            cell: cell.number,
            line: position.line + 1 - first,
            column: position.column,
        })
    }

    /// A piece of the code in the file's text: from where its first character starts to where its
    /// last one ends.
    pub fn in_file(&self, span: Span) -> Span {
        let start = self.start_in_file(span.start);
        let end = match span.end.checked_sub(1) {
            Some(last) if span.end > span.start => self.end_in_file(last),
            _ => start,
        };
        Span::new(start, end.max(start))
    }

    /// The same where the file writes all of the piece as the code has it, in one place.
    pub fn verbatim(&self, span: Span) -> Option<Span> {
        let run = self.run_at(span.start)?;
        let is_whole = run.is_verbatim() && span.end <= run.code.end;
        is_whole.then(|| self.in_file(span))
    }

    /// Where the character at an offset of the code starts in the file; between two cells, where
    /// the first of them ends.
    fn start_in_file(&self, offset: usize) -> usize {
        let Some(run) = self.run_at(offset) else {
            return self.strings.first().map_or(0, |first| first.file.start);
        };
        if offset >= run.code.end {
            run.file.end
        } else if run.is_verbatim() {
            run.file.start + (offset - run.code.start)
        } else {
            run.file.start
        }
    }

    /// Where the character that holds the byte `last` of the code ends in the file.
    fn end_in_file(&self, last: usize) -> usize {
        match self.run_at(last) {
            None => 0,
            Some(run) if run.is_verbatim() => {
                (run.file.start + (last + 1 - run.code.start)).min(run.file.end)
            }
            Some(run) => run.file.end,
        }
    }

    /// Adds a piece of the code to other code, with the places it has in the file.
    pub fn copy_to(&self, other: &mut Self, span: Span) {
        let first = self.runs.partition_point(|run| run.code.end <= span.start);
        for run in self.runs.iter().skip(first) {
            let start = run.code.start.max(span.start);
            let end = run.code.end.min(span.end);
            if start >= end {
                break;
            }
            let file = if run.is_verbatim() {
                let at = run.file.start + (start - run.code.start);
                Span::new(at, at + (end - start))
            } else {
                run.file
            };
            other.push(file, self.code.get(start..end).unwrap_or_default());
        }
    }

    fn run_at(&self, offset: usize) -> Option<&Run> {
        let behind = self.runs.partition_point(|run| run.code.start <= offset);
        self.runs.get(behind.checked_sub(1)?)
    }
}

impl Run {
    /// Whether the file writes it as the code has it; no character that is written otherwise
    /// keeps its length.
    fn is_verbatim(&self) -> bool {
        self.code.end - self.code.start == self.file.end - self.file.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a\nb` in one string at 10, `é` written as `\u00e9` in another at 30; then a cell at 50.
    fn embedded() -> Embedded {
        let mut embedded = Embedded::default();
        embedded.start_cell(2);
        embedded.start_string(Span::new(10, 14));
        embedded.push(Span::new(10, 11), "a");
        embedded.push(Span::new(11, 13), "\n");
        embedded.push(Span::new(13, 14), "b");
        embedded.start_string(Span::new(30, 37));
        embedded.push(Span::new(30, 36), "é");
        embedded.push(Span::new(36, 37), "c");
        embedded.start_cell(5);
        embedded.start_string(Span::new(50, 51));
        embedded.push(Span::new(50, 51), "d");
        embedded
    }

    #[test]
    fn each_piece_is_found_in_the_file() {
        let embedded = embedded();
        assert_eq!(embedded.code(), "a\nbéc\nd");
        for (start, end, file) in [
            (0, 1, (10, 11)),
            (1, 2, (11, 13)),
            (0, 3, (10, 14)),
            (2, 5, (13, 36)),
            (3, 6, (30, 37)),
            (4, 5, (30, 36)),
            (5, 5, (36, 36)),
            (6, 6, (37, 37)),
            (7, 8, (50, 51)),
            (8, 8, (51, 51)),
        ] {
            let found = embedded.in_file(Span::new(start, end));
            assert_eq!((found.start, found.end), file, "{start}..{end}");
        }
        assert_eq!(embedded.verbatim(Span::new(2, 3)), Some(Span::new(13, 14)));
        assert_eq!(embedded.verbatim(Span::new(1, 2)), None);
        assert_eq!(embedded.verbatim(Span::new(4, 6)), None);
        assert_eq!(
            Embedded::default().in_file(Span::new(0, 3)),
            Span::new(0, 0)
        );
    }

    #[test]
    fn a_piece_is_copied_with_its_places() {
        let mut copy = Embedded::default();
        copy.push(Span::new(0, 1), "x");
        embedded().copy_to(&mut copy, Span::new(2, 6));
        assert_eq!(copy.code(), "xbéc");
        assert_eq!(copy.in_file(Span::new(1, 2)), Span::new(13, 14));
        assert_eq!(copy.in_file(Span::new(2, 4)), Span::new(30, 36));
        assert_eq!(copy.verbatim(Span::new(4, 5)), Some(Span::new(36, 37)));
    }

    #[test]
    fn places_are_counted_in_their_cell() {
        let embedded = embedded();
        let lines = LineIndex::new(embedded.code());
        let at = |offset| {
            let found = embedded.position(&lines, offset).unwrap();
            (found.cell, found.line, found.column)
        };
        assert_eq!(at(0), (2, 1, 1));
        assert_eq!(at(5), (2, 2, 3));
        assert_eq!(at(7), (5, 1, 1));
        assert_eq!(Embedded::default().position(&lines, 0), None);
    }
}
