//! Names that come from outside, made safe for a terminal.

use std::fmt::Write as _;

/// `bytes` as text that cannot move the cursor or hide itself: control characters, invisible
/// direction marks and bytes that are not UTF-8 appear as `\n`, `\x1b`, `\u{202e}`.
pub fn printable(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let hidden = matches!(character,
                '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
            if character.is_control() || hidden {
                let _ = write!(shown, "{}", character.escape_default());
            } else {
                shown.push(character);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// `text` for a terminal that has no more than ASCII: signs get words, other characters appear
/// as `\u{e9}`.
pub fn ascii(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '…' => shown.push_str("..."),
            '°' => {}
            '–' | '—' => shown.push('-'),
            _ if character.is_ascii() => shown.push(character),
            _ => {
                let _ = write!(shown, "{}", character.escape_unicode());
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{ascii, printable};

    #[test]
    fn what_is_not_ascii_is_spelt() {
        assert_eq!(ascii("a\tb\n"), "a\tb\n");
        assert_eq!(ascii("83 °C… café"), "83 C... caf\\u{e9}");
    }

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        assert_eq!(printable("models/é.py".as_bytes()), "models/é.py");
        assert_eq!(printable(b"a\x1b[2Jb\n\xff"), "a\\u{1b}[2Jb\\n\\xff");
        assert_eq!(printable("a\u{202e}b".as_bytes()), "a\\u{202e}b");
    }
}
