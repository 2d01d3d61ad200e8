//! Literals: what numbers and texts mean, and where their characters stand.

use super::tokens::{Kind, Tokens};
use crate::scan::embedded::Embedded;
use crate::text::Span;

/// Texts that are longer say nothing of interest.
const LONGEST: usize = 1 << 16;

/// A text as the program has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::scan::language) struct Content {
    pub(in crate::scan::language) code: Embedded,
    /// Where it stands exactly as it is.
    pub(in crate::scan::language) verbatim: Option<Span>,
    /// All of it, quotes included.
    pub(in crate::scan::language) span: Span,
}

impl Content {
    pub(in crate::scan::language) fn text(&self) -> &str {
        self.code.code()
    }

    /// What is left of it behind so many bytes.
    pub(in crate::scan::language) fn behind(&self, bytes: usize) -> Self {
        let text = self.text().get(bytes..).unwrap_or_default();
        let verbatim = self
            .verbatim
            .map(|whole| Span::new(whole.start + bytes, whole.end));
        let mut code = Embedded::default();
        code.start_cell(1);
        code.push(verbatim.unwrap_or(self.span), text);
        Self {
            code,
            verbatim,
            span: self.span,
        }
    }
}

/// The value of a number without sign; `1u`, `1'000`, `0x1` and `1_usize` too.
pub(super) fn number(written: &str) -> Option<u32> {
    let written = written.replace(['\'', '_'], "");
    let (digits, radix) = match written
        .strip_prefix("0x")
        .or_else(|| written.strip_prefix("0X"))
    {
        Some(hexadecimal) => (hexadecimal, 16),
        None => (written.as_str(), 10),
    };
    let end = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    let (digits, suffix) = digits.split_at(end);
    let is_integer = suffix.is_empty()
        || suffix
            .bytes()
            .all(|byte| matches!(byte, b'u' | b'U' | b'l' | b'L' | b'z' | b'Z'))
        || suffix
            .strip_prefix(['i', 'u'])
            .is_some_and(|width| ["8", "16", "32", "64", "128", "size"].contains(&width));
    if !is_integer {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

/// The texts from one token to another, joined as compilers join them; `None` where something else
/// is among them.
pub(super) fn content(tokens: &Tokens<'_>, first: usize, end: usize) -> Option<Content> {
    let mut code = Embedded::default();
    code.start_cell(1);
    let mut verbatim = None;
    for at in first..end {
        let Kind::Text { inside, raw } = tokens.kind(at)? else {
            return None;
        };
        let written = tokens.text.get(inside.start..inside.end)?;
        if written.len() > LONGEST || code.code().len() > LONGEST {
            return None;
        }
        if raw || !written.contains('\\') {
            code.push(inside, written);
            verbatim = (end == first + 1).then_some(inside);
        } else {
            unescape(&mut code, written, inside.start);
        }
    }
    (end > first).then(|| Content {
        code,
        verbatim,
        span: tokens.span(first, end - 1),
    })
}

/// Adds a text whose escapes are resolved, as far as they matter here.
fn unescape(code: &mut Embedded, written: &str, start: usize) {
    let mut rest = written;
    while !rest.is_empty() {
        let at = start + (written.len() - rest.len());
        let plain = rest.find('\\').unwrap_or(rest.len());
        if plain > 0 {
            code.push(Span::new(at, at + plain), &rest[..plain]);
            rest = &rest[plain..];
            continue;
        }
        let mut characters = rest.chars();
        characters.next();
        let escaped = characters.next();
        let mut length = 1 + escaped.map_or(0, char::len_utf8);
        let meant = match escaped {
            Some('n') => "\n".to_owned(),
            Some('t') => "\t".to_owned(),
            Some('r') => "\r".to_owned(),
            Some('0') => "\0".to_owned(),
            // A line that goes on; Rust takes the blanks off the next one.
            Some('\n') => {
                let behind = &rest[length..];
                length += behind.len() - behind.trim_start().len();
                String::new()
            }
            Some(other) => other.to_string(),
            None => String::new(),
        };
        code.push(Span::new(at, at + length), &meant);
        rest = rest.get(length..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_their_suffixes() {
        for (written, expected) in [
            ("1", Some(1)),
            ("1u", Some(1)),
            ("1UL", Some(1)),
            ("0x1F", Some(31)),
            ("1'000", Some(1000)),
            ("1_usize", Some(1)),
            ("2i32", Some(2)),
            ("1.0", None),
            ("1f", None),
            ("1e3", None),
            ("99999999999", None),
            ("0x", None),
        ] {
            assert_eq!(number(written), expected, "{written}");
        }
    }

    #[test]
    fn escapes_are_resolved() {
        let mut code = Embedded::default();
        code.start_cell(1);
        unescape(&mut code, "a\\\"b\\n\\\n   c\\", 10);
        assert_eq!(code.code(), "a\"b\nc");
        assert_eq!(code.in_file(Span::new(2, 3)), Span::new(13, 14));
    }
}
