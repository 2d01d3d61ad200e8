//! JSON as a tree, with comments, trailing commas, and whatever is wrong with it.

use crate::scan::embedded::Embedded;
use crate::scan::language::json_string;
use crate::scan::language::settings::tree::{Entry, Kind, MOST_VALUES, Node, Scalar};
use crate::text::Span;

/// Deeper values are passed over.
const DEEPEST: usize = 128;

/// What a text holds.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The values that stand one after the other.
    pub(super) documents: Vec<Node>,
    pub(super) first_error: Option<usize>,
    pub(super) errors: usize,
    /// Whether there are more values than are read.
    pub(super) too_many: bool,
}

/// Reads a text as far as it goes.
pub(super) fn tree_of(text: &str) -> Tree {
    let mut reader = Reader {
        text,
        at: 0,
        open: Vec::new(),
        too_deep: 0,
        values: 0,
        comma_is_due: false,
        is_template: text.contains("{{") || text.contains("{%"),
        tree: Tree::default(),
    };
    reader.read();
    reader.tree
}

/// A map or list whose end was not seen yet.
struct Open {
    start: usize,
    kind: OpenKind,
}

enum OpenKind {
    Map {
        entries: Vec<Entry>,
        key: Option<(String, Span)>,
    },
    List(Vec<Node>),
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    open: Vec<Open>,
    /// How many maps and lists are open that are passed over.
    too_deep: usize,
    values: usize,
    /// Whether a value ended and no comma was seen since.
    comma_is_due: bool,
    /// Whether something is filled in before anybody reads it as JSON.
    is_template: bool,
    tree: Tree,
}

