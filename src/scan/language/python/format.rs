//! Texts with holes: `f"cuda:{index}"`, `"cuda:%d" % index`, `"{}:{index}".format(…)`.

use ruff_python_ast::{
    ConversionFlag, Expr, ExprCall, ExprFString, FStringPart, InterpolatedStringElement,
};

use super::constant::{Constant, as_text, formatted, joined, text_of, unknown};
use super::value::Reader;

impl Reader<'_, '_> {
    /// `f"cuda:{index}"`.
    pub(super) fn f_string(&mut self, text: &ExprFString, depth: usize) -> Vec<Constant> {
        let mut values = vec![Constant::Text(String::new())];
        for part in &text.value {
            match part {
                FStringPart::Literal(literal) => {
                    values = joined(&values, &[text_of(literal.as_str())]);
                }
                FStringPart::FString(f_string) => {
                    for element in &f_string.elements {
                        let next = self.element(element, depth);
                        values = joined(&values, &next);
                    }
                }
            }
        }
        values
    }

    fn element(&mut self, element: &InterpolatedStringElement, depth: usize) -> Vec<Constant> {
        match element {
            InterpolatedStringElement::Literal(literal) => vec![text_of(&literal.value)],
            InterpolatedStringElement::Interpolation(inner) => {
                let plain = matches!(inner.conversion, ConversionFlag::None | ConversionFlag::Str);
                if inner.debug_text.is_some() || !plain {
                    return unknown();
                }
                let values = self.read(&inner.expression, depth);
                let Some(spec) = &inner.format_spec else {
                    return as_text(values);
                };
                match &*spec.elements {
                    [InterpolatedStringElement::Literal(spec)] => formatted(values, &spec.value),
                    _ => unknown(),
                }
            }
        }
    }

    /// `"cuda:%d" % index`.
    pub(super) fn percent(&mut self, pattern: &str, right: &Expr, depth: usize) -> Vec<Constant> {
        let mut turn = 0;
        let mut values = vec![Constant::Text(String::new())];
        for piece in percent_pieces(pattern) {
            let next = match piece {
                Piece::Text(text) => vec![text_of(text)],
                Piece::Odd => unknown(),
                Piece::Hole { name, spec } => {
                    let given = match right {
                        Expr::Tuple(tuple) => tuple.elts.get(turn).map(|expr| (expr, depth)),
                        Expr::Dict(_) => self.named_item(right, name, depth),
                        other => (turn == 0 && name.is_empty()).then_some((other, depth)),
                    };
                    turn += 1;
                    match given {
                        Some((expr, depth)) => formatted(self.read(expr, depth), spec),
                        None => unknown(),
                    }
                }
            };
            values = joined(&values, &next);
        }
        values
    }

