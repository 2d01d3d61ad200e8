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
        if let Some(end) = pending.take() {
            let joins = folded && !own.is_empty() && !is_more;
            code.push(end, if joins { " " } else { "\n" });
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
    }
}
