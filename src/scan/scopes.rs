//! Environments inside a file: which piece of it is one program's, where the file starts several.
//!
//! A command with its variables in front, a service of a compose file, a configuration of an
//! editor: what one sets, the others do not see. Language-free.

use crate::text::Span;

/// Pieces of a file that have an environment of their own; one can lie in another, from which it
/// inherits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    /// By start, the outer before the inner.
    scopes: Vec<Scope>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scope {
    span: Span,
    outer: Option<usize>,
}

impl Scopes {
    /// Takes the pieces in any order. A piece that overlaps another without lying in it ends where
    /// the other does.
    pub fn new(mut spans: Vec<Span>) -> Self {
        spans.sort_unstable_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        spans.dedup();
        let mut scopes: Vec<Scope> = Vec::with_capacity(spans.len());
        let mut open: Vec<usize> = Vec::new();
        for span in spans {
            while open
                .last()
                .is_some_and(|at| scopes[*at].span.end <= span.start)
            {
                open.pop();
            }
            let outer = open.last().copied();
            let end = outer.map_or(span.end, |at| span.end.min(scopes[at].span.end));
            open.push(scopes.len());
            scopes.push(Scope {
                span: Span::new(span.start, end),
                outer,
            });
        }
        Self { scopes }
    }

    /// The innermost piece around an offset.
    pub fn innermost(&self, offset: usize) -> Option<usize> {
        let behind = self
            .scopes
            .partition_point(|scope| scope.span.start <= offset);
        let mut next = behind.checked_sub(1);
        while let Some(at) = next {
            if offset < self.scopes[at].span.end {
                return Some(at);
            }
            next = self.scopes[at].outer;
        }
        None
    }

    /// A piece, the one around it, and so on to the outermost.
    pub fn outward(&self, scope: Option<usize>) -> impl Iterator<Item = usize> {
        std::iter::successors(scope, |at| self.scopes.get(*at)?.outer)
    }

    /// The outermost piece around an offset.
    pub fn outermost(&self, offset: usize) -> Option<usize> {
        self.outward(self.innermost(offset)).last()
    }

    /// Where a piece stands.
    pub fn span(&self, scope: usize) -> Option<Span> {
        self.scopes.get(scope).map(|scope| scope.span)
    }

    /// All pieces, the outer before the inner.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        self.scopes.iter().map(|scope| scope.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_offset_has_its_innermost_piece() {
        let spans = [(10, 20), (0, 30), (12, 15), (40, 50), (45, 60), (12, 15)];
        let scopes = Scopes::new(
            spans
                .iter()
                .map(|(start, end)| Span::new(*start, *end))
                .collect(),
        );
        let span = |at: Option<usize>| at.and_then(|at| scopes.span(at)).map(|span| span.start);
        for (offset, innermost, outermost) in [
            (0, Some(0), Some(0)),
            (11, Some(10), Some(0)),
            (13, Some(12), Some(0)),
            (15, Some(10), Some(0)),
            (20, Some(0), Some(0)),
            (30, None, None),
            (41, Some(40), Some(40)),
            (47, Some(45), Some(40)),
            (55, None, None),
        ] {
            assert_eq!(span(scopes.innermost(offset)), innermost, "{offset}");
            assert_eq!(span(scopes.outermost(offset)), outermost, "{offset}");
        }
        assert_eq!(scopes.outward(scopes.innermost(13)).count(), 3);
        assert_eq!(Scopes::default().innermost(0), None);
    }
}
