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
        let content = code.trim_start_matches([' ', '\t', '@', ')', '(']);
        let word = content.split([' ', '\t', '(']).next().unwrap_or_default();
        let is_remark = content.starts_with(':') || word.eq_ignore_ascii_case("rem");
        let begins = content.is_empty() || BEGINNINGS.iter().any(|begin| is(word, begin));
        let mut in_quotes = false;
        let mut is_escaped = false;
        for (at, c) in code.char_indices() {
            if is_remark && c != ')' {
                continue;
            }
            match c {
                _ if std::mem::take(&mut is_escaped) => {}
                '^' if !in_quotes => is_escaped = true,
                '"' => in_quotes = !in_quotes,
                '(' if !in_quotes => {
                    let is_last = at + 1 == code.len();
                    open.push((start + at, begins && is_last));
                }
                ')' => _ = open.pop(),
                _ => {}
            }
        }
        start += line.len();
    }
    open.iter().find(|(_, begins)| *begins).map(|(at, _)| *at)
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
            ("if a (\n  echo b :)\n", None),
            ("@if a (\n  b\n", Some(6)),
            ("if a (\r\n  b\r\n) else (\r\n  c\r\n", Some(20)),
        ] {
            assert_eq!(unclosed(text), expected, "{text:?}");
        }
    }
}
