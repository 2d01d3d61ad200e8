//! The parser's events as trees, one for each document. What the parser cannot read is left out,
//! line by line, so that the rest is read.

use std::borrow::Cow;

use granit_parser::{Event, Parser, ScalarStyle, options};

use super::anchor::Anchors;
use super::{block, template};
use crate::scan::embedded::Embedded;
use crate::scan::language::json_string;
use crate::scan::language::settings::tree::{Entry, Kind, MOST_VALUES, Node, Scalar};
use crate::text::Span;

/// Lines that are left out at most, one after the other; each costs a reading.
const MOST_ERRORS: usize = 8;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) documents: Vec<Node>,
    pub(super) first_error: Option<usize>,
    pub(super) errors: usize,
    /// Whether there are more values than are read.
    pub(super) too_many: bool,
}

/// Reads a text as far as it goes.
pub(super) fn tree_of(text: &str) -> Tree {
    let (mut best, mut error) = build(text, text);
    if error.is_none() {
        return best;
    }
    let mut readable = Cow::Borrowed(text);
    if let Some(blanked) = template::blanked(text) {
        (best, error) = build(&blanked, text);
        readable = Cow::Owned(blanked);
    }
    let first_error = error.as_ref().map(|error| error.at);
    let mut errors = 0;
    while let Some(ReadError { culprit, .. }) = error {
        errors += 1;
        if errors > MOST_ERRORS {
            break;
        }
        let Some(without) = template::without_line(&readable, culprit) else {
            break;
        };
        (best, error) = build(&without, text);
        readable = Cow::Owned(without);
    }
    best.first_error = first_error;
    best.errors += errors;
    best
}

/// A map or list whose end was not seen yet.
struct Open {
    /// The number of its anchor; 0 where it has none.
    anchor: usize,
    start: usize,
    end: usize,
    kind: OpenKind,
}

enum OpenKind {
    Map {
        entries: Vec<Entry>,
        key: Option<(String, Span)>,
    },
    List(Vec<Node>),
}

struct Builder<'t> {
    /// What is parsed.
    readable: &'t str,
    /// The file itself, of the same length.
    text: &'t str,
    open: Vec<Open>,
    anchors: Anchors,
    values: usize,
    /// Whether something is filled in before anybody reads it as YAML: an anchor, for instance.
    is_template: bool,
    tree: Tree,
}

/// Where the parser stopped.
struct ReadError {
    at: usize,
    /// Where what is to be left out stands: an unclosed bracket is wrong where it opens.
    culprit: usize,
}

