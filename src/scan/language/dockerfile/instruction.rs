//! One instruction after another, with what the stage knows of its variables.

use std::collections::BTreeMap;

use super::words;
use crate::scan::catalogue::flag::program_of_image;
use crate::scan::catalogue::{self, Variable};
use crate::scan::embedded::Embedded;
use crate::scan::fact::When;
use crate::scan::fact::{Detail, Fact, Whose};
use crate::scan::language::command::{Word, piece, word_facts_in_piece};
use crate::scan::language::given::{Given, counted_inside, write_of};
use crate::scan::language::logical::{Lines, Logical};
use crate::scan::language::{file_name, python, within};
use crate::text::Span;

/// The label of what `ENV` sets.
const ENV: &str = "ENV";
/// The label of what `ARG` sets while the image is built.
const ARG: &str = "ARG";

/// What a Dockerfile says, up to the stage that is read.
pub(super) struct Stage {
    pub(super) facts: Vec<Fact>,
    /// The commands, each with its own variables in front.
    pub(super) scopes: Vec<Span>,
    pub(super) first_error: Option<usize>,
    pub(super) errors: usize,
    detail: Detail,
    escape: char,
    /// The `ARG`s above the first stage.
    global: BTreeMap<String, Given>,
    /// What the stage's variables are.
    known: BTreeMap<String, Given>,
    is_inside: bool,
    /// The words that a container starts with before those of `CMD`: of `ENTRYPOINT`, or of an
    /// image known by its name.
    entry_point: Vec<String>,
    /// Whether its commands are read by a shell of Windows.
    foreign_shell: bool,
    /// Whether they may be, so that nobody knows what an open quote is.
    on_windows: bool,
}

impl Stage {
    pub(super) fn new(detail: Detail, escape: char) -> Self {
        Self {
            facts: Vec::new(),
            scopes: Vec::new(),
            first_error: None,
            errors: 0,
            detail,
            escape,
            global: BTreeMap::new(),
            known: BTreeMap::new(),
            is_inside: false,
            entry_point: Vec::new(),
            foreign_shell: false,
            on_windows: escape == '`',
        }
    }

    /// Reads an instruction, with its here-documents from the lines that follow; whether it starts
    /// a stage.
    pub(super) fn instruction(&mut self, line: &Logical, lines: &mut Lines<'_>) -> bool {
        let code = line.code.code();
        let name = code.trim_start();
        let start = code.len() - name.len();
        let name = name
            .split(|c: char| c.is_whitespace())
            .next()
            .unwrap_or_default();
        let starts = name.eq_ignore_ascii_case("FROM");
        if starts {
            self.is_inside = true;
            self.foreign_shell = false;
            self.known.clear();
        }
        let documents = if ["RUN", "COPY", "ADD"]
            .iter()
            .any(|with| name.eq_ignore_ascii_case(with))
        {
            let (documents, end) = documents(code, self.escape, lines);
            if !end {
                self.error(line.span.start);
            }
            documents
        } else {
            Vec::new()
        };
        let before = self.facts.len();
        self.read(line, start, &documents);
        if let Some(new) = self.facts.get_mut(before..) {
            new.sort_by_key(|fact| fact.span);
        }
        starts
    }

    fn error(&mut self, at: usize) {
        self.errors += 1;
        self.first_error.get_or_insert(at);
    }

    /// A quote without an end in the words of an instruction.
    fn quotes(&mut self, code: &Embedded, start: usize) {
        if let Some(at) = words::open_quote(code.code(), start, self.escape) {
            self.error(code.in_file(Span::new(at, at)).start);
        }
    }

