//! Here-documents: lines that are somebody's input.

use super::{Reader, Redirected};
use crate::text::Span;

impl Reader<'_> {
    /// `<<EOF`: the lines up to one that is `EOF` are somebody's input, no commands.
    pub(super) fn here_document(&mut self) -> bool {
        let text = self.text;
        let Some((at, '<')) = self.characters.peek().copied() else {
            return false;
        };
        let marked = &text[at + 1..];
        // `<<<` is followed by the input itself.
        if marked.starts_with('<') {
            self.skip_to(at + 2);
            self.redirection(at - 1, Redirected::Text);
            return true;
        }
        let blank = marked.len() - marked.trim_start_matches(['-', ' ', '\t']).len();
        let from = &marked[blank..];
        let length = from.find(|c| " \t\n;|&><)".contains(c));
        let mark = &from[..length.unwrap_or(from.len())];
        self.skip_to(at + 1 + blank + mark.len());
        let number = self.documents.len();
        self.documents.push(None);
        self.frame.document = Some(number);
        self.pending
            .push((number, mark.trim_matches(['"', '\'', '\\', '\r'])));
        true
    }

    /// Behind the line that announces them, the here-documents, one after the other.
    pub(super) fn skip_documents(&mut self, mut start: usize) {
        for (number, mark) in std::mem::take(&mut self.pending) {
            let rest = self.text.get(start..).unwrap_or_default();
            let mut end = start;
            let mut behind = self.text.len();
            for line in rest.split_inclusive('\n') {
                if line.trim() == mark {
                    behind = end + line.len();
                    break;
                }
                end += line.len();
            }
            if behind == self.text.len() && end == behind && !rest.is_empty() {
                self.unclosed.get_or_insert(start);
            }
            if let Some(document) = self.documents.get_mut(number) {
                *document = Some(Span::new(start, end));
            }
            start = behind;
            self.skip_to(behind);
        }
    }
}