impl Reader<'_> {
    fn read(&mut self) {
        while let Some(byte) = self.text.as_bytes().get(self.at).copied() {
            if self.values > MOST_VALUES {
                self.tree.too_many = true;
                break;
            }
            match byte {
                b'{' | b'[' => self.opens(byte),
                b'}' | b']' => self.closes(byte),
                b',' => {
                    self.comma_is_due = false;
                    self.without_value();
                    self.at += 1;
                }
                b':' => self.at += 1,
                b'"' | b'\'' => self.string(byte),
                b'/' | b'#' if self.comment() => {}
                byte if byte.is_ascii_whitespace() => self.at += 1,
                _ => self.word(),
            }
        }
        if !self.open.is_empty() && self.values <= MOST_VALUES {
            self.error(self.text.len());
        }
        while let Some(last) = self.open.pop() {
            self.close(last, self.text.len());
        }
    }

    fn error(&mut self, at: usize) {
        self.tree.errors += 1;
        self.tree.first_error.get_or_insert(at);
    }

    fn opens(&mut self, byte: u8) {
        self.misses_comma();
        let start = self.at;
        self.at += 1;
        if self.too_deep > 0 || self.open.len() >= DEEPEST {
            self.too_deep += 1;
            if self.too_deep == 1 {
                // It stands for a value, but nothing is read of it.
                self.value(Node {
                    span: Span::new(start, start),
                    kind: Kind::Nothing,
                });
                self.comma_is_due = false;
            }
            return;
        }
        let kind = if byte == b'{' {
            OpenKind::Map {
                entries: Vec::new(),
                key: None,
            }
        } else {
            OpenKind::List(Vec::new())
        };
        self.open.push(Open { start, kind });
    }

    fn closes(&mut self, byte: u8) {
        self.at += 1;
        self.comma_is_due = true;
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        let ends = |open: &Open| matches!(open.kind, OpenKind::Map { .. }) == (byte == b'}');
        if self.open.last().is_none_or(|open| !ends(open)) {
            self.error(self.at - 1);
        }
        // What was left open inside ends here too.
        if let Some(from) = self.open.iter().rposition(ends) {
            while self.open.len() > from {
                if let Some(last) = self.open.pop() {
                    self.close(last, self.at);
                }
            }
        }
    }

    fn close(&mut self, open: Open, end: usize) {
        let kind = match open.kind {
            OpenKind::Map { mut entries, key } => {
                if let Some((_, span)) = &key
                    && !self.is_template
                {
                    self.error(span.start);
                }
                entries.extend(key.map(|(key, span)| empty(key, span)));
                Kind::Map(entries)
            }
            OpenKind::List(elements) => Kind::List(elements),
        };
        self.value(Node {
            span: Span::new(open.start, end),
            kind,
        });
    }

    /// A key whose value is missing.
    fn without_value(&mut self) {
        let Some(OpenKind::Map { entries, key }) = self.open.last_mut().map(|open| &mut open.kind)
        else {
            return;
        };
        if let Some((key, span)) = key.take() {
            entries.push(empty(key, span));
            if !self.is_template && self.too_deep == 0 {
                self.error(span.start);
            }
        }
    }

    fn misses_comma(&mut self) {
        if std::mem::take(&mut self.comma_is_due) && !self.open.is_empty() {
            self.error(self.at);
        }
    }

    /// A value, or a key where one is due.
    fn value(&mut self, node: Node) {
        self.values += 1;
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => {
                self.tree.documents.push(node);
                self.comma_is_due = false;
            }
            Some(OpenKind::List(elements)) => {
                if node.is_of_dictionary(elements.len()) {
                    self.values -= 1;
                } else {
                    elements.push(node);
                }
                self.comma_is_due = true;
            }
            Some(OpenKind::Map { entries, key }) => {
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
                    self.comma_is_due = true;
                } else {
                    let text = node.text().unwrap_or_default().to_owned();
                    *key = Some((text, node.span));
                    self.comma_is_due = false;
                }
            }
        }
    }

    fn string(&mut self, quote: u8) {
        self.misses_comma();
        let start = self.at + 1;
        let mut end = start;
        let bytes = self.text.as_bytes();
        let mut has_escape = false;
        while let Some(byte) = bytes.get(end) {
            match byte {
                b'\\' => {
                    has_escape = true;
                    end += 1;
                }
                b'\n' => break,
                byte if *byte == quote => break,
                _ => {}
            }
            end += 1;
        }
        let mut end = end.min(bytes.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let closed = bytes.get(end) == Some(&quote);
        if !closed {
            self.error(self.at);
        }
        let span = Span::new(self.at, end + usize::from(closed));
        self.at = span.end;
        if self.too_deep > 0 {
            return;
        }
        let inside = self.text.get(start..end).unwrap_or_default();
        let scalar = string_of(inside, start, has_escape);
        self.value(Node {
            span,
            kind: Kind::Scalar(scalar),
        });
    }

    fn word(&mut self) {
        self.misses_comma();
        let rest = &self.text[self.at..];
        let is_end = |c: char| c.is_whitespace() || ",:[]{}\"'/#".contains(c);
        // A sign that begins nothing is a word by itself.
        let length = rest.find(is_end).filter(|length| *length > 0);
        let length = length.unwrap_or_else(|| {
            rest.chars()
                .next()
                .filter(|c| is_end(*c))
                .map_or(rest.len(), char::len_utf8)
        });
        let span = Span::new(self.at, self.at + length);
        self.at = span.end;
        if self.too_deep > 0 {
            return;
        }
        let word = &rest[..length];
        let is_key = matches!(
            self.open.last().map(|open| &open.kind),
            Some(OpenKind::Map { key: None, .. })
        );
        let is_value = matches!(word, "true" | "false" | "null" | "Infinity" | "NaN")
            || word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        if !is_key && !is_value {
            self.error(span.start);
        }
        let kind = if word == "null" {
            Kind::Nothing
        } else {
            Kind::Scalar(Scalar {
                text: word.to_owned(),
                inside: Some(span),
                quoted: false,
                pieces: None,
            })
        };
        self.value(Node { span, kind });
    }

    /// Passes over a comment, if one begins here.
    fn comment(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let length = if rest.starts_with("//") || rest.starts_with('#') {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            return false;
        };
        self.at += length;
        true
    }
}

fn empty(key: String, key_span: Span) -> Entry {
    Entry {
        key,
        key_span,
        value: Node {
            span: Span::new(key_span.end, key_span.end),
            kind: Kind::Nothing,
        },
    }
}

/// A string whose inside is at `start`.
fn string_of(inside: &str, start: usize, has_escape: bool) -> Scalar {
    if !has_escape {
        return Scalar {
            text: inside.to_owned(),
            inside: Some(Span::new(start, start + inside.len())),
            quoted: true,
            pieces: None,
        };
    }
    let mut pieces = Embedded::default();
    pieces.start_cell(1);
    json_string::unescape(inside, start, &mut pieces);
    Scalar {
        text: pieces.code().to_owned(),
        inside: None,
        quoted: true,
        pieces: Some(Box::new(pieces)),
    }
}
