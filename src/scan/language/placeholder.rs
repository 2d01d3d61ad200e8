//! What somebody fills in before a program sees it: templates of Jinja, Go, ERB and `CircleCI`, the
//! fields of formats (`{gpu}`, `%(gpu)s`, `%i`, `@GPU@`), the gaps of a page (`[gpu ids]`).
//!
//! Knows texts alone. Where one stands in a command is `command`'s matter.

/// Longer ones are none.
const LONGEST: usize = 256;

/// Templates whose signs say enough: where one begins, and where it ends.
const TEMPLATES: &[(&str, &str)] = &[("{{", "}}"), ("{%", "%}"), ("{#", "#}"), ("<%", "%>")];

/// What `CircleCI` fills in, behind its `<<`, which elsewhere begins a here-document. Source:
/// "Pipeline values and parameters" of its documentation.
const OF_CIRCLE: &[&str] = &["matrix.", "parameters.", "pipeline."];

/// How long the template is that a text begins with.
pub(super) fn template(text: &str) -> Option<usize> {
    let (begin, end) = TEMPLATES
        .iter()
        .find(|(begin, _)| text.starts_with(begin))
        .or_else(|| is_of_circle(text).then_some(&("<<", ">>")))?;
    let inner = text.get(begin.len()..)?;
    let length = begin.len() + up_to(inner, end)?;
    // `{{{ gpu }}}`
    let is_triple = text.starts_with("{{{") && text.get(length..)?.starts_with('}');
    Some(length + usize::from(is_triple))
}

fn is_of_circle(text: &str) -> bool {
    let name = text.strip_prefix("<<").map(str::trim_start);
    name.is_some_and(|name| OF_CIRCLE.iter().any(|own| name.starts_with(own)))
}

/// How long the statement of a template is that a text begins with: it becomes nothing itself.
pub(super) fn statement(text: &str) -> Option<usize> {
    let is_one = ["{%", "{#"].iter().any(|sign| text.starts_with(sign));
    is_one.then(|| template(text)).flatten()
}

/// How long the expression is that a text begins with: `$[[ inputs.gpu ]]`, `$[ variables.gpu ]`.
pub(super) fn expression(text: &str) -> Option<usize> {
    [("$[[", "]]"), ("$[", "]")]
        .iter()
        .find_map(|(begin, end)| {
            let inner = text.strip_prefix(begin)?;
            Some(begin.len() + up_to(inner, end)?)
        })
}

/// How long the field of Python's `%(name)s` is that a text begins with.
pub(super) fn named_field(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("%(")?;
    let length = up_to(inner, ")")?;
    let name = inner.get(..length - 1)?;
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let kind = inner.get(length..)?.chars().next()?;
    let is_field = !name.is_empty() && name.chars().all(is_part) && kind.is_ascii_alphabetic();
    is_field.then_some(2 + length + 1)
}

/// How long the gap is that a text begins with, for a reader to fill in: `[gpu ids]`, `<gpu id>`.
pub(super) fn gap(text: &str) -> Option<usize> {
    let end = match text.chars().next()? {
        '[' => "]",
        '<' => ">",
        _ => return None,
    };
    let length = 1 + up_to(text.get(1..)?, end)?;
    let behind = text.get(length..)?;
    let is_whole = behind.is_empty() || behind.starts_with(char::is_whitespace);
    let inner = text.get(1..length - 1)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-./:|, ".contains(c);
    let is_gap = inner.contains(|c: char| c.is_ascii_alphabetic())
        && inner.chars().all(is_part)
        && inner.trim().len() == inner.len();
    (is_whole && is_gap).then_some(length)
}

/// How far a sign reaches that stands in the same line.
fn up_to(text: &str, sign: &str) -> Option<usize> {
    let near = text.get(..text.floor_char_boundary(LONGEST))?;
    let at = near.find(sign)?;
    let is_same_line = !near.get(..at)?.contains('\n');
    is_same_line.then_some(at + sign.len())
}

