//! Names that hold one literal wherever they are seen: constants, and variables that are given a
//! value once.

use foldhash::{HashMap, HashMapExt};

use super::assignment::{Target, is_assignment};
use super::reader::Syntax;
use super::tokens::{Kind, Tokens};

/// So many blocks outwards a name is looked for.
const OUTWARD: usize = 64;
/// So many tokens back a block's kind is looked for.
const HEAD: usize = 48;
/// Stands for the file itself among blocks.
const FILE: usize = usize::MAX;

/// The names of a file, by the block that declares them.
#[derive(Debug)]
pub(super) struct Constants<'t> {
    names: HashMap<(usize, &'t str), Held>,
    /// What is written once in the whole file, for names behind a `::`.
    fixed: HashMap<&'t str, Option<Held>>,
    /// The last type that a name is declared with.
    types: HashMap<&'t str, &'t str>,
}

/// What a name holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// The tokens from one to another.
    These(usize, usize),
    /// Something else, or different things.
    Unknown,
}

impl<'t> Constants<'t> {
    /// Looks through the file once.
    pub(super) fn new(tokens: &Tokens<'t>, syntax: Syntax) -> Self {
        let mut constants = Self {
            names: HashMap::new(),
            fixed: HashMap::new(),
            types: HashMap::new(),
        };
        let mut writes: Vec<(usize, &'t str)> = Vec::new();
        for at in 0..tokens.len() {
            match tokens.kind(at) {
                Some(Kind::Sign(b'=')) if is_assignment(tokens, at) => {
                    constants.given(tokens, at, syntax, &mut writes);
                }
                Some(Kind::Open(b'{')) => constants.block(tokens, at, syntax),
                Some(Kind::Open(b'#')) => constants.macro_of(tokens, at),
                // `x += 1`, `&x`, `x++`, `>> x`: another value.
                Some(Kind::Word) if is_changed(tokens, at) => {
                    writes.push((block_of(tokens, at), tokens.written(at)));
                }
                Some(Kind::Word) => constants.type_of(tokens, at, syntax),
                _ => {}
            }
        }
        for (block, name) in writes {
            if let Some(key) = constants.declared(tokens, block, name) {
                constants.names.insert(key, Held::Unknown);
            }
        }
        constants
    }

    /// What a name holds at a place.
    pub(super) fn held(&self, tokens: &Tokens<'t>, at: usize, name: &'t str) -> Option<Held> {
        let key = self.declared(tokens, block_of(tokens, at), name)?;
        self.names.get(&key).copied()
    }

    /// What a name behind a `::` holds.
    pub(super) fn fixed(&self, name: &str) -> Option<Held> {
        *self.fixed.get(name)?
    }

    /// The type that a variable is declared with.
    pub(super) fn type_named(&self, name: &str) -> Option<&'t str> {
        self.types.get(name).copied()
    }

    fn declared(
        &self,
        tokens: &Tokens<'t>,
        block: usize,
        name: &'t str,
    ) -> Option<(usize, &'t str)> {
        let mut block = block;
        for _ in 0..OUTWARD {
            if self.names.contains_key(&(block, name)) {
                return Some((block, name));
            }
            if block == FILE {
                return None;
            }
            block = tokens
                .around(block)
                .map_or(FILE, |around| block_at(tokens, around));
        }
        None
    }

    fn declare(&mut self, block: usize, name: &'t str, held: Held) {
        self.names
            .entry((block, name))
            .and_modify(|known| *known = Held::Unknown)
            .or_insert(held);
    }

