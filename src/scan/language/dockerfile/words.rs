//! Words of instructions: pairs of `ENV`, lists in brackets, here-documents.

use crate::scan::language::command::Word;
use crate::scan::language::given::Given;
use crate::text::Span;

/// A name with its value; places are those of the code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: Given,
    pub(super) span: Span,
    /// The value as it stands there, with its quotes.
    pub(super) written: Span,
}

/// `NAME=value NAME="value"`, or `NAME all the rest`.
pub(super) fn pairs(code: &str, start: usize, escape: char) -> Vec<Pair> {
    let rest = code.get(start..).unwrap_or_default();
    let first = rest.trim_start();
    let name = first.split([' ', '\t']).next().unwrap_or_default();
    if name.contains('=') {
        return assignments(code, start, escape);
    }
    // The old form has one name; quotes belong to the value as well as anywhere.
    let at = start + (rest.len() - first.len());
    let after = first.get(name.len()..).unwrap_or_default();
    let value = after.trim();
    if name.is_empty() || value.is_empty() {
        return Vec::new();
    }
    let from = at + name.len() + (after.len() - after.trim_start().len());
    let written = Span::new(from, from + value.len());
    vec![Pair {
        name: name.to_owned(),
        value: value_of(value, from, escape),
        span: Span::new(at, written.end),
        written,
    }]
}

fn assignments(code: &str, start: usize, escape: char) -> Vec<Pair> {
    let mut found = Vec::new();
    for word in words(code, start, escape).found {
        let Some((name, value)) = code
            .get(word.start..word.end)
            .and_then(|word| word.split_once('='))
        else {
            continue;
        };
        let from = word.start + name.len() + 1;
        found.push(Pair {
            name: name.trim_matches(['"', '\'']).to_owned(),
            value: value_of(value, from, escape),
            span: word,
            written: Span::new(from, word.end),
        });
    }
    found
}

/// Words that blanks part, quotes kept.
struct Words {
    found: Vec<Span>,
    /// Where a quote stands that has no end.
    open: Option<usize>,
}

fn words(code: &str, start: usize, escape: char) -> Words {
    let mut found = Vec::new();
    let mut from: Option<usize> = None;
    let mut quote: Option<(char, usize)> = None;
    let mut escaped = false;
    for (at, c) in code.get(start..).unwrap_or_default().char_indices() {
        let at = start + at;
        if std::mem::take(&mut escaped) {
            continue;
        }
        match quote {
            Some((open, _)) => {
                escaped = c == escape && open == '"';
                if c == open {
                    quote = None;
                }
            }
            None if c.is_whitespace() => {
                if let Some(from) = from.take() {
                    found.push(Span::new(from, at));
                }
            }
            None => {
                from.get_or_insert(at);
                escaped = c == escape;
                quote = matches!(c, '"' | '\'').then_some((c, at));
            }
        }
    }
    found.extend(from.map(|from| Span::new(from, code.len())));
    Words {
        found,
        open: quote.map(|(_, at)| at),
    }
}

/// Where a quote begins in the words of an instruction that has no end.
pub(super) fn open_quote(code: &str, start: usize, escape: char) -> Option<usize> {
    words(code, start, escape).open
}

/// A value without its quotes and escapes.
fn value_of(written: &str, start: usize, escape: char) -> Given {
    let quote = written.chars().next().filter(|c| "\"'".contains(*c));
    let inner = quote.and_then(|quote| written.strip_prefix(quote)?.strip_suffix(quote));
    let (bare, from) = match inner {
        Some(inner) if inner.find(['"', '\'']).is_none() => (inner, start + 1),
        _ => (written, start),
    };
    let mut text = String::with_capacity(bare.len());
    let mut characters = bare.chars();
    let mut dynamic = false;
    while let Some(c) = characters.next() {
        match c {
            _ if c == escape => text.extend(characters.next()),
            '$' => {
                dynamic |= quote != Some('\'');
                text.push(c);
            }
            '"' | '\'' => {}
            _ => text.push(c),
        }
    }
    let inside = (text == bare).then(|| Span::new(from, from + bare.len()));
    Given {
        text,
        dynamic,
        inside,
    }
}

