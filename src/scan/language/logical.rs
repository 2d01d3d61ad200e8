//! Lines that go on behind an escape at their end, as one line, with the places of its pieces.

use crate::scan::embedded::Embedded;
use crate::text::Span;

/// How a format joins lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joining<'s> {
    /// What at the end of a line makes the next one part of it.
    pub(super) escape: char,
    /// What stands between two lines then.
    pub(super) joint: &'s str,
    /// Signs with which a line begins that is a comment, also in the midst of a joined one.
    pub(super) comments: &'s [&'s str],
    /// Whether blanks may follow the escape.
    pub(super) blanks_follow: bool,
}

/// A line, joined.
#[derive(Clone, Debug)]
pub(super) struct Logical {
    /// All of it in the file, without the last line end.
    pub(super) span: Span,
    /// What it says.
    pub(super) code: Embedded,
}

/// Reads a text line by line.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Where the next line starts.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next line as it is, without its line end.
    pub(super) fn peek(&self) -> Option<(Span, &'t str)> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let line = rest.split('\n').next().unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        Some((Span::new(self.at, self.at + line.len()), line))
    }

    /// The next line as it is, without its line end, read.
    pub(super) fn raw(&mut self) -> Option<(Span, &'t str)> {
        let found = self.peek()?;
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
        Some(found)
    }

    /// The next line with those that continue it.
    pub(super) fn joined(&mut self, joining: Joining<'_>) -> Option<Logical> {
        let (first, mut line) = self.raw()?;
        let mut span = first;
        let mut last = first;
        let mut code = Embedded::default();
        if is_comment(line, joining.comments) {
            code.push(first, line);
            return Some(Logical { span, code });
        }
        loop {
            let Some(kept) = continued(line, joining) else {
                code.push(last, line);
                return Some(Logical { span, code });
            };
            code.push(Span::new(last.start, last.start + kept.len()), kept);
            let next = loop {
                match self.raw() {
                    Some((_, line)) if is_comment(line, joining.comments) => {}
                    // Docker warns of an empty line, and goes on.
                    Some((_, line)) if joining.blanks_follow && line.trim().is_empty() => {}
                    next => break next,
                }
            };
            let Some((own, text)) = next else {
                return Some(Logical { span, code });
            };
            push_otherwise(
                &mut code,
                Span::new(last.start + kept.len(), own.start),
                joining.joint,
            );
            (last, line) = (own, text);
            span.end = own.end;
        }
    }
}

/// Whether a line is a comment.
pub(super) fn is_comment(line: &str, signs: &[&str]) -> bool {
    let content = line.trim_start();
    signs.iter().any(|sign| content.starts_with(sign))
}

/// What a line says that goes on in the next one.
fn continued<'l>(line: &'l str, joining: Joining<'_>) -> Option<&'l str> {
    let content = if joining.blanks_follow {
        line.trim_end()
    } else {
        line
    };
    let kept = content.strip_suffix(joining.escape)?;
    // An escape that is escaped itself is none.
    let before = kept.len() - kept.trim_end_matches(joining.escape).len();
    before
        .is_multiple_of(joining.escape.len_utf8() * 2)
        .then_some(kept)
}

/// Adds what the file writes otherwise at `span`.
pub(super) fn push_otherwise(code: &mut Embedded, span: Span, text: &str) {
    // The same length would be taken for the same text.
    let is_same_length = span.end - span.start == text.len();
    let end = if is_same_length {
        span.end.saturating_sub(1).max(span.start)
    } else {
        span.end
    };
    code.push(Span::new(span.start, end), text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_without_the_comments_among_them() {
        let text = "a \\\n# b \\\n  c \\ \r\nd\ne\\\\\nf\\";
        let joining = Joining {
            escape: '\\',
            joint: "",
            comments: &["#"],
            blanks_follow: true,
        };
        let mut lines = Lines::new(text);
        let mut found = Vec::new();
        while let Some(line) = lines.joined(joining) {
            found.push((line.code.code().to_owned(), line.span));
        }
        let expected = [
            ("a   c d", Span::new(0, 19)),
            ("e\\\\", Span::new(20, 23)),
            ("f", Span::new(24, 26)),
        ];
        assert_eq!(found, expected.map(|(text, span)| (text.to_owned(), span)));
    }

    #[test]
    fn a_piece_that_is_written_otherwise_is_never_verbatim() {
        let mut code = Embedded::default();
        push_otherwise(&mut code, Span::new(0, 4), "auto");
        assert_eq!(code.verbatim(Span::new(0, 4)), None);
        push_otherwise(&mut code, Span::new(4, 8), "1");
        assert_eq!(code.verbatim(Span::new(4, 5)), None);
        assert_eq!(code.in_file(Span::new(4, 5)), Span::new(4, 8));
    }
}
