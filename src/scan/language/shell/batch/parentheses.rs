//! Blocks of cmd that have no end.

/// Words of a line that begin a block at its end.
const BEGINNINGS: &[&str] = &["else", "for", "if"];

/// Where a block begins that has no end. Only where a block begins is certain: elsewhere cmd takes a
/// parenthesis as it is, so that any other may be the end.
pub(super) fn unclosed(text: &str) -> Option<usize> {
    // All that are open, each with whether it begins a block.
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let code = line.trim_end();
        let line_start = start;
        start += line.len();
        if is_remark(code) {
            continue;
        }
        let content = code.trim_start_matches([' ', '\t', '@', ')', '(']);
        let word = content.split([' ', '\t', '(']).next().unwrap_or_default();
        let begins = content.is_empty() || BEGINNINGS.iter().any(|begin| is(word, begin));
        let are_closed = code.matches('"').count().is_multiple_of(2);
        let mut in_quotes = false;
        let mut is_escaped = false;
        for (at, c) in code.char_indices() {
            match c {
                _ if std::mem::take(&mut is_escaped) => {}
                '^' if !in_quotes => is_escaped = true,
                '"' => in_quotes = !in_quotes,
                '(' if !in_quotes => {
                    let is_last = at + 1 == code.len();
                    open.push((line_start + at, begins && is_last));
                }
                ')' if !(in_quotes && are_closed) => _ = open.pop(),
                _ => {}
            }
        }
    }
    open.iter().find(|(_, begins)| *begins).map(|(at, _)| *at)
}

/// Whether a line is a remark, or a label.
fn is_remark(line: &str) -> bool {
    let content = line.trim_start_matches([' ', '\t', '@']);
    let word = content.split([' ', '\t']).next().unwrap_or_default();
    content.starts_with(':') || is(word, "rem")
}

fn is(word: &str, name: &str) -> bool {
    word.eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_without_an_end_is_found() {
        for (text, expected) in [
            ("if a==b (\n  echo ^( c\n) else (\n  d\n)\n", None),
            ("for %%a in (1 2) do (echo %%a)\n", None),
            ("for %%a in (\n  1 2\n) do echo %%a\n", None),
            ("rem if (\n:: (\necho (\nset a=\"(\"\n", None),
            ("if a (\n  echo b)\n", None),
            ("if a (\n  echo \"b)\n", None),
            ("if a (\n  echo \"b)\"\n", Some(5)),
            ("if a (\n  rem b)\n", Some(5)),
            ("if a (\n  echo b :)\n", None),
            ("@if a (\n  b\n", Some(6)),
            ("if a (\r\n  b\r\n) else (\r\n  c\r\n", Some(20)),
        ] {
            assert_eq!(unclosed(text), expected, "{text:?}");
        }
    }
}