/// The trees up to the first error, and where that is.
fn build(readable: &str, text: &str) -> (Tree, Option<ReadError>) {
    let mut builder = Builder {
        readable,
        text,
        open: Vec::new(),
        anchors: Anchors::default(),
        values: 0,
        is_template: !std::ptr::eq(readable, text),
        tree: Tree::default(),
    };
    let options = options! { emit_unresolved_aliases: true };
    let mut error = None;
    for next in Parser::new_from_str_with_options(readable, options) {
        match next {
            Ok((event, span)) => {
                let start = span.start.byte_offset().unwrap_or_default();
                if builder.values > MOST_VALUES {
                    builder.tree.too_many = true;
                    break;
                }
                let end = span.end.byte_offset().unwrap_or(start);
                builder.event(event, Span::new(start, end.max(start)));
            }
            Err(found) => {
                let at = found.marker().byte_offset().unwrap_or_default();
                let at = at.min(text.len());
                let opens = |open: &&Open| readable[open.start..].starts_with(['[', '{']);
                let bracket = builder.open.iter().find(opens);
                let culprit = bracket.map_or(at, |open| open.start);
                error = Some(ReadError { at, culprit });
                break;
            }
        }
    }
    while let Some(last) = builder.open.pop() {
        builder.close(last);
    }
    (builder.tree, error)
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) {
        match event {
            Event::MappingStart(_, anchor, _) => self.opens(
                (span.start, anchor),
                OpenKind::Map {
                    entries: Vec::new(),
                    key: None,
                },
            ),
            Event::SequenceStart(_, anchor, _) => {
                self.opens((span.start, anchor), OpenKind::List(Vec::new()));
            }
            Event::MappingEnd | Event::SequenceEnd => {
                if let Some(mut last) = self.open.pop() {
                    let written = self.readable.get(span.start..span.end);
                    if matches!(written, Some("}" | "]")) {
                        last.end = span.end;
                    }
                    self.close(last);
                }
            }
            Event::Scalar(value, style, ..) => {
                let node = self.scalar(&value, style, span);
                self.value(node);
            }
            Event::Alias(anchor) => {
                let kind = self.anchors.taken_over(anchor, span);
                self.value(Node { span, kind });
            }
            Event::UnresolvedAlias(_) => {
                if !self.is_template {
                    self.tree.errors += 1;
                    self.tree.first_error.get_or_insert(span.start);
                }
                self.value(Node {
                    span,
                    kind: Kind::Nothing,
                });
            }
            _ => {}
        }
    }

    fn opens(&mut self, (start, anchor): (usize, usize), kind: OpenKind) {
        self.open.push(Open {
            anchor,
            start,
            end: start,
            kind,
        });
    }

    fn close(&mut self, open: Open) {
        let kind = match open.kind {
            OpenKind::Map { mut entries, key } => {
                entries.extend(key.map(|(key, key_span)| Entry {
                    key,
                    key_span,
                    value: Node {
                        span: Span::new(key_span.end, key_span.end),
                        kind: Kind::Nothing,
                    },
                }));
                Kind::Map(entries)
            }
            OpenKind::List(elements) => Kind::List(elements),
        };
        if open.anchor != 0 {
            self.anchors.note(open.anchor, &kind);
        }
        self.value(Node {
            span: Span::new(open.start, open.end.max(open.start)),
            kind,
        });
    }

    fn value(&mut self, node: Node) {
        self.values += 1;
        let Some(open) = self.open.last_mut() else {
            self.tree.documents.push(node);
            return;
        };
        open.end = open.end.max(node.span.end);
        match &mut open.kind {
            OpenKind::List(elements) if node.is_of_dictionary(elements.len()) => self.values -= 1,
            OpenKind::List(elements) => elements.push(node),
            OpenKind::Map { entries, key } => {
                if let Some((key, key_span)) = key.take() {
                    if node.is_of_dictionary(entries.len()) {
                        // Its key was counted as well.
                        self.values -= 2;
                    } else {
                        entries.push(Entry {
                            key,
                            key_span,
                            value: node,
                        });
                    }
                } else {
                    let text = node.text().unwrap_or_default().to_owned();
                    *key = Some((text, node.span));
                }
            }
        }
    }

    fn scalar(&self, value: &str, style: ScalarStyle, span: Span) -> Node {
        let quoted = style != ScalarStyle::Plain;
        let in_quotes = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
        let bare = if in_quotes && span.end >= span.start + 2 {
            Span::new(span.start + 1, span.end - 1)
        } else {
            span
        };
        let is_nothing = value.is_empty() || matches!(value, "~" | "null" | "Null" | "NULL");
        if !quoted && is_nothing {
            return Node {
                span,
                kind: Kind::Nothing,
            };
        }
        let written = self.readable.get(bare.start..bare.end).unwrap_or_default();
        let pieces = match style {
            _ if written == value => None,
            ScalarStyle::Literal => block::lines(self.readable, span, false),
            ScalarStyle::Folded => block::lines(self.readable, span, true),
            ScalarStyle::DoubleQuoted if !written.contains('\n') => {
                let mut pieces = Embedded::default();
                pieces.start_cell(1);
                json_string::unescape(written, bare.start, &mut pieces);
                Some(pieces)
            }
            _ => block::flow_lines(self.readable, bare),
        };
        // What is not the text that the parser reads has no places.
        let pieces = pieces.filter(|pieces| pieces.code().trim_end() == value.trim_end());
        let as_it_is = self.text.get(bare.start..bare.end) == Some(value);
        Node {
            span,
            kind: Kind::Scalar(Scalar {
                text: value.to_owned(),
                inside: as_it_is.then_some(bare),
                quoted,
                pieces: pieces.map(Box::new),
            }),
        }
    }
}
