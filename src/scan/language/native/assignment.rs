//! What an `=` gives a value to.

use super::constant::{block_of, is_enumeration};
use super::reader::Syntax;
use super::tokens::{Kind, Tokens};

/// What stands before an `=`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// The token of the name.
    pub(super) name: usize,
    /// Whether the name is declared here.
    pub(super) declares: bool,
    /// Whether nothing can give it another value.
    pub(super) keeps: bool,
    /// Whether it belongs to what stands before it.
    pub(super) is_member: bool,
}

impl Target {
    /// The target of an assignment.
    pub(super) fn before(tokens: &Tokens<'_>, equals: usize, syntax: Syntax) -> Option<Self> {
        let mut name = equals.checked_sub(1)?;
        // `int x[] = {1}`
        if let Some(open) = tokens
            .open_of(name)
            .filter(|open| tokens.is_open(*open, b'['))
        {
            if open + 2 < equals && tokens.kind(open + 1) != Some(Kind::Number) {
                return None;
            }
            name = open.checked_sub(1)?;
        }
        // `x: usize = 1`: the name stands before the type.
        if syntax == Syntax::Rust {
            let colon = (1..6).find_map(|back| {
                let at = equals.checked_sub(back + 1)?;
                let single = tokens.is_sign(at, b':')
                    && !tokens.is_sign(at + 1, b':')
                    && !tokens.is_sign(at.wrapping_sub(1), b':');
                single.then_some(at)
            });
            let is_type = |colon: &usize| {
                (*colon + 1..equals).all(|at| {
                    matches!(
                        tokens.kind(at),
                        Some(Kind::Word | Kind::Sign(b'&' | b'<' | b'>' | b':'))
                    )
                })
            };
            if let Some(colon) = colon.filter(is_type) {
                name = colon.checked_sub(1)?;
            }
        }
        tokens.word(name)?;
        let before = name.checked_sub(1);
        let is =
            |at: usize, words: &[&str]| tokens.word(at).is_some_and(|word| words.contains(&word));
        let is_member = before.is_some_and(|at| {
            tokens.is_sign(at, b'.')
                || (tokens.is_sign(at, b'>') && tokens.is_sign(at.wrapping_sub(1), b'-'))
        });
        let (declares, keeps) = match syntax {
            Syntax::Rust => {
                let keeps = before.is_some_and(|at| is(at, &["const", "static"]));
                (keeps || before.is_some_and(|at| is(at, &["let"])), keeps)
            }
            Syntax::Cpp => {
                let is_type = before.is_some_and(|at| match tokens.kind(at) {
                    Some(Kind::Word) => !is(at, &["return", "else", "do", "case"]),
                    Some(Kind::Sign(b'>')) => !is_member,
                    Some(Kind::Sign(b'*' | b'&')) => at
                        .checked_sub(1)
                        .is_some_and(|at| tokens.word(at).is_some()),
                    _ => false,
                });
                let first = name.saturating_sub(6);
                let head = (first..name).rev().take_while(|at| {
                    !matches!(
                        tokens.kind(*at),
                        Some(Kind::Sign(b';') | Kind::Open(_) | Kind::Close(_))
                    )
                });
                let mut head = head.filter(|_| is_type);
                let keeps = head.any(|at| is(at, &["const", "constexpr"]));
                let counts = is_enumeration(tokens, block_of(tokens, equals));
                (is_type || counts, keeps || counts)
            }
        };
        Some(Self {
            name,
            declares: declares && !is_member,
            keeps,
            is_member,
        })
    }
}

/// Whether an `=` gives a value, and compares nothing.
pub(super) fn is_assignment(tokens: &Tokens<'_>, equals: usize) -> bool {
    let beside = |at: usize, signs: &[u8]| matches!(tokens.kind(at), Some(Kind::Sign(sign)) if signs.contains(&sign));
    let touches = |one: usize, two: usize| {
        tokens.token(one).map(|token| token.span.end)
            == tokens.token(two).map(|token| token.span.start)
    };
    let before = equals.wrapping_sub(1);
    let compares = (beside(before, b"=!<>+-*/%&|^") && touches(before, equals))
        || (beside(equals + 1, b"=>") && touches(equals, equals + 1));
    !compares
}
