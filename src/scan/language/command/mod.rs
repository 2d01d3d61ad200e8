//! What one command line does about GPUs: the variables it sets and for whom, the flags by which
//! launchers and containers choose cards.
//!
//! Shell text and ready lists of words alike; for every language that starts programs. Nothing
//! is expanded: what a `$` decides is dynamic.

mod container;
mod launch;
mod words;

use crate::scan::catalogue;
use crate::scan::fact::{Fact, FactKind, HowSet, Value, VariableWrite, When, Whose};
use crate::text::Span;

pub(super) use words::{HOLE, Word};

/// The label of variables that a command sets.
const LABEL: &str = "shell command";

/// Texts longer than this are no commands that a person wrote.
pub(super) const LONGEST: usize = 1 << 20;
/// So many variables of the shell alone are remembered.
const MOST_LOCAL: usize = 256;
/// Values longer than this name no cards.
const LONGEST_VALUE: usize = 512;
/// How far `sh -c "…"` is followed.
const DEEPEST: u8 = 3;

/// Builtins of the shell that start no program.
const BUILTINS: &[&str] = &[
    ":", "[", "alias", "cd", "echo", "exit", "export", "false", "printf", "pwd", "readonly", "set",
    "setx", "shopt", "test", "true", "ulimit", "umask", "unalias", "unset", "wait",
];

/// Programs that start another one, given after their options.
const WRAPPERS: &[&str] = &[
    "builtin",
    "chrt",
    "command",
    "exec",
    "ionice",
    "nice",
    "nohup",
    "numactl",
    "proxychains",
    "setsid",
    "srun",
    "stdbuf",
    "strace",
    "taskset",
    "then",
    "do",
    "else",
    "if",
    "while",
    "until",
    "!",
    "{",
    "time",
    "timeout",
    "unbuffer",
    "xvfb-run",
];

/// Programs whose `run` starts another one.
const RUNNERS: &[&str] = &[
    "conda",
    "hatch",
    "mamba",
    "micromamba",
    "pdm",
    "pipenv",
    "pixi",
    "poetry",
    "rye",
    "uv",
];

/// What a shell makes of a text; spans are those of the text.
pub(super) fn command_facts(text: &str, when: When) -> Vec<Fact> {
    let mut shell = Shell::new(when);
    shell.text(text, None, DEEPEST);
    shell.facts
}

/// What a program started with these words does; spans are those of the words.
pub(super) fn word_facts(words: &[Word], when: When) -> Vec<Fact> {
    let mut shell = Shell::new(when);
    shell.program(words, DEEPEST);
    shell.facts
}

/// One shell, from its start to its end.
struct Shell {
    when: When,
    facts: Vec<Fact>,
    /// Facts about variables that programs started later will see.
    exported: Vec<usize>,
    /// Facts about variables of the shell alone.
    local: Vec<usize>,
    /// The word that holds the text being read, where that is not the whole text.
    inside: Option<Span>,
}

impl Shell {
    fn new(when: When) -> Self {
        Self {
            when,
            facts: Vec::new(),
            exported: Vec::new(),
            local: Vec::new(),
            inside: None,
        }
    }

    fn text(&mut self, text: &str, inside: Option<Span>, deep: u8) {
        if text.len() > LONGEST {
            return;
        }
        let around = self.inside;
        self.inside = around.or(inside);
        for words in words::simple_commands(text) {
            self.simple_command(&words, deep);
        }
        self.inside = around;
    }

    fn simple_command(&mut self, words: &[Word], deep: u8) {
        let name = words.first().map_or("", |word| word.text.as_str());
        match name {
            "export" | "declare" | "typeset" | "set" | "SET" => self.export(name, &words[1..]),
            _ if words.iter().all(|word| assignment(word).is_some()) => {
                for word in words {
                    let at = self.write(word, Whose::Nobody);
                    self.remember(at);
                }
            }
            _ => self.program(words, deep),
        }
    }

    /// `export V=1`, `declare -x V=1`, `export V`; `set V=1` of Windows and `set -x V 1` of fish.
    fn export(&mut self, name: &str, words: &[Word]) {
        let marks = |word: &Word| word.text.starts_with('-') && word.text.contains('x');
        let is_fish = name == "set" && words.first().is_some_and(marks);
        if is_fish {
            if let [_, name, value] = words {
                let at = self.named(name, &name.text, value, Whose::Nobody);
                self.exported.extend(at);
            }
            return;
        }
        let counts = matches!(name, "export" | "set" | "SET") || words.iter().any(marks);
        for word in words {
            if assignment(word).is_some() {
                let at = self.write(word, Whose::Nobody);
                if counts {
                    self.exported.extend(at);
                } else {
                    self.remember(at);
                }
            } else if counts {
                let (now, still): (Vec<usize>, Vec<usize>) = self
                    .local
                    .iter()
                    .partition(|at| self.name_of(**at) == Some(&word.text));
                self.exported.extend(now);
                self.local = still;
            }
        }
    }

    fn remember(&mut self, local: Option<usize>) {
        self.local.extend(local);
        if self.local.len() > MOST_LOCAL {
            self.local.remove(0);
        }
    }

    fn name_of(&self, at: usize) -> Option<&String> {
        match &self.facts.get(at)?.kind {
            FactKind::SetVariable(write) => Some(&write.name),
            _ => None,
        }
    }

