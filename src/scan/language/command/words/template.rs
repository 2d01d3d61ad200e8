//! Templates in a command: however many blanks and quotes they have, each is one thing, and what
//! it becomes is decided before the shell reads the line.

use super::{HOLE, Reader};
use crate::scan::language::placeholder;

impl Reader<'_> {
    /// One that begins outside of quotes.
    pub(super) fn template(&mut self, at: usize) -> bool {
        let rest = self.text.get(at..).unwrap_or_default();
        // Between words, a branch of a template is no word itself.
        if self.frame.word.is_none()
            && let Some(length) = placeholder::statement(rest)
        {
            self.skip_to(at + length);
            return true;
        }
        let found = placeholder::template(rest)
            .or_else(|| placeholder::named_field(rest))
            .or_else(|| {
                let word = self.frame.word.as_ref()?;
                let is_value = word.plain && word.text.ends_with('=');
                is_value.then(|| placeholder::gap(rest)).flatten()
            });
        let Some(length) = found else {
            return false;
        };
        self.hole(at);
        self.skip_to(at + length);
        true
    }

    /// One that begins in double quotes, whose own quotes end nothing: it stays as it is written.
    pub(super) fn quoted_template(&mut self, at: usize) -> bool {
        let rest = self.text.get(at..).unwrap_or_default();
        let Some(written) = placeholder::template(rest).and_then(|length| rest.get(..length))
        else {
            return false;
        };
        let word = self.word(at);
        word.hide();
        word.text.push_str(written);
        self.skip_to(at + written.len());
        true
    }

    /// `$[[ inputs.gpu ]]` of GitLab, `$[ variables.gpu ]` of Azure.
    pub(super) fn bracketed(&mut self, at: usize) -> bool {
        let rest = self.text.get(at..).unwrap_or_default();
        let Some(length) = placeholder::expression(rest) else {
            return false;
        };
        self.hole(at);
        self.skip_to(at + length);
        true
    }

    fn hole(&mut self, at: usize) {
        let word = self.word(at);
        word.hide();
        word.plain = false;
        word.quoted = None;
        word.text.push(HOLE);
    }
}
