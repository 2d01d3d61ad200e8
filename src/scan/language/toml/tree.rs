//! A TOML text as a tree. Its parser goes on behind errors, so whatever stands there is read.

use std::collections::HashMap;

use toml_parser::decoder::Encoding;
use toml_parser::parser::{EventReceiver, RecursionGuard, parse_document};
use toml_parser::{ErrorSink, ParseError, Raw, Source};

use crate::scan::language::settings::tree::{Entry, Kind, Node, Scalar};
use crate::text::Span;

/// Deeper values and longer keys are no person's.
const DEEPEST: u8 = 64;

/// What a text holds.
pub(super) struct Read {
    pub(super) root: Node,
    pub(super) errors: usize,
    pub(super) first_error: Option<usize>,
}

/// Reads a text.
pub(super) fn read(text: &str) -> Read {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut builder = Builder::new(text);
    let mut errors: Vec<ParseError> = Vec::new();
    let mut guard = RecursionGuard::new(&mut builder, u32::from(DEEPEST));
    parse_document(&tokens, &mut guard, &mut errors);
    let first_error = errors.iter().map(|error| {
        let place = error.unexpected().or_else(|| error.context());
        place.map_or(0, |place| place.start())
    });
    Read {
        first_error: first_error.min().map(|at| at.min(text.len())),
        errors: errors.len(),
        root: builder.finish(),
    }
}

/// A key with its place.
type Key = (String, Span);

/// A table that headers and keys with dots add to.
#[derive(Default)]
struct Table {
    parts: Vec<(Key, Part)>,
    by_name: HashMap<String, usize>,
    header: Option<Span>,
}

enum Part {
    Value(Node),
    Table(usize),
    Tables(Vec<usize>),
}

/// A value whose end is not read.
struct Open {
    start: usize,
    values: Kind,
    /// Of a table, the key of the next value.
    key: Vec<Key>,
}

struct Builder<'t> {
    text: &'t str,
    tables: Vec<Table>,
    current: usize,
    key: Vec<Key>,
    open: Vec<Open>,
    header: Option<usize>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            tables: vec![Table::default()],
            current: 0,
            key: Vec::new(),
            open: Vec::new(),
            header: None,
        }
    }

    fn value(&mut self, node: Node) {
        if let Some(open) = self.open.last_mut() {
            match &mut open.values {
                Kind::List(elements) => elements.push(node),
                Kind::Map(entries) => entries.extend(nested(std::mem::take(&mut open.key), node)),
                Kind::Scalar(_) | Kind::TakenOver(_) | Kind::Nothing => {}
            }
            return;
        }
        let mut key = std::mem::take(&mut self.key);
        if let Some(last) = key.pop()
            && let Some(at) = self.table(self.current, key)
            && let Some(table) = self.tables.get_mut(at)
        {
            table.parts.push((last, Part::Value(node)));
        }
    }

    /// The table at the end of a way of keys, made where there is none.
    fn table(&mut self, from: usize, way: Vec<Key>) -> Option<usize> {
        if way.len() > usize::from(DEEPEST) {
            return None;
        }
        let mut at = from;
        for key in way {
            at = match self.part(at, &key.0) {
                Some(Part::Table(inner)) => *inner,
                Some(Part::Tables(all)) => *all.last()?,
                Some(Part::Value(_)) => return None,
                None => {
                    let made = self.made();
                    self.add(at, key, Part::Table(made))?;
                    made
                }
            };
        }
        Some(at)
    }

    fn part(&self, table: usize, name: &str) -> Option<&Part> {
        let table = self.tables.get(table)?;
        let at = table.by_name.get(name)?;
        table.parts.get(*at).map(|(_, part)| part)
    }

    fn made(&mut self) -> usize {
        self.tables.push(Table::default());
        self.tables.len() - 1
    }

    fn add(&mut self, table: usize, key: Key, part: Part) -> Option<()> {
        let table = self.tables.get_mut(table)?;
        table.by_name.insert(key.0.clone(), table.parts.len());
        table.parts.push((key, part));
        Some(())
    }

    /// `[a.b]`, `[[a.b]]`.
    fn header(&mut self, end: usize, is_element: bool) {
        let mut way = std::mem::take(&mut self.key);
        let Some(start) = self.header.take() else {
            return;
        };
        let found = if is_element {
            way.pop().and_then(|last| {
                let outer = self.table(0, way)?;
                let made = self.made();
                let at = self.tables.get(outer)?.by_name.get(&last.0).copied();
                let there = at.and_then(|at| self.tables.get_mut(outer)?.parts.get_mut(at));
                match there {
                    Some((_, Part::Tables(all))) => all.push(made),
                    _ => self.add(outer, last, Part::Tables(vec![made]))?,
                }
                Some(made)
            })
        } else {
            self.table(0, way)
        };
        // What stands under a header that makes no sense belongs nowhere.
        self.current = found.unwrap_or_else(|| self.made());
        if let Some(table) = self.tables.get_mut(self.current) {
            table.header = Some(Span::new(start, end));
        }
    }

    fn scalar_of(
        &self,
        span: toml_parser::Span,
        quotes: Option<Encoding>,
        errors: &mut dyn ErrorSink,
    ) -> Option<Node> {
        let raw = self.raw(span, quotes)?;
        let mut text = std::borrow::Cow::Borrowed("");
        let _kind = raw.decode_scalar(&mut text, errors);
        let written = raw.as_str();
        let bare = ["\"\"\"", "'''", "\"", "'"].iter().find_map(|quote| {
            let inner = written.strip_prefix(quote)?;
            let inner = inner.strip_suffix(quote).unwrap_or(inner);
            let from = inner.trim_start_matches(['\r', '\n']);
            let inner = if quote.len() == 3 { from } else { inner };
            Some((written.find(inner)?, inner.len()))
        });
        let (from, length) = bare.unwrap_or((0, written.len()));
        let inside = Span::new(span.start() + from, span.start() + from + length);
        let is_verbatim = self.text.get(inside.start..inside.end) == Some(&*text);
        Some(Node {
            span: Span::new(span.start(), span.end()),
            kind: Kind::Scalar(Scalar {
                inside: is_verbatim.then_some(inside),
                text: text.into_owned(),
                quoted: quotes.is_some(),
                pieces: None,
            }),
        })
    }

    /// What stands at a place, with the quotes that the parser saw.
    fn raw(&self, span: toml_parser::Span, quotes: Option<Encoding>) -> Option<Raw<'t>> {
        let text = self.text.get(span.start()..span.end())?;
        Some(Raw::new_unchecked(text, quotes, span))
    }

    fn close(&mut self, end: usize) {
        if let Some(open) = self.open.pop() {
            self.value(Node {
                span: Span::new(open.start, end),
                kind: open.values,
            });
        }
    }

    fn opened(&mut self, start: usize, values: Kind) {
        self.open.push(Open {
            start,
            values,
            key: Vec::new(),
        });
    }

    /// The tree of all tables; those that were made last are the innermost of none before them.
    fn finish(mut self) -> Node {
        while !self.open.is_empty() {
            self.close(self.text.len());
        }
        let whole = Span::new(0, self.text.len());
        let mut root = self.node(0);
        root.span = whole;
        root
    }

    /// No deeper than the way of keys that was allowed.
    fn node(&mut self, table: usize) -> Node {
        let own = self.tables.get_mut(table).map(std::mem::take);
        let own = own.unwrap_or_default();
        let mut span = own.header;
        let mut entries = Vec::with_capacity(own.parts.len());
        for ((key, key_span), part) in own.parts {
            let value = match part {
                Part::Value(node) => node,
                Part::Table(inner) => self.node(inner),
                Part::Tables(all) => {
                    let elements: Vec<Node> = all.into_iter().map(|at| self.node(at)).collect();
                    let start = elements
                        .first()
                        .map_or(key_span.start, |node| node.span.start);
                    let end = elements.last().map_or(key_span.end, |node| node.span.end);
                    Node {
                        span: Span::new(start, end.max(start)),
                        kind: Kind::List(elements),
                    }
                }
            };
            let covered = Span::new(key_span.start.min(value.span.start), value.span.end);
            span = Some(span.map_or(covered, |span| {
                Span::new(span.start.min(covered.start), span.end.max(covered.end))
            }));
            entries.push(Entry {
                key,
                key_span,
                value,
            });
        }
        Node {
            span: span.unwrap_or_else(|| Span::new(0, 0)),
            kind: Kind::Map(entries),
        }
    }
}

