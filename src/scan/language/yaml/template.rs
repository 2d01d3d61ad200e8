//! Files that become YAML when something is filled in: `{{ … }}` and `{% … %}` of Helm, Jinja and
//! Go. They are blanked, each byte for a byte, so that places stay what they are.

/// The text with its templates blanked: a value that is filled in is a row of `$`, a line that
/// holds nothing else an empty one, which ends no text that goes over several lines. `None` where
/// there are none.
pub(super) fn blanked(text: &str) -> Option<String> {
    if !text.contains("{{") && !text.contains("{%") {
        return None;
    }
    let mut readable = String::with_capacity(text.len());
    // The end of a template that goes on in the next line.
    let mut open: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        readable.push_str(&blanked_line(line, &mut open));
    }
    Some(readable)
}

fn blanked_line(line: &str, open: &mut Option<&'static str>) -> String {
    let mut written = String::with_capacity(line.len());
    let mut only_templates = true;
    let mut has_template = false;
    let mut rest = line;
    loop {
        let end = if let Some(end) = open {
            *end
        } else {
            let Some((at, end)) = next_template(rest) else {
                break;
            };
            only_templates &= rest[..at].trim().is_empty();
            written.push_str(&rest[..at]);
            rest = &rest[at..];
            *open = Some(end);
            end
        };
        has_template = true;
        let inner = rest.find(end).map(|at| at + end.len());
        let length = inner.unwrap_or(rest.trim_end_matches(['\n', '\r']).len());
        written.extend(std::iter::repeat_n('$', length));
        rest = &rest[length..];
        if inner.is_none() {
            break;
        }
        *open = None;
    }
    only_templates &= rest.trim().is_empty();
    written.push_str(rest);
    if has_template && only_templates {
        return written.replace('$', " ");
    }
    written
}

fn next_template(text: &str) -> Option<(usize, &'static str)> {
    let values = text.find("{{").map(|at| (at, "}}"));
    let steps = text.find("{%").map(|at| (at, "%}"));
    [values, steps].into_iter().flatten().min()
}

/// The text with the line around an offset made a comment; `None` where it is one already.
pub(super) fn without_line(text: &str, at: usize) -> Option<String> {
    let at = (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))?;
    let mut start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    // An error behind a line is that line's.
    let end = loop {
        let end = text[start..]
            .find('\n')
            .map_or(text.len(), |end| start + end);
        let line = text[start..end].trim();
        if !line.is_empty() && !line.starts_with('#') {
            break end;
        }
        start = text[..start.checked_sub(1)?]
            .rfind('\n')
            .map_or(0, |end| end + 1);
    };
    let line = &text[start..end];
    let bare = line.trim_end_matches('\r');
    let indentation = bare.len() - bare.trim_start().len();
    let mut readable = String::with_capacity(text.len());
    readable.push_str(&text[..start + indentation]);
    readable.extend(std::iter::repeat_n('#', bare.len() - indentation));
    readable.push_str(&text[start + bare.len()..]);
    Some(readable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_blanked_byte_for_byte() {
        for (text, expected) in [
            ("a: {{ .x }}\n", "a: $$$$$$$$\n"),
            ("{{- if é }}\na: 1\n", "            \na: 1\n"),
            ("  {% if x %}\n", "            \n"),
            ("a: {{ b\n  c }} d\n", "a: $$$$\n$$$$$$ d\n"),
        ] {
            let found = blanked(text).unwrap();
            assert_eq!(found, expected);
            assert_eq!(found.len(), text.len());
        }
        assert_eq!(blanked("a: {b: 1}\n"), None);
    }

    #[test]
    fn a_line_is_left_out() {
        assert_eq!(
            without_line("a: 1\n b: é: x\nc\n", 9).unwrap(),
            "a: 1\n ########\nc\n"
        );
        assert_eq!(without_line("a: [\n# b\n", 8).unwrap(), "####\n# b\n");
        assert_eq!(without_line("# a\n", 1), None);
    }
}
