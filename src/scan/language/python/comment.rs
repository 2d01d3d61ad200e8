//! Comments that are addressed to gpuguard, and the code each speaks of.
//!
//! Lines are Python's own: a logical line is a whole statement (of a compound one, its head),
//! however many lines of the file it takes.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, Stmt};
use ruff_python_parser::Parsed;
use ruff_text_size::Ranged;

use super::span_of;
use crate::scan::fact::{COMMENT_PREFIX, Comment};
use crate::text::Span;

/// The comments of a file that begin with `gpuguard:`; a `#` in a text begins none.
pub(super) fn comments(text: &str, parsed: &Parsed<ModModule>) -> Vec<Comment> {
    // Few files have one: the tokens of the others are not looked at.
    if !text.contains(COMMENT_PREFIX) {
        return Vec::new();
    }
    let mut errors: Vec<usize> = parsed
        .errors()
        .iter()
        .map(|error| error.location.start().to_usize())
        .collect();
    errors.sort_unstable();
    let mut reader = Reader {
        text,
        errors,
        code_starts: code_starts(parsed.suite()).unwrap_or(text.len()),
        comments: Vec::new(),
        line: None,
        trailing: Vec::new(),
        above_line: Vec::new(),
        above_code: Vec::new(),
        line_start: 0,
        open: Vec::new(),
        closed: None,
    };
    for token in parsed.tokens() {
        reader.token(token.kind(), span_of(token));
    }
    reader.end_of_line(text.len());
    reader.comments
}

/// Where the first statement begins that is not the module's docstring.
fn code_starts(module: &[Stmt]) -> Option<usize> {
    let is_docstring = |statement: &Stmt| matches!(statement, Stmt::Expr(expr) if expr.value.is_string_literal_expr());
    let skipped = usize::from(module.first().is_some_and(is_docstring));
    Some(module.get(skipped)?.start().to_usize())
}

struct Reader<'t> {
    text: &'t str,
    /// Where syntax errors are, sorted.
    errors: Vec<usize>,
    code_starts: usize,
    comments: Vec<Comment>,
    /// Where the logical line begins that is being read.
    line: Option<usize>,
    /// Numbers of the comments at the end of a line of it.
    trailing: Vec<usize>,
    /// Those that stand alone above the next logical line.
    above_line: Vec<usize>,
    /// Those that stand alone inside the logical line, above its next code.
    above_code: Vec<usize>,
    /// Where the line of the file begins that is being read, or that of a text which ends on it.
    line_start: usize,
    /// Where the lines begin on which the open brackets stand.
    open: Vec<usize>,
    /// The same of the outermost bracket that is closed on the line of the file being read.
    closed: Option<usize>,
}

impl Reader<'_> {
    fn token(&mut self, kind: TokenKind, span: Span) {
        match kind {
            TokenKind::Comment => self.comment(span),
            TokenKind::Newline => {
                self.end_of_line(span.start);
                self.line_start = span.end;
            }
            TokenKind::NonLogicalNewline => {
                self.closed = None;
                self.line_start = span.end;
            }
            TokenKind::Indent | TokenKind::Dedent | TokenKind::EndOfFile => {}
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                self.open.push(self.line_start);
                self.code(span);
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                self.closed = self.open.pop().or(self.closed);
                self.code(span);
            }
            _ => self.code(span),
        }
    }

    fn code(&mut self, span: Span) {
        self.line.get_or_insert(span.start);
        if self.above_code.is_empty() {
            return;
        }
        let line = self.physical_line(span.start);
        for at in self.above_code.drain(..) {
            self.comments[at].covers = line;
        }
    }

    fn comment(&mut self, span: Span) {
        let own = self.physical_line(span.start);
        let stands_alone = self.text[own.start..span.start].trim().is_empty();
        for words in addressed(self.text, span) {
            let at = self.comments.len();
            self.comments.push(Comment {
                span: words,
                text: self.text[words.start..words.end].to_owned(),
                covers: if stands_alone {
                    Span::new(span.start, span.start)
                } else {
                    // Of an element over several lines the comment stands on the last.
                    let opened = self.closed.unwrap_or(own.start);
                    Span::new(opened.min(own.start), own.end)
                },
                heads_file: stands_alone && span.start < self.code_starts,
            });
            match (stands_alone, self.line) {
                (true, None) => self.above_line.push(at),
                (true, Some(_)) => self.above_code.push(at),
                (false, Some(_)) => self.trailing.push(at),
                (false, None) => {}
            }
        }
    }

    /// The logical line that is being read ends at `end`.
    fn end_of_line(&mut self, end: usize) {
        let Some(start) = self.line.take() else {
            return;
        };
        self.above_code.clear();
        self.open.clear();
        self.closed = None;
        // Where a bracket is left open, the line has no end that one could know.
        let first = self.errors.partition_point(|error| *error < start);
        let is_sound = self.errors.get(first).is_none_or(|error| *error > end);
        let whole = if is_sound {
            Span::new(start, end)
        } else {
            self.physical_line(start)
        };
        for at in self.above_line.drain(..) {
            self.comments[at].covers = whole;
        }
        for at in std::mem::take(&mut self.trailing) {
            let comment = &self.comments[at];
            let own = self.physical_line(comment.span.start);
            if is_sound && (own.start <= start || own.end >= end) {
                self.comments[at].covers = whole;
            } else if !is_sound {
                self.comments[at].covers = own;
            }
        }
    }

    /// The line of the file that holds an offset.
    fn physical_line(&self, at: usize) -> Span {
        let ends = ['\n', '\r'];
        let start = self.text[..at].rfind(ends).map_or(0, |end| end + 1);
        let end = self.text[at..].find(ends);
        Span::new(start, end.map_or(self.text.len(), |end| at + end))
    }
}

/// The parts of a comment that begin with the prefix: several can follow each other, each behind
/// a `#`, as in `# noqa: E501  # gpuguard: allow[GG006] why`.
fn addressed(text: &str, comment: Span) -> Vec<Span> {
    let mut found = Vec::new();
    let mut rest = comment.start..comment.end;
    while let Some(inside) = text[rest.clone()].strip_prefix('#') {
        let start = rest.end - inside.len();
        let is_next = |(at, _): &(usize, &str)| {
            let behind = &inside[at + 1..];
            // `#123` is a number in somebody's list of problems.
            behind.starts_with(char::is_whitespace) || behind.starts_with(COMMENT_PREFIX)
        };
        let next = inside.match_indices('#').find(is_next);
        let end = next.map_or(rest.end, |(at, _)| start + at);
        let words = text[start..end].trim();
        if words.starts_with(COMMENT_PREFIX) {
            let start = end - text[start..end].trim_start().len();
            found.push(Span::new(start, start + words.len()));
        }
        rest.start = end;
    }
    found
}
