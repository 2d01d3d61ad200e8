//! What a `$` begins: a variable, a command's output, arithmetic, or quotes of a kind of their own.

use super::word::Reference;
use super::{Kind, Reader};
use crate::text::Span;

/// Longer texts in `${…}` are no variables of interest.
const LONGEST: usize = 256;

impl Reader<'_> {
    pub(super) fn dollar(&mut self, at: usize) {
        let in_quotes = self.frame.quotes.is_some();
        match self.characters.peek().map(|(_, c)| *c) {
            Some('(') => {
                self.characters.next();
                self.word(at).hide();
                if self.next_is('(') {
                    self.skip_parentheses(at);
                    self.word(at).text.push(super::HOLE);
                } else {
                    self.open_frame(Kind::Substitution, at);
                }
            }
            Some('{') => self.braces(at),
            Some('[') if self.bracketed(at) => {}
            Some('\'') if !in_quotes => self.escapes(at),
            // Translated text: quotes like others.
            Some('"') if !in_quotes => {}
            Some(c) if c == '_' || c.is_ascii_alphanumeric() => {
                let rest = self.text.get(at + 1..).unwrap_or_default();
                let length = if c.is_ascii_digit() {
                    1
                } else {
                    name_length(rest)
                };
                let name = rest.get(..length).unwrap_or_default().to_owned();
                self.refer(at, at + 1 + length, (name, None, false));
            }
            Some(c) if "@*#?!-$".contains(c) => {
                self.characters.next();
                let word = self.word(at);
                word.text.push('$');
                word.text.push(c);
                word.hide();
            }
            _ => {
                let word = self.word(at);
                word.hide();
                word.text.push('$');
            }
        }
    }

    /// `${name}`, `${name:-default}`, `${list[@]}`.
    fn braces(&mut self, at: usize) {
        let rest = self.text.get(at + 2..).unwrap_or_default();
        let Some(length) = closing_brace(rest) else {
            let word = self.word(at);
            word.hide();
            word.text.push('$');
            return;
        };
        let inside = &rest[..length];
        let end = at + 3 + length;
        // `${1:-0}` is the script's first argument.
        let digits = inside.len()
            - inside
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .len();
        let name_end = name_length(inside).max(digits);
        let behind = &inside[name_end..];
        let behind = ["[@]", "[*]"]
            .iter()
            .find_map(|all| behind.strip_prefix(all))
            .unwrap_or(behind);
        let operator = [":-", ":=", "-", "="]
            .into_iter()
            .find(|operator| behind.starts_with(operator));
        match operator {
            Some(operator) if name_end > 0 => {
                let written = &behind[operator.len()..];
                let from = end - 1 - written.len();
                let default = literal(written, from);
                let assigns = operator.ends_with('=');
                self.refer(at, end, (inside[..name_end].to_owned(), default, assigns));
            }
            None if behind.is_empty() && name_end > 0 => {
                self.refer(at, end, (inside.to_owned(), None, false));
                if let Some(last) = self.last_reference() {
                    last.name.truncate(name_end);
                    last.splits |= inside.len() > name_end;
                }
            }
            _ => {
                // `${name%.*}`, `${#list}`: some other text. The name is read all the same.
                let name = inside.trim_start_matches(['#', '!']);
                let name = name[..name_length(name)].to_owned();
                self.refer(at, end, (name, None, false));
                self.word(at).hide();
            }
        }
    }

    fn last_reference(&mut self) -> Option<&mut Reference> {
        self.frame.word.as_mut()?.references.last_mut()
    }

    /// Puts a reference into the word as it is written.
    fn refer(
        &mut self,
        at: usize,
        end: usize,
        (name, default, assigns): (String, Option<(String, Span)>, bool),
    ) {
        let written = self.text.get(at..end).unwrap_or_default();
        let splits = self.frame.quotes.is_none();
        let word = self.word(at);
        word.dynamic = true;
        let start = word.text.len();
        word.text.push_str(written);
        let reference = Reference {
            at: Span::new(start, word.text.len()),
            name,
            default,
            assigns,
            splits,
        };
        word.references.push(reference);
        self.skip_to(end);
    }

    /// `$'…'` with the escapes of C.
    fn escapes(&mut self, at: usize) {
        self.characters.next();
        self.word(at).unquote();
        while let Some((_, c)) = self.characters.next() {
            let written = match c {
                '\'' => return,
                '\\' => match self.characters.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 't')) => '\t',
                    Some((_, c)) => c,
                    None => break,
                },
                c => c,
            };
            self.word(at).text.push(written);
        }
        self.unclosed = self.unclosed.or(Some(at));
    }
}

/// How long the name of a variable at the start of a text is.
fn name_length(text: &str) -> usize {
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

/// How far the `}` is that closes what is open before a text.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 1;
    for (at, c) in text.char_indices().take(LONGEST) {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            '\n' => return None,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

/// A default that is written out, without its quotes.
fn literal(written: &str, at: usize) -> Option<(String, Span)> {
    let quoted = ['"', '\''].iter().find_map(|quote| {
        let inside = written.strip_prefix(*quote)?.strip_suffix(*quote)?;
        Some((inside, at + 1))
    });
    let (text, at) = quoted.unwrap_or((written, at));
    let known = !text.contains(['$', '`', '"', '\'', '\\', super::HOLE]);
    known.then(|| (text.to_owned(), Span::new(at, at + text.len())))
}
