//! What a line of a makefile is, and where the references in it are.

use crate::text::Span;

/// A line of make's own; places are those of the line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Nothing,
    Definition,
    Condition,
    EndOfCondition,
    /// `export NAME …`; no name for all.
    Export(Vec<String>),
    Unexport(Vec<String>),
    Assignment(Assignment),
    Rule {
        /// What the rule sets for its own recipe.
        assignment: Option<Assignment>,
        /// Where the recipe starts, if it is on the line.
        recipe: Option<usize>,
    },
}

/// `NAME = value`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) name: String,
    /// Of the name and the value.
    pub(super) span: Span,
    pub(super) value: Span,
    pub(super) export: bool,
    /// Whether the text is the value: neither added, nor what a command prints.
    pub(super) replaces: bool,
}

/// Whether a line begins with a word that opens or ends a condition or a definition.
pub(super) fn is_directive(code: &str) -> bool {
    let word = code.split_whitespace().next().unwrap_or_default();
    [
        "define", "endef", "endif", "ifdef", "ifeq", "ifndef", "ifneq",
    ]
    .contains(&word)
}

/// Reads a line.
pub(super) fn read(code: &str) -> Line {
    let end = comment(code);
    let code = code.get(..end).unwrap_or_default();
    let content = code.trim();
    let word = content.split_whitespace().next().unwrap_or_default();
    let rest = content.get(word.len()..).unwrap_or_default();
    let names = || rest.split_whitespace().map(str::to_owned).collect();
    match word {
        "" | "include" | "-include" | "sinclude" | "vpath" | "undefine" | "else" => Line::Nothing,
        "define" => Line::Definition,
        "ifeq" | "ifneq" | "ifdef" | "ifndef" => Line::Condition,
        "endif" => Line::EndOfCondition,
        "unexport" => Line::Unexport(names()),
        "export" if !rest.contains('=') => Line::Export(names()),
        _ => named(code),
    }
}

fn named(code: &str) -> Line {
    let equals = outside(code, '=');
    let colon = outside(code, ':');
    let semicolon = outside(code, ';');
    let is_assignment = match (equals, colon) {
        (Some(equals), Some(colon)) => {
            // `:=`, `::=` and `:::=` are assignments.
            let between = code.get(colon..equals).unwrap_or_default();
            equals < colon || between.bytes().all(|byte| byte == b':')
        }
        (Some(_), None) => true,
        _ => false,
    };
    if is_assignment {
        return assignment(code, 0).map_or(Line::Nothing, Line::Assignment);
    }
    let Some(colon) = colon else {
        return Line::Nothing;
    };
    let behind = code.get(colon..).unwrap_or_default();
    let start = colon + (behind.len() - behind.trim_start_matches([':', '&']).len());
    let recipe = semicolon.filter(|at| equals.is_none_or(|equals| *at < equals));
    let assignment = equals
        .filter(|_| recipe.is_none())
        .and_then(|_| assignment(code, start));
    Line::Rule {
        assignment,
        recipe: recipe.map(|at| at + 1),
    }
}

fn assignment(code: &str, start: usize) -> Option<Assignment> {
    let text = code.get(start..)?;
    let equals = outside(text, '=')?;
    let (before, value) = text.split_at(equals);
    let name = before.trim_end_matches([':', '?', '+', '!']);
    let sign = before.get(name.len()..)?;
    let mut export = false;
    let mut own = name.trim();
    while let Some((word, rest)) = own.split_once([' ', '\t']) {
        match word {
            "export" => export = true,
            "override" | "private" => {}
            _ => return None,
        }
        own = rest.trim_start();
    }
    let from = start + name.trim_end().len() - own.len();
    let value = value.get(1..)?;
    let bare = value.trim();
    let at = start + equals + 1 + (value.len() - value.trim_start().len());
    let place = Span::new(at, at + bare.len());
    Some(Assignment {
        name: own.to_owned(),
        span: Span::new(from, place.end),
        value: place,
        export,
        replaces: !sign.contains(['+', '!']),
    })
}

