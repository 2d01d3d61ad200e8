//! Block texts (`|` and `>`): their lines without the indentation, each with its place.

use crate::scan::embedded::Embedded;
use crate::text::Span;

/// The lines of a block that stands at `span`, in one piece; where it is folded, lines of one
/// paragraph are one. `None` where there are none.
pub(super) fn lines(text: &str, span: Span, folded: bool) -> Option<Embedded> {
    let whole = text.get(span.start..span.end)?;
    // The sign itself may or may not be a part of it.
    let header = if whole.starts_with(['|', '>']) {
        whole.find('\n')? + 1
    } else {
        0
    };
    let mut start = if header > 0 {
        span.start + header
    } else {
        text[..span.start].rfind('\n').map_or(0, |end| end + 1)
    };
    let content = text.get(start..span.end)?;
    let first = content.lines().find(|line| !line.trim().is_empty())?;
    let indentation = first.len() - first.trim_start_matches(' ').len();
    let mut code = Embedded::default();
    code.start_cell(1);
    // The line end behind the last line of a paragraph, which becomes a blank when another
    // line of it follows.
    let mut pending: Option<Span> = None;
    for line in content.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\n', '\r']);
        let cut = indentation.min(bare.len() - bare.trim_start_matches(' ').len());
        let own = &bare[cut..];
        let own_span = Span::new(start + cut, start + bare.len());
        let end = Span::new(own_span.end, start + line.len());
        start += line.len();
        let is_more = own.starts_with([' ', '\t']);
        // An empty line is the line end by itself.
        if let Some(end) = pending.take().filter(|_| !own.is_empty()) {
            code.push(end, if is_more { "\n" } else { " " });
        }
        code.push(own_span, own);
        let has_end = end.end > end.start;
        if has_end && folded && !own.is_empty() && !is_more {
            pending = Some(end);
        } else if has_end {
            code.push(end, "\n");
        }
    }
    if let Some(end) = pending {
        code.push(end, "\n");
    }
    Some(code)
}

/// The lines of a text without a sign or in quotes, which stands at `span`: a line end is a blank,
/// an empty line a line end. `None` where something in it is written otherwise.
pub(super) fn flow_lines(text: &str, span: Span) -> Option<Embedded> {
    let written = text.get(span.start..span.end)?;
    if written.contains(['\\', '\t']) || written.contains("''") {
        return None;
    }
    let mut code = Embedded::default();
    code.start_cell(1);
    let mut start = span.start;
    let mut empty_lines = 0;
    for (number, line) in written.split('\n').enumerate() {
        let own = line.trim();
        let at = start + (line.len() - line.trim_start().len());
        let line_end = Span::new(start.saturating_sub(1), start);
        start += line.len() + 1;
        if own.is_empty() {
            empty_lines += 1;
            continue;
        }
        if number > 0 && empty_lines == 0 {
            code.push(line_end, " ");
        }
        for _ in 0..empty_lines {
            code.push(line_end, "\n");
        }
        empty_lines = 0;
        code.push(Span::new(at, at + own.len()), own);
    }
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, folded: bool) -> String {
        let at = text.find(['|', '>']).unwrap();
        let code = lines(text, Span::new(at, text.len()), folded).unwrap();
        for (file, piece) in code.pieces() {
            let written = &text[file.start..file.end];
            assert!(
                written == piece || piece == " " || piece == "\n",
                "{text:?}"
            );
        }
        code.code().to_owned()
    }

    #[test]
    fn indentation_is_no_part_of_a_line() {
        assert_eq!(read("a: |\n  b\n    c\n\n  d\n", false), "b\n  c\n\nd\n");
        assert_eq!(read("a: |-\r\n  b\r\n  c\r\n", false), "b\nc\n");
        assert_eq!(read("a: >\n  b\n  c\n  d", true), "b c d");
        assert_eq!(
            read("a: >\n  b\n\n  c\n    d\n  e\n", true),
            "b\nc\n  d\ne\n"
        );
    }

    #[test]
    fn lines_without_a_sign_are_joined() {
        for (text, expected) in [
            ("a\n  b\n\n  c", Some("a b\nc")),
            ("a", Some("a")),
            ("a\n  b''c", None),
        ] {
            let code = flow_lines(text, Span::new(0, text.len()));
            assert_eq!(code.as_ref().map(Embedded::code), expected, "{text}");
        }
    }
}
