//! Names that a file brings in: `use`, `using`, `using namespace`.

use foldhash::HashMap;

use super::path::Path;
use super::reader::Syntax;
use super::tokens::Tokens;

/// So many paths are remembered as brought in.
const MOST_IMPORTS: usize = 4096;

/// Names that a file brings in.
#[derive(Debug, Default)]
pub(super) struct Imports<'t> {
    /// The full path of each.
    paths: HashMap<&'t str, Vec<&'t str>>,
    /// Name spaces all of whose names are brought in.
    spaces: Vec<Vec<&'t str>>,
}

impl<'t> Imports<'t> {
    /// `use a::{b, c as d};`, `using namespace a;`, `using a::b;`.
    pub(super) fn of(tokens: &Tokens<'t>, syntax: Syntax) -> Self {
        let mut imports = Self::default();
        for at in 0..tokens.len() {
            match (syntax, tokens.word(at)) {
                (Syntax::Rust, Some("use")) => {
                    let mut path: Vec<&'t str> = Vec::new();
                    imports.tree(tokens, at + 1, &mut path);
                }
                (Syntax::Cpp, Some("using")) => {
                    let is_space = tokens.word(at + 1) == Some("namespace");
                    let (path, end) = words_of_path(tokens, at + 1 + usize::from(is_space));
                    if !tokens.is_sign(end, b';') {
                        continue;
                    }
                    match path.last() {
                        Some(_) if is_space && imports.spaces.len() < MOST_IMPORTS => {
                            imports.spaces.push(path);
                        }
                        Some(last) if !is_space && imports.paths.len() < MOST_IMPORTS => {
                            imports.paths.insert(last, path);
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        imports.spaces.sort_unstable();
        imports.spaces.dedup();
        imports.spaces.truncate(64);
        imports
    }

    /// One `use`, whose braces are not followed further than one level.
    fn tree(&mut self, tokens: &Tokens<'t>, at: usize, path: &mut Vec<&'t str>) {
        let (mut words, end) = words_of_path(tokens, at);
        path.append(&mut words);
        if tokens.is_open(end, b'{') && path.len() < 8 {
            for (first, last) in tokens.pieces(end) {
                let (inner, behind) = words_of_path(tokens, first);
                let whole: Vec<&'t str> = path.iter().chain(&inner).copied().collect();
                self.bring_in(tokens, whole, (behind, last));
            }
        } else {
            let whole = std::mem::take(path);
            self.bring_in(tokens, whole, (end, tokens.len()));
        }
    }

    fn bring_in(&mut self, tokens: &Tokens<'t>, path: Vec<&'t str>, (at, end): (usize, usize)) {
        let renamed = (tokens.word(at) == Some("as") && at < end)
            .then(|| tokens.word(at + 1))
            .flatten();
        let name = renamed.or_else(|| path.last().copied());
        if let Some(name) = name.filter(|_| self.paths.len() < MOST_IMPORTS) {
            self.paths.insert(name, path);
        }
    }

    /// The full path of a name that was brought in.
    pub(super) fn named(&self, name: &str) -> Option<&Vec<&'t str>> {
        self.paths.get(name)
    }

    /// What a path may be in full.
    pub(super) fn full(&self, path: &Path<'t>) -> Vec<Vec<&'t str>> {
        let brought_in = path.words.first().and_then(|first| self.paths.get(first));
        let brought_in = brought_in.map(|full| {
            let rest = path.words.iter().skip(1);
            full.iter().chain(rest).copied().collect()
        });
        let spaces = self
            .spaces
            .iter()
            .map(|space| space.iter().chain(&path.words).copied().collect());
        brought_in.into_iter().chain(spaces).collect()
    }
}

/// The words of a path that begins at a token, and the token behind it.
fn words_of_path<'t>(tokens: &Tokens<'t>, at: usize) -> (Vec<&'t str>, usize) {
    let mut at = at;
    let mut words = Vec::new();
    while let Some(word) = tokens.word(at).filter(|_| words.len() < 8) {
        words.push(word);
        at += 1;
        if !tokens.are_signs(at, [b':', b':']) {
            break;
        }
        at += 2;
    }
    (words, at)
}