    /// A program, with the variables in front of it and the programs that only start it.
    fn program(&mut self, words: &[Word], deep: u8) {
        let mut rest = words;
        // What the program gets in front of it, and not from the shell.
        let mut given: Vec<usize> = Vec::new();
        let mut keeps = true;
        while let Some((first, behind)) = rest.split_first() {
            if assignment(first).is_some() {
                given.extend(self.write(first, Whose::Child));
                rest = behind;
                continue;
            }
            let name = base_name(&first.text);
            rest = match name {
                "env" => after_options(behind, &["-u", "-C", "-S", "--unset", "--chdir"]),
                "sudo" | "doas" => {
                    let end = after_options(behind, SUDO_VALUES);
                    let options = &behind[..behind.len() - end.len()];
                    if !options.iter().any(preserves) {
                        keeps = false;
                        self.drop(&given);
                    }
                    end
                }
                _ if RUNNERS.contains(&name)
                    && behind.first().is_some_and(|word| word.text == "run") =>
                {
                    after_options(&behind[1..], &["-n", "-p", "--name", "--prefix", "--with"])
                }
                _ if WRAPPERS.contains(&name) => {
                    after_numbers(after_options(behind, &["-n", "-c"]))
                }
                _ => break,
            };
        }
        let Some((first, arguments)) = rest.split_first() else {
            return;
        };
        let name = base_name(&first.text);
        if BUILTINS.contains(&name) {
            return;
        }
        if keeps {
            self.reach();
        }
        if let (Some(text), Some(deep)) = (inner_text(name, arguments), deep.checked_sub(1)) {
            let exported = std::mem::take(&mut self.exported);
            let local = std::mem::take(&mut self.local);
            self.text(&text.text, Some(text.span), deep);
            self.exported = exported;
            self.local = local;
            return;
        }
        let masked = given.iter().any(|at| {
            self.name_of(*at)
                .is_some_and(|name| name == "CUDA_VISIBLE_DEVICES")
        });
        self.launcher(name, arguments, masked);
        self.container(name, arguments);
    }

    /// A program starts: it sees what was exported.
    fn reach(&mut self) {
        for at in std::mem::take(&mut self.exported) {
            self.set_whose(at, Whose::Child);
        }
    }

    /// Variables in front of a `sudo` that does not hand them on.
    fn drop(&mut self, given: &[usize]) {
        for at in given {
            self.set_whose(*at, Whose::Nobody);
        }
    }

    fn set_whose(&mut self, at: usize, whose: Whose) {
        if let Some(fact) = self.facts.get_mut(at)
            && let FactKind::SetVariable(write) = &mut fact.kind
        {
            write.whose = whose;
        }
    }

    /// `NAME=value`; the place of its fact, where the variable is of interest.
    fn write(&mut self, word: &Word, whose: Whose) -> Option<usize> {
        let (name, value) = assignment(word)?;
        let start = word.span.start + name.len() + 1;
        let value_word = Word {
            text: value.to_owned(),
            span: Span::new(start, word.span.end),
            // Quotes around all of the value, not around a part or the name.
            quoted: word
                .quoted
                .filter(|quoted| *quoted == Span::new(start + 1, word.span.end - 1)),
            ..*word
        };
        self.named(word, name, &value_word, whose)
    }

    fn named(&mut self, at: &Word, name: &str, value: &Word, whose: Whose) -> Option<usize> {
        if !catalogue::is_of_interest(name) {
            return None;
        }
        let write = VariableWrite {
            name: name.to_owned(),
            value: if value.dynamic || value.text.len() > LONGEST_VALUE {
                Value::Dynamic
            } else {
                Value::Known(value.text.clone())
            },
            how: HowSet::Assigned,
            whose,
            one_of_several: false,
        };
        let span = Span::new(at.span.start, value.span.end);
        let literal = value.plain.then_some(value.span).or(value.quoted);
        self.fact(span, literal, LABEL, FactKind::SetVariable(write));
        Some(self.facts.len() - 1)
    }

    fn fact(&mut self, span: Span, value: Option<Span>, api: &'static str, kind: FactKind) {
        self.facts.push(Fact {
            span: self.inside.unwrap_or(span),
            value: value.filter(|_| self.inside.is_none()),
            api,
            when: self.when,
            kind,
        });
    }
}

/// Options of `sudo` that take a word.
const SUDO_VALUES: &[&str] = &["-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D"];

/// Whether an option makes `sudo` hand on the environment.
fn preserves(word: &Word) -> bool {
    word.text.starts_with("--preserve-env")
        || (word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('E'))
}

/// The words behind a program's options; `with_value` take a word each.
fn after_options<'w>(mut words: &'w [Word], with_value: &[&str]) -> &'w [Word] {
    while let Some((first, behind)) = words.split_first() {
        if !first.text.starts_with('-') || first.text == "-" {
            break;
        }
        words = behind;
        if first.text == "--" {
            break;
        }
        if with_value.contains(&first.text.as_str()) {
            words = words.get(1..).unwrap_or_default();
        }
    }
    words
}

/// Without the times and masks that wrappers take: `timeout 10m`, `taskset 0x3`.
fn after_numbers(words: &[Word]) -> &[Word] {
    match words.split_first() {
        Some((first, behind)) if first.text.starts_with(|c: char| c.is_ascii_digit()) => behind,
        _ => words,
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

/// The text that a shell is told to run.
fn inner_text<'w>(name: &str, arguments: &'w [Word]) -> Option<&'w Word> {
    if !["bash", "sh", "zsh", "dash", "ksh", "cmd"].contains(&name) {
        return None;
    }
    let at = arguments.iter().position(|word| {
        word.text.eq_ignore_ascii_case("/c")
            || (word.text.starts_with('-')
                && !word.text.starts_with("--")
                && word.text.ends_with('c'))
    })?;
    arguments.get(at + 1)
}

#[cfg(test)]
mod tests;