    fn read(&mut self, line: &Logical, start: usize, documents: &[Embedded]) {
        let code = line.code.code();
        let rest = code.get(start..).unwrap_or_default();
        let name = rest
            .split(|c: char| c.is_whitespace())
            .next()
            .unwrap_or_default();
        let behind = start + name.len();
        let name = name.to_ascii_uppercase();
        if ["ENV", "ARG", "LABEL"].contains(&name.as_str()) {
            self.quotes(&line.code, behind);
        }
        match name.as_str() {
            "ENV" => self.env(&line.code, behind),
            "ARG" => self.arg(&line.code, behind),
            "RUN" => self.run(&line.code, behind, documents),
            "CMD" => self.default_command(&line.code, behind),
            "ENTRYPOINT" => {
                let words = words::listed(code, behind).unwrap_or_default();
                self.entry_point = words.into_iter().map(|word| word.text).collect();
                self.command(&line.code, behind);
            }
            "HEALTHCHECK" => {
                let at = without_options(code, behind);
                let rest = code.get(at..).unwrap_or_default();
                if let Some(command) = rest.trim_start().get(..3)
                    && command.eq_ignore_ascii_case("CMD")
                {
                    self.command(&line.code, at + (rest.len() - rest.trim_start().len()) + 3);
                }
            }
            "ONBUILD" => {
                let rest = code.get(behind..).unwrap_or_default();
                let next = behind + (rest.len() - rest.trim_start().len());
                // Never one in another.
                if !rest
                    .trim_start()
                    .to_ascii_uppercase()
                    .starts_with("ONBUILD")
                {
                    self.read(line, next, documents);
                }
            }
            "SHELL" => {
                if words::is_broken_list(code, behind) {
                    self.error(line.span.start);
                }
                let words = words::listed(code, behind).unwrap_or_default();
                let shell = words.first().map_or("", |word| word.text.as_str());
                self.foreign_shell =
                    !shell.ends_with("sh") || shell.ends_with("pwsh") || shell.ends_with("fish");
            }
            "FROM" => {
                let image = rest.to_ascii_lowercase();
                self.on_windows |= image.contains("windows") || image.contains("nanoserver");
                let mut words = rest.split_whitespace().skip(1);
                let program = words
                    .find(|word| !word.starts_with("--"))
                    .and_then(program_of_image);
                self.entry_point = program.map(str::to_owned).into_iter().collect();
            }
            "COPY" | "ADD" | "EXPOSE" | "LABEL" | "MAINTAINER" | "STOPSIGNAL" | "USER"
            | "VOLUME" | "WORKDIR" => {}
            _ => self.error(line.span.start),
        }
    }

    /// `ENV NAME=value …`, `ENV NAME value`.
    fn env(&mut self, code: &Embedded, start: usize) {
        let mut set = Vec::new();
        for pair in words::pairs(code.code(), start, self.escape) {
            let value = self.resolved(pair.value, code);
            let span = code.in_file(pair.span);
            self.facts
                .extend(value.clone().fact(&pair.name, span, (ENV, Whose::Image)));
            set.push((pair.name, value));
        }
        // All of one instruction see what was there before it.
        self.known.extend(set);
    }

    /// `ARG NAME=default`; without a default, one above the first stage counts.
    fn arg(&mut self, code: &Embedded, start: usize) {
        let words = code.code().get(start..).unwrap_or_default();
        if !words.contains('=') {
            for name in words.split_whitespace() {
                let value = self.global.get(name).cloned();
                self.known
                    .insert(name.to_owned(), value.unwrap_or_else(Given::unknown));
            }
            return;
        }
        for pair in words::pairs(code.code(), start, self.escape) {
            let value = self.resolved(pair.value, code);
            // Only the build sees it, and no runtime gives that cards by a variable.
            let counts = catalogue::variable(&pair.name) != Some(Variable::Container);
            let kept = if self.is_inside && counts {
                let span = code.in_file(pair.span);
                let fact = value.clone().fact(&pair.name, span, (ARG, Whose::Image));
                let is_judged = fact.is_some();
                self.facts.extend(fact);
                // An `ENV` that takes over what was judged here says nothing new.
                if is_judged { Given::unknown() } else { value }
            } else {
                value
            };
            if self.is_inside {
                self.known.insert(pair.name, kept);
            } else {
                self.global.insert(pair.name, kept);
            }
        }
    }

    /// A value with its place in the file; one that is only `$NAME` is what the variable is.
    fn resolved(&self, value: Given, code: &Embedded) -> Given {
        if !value.dynamic {
            return Given {
                inside: value.inside.and_then(|inside| code.verbatim(inside)),
                ..value
            };
        }
        let Some((name, default)) = reference(&value.text) else {
            return Given::unknown();
        };
        let known = self.known.get(name).or_else(|| {
            let before = !self.is_inside;
            self.global.get(name).filter(|_| before)
        });
        match (known, default) {
            (Some(known), _) => Given {
                inside: None,
                ..known.clone()
            },
            (None, Some(default)) if !default.contains('$') => Given {
                text: default.to_owned(),
                dynamic: false,
                inside: None,
            },
            _ => Given::unknown(),
        }
    }

    fn run(&mut self, code: &Embedded, start: usize, documents: &[Embedded]) {
        let start = without_options(code.code(), start);
        let command = code.code().get(start..).unwrap_or_default().trim();
        for document in documents {
            self.document(document, command);
        }
        self.command(code, start);
    }