/// Where a character stands that is in no reference.
fn outside(code: &str, wanted: char) -> Option<usize> {
    let mut open = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '{' => open += 1,
            ')' | '}' => open = open.saturating_sub(1),
            _ if c == wanted && open == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// Where the comment of a line starts, or the line ends.
fn comment(code: &str) -> usize {
    let signs = code.match_indices('#').map(|(at, _)| at);
    let mut own = signs.filter(|at| !code.get(..*at).is_some_and(|before| before.ends_with('\\')));
    own.next().unwrap_or(code.len())
}

/// The variable of a text that is one reference and nothing else.
pub(super) fn reference(text: &str) -> Option<&str> {
    let inner = text
        .strip_prefix("$(")
        .and_then(|rest| rest.strip_suffix(')'));
    let inner = inner.or_else(|| text.strip_prefix("${")?.strip_suffix('}'))?;
    (!inner.contains(['$', '(', ' ', ','])).then_some(inner)
}

/// A piece of a recipe: text, or a reference. `$` is what `$$` stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'c> {
    pub(super) span: Span,
    pub(super) reference: Option<&'c str>,
}

/// The pieces of a recipe, in order.
pub(super) fn pieces(code: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = code.get(at..).filter(|rest| !rest.is_empty()) {
        let text = rest.find('$').unwrap_or(rest.len());
        if text > 0 {
            found.push(Piece {
                span: Span::new(at, at + text),
                reference: None,
            });
            at += text;
            continue;
        }
        let behind = rest.get(1..).unwrap_or_default();
        let (length, name) = match behind.chars().next() {
            Some(open @ ('(' | '{')) => {
                let close = if open == '(' { ')' } else { '}' };
                let length = closed(behind, open, close);
                let inner = behind.get(1..length.saturating_sub(1)).unwrap_or_default();
                (1 + length, inner)
            }
            Some(c) => (
                1 + c.len_utf8(),
                behind.get(..c.len_utf8()).unwrap_or_default(),
            ),
            None => (1, ""),
        };
        found.push(Piece {
            span: Span::new(at, at + length),
            reference: Some(name),
        });
        at += length;
    }
    found
}

/// How long a text in brackets is, with them.
fn closed(text: &str, open: char, close: char) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + 1;
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let set = |name: &str, export, replaces, span: (usize, usize), value: (usize, usize)| {
            Assignment {
                name: name.to_owned(),
                span: Span::new(span.0, span.1),
                value: Span::new(value.0, value.1),
                export,
                replaces,
            }
        };
        let rule = |assignment, recipe| Line::Rule { assignment, recipe };
        for (code, expected) in [
            ("", Line::Nothing),
            (
                "A = 1 # x",
                Line::Assignment(set("A", false, true, (0, 5), (4, 5))),
            ),
            (
                "export A := 1",
                Line::Assignment(set("A", true, true, (7, 13), (12, 13))),
            ),
            (
                "A ?= 1",
                Line::Assignment(set("A", false, true, (0, 6), (5, 6))),
            ),
            (
                "A += 1",
                Line::Assignment(set("A", false, false, (0, 6), (5, 6))),
            ),
            (
                "A=b:c",
                Line::Assignment(set("A", false, true, (0, 5), (2, 5))),
            ),
            (
                "export A B",
                Line::Export(vec!["A".to_owned(), "B".to_owned()]),
            ),
            ("export", Line::Export(Vec::new())),
            ("unexport A", Line::Unexport(vec!["A".to_owned()])),
            ("a b: c", rule(None, None)),
            (
                "a: export A = 1",
                rule(Some(set("A", true, true, (10, 15), (14, 15))), None),
            ),
            ("a: ; A=1 x", rule(None, Some(4))),
            ("a: $(x:.c=.o)", rule(None, None)),
            ("$(call x,a=b)", Line::Nothing),
            ("ifeq ($(A),1)", Line::Condition),
            ("endif", Line::EndOfCondition),
            ("define X =", Line::Definition),
        ] {
            assert_eq!(read(code), expected, "{code}");
        }
    }

    #[test]
    fn references_are_pieces() {
        let found: Vec<(String, Option<&str>)> = pieces("a$(B)$$c ${D:x=$(y)}$@$")
            .into_iter()
            .map(|piece| {
                (
                    format!("{}-{}", piece.span.start, piece.span.end),
                    piece.reference,
                )
            })
            .collect();
        let expected = [
            ("0-1", None),
            ("1-5", Some("B")),
            ("5-7", Some("$")),
            ("7-9", None),
            ("9-20", Some("D:x=$(y)")),
            ("20-22", Some("@")),
            ("22-23", Some("")),
        ];
        assert_eq!(
            found,
            expected.map(|(place, name)| (place.to_owned(), name))
        );
    }
}
