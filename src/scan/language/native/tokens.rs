//! Text as tokens with their brackets matched: what C++ and Rust have in common.
//!
//! Flat lists, so that nothing here depends on how deeply a text is nested; every step looks at
//! each token once.

use crate::text::Span;

/// Statements of more tokens are cut.
const LONGEST_STATEMENT: usize = 1024;

/// Stands for "no token".
const NONE: usize = usize::MAX;

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scan::language) struct Token {
    pub(in crate::scan::language) span: Span,
    pub(in crate::scan::language) kind: Kind,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scan::language) enum Kind {
    /// A name or keyword.
    Word,
    /// A number.
    Number,
    /// A text; what stands between its quotes.
    Text {
        inside: Span,
        /// Whether backslashes are themselves.
        raw: bool,
    },
    /// A single character in quotes.
    Letter,
    /// One character of punctuation.
    Sign(u8),
    /// An opening bracket; `#` around what a macro is defined as.
    Open(u8),
    /// A closing one.
    Close(u8),
}

/// A text's tokens.
#[derive(Debug)]
pub(in crate::scan::language) struct Tokens<'t> {
    pub(in crate::scan::language) text: &'t str,
    list: Vec<Token>,
    /// For each bracket, the other one of its pair.
    partner: Vec<usize>,
    /// For each token, the bracket around it.
    around: Vec<usize>,
    errors: Vec<usize>,
}

/// Puts tokens into a list and matches brackets as they come.
#[derive(Debug)]
pub(in crate::scan::language) struct Collector<'t> {
    tokens: Tokens<'t>,
    open: Vec<usize>,
    /// How many of each kind of bracket are open: `(`, `[`, `{`, `#`.
    counts: [usize; 4],
    /// The same around a macro's definition, which closes nothing that it did not open.
    outside: Option<[usize; 4]>,
}

fn which(bracket: u8) -> usize {
    match bracket {
        b'(' | b')' => 0,
        b'[' | b']' => 1,
        b'{' | b'}' => 2,
        _ => 3,
    }
}

impl<'t> Collector<'t> {
    pub(in crate::scan::language) fn new(text: &'t str) -> Self {
        Self {
            tokens: Tokens {
                text,
                list: Vec::new(),
                partner: Vec::new(),
                around: Vec::new(),
                errors: Vec::new(),
            },
            open: Vec::new(),
            counts: [0; 4],
            outside: None,
        }
    }

    /// Adds a token.
    pub(in crate::scan::language) fn push(&mut self, start: usize, end: usize, kind: Kind) {
        if let Kind::Close(bracket) = kind {
            self.close(bracket, start);
        }
        let at = self.tokens.list.len();
        self.tokens.list.push(Token {
            span: Span::new(start, end),
            kind,
        });
        self.tokens.partner.push(NONE);
        let around = self.open.last().copied().unwrap_or(NONE);
        self.tokens.around.push(around);
        match kind {
            Kind::Open(bracket) => {
                if bracket == b'#' {
                    self.outside = Some(std::mem::take(&mut self.counts));
                }
                self.open.push(at);
                self.counts[which(bracket)] += 1;
            }
            Kind::Close(bracket) => {
                if self.is_open(around, bracket)
                    && let Some(at_open) = self.open.pop()
                {
                    self.counts[which(bracket)] -= 1;
                    self.pair(at_open, at);
                }
                if bracket == b'#'
                    && let Some(counts) = self.outside.take()
                {
                    self.counts = counts;
                }
            }
            _ => {}
        }
    }

    fn is_open(&self, at: usize, bracket: u8) -> bool {
        matches!(self.tokens.list.get(at), Some(Token { kind: Kind::Open(own), .. })
            if which(*own) == which(bracket))
    }

    fn pair(&mut self, open: usize, close: usize) {
        if let Some(partner) = self.tokens.partner.get_mut(open) {
            *partner = close;
        }
        if let Some(partner) = self.tokens.partner.get_mut(close) {
            *partner = open;
        }
    }

    /// Takes off what is still open inside the bracket that ends here; nothing, where none does.
    fn close(&mut self, bracket: u8, at: usize) {
        if self.counts[which(bracket)] == 0 {
            self.bracket_error(at);
            return;
        }
        while let Some(open) = self.open.last().copied() {
            if self.is_open(open, bracket) {
                return;
            }
            self.bracket_error(at);
            self.drop_last();
        }
    }

