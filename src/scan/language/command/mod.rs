//! What command lines do about GPUs: the variables they set and for whom, the flags by which
//! programs, launchers and containers choose cards.
//!
//! Shell text and ready lists of words alike; for every language that starts programs. Of what a
//! `$` refers to, literals of the same text are followed; everything else is dynamic.

mod apart;
mod blocks;
mod container;
mod environment;
mod flags;
mod follow;
mod input;
mod launch;
mod step;
mod told;
mod variable;
mod words;
mod wrapper;

use std::collections::BTreeSet;

use crate::scan::embedded::Embedded;
use crate::scan::fact::{Detail, Fact, FactKind, Value, VariableWrite, When, Whose};
use crate::scan::language::{python, within};
use crate::scan::scopes::Scopes;
use crate::text::Span;

use blocks::Blocks;
use follow::Variables;
pub(super) use input::Input;
pub(super) use step::{Setting, Step, steps};
pub(super) use words::{HOLE, Reference, Simple, Word};

/// The label of variables that a command sets.
const LABEL: &str = "shell command";

/// Pieces of other files longer than this are no commands that a person wrote; scripts are as long
/// as files may be.
pub(super) const LONGEST: usize = 1 << 20;
/// So many variables of the shell alone are remembered.
const MOST_LOCAL: usize = 256;
/// Values longer than this name no cards.
const LONGEST_VALUE: usize = 512;
/// How far `sh -c "…"` is followed.
const DEEPEST: u8 = 3;

/// Builtins of the shell, and programs that only print or store their arguments.
const BUILTINS: &[&str] = &[
    ":", "[", "[[", "break", "case", "cd", "continue", "echo", "exit", "export", "false", "for",
    "function", "in", "let", "local", "printf", "pwd", "read", "readonly", "return", "select",
    "set", "setx", "shift", "shopt", "test", "true", "ulimit", "umask", "unalias", "unset", "wait",
];

/// Words that stand before a command and start nothing.
const KEYWORDS: &[&str] = &[
    "!", "and", "begin", "do", "elif", "else", "if", "or", "then", "time", "until", "while", "{",
];

/// What commands say.
#[derive(Debug, Default)]
pub(super) struct CommandFacts {
    /// The facts, by place.
    pub(super) facts: Vec<Fact>,
    /// The commands that have an environment of their own, and all of them together.
    pub(super) scopes: Vec<Span>,
    /// Python that is handed to an interpreter: `python -c '…'`, `python - <<EOF`.
    pub(super) python: Vec<Embedded>,
    /// Where the first thing begins that has no end, or is wrong otherwise.
    pub(super) first_error: Option<usize>,
}

/// Who sees what a text exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exports {
    /// The programs that it starts: it is one shell, from its start to its end.
    Children,
    /// A script that is sourced, or that is a program itself.
    Own,
}

/// Whose `set` it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Posix,
    Fish,
}

/// What a shell makes of a text; spans are those of the text.
pub(super) fn command_facts(text: &str, when: When) -> Vec<Fact> {
    let found = script(text, when, Exports::Children);
    of_one_environment(found)
}

/// What a program started with these words does; spans are those of the words.
pub(super) fn word_facts(words: &[Word], when: When) -> Vec<Fact> {
    let mut shell = Shell::new(when, Exports::Children);
    shell.program(words, DEEPEST);
    let scopes = words.first().zip(words.last());
    let whole = scopes.map(|(first, last)| Span::new(first.span.start, last.span.end));
    of_one_environment(CommandFacts {
        scopes: whole.into_iter().collect(),
        ..shell.found
    })
}

/// The same for a file that has a piece of its own around each text: with the cards that programs
/// take by their options, and with the Python in the text.
pub(super) fn facts_in_piece(text: &str, when: When) -> Vec<Fact> {
    piece(text, when).facts
}

/// The same, with what is wrong in it.
pub(super) fn piece(text: &str, when: When) -> CommandFacts {
    with_python(script(text, when, Exports::Children))
}

