//! How deep code nests, by its tokens: walking a tree and freeing it take as much stack.

use ruff_python_ast::token::TokenKind;

/// Code inside one bracket, or the statement itself.
#[derive(Clone, Copy, Default)]
struct Level {
    /// How deep an element of it begins.
    base: usize,
    /// How deep the deepest element so far is.
    peak: usize,
}

/// No less than the deepest nesting of any expression and block among the tokens. What stands
/// beside each other, parted by commas, does not add up; all else does: `a.b.c` nests as deep as
/// it has dots, and what follows a closing bracket holds what is inside.
pub(super) fn deepest(tokens: impl Iterator<Item = TokenKind>) -> usize {
    let mut around: Vec<Level> = Vec::new();
    let mut level = Level::default();
    let (mut run, mut indent, mut most) = (0_usize, 0_usize, 0_usize);
    for token in tokens {
        match token {
            TokenKind::Newline => {
                around.clear();
                level = Level::default();
                run = 0;
            }
            TokenKind::Indent => indent += BLOCK,
            TokenKind::Dedent => indent = indent.saturating_sub(BLOCK),
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                around.push(level);
                level = Level {
                    base: run + 1,
                    peak: run + 1,
                };
                run += 1;
            }
            TokenKind::Rpar
            | TokenKind::Rsqb
            | TokenKind::Rbrace
            | TokenKind::FStringEnd
            | TokenKind::TStringEnd => {
                run = run.max(level.peak) + 1;
                level = around.pop().unwrap_or(level);
            }
            TokenKind::Comma => {
                level.peak = level.peak.max(run);
                run = level.base;
            }
            TokenKind::Lambda => {
                // Commas between its parameters part nothing.
                level.base += 1;
                run += 1;
            }
            TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline => {}
            _ => run += 1,
        }
        most = most.max(run + indent);
    }
    most
}

/// How many f-strings begin right where another one fills something in: `f"{f'…`. The parser's
/// time grows with the square of those that are left open.
pub(super) fn texts_in_texts(text: &str) -> usize {
    let begins_text = |behind: &str| {
        let behind = behind.trim_start_matches([' ', '(']);
        let prefix = behind.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let letters = &behind[..behind.len() - prefix.len()];
        letters.len() <= 2
            && letters.contains(['f', 'F', 't', 'T'])
            && prefix.starts_with(['"', '\''])
    };
    let holes = text.match_indices('{').filter(|(at, _)| {
        // Only the next few characters are looked at, so that blanks cost no more.
        let end = text.floor_char_boundary(at + 1 + 8);
        begins_text(&text[at + 1..end])
    });
    holes.count()
}

/// How many levels of an expression a block counts for.
const BLOCK: usize = 4;

#[cfg(test)]
mod tests {
    use super::{deepest, texts_in_texts};

    fn depth(code: &str) -> usize {
        let parsed =
            ruff_python_parser::parse_unchecked_source(code, ruff_python_ast::PySourceType::Python);
        deepest(
            parsed
                .tokens()
                .iter()
                .map(ruff_python_ast::token::Token::kind),
        )
    }

    #[test]
    fn texts_that_fill_in_texts_are_counted() {
        for (code, count) in [
            ("f'{f'{x}'}'", 1),
            ("f'{ rf\"{f'", 2),
            ("f'{x}' + f'{y}'", 0),
            ("d = {'f': 1, 'x': {}}", 0),
            ("f'{é", 0),
            ("f'{", 0),
        ] {
            assert_eq!(texts_in_texts(code), count, "{code}");
        }
    }

    #[test]
    fn what_nests_adds_up_and_what_stands_beside_does_not() {
        let row = "f(1, [2, 3]), ".repeat(1_000);
        assert!(depth(&format!("x = [{row}]\n")) < 12);
        assert!(depth(&"x = a.b(c)\n".repeat(1_000)) < 12);
        for deep in [
            "(".repeat(100) + &")".repeat(100),
            "-".repeat(100) + "1",
            "a".to_owned() + &".b".repeat(100),
            "a".to_owned() + &"()".repeat(100),
            "a, lambda a, b: ".repeat(100) + "1",
            // The attributes hold what is in the brackets.
            "(".repeat(10) + "a" + &(".b".repeat(10) + ")").repeat(10),
            // Brackets in texts close nothing.
            "f('))))', ".repeat(100),
        ] {
            assert!(depth(&deep) >= 100, "{deep}: {}", depth(&deep));
        }
        let blocks: String = (0..30).map(|at| " ".repeat(at) + "if x:\n").collect();
        assert!(depth(&blocks) >= 100);
    }
}