    /// What a macro is defined as need not be whole.
    fn bracket_error(&mut self, at: usize) {
        if self.outside.is_none() {
            self.tokens.errors.push(at);
        }
    }

    fn drop_last(&mut self) {
        if let Some(open) = self.open.pop() {
            let end = self.tokens.list.len();
            if let Some(partner) = self.tokens.partner.get_mut(open) {
                *partner = end;
            }
            if let Some(Token {
                kind: Kind::Open(bracket),
                ..
            }) = self.tokens.list.get(open)
            {
                let count = &mut self.counts[which(*bracket)];
                *count = count.saturating_sub(1);
            }
        }
    }

    /// How many brackets are open.
    pub(in crate::scan::language) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The innermost brackets that are open, the last one last.
    pub(in crate::scan::language) fn innermost(&self) -> Vec<usize> {
        /// More are not closed in one arm.
        const MOST: usize = 8;
        let from = self.open.len().saturating_sub(MOST);
        self.open.get(from..).unwrap_or_default().to_vec()
    }

    /// Goes back to a place with so many brackets open, of which these were the innermost.
    pub(in crate::scan::language) fn go_back(&mut self, depth: usize, innermost: &[usize]) {
        let base = depth.saturating_sub(innermost.len());
        let kept = |at: usize| at.checked_sub(base).and_then(|at| innermost.get(at));
        while let Some(last) = self.open.len().checked_sub(1)
            && last >= base
            && self.open.last() != kept(last)
        {
            self.drop_last();
        }
        let from = self.open.len().saturating_sub(base);
        for open in innermost.get(from..).unwrap_or_default() {
            if let Some(Kind::Open(bracket)) = self.tokens.kind(*open) {
                self.open.push(*open);
                self.counts[which(bracket)] += 1;
            }
        }
    }

    /// Notes a syntax error.
    pub(in crate::scan::language) fn error(&mut self, at: usize) {
        self.tokens.errors.push(at);
    }

    /// The tokens, once all are there.
    pub(in crate::scan::language) fn finish(mut self) -> Tokens<'t> {
        let open = self.open.last().copied();
        if let Some(token) = open.and_then(|at| self.tokens.list.get(at)) {
            self.tokens.errors.push(token.span.start);
        }
        self.go_back(0, &[]);
        self.tokens.errors.sort_unstable();
        self.tokens
    }
}

impl<'t> Tokens<'t> {
    pub(in crate::scan::language) fn len(&self) -> usize {
        self.list.len()
    }

    pub(in crate::scan::language) fn token(&self, at: usize) -> Option<Token> {
        self.list.get(at).copied()
    }

    pub(in crate::scan::language) fn kind(&self, at: usize) -> Option<Kind> {
        self.list.get(at).map(|token| token.kind)
    }

