//! Sections and keys of an INI text, with their places, and as a tree of settings.

use crate::scan::language::settings::tree::{Entry, Kind, Node, Scalar};
use crate::text::Span;

/// A section.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: String,
    name_span: Span,
    /// From its header to the next one.
    pub(super) span: Span,
    pub(super) keys: Vec<Setting>,
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) name_span: Span,
    /// The lines of the value, without blanks around them; comments among them are left out.
    pub(super) lines: Vec<(Span, String)>,
}

/// What a text holds.
pub(super) struct Read {
    pub(super) sections: Vec<Section>,
    pub(super) errors: usize,
    pub(super) first_error: Option<usize>,
}

/// Reads a text. What stands above the first header belongs to a section without a name.
pub(super) fn sections(text: &str) -> Read {
    let mut read = Read {
        sections: vec![Section {
            name: String::new(),
            name_span: Span::new(0, 0),
            span: Span::new(0, text.len()),
            keys: Vec::new(),
        }],
        errors: 0,
        first_error: None,
    };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start + (line.len() - line.trim_start().len());
        let content = line.trim();
        read.line(content, at, start, line.starts_with([' ', '\t']));
        start += line.len();
    }
    read
}

impl Read {
    fn line(&mut self, content: &str, at: usize, start: usize, is_indented: bool) {
        if content.is_empty() || content.starts_with(['#', ';']) {
            return;
        }
        let header = content.strip_prefix('[').and_then(|rest| {
            let (name, behind) = rest.split_once(']')?;
            let behind = behind.trim_start();
            (behind.is_empty() || behind.starts_with(['#', ';'])).then_some(name)
        });
        let Some(section) = self.sections.last_mut() else {
            return;
        };
        // The line before goes on here: indented, or behind a backslash.
        if let Some(setting) = section.keys.last_mut() {
            let goes_on = setting
                .lines
                .last()
                .is_some_and(|(_, line)| line.ends_with('\\'));
            if goes_on || (is_indented && header.is_none()) {
                let span = Span::new(at, at + content.len());
                setting.lines.push((span, content.to_owned()));
                return;
            }
        }
        if let Some(name) = header {
            // The last one ends with the text.
            let end = std::mem::replace(&mut section.span.end, start);
            self.sections.push(Section {
                name: name.trim().to_owned(),
                name_span: Span::new(at, at + content.len()),
                span: Span::new(start, end),
                keys: Vec::new(),
            });
            return;
        }
        let Some(sign) = content.find(['=', ':']) else {
            if is_wrong(content, section) {
                self.errors += 1;
                self.first_error.get_or_insert(at);
            }
            return;
        };
        let (name, rest) = content.split_at(sign);
        let name = name.trim_end();
        let rest = rest.get(1..).unwrap_or_default();
        let value = rest.trim_start();
        let from = at + (content.len() - value.len());
        let lines = if value.is_empty() {
            Vec::new()
        } else {
            vec![(Span::new(from, from + value.len()), value.to_owned())]
        };
        section.keys.push(Setting {
            name: name.to_owned(),
            name_span: Span::new(at, at + name.len()),
            lines,
        });
    }
}

/// Whether a line without a sign is an error: a header that is not closed, or words below one. A
/// single word is a key of those readers that want no value, a `!` begins their directives, and
/// what has no header at all need not be INI.
fn is_wrong(content: &str, section: &Section) -> bool {
    if let Some(name) = content.strip_prefix('[') {
        let is_name = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
        return !name.is_empty() && name.chars().all(is_name);
    }
    !section.name.is_empty()
        && !content.starts_with('!')
        && content.split_whitespace().nth(1).is_some()
}

/// Sections as settings.
pub(super) fn node(sections: Vec<Section>, text: &str) -> Node {
    let mut entries = Vec::new();
    for section in sections {
        let inner: Vec<Entry> = section.keys.into_iter().map(entry).collect();
        if section.name.is_empty() {
            entries.extend(inner);
            continue;
        }
        let span = section.span;
        entries.push(Entry {
            key: named(&section.name),
            key_span: section.name_span,
            value: Node {
                span,
                kind: Kind::Map(inner),
            },
        });
    }
    Node {
        span: Span::new(0, text.len()),
        kind: Kind::Map(entries),
    }
}

/// A section's name as a key: `tool:pytest` and `testenv:gpu` are no more than that.
fn named(name: &str) -> String {
    name.split(':').next().unwrap_or(name).to_owned()
}

fn entry(setting: Setting) -> Entry {
    let start = setting
        .lines
        .first()
        .map_or(setting.name_span.end, |(span, _)| span.start);
    let end = setting
        .lines
        .last()
        .map_or(setting.name_span.end, |(span, _)| span.end);
    let span = Span::new(start, end.max(start));
    let kind = match setting.name.as_str() {
        "setenv" | "set_env" | "env" | "environment" => {
            Kind::Map(setting.lines.iter().filter_map(variable).collect())
        }
        "commands" | "commands_pre" | "commands_post" => {
            Kind::List(setting.lines.into_iter().map(scalar).collect())
        }
        _ => match <[_; 1]>::try_from(setting.lines) {
            Ok([line]) => scalar(line).kind,
            Err(lines) => Kind::List(lines.into_iter().map(scalar).collect()),
        },
    };
    let key = if setting.name.starts_with("commands") {
        "commands".to_owned()
    } else {
        setting.name
    };
    Entry {
        key,
        key_span: setting.name_span,
        value: Node { span, kind },
    }
}

/// A line `NAME=value` among variables; what stands before the name, and a colon, chooses when it
/// counts (`gpu: NAME=value`, `D:NAME=value`).
fn variable((span, line): &(Span, String)) -> Option<Entry> {
    let (name, value) = line.split_once('=')?;
    let bare = name.trim_end();
    let own = bare.rsplit([':', ' ']).next().unwrap_or(bare);
    let start = span.start + (bare.len() - own.len());
    let written = value.trim();
    let from = span.start + name.len() + 1 + (value.len() - value.trim_start().len());
    Some(Entry {
        key: own.to_owned(),
        key_span: Span::new(start, start + own.len()),
        value: scalar((Span::new(from, from + written.len()), written.to_owned())),
    })
}

/// A value, without quotes around all of it and without what follows it as a comment.
fn scalar((span, written): (Span, String)) -> Node {
    let comment = [" #", " ;", "\t#", "\t;"];
    let end = comment.iter().filter_map(|sign| written.find(sign)).min();
    let value = written
        .get(..end.unwrap_or(written.len()))
        .unwrap_or_default();
    let value = value.trim_end();
    let quote = value.chars().next().filter(|c| "\"'".contains(*c));
    let bare = quote.and_then(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let (text, from) = match bare {
        Some(bare) => (bare, span.start + 1),
        None => (value, span.start),
    };
    Node {
        span: Span::new(span.start, span.start + value.len()),
        kind: Kind::Scalar(Scalar {
            text: text.to_owned(),
            inside: Some(Span::new(from, from + text.len())),
            quoted: bare.is_some(),
            pieces: None,
        }),
    }
}
