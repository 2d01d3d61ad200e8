//! Text as positions and as something safe to show: spans, lines and columns, edits, printable names.
//!
//! Knows nothing of files, languages or terminals.

mod diff;
mod edit;
mod line_index;
mod printable;

pub use diff::{diff_of_sides, quoted, unified_diff};
pub use edit::{Edit, apply};
pub use line_index::{LineIndex, Position};
pub use printable::{ascii, printable};

/// A range of bytes in one file's content; `end` is exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// A span from `start` up to, not including, `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the start of this span to the end of another.
    #[must_use]
    pub const fn to(self, last: Self) -> Self {
        Self::new(self.start, last.end)
    }
}
