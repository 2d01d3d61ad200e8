//! Strings of JSON: what they say, and how to write it.

use std::fmt::Write as _;

use crate::scan::embedded::Embedded;
use crate::text::Span;

/// Adds what a string says to the code. `inside` is the string without its quotes, as the file
/// has it at `at`; that it is well formed was seen by whoever found it.
pub(super) fn unescape(inside: &str, at: usize, embedded: &mut Embedded) {
    embedded.start_string(Span::new(at, at + inside.len()));
    let mut done = 0;
    while let Some(found) = inside[done..].find('\\') {
        let escape = done + found;
        embedded.push(Span::new(at + done, at + escape), &inside[done..escape]);
        let (character, length) = escaped(&inside[escape..]);
        let mut buffer = [0; 4];
        embedded.push(
            Span::new(at + escape, at + escape + length),
            character.encode_utf8(&mut buffer),
        );
        done = escape + length;
    }
    embedded.push(Span::new(at + done, at + inside.len()), &inside[done..]);
}

/// The character that an escape at the start of `text` stands for, and the length of the escape.
fn escaped(text: &str) -> (char, usize) {
    match text.as_bytes().get(1) {
        Some(b'n') => ('\n', 2),
        Some(b't') => ('\t', 2),
        Some(b'r') => ('\r', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'u') => unicode(text),
        // `\"`, `\\`, `\/`.
        Some(other) if other.is_ascii() => (char::from(*other), 2),
        _ => ('\\', 1),
    }
}

/// `\u00e9`, or two of them that are one character; half a pair is no character.
fn unicode(text: &str) -> (char, usize) {
    let unit = |from: usize| {
        let digits = text.get(from..from + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(0) else {
        return ('\\', 1);
    };
    if let (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) = (first, unit(6)) {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
            12,
        );
    }
    (
        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
        6,
    )
}

/// `text` as it stands between the quotes of a JSON string: in ASCII, so that it is right in
/// every encoding.
pub(super) fn escape(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            ' '..='~' => written.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(written, "\\u{unit:04x}");
                }
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inside: &str) -> Embedded {
        let mut embedded = Embedded::default();
        embedded.start_cell(1);
        unescape(inside, 100, &mut embedded);
        embedded
    }

    #[test]
    fn every_escape_is_read() {
        for (inside, text) in [
            ("", ""),
            ("plain é", "plain é"),
            (r#"\"a\\b\/c\n\r\t\b\f"#, "\"a\\b/c\n\r\t\u{8}\u{c}"),
            (r"caf\u00e9 \u00E9", "café é"),
            (r"\ud83d\ude00!", "😀!"),
            (r"\ud83d!", "\u{fffd}!"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\u0000", "\0"),
            (r"\\n", "\\n"),
            // Not JSON: nothing of it is lost.
            (r"\u12", r"\u12"),
            ("a\\", "a\\"),
        ] {
            assert_eq!(read(inside).code(), text, "{inside}");
        }
    }

    #[test]
    fn each_character_is_found_where_the_file_has_it() {
        let inside = "\\\"cuda:1\\\" é\\u00e9\\ud83d\\ude00x";
        let embedded = read(inside);
        let code = embedded.code();
        for (text, raw) in [
            ("\"", "\\\""),
            ("cuda:1\"", "cuda:1\\\""),
            ("é", "é"),
            ("éé😀", "é\\u00e9\\ud83d\\ude00"),
            ("😀", "\\ud83d\\ude00"),
            ("x", "x"),
        ] {
            let start = code.find(text).unwrap();
            let span = embedded.in_file(Span::new(start, start + text.len()));
            assert_eq!(&inside[span.start - 100..span.end - 100], raw, "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for text in ["", "a = \"b\\n\"\r\n\t'é' 😀 \u{1}\u{7f}"] {
            let written = escape(text);
            assert!(written.is_ascii());
            assert_eq!(read(&written).code(), text);
            let by_serde: String = serde_json::from_str(&format!("\"{written}\"")).unwrap();
            assert_eq!(by_serde, text);
        }
    }
}