    /// `"{}:{index}".format("cuda", index=1)`.
    pub(super) fn format(&mut self, pattern: &str, call: &ExprCall, depth: usize) -> Vec<Constant> {
        let mut turn = 0;
        let mut values = vec![Constant::Text(String::new())];
        for piece in brace_pieces(pattern) {
            let next = match piece {
                Piece::Text(text) => vec![text_of(text)],
                Piece::Odd => unknown(),
                Piece::Hole { name, spec } => {
                    let place = if name.is_empty() {
                        turn += 1;
                        Some(turn - 1)
                    } else {
                        name.parse().ok()
                    };
                    let given = match place {
                        Some(place) => call.arguments.find_positional(place),
                        None => call.arguments.find_keyword(name).map(|found| &found.value),
                    };
                    match given {
                        Some(expr) => formatted(self.read(expr, depth), spec),
                        None => unknown(),
                    }
                }
            };
            values = joined(&values, &next);
        }
        values
    }
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'p> {
    /// Text as it is.
    Text(&'p str),
    /// A hole, for what is given under a name or, without one, in turn.
    Hole { name: &'p str, spec: &'p str },
    /// Nothing that is understood: what follows is not known.
    Odd,
}

/// More pieces than these are not looked at.
const MOST_PIECES: usize = 32;

/// The pieces of a `%` pattern.
fn percent_pieces(pattern: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some((before, hole)) = rest.split_once('%') {
        pieces.push(Piece::Text(before));
        let (piece, behind) = percent_hole(hole);
        pieces.push(piece);
        rest = behind;
        if piece == Piece::Odd || pieces.len() > MOST_PIECES {
            pieces.push(Piece::Odd);
            return pieces;
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// What stands behind a `%`: `d`, `02d`, `(name)s` or another `%`.
fn percent_hole(hole: &str) -> (Piece<'_>, &str) {
    if let Some(behind) = hole.strip_prefix('%') {
        return (Piece::Text("%"), behind);
    }
    let (name, rest) = match hole.strip_prefix('(').and_then(|hole| hole.split_once(')')) {
        Some((name, rest)) => (name, rest),
        None => ("", hole),
    };
    let Some(end) = rest.find(|c: char| !c.is_ascii_digit()) else {
        return (Piece::Odd, "");
    };
    let behind = &rest[end..];
    if !behind.starts_with(['d', 'i', 's', 'r']) {
        return (Piece::Odd, "");
    }
    if behind.starts_with('r') {
        // In quotes, where it is a text.
        return (Piece::Odd, "");
    }
    let spec = &rest[..=end];
    (Piece::Hole { name, spec }, &behind[1..])
}

/// The pieces of a pattern for `format`.
fn brace_pieces(pattern: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        if pieces.len() > MOST_PIECES {
            pieces.push(Piece::Odd);
            return pieces;
        }
        pieces.push(Piece::Text(&rest[..at]));
        let (brace, behind) = rest[at..].split_at(1);
        if behind.starts_with(brace) {
            pieces.push(Piece::Text(brace));
            rest = &behind[1..];
            continue;
        }
        let Some((hole, behind)) = behind.split_once('}').filter(|_| brace == "{") else {
            pieces.push(Piece::Odd);
            return pieces;
        };
        let (name, spec) = hole.split_once(':').unwrap_or((hole, ""));
        let name = name.strip_suffix("!s").unwrap_or(name);
        if name.contains(['!', '.', '[']) || spec.contains('{') {
            pieces.push(Piece::Odd);
            return pieces;
        }
        pieces.push(Piece::Hole { name, spec });
        rest = behind;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hole<'p>(name: &'p str, spec: &'p str) -> Piece<'p> {
        Piece::Hole { name, spec }
    }

    #[test]
    fn patterns_are_cut_at_their_holes() {
        assert_eq!(
            percent_pieces("%s:%02d%%"),
            [
                Piece::Text(""),
                hole("", "s"),
                Piece::Text(":"),
                hole("", "02d"),
                Piece::Text(""),
                Piece::Text("%"),
                Piece::Text("")
            ]
        );
        assert_eq!(percent_pieces("%(n)d")[1], hole("n", "d"));
        for odd in ["%", "%5", "%x", "%r", "%(n"] {
            assert!(percent_pieces(odd).contains(&Piece::Odd), "{odd}");
        }
        assert_eq!(
            brace_pieces("{}:{i:d}"),
            [
                Piece::Text(""),
                hole("", ""),
                Piece::Text(":"),
                hole("i", "d"),
                Piece::Text("")
            ]
        );
        assert_eq!(brace_pieces("{{{0!s}")[3], hole("0", ""));
        for odd in ["{", "}", "{x.y}", "{x!r}", "{:{w}}"] {
            assert!(brace_pieces(odd).contains(&Piece::Odd), "{odd}");
        }
        assert!(percent_pieces(&"%d".repeat(10_000)).len() < 50);
        assert!(brace_pieces(&"{}".repeat(10_000)).len() < 50);
    }
}
