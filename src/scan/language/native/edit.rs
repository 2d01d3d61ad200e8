//! Edits: a variable set beside another, in the same call and style.

use crate::scan::fact::{Fact, FileFacts};
use crate::scan::language::in_place;
use crate::scan::remedy::{Wish, Written};
use crate::text::{Edit, Span};

/// So many lines up it is looked for where the statement before ends.
const LINES_UP: usize = 32;

pub(in crate::scan::language) fn edits(
    text: &str,
    facts: &FileFacts,
    wishes: &[Wish<'_>],
) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside,
        flags_are_words: false,
    };
    in_place::edits(text, facts, wishes, style)
}

/// The same code with another name and value, before the one that a fact is about.
fn beside(text: &str, _: &FileFacts, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    let span = fact.span;
    let written = text.get(span.start..span.end)?;
    let old = fact
        .value
        .filter(|old| span.start <= old.start && old.end <= span.end)?;
    let own = match &fact.kind {
        crate::scan::fact::FactKind::SetVariable(write) => write.name.as_str(),
        _ => return None,
    };
    let before = text.get(span.start..old.start)?.replacen(own, name, 1);
    let copy = format!("{before}{value}{}", text.get(old.end..span.end)?);
    let line_start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let head = &text[line_start..span.start];
    let line_end = text[span.end..]
        .find('\n')
        .map_or(text.len(), |at| span.end + at);
    let tail = text[span.end..line_end].trim();
    let is_alone = head.trim().is_empty();
    let inline = |separator: &str| {
        Some(Edit {
            span: Span::new(span.start, span.start),
            replacement: format!("{copy}{separator}"),
        })
    };
    match written.as_bytes().first()? {
        // A word of a command in a text.
        _ if written.starts_with(own) => inline(" "),
        // A method of a chain.
        b'.' if is_alone => in_place::line_above(text, span.start, &copy),
        b'.' => inline(""),
        // An element of a list.
        b'(' | b'"' | b'{' if is_alone => {
            in_place::line_above(text, span.start, &format!("{copy},"))
        }
        b'(' | b'"' | b'{' => inline(", "),
        _ if is_alone && tail.starts_with(';') && begins_statement(text, line_start) => {
            in_place::line_above(text, span.start, &format!("{copy};"))
        }
        _ if head.trim_end().ends_with(['{', ';']) => inline("; "),
        _ => None,
    }
}

/// Whether a line begins a statement: what stands above it, comments apart, ends one.
fn begins_statement(text: &str, line_start: usize) -> bool {
    let above = text[..line_start].lines().rev().take(LINES_UP);
    for line in above {
        let line = line.split("//").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        return line.ends_with([';', '{', '}', ':']) || line.ends_with("*/");
    }
    true
}
