//! Variables that a shell sets, and who sees them.

use std::collections::BTreeSet;

use super::{Dialect, Exports, LABEL, LONGEST_VALUE, MOST_LOCAL, Setting, Shell, Word, assignment};
use crate::scan::catalogue;
use crate::scan::fact::{FactKind, HowSet, Value, VariableWrite, Whose};
use crate::scan::language::placeholder::is_filled_in;
use crate::text::Span;

impl Shell {
    /// `export V=1`, `declare -x V=1`, `export V`; `set V=1` of Windows and `set -x V 1` of fish.
    pub(super) fn export(&mut self, words: &[Word]) {
        let Some((command, words)) = words.split_first() else {
            return;
        };
        let name = command.text.as_str();
        let options = || {
            words
                .iter()
                .filter(|word| word.text.starts_with(['-', '+']))
        };
        let has = |letter: char| {
            options().any(|word| !word.text.starts_with("--") && word.text.contains(letter))
        };
        if name == "set" {
            for option in options() {
                match option.text.as_str() {
                    "-a" => self.exports_all = true,
                    "+a" => self.exports_all = false,
                    _ => {}
                }
            }
            if words.iter().any(|word| word.text == "allexport") {
                self.exports_all = options().any(|word| word.text == "-o");
            }
        }
        if name == "set" && has('x') {
            if let [_, name, value] = words {
                let at = self.named(name, &name.text, value, Whose::Nobody);
                self.hand_on(at);
            }
            return;
        }
        let counts = match name {
            "export" => !has('n'),
            "set" | "SET" => true,
            _ => has('x'),
        };
        for word in words {
            if assignment(word).is_some() {
                if counts {
                    self.device(word);
                    let at = self.write(word, Whose::Nobody);
                    self.hand_on(at);
                } else {
                    self.assign(word);
                }
            } else if counts {
                self.export_name(&word.text);
            } else if name == "export" {
                // `export -n V`
                self.exported_names.remove(&word.text);
            }
        }
    }

    /// `set -gx V 1`, `set V 1`, `set -e V`
    pub(super) fn set_in_fish(&mut self, words: &[Word]) {
        let behind = words.get(1..).unwrap_or_default();
        let options = behind
            .iter()
            .take_while(|word| word.text.starts_with('-'))
            .count();
        let (options, rest) = behind.split_at(options);
        let has = |letter: char, long: &str| {
            options
                .iter()
                .any(|word| match word.text.strip_prefix("--") {
                    Some(name) => name == long,
                    None => word.text.contains(letter),
                })
        };
        let Some((name, values)) = rest.split_first() else {
            return;
        };
        if has('q', "query") {
            return;
        }
        if has('e', "erase") {
            self.unset(rest);
            return;
        }
        let value = match values {
            [only] => only.clone(),
            // A list is exported as one text, with blanks.
            [first, .., last] if values.iter().all(|value| value.plain && !value.dynamic) => Word {
                text: values
                    .iter()
                    .map(|value| value.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" "),
                span: Span::new(first.span.start, last.span.end),
                ..Word::default()
            },
            // What a command prints.
            _ => Word {
                span: Span::new(name.span.end, name.span.end),
                dynamic: true,
                ..Word::default()
            },
        };
        if has('x', "export") {
            self.named_device(name, &name.text, &value);
        }
        let at = self.named(name, &name.text, &value, Whose::Nobody);
        if has('x', "export") || self.exported_names.contains(&name.text) {
            self.hand_on(at);
        } else {
            self.local.extend(at);
        }
    }

    /// A variable of the environment, in another syntax. One that is kept reaches only programs
    /// that others start.
    pub(super) fn setting(&mut self, setting: &Setting, kept: bool) {
        let at = Word {
            span: setting.span,
            ..Word::default()
        };
        match &setting.value {
            None => {
                if setting.is_emptied {
                    self.given_before(setting);
                }
                self.removed(&at, &setting.name, Whose::Own);
            }
            Some(value) => {
                let expanded = self.variables.expand_word(value);
                self.named_device(&at, &setting.name, &expanded);
                let fact = self.named(&at, &setting.name, &expanded, Whose::Own);
                if kept && !self.exported_names.contains(&setting.name) {
                    self.kept.extend(fact);
                } else if fact.is_some() {
                    self.exported_names.insert(setting.name.clone());
                }
            }
        }
    }

    /// The value that whoever starts the script gave to a variable, which stays as it is up to here.
    fn given_before(&mut self, setting: &Setting) {
        if catalogue::is_of_interest(&setting.name) {
            let write = VariableWrite {
                name: setting.name.clone(),
                value: Value::Dynamic,
                how: HowSet::PutBack,
                whose: Whose::Own,
                one_of_several: false,
            };
            let before = Span::new(setting.span.start, setting.span.start);
            self.fact(before, None, LABEL, FactKind::SetVariable(write));
        }
    }

