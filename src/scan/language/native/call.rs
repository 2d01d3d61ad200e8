//! Calls of the catalogue, and texts and pairs that name a card by themselves.

use super::owner::words;
use super::path::Path;
use super::reader::{Reader, Said, Syntax};
use super::tokens::Kind;
use crate::scan::catalogue::{self, DeviceText, Form, NativeCall};
use crate::scan::fact::{Detail, FactKind, Value};
use crate::text::Span;

/// Words for CUDA's kind of device, before an index: `{torch::kCUDA, 1}`.
const KINDS: &[&str] = &["kCUDA"];
/// The same as last part of a path only.
const KINDS_IN_PATHS: &[&str] = &["CUDA", "Cuda"];

/// Words of names that tell, look up or compare what they are given.
const TELLERS: &[&str] = &[
    "argument",
    "assert",
    "check",
    "compare",
    "contains",
    "count",
    "debug",
    "describe",
    "doc",
    "dprintf",
    "eprint",
    "eprintln",
    "eq",
    "equal",
    "equals",
    "error",
    "expect",
    "fail",
    "fatal",
    "find",
    "format",
    "fprintf",
    "fputs",
    "get",
    "has",
    "help",
    "info",
    "log",
    "logger",
    "matches",
    "message",
    "panic",
    "perror",
    "print",
    "printf",
    "println",
    "puts",
    "snprintf",
    "sprintf",
    "strcasecmp",
    "strcmp",
    "stricmp",
    "strncasecmp",
    "strncmp",
    "strstr",
    "syslog",
    "throw",
    "trace",
    "vprintf",
    "warn",
    "warning",
    "with",
    "write",
];

/// So many lists around a value are looked through.
const MOST_LISTS: usize = 4;
/// So far back the expression is looked through that a method belongs to.
const CHAIN: usize = 96;

impl<'t> Reader<'t> {
    /// The facts of what is called before a bracket.
    pub(super) fn call(&mut self, path: &Path<'t>, open: usize) {
        let Some(row) = self.row(path) else {
            return;
        };
        if self.is_pattern(path, open) || !self.has_beside(row, path, open) {
            return;
        }
        let pieces = self.tokens.pieces(open);
        let before = self.facts.len();
        for (place, form) in row.arguments {
            let Some((first, end)) = pieces.get(*place).copied() else {
                continue;
            };
            self.argument(row.label, *form, (path.first, first, end));
        }
        if !row.can_change {
            for fact in self.facts.iter_mut().skip(before) {
                fact.value = None;
            }
        }
    }

    fn argument(
        &mut self,
        label: &'static str,
        form: Form,
        (at, first, end): (usize, usize, usize),
    ) {
        let judged = end == first + 1
            && self
                .tokens
                .word(first)
                .is_some_and(|name| self.judged.contains(name));
        if judged {
            return;
        }
        if let Some(elements) = self.elements(first, end) {
            for (first, end) in elements {
                self.element(label, form, (at, first, end));
            }
            return;
        }
        self.element(label, form, (at, first, end));
    }

    fn element(
        &mut self,
        label: &'static str,
        form: Form,
        (at, first, end): (usize, usize, usize),
    ) {
        let (device, literal) = match self.said(first, end) {
            Said::Number(number, literal) => (form.read_number(i64::from(number)), literal),
            Said::Text(content, is_here) => {
                // A text of a card is found wherever it stands.
                if is_here && form == Form::Text {
                    return;
                }
                (
                    form.read(content.text()),
                    content.verbatim.filter(|_| is_here),
                )
            }
            Said::Dynamic => (DeviceText::Open, None),
        };
        let span = self.tokens.span(first, end - 1);
        match device {
            DeviceText::Indices(indices) => {
                for index in indices {
                    self.selects(at, span, (literal, label), Value::Known(index));
                }
            }
            DeviceText::Open => {
                self.fact(at, span, (None, label), FactKind::UsesGpu);
                if self.detail == Detail::Dynamic && !self.is_declaration(first, end) {
                    self.selects(at, span, (None, label), Value::Dynamic);
                }
            }
            DeviceText::Cuda | DeviceText::All | DeviceText::Count(_) | DeviceText::Other => {}
        }
    }

