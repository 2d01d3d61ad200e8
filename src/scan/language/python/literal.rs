//! Writes numbers and texts anew, with their prefix and quotes.

use crate::text::{Edit, Span};

/// A text as it is written: prefix, quotes, inside.
struct Text<'t> {
    prefix: &'t str,
    inside: &'t str,
    /// Where the inside starts in the file.
    start: usize,
}

/// Takes a text literal apart; `None` for anything else, for joined literals and for texts with
/// escapes, in which places in the value are not places in the code.
fn take_apart(code: &str, start: usize) -> Option<Text<'_>> {
    let length = code.find(['"', '\''])?;
    let (prefix, quoted) = code.split_at(length);
    if !prefix.chars().all(|c| "rRbBuUfF".contains(c)) {
        return None;
    }
    let quote = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quote| quoted.starts_with(quote) && quoted.len() >= 2 * quote.len())?;
    let inside = quoted.strip_prefix(quote)?.strip_suffix(quote)?;
    let first = quote.chars().next()?;
    (!inside.contains(['\\', first])).then_some(Text {
        prefix,
        inside,
        start: start + length + quote.len(),
    })
}

/// Selects `index` in a literal that selects `wrong`: `1` as `0`, `"cuda:1"` as `"cuda:0"`,
/// `"0,1"` as `"0"`.
pub(super) fn index_edit(text: &str, literal: Span, wrong: u32, index: u32) -> Option<Edit> {
    let code = text.get(literal.start..literal.end)?;
    let holds = |digits: &str| {
        digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse() == Ok(wrong)
    };
    if holds(code) {
        return Some(replaced(literal, index.to_string()));
    }
    let Text {
        prefix,
        inside,
        start,
    } = take_apart(code, literal.start)?;
    if inside.contains(',') {
        return listed(inside, start, wrong, index);
    }
    let head = inside.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_formatted = prefix.contains(['f', 'F']);
    let digits = &inside[head.len()..];
    let begins_here = head.ends_with(':') || (head.is_empty() && !is_formatted);
    (begins_here && holds(digits)).then(|| {
        let digits = Span::new(start + head.len(), start + inside.len());
        replaced(digits, index.to_string())
    })
}

/// `0,1` without what is wrong in it, or with the right index in its place.
fn listed(inside: &str, start: usize, wrong: u32, index: u32) -> Option<Edit> {
    let mut entries = Vec::new();
    let mut at = 0;
    for entry in inside.split(',') {
        let number: u32 = entry.trim().parse().ok()?;
        entries.push((number, at, at + entry.len()));
        at += entry.len() + 1;
    }
    let place = entries.iter().position(|(number, ..)| *number == wrong)?;
    let (_, from, to) = entries[place];
    if !entries.iter().any(|(number, ..)| *number == index) {
        let blanks = inside[from..to].len() - inside[from..to].trim_start().len();
        let digits = Span::new(
            start + from + blanks,
            start + from + inside[from..to].trim_end().len(),
        );
        return Some(replaced(digits, index.to_string()));
    }
    // With the comma before it, or of the first entry the one behind and the blanks there.
    let span = if place > 0 {
        Span::new(start + from - 1, start + to)
    } else {
        let rest = &inside[to + 1..];
        let blanks = rest.len() - rest.trim_start().len();
        Span::new(start + from, start + to + 1 + blanks)
    };
    Some(replaced(span, String::new()))
}

/// `"0"` as `"1"`, in the quotes that are there.
pub(super) fn value_edit(text: &str, literal: Span, value: &str) -> Option<Edit> {
    let code = text.get(literal.start..literal.end)?;
    let Text {
        prefix,
        inside,
        start,
    } = take_apart(code, literal.start)?;
    if prefix.contains(['f', 'F']) && inside.contains(['{', '}']) {
        return None;
    }
    let plain = value
        .chars()
        .all(|c| !c.is_control() && !"\"'\\{}".contains(c));
    plain.then(|| replaced(Span::new(start, start + inside.len()), value.to_owned()))
}

fn replaced(span: Span, replacement: String) -> Edit {
    Edit { span, replacement }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::apply;

    fn index(code: &str, wrong: u32, right: u32) -> Option<String> {
        let edit = index_edit(code, Span::new(0, code.len()), wrong, right)?;
        apply(code, &[edit])
    }

    #[test]
    fn an_index_is_written_where_the_literal_holds_it() {
        for (code, fixed) in [
            ("1", "0"),
            ("\"cuda:1\"", "\"cuda:0\""),
            ("'/GPU:1'", "'/GPU:0'"),
            ("\"1\"", "\"0\""),
            ("r'''cuda:1'''", "r'''cuda:0'''"),
            ("u\"cuda:1\"", "u\"cuda:0\""),
            ("f\"{kind}:1\"", "f\"{kind}:0\""),
            ("\"0,1\"", "\"0\""),
            ("\"1, 0\"", "\"0\""),
            ("\"0, 1, 2\"", "\"0, 2\""),
            ("\"1, 2\"", "\"0, 2\""),
            ("\"2, 1\"", "\"2, 0\""),
        ] {
            assert_eq!(index(code, 1, 0).as_deref(), Some(fixed), "{code}");
        }
        for code in [
            "2",
            "0x1",
            "\"cuda:11\"",
            "\"cuda:\" \"1\"",
            "f\"cuda:{x}1\"",
            "f\"{x}1\"",
            "f\"1\"",
            "\"cuda\\x3a1\"",
            "one",
            "\"a,1\"",
            "\"",
            "\"\"",
            "''''",
        ] {
            assert_eq!(index(code, 1, 0), None, "{code}");
        }
    }

    #[test]
    fn a_value_keeps_prefix_and_quotes() {
        let value = |code: &str, value: &str| {
            let edit = value_edit(code, Span::new(0, code.len()), value)?;
            apply(code, &[edit])
        };
        for (code, fixed) in [
            ("\"0\"", "\"1\""),
            ("b'0'", "b'1'"),
            ("\"\"\"0,1\"\"\"", "\"\"\"1\"\"\""),
            ("''", "'1'"),
            ("u'a\"b'", "u'1'"),
        ] {
            assert_eq!(value(code, "1").as_deref(), Some(fixed), "{code}");
        }
        for code in ["0", "\"0\" \"1\"", "'\\x30'", "f'{x}'", "name"] {
            assert_eq!(value(code, "1"), None, "{code}");
        }
        assert_eq!(value("'0'", "it's"), None);
    }
}