/// A value under a key with dots.
fn nested(mut key: Vec<Key>, mut node: Node) -> Option<Entry> {
    if key.len() > usize::from(DEEPEST) {
        return None;
    }
    let mut last = key.pop()?;
    while let Some(outer) = key.pop() {
        let span = Span::new(last.1.start, node.span.end);
        let entry = Entry {
            key: last.0,
            key_span: last.1,
            value: node,
        };
        node = Node {
            span,
            kind: Kind::Map(vec![entry]),
        };
        last = outer;
    }
    Some(Entry {
        key: last.0,
        key_span: last.1,
        value: node,
    })
}

impl EventReceiver for Builder<'_> {
    fn std_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.key.clear();
        self.header = Some(span.start());
    }

    fn std_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.header(span.end(), false);
    }

    fn array_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.key.clear();
        self.header = Some(span.start());
    }

    fn array_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.header(span.end(), true);
    }

    fn inline_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) -> bool {
        self.opened(span.start(), Kind::Map(Vec::new()));
        true
    }

    fn inline_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.close(span.end());
    }

    fn array_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) -> bool {
        self.opened(span.start(), Kind::List(Vec::new()));
        true
    }

    fn array_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.close(span.end());
    }

    fn simple_key(
        &mut self,
        span: toml_parser::Span,
        quotes: Option<Encoding>,
        errors: &mut dyn ErrorSink,
    ) {
        let Some(raw) = self.raw(span, quotes) else {
            return;
        };
        let mut text = std::borrow::Cow::Borrowed("");
        raw.decode_key(&mut text, errors);
        let key = (text.into_owned(), Span::new(span.start(), span.end()));
        match self.open.last_mut() {
            Some(open) => open.key.push(key),
            None => self.key.push(key),
        }
    }

    fn scalar(
        &mut self,
        span: toml_parser::Span,
        quotes: Option<Encoding>,
        errors: &mut dyn ErrorSink,
    ) {
        if let Some(node) = self.scalar_of(span, quotes, errors) {
            self.value(node);
        }
    }

    fn newline(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        if self.open.is_empty() {
            self.key.clear();
        }
    }
}