/// The same for the words of one program.
pub(super) fn word_facts_in_piece(words: &[Word], when: When) -> Vec<Fact> {
    let mut shell = Shell::new(when, Exports::Children);
    shell.program(words, DEEPEST);
    with_python(shell.found).facts
}

/// What was found, with what the Python in it says.
pub(super) fn with_python(mut found: CommandFacts) -> CommandFacts {
    for code in std::mem::take(&mut found.python) {
        let inner = within::read(&python::PYTHON, &code, Detail::Known);
        found.facts.extend(inner.facts);
        found.first_error = found.first_error.or(inner.first_error);
    }
    found.facts.sort_by_key(|fact| fact.span);
    found
}

/// What a shell makes of a text, with the environments of its commands.
pub(super) fn script(text: &str, when: When, exports: Exports) -> CommandFacts {
    let mut shell = Shell::new(when, exports);
    shell.text(text, DEEPEST);
    shell.finish(Span::new(0, text.len()))
}

/// What a script for fish does.
pub(super) fn fish_script(text: &str) -> CommandFacts {
    let mut shell = Shell::new(When::Loading, Exports::Own);
    shell.dialect = Dialect::Fish;
    shell.text(text, DEEPEST);
    shell.finish(Span::new(0, text.len()))
}

/// The facts for a file whose commands have no environments of their own: without cards that count
/// under a mask in front of the command, and without those of the programs' own options.
fn of_one_environment(found: CommandFacts) -> Vec<Fact> {
    let scopes = Scopes::new(found.scopes);
    let masked: BTreeSet<usize> = found
        .facts
        .iter()
        .filter(|fact| match &fact.kind {
            FactKind::SetVariable(VariableWrite { name, whose, .. }) => {
                *whose == Whose::Child && name == "CUDA_VISIBLE_DEVICES"
            }
            _ => false,
        })
        .filter_map(|fact| scopes.innermost(fact.span.start))
        .collect();
    let counts = |fact: &Fact| match fact.kind {
        FactKind::SelectIndex { .. } | FactKind::SelectEither { .. } => false,
        FactKind::TakesAll | FactKind::TakesCount { .. } => scopes
            .innermost(fact.span.start)
            .is_none_or(|scope| !masked.contains(&scope)),
        _ => true,
    };
    found.facts.into_iter().filter(counts).collect()
}

/// One shell, from its start to its end.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something else about the text; none excludes another"
)]
struct Shell {
    when: When,
    exports: Exports,
    found: CommandFacts,
    variables: Variables,
    /// The names that are exported.
    exported_names: BTreeSet<String>,
    /// Whether whatever is assigned is exported.
    exports_all: bool,
    /// Facts about variables that programs started later will see.
    exported: Vec<usize>,
    /// Facts about what a script exports that no program has seen yet.
    unseen: Vec<usize>,
    /// Those of them that a program would have needed which `sudo` or `ssh` starts without them.
    withheld: Vec<usize>,
    /// Facts about variables of the shell alone.
    local: Vec<usize>,
    blocks: Blocks,
    place: Place,
    /// Whether what is set is seen in a container alone.
    in_container: bool,
    /// Whether the text speaks of other accelerators, whose numbers look the same.
    of_others: bool,
    /// Whether it speaks of TPUs, which are counted by the same flags.
    of_tpus: bool,
    /// Whether it speaks of GPUs.
    of_gpus: bool,
    dialect: Dialect,
    /// The program whose folder the script went into.
    folder: Option<&'static str>,
    /// Facts about variables that are kept for programs that others start.
    kept: Vec<usize>,
    /// Whether a program was started that may use cards.
    has_run: bool,
    /// Facts about the mask and the order that no program has seen which works on cards, and whether
    /// one saw a mask, or an order.
    unseen_by_cards: Vec<usize>,
    mask_was_seen: bool,
    order_was_seen: bool,
    /// Removals of what such a program was given, which none has missed yet.
    tidied: Vec<usize>,
}