    pub(super) fn selects(
        &mut self,
        at: usize,
        span: Span,
        place: (Option<Span>, &'static str),
        index: Value<u32>,
    ) {
        self.fact(at, span, place, FactKind::SelectIndex { index });
    }

    /// `int device`: the argument of a declaration.
    fn is_declaration(&self, first: usize, end: usize) -> bool {
        let name = self.tokens.word(end - 1).is_some();
        name && (end >= first + 2)
            && matches!(
                self.tokens.kind(end - 2),
                Some(Kind::Word | Kind::Sign(b'*' | b'&'))
            )
    }

    /// Whether what stands here is matched against, not made: `Device::Cuda(1) =>`.
    fn is_pattern(&self, path: &Path<'_>, open: usize) -> bool {
        if self.syntax != Syntax::Rust {
            return false;
        }
        let behind = self.tokens.close_of(open) + 1;
        let matched = self.tokens.is_sign(behind, b'|')
            || self.tokens.are_signs(behind, [b'=', b'>'])
            || (self.tokens.is_sign(behind, b'=') && !self.tokens.is_sign(behind + 1, b'='))
            || self.tokens.word(behind) == Some("if");
        let compared = self.is_compared(path.first, behind);
        // `matches!(device, Device::Cuda(1))`, `assert_eq!(Device::Cuda(1).to_string(), "cuda:1")`
        let around = |open: &usize| self.tokens.around(*open);
        let asked = matches!(path.name(), "Cuda" | "CUDA")
            && std::iter::successors(around(&open), around)
                .take(MOST_LISTS)
                // Through the lists that it is an element of.
                .find_map(|around| Path::before(&self.tokens, around, self.syntax))
                .is_some_and(|path| {
                    path.is_macro && (path.name() == "matches" || tells(path.name()))
                });
        matched || compared || asked
    }

    /// Whether what begins at a token and ends before another stands beside a comparison.
    fn is_compared(&self, first: usize, behind: usize) -> bool {
        let equals = |at: usize| {
            self.tokens.are_signs(at, [b'=', b'=']) || self.tokens.are_signs(at, [b'!', b'='])
        };
        first.checked_sub(2).is_some_and(equals) || equals(behind)
    }

    /// Whether one of the words that a row asks for stands in the expression before the method, or
    /// among the arguments.
    fn has_beside(&self, row: &NativeCall, path: &Path<'_>, open: usize) -> bool {
        if row.beside.is_empty() {
            return true;
        }
        let end = self.tokens.close_of(open).min(open + CHAIN);
        let start = self
            .tokens
            .statement_start(path.first)
            .max(path.first.saturating_sub(CHAIN));
        let among = (start..path.first).chain(open..end);
        among.into_iter().any(|at| {
            let written = self.tokens.written(at);
            row.beside.contains(&written)
        })
    }

    /// `{torch::kCUDA, 1}` and `(AllocationDevice::CUDA, 1)`.
    pub(super) fn pair(&mut self, open: usize) {
        let Some(word) = self.tokens.word(open + 1) else {
            return;
        };
        // The first piece is short, so most brackets are passed over at once.
        let comma = (open + 2..open + 10).find(|at| self.tokens.is_sign(*at, b','));
        let Some(comma) = comma else {
            return;
        };
        let Some(kind) = self.tokens.word(comma - 1) else {
            return;
        };
        let is_path = comma > open + 2;
        let is_kind = KINDS.contains(&kind) || (is_path && KINDS_IN_PATHS.contains(&kind));
        if !is_kind
            || (is_path && !self.tokens.are_signs(open + 2, [b':', b':']))
            || word.is_empty()
        {
            return;
        }
        let close = self.tokens.close_of(open);
        let end = (comma + 1..close)
            .find(|at| self.tokens.is_sign(*at, b','))
            .unwrap_or(close);
        if end > comma + 1 {
            let label = if self.syntax == Syntax::Cpp {
                "torch::Device"
            } else {
                "CUDA"
            };
            self.argument(label, Form::Index, (open, comma + 1, end));
        }
    }

    /// A text that names a card.
    pub(super) fn text(&mut self, at: usize) {
        let Said::Text(content, _) = self.said(at, at + 1) else {
            return;
        };
        let DeviceText::Indices(indices) = catalogue::card_text(content.text()) else {
            return;
        };
        if self.is_told(at) {
            return;
        }
        let span = content.span;
        for index in indices {
            self.selects(at, span, (content.verbatim, "cuda:"), Value::Known(index));
        }
    }

    /// Whether a text is said to people, compared, or looked up.
    fn is_told(&self, at: usize) -> bool {
        let (before, behind) = (at.wrapping_sub(1), at + 1);
        let is_text = |at: usize| matches!(self.tokens.kind(at), Some(Kind::Text { .. }));
        let streamed = |at: usize| self.tokens.are_signs(at, [b'<', b'<']);
        // `x ? "cuda:1" : "cpu"` has no key.
        let is_key = (self.tokens.is_sign(behind, b':') && !self.tokens.is_sign(before, b'?'))
            || self.tokens.are_signs(behind, [b'=', b'>']);
        if self.is_compared(at, behind)
            || is_text(before)
            || is_text(behind)
            || streamed(before.wrapping_sub(1))
            || streamed(behind)
            || is_key
            || self.tokens.word(before) == Some("case")
            || self.tokens.is_sign(behind, b'|')
            || self.tokens.is_open(before, b'[')
        {
            return true;
        }
        if self.is_key_of_pair(at) || self.is_in_table(at) {
            return true;
        }
        let Some(around) = self.tokens.around(at) else {
            // A text by itself, or a global constant.
            return !self.tokens.is_sign(before, b'=');
        };
        if self.tokens.is_open(around, b'#') {
            return false;
        }
        if self.tokens.is_open(around, b'{') {
            let is_value = self.tokens.is_sign(before, b'=')
                || self.tokens.word(before) == Some("return")
                || self.tokens.is_sign(before, b',')
                || before == around
                || self.tokens.is_sign(before, b':');
            return !is_value || self.tokens.is_sign(behind, b';') && before == around;
        }
        Path::before(&self.tokens, around, self.syntax).is_some_and(|path| tells(path.name()))
    }
}

impl Reader<'_> {
    /// Whether a text is what something is looked up by: the first of a pair in a list,
    /// `{{"cuda:1", 1}}`.
    fn is_key_of_pair(&self, at: usize) -> bool {
        let open = at.wrapping_sub(1);
        self.tokens.is_open(open, b'{')
            && self.tokens.is_sign(at + 1, b',')
            && (self.tokens.is_open(open.wrapping_sub(1), b'{')
                || self.tokens.is_sign(open.wrapping_sub(1), b','))
    }

