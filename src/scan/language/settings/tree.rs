//! Settings as a tree, whatever the format: what YAML, JSON, TOML and INI have in common.

use crate::scan::embedded::Embedded;
use crate::text::Span;

/// A map of more keys is a dictionary: the numbers in it are nobody's choice. So are those of a list
/// that is as long.
pub(in crate::scan::language) const DICTIONARY: usize = 1024;

/// Files of more values are no settings; a reader that builds a tree of them gives up.
pub(in crate::scan::language) const MOST_VALUES: usize = 1 << 21;

/// A value, with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::scan::language) struct Node {
    /// All of it, quotes and brackets included.
    pub(in crate::scan::language) span: Span,
    /// What it is.
    pub(in crate::scan::language) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::scan::language) enum Kind {
    /// Keys with values, in the order of the file.
    Map(Vec<Entry>),
    /// Values.
    List(Vec<Node>),
    /// A text, a number or a word.
    Scalar(Scalar),
    /// Variables that stand elsewhere in the file, where they are judged: all entries have the place
    /// of the reference.
    TakenOver(Vec<Entry>),
    /// Nothing, or a reference to a value that stands elsewhere, where it is read.
    Nothing,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::scan::language) struct Entry {
    /// The key, without quotes.
    pub(in crate::scan::language) key: String,
    /// Where the key stands.
    pub(in crate::scan::language) key_span: Span,
    /// The value.
    pub(in crate::scan::language) value: Node,
}

/// A text, a number or a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::scan::language) struct Scalar {
    /// As the program that reads it gets it, escapes resolved.
    pub(in crate::scan::language) text: String,
    /// Where `text` stands in the file, without quotes, exactly as it is; `None` where the file
    /// writes it otherwise (escapes, several lines).
    pub(in crate::scan::language) inside: Option<Span>,
    /// Whether it has quotes, so that it is no number.
    pub(in crate::scan::language) quoted: bool,
    /// Where each piece of a text stands whose `inside` is `None`, as far as that is known.
    pub(in crate::scan::language) pieces: Option<Box<Embedded>>,
}

impl Node {
    /// The keys and values of a map; none of anything else.
    pub(in crate::scan::language) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// What a reference takes over, or each of a list of references.
    pub(in crate::scan::language) fn taken_over(&self) -> impl Iterator<Item = &Entry> {
        let own = std::iter::once(self).chain(self.elements());
        own.flat_map(|node| match &node.kind {
            Kind::TakenOver(entries) => entries.as_slice(),
            _ => &[],
        })
    }

    /// The elements of a list; none of anything else.
    pub(in crate::scan::language) fn elements(&self) -> &[Self] {
        match &self.kind {
            Kind::List(elements) => elements,
            _ => &[],
        }
    }

    /// The value of a key; the last one, where it is there several times.
    pub(in crate::scan::language) fn get(&self, key: &str) -> Option<&Self> {
        let entries = self.entries().iter().rev();
        entries
            .filter(|entry| entry.key == key)
            .map(|entry| &entry.value)
            .next()
    }

    /// The value at the end of a way of keys.
    pub(in crate::scan::language) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The scalar, if it is one.
    pub(in crate::scan::language) fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Whether it is a number at such a place of a map or list that nothing is read out of it.
    pub(in crate::scan::language) fn is_of_dictionary(&self, place: usize) -> bool {
        let is_number = |scalar: &Scalar| {
            !scalar.quoted
                && scalar
                    .text
                    .starts_with(|c: char| c == '-' || c.is_ascii_digit())
        };
        place > DICTIONARY && self.scalar().is_some_and(is_number)
    }

    /// The text of a scalar.
    pub(in crate::scan::language) fn text(&self) -> Option<&str> {
        self.scalar().map(|scalar| scalar.text.as_str())
    }
}