/// Where the text that is being read stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// As it is, behind so many bytes.
    Behind(usize),
    /// Somehow written in this word.
    Inside(Span),
}

impl Shell {
    fn new(when: When, exports: Exports) -> Self {
        Self {
            when,
            exports,
            found: CommandFacts::default(),
            variables: Variables::default(),
            exported_names: BTreeSet::new(),
            exports_all: false,
            exported: Vec::new(),
            unseen: Vec::new(),
            withheld: Vec::new(),
            local: Vec::new(),
            blocks: Blocks::default(),
            place: Place::Behind(0),
            in_container: false,
            of_others: false,
            of_tpus: false,
            of_gpus: false,
            dialect: Dialect::Posix,
            folder: None,
            kept: Vec::new(),
            has_run: false,
            unseen_by_cards: Vec::new(),
            mask_was_seen: false,
            order_was_seen: false,
            tidied: Vec::new(),
        }
    }

    fn finish(mut self, whole: Span) -> CommandFacts {
        if self.exports == Exports::Own {
            self.forget_values();
        }
        self.found.scopes.push(whole);
        self.found.facts.sort_by_key(|fact| fact.span);
        self.found
    }

    fn text(&mut self, text: &str, deep: u8) {
        let variables = self.commands(text, deep);
        if self.exports == Exports::Own {
            self.withhold();
            self.set_too_late();
            self.forget_values();
        }
        self.variables = variables;
    }

    /// The commands of a text; the variables of the text around it.
    fn commands(&mut self, text: &str, deep: u8) -> Variables {
        let read = words::read(text, self.dialect);
        if matches!(self.place, Place::Behind(0)) {
            self.found.first_error = self.found.first_error.or(read.unclosed);
        }
        self.of_others |= flags::speaks_of_others(text);
        self.of_tpus |= flags::speaks_of_tpus(text);
        self.of_gpus |= flags::speaks_of_gpus(text);
        let variables = Variables::of(&read.commands);
        let variables = std::mem::replace(&mut self.variables, variables);
        for command in &read.commands {
            self.simple_command(command, deep);
            self.input(text, command, deep);
        }
        self.apart(&read);
        variables
    }

    /// A text that a word holds, for a shell of its own.
    fn inner(&mut self, word: &Word, deep: u8) {
        let Some(deep) = deep.checked_sub(1) else {
            return;
        };
        let exported = std::mem::take(&mut self.exported);
        let local = std::mem::take(&mut self.local);
        let names = std::mem::take(&mut self.exported_names);
        let exports = std::mem::replace(&mut self.exports, Exports::Children);
        self.at_word(word, |shell| shell.text(&word.text, deep));
        self.exported = exported;
        self.local = local;
        self.exported_names = names;
        self.exports = exports;
    }

    /// Reads what stands in a word, with the places that it has there.
    fn at_word(&mut self, word: &Word, read: impl FnOnce(&mut Self)) {
        let around = self.place;
        self.place = match (around, word.quoted) {
            (Place::Behind(offset), Some(quoted))
                if quoted.end - quoted.start == word.text.len() =>
            {
                Place::Behind(offset + quoted.start)
            }
            (Place::Behind(offset), _) => {
                Place::Inside(Span::new(offset + word.span.start, offset + word.span.end))
            }
            (inside, _) => inside,
        };
        read(self);
        self.place = around;
    }

