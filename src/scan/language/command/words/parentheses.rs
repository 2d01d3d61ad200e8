//! Parentheses: subshells, functions, lists, arithmetic, and those that belong to a pattern.

use super::structure::Closed;
use super::word::Word;
use super::{Kind, Reader};
use crate::text::Span;

/// What may stand before `((…))` in its command.
const BEFORE_ARITHMETIC: &[&str] = &[
    "!", "do", "elif", "else", "for", "if", "then", "time", "until", "while", "{",
];

impl Reader<'_> {
    /// A subshell, a function's `()`, a list's `name=(`, or arithmetic.
    pub(super) fn parenthesis(&mut self, at: usize) {
        let is_list = |word: &Word| word.plain && word.text.ends_with('=');
        if self.frame.word.as_ref().is_some_and(is_list) {
            self.open_frame(Kind::Array, at);
        } else if self.frame.kind == Kind::Array {
            // A pattern's.
            let word = self.word(at);
            word.hide();
            word.text.push('(');
            self.frame.structure.opening(at, true);
        } else if self.next_is('(') && self.only_keywords() {
            self.end_word(at);
            let start = at + 2;
            let end = self.skip_parentheses(at);
            self.arithmetic(Span::new(start.min(end), end));
        } else if self.frame.word.is_some() && self.next_is(')') {
            // A definition: its name is no program.
            self.characters.next();
            self.end_word(at);
            let name = self.frame.words.pop();
            self.frame.words.retain(|word| word.text != "function");
            self.end_command(at);
            self.frame.words.extend([Word::bare("function", at)]);
            self.frame.words.extend(name);
            self.end_command(at);
        } else {
            let behind_word = self.frame.word.is_some();
            self.end_word(at);
            self.end_command(at);
            self.frame.structure.opening(at, behind_word);
        }
    }

    /// Whether nothing stands before this place in its command but keywords.
    fn only_keywords(&self) -> bool {
        let is_keyword = |word: &Word| word.plain && BEFORE_ARITHMETIC.contains(&&*word.text);
        let words = self.frame.words.iter().chain(&self.frame.word);
        words.into_iter().all(is_keyword)
    }

    /// What is counted in `((…))`: the names in it have no value that is known.
    fn arithmetic(&mut self, span: Span) {
        let text = self.text.get(span.start..span.end).unwrap_or_default();
        self.frame.words.push(Word::bare("let", span.start));
        let mut counted = Word::bare(text, span.start);
        counted.hide();
        self.frame.words.push(counted);
        self.end_command(span.end);
    }

    pub(super) fn closing(&mut self, at: usize) {
        self.end_word(at);
        if self.frame.kind == Kind::Array {
            if self.frame.structure.closing().0 == Closed::Around {
                self.close_frame(at);
            }
            return;
        }
        self.end_command(at);
        let subshell = self.frame.structure.subshell();
        let (closed, misplaced) = self.frame.structure.closing();
        if let Some(start) = subshell.filter(|_| self.frame.structure.subshell() != subshell) {
            self.subshells.push(Span::new(start, at.max(start)));
        }
        self.misplaced = self.misplaced.or(misplaced);
        if closed == Closed::Around && self.frame.kind == Kind::Substitution {
            self.close_frame(at);
        }
    }

    /// Whether a place is in the midst of a pattern: `[[ a =~ (#|$) ]]`.
    pub(super) fn in_pattern(&self, at: usize) -> bool {
        let before = self.text.get(..at).unwrap_or_default();
        self.frame.structure.in_test() && !before.ends_with(char::is_whitespace)
    }

    /// Behind the `(` at a place, up to the `)` that closes it; where that is.
    pub(super) fn skip_parentheses(&mut self, open_at: usize) -> usize {
        let mut open = 1;
        for (at, c) in self.characters.by_ref() {
            match c {
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            if open == 0 {
                return at;
            }
        }
        self.unclosed = self.unclosed.or(Some(open_at));
        self.text.len()
    }
}