    /// What a container starts with unless it is told otherwise: options are those of its entry
    /// point.
    fn default_command(&mut self, code: &Embedded, start: usize) {
        let options = words::listed(code.code(), start).filter(|words| {
            let first = words.first();
            first.is_some_and(|word| word.text.starts_with('-'))
        });
        let Some(options) = options else {
            return self.command(code, start);
        };
        let entry_point = self.entry_point.iter().map(|text| Word {
            text: text.clone(),
            span: Span::new(start, start),
            ..Word::default()
        });
        let words: Vec<Word> = entry_point.chain(options).collect();
        self.command_facts(word_facts_in_piece(&words, When::Loading), code, start);
    }

    /// A list in brackets, or a text for a shell.
    fn command(&mut self, code: &Embedded, start: usize) {
        let text = code.code();
        let facts = if let Some(words) = words::listed(text, start) {
            word_facts_in_piece(&words, When::Loading)
        } else if self.foreign_shell {
            return;
        } else {
            let text = text.get(start..).unwrap_or_default();
            let found = piece(text, When::Loading);
            let wrong = if words::is_broken_list(text, 0) {
                Some(0)
            } else {
                found.first_error.filter(|_| !self.on_windows)
            };
            if let Some(at) = wrong {
                let at = start + at;
                self.error(code.in_file(Span::new(at, at)).start);
            }
            let facts = found.facts.into_iter();
            facts.map(|fact| moved(fact, start)).collect()
        };
        self.command_facts(facts, code, start);
    }

    /// Adds what a command does, with an environment of its own.
    fn command_facts(&mut self, facts: Vec<Fact>, code: &Embedded, start: usize) {
        if !facts.is_empty() {
            let whole = Span::new(start, code.code().len());
            self.scopes.push(code.in_file(whole));
        }
        self.add(within::placed(facts, code));
    }

    /// A here-document: a script, where the shell runs it, or the input of an interpreter.
    fn document(&mut self, document: &Embedded, command: &str) {
        let script = document.code();
        let mut words = command
            .split_whitespace()
            .filter(|word| !word.starts_with("<<"));
        let program = match words.next() {
            None => file_name::interpreter(script.as_bytes()).unwrap_or("sh"),
            Some(program) => {
                let program = program.rsplit('/').next().unwrap_or_default();
                // What is behind it is its input, unless it runs something else.
                let is_input = words.all(|word| word == "-");
                if is_input { program } else { "" }
            }
        };
        let facts = match program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
            "sh" | "bash" | "dash" | "zsh" | "ash" => {
                let found = piece(script, When::Loading);
                if let Some(at) = found.first_error {
                    self.error(document.in_file(Span::new(at, at)).start);
                }
                within::placed(found.facts, document)
            }
            "python" => {
                let inner = within::read(&python::PYTHON, document, self.detail);
                if let Some(at) = inner.first_error {
                    self.error(at);
                }
                inner.facts
            }
            _ => return,
        };
        self.add(facts);
    }

    /// What is set by a command is set in the image, unless nobody sees it.
    fn add(&mut self, facts: Vec<Fact>) {
        self.facts
            .extend(counted_inside(facts).into_iter().map(|mut fact| {
                if let Some(write) = write_of(&mut fact)
                    && matches!(write.whose, Whose::Child | Whose::Own)
                {
                    write.whose = Whose::Image;
                }
                fact
            }));
    }
}

/// The here-documents of an instruction, taken from the lines behind it; whether all have an end.
fn documents(code: &str, escape: char, lines: &mut Lines<'_>) -> (Vec<Embedded>, bool) {
    let mut found = Vec::new();
    let mut end = true;
    for name in words::documents(code, escape) {
        let mut document = Embedded::default();
        end = false;
        while let Some((span, line)) = lines.raw() {
            end = line.trim_start_matches('\t') == name;
            if end {
                break;
            }
            document.push(span, line);
            document.push(Span::new(span.end, lines.at()), "\n");
        }
        found.push(document);
    }
    (found, end)
}

fn without_options(code: &str, start: usize) -> usize {
    let mut at = start;
    while let Some(end) = words::option(code, at) {
        at = end;
    }
    at
}

/// The variable of a text that is `$NAME`, `${NAME}` or `${NAME:-default}` and nothing else.
fn reference(text: &str) -> Option<(&str, Option<&str>)> {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric())
    };
    let name = text.strip_prefix('$')?;
    let Some(inner) = name.strip_prefix('{') else {
        return is_name(name).then_some((name, None));
    };
    let inner = inner.strip_suffix('}')?;
    let (name, default) = match inner.split_once(":-").or_else(|| inner.split_once('-')) {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    is_name(name).then_some((name, default))
}

/// A fact of the code that starts at an offset.
fn moved(mut fact: Fact, by: usize) -> Fact {
    let shift = |span: Span| Span::new(span.start + by, span.end + by);
    (fact.span, fact.value) = (shift(fact.span), fact.value.map(shift));
    fact
}