    fn simple_command(&mut self, command: &Simple, deep: u8) {
        let mut words = command.words.as_slice();
        while let Some((first, behind)) = words.split_first() {
            self.blocks.keyword(first);
            if !first.plain || !KEYWORDS.contains(&first.text.as_str()) {
                break;
            }
            words = behind;
        }
        if let [function, name, behind @ ..] = words
            && function.text == "function"
        {
            self.blocks.function(&name.text);
            for word in behind {
                self.blocks.keyword(word);
            }
            return;
        }
        let words = self.variables.expand(words);
        for word in &words {
            self.kept_for_container(word);
        }
        let facts = self.found.facts.len();
        match words.first().map_or("", |word| word.text.as_str()) {
            "set" if self.dialect == Dialect::Fish => self.set_in_fish(&words),
            "export" | "declare" | "typeset" | "local" | "readonly" | "set" | "SET" => {
                self.export(&words);
            }
            "unset" => self.unset(&words[1..]),
            "cd" | "pushd" | "chdir" | "Set-Location" => {
                let folder = words.iter().skip(1).rfind(|word| word.text != "/d");
                self.folder = folder.and_then(|word| launch::program_of_path(&word.text));
            }
            ":" => self.defaults(&command.words),
            "alias" => {
                for word in &words[1..] {
                    self.alias(word, deep);
                }
            }
            "eval" => self.eval(command, &words[1..], deep),
            _ if words.iter().all(|word| assignment(word).is_some()) => {
                for word in &words {
                    self.assign(word);
                }
            }
            _ => {
                self.program(&words, deep);
                if self.found.facts.len() > facts || command.input.is_some() {
                    let scope = self.placed(command.with_input());
                    self.found.scopes.push(scope);
                }
            }
        }
    }

    /// What `eval` runs, in this very shell.
    fn eval(&mut self, command: &Simple, words: &[Word], deep: u8) {
        let Some(inner) = deep.checked_sub(1) else {
            return;
        };
        if let [only] = words {
            self.at_word(only, |shell| {
                shell.variables = shell.commands(&only.text, inner);
            });
            return;
        }
        let run = Simple {
            words: words.to_vec(),
            span: command.span,
            input: None,
        };
        self.simple_command(&run, inner);
    }

    /// `alias train='CUDA_VISIBLE_DEVICES=0 python train.py'`.
    fn alias(&mut self, word: &Word, deep: u8) {
        let text = match assignment(word) {
            Some((_, text)) => Word {
                text: text.to_owned(),
                span: word.span,
                ..Word::default()
            },
            None => word.clone(),
        };
        if text.text.contains([' ', '=']) {
            let first = self.found.facts.len();
            self.inner(&text, deep);
            self.kept_by_alias(first, text.span);
        }
    }

    /// What an alias exports stays in the shell, for whatever is started behind it.
    fn kept_by_alias(&mut self, first: usize, span: Span) {
        let mut exports = false;
        for fact in self.found.facts.iter_mut().skip(first) {
            if let FactKind::SetVariable(write) = &mut fact.kind
                && write.whose == Whose::Nobody
                && write.value != Value::Absent
            {
                write.whose = Whose::Child;
                exports = true;
            }
        }
        if exports {
            let scope = self.placed(span);
            self.found.scopes.push(scope);
        }
    }

    fn python(&mut self, at: Span, code: &str) {
        let mut embedded = Embedded::default();
        embedded.start_cell(1);
        embedded.push(self.placed(at), code);
        self.found.python.push(embedded);
    }

    fn placed(&self, span: Span) -> Span {
        match self.place {
            Place::Behind(offset) => Span::new(span.start + offset, span.end + offset),
            Place::Inside(word) => word,
        }
    }

    fn fact(&mut self, span: Span, value: Option<Span>, api: &'static str, kind: FactKind) {
        let is_exact = matches!(self.place, Place::Behind(_));
        let fact = Fact {
            span: self.placed(span),
            value: value.filter(|_| is_exact).map(|value| self.placed(value)),
            api,
            when: self.blocks.when(self.when),
            kind,
        };
        self.found.facts.push(fact);
    }
}

/// The name and value of `NAME=value`.
fn assignment(word: &Word) -> Option<(&str, &str)> {
    let (name, value) = word.text.split_once('=')?;
    let is_name = name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric());
    is_name.then_some((name, value))
}

/// The program's name without its folder.
fn base_name(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// Whether a program is a Python interpreter.
fn is_python(name: &str) -> bool {
    ["python", "pythonw", "ipython", "pypy"]
        .contains(&name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'))
        || name == "py"
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod flag_tests;
