//! The name of what is called: the words before a bracket.

use super::reader::Syntax;
use super::tokens::{Kind, Tokens};

/// Longer paths are cut, from the front.
const MOST_WORDS: usize = 8;
/// So far is looked back for the `<` of generic arguments.
const LONGEST_GENERICS: usize = 64;

/// Words before a bracket that call nothing.
const KEYWORDS: &[&str] = &[
    "case",
    "co_await",
    "co_return",
    "co_yield",
    "delete",
    "do",
    "else",
    "goto",
    "in",
    "match",
    "move",
    "mut",
    "ref",
    "return",
    "throw",
    "unsafe",
];

/// Whether a word is a keyword behind which something else is called; `new` is a name in Rust.
fn is_keyword(word: &str, syntax: Syntax) -> bool {
    KEYWORDS.contains(&word) || (word == "new" && syntax == Syntax::Cpp)
}

/// What stands before a bracket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::scan::language) struct Path<'t> {
    /// The words, the outermost first.
    pub(in crate::scan::language) words: Vec<&'t str>,
    /// The token that it begins with.
    pub(in crate::scan::language) first: usize,
    /// Whether it is a method of what stands before it.
    pub(in crate::scan::language) is_method: bool,
    /// Whether it is a macro of Rust's.
    pub(in crate::scan::language) is_macro: bool,
    /// The variable that is declared, where the words are its type: `Device d(1)`.
    pub(in crate::scan::language) declares: Option<usize>,
}

impl<'t> Path<'t> {
    /// The path before the bracket at a place; in C++ the type, where a variable is declared.
    pub(in crate::scan::language) fn before(
        tokens: &Tokens<'t>,
        open: usize,
        syntax: Syntax,
    ) -> Option<Self> {
        let last = open.checked_sub(1)?;
        let path = Self::ending(tokens, last, syntax)?;
        if syntax != Syntax::Cpp || path.is_method || path.words.len() != 1 {
            return Some(path);
        }
        // `Type name(…)`: the type is what counts.
        let Some(before) = path.first.checked_sub(1) else {
            return Some(path);
        };
        let is_type = match tokens.kind(before) {
            Some(Kind::Word) => !is_keyword(tokens.written(before), syntax),
            Some(Kind::Sign(b'>')) => !tokens.is_sign(before.wrapping_sub(1), b'-'),
            _ => false,
        };
        if !is_type {
            return Some(path);
        }
        Some(Self {
            declares: Some(last),
            ..Self::ending(tokens, before, syntax).unwrap_or(path)
        })
    }

    fn ending(tokens: &Tokens<'t>, last: usize, syntax: Syntax) -> Option<Self> {
        let mut at = last;
        let is_macro = syntax == Syntax::Rust && tokens.is_sign(at, b'!');
        if is_macro {
            at = at.checked_sub(1)?;
        }
        at = before_generics(tokens, at)?;
        let mut words = vec![tokens.word(at)?];
        if words.iter().any(|word| is_keyword(word, syntax)) {
            return None;
        }
        while let Some(colons) = at.checked_sub(2)
            && tokens.are_signs(colons, [b':', b':'])
            && words.len() < MOST_WORDS
        {
            let Some(before) = colons
                .checked_sub(1)
                .and_then(|at| before_generics(tokens, at))
            else {
                break;
            };
            let Some(word) = tokens.word(before).filter(|word| !is_keyword(word, syntax)) else {
                break;
            };
            words.push(word);
            at = before;
        }
        words.reverse();
        let behind_dot = at
            .checked_sub(1)
            .is_some_and(|dot| tokens.is_sign(dot, b'.'));
        let behind_arrow = at
            .checked_sub(2)
            .is_some_and(|arrow| tokens.are_signs(arrow, [b'-', b'>']));
        Some(Self {
            words,
            first: at,
            is_method: behind_dot || (behind_arrow && syntax == Syntax::Cpp),
            is_macro,
            declares: None,
        })
    }

    /// The last word.
    pub(in crate::scan::language) fn name(&self) -> &'t str {
        self.words.last().copied().unwrap_or_default()
    }
}

/// The token before generic arguments that end at a place, and before the `::` of a turbofish.
fn before_generics(tokens: &Tokens<'_>, at: usize) -> Option<usize> {
    if !tokens.is_sign(at, b'>')
        || at
            .checked_sub(1)
            .is_some_and(|dash| tokens.is_sign(dash, b'-'))
    {
        return Some(at);
    }
    let mut open = 0_usize;
    let mut back = at;
    for _ in 0..LONGEST_GENERICS {
        match tokens.kind(back)? {
            Kind::Sign(b'>') => open += 1,
            Kind::Sign(b'<') => open = open.checked_sub(1)?,
            Kind::Sign(b';') | Kind::Open(_) | Kind::Close(b'}') => return None,
            _ => {}
        }
        back = back.checked_sub(1)?;
        if open == 0 {
            let turbofish = back
                .checked_sub(1)
                .is_some_and(|colons| tokens.are_signs(colons, [b':', b':']));
            return if turbofish {
                back.checked_sub(2)
            } else {
                Some(back)
            };
        }
    }
    None
}
