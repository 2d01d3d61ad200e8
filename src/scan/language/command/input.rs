//! What a program reads as its input, where that is a program itself: `python - <<EOF`,
//! `bash <<< '…'`, `cat <<EOF | python`.

use super::{Shell, Simple, Word, base_name, is_python, told};
use crate::text::Span;

/// A command's input, as far as the text has it.
#[derive(Clone, Debug)]
pub(in crate::scan::language) enum Input {
    /// The lines of a here-document.
    Lines(Span),
    /// A text that a word holds.
    Word(Word),
}

impl Simple {
    /// From the first word to the last, or to the end of the input.
    pub(super) fn with_input(&self) -> Span {
        let input = match &self.input {
            Some(Input::Lines(lines)) => *lines,
            Some(Input::Word(word)) => word.span,
            None => self.span,
        };
        Span::new(
            self.span.start.min(input.start),
            self.span.end.max(input.end),
        )
    }
}

impl Shell {
    /// The input of an interpreter is its program.
    pub(super) fn input(&mut self, text: &str, command: &Simple, deep: u8) {
        let word = match &command.input {
            Some(Input::Lines(lines)) => Word {
                text: text
                    .get(lines.start..lines.end)
                    .unwrap_or_default()
                    .to_owned(),
                span: *lines,
                quoted: Some(*lines),
                ..Word::default()
            },
            Some(Input::Word(word)) => word.clone(),
            None => return,
        };
        // `bash <<EOF`, `ssh host bash -s <<EOF`
        let is_shell = |word: &Word| told::SHELLS.contains(&base_name(&word.text));
        if let Some(at) = command.words.iter().position(is_shell) {
            let is_option = |word: &Word| word.text.starts_with('-') && !word.text.ends_with('c');
            if command.words[at + 1..].iter().all(is_option) {
                self.inner(&word, deep);
            }
            return;
        }
        let is_python = |word: &Word| is_python(base_name(&word.text));
        let Some(at) = command.words.iter().position(is_python) else {
            return;
        };
        let arguments = &command.words[at + 1..];
        let reads_input = arguments.first().is_none_or(|word| word.text == "-")
            || arguments.iter().all(|word| word.text.starts_with('-'));
        if reads_input {
            self.python(word.literal().unwrap_or(word.span), &word.text);
        }
    }
}
