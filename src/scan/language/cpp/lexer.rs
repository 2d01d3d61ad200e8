//! C++ as tokens: comments, literals, and the preprocessor as far as it decides what is code.

use super::condition;
use crate::scan::language::native::tokens::{Collector, Kind, Tokens};

/// The tokens of a text, without comments and what the preprocessor surely leaves out.
pub(super) fn tokens(text: &str) -> Tokens<'_> {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        collector: Collector::new(text),
        limit: text.len(),
        arms: Vec::new(),
        left_out: 0,
    };
    lexer.read(text.len());
    lexer.collector.finish()
}

/// An `#if` that is open.
#[derive(Clone, Debug)]
struct Arms {
    /// How many brackets were open before it.
    depth: usize,
    /// The innermost of them.
    innermost: Vec<usize>,
    /// Whether an earlier arm is surely the one that is taken.
    taken: bool,
    /// Whether the arm being read is left out.
    left_out: bool,
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    /// Where a literal ends at the latest: with the directive that it stands in.
    limit: usize,
    collector: Collector<'t>,
    arms: Vec<Arms>,
    /// How many of the open arms are left out.
    left_out: usize,
}

impl Lexer<'_> {
    fn read(&mut self, end: usize) {
        let mut line_begins = true;
        while self.at < end {
            let start = self.at;
            let byte = self.peek(0);
            match byte {
                b'\n' => {
                    line_begins = true;
                    self.at += 1;
                    continue;
                }
                b' ' | b'\t' | b'\r' | b'\\' | 0x0b | 0x0c => {
                    self.at += 1;
                    continue;
                }
                b'#' if line_begins => {
                    self.directive();
                    continue;
                }
                b'/' if self.peek(1) == b'/' => {
                    self.at = self.end_of_line(start);
                    continue;
                }
                b'/' if self.peek(1) == b'*' => {
                    self.block_comment();
                    continue;
                }
                b'"' => self.quoted(start),
                b'\'' => {
                    self.at = self.end_of_literal(start + 1, b'\'').1;
                    self.push(start, Kind::Letter);
                }
                b'0'..=b'9' => self.number(start),
                b'.' if self.peek(1).is_ascii_digit() => self.number(start),
                _ if is_name(byte) => self.word(start),
                b'(' | b'[' | b'{' => self.single(start, Kind::Open(byte)),
                b')' | b']' | b'}' => self.single(start, Kind::Close(byte)),
                _ => self.single(start, Kind::Sign(byte)),
            }
            line_begins = false;
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn single(&mut self, start: usize, kind: Kind) {
        self.at += 1;
        self.push(start, kind);
    }

    fn push(&mut self, start: usize, kind: Kind) {
        if self.left_out == 0 {
            self.collector.push(start, self.at, kind);
        }
    }

    fn word(&mut self, start: usize) {
        while is_name(self.peek(0)) || self.peek(0).is_ascii_digit() {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        if self.peek(0) == b'"' {
            match word {
                "R" | "LR" | "uR" | "UR" | "u8R" => return self.raw(start),
                "L" | "u" | "U" | "u8" => return self.quoted(start),
                _ => {}
            }
        }
        self.push(start, Kind::Word);
    }

    fn number(&mut self, start: usize) {
        self.at += 1;
        loop {
            let (byte, before) = (self.peek(0), self.bytes[self.at - 1]);
            let is_part = byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'.')
                || (byte == b'\'' && self.peek(1).is_ascii_alphanumeric())
                || (matches!(byte, b'+' | b'-')
                    && matches!(before, b'e' | b'E' | b'p' | b'P')
                    && !self.text[start..self.at].starts_with("0x"));
            if !is_part {
                break;
            }
            self.at += 1;
        }
        self.push(start, Kind::Number);
    }

    /// A text whose first quote is at the current place.
    fn quoted(&mut self, start: usize) {
        let from = self.at + 1;
        let (to, end) = self.end_of_literal(from, b'"');
        if to == end {
            self.error(start);
        }
        self.at = end;
        let inside = crate::text::Span::new(from, to);
        self.push(start, Kind::Text { inside, raw: false });
    }

    /// `R"x(…)x"`.
    fn raw(&mut self, start: usize) {
        let from = self.at + 1;
        let rest = self.text.get(from..self.limit).unwrap_or_default();
        // The mark has at most 16 characters.
        let mark = rest.bytes().take(17).position(|byte| byte == b'(');
        let Some(mark) = mark.map(|length| &rest[..length]) else {
            return self.quoted(start);
        };
        let from = from + mark.len() + 1;
        let closing = format!("){mark}\"");
        let found = self.text[from..self.limit]
            .find(&closing)
            .map(|at| from + at);
        if found.is_none() {
            self.error(start);
        }
        let to = found.unwrap_or(self.limit);
        self.at = (to + closing.len()).min(self.limit);
        let inside = crate::text::Span::new(from, to);
        self.push(start, Kind::Text { inside, raw: true });
    }

    fn error(&mut self, at: usize) {
        if self.left_out == 0 {
            self.collector.error(at);
        }
    }

    /// Where the inside of a literal ends, and the literal; it does not go beyond its line.
    fn end_of_literal(&self, from: usize, quote: u8) -> (usize, usize) {
        let mut at = from;
        while let Some(byte) = self.bytes.get(at).copied() {
            match byte {
                b'\\' => at += 1,
                b'\n' => return (at, at),
                _ if byte == quote => return (at, at + 1),
                _ => {}
            }
            at += 1;
        }
        let end = self.bytes.len();
        (end, end)
    }

    /// Where a line ends that goes on behind a backslash.
    fn end_of_line(&self, from: usize) -> usize {
        let mut at = from;
        while let Some(length) = self.text.get(at..).and_then(|rest| rest.find('\n')) {
            let end = at + length;
            if !self.text[from..end].trim_end_matches('\r').ends_with('\\') {
                return end;
            }
            at = end + 1;
        }
        self.bytes.len()
    }

    fn block_comment(&mut self) {
        let found = self
            .text
            .get(self.at + 2..)
            .and_then(|rest| rest.find("*/"));
        if let Some(length) = found {
            self.at += length + 4;
        } else {
            self.error(self.at);
            self.at = self.bytes.len();
        }
    }

    /// Where a directive ends: with its line, but not inside a comment.
    fn end_of_directive(&self) -> usize {
        let mut at = self.at;
        while let Some(byte) = self.bytes.get(at).copied() {
            match (byte, self.bytes.get(at + 1)) {
                (b'\n', _) => return at,
                (b'\\', Some(b'\r')) => at += 3,
                (b'\\', _) => at += 2,
                (b'/', Some(b'/')) => return self.end_of_line(at),
                (b'/', Some(b'*')) => {
                    match self.text.get(at + 2..).and_then(|rest| rest.find("*/")) {
                        Some(length) => at += length + 4,
                        None => return self.bytes.len(),
                    }
                }
                (b'"', _) => at = self.end_of_literal(at + 1, b'"').1,
                _ => at += 1,
            }
        }
        self.bytes.len()
    }

    fn directive(&mut self) {
        let end = self.end_of_directive();
        let start = self.at;
        let line = self
            .text
            .get(start + 1..end)
            .unwrap_or_default()
            .trim_start();
        let name = line
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or_default();
        let rest = &line[name.len()..];
        match name {
            "if" => self.begin(condition::holds(rest)),
            "ifdef" => self.begin(condition::is_defined(rest)),
            "ifndef" => self.begin(condition::is_defined(rest).map(|holds| !holds)),
            "elif" => self.next(condition::holds(rest)),
            "else" => self.next(Some(true)),
            "endif" => {
                if let Some(arms) = self.arms.pop() {
                    self.left_out -= usize::from(arms.left_out);
                }
            }
            "define" if self.left_out == 0 => {
                self.collector.push(start, start + 1, Kind::Open(b'#'));
                self.at = end - rest.len();
                self.limit = end;
                self.read(end);
                self.limit = self.bytes.len();
                self.at = end;
                self.collector.push(end, end, Kind::Close(b'#'));
            }
            _ => {}
        }
        self.at = end;
    }

    fn begin(&mut self, holds: Option<bool>) {
        let left_out = holds == Some(false);
        self.arms.push(Arms {
            depth: self.collector.depth(),
            innermost: self.collector.innermost(),
            taken: holds == Some(true),
            left_out,
        });
        self.left_out += usize::from(left_out);
    }

    fn next(&mut self, holds: Option<bool>) {
        let Some(arms) = self.arms.last_mut() else {
            return;
        };
        self.left_out -= usize::from(arms.left_out);
        arms.left_out = arms.taken || holds == Some(false);
        arms.taken |= holds == Some(true);
        self.left_out += usize::from(arms.left_out);
        // Each arm opens, or closes, the same brackets anew.
        self.collector.go_back(arms.depth, &arms.innermost);
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let tokens = tokens(text);
        (0..tokens.len()).map(|at| tokens.written(at)).collect()
    }

    #[test]
    fn comments_and_literals_are_told_apart() {
        for (text, expected) in [
            ("a // b\nc", &["a", "c"][..]),
            ("a // b \\\n d\nc", &["a", "c"]),
            ("a /* b\n */ c", &["a", "c"]),
            (
                "f(\"a // b\", 'c')",
                &["f", "(", "\"a // b\"", ",", "'c'", ")"],
            ),
            ("\"a\\\"b\" c", &["\"a\\\"b\"", "c"]),
            ("R\"x(a)\" b)x\" c", &["R\"x(a)\" b)x\"", "c"]),
            (
                "L\"a\" 1'000u 0x1F 1.5e+3f",
                &["L\"a\"", "1'000u", "0x1F", "1.5e+3f"],
            ),
            ("a->b::c", &["a", "-", ">", "b", ":", ":", "c"]),
            ("é = 'x", &["é", "=", "'x"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn the_preprocessor_leaves_code_out() {
        for (text, expected) in [
            ("#if 0\na don't\n#else\nb\n#endif\nc", &["b", "c"][..]),
            ("#if 0\n#if 1\na\n#endif\n#endif\nb", &["b"]),
            ("#ifdef USE_ROCM\na\n#else\nb\n#endif", &["b"]),
            ("#ifndef USE_ROCM\na\n#else\nb\n#endif", &["a"]),
            (
                "#if A\na\n#elif defined(USE_ROCM)\nb\n#else\nc\n#endif",
                &["a", "c"],
            ),
            ("#if 1\na\n#else\nb\n#endif", &["a"]),
            ("#endif\n#else\na", &["a"]),
            (
                "#include <a.h>\n#define A (1 + \\\n 2) // b\nc",
                &["#", "A", "(", "1", "+", "2", ")", "", "c"],
            ),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn arms_that_open_the_same_bracket_are_no_error() {
        let closing = "f((a)\n#if A\n&& b) {\n#else\n&& c) {\n#endif\n}\n";
        assert!(tokens(closing).errors().is_empty());
        let both = "#if A\nif (x) {\n#else\nif (y) {\n#endif\n}\n";
        assert!(tokens(both).errors().is_empty());
        assert_eq!(tokens("f(\n").errors(), [1]);
        assert_eq!(tokens("/* a").errors(), [0]);
        assert_eq!(tokens("\"a\n").errors(), [0]);
    }
}
