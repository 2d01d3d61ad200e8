//! Strings of a justfile's own lines, which may go over several lines.

/// Where a string begins that has no end.
pub(super) fn open(text: &str) -> Option<usize> {
    let mut at = 0;
    let mut begins_line = true;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        // A line of a recipe, or a comment.
        let is_passed = rest.starts_with('#') || begins_line && rest.starts_with([' ', '\t']);
        begins_line = is_passed || rest.starts_with('\n');
        at += if is_passed {
            rest.find('\n').map_or(rest.len(), |end| end + 1)
        } else if rest.starts_with(['"', '\'', '`']) {
            match length(rest) {
                Some(length) => length,
                None => return Some(at),
            }
        } else {
            let next = rest.find(['\n', '"', '\'', '`', '#']);
            next.map_or(rest.len(), |next| next.max(1))
        };
    }
    None
}

/// How long the string at the start of a text is. One of several lines that a word follows directly
/// is none: its end is the start of the next.
fn length(text: &str) -> Option<usize> {
    let quote = text.get(..1)?;
    let three = quote.repeat(3);
    let quotes = if text.starts_with(&three) {
        &three
    } else {
        quote
    };
    let mut at = quotes.len();
    loop {
        let rest = text.get(at..)?;
        let next = rest.find(['\\', '"', '\'', '`'])?;
        let found = rest.get(next..)?;
        if found.starts_with(quotes) {
            at += next + quotes.len();
            break;
        }
        // Only these have escapes.
        let is_escape = quote == "\"" && found.starts_with('\\');
        let escaped = found.chars().nth(1).filter(|_| is_escape);
        at += next + 1 + escaped.map_or(0, char::len_utf8);
    }
    let goes_on = text.get(at..)?.starts_with(|c: char| c.is_alphanumeric());
    let is_long = text.get(..at)?.contains('\n') && quotes.len() == 1;
    (!is_long || !goes_on).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_without_an_end_is_found() {
        for (text, expected) in [
            ("a := \"b\"\nc := 'it\"s' # it's\n", None),
            ("# it's\na b=\"1\":\n\techo it's \"\n", None),
            ("a := \"\"\"\n it's \"b\"\n\"\"\"\n", None),
            ("a := '\n b\n'\n\nb := `echo it`\n", None),
            ("a := \"b\\\"\"\n", None),
            ("a := \"b\n", Some(5)),
            ("a := '''b'\n", Some(5)),
            ("a := \"b\nc := \"d\"\n", Some(5)),
            ("a b=`x:\n\techo\n", Some(4)),
        ] {
            assert_eq!(open(text), expected, "{text}");
        }
    }
}