    /// A token as it is written; nothing behind the last one.
    pub(in crate::scan::language) fn written(&self, at: usize) -> &'t str {
        let span = self
            .list
            .get(at)
            .map_or(Span::default(), |token| token.span);
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The name at a place.
    pub(in crate::scan::language) fn word(&self, at: usize) -> Option<&'t str> {
        (self.kind(at)? == Kind::Word).then(|| self.written(at))
    }

    pub(in crate::scan::language) fn is_sign(&self, at: usize, sign: u8) -> bool {
        self.kind(at) == Some(Kind::Sign(sign))
    }

    pub(in crate::scan::language) fn is_open(&self, at: usize, bracket: u8) -> bool {
        self.kind(at) == Some(Kind::Open(bracket))
    }

    /// Where two signs stand without a blank between them, such as `::`.
    pub(in crate::scan::language) fn are_signs(&self, at: usize, signs: [u8; 2]) -> bool {
        self.is_sign(at, signs[0])
            && self.is_sign(at + 1, signs[1])
            && self.token(at).map(|one| one.span.end)
                == self.token(at + 1).map(|two| two.span.start)
    }

    /// The bracket that closes the one at a place, or where the text behind it ends.
    pub(in crate::scan::language) fn close_of(&self, open: usize) -> usize {
        match self.partner.get(open) {
            Some(partner) if *partner != NONE => *partner,
            _ => self.len(),
        }
    }

    /// The bracket that opens what is closed at a place.
    pub(in crate::scan::language) fn open_of(&self, close: usize) -> Option<usize> {
        let partner = *self.partner.get(close)?;
        (partner < close).then_some(partner)
    }

    /// The bracket around a token.
    pub(in crate::scan::language) fn around(&self, at: usize) -> Option<usize> {
        let around = *self.around.get(at)?;
        (around != NONE).then_some(around)
    }

    /// From a token to the end of another, which may be behind the last one.
    pub(in crate::scan::language) fn span(&self, first: usize, last: usize) -> Span {
        let start = self.token(first).map_or(0, |token| token.span.start);
        let last = self.token(last).or_else(|| self.list.last().copied());
        Span::new(start, last.map_or(start, |token| token.span.end.max(start)))
    }

    /// The first token that begins at an offset or behind it.
    pub(in crate::scan::language) fn at_or_behind(&self, offset: usize) -> usize {
        self.list.partition_point(|token| token.span.start < offset)
    }

    /// The first token of the statement that a token belongs to.
    pub(in crate::scan::language) fn statement_start(&self, at: usize) -> usize {
        let mut start = at;
        for _ in 0..LONGEST_STATEMENT {
            let Some(before) = start.checked_sub(1) else {
                break;
            };
            match self.kind(before) {
                Some(Kind::Sign(b';') | Kind::Open(_) | Kind::Close(b'}' | b'#')) | None => break,
                Some(Kind::Close(_)) => match self.open_of(before) {
                    Some(open) => start = open,
                    None => break,
                },
                _ => start = before,
            }
        }
        start
    }

    /// The last token of the statement that a token belongs to.
    pub(in crate::scan::language) fn statement_end(&self, at: usize) -> usize {
        let mut end = at;
        for _ in 0..LONGEST_STATEMENT {
            match self.kind(end + 1) {
                Some(Kind::Close(_) | Kind::Open(b'{' | b'#')) | None => break,
                Some(Kind::Sign(b';')) => return end + 1,
                Some(Kind::Open(_)) => end = self.close_of(end + 1).max(end + 1),
                _ => end += 1,
            }
        }
        end
    }

    /// The places of syntax errors.
    pub(in crate::scan::language) fn errors(&self) -> &[usize] {
        &self.errors
    }

    /// What stands between the commas inside a bracket: where each piece starts and ends.
    pub(in crate::scan::language) fn pieces(&self, open: usize) -> Vec<(usize, usize)> {
        let end = self.close_of(open).min(self.len());
        let mut pieces = Vec::new();
        let mut start = open + 1;
        let mut at = start;
        while at < end {
            match self.kind(at) {
                Some(Kind::Open(_)) => at = self.close_of(at).max(at),
                Some(Kind::Sign(b',')) => {
                    pieces.push((start, at));
                    start = at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        if start < end {
            pieces.push((start, end));
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(text: &str) -> Tokens<'_> {
        let mut collector = Collector::new(text);
        for (at, byte) in text.bytes().enumerate() {
            let kind = match byte {
                b'(' | b'[' | b'{' => Kind::Open(byte),
                b')' | b']' | b'}' => Kind::Close(byte),
                b'a'..=b'z' => Kind::Word,
                _ => Kind::Sign(byte),
            };
            collector.push(at, at + 1, kind);
        }
        collector.finish()
    }

    #[test]
    fn brackets_find_each_other() {
        for (text, open, close, errors) in [
            ("a(b[c])d", 1, 6, 0),
            ("(((", 0, 3, 1),
            ("(a]b)", 0, 4, 1),
            // The braces of a block are not taken for those of a text around it.
            ("{(a}b", 0, 3, 1),
            ("(a}", 0, 3, 2),
        ] {
            let tokens = collected(text);
            assert_eq!(tokens.close_of(open), close, "{text}");
            assert_eq!(tokens.errors().len(), errors, "{text}");
        }
        assert_eq!(collected("a(b)").around(2), Some(1));
        assert_eq!(collected("a(b)").open_of(3), Some(1));
    }

    #[test]
    fn pieces_are_those_of_one_bracket() {
        assert_eq!(
            collected("(a,b(c,d),e)").pieces(0),
            [(1, 2), (3, 9), (10, 11)]
        );
        assert_eq!(collected("()").pieces(0), []);
        assert_eq!(collected("(a,b").pieces(0), [(1, 2), (3, 4)]);
    }
}
