//! Quotes and backslashes.

use super::super::Dialect;
use super::Reader;
use super::word::HOLE;
use crate::text::Span;

impl Reader<'_> {
    pub(super) fn in_double_quotes(&mut self, at: usize, c: char) {
        match c {
            '"' => {
                if let (Some(quotes), Some(word)) = (self.frame.quotes.take(), &mut self.frame.word)
                {
                    word.quoted = quotes.only.then(|| Span::new(quotes.at + 1, at));
                }
            }
            '{' | '<' if self.quoted_template(at) => {}
            '$' => self.dollar(at),
            '`' if self.dialect == Dialect::Posix => self.backquote(at),
            '\\' => {
                let literal = self.characters.next_if(|(_, c)| "\"\\$`\n".contains(*c));
                if literal.is_some()
                    && let Some(quotes) = &mut self.frame.quotes
                {
                    quotes.only = false;
                }
                match literal {
                    Some((_, '\n')) => {}
                    Some((_, c)) => self.word(at).text.push(c),
                    None => self.word(at).text.push('\\'),
                }
            }
            _ => {
                let word = self.word(at);
                if c == HOLE {
                    word.hide();
                }
                word.text.push(c);
            }
        }
    }

    pub(super) fn quoted(&mut self, at: usize) {
        let word = self.word(at);
        let mut only = word.plain;
        word.unquote();
        while let Some((at, mut c)) = self.characters.next_if(|(_, c)| *c != '\'') {
            // fish has escapes there.
            if self.dialect == Dialect::Fish
                && c == '\\'
                && let Some((_, escaped)) = self.characters.next_if(|(_, c)| "\\'".contains(*c))
            {
                only = false;
                c = escaped;
            }
            let word = self.word(at);
            if c == HOLE {
                word.hide();
            }
            word.text.push(c);
        }
        match (self.characters.next(), &mut self.frame.word) {
            (Some((end, _)), Some(word)) => {
                word.quoted = only.then(|| Span::new(at + 1, end));
            }
            _ => self.unclosed = self.unclosed.or(Some(at)),
        }
    }

    /// A backslash: before a line end it joins lines, else it makes a character itself. In a path
    /// of Windows it stays.
    pub(super) fn escaped(&mut self, at: usize) {
        let rest = self.text.get(at + 1..).unwrap_or_default();
        match self.characters.peek().copied() {
            Some((_, '\n')) => {
                self.characters.next();
            }
            Some((_, '\r')) if rest.starts_with("\r\n") => {
                self.characters.next();
                self.characters.next();
            }
            Some((_, c)) if !c.is_alphanumeric() => {
                self.characters.next();
                let word = self.word(at);
                word.plain = false;
                word.quoted = None;
                word.text.push(c);
            }
            _ => {
                let word = self.word(at);
                word.quoted = None;
                word.text.push('\\');
            }
        }
    }
}
