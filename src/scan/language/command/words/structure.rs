//! What a shell's text opens and has to close: branches, loops, functions, subshells.
//!
//! Knows words, and nothing of quotes. It says only what is wrong for every shell that may read the
//! text: zsh has branches without `fi` and loops without `done`, which have no `then` and no `do`.

use super::word::Word;

/// So many blocks are looked at for the one that ends; no person opens more and forgets them.
const FARTHEST: usize = 64;

/// What is open in a text, or in a `$(…)`.
#[derive(Debug, Default)]
pub(super) struct Structure {
    open: Vec<Open>,
    /// How many of them are subshells.
    subshells: usize,
    /// Whether a `[[` is open: parentheses in it may belong to a pattern.
    in_test: bool,
    /// Brackets that are open in the pattern of a `case`.
    in_pattern: usize,
    /// Whether a `}` stood among arguments, where zsh closes a block with it.
    closes_anywhere: bool,
}

#[derive(Debug)]
struct Open {
    block: Block,
    at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    /// `if`, and whether its `then` was there.
    Branch {
        begun: bool,
    },
    /// `for`, `while`, `until` and `select`, and whether their `do` was there.
    Loop {
        begun: bool,
    },
    Case(Part),
    Brace,
    Subshell,
    /// What fish closes with `end`.
    End,
}

/// The part of a `case` that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Up to its `in`.
    Word,
    Pattern,
    Body,
}

/// What a `)` closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// Something in the text.
    Inside,
    /// What the text stands in, if it stands in anything.
    Around,
}

impl Structure {
    /// Takes a command's words; where something begins that should have ended before them.
    pub(super) fn command(&mut self, words: &[Word]) -> Option<usize> {
        let mut fault = None;
        let mut words = if self.in_test {
            words
        } else {
            self.of_case(words)
        };
        let mut has_condition = self.in_test;
        while let Some((first, behind)) = words.split_first() {
            if !first.plain || self.in_test {
                break;
            }
            words = behind;
            let word = first.text.as_str();
            has_condition |= matches!(word, "if" | "elif" | "while" | "until" | "for");
            match word {
                "!" | "always" | "elif" | "else" | "time" => {}
                "if" => self.push(Block::Branch { begun: false }, first),
                "then" => self.begin(Block::Branch { begun: true }),
                "while" | "until" => self.push(Block::Loop { begun: false }, first),
                "for" | "select" => {
                    self.push(Block::Loop { begun: false }, first);
                    // `for name do`
                    match words.get(1..) {
                        Some(behind) if starts(behind, "do") => words = behind,
                        _ => break,
                    }
                }
                "do" => self.begin(Block::Loop { begun: true }),
                "case" => {
                    self.push(Block::Case(Part::Word), first);
                    words = self.of_case(words.get(1..).unwrap_or_default());
                }
                // Its name; what follows may be its body.
                "function" => words = words.get(1..).unwrap_or_default(),
                "{" => self.push(Block::Brace, first),
                "}" => fault = fault.or(self.close(Block::Brace)),
                "fi" => fault = fault.or(self.close(Block::Branch { begun: true })),
                "done" => fault = fault.or(self.close(Block::Loop { begun: true })),
                "esac" => fault = fault.or(self.close(Block::Case(Part::Body))),
                "[[" => self.in_test = true,
                _ => break,
            }
        }
        self.closes_anywhere |= words.iter().any(|word| is(word, "}"));
        self.in_test &= !words.iter().any(|word| is(word, "]]"));
        // `if [[ … ]] {`, as zsh has it.
        if has_condition && let Some(last) = words.last().filter(|last| is(last, "{")) {
            self.push(Block::Brace, last);
        }
        fault
    }

    /// The same for fish, which has one word for every end.
    pub(super) fn command_of_fish(&mut self, mut words: &[Word]) -> Option<usize> {
        while let Some((first, behind)) = words.split_first() {
            if !first.plain {
                break;
            }
            words = behind;
            match first.text.as_str() {
                // `else if` goes on with the same branch.
                "else" if starts(words, "if") => words = words.get(1..).unwrap_or_default(),
                "!" | "and" | "else" | "not" | "or" | "time" => {}
                "begin" | "if" | "while" => self.push(Block::End, first),
                "for" | "function" | "switch" => {
                    self.push(Block::End, first);
                    break;
                }
                "end" => return self.close(Block::End),
                _ => break,
            }
        }
        None
    }

