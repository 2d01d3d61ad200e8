//! Brackets that are never closed: what stands behind one is read as part of it, and
//! assignments look like keyword arguments. The statement that was left open is cut off, so that
//! the rest can be read for what it is.

use ruff_python_ast::ModModule;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::Parsed;

use super::span_of;
use crate::text::Span;

/// What lies between a statement's start and the line where it must have ended: those whose
/// bracket is still open at a line that begins like another statement, no further to the right
/// than itself, and where the parser stumbles over such a line.
pub(super) fn left_open(text: &str, parsed: &Parsed<ModModule>) -> Vec<Span> {
    let mut errors: Vec<usize> = parsed
        .errors()
        .iter()
        .map(|error| error.location.start().to_usize())
        .collect();
    errors.sort_unstable();
    let mut spans = Vec::new();
    let mut statement = Statement::default();
    let mut line_begins = true;
    for token in parsed.tokens() {
        let span = span_of(token);
        match token.kind() {
            TokenKind::Newline => {
                spans.extend(statement.cut());
                statement = Statement::default();
                line_begins = true;
                continue;
            }
            TokenKind::NonLogicalNewline => {
                line_begins = true;
                continue;
            }
            TokenKind::Comment | TokenKind::Indent | TokenKind::Dedent => continue,
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => statement.open += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                statement.open = statement.open.saturating_sub(1);
            }
            kind if line_begins => {
                let begins = kind == TokenKind::Name || kind.is_keyword();
                statement.line(text, span.start, begins, &errors);
            }
            _ => {}
        }
        line_begins = false;
    }
    spans.extend(statement.cut());
    spans
}

/// The statement that is being read.
#[derive(Default)]
struct Statement {
    /// Where it starts, and how far its line is indented.
    start: Option<(usize, usize)>,
    open: usize,
    /// The first line inside a bracket that begins like a statement.
    next: Option<usize>,
    /// Whether the parser stumbled over such a line.
    stumbled: bool,
}

impl Statement {
    fn line(&mut self, text: &str, at: usize, begins: bool, errors: &[usize]) {
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let column = at - line;
        match self.start {
            None => self.start = Some((line, column)),
            Some((_, indent)) if begins && self.open > 0 && column <= indent => {
                self.next.get_or_insert(line);
                self.stumbled |= errors.binary_search(&at).is_ok();
            }
            Some(_) => {}
        }
    }

    fn cut(&self) -> Option<Span> {
        let (start, _) = self.start?;
        Some(Span::new(start, self.next.filter(|_| self.stumbled)?))
    }
}

/// A text with blanks for all but the line ends of some spans: everything else stays in place.
pub(super) fn blanked(text: &str, spans: &[Span]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for span in spans {
        result.push_str(&text[done..span.start]);
        let blanks = text[span.start..span.end].bytes().map(|byte| match byte {
            b'\n' | b'\r' => char::from(byte),
            _ => ' ',
        });
        result.extend(blanks);
        done = span.end;
    }
    result.push_str(&text[done..]);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        let parsed =
            ruff_python_parser::parse_unchecked_source(text, ruff_python_ast::PySourceType::Python);
        let spans = left_open(text, &parsed);
        let rest = blanked(text, &spans);
        assert_eq!(rest.len(), text.len());
        rest.lines().map(str::trim_end).map(str::to_owned).collect()
    }

    #[test]
    fn only_what_was_left_open_is_cut() {
        let open = "import os\nx = f(1,\nA = 1\nos.environ['X'] = '1'\ny = 2\n";
        assert_eq!(
            cut(open),
            ["import os", "", "A = 1", "os.environ['X'] = '1'", "y = 2"]
        );
        let inside = "def g():\n    x = [é, 2\n    y = f(1)\n    z = 3\n";
        assert_eq!(cut(inside), ["def g():", "", "    y = f(1)", "    z = 3"]);
        for whole in [
            "x = f(\na,\nb=1,\n)\n",
            "x = f(\na,\nb=1,\n)\ny = (1\n",
            "x = [\n    1\n    2\n]\ny = 1\n",
            "print 'a'\nx = f(\na)\n",
            "",
        ] {
            assert_eq!(cut(whole), whole.lines().collect::<Vec<_>>(), "{whole}");
        }
    }
}
