//! `PowerShell`'s words: quotes, escapes, and the variables in them.

use super::super::setx::upper;
use super::reader::{Reader, SEPARATORS};
use crate::scan::language::command::{Reference, Word};
use crate::text::Span;

/// Longer texts in braces are no names of variables.
const LONGEST_NAME: usize = 256;

impl Reader<'_> {
    pub(super) fn word(&mut self) -> Word {
        let start = self.at;
        let mut word = Word::bare("", start);
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | ',' | '>' | '<' => break,
                '&' if !word.text.is_empty() => break,
                _ if SEPARATORS.contains(c) => break,
                '\'' => self.single(&mut word),
                '"' => self.double(&mut word),
                '@' if self.rest().starts_with("@\"") || self.rest().starts_with("@'") => {
                    self.here_string(&mut word);
                }
                '$' => self.variable(&mut word, true),
                '`' => {
                    self.advance();
                    word.plain = false;
                    word.quoted = None;
                    word.text.extend(self.peek());
                    self.advance();
                }
                _ => {
                    word.quoted = None;
                    word.text.push(c);
                    self.advance();
                }
            }
        }
        // A list, of which commands make one word: `--gpu_ids 0,1`.
        while self.peek() == Some(',') && self.at > start {
            let behind = &self.rest()[1..];
            if !behind.starts_with(|c: char| c.is_ascii_digit()) {
                break;
            }
            let length = 1 + behind
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(behind.len());
            word.text.push_str(&self.rest()[..length]);
            self.at += length;
        }
        if self.at == start {
            self.advance();
        }
        word.span.end = self.at.min(self.text.len());
        word
    }

    fn single(&mut self, word: &mut Word) {
        let only = std::mem::replace(&mut word.plain, false);
        let open = self.at;
        self.advance();
        let mut exact = only;
        loop {
            match self.peek() {
                None => {
                    self.unclosed.get_or_insert(open);
                    return;
                }
                Some('\'') if self.rest().starts_with("''") => {
                    exact = false;
                    word.text.push('\'');
                    self.at += 2;
                }
                Some('\'') => break,
                Some(c) => {
                    word.text.push(c);
                    self.advance();
                }
            }
        }
        word.quoted = exact.then(|| Span::new(open + 1, self.at));
        self.advance();
    }

    fn double(&mut self, word: &mut Word) {
        let only = std::mem::replace(&mut word.plain, false);
        let open = self.at;
        self.advance();
        let mut exact = only;
        loop {
            match self.peek() {
                None => {
                    self.unclosed.get_or_insert(open);
                    return;
                }
                Some('"') if self.rest().starts_with("\"\"") => {
                    exact = false;
                    word.text.push('"');
                    self.at += 2;
                }
                Some('"') => break,
                Some('`') => {
                    exact = false;
                    self.advance();
                    word.text.extend(self.peek());
                    self.advance();
                }
                Some('$') => self.variable(word, false),
                Some(c) => {
                    word.text.push(c);
                    self.advance();
                }
            }
        }
        word.quoted = exact.then(|| Span::new(open + 1, self.at));
        self.advance();
    }

    /// `@"` up to a line that begins with `"@`.
    fn here_string(&mut self, word: &mut Word) {
        let end = if self.rest().starts_with("@\"") {
            "\n\"@"
        } else {
            "\n'@"
        };
        let open = self.at + 2;
        let only = std::mem::replace(&mut word.plain, false) && word.text.is_empty();
        self.past(end);
        let inside = self.text.get(open..self.at).unwrap_or_default();
        let inside = inside.strip_suffix(end).unwrap_or(inside);
        word.text.push_str(inside);
        let exact = only && (end.ends_with("'@") || !inside.contains('`'));
        word.quoted = exact.then(|| Span::new(open, open + inside.len()));
        if inside.contains('$') {
            word.hide();
        }
    }

    fn variable(&mut self, word: &mut Word, splits: bool) {
        let rest = self.rest();
        if let Some((name, length)) = variable_name(rest) {
            let at = word.text.len();
            word.text.push_str(&rest[..length]);
            word.dynamic = true;
            word.references.push(Reference {
                at: Span::new(at, at + length),
                name: match name.get(..4) {
                    Some(scope) if scope.eq_ignore_ascii_case("env:") => upper(&name[4..]),
                    _ => name.to_ascii_lowercase(),
                },
                default: None,
                assigns: false,
                splits,
            });
            self.at += length;
        } else {
            word.hide();
            word.text.push('$');
            self.advance();
            // `$(…)` in a text.
            if !splits && self.peek() == Some('(') {
                self.expression();
            }
        }
    }

    /// Behind the `)` of a `$(…)`, which has texts and expressions in it itself.
    fn expression(&mut self) {
        let open_at = self.at;
        let mut around: Vec<char> = Vec::new();
        while let Some(c) = self.peek() {
            let in_text = around.last() == Some(&'"');
            let in_expression = self.rest().starts_with("$(");
            self.advance();
            match c {
                '`' => self.advance(),
                '"' if in_text => _ = around.pop(),
                '$' if in_text && in_expression => {
                    self.advance();
                    around.push('(');
                }
                _ if in_text => {}
                '"' | '(' => around.push(c),
                '\'' => self.past("'"),
                ')' => _ = around.pop(),
                _ => {}
            }
            if around.is_empty() {
                return;
            }
        }
        self.unclosed.get_or_insert(open_at);
    }
}

/// The name behind a `$`, or in its braces, and how long it is with them.
pub(super) fn variable_name(text: &str) -> Option<(&str, usize)> {
    let behind = text.strip_prefix('$')?;
    if let Some(inside) = behind.strip_prefix('{') {
        let ends = |(_, c): &(usize, char)| matches!(c, '}' | '\n');
        let (end, _) = inside.char_indices().take(LONGEST_NAME).find(ends)?;
        return inside[end..]
            .starts_with('}')
            .then(|| (&inside[..end], end + 3));
    }
    let is_part = |c: char| c == '_' || c == ':' || c.is_ascii_alphanumeric();
    let length = behind.find(|c| !is_part(c)).unwrap_or(behind.len());
    let name = behind[..length].trim_end_matches(':');
    (!name.is_empty()).then_some((name, name.len() + 1))
}
