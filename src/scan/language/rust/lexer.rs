//! Rust as tokens: nested comments, raw texts, lifetimes.

use crate::scan::language::native::tokens::{Collector, Kind, Tokens};
use crate::text::Span;

/// The tokens of a text, without comments.
pub(super) fn tokens(text: &str) -> Tokens<'_> {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        collector: Collector::new(text),
    };
    lexer.read();
    lexer.collector.finish()
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    collector: Collector<'t>,
}

impl Lexer<'_> {
    fn read(&mut self) {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            let start = self.at;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'/' if self.peek(1) == b'/' => {
                    let line = self.text[start..].find('\n');
                    self.at = line.map_or(self.bytes.len(), |length| start + length);
                }
                b'/' if self.peek(1) == b'*' => self.block_comment(),
                b'"' => self.quoted(start),
                b'\'' => self.letter_or_lifetime(start),
                b'0'..=b'9' => self.number(start),
                _ if is_name(byte) => self.word(start),
                b'(' | b'[' | b'{' => self.single(Kind::Open(byte)),
                b')' | b']' | b'}' => self.single(Kind::Close(byte)),
                _ => self.single(Kind::Sign(byte)),
            }
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn single(&mut self, kind: Kind) {
        self.at += 1;
        self.collector.push(self.at - 1, self.at, kind);
    }

    fn skip_name(&mut self) {
        while is_name(self.peek(0)) || self.peek(0).is_ascii_digit() {
            self.at += 1;
        }
    }

    fn word(&mut self, start: usize) {
        self.skip_name();
        match (&self.text[start..self.at], self.peek(0)) {
            ("b" | "c", b'"') => return self.quoted(start),
            ("b", b'\'') => return self.letter_or_lifetime(start),
            ("r" | "br" | "cr", b'"' | b'#') => {
                if self.raw(start) {
                    return;
                }
                // `r#type` is a name.
                if is_name(self.peek(1)) {
                    self.at += 1;
                    self.skip_name();
                }
            }
            _ => {}
        }
        self.collector.push(start, self.at, Kind::Word);
    }

    /// `r"…"` and `r#"…"#`; whether it is one.
    fn raw(&mut self, start: usize) -> bool {
        let signs = self.bytes[self.at..]
            .iter()
            .take_while(|byte| **byte == b'#')
            .count();
        if self.peek(signs) != b'"' || signs > 255 {
            return false;
        }
        let from = self.at + signs + 1;
        let closing = format!("\"{}", "#".repeat(signs));
        let found = self.text[from..].find(&closing).map(|at| from + at);
        if found.is_none() {
            self.collector.error(start);
        }
        let to = found.unwrap_or(self.text.len());
        self.at = (to + closing.len()).min(self.text.len());
        let inside = Span::new(from, to);
        self.collector
            .push(start, self.at, Kind::Text { inside, raw: true });
        true
    }

    /// A text whose first quote is at the current place.
    fn quoted(&mut self, start: usize) {
        let from = self.at + 1;
        let mut to = from;
        while let Some(byte) = self.bytes.get(to) {
            match byte {
                b'"' => break,
                b'\\' => to += 2,
                _ => to += 1,
            }
        }
        let to = to.min(self.bytes.len());
        if to == self.bytes.len() {
            self.collector.error(start);
        }
        self.at = (to + 1).min(self.bytes.len());
        let inside = Span::new(from.min(to), to);
        self.collector
            .push(start, self.at, Kind::Text { inside, raw: false });
    }

    /// `'a'`, `'\n'`, or `'a` without another quote.
    fn letter_or_lifetime(&mut self, start: usize) {
        let from = self.at + 1;
        let mut characters = self.text.get(from..).unwrap_or_default().chars();
        let end = match characters.next() {
            Some('\\') => {
                let escaped = characters.next().map_or(0, char::len_utf8);
                let behind = from + 1 + escaped;
                // `'\u{1F600}'` is the longest.
                let rest = self.bytes.get(behind..).unwrap_or_default();
                let close = rest.iter().take(10).position(|byte| *byte == b'\'');
                close.map(|length| behind + length + 1)
            }
            Some(c) if characters.next() == Some('\'') => Some(from + c.len_utf8() + 1),
            _ => None,
        };
        self.at = end.unwrap_or(from);
        if end.is_some() {
            self.collector.push(start, self.at, Kind::Letter);
        } else {
            self.skip_name();
        }
    }

    fn number(&mut self, start: usize) {
        loop {
            let byte = self.peek(0);
            let is_part = byte.is_ascii_alphanumeric()
                || byte == b'_'
                || (byte == b'.' && self.peek(1).is_ascii_digit());
            if !is_part {
                break;
            }
            self.at += 1;
        }
        self.collector.push(start, self.at, Kind::Number);
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let mut open = 0_usize;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    open += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    open -= 1;
                    self.at += 2;
                    if open == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
        self.at = self.bytes.len();
        self.collector.error(start);
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_literals_and_lifetimes_are_told_apart() {
        for (text, expected) in [
            ("a // b\nc", &["a", "c"][..]),
            ("a /* b /* c */ d */ e", &["a", "e"]),
            ("\"a\\\"b\nc\" d", &["\"a\\\"b\nc\"", "d"]),
            ("r#\"a\"b\"# c", &["r#\"a\"b\"#", "c"]),
            ("r#type r\"a\" br\"b\"", &["r#type", "r\"a\"", "br\"b\""]),
            (
                "&'a str 'b' '\\'' '\\u{1F600}' b'\\n'",
                &["&", "str", "'b'", "'\\''", "'\\u{1F600}'", "b'\\n'"],
            ),
            (
                "1usize 1..2 1.5 x.0.1",
                &["1usize", "1", ".", ".", "2", "1.5", "x", ".", "0.1"],
            ),
            ("'é' é", &["'é'", "é"]),
        ] {
            let tokens = tokens(text);
            let found: Vec<&str> = (0..tokens.len()).map(|at| tokens.written(at)).collect();
            assert_eq!(found, expected, "{text}");
            assert!(tokens.errors().is_empty(), "{text}");
        }
        for broken in ["\"a", "r#\"a\"", "/* /* */", "f(", "'"] {
            let expected = usize::from(broken != "'");
            assert_eq!(tokens(broken).errors().len(), expected, "{broken}");
        }
    }
}
