//! The variables of a shell that are followed: those that a script assigns once, as a literal, and
//! those that a loop gives one literal after the other.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::words::{Reference, Simple, Word};
use super::{KEYWORDS, LONGEST_VALUE, Step, assignment};

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
                Step::Each { name, values } => variables.each(name, values),
            }
        }
        variables
    }

    fn note(&mut self, words: &[Word]) {
        let is_keyword = |word: &&Word| word.plain && KEYWORDS.contains(&word.text.as_str());
        let keywords = words.iter().take_while(is_keyword).count();
        let words = words.get(keywords..).unwrap_or_default();
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
                // `for ((name=0; name<2; name++))`
                if let [_, r#let, counted] = words
                    && r#let.text == "let"
                {
                    self.count(&counted.text);
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
                    self.lose_all(&word.text);
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

    fn each(&mut self, name: &str, words: &[Word]) {
        let mut values = Vec::new();
        for word in words {
            match self.elements(word) {
                Some(own) if values.len() + own.len() <= MOST => values.extend(own),
                _ => {
                    values.clear();
                    break;
                }
            }
        }
        self.one_of(name, values);
    }

    /// What a word of a loop's list stands for: `{0..1}`, `$(seq 0 1)`, `"${list[@]}"`.
    fn elements(&self, word: &Word) -> Option<Vec<String>> {
        let parted = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect();
        match word.references.as_slice() {
            [] if word.dynamic => None,
            [] if word.plain => Some(braces(&word.text).unwrap_or_else(|| vec![word.text.clone()])),
            [] if word.quoted.is_none() => Some(parted(&word.text)),
            [] => Some(vec![word.text.clone()]),
            [list] if list.splits && list.at.end - list.at.start == word.text.len() => {
                let (values, _) = self.of_script(list)?;
                let [text] = values else { return None };
                Some(parted(text))
            }
            _ => None,
        }
    }

    /// `name=0; name<2; name++`, all of it in numbers.
    fn count(&mut self, text: &str) {
        let counted = || {
            let mut parts = text.trim_end_matches(')').split(';').map(str::trim);
            let (name, first) = parts.next()?.split_once('=')?;
            let (name, condition) = (name.trim(), parts.next()?.strip_prefix(name.trim())?);
            let steps = [format!("{name}++"), format!("++{name}")];
            let step: String = parts.next()?.split_whitespace().collect();
            let condition = condition.trim();
            let (end, included) = match condition.strip_prefix("<=") {
                Some(end) => (end, true),
                None => (condition.strip_prefix('<')?, false),
            };
            let end: i64 = end.trim().parse().ok()?;
            let last = if included { end } else { end.checked_sub(1)? };
            let values = numbers(first.trim().parse().ok()?, 1, last)?;
            steps.contains(&step).then_some((name, values))
        };
        match counted() {
            Some((name, values)) => self.one_of(name, values),
            None => self.lose_all(text),
        }
    }

    /// A variable that is one of these after the other; none where that is not known.
    fn one_of(&mut self, name: &str, values: Vec<String>) {
        let followed = self.known.entry(name.to_owned()).or_default();
        followed.assigned += 1;
        let is_same = followed.values == values;
        followed.values = if followed.assigned == 1 || is_same {
            values
        } else {
            Vec::new()
        };
    }

    /// All names in a text that counts.
    fn lose_all(&mut self, text: &str) {
        let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
        for name in text.split(|c| !is_part(c)) {
            self.lose(name);
        }
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
            // A name that comes out of a variable is none: `$command`.
            let is_bare = word
                .references
                .first()
                .is_some_and(|first| first.at.start == 0);
            if splits && !whole.dynamic && (is_bare || assignment(&whole).is_none()) {
                let parts: Vec<&str> = whole.text.split_ascii_whitespace().collect();
                if parts == [whole.text.as_str()] {
                    expanded.push(whole);
                    continue;
                }
                expanded.extend(
                    parts
                        .into_iter()
                        .map(|part| whole.with_text(part.to_owned())),
                );
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

/// What `{0..3}` and `{0,2}` stand for.
fn braces(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    if let Some((first, last)) = inner.split_once("..") {
        return numbers(first.parse().ok()?, 1, last.parse().ok()?);
    }
    let is_plain = |part: &str| !part.is_empty() && !part.contains(['{', '}']);
    let parts: Vec<&str> = inner.split(',').collect();
    let is_list = parts.len() > 1 && parts.iter().all(|part| is_plain(part));
    is_list.then(|| parts.into_iter().map(str::to_owned).collect())
}

/// The numbers that `seq` prints, if they are few.
pub(super) fn numbers(first: i64, step: i64, last: i64) -> Option<Vec<String>> {
    let step = usize::try_from(step).ok().filter(|step| *step > 0)?;
    let many = last.checked_sub(first)?;
    let is_few = usize::try_from(many).is_ok_and(|many| many / step < MOST);
    is_few.then(|| {
        (first..=last)
            .step_by(step)
            .map(|number| number.to_string())
            .collect()
    })
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