    /// Whether a text is one of a list of devices of several kinds, of which it selects none:
    /// `{"cpu", "cuda:0", "cuda:1"}`.
    fn is_in_table(&self, at: usize) -> bool {
        /// So many elements before and behind are looked at.
        const MOST: usize = 16;
        let is_list = self.tokens.around(at).is_some_and(|open| {
            [b'{', b'[']
                .iter()
                .any(|kind| self.tokens.is_open(open, *kind))
        });
        let is_kind = |at: usize| {
            let written = self.tokens.written(at).trim_matches('"');
            KINDS_OF_DEVICES.contains(&written)
        };
        let is_text = |at: usize| matches!(self.tokens.kind(at), Some(Kind::Text { .. }));
        let mut before = (1..=MOST)
            .map_while(|step| at.checked_sub(2 * step))
            .take_while(|at| is_text(*at) && self.tokens.is_sign(at + 1, b','));
        let mut behind = (1..=MOST)
            .map(|step| at + 2 * step)
            .take_while(|at| is_text(*at) && self.tokens.is_sign(at - 1, b','));
        is_list && (before.any(is_kind) || behind.any(is_kind))
    }
}

/// Kinds of devices, without a number.
const KINDS_OF_DEVICES: &[&str] = &[
    "auto", "cpu", "cuda", "gpu", "hip", "meta", "metal", "mps", "vulkan", "xpu",
];

/// Whether a name is made of a word that tells.
pub(super) fn tells(name: &str) -> bool {
    let words = words(name);
    words.iter().any(|word| TELLERS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_tell_are_known_by_their_words() {
        for name in ["LOG", "EXPECT_EQ", "printError", "assert_eq", "println"] {
            assert!(tells(name), "{name}");
        }
        for name in ["to", "Device", "loadModel", "blog"] {
            assert!(!tells(name), "{name}");
        }
    }
}