    /// What is left of a command's words behind the word of a `case` and its patterns.
    fn of_case<'w>(&mut self, words: &'w [Word]) -> &'w [Word] {
        let mut words = words;
        if self.part() == Some(Part::Word) {
            if !starts(words, "in") {
                // Some other shell's, or none at all.
                if !words.is_empty() {
                    self.open.pop();
                }
                return words;
            }
            self.set_part(Part::Pattern);
            self.in_pattern = 0;
            words = words.get(1..).unwrap_or_default();
        }
        if self.part() == Some(Part::Pattern) && !starts(words, "esac") {
            return &[];
        }
        words
    }

    fn part(&self) -> Option<Part> {
        match self.open.last()?.block {
            Block::Case(part) => Some(part),
            _ => None,
        }
    }

    fn set_part(&mut self, part: Part) {
        if let Some(open) = self.open.last_mut() {
            open.block = Block::Case(part);
        }
    }

    /// Whether a `[[` is open.
    pub(super) fn in_test(&self) -> bool {
        self.in_test
    }

    /// Between two arms of a `case`.
    pub(super) fn next_arm(&mut self) {
        if self.part() == Some(Part::Body) {
            self.set_part(Part::Pattern);
            self.in_pattern = 0;
        }
    }

    /// A `(` that is no list and no arithmetic, maybe directly behind a word.
    pub(super) fn opening(&mut self, at: usize, behind_word: bool) {
        if self.in_test {
            return;
        }
        if self.part() == Some(Part::Pattern) {
            self.in_pattern += usize::from(behind_word);
            return;
        }
        self.subshells += 1;
        self.open.push(Open {
            block: Block::Subshell,
            at,
        });
    }

    /// Where the innermost subshell begins.
    pub(super) fn subshell(&self) -> Option<usize> {
        let mut open = self.open.iter().rev().take(FARTHEST);
        let subshell = open.find(|open| open.block == Block::Subshell);
        Some(subshell?.at)
    }

    /// A `)`, and where something begins that should have ended before it.
    pub(super) fn closing(&mut self) -> (Closed, Option<usize>) {
        if self.in_test {
            return (Closed::Inside, None);
        }
        if self.part() == Some(Part::Pattern) {
            match self.in_pattern.checked_sub(1) {
                Some(left) => self.in_pattern = left,
                None => self.set_part(Part::Body),
            }
            return (Closed::Inside, None);
        }
        if self.subshells == 0 {
            return (Closed::Around, None);
        }
        let fault = self.close(Block::Subshell);
        (Closed::Inside, fault)
    }

    /// Where the first thing begins that has no end.
    pub(super) fn unclosed(&self) -> Option<usize> {
        let mut open = self.open.iter();
        Some(open.find(|open| self.must_end(open))?.at)
    }

    fn push(&mut self, block: Block, word: &Word) {
        self.open.push(Open {
            block,
            at: word.span.start,
        });
    }

    fn begin(&mut self, begun: Block) {
        if let Some(open) = self.open.last_mut()
            && std::mem::discriminant(&open.block) == std::mem::discriminant(&begun)
        {
            open.block = begun;
        }
    }

    /// Closes the innermost block of a kind with what is open in it. An end of nothing says nothing.
    fn close(&mut self, wanted: Block) -> Option<usize> {
        let is_it = |open: &Open| match (open.block, wanted) {
            (Block::Case(part), Block::Case(_)) => part != Part::Word,
            (block, wanted) => block == wanted,
        };
        let inside = self.open.iter().rev().take(FARTHEST).position(is_it)?;
        let at = self.open.len().checked_sub(inside + 1)?;
        let closed = self.open.split_off(at);
        let subshells = closed.iter().filter(|open| open.block == Block::Subshell);
        self.subshells -= subshells.count();
        let mut inner = closed.iter().skip(1);
        Some(inner.find(|open| self.must_end(open))?.at)
    }

    fn must_end(&self, open: &Open) -> bool {
        match open.block {
            Block::Branch { begun } | Block::Loop { begun } => begun,
            Block::Case(part) => part != Part::Word,
            Block::Brace => !self.closes_anywhere,
            Block::Subshell | Block::End => true,
        }
    }
}

fn is(word: &Word, text: &str) -> bool {
    word.plain && word.text == text
}

fn starts(words: &[Word], text: &str) -> bool {
    words.first().is_some_and(|word| is(word, text))
}

/// Whether a text is what a shell reads to its end: no template whose arms open the same block, no
/// script of a shell with a grammar of its own, and none that hands itself to another program.
pub(super) fn is_whole(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let is_foreign = first.starts_with("#!") && first.contains("csh");
    let hands_over = |line: &str| line.starts_with("exec ") && line.contains("$0");
    !is_foreign && !text.contains("{%") && !text.lines().any(hands_over)
}
