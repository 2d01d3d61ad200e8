//! One word of a command.

use crate::text::Span;

/// Stands in a text for something that is decided at run time.
pub(in crate::scan::language) const HOLE: char = '\u{fffc}';

/// A word of a command, without its quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something else about the text; none excludes another"
)]
pub(in crate::scan::language) struct Word {
    pub(in crate::scan::language) text: String,
    pub(in crate::scan::language) span: Span,
    /// Whether something in it is decided at run time.
    pub(in crate::scan::language) dynamic: bool,
    /// Whether it stands in the text as it is: no quotes, no escapes.
    pub(in crate::scan::language) plain: bool,
    /// What stands inside its quotes, where it has one pair, up to its end, and no escapes.
    pub(in crate::scan::language) quoted: Option<Span>,
    /// The variables in it, by place.
    pub(in crate::scan::language) references: Vec<Reference>,
    /// Whether more than its variables is decided at run time.
    pub(in crate::scan::language) opaque: bool,
    /// What else it may be, where it is one of several texts.
    pub(in crate::scan::language) others: Vec<String>,
    /// Whether its text, or the end of it, is only what a variable is without a value.
    pub(in crate::scan::language) by_default: bool,
}

/// A variable in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::scan::language) struct Reference {
    /// Where it stands in the word's text.
    pub(in crate::scan::language) at: Span,
    pub(in crate::scan::language) name: String,
    /// What it is without a value, and where that is written.
    pub(in crate::scan::language) default: Option<(String, Span)>,
    /// Whether the default is also assigned to it.
    pub(in crate::scan::language) assigns: bool,
    /// Whether it is cut into words at its blanks.
    pub(in crate::scan::language) splits: bool,
}

impl Word {
    /// A word that stands in the text as it is.
    pub(in crate::scan::language) fn bare(text: &str, at: usize) -> Self {
        Self {
            text: text.to_owned(),
            span: Span::new(at, at + text.len()),
            plain: true,
            ..Self::default()
        }
    }

    /// Where its text stands as it is.
    pub(in crate::scan::language) fn literal(&self) -> Option<Span> {
        let whole = |quoted: &Span| quoted.end - quoted.start == self.text.len();
        self.plain
            .then_some(self.span)
            .or(self.quoted.filter(whole))
    }

    /// More of it than its variables is decided at run time.
    pub(in crate::scan::language) fn hide(&mut self) {
        self.dynamic = true;
        self.opaque = true;
    }

    /// Quotes begin in it.
    pub(super) fn unquote(&mut self) {
        self.quoted = None;
        self.plain = false;
    }
}