/// Whether somebody fills in a text, or a part of it, before a program sees it. A list that a shell
/// itself makes of a text, such as `{0,1}`, is none.
pub(super) fn is_filled_in(text: &str) -> bool {
    text.match_indices(['{', '<', '%', '@', '_'])
        .any(|(at, sign)| {
            let rest = text.get(at..).unwrap_or_default();
            match sign {
                // Cut off at a blank, it has no end.
                "{" if rest.starts_with("{{") || rest.starts_with("{%") => true,
                // `${GPU}` is the shell's own.
                "{" if text.get(..at).is_some_and(|before| before.ends_with('$')) => false,
                "{" => is_field(rest),
                "<" => template(rest).is_some() || gap(rest).is_some(),
                "%" => is_sign_of_format(rest),
                "@" => is_marked(rest, "@"),
                _ => is_marked(rest, "__"),
            }
        })
        || text.starts_with('[') && gap(text) == Some(text.len())
}

/// `{}`, `{0}`, `{gpu}`, `{args[0]}`
fn is_field(text: &str) -> bool {
    let inner = text.strip_prefix('{').unwrap_or_default();
    let Some(end) = up_to(inner, "}") else {
        return false;
    };
    let name = inner.get(..end - 1).unwrap_or_default();
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic());
    is_number || is_name && !name.contains(',') && !name.contains("..")
}

/// `%i`, `%1`, `%(gpu)s`, `%GPU%`, `%%g`
fn is_sign_of_format(text: &str) -> bool {
    let next = text.chars().nth(1);
    next.is_some_and(|c| c.is_ascii_alphanumeric() || "(%~".contains(c))
}

/// `@GPU@`, `__GPU__`
fn is_marked(text: &str, mark: &str) -> bool {
    let Some(inner) = text.strip_prefix(mark) else {
        return false;
    };
    let is_part = |c: char| c == '_' || c.is_ascii_uppercase() || c.is_ascii_digit();
    let length = inner
        .find(|c| !is_part(c))
        .unwrap_or(inner.len())
        .min(LONGEST);
    let name = inner.get(..length).unwrap_or_default();
    let name = if mark == "__" {
        name.strip_suffix("__").unwrap_or_default()
    } else {
        name
    };
    let behind = inner.get(length..).unwrap_or_default();
    let is_closed = mark == "__" || behind.starts_with(mark);
    is_closed && name.contains(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_told_from_a_value() {
        for text in [
            "{{ gpu }}",
            "cuda:{{.GPU}}",
            "{{",
            "{{default 1 .GPU}}",
            "{{{gpu}}}",
            "{% if x %}0{% else %}1{% endif %}",
            "<%= @gpu %>",
            "<< parameters.gpu >>",
            "{}",
            "{0}",
            "{gpu}",
            "{resources.gpu}",
            "{args[0]}",
            "{env:GPU:0}",
            "#{gpu}",
            "%i",
            "%1",
            "%d",
            "%%g",
            "%(process_num)s",
            "%GPU%",
            "@GPU@",
            "__GPU_ID__",
            "<gpu id>",
            "[gpu ids]",
        ] {
            assert!(is_filled_in(text), "{text}");
        }
        for text in [
            "",
            "0",
            "0,1",
            "{0,1}",
            "{0..3}",
            "{a,b}",
            "${GPU}",
            "{",
            "}",
            "[0,1]",
            "[0, 1]",
            "GPU-1a2b",
            "a@b",
            "__init__",
            "MIG-GPU-1/0/0",
            "90%",
            "<",
            "cuda:1",
        ] {
            assert!(!is_filled_in(text), "{text}");
        }
    }

    #[test]
    fn a_template_ends_in_its_line() {
        for (text, length) in [
            ("{{ a }} b", Some(7)),
            ("{{{a}}} b", Some(7)),
            ("{% if a %}0", Some(10)),
            ("<< parameters.a >> b", Some(18)),
            ("<<parameters.a>>", Some(16)),
            ("<<EOF >> log", None),
            ("{{ a\n}}", None),
            ("{a}", None),
        ] {
            assert_eq!(template(text), length, "{text}");
        }
        let long = format!("{{{{{}}}}}", "é".repeat(LONGEST));
        assert_eq!(template(&long), None);
    }

    #[test]
    fn fields_and_gaps_have_a_length() {
        assert_eq!(named_field("%(process_num)s a"), Some(15));
        assert_eq!(named_field("%(a b)s"), None);
        assert_eq!(named_field("%(a)"), None);
        assert_eq!(gap("[gpu ids] python"), Some(9));
        assert_eq!(gap("<gpu id>"), Some(8));
        for text in ["[0,1] python", "[gpu]x", "<a >", "<a> b"] {
            assert_eq!(gap(text).is_some(), text == "<a> b", "{text}");
        }
    }
}