    /// A variable that is exported by its name alone, before or after it is set.
    fn export_name(&mut self, name: &str) {
        if !catalogue::is_of_interest(name) {
            return;
        }
        let (now, still): (Vec<usize>, Vec<usize>) = std::mem::take(&mut self.local)
            .into_iter()
            .partition(|at| self.name_of(*at).is_some_and(|own| own == name));
        self.local = still;
        self.exported_names.insert(name.to_owned());
        for at in now {
            self.hand_on(Some(at));
        }
    }

    /// What is exported: programs see it.
    fn hand_on(&mut self, at: Option<usize>) {
        let Some(at) = at else { return };
        if let Some(name) = self.name_of(at) {
            let name = name.clone();
            self.exported_names.insert(name);
        }
        match self.exports {
            Exports::Own => {
                self.set_whose(at, Whose::Own);
                self.unseen.push(at);
                self.unseen_by_cards.push(at);
            }
            Exports::Children => self.exported.push(at),
        }
    }

    /// `V=1` alone: no program sees it, unless the name is exported.
    pub(super) fn assign(&mut self, word: &Word) {
        let is_exported = assignment(word)
            .is_some_and(|(name, _)| self.exports_all || self.exported_names.contains(name));
        let at = self.write(word, Whose::Nobody);
        if is_exported {
            self.hand_on(at);
        } else {
            self.local.extend(at);
            if self.local.len() > MOST_LOCAL {
                self.local.remove(0);
            }
        }
    }

    /// `: ${V:=1}`
    pub(super) fn defaults(&mut self, words: &[Word]) {
        for word in words {
            for reference in &word.references {
                let Some((text, span)) = reference.default.as_ref().filter(|_| reference.assigns)
                else {
                    continue;
                };
                let value = Word {
                    text: text.clone(),
                    span: *span,
                    plain: true,
                    by_default: true,
                    ..Word::default()
                };
                let at = self.named(word, &reference.name, &value, Whose::Nobody);
                if self.exported_names.contains(&reference.name) {
                    self.hand_on(at);
                } else {
                    self.local.extend(at);
                }
            }
        }
    }

    pub(super) fn unset(&mut self, words: &[Word]) {
        let whose = match self.exports {
            Exports::Own => Whose::Own,
            Exports::Children => Whose::Nobody,
        };
        for word in words {
            self.exported_names.remove(&word.text);
            if whose == Whose::Own {
                self.removed(word, &word.text, whose);
            }
        }
    }

    /// A variable that a program does not get, or the shell no longer has.
    pub(super) fn removed(&mut self, at: &Word, name: &str, whose: Whose) {
        if catalogue::is_of_interest(name) {
            let write = VariableWrite {
                name: name.to_owned(),
                value: Value::Absent,
                how: HowSet::Removed,
                whose,
                one_of_several: false,
            };
            if whose == Whose::Own && self.has_run {
                self.tidied.push(self.found.facts.len());
            }
            self.fact(at.span, None, LABEL, FactKind::SetVariable(write));
        }
    }

    /// What a script exports, and hands to no program: the only ones behind it are started by
    /// `sudo` or `ssh`.
    pub(super) fn withhold(&mut self) {
        for at in std::mem::take(&mut self.withheld) {
            if self
                .name_of(at)
                .is_some_and(|name| !self.variables.is_read(name))
            {
                self.set_whose(at, Whose::Nobody);
            }
        }
    }

    /// A program on cards starts, and has what is exported up to here.
    pub(super) fn seen_by_cards(&mut self) {
        // When a function runs is another matter.
        if self.blocks.in_function() || self.dialect == Dialect::Fish {
            return;
        }
        for at in std::mem::take(&mut self.unseen_by_cards) {
            match self.name_of(at).map(String::as_str) {
                Some("CUDA_VISIBLE_DEVICES") => self.mask_was_seen = true,
                Some("CUDA_DEVICE_ORDER") => self.order_was_seen = true,
                _ => {}
            }
        }
    }

    /// An order that stands behind the last program on cards, which had a mask and no order.
    pub(super) fn set_too_late(&mut self) {
        if !self.mask_was_seen || self.order_was_seen {
            return;
        }
        for at in std::mem::take(&mut self.unseen_by_cards) {
            if self
                .name_of(at)
                .is_some_and(|name| name == "CUDA_DEVICE_ORDER")
            {
                self.set_whose(at, Whose::Nobody);
            }
        }
    }

