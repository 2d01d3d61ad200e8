//! Changes to a text, as data.

use super::Span;

/// Replaces what a span covers; an empty span inserts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edit {
    /// What is replaced.
    pub span: Span,
    /// What stands there afterwards.
    pub replacement: String,
}

/// `text` with all edits made; `None` where two overlap, or one is not inside the text or cuts a
/// character. Edits at the same place are made in the order given; the same edit twice is made
/// once.
pub fn apply(text: &str, edits: &[Edit]) -> Option<String> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.span);
    sorted.dedup();
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for edit in sorted {
        result.push_str(text.get(done..edit.span.start)?);
        text.get(edit.span.start..edit.span.end)?;
        result.push_str(&edit.replacement);
        done = edit.span.end;
    }
    result.push_str(text.get(done..)?);
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, replacement: &str) -> Edit {
        Edit {
            span: Span::new(start, end),
            replacement: replacement.to_owned(),
        }
    }

    #[test]
    fn edits_are_made_in_place_and_in_order() {
        let edits = [edit(4, 5, "0"), edit(0, 0, "a"), edit(0, 0, "b")];
        assert_eq!(apply("f = 1;", &edits).unwrap(), "abf = 0;");
        assert_eq!(
            apply("é", &[edit(0, 2, "e"), edit(0, 2, "e")]).unwrap(),
            "e"
        );
    }

    #[test]
    fn edits_that_do_not_fit_are_refused() {
        assert_eq!(apply("abcd", &[edit(0, 2, "x"), edit(1, 3, "y")]), None);
        assert_eq!(apply("abcd", &[edit(3, 5, "x")]), None);
        assert_eq!(apply("é", &[edit(1, 2, "x")]), None);
    }
}