    /// `int x = 1`, `let x = 1`, `const X: usize = 1`, or `x = 1` alone.
    fn given(
        &mut self,
        tokens: &Tokens<'t>,
        equals: usize,
        syntax: Syntax,
        writes: &mut Vec<(usize, &'t str)>,
    ) {
        let Some(target) = Target::before(tokens, equals, syntax) else {
            return;
        };
        let name = tokens.written(target.name);
        let mut block = block_of(tokens, equals);
        if !target.declares {
            writes.push((block, name));
            return;
        }
        let held = match value_behind(tokens, equals) {
            Some(end) if target.keeps || !is_type_body(tokens, block) => {
                Held::These(equals + 1, end)
            }
            _ => Held::Unknown,
        };
        if is_enumeration(tokens, block) {
            block = tokens
                .around(block)
                .map_or(FILE, |around| block_at(tokens, around));
        }
        if target.keeps {
            self.fixed
                .entry(name)
                .and_modify(|known| *known = None)
                .or_insert(Some(held));
        }
        // A default of a parameter may be another value.
        let in_parentheses = tokens
            .around(equals)
            .is_some_and(|around| tokens.is_open(around, b'('));
        if !in_parentheses {
            self.declare(block, name, held);
        }
    }

    /// `#define NAME 1`, also in parentheses.
    fn macro_of(&mut self, tokens: &Tokens<'t>, open: usize) {
        let Some(name) = tokens.word(open + 1) else {
            return;
        };
        let (mut first, mut end) = (open + 2, tokens.close_of(open));
        if tokens.is_open(first, b'(') && tokens.close_of(first) + 1 == end {
            (first, end) = (first + 1, end - 1);
        }
        let held = if end == first + 1 {
            Held::These(first, end)
        } else {
            Held::Unknown
        };
        self.declare(FILE, name, held);
    }

    /// The names that are bound around a block: parameters, what a `for` counts, patterns.
    fn block(&mut self, tokens: &Tokens<'t>, open: usize, syntax: Syntax) {
        match syntax {
            Syntax::Cpp => {
                let Some(parameters) = parameters_before(tokens, open) else {
                    return;
                };
                for (first, end) in tokens.pieces(parameters) {
                    let near = end.min(first + HEAD);
                    let equals = (first..near).find(|at| tokens.is_sign(*at, b'='));
                    let last = equals.unwrap_or(end).checked_sub(1);
                    if let Some(name) = last.and_then(|at| tokens.word(at)) {
                        self.declare(open, name, Held::Unknown);
                    }
                }
            }
            Syntax::Rust => {
                let from = open.saturating_sub(HEAD);
                let head = (from..open).rev().take_while(|at| {
                    !matches!(
                        tokens.kind(*at),
                        Some(Kind::Sign(b';') | Kind::Open(b'{') | Kind::Close(b'}'))
                    )
                });
                let names: Vec<&'t str> = head.filter_map(|at| tokens.word(at)).collect();
                let binds = |word: &&str| ["fn", "for", "let"].contains(word);
                if names.iter().any(binds) {
                    for name in names.into_iter().filter(|name| !is_constant_name(name)) {
                        self.declare(open, name, Held::Unknown);
                    }
                }
            }
        }
    }

    /// `Type name` before something that ends a declaration.
    fn type_of(&mut self, tokens: &Tokens<'t>, at: usize, syntax: Syntax) {
        let behind = at + 1;
        let name = match syntax {
            Syntax::Cpp => {
                let skip =
                    usize::from(tokens.is_sign(behind, b'*') || tokens.is_sign(behind, b'&'));
                behind + skip
            }
            Syntax::Rust => return,
        };
        let ends = matches!(
            tokens.kind(name + 1),
            Some(Kind::Sign(b';' | b'=' | b',') | Kind::Open(_) | Kind::Close(b')'))
        );
        if let Some(word) = tokens.word(name).filter(|_| ends) {
            self.types.insert(word, tokens.written(at));
        }
    }
}

/// The end of a value of one token, or of a list in brackets; `None` for others.
fn value_behind(tokens: &Tokens<'_>, equals: usize) -> Option<usize> {
    let first = equals + 1;
    let mut end = match tokens.kind(first)? {
        Kind::Number => first + 1,
        Kind::Text { .. } => {
            (first..tokens.len()).find(|at| !matches!(tokens.kind(*at), Some(Kind::Text { .. })))?
        }
        Kind::Open(b'{' | b'[') => tokens.close_of(first) + 1,
        _ => return None,
    };
    if tokens.word(end) == Some("as") {
        end += 2;
    }
    let ends = matches!(
        tokens.kind(end),
        Some(Kind::Sign(b';' | b',') | Kind::Close(_))
    );
    ends.then_some(end)
}

/// Whether the name at a place is given another value in passing.
fn is_changed(tokens: &Tokens<'_>, at: usize) -> bool {
    let sign = |at: usize, sign: u8| tokens.is_sign(at, sign);
    let before = at.wrapping_sub(1);
    let changes_before = match tokens.kind(before) {
        // `f(&x)` and `f(&mut x)`, but not `a & x` and `int &x`.
        Some(Kind::Sign(b'&')) => matches!(
            tokens.kind(before.wrapping_sub(1)),
            Some(Kind::Open(_) | Kind::Sign(b',' | b'=' | b')') | Kind::Close(b')'))
        ),
        Some(Kind::Sign(b'>')) => tokens.are_signs(before.wrapping_sub(1), [b'>', b'>']),
        Some(Kind::Sign(b'+')) => tokens.are_signs(before.wrapping_sub(1), [b'+', b'+']),
        Some(Kind::Sign(b'-')) => tokens.are_signs(before.wrapping_sub(1), [b'-', b'-']),
        Some(Kind::Word) => tokens.written(before) == "mut",
        _ => false,
    };
    let behind = at + 1;
    let combined = matches!(
        tokens.kind(behind),
        Some(Kind::Sign(b'+' | b'-' | b'*' | b'/' | b'%' | b'|' | b'^'))
    ) && sign(behind + 1, b'=');
    changes_before
        || combined
        || tokens.are_signs(behind, [b'+', b'+'])
        || tokens.are_signs(behind, [b'-', b'-'])
}

/// The block around a token; parentheses are none.
pub(super) fn block_of(tokens: &Tokens<'_>, at: usize) -> usize {
    tokens
        .around(at)
        .map_or(FILE, |around| block_at(tokens, around))
}

fn block_at(tokens: &Tokens<'_>, bracket: usize) -> usize {
    let mut bracket = bracket;
    for _ in 0..OUTWARD {
        if tokens.is_open(bracket, b'{') {
            return bracket;
        }
        match tokens.around(bracket) {
            Some(around) => bracket = around,
            None => break,
        }
    }
    FILE
}

/// The parentheses of the function, or of the `for`, whose block begins at a place.
pub(super) fn parameters_before(tokens: &Tokens<'_>, block: usize) -> Option<usize> {
    let mut at = block.checked_sub(1)?;
    for _ in 0..8 {
        match tokens.kind(at)? {
            Kind::Close(b')') => {
                let open = tokens.open_of(at)?;
                let name = open.checked_sub(1).and_then(|at| tokens.word(at));
                return (!matches!(name, Some("if" | "while" | "switch" | "noexcept")))
                    .then_some(open);
            }
            // `const`, `noexcept`, `-> int`.
            Kind::Word | Kind::Sign(b'-' | b'>' | b':' | b'&' | b'*') => at = at.checked_sub(1)?,
            _ => return None,
        }
    }
    None
}

/// Whether a word that begins a type or enumeration stands before a block.
fn head_has(tokens: &Tokens<'_>, block: usize, words: &[&str]) -> bool {
    if block == FILE {
        return false;
    }
    for at in (block.saturating_sub(HEAD)..block).rev() {
        match tokens.kind(at) {
            Some(Kind::Word) if words.contains(&tokens.written(at)) => return true,
            Some(Kind::Sign(b';' | b'=') | Kind::Open(_) | Kind::Close(_)) => return false,
            _ => {}
        }
    }
    false
}

/// Whether a block is the body of an enumeration.
pub(super) fn is_enumeration(tokens: &Tokens<'_>, block: usize) -> bool {
    head_has(tokens, block, &["enum"])
}

fn is_type_body(tokens: &Tokens<'_>, block: usize) -> bool {
    head_has(tokens, block, &["class", "struct", "union"])
}

fn is_constant_name(name: &str) -> bool {
    !name.bytes().any(|byte| byte.is_ascii_lowercase())
}
