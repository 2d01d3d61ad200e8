//! Brackets of `PowerShell` that have no end.

use super::reader::Reader;

/// Where a brace or parenthesis begins that has no end, or not before that of the one around it.
/// Linear in the text.
pub(super) fn unclosed(text: &str) -> Option<usize> {
    // Typographic quotes are quotes there too.
    if text.contains(TYPOGRAPHIC) {
        return None;
    }
    let mut reader = Reader::new(text);
    let mut open: Vec<(char, usize)> = Vec::new();
    while reader.at < text.len() {
        reader.skip_blanks();
        let at = reader.at;
        let Some(c) = reader.peek() else { break };
        match c {
            '#' => reader.skip_line(),
            '{' | '(' => {
                open.push((c, at));
                reader.advance();
            }
            '}' | ')' => {
                let begins = if c == '}' { '{' } else { '(' };
                // An end of nothing says nothing.
                if let Some((own, at)) = open.pop()
                    && own != begins
                {
                    return Some(at);
                }
                reader.advance();
            }
            _ => {
                // What follows belongs to another program.
                if reader.word().text == "--%" {
                    reader.skip_line();
                }
            }
        }
    }
    open.first().map(|(_, at)| *at)
}

const TYPOGRAPHIC: [char; 8] = [
    '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}', '\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bracket_without_an_end_is_found() {
        for (text, expected) in [
            ("if ($a) { b @{ c = 1 } }\n", None),
            ("$a = \"{ $(b (\")\")) (\" # {\n'{'; `{\n", None),
            ("<# { #> @'\n{\n'@\n", None),
            ("cmd --% /c (\n", None),
            ("\u{201c}a\u{201d} {\n", None),
            ("a }\n", None),
            ("function a {\n  if (b) {\n  }\n", Some(11)),
            ("if (a {\n}\n", Some(3)),
            ("a (b {)\n}\n", Some(5)),
        ] {
            assert_eq!(unclosed(text), expected, "{text}");
        }
    }
}