/// The words of `["a", "b"]`; `None` where it is no such list.
pub(super) fn listed(code: &str, start: usize) -> Option<Vec<Word>> {
    let list = code.get(start..)?;
    let raw: Vec<&serde_json::value::RawValue> = serde_json::from_str(list).ok()?;
    let mut words = Vec::with_capacity(raw.len());
    for raw in raw {
        let written = raw.get();
        let text: String = serde_json::from_str(written).ok()?;
        // The words are slices of the list.
        let at = start + (written.as_ptr() as usize).checked_sub(list.as_ptr() as usize)?;
        let inside = Span::new(at + 1, (at + written.len()).saturating_sub(1));
        words.push(Word {
            plain: code.get(inside.start..inside.end) == Some(text.as_str()),
            text,
            span: inside,
            ..Word::default()
        });
    }
    Some(words)
}

/// Whether a list in brackets is begun, and is none: a shell looks for a program of that name.
pub(super) fn is_broken_list(code: &str, start: usize) -> bool {
    let rest = code.get(start..).unwrap_or_default().trim_start();
    (rest.starts_with("[\"") || rest.starts_with("['")) && listed(code, start).is_none()
}

/// The names that end the here-documents of an instruction, in order. Docker takes one for a
/// here-document where a word begins with it.
pub(super) fn documents(code: &str, escape: char) -> Vec<String> {
    let mut found = Vec::new();
    for word in words(code, 0, escape).found {
        let word = code.get(word.start..word.end).unwrap_or_default();
        let word = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let Some(rest) = word.strip_prefix("<<") else {
            continue;
        };
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            found.push(name);
        }
    }
    found
}

/// Whether the code has an option of an instruction at its start: `--mount=…`; where it ends.
pub(super) fn option(code: &str, start: usize) -> Option<usize> {
    let rest = code.get(start..)?;
    let content = rest.trim_start();
    if !content.starts_with("--") {
        return None;
    }
    let length = content.find([' ', '\t']).unwrap_or(content.len());
    Some(start + (rest.len() - content.len()) + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_have_their_values_without_quotes() {
        for (code, expected) in [
            ("V=1", &[("V", "1", true)][..]),
            ("V 1", &[("V", "1", true)]),
            (
                "V=\"0,1\" W='a b'",
                &[("V", "0,1", true), ("W", "a b", true)],
            ),
            ("V a b  c ", &[("V", "a b  c", true)]),
            ("V=a\\ b W=2", &[("V", "a b", false), ("W", "2", true)]),
            ("V=", &[("V", "", true)]),
            ("V=\"a\\\"b\"", &[("V", "a\"b", false)]),
            ("V", &[]),
            ("", &[]),
        ] {
            let found = pairs(code, 0, '\\');
            let found: Vec<(&str, &str, bool)> = found
                .iter()
                .map(|pair| {
                    let inside = pair.value.inside;
                    if let Some(inside) = inside {
                        assert_eq!(&code[inside.start..inside.end], pair.value.text, "{code}");
                    }
                    (&*pair.name, &*pair.value.text, inside.is_some())
                })
                .collect();
            assert_eq!(found, expected, "{code}");
        }
        assert!(pairs("V=$X", 0, '\\')[0].value.dynamic);
        assert!(!pairs("V='$X'", 0, '\\')[0].value.dynamic);
        assert!(!pairs("V=\\$X", 0, '\\')[0].value.dynamic);
    }

    #[test]
    fn here_documents_have_names() {
        let found = documents("RUN <<EOF cat <<-'B' 3<<\"C\"", '\\');
        assert_eq!(found, ["EOF", "B", "C"]);
        for none in ["RUN a <<< b && x << 2", "RUN echo \"a <<EOF\" $((1<<N))"] {
            assert_eq!(documents(none, '\\'), [""; 0], "{none}");
        }
    }

    #[test]
    fn lists_are_words() {
        let code = "CMD [\"a\", \"b\\tc\"] ";
        let found = listed(code, 4).unwrap();
        assert_eq!((found[0].text.as_str(), found[0].plain), ("a", true));
        assert_eq!(found[0].span, Span::new(6, 7));
        assert_eq!((found[1].text.as_str(), found[1].plain), ("b\tc", false));
        assert_eq!(listed("CMD [a]", 4), None);
    }
}
