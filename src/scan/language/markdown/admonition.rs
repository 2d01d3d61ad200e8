//! Blocks of `MkDocs`, whose indented lines are a page of their own: `!!! note`, `??? tip`,
//! `=== "Tab"`. To a reader of common Markdown they are indented code.

use crate::scan::embedded::Embedded;
use crate::text::Span;

/// How far a block's lines are indented.
const INDENTATION: usize = 4;

/// The blocks of a page that have a fence in them, without their indentation.
pub(super) fn bodies(page: &Embedded) -> Vec<Embedded> {
    let text = page.code();
    let mut bodies = Vec::new();
    if !["!!! ", "??? ", "???+ ", "=== ", "===! "]
        .iter()
        .any(|sign| text.contains(sign))
    {
        return bodies;
    }
    let mut fence: Option<&str> = None;
    let mut body: Option<Body> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let bare = line.trim_end();
        let (indentation, length) = indentation_of(line);
        if let Some(open) = &mut body {
            if bare.is_empty() || indentation >= open.indentation {
                let skipped = length_of(line, open.indentation);
                page.copy_to(&mut open.code, Span::new(start + skipped, end));
                start = end;
                continue;
            }
            bodies.extend(body.take().map(|body| body.code));
        }
        let content = bare.get(length..).unwrap_or_default();
        match fence {
            Some(sign) if content.starts_with(sign) => fence = None,
            None if content.starts_with("```") => fence = Some("```"),
            None if content.starts_with("~~~") => fence = Some("~~~"),
            None if begins_block(content) => {
                body = Some(Body {
                    indentation: indentation + INDENTATION,
                    code: Embedded::default(),
                });
            }
            Some(_) | None => {}
        }
        start = end;
    }
    bodies.extend(body.map(|body| body.code));
    bodies.retain(|body| body.code().contains("```") || body.code().contains("~~~"));
    bodies
}

struct Body {
    indentation: usize,
    code: Embedded,
}

fn begins_block(line: &str) -> bool {
    let word = line.split(' ').next().unwrap_or_default();
    match word {
        "!!!" | "???" | "???+" => line.len() > word.len(),
        "===" | "===!" | "===+" => line[word.len()..].trim_start().starts_with(['"', '\'']),
        _ => false,
    }
}

/// How many columns the blanks at the start of a line take, and how many bytes.
fn indentation_of(line: &str) -> (usize, usize) {
    let mut columns = 0;
    let mut bytes = 0;
    for c in line.chars() {
        match c {
            ' ' => columns += 1,
            '\t' => columns += INDENTATION - columns % INDENTATION,
            _ => break,
        }
        bytes += 1;
    }
    (columns, bytes)
}

/// The blanks that make so many columns, in bytes.
fn length_of(line: &str, columns: usize) -> usize {
    let mut seen = 0;
    let mut bytes = 0;
    for c in line.chars() {
        match c {
            _ if seen >= columns => break,
            ' ' => seen += 1,
            '\t' => seen += INDENTATION - seen % INDENTATION,
            _ => break,
        }
        bytes += 1;
    }
    bytes
}
