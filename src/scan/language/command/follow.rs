//! The variables of a shell that are followed: those that a script assigns once, as a literal, and
//! those that a loop gives one literal after the other.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::words::{Reference, Simple, Word};
use super::{LONGEST_VALUE, Step, assignment};

/// What one variable may be is not more than this.
const MOST: usize = 16;

/// How many bytes are filled in at most.
const MOST_FILLED: usize = 1 << 20;

/// Programs that only look at their arguments.
const LOOKERS: &[&str] = &["echo", "printf", "[", "[[", "test", "log", "info", "unset"];

/// What a script's variables are.
#[derive(Debug, Default)]
pub(super) struct Variables {
    known: BTreeMap<String, Followed>,
    /// Those whose value goes somewhere.
    read: BTreeSet<String>,
    /// How much has been filled in: a short script must not become a long one.
    filled: Cell<usize>,
}

#[derive(Debug, Default)]
struct Followed {
    /// Empty where it is decided at run time.
    values: Vec<String>,
    assigned: usize,
    by_default: bool,
}

impl Variables {
    pub(super) fn of(commands: &[Simple]) -> Self {
        let mut variables = Self::default();
        for command in commands {
            variables.note(&command.words);
        }
        variables
    }

    pub(super) fn of_steps(steps: &[Step]) -> Self {
        let mut variables = Self::default();
        for step in steps {
            match step {
                Step::Start(command) => variables.note(&command.words),
                Step::Export(setting) | Step::Keep(setting) | Step::Assign(setting) => {
                    match &setting.value {
                        Some(value) => variables.assign_value(&setting.name, value),
                        None => variables.lose(&setting.name),
                    }
                }
            }
        }
        variables
    }