    /// Variables of the script alone whose value it uses elsewhere are its own matter, and what it
    /// removes behind its last program is only tidied up.
    pub(super) fn forget_values(&mut self) {
        let mut gone: BTreeSet<usize> = std::mem::take(&mut self.local)
            .into_iter()
            .filter(|at| {
                self.name_of(*at)
                    .is_some_and(|name| self.variables.is_read(name))
            })
            .collect();
        gone.extend(std::mem::take(&mut self.tidied));
        let mut at = 0..;
        self.found
            .facts
            .retain(|_| at.next().is_none_or(|at| !gone.contains(&at)));
    }

    pub(super) fn name_of(&self, at: usize) -> Option<&String> {
        match &self.found.facts.get(at)?.kind {
            FactKind::SetVariable(write) => Some(&write.name),
            _ => None,
        }
    }

    pub(super) fn set_whose(&mut self, at: usize, whose: Whose) {
        if let Some(fact) = self.found.facts.get_mut(at)
            && let FactKind::SetVariable(write) = &mut fact.kind
        {
            write.whose = whose;
        }
    }

    /// `DEVICE=cuda:1`, where a program gets it.
    pub(super) fn device(&mut self, word: &Word) {
        if let Some((name, value)) = value_of(word) {
            self.named_device(word, name, &value);
        }
    }

    /// The card that a variable names which is no library's. Where the text hands it on itself, it is
    /// judged there.
    fn named_device(&mut self, at: &Word, name: &str, value: &Word) {
        let is_known = !value.dynamic && value.others.is_empty();
        if !is_known || catalogue::is_of_interest(name) || self.variables.is_read(name) {
            return;
        }
        if let Some(program) = catalogue::flag::program_of_options(name) {
            self.kept_options(program, at, value);
            return;
        }
        if let Some(index) = catalogue::card_of_variable(name, &value.text) {
            let span = Span::new(at.span.start, value.span.end.max(at.span.end));
            let literal = value.plain.then_some(value.span).or(value.quoted);
            let index = Value::Known(index);
            self.fact(span, literal, "device", FactKind::SelectIndex { index });
        }
    }

    /// `NAME=value`; the place of its fact, where the variable is of interest.
    pub(super) fn write(&mut self, word: &Word, whose: Whose) -> Option<usize> {
        let (name, value) = value_of(word)?;
        self.named(word, name, &value, whose)
    }

    /// The last of the facts, where a variable is one of several values.
    pub(super) fn named(
        &mut self,
        at: &Word,
        name: &str,
        value: &Word,
        whose: Whose,
    ) -> Option<usize> {
        if !catalogue::is_of_interest(name) {
            return None;
        }
        let span = Span::new(at.span.start, value.span.end.max(at.span.end));
        let literal = value.plain.then_some(value.span).or(value.quoted);
        let one_of_several = !value.others.is_empty() && !value.dynamic;
        let others: &[String] = if one_of_several { &value.others } else { &[] };
        for text in [&value.text].into_iter().chain(others) {
            let write = VariableWrite {
                name: name.to_owned(),
                value: if value.dynamic || text.len() > LONGEST_VALUE || is_filled_in(text) {
                    Value::Dynamic
                } else {
                    Value::Known(text.clone())
                },
                how: if value.by_default {
                    HowSet::Default
                } else {
                    HowSet::Assigned
                },
                whose: if self.in_container {
                    Whose::Container
                } else {
                    whose
                },
                one_of_several,
            };
            let literal = literal.filter(|_| !one_of_several);
            self.fact(span, literal, LABEL, FactKind::SetVariable(write));
        }
        Some(self.found.facts.len() - 1)
    }
}

/// The name of `NAME=value`, and the value as a word of its own.
fn value_of(word: &Word) -> Option<(&str, Word)> {
    let (name, value) = assignment(word)?;
    let behind = name.len() + 1;
    let start = word.span.start + behind;
    // Quotes around all of the value, not around a part or the name; or a default.
    let quoted = word.quoted.filter(|quoted| {
        word.by_default
            || *quoted == Span::new(start + 1, word.span.end.saturating_sub(1).max(start + 1))
    });
    let value_word = Word {
        text: value.to_owned(),
        span: Span::new(start.min(word.span.end), word.span.end),
        quoted,
        others: word
            .others
            .iter()
            .filter_map(|other| other.get(behind..))
            .map(str::to_owned)
            .collect(),
        dynamic: word.dynamic,
        plain: word.plain,
        by_default: word.by_default,
        ..Word::default()
    };
    Some((name, value_word))
}