    fn note(&mut self, words: &[Word]) {
        let name = words.first().map_or("", |word| word.text.as_str());
        if !LOOKERS.contains(&name) {
            let names = words.iter().flat_map(|word| &word.references);
            self.read
                .extend(names.map(|reference| reference.name.clone()));
        }
        match name {
            "export" | "declare" | "typeset" | "local" | "readonly" => {
                for word in &words[1..] {
                    self.assign(word);
                }
            }
            "for" | "select" => {
                if let [_, name, r#in, values @ ..] = words
                    && r#in.text == "in"
                {
                    self.each(&name.text, values);
                }
            }
            // fish's
            "set" => {
                let mut rest = words[1..]
                    .iter()
                    .skip_while(|word| word.text.starts_with('-'));
                if let (Some(name), Some(value), None) = (rest.next(), rest.next(), rest.next()) {
                    self.assign_value(&name.text, value);
                }
            }
            "read" | "mapfile" | "readarray" | "getopts" | "unset" => {
                for word in &words[1..] {
                    self.lose(&word.text);
                }
            }
            "let" => {
                for word in &words[1..] {
                    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
                    for name in word.text.split(|c| !is_part(c)) {
                        self.lose(name);
                    }
                }
            }
            _ if words.iter().all(is_assignment) => {
                for word in words {
                    self.assign(word);
                }
            }
            _ => {}
        }
    }

    fn assign(&mut self, word: &Word) {
        if let Some((name, _)) = word.text.split_once("+=") {
            self.lose(name);
            return;
        }
        let Some((name, value)) = assignment(word) else {
            return;
        };
        let behind = name.len() + 1;
        let mut value = Word {
            text: value.to_owned(),
            references: word.references.clone(),
            dynamic: word.dynamic,
            opaque: word.opaque,
            ..Word::default()
        };
        for reference in &mut value.references {
            reference.at.start = reference.at.start.saturating_sub(behind);
            reference.at.end = reference.at.end.saturating_sub(behind);
        }
        self.assign_value(name, &value);
    }

    fn assign_value(&mut self, name: &str, word: &Word) {
        let value = word.text.clone();
        let known = match word.references.as_slice() {
            _ if word.opaque || value.len() > LONGEST_VALUE => None,
            [] if word.dynamic => None,
            [] => Some((value, false)),
            // `GPU=${1:-0}`
            [only] if only.at.end - only.at.start == value.len() && only.name != name => {
                only.default.clone().map(|(text, _)| (text, true))
            }
            _ => None,
        };
        let followed = self.known.entry(name.to_owned()).or_default();
        followed.assigned += 1;
        match known {
            Some((value, by_default)) if followed.assigned == 1 => {
                followed.values = vec![value];
                followed.by_default = by_default;
            }
            // The same once more.
            Some((value, false)) if followed.values == [value.as_str()] => {}
            _ => followed.values.clear(),
        }
    }

    fn each(&mut self, name: &str, values: &[Word]) {
        let followed = self.known.entry(name.to_owned()).or_default();
        followed.assigned += 1;
        let literal = values.iter().all(|word| !word.dynamic) && values.len() <= MOST;
        followed.values = if literal && followed.assigned == 1 {
            values.iter().map(|word| word.text.clone()).collect()
        } else {
            Vec::new()
        };
    }

    fn lose(&mut self, name: &str) {
        if !name.is_empty() && !name.starts_with('-') {
            let followed = self.known.entry(name.to_owned()).or_default();
            followed.assigned += 2;
            followed.values.clear();
        }
    }

    /// Whether a variable's value goes somewhere.
    pub(super) fn is_read(&self, name: &str) -> bool {
        self.read.contains(name)
    }

    /// Words with the variables that are known filled in; one that is not quoted falls apart at
    /// its blanks.
    pub(super) fn expand(&self, words: &[Word]) -> Vec<Word> {
        let mut expanded = Vec::with_capacity(words.len());
        for word in words {
            if word.references.is_empty() {
                expanded.push(word.clone());
                continue;
            }
            let whole = self.expand_word(word);
            let splits = word.references.iter().any(|reference| reference.splits);
            if splits && !whole.dynamic && assignment(&whole).is_none() {
                let parts = whole.text.split_ascii_whitespace();
                expanded.extend(parts.map(|part| whole.with_text(part.to_owned())));
            } else {
                expanded.push(whole);
            }
        }
        expanded
    }

    pub(super) fn expand_word(&self, word: &Word) -> Word {
        let found: Vec<Option<(&[String], bool)>> = word
            .references
            .iter()
            .map(|reference| self.values(reference))
            .collect();
        let choices = found.iter().flatten().map(|(values, _)| values.len());
        let several = choices.max().unwrap_or(1);
        // Of two that are one of several each, nothing is told apart.
        let many = found
            .iter()
            .flatten()
            .filter(|(values, _)| values.len() > 1);
        if found.iter().all(Option::is_none) || many.count() > 1 {
            return word.clone();
        }
        let values = found.iter().flatten().flat_map(|(values, _)| *values);
        let longer: usize = values.map(String::len).sum();
        let filled = self.filled.get() + longer + word.text.len() * several;
        if filled > MOST_FILLED {
            return word.clone();
        }
        self.filled.set(filled);
        let mut texts = Vec::with_capacity(several);
        for choice in 0..several {
            let mut text = String::new();
            let mut from = 0;
            for (reference, found) in word.references.iter().zip(&found) {
                let Some((values, _)) = found else { continue };
                let value = values.get(choice).or(values.first());
                text.push_str(word.text.get(from..reference.at.start).unwrap_or_default());
                text.push_str(value.map_or("", String::as_str));
                from = reference.at.end;
            }
            text.push_str(word.text.get(from..).unwrap_or_default());
            texts.push(text);
        }
        let all_known = found.iter().all(Option::is_some);
        let mut texts = texts.into_iter();
        let mut filled = word.with_text(texts.next().unwrap_or_default());
        filled.dynamic = word.opaque || !all_known;
        filled.opaque = word.opaque;
        filled.by_default = found.iter().flatten().any(|(_, by_default)| *by_default);
        filled.others = texts.collect();
        // A default that is written here, and is all there is behind the name.
        if let ([only], true) = (word.references.as_slice(), filled.by_default)
            && self.of_script(only).is_none()
            && only.at.end == word.text.len()
        {
            filled.quoted = only.default.as_ref().map(|(_, span)| *span);
        }
        filled
    }

    /// What a variable is, and whether only where it has no value yet.
    fn values<'v>(&'v self, reference: &'v Reference) -> Option<(&'v [String], bool)> {
        self.of_script(reference).or_else(|| {
            let (text, _) = reference.default.as_ref()?;
            Some((std::slice::from_ref(text), true))
        })
    }

    fn of_script(&self, reference: &Reference) -> Option<(&[String], bool)> {
        let followed = self.known.get(&reference.name)?;
        // A default for the variable itself is no other value.
        (!followed.values.is_empty()).then_some((&followed.values, followed.by_default))
    }
}

fn is_assignment(word: &Word) -> bool {
    assignment(word).is_some()
        || word.text.split_once("+=").is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric())
        })
}

impl Word {
    /// A word of the same place with another text, which stands nowhere as it is.
    fn with_text(&self, text: String) -> Self {
        Self {
            text,
            span: self.span,
            by_default: self.by_default,
            ..Self::default()
        }
    }
}
