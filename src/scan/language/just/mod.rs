//! justfiles: variables that are exported to recipes, and the recipes: lines for a shell, or a
//! script with its own interpreter.

mod strings;

use std::collections::HashSet;

use super::file_name::{has_extension, interpreter, is_called, is_started_by};
use super::given::{self, Given};
use super::logical::{Joining, Lines, Logical};
use super::recipe::{self, Variables};
use super::{Language, ReaderFailed, clue, in_place, python, remark, within};
use crate::git::RepoPath;
use crate::scan::embedded::Embedded;
use crate::scan::fact::{Detail, Fact, FactKind, FileFacts, HowSet, When, Whose};
use crate::scan::remedy::{Wish, Written};
use crate::scan::scopes::Scopes;
use crate::text::{Edit, Span};

/// The label of a variable that just exports.
const LABEL: &str = "export";
/// Shells whose words are read.
const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "ash", "ksh"];

pub(super) const JUST: Language = Language {
    name: "just",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: super::plain_words,
};

fn claims(path: &RepoPath, content: &[u8]) -> bool {
    is_called(path, &["justfile", ".justfile"])
        || has_extension(path, &["just", "justfile"])
        || is_started_by(path, content, &["just"])
}

const JOINING: Joining<'_> = Joining {
    escape: '\\',
    joint: " ",
    comments: &[],
    blanks_follow: false,
};

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let mut reader = Reader {
        detail,
        ..Reader::default()
    };
    // Once for the variables, which may be set below what uses them.
    for pass in [Pass::Variables, Pass::Facts] {
        reader.pass = pass;
        reader.lines(text);
    }
    let first_error = strings::open(text).or(reader.first_error);
    let mut facts = reader.facts;
    facts.sort_by_key(|fact| fact.span);
    Ok(FileFacts {
        facts,
        environment_is_given: true,
        scopes: Scopes::new(reader.scopes),
        comments: remark::comments(text, &["#"]),
        first_error,
        errors: usize::from(first_error.is_some()),
        ..FileFacts::default()
    })
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pass {
    #[default]
    Variables,
    Facts,
}

#[derive(Default)]
struct Reader {
    pass: Pass,
    detail: Detail,
    variables: Variables,
    unexported: HashSet<String>,
    exports_all: bool,
    foreign_shell: bool,
    /// What reads the recipe that follows as one script, by its attribute; empty for what the file
    /// sets.
    script: Option<String>,
    /// What `set script-interpreter` names.
    script_interpreter: Option<String>,
    facts: Vec<Fact>,
    scopes: Vec<Span>,
    /// Where code in a recipe is wrong.
    first_error: Option<usize>,
}

impl Reader {
    fn lines(&mut self, text: &str) {
        let mut lines = Lines::new(text);
        while let Some((_, next)) = lines.peek() {
            if next.starts_with([' ', '\t']) || next.trim().is_empty() {
                lines.raw();
                continue;
            }
            let Some(logical) = lines.joined(JOINING) else {
                return;
            };
            self.own(&logical, &mut lines);
        }
    }

    /// A line of just's own, with the body of a recipe that it heads.
    fn own(&mut self, logical: &Logical, lines: &mut Lines<'_>) {
        let code = logical.code.code();
        if code.starts_with('[') {
            self.script = script_of(code).or(self.script.take());
            return;
        }
        if code.starts_with('#') {
            return;
        }
        let (name, rest) = code
            .split_once(|c: char| c.is_whitespace())
            .unwrap_or((code, ""));
        match name {
            "set" => self.setting(rest),
            "unexport" => {
                self.unexported.insert(rest.trim().to_owned());
            }
            "alias" | "import" | "import?" | "mod" | "mod?" => {}
            _ => match code.split_once(":=") {
                Some((before, value)) if is_assignment(before) => {
                    self.assign(before, code.len() - value.len(), logical);
                }
                _ if code.contains(':') => self.rule(logical, lines),
                _ => {}
            },
        }
    }

    fn setting(&mut self, rest: &str) {
        let rest = rest.trim();
        let (name, value) = rest.split_once(":=").unwrap_or((rest, "true"));
        match name.trim() {
            "export" => self.exports_all = value.trim() == "true",
            "shell" => {
                self.foreign_shell =
                    !first_program(value).is_some_and(|name| SHELLS.contains(&name));
            }
            "script-interpreter" => {
                self.script_interpreter = first_program(value).map(str::to_owned);
            }
            _ => {}
        }
    }

    fn assign(&mut self, before: &str, from: usize, logical: &Logical) {
        let code = logical.code.code();
        let (export, name) = match before.trim().strip_prefix("export") {
            Some(name) if name.starts_with([' ', '\t']) => (true, name.trim()),
            _ => (false, before.trim()),
        };
        let default = literal(code, from).is_none();
        let literal = literal(code, from).or_else(|| default_of(code, from));
        if self.pass == Pass::Variables {
            let known = literal.and_then(|inside| code.get(inside.start..inside.end));
            self.variables.set(name, known);
            return;
        }
        if !(export || self.exports_all) || self.unexported.contains(name) {
            return;
        }
        let start = before.len() - before.trim_start().len();
        let start = before.rfind(name).unwrap_or(start);
        let given = self.given(logical, from, literal);
        let end = code.trim_end().len();
        let span = logical.code.in_file(Span::new(start, end));
        let mut fact = given.fact(name, span, (LABEL, Whose::Own));
        if let Some(write) = fact.as_mut().and_then(given::write_of)
            && default
            && literal.is_some()
        {
            write.how = HowSet::Default;
        }
        self.facts.extend(fact);
    }

    fn given(&self, logical: &Logical, from: usize, literal: Option<Span>) -> Given {
        let code = logical.code.code();
        let text = literal.and_then(|inside| Some((inside, code.get(inside.start..inside.end)?)));
        if let Some((inside, text)) = text {
            return Given {
                text: text.to_owned(),
                dynamic: false,
                inside: logical.code.verbatim(inside),
            };
        }
        let name = code.get(from..).unwrap_or_default().trim();
        let known = self.variables.get(name);
        known.map_or_else(Given::unknown, |value| Given {
            text: value.to_owned(),
            ..Given::default()
        })
    }

    /// `name parameter="default" $EXPORTED="default": others`, and its body.
    fn rule(&mut self, logical: &Logical, lines: &mut Lines<'_>) {
        let before = self.facts.len();
        let marked = self.script.take();
        let parameters = self.parameters(logical);
        let mut end = logical.span.end;
        let mut body: Vec<Logical> = Vec::new();
        while let Some((_, next)) = lines.peek() {
            if !next.starts_with([' ', '\t']) && !next.trim().is_empty() {
                break;
            }
            // A script is joined by whoever reads it.
            let is_script = marked.is_some()
                || body
                    .first()
                    .is_some_and(|first| first.code.code().trim_start().starts_with("#!"));
            let line = if is_script {
                lines.raw().map(|(span, text)| as_it_is(span, text))
            } else {
                lines.joined(JOINING)
            };
            let Some(line) = line else {
                break;
            };
            end = line.span.end;
            if !line.code.code().trim().is_empty() || is_script {
                body.push(line);
            }
        }
        if self.pass == Pass::Variables {
            return;
        }
        let first = body
            .first()
            .map_or("", |line| line.code.code())
            .trim_start();
        let program = interpreter(first.as_bytes()).map(str::to_owned);
        if let Some(program) = program {
            let lines = body.get(1..).unwrap_or_default();
            self.script(&program, lines, &parameters);
        } else if let Some(own) = marked {
            let set = self.script_interpreter.as_deref().unwrap_or("sh");
            let program = if own.is_empty() { set.to_owned() } else { own };
            self.script(&program, &body, &parameters);
        } else if !self.foreign_shell {
            for line in &body {
                self.line(line, &parameters);
            }
        }
        if self.facts.len() > before {
            self.scopes.push(Span::new(logical.span.start, end));
        }
    }

    /// The parameters with their defaults; those with a `$` are variables of what is started.
    fn parameters(&mut self, logical: &Logical) -> Variables {
        let code = logical.code.code();
        let mut found = Variables::default();
        let mut at = 0;
        // Up to the colon behind the parameters; the name is none.
        for word in code.split([' ', '\t']) {
            let start = at;
            at += word.len() + 1;
            if start == 0 {
                continue;
            }
            let bare = word.trim_start_matches(['+', '*']);
            if bare.starts_with(':') {
                break;
            }
            let (name, value) = bare.split_once('=').unwrap_or((bare, ""));
            let value_at = start + word.len() - value.len();
            let name = name.trim_end_matches(':');
            let literal = literal(code.get(..at - 1).unwrap_or_default(), value_at);
            let text = literal.and_then(|inside| code.get(inside.start..inside.end));
            let own = name.trim_start_matches('$');
            found.set(own, text);
            if own.len() < name.len()
                && self.pass == Pass::Facts
                && let Some(inside) = literal
            {
                let given = self.given(logical, value_at, Some(inside));
                let from = start + (word.len() - bare.len());
                let span = logical.code.in_file(Span::new(from, inside.end));
                self.facts
                    .extend(given.fact(own, span, ("parameter", Whose::Child)));
            }
            if word.ends_with(':') {
                break;
            }
        }
        found
    }

    /// A line of a recipe, with a shell of its own.
    fn line(&mut self, line: &Logical, parameters: &Variables) {
        let code = line.code.code();
        let content = code.trim_start_matches([' ', '\t', '@', '-']);
        let from = code.len() - content.len();
        let mut filled = Embedded::default();
        self.fill(&mut filled, &line.code, from, parameters);
        let facts = recipe::shell(&filled, When::Loading);
        if !facts.is_empty() {
            self.scopes.push(line.span);
        }
        self.facts.extend(facts);
    }

    /// A body that an interpreter reads.
    fn script(&mut self, program: &str, body: &[Logical], parameters: &Variables) {
        let indent = body.first().map_or(0, |line| {
            let code = line.code.code();
            code.len() - code.trim_start().len()
        });
        let mut filled = Embedded::default();
        for line in body {
            let code = line.code.code();
            let blank = code.len() - code.trim_start().len();
            self.fill(&mut filled, &line.code, indent.min(blank), parameters);
            filled.push(Span::new(line.span.end, line.span.end), "\n");
        }
        let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let facts = if SHELLS.contains(&program) {
            recipe::shell(&filled, When::Loading)
        } else if program == "python" {
            let inner = within::read(&python::PYTHON, &filled, self.detail);
            self.first_error = self.first_error.or(inner.first_error);
            inner.facts
        } else {
            Vec::new()
        };
        self.facts.extend(facts);
    }

    /// Copies a line from an offset on, with what stands between `{{` and `}}` filled in.
    fn fill(&mut self, to: &mut Embedded, from: &Embedded, start: usize, parameters: &Variables) {
        let code = from.code();
        let mut at = start;
        while let Some(rest) = code.get(at..).filter(|rest| !rest.is_empty()) {
            // `{{{{` stands for two braces.
            if let Some(braces) = rest.find("{{").filter(|open| {
                rest.get(*open..)
                    .is_some_and(|rest| rest.starts_with("{{{{"))
            }) {
                from.copy_to(to, Span::new(at, at + braces + 2));
                at += braces + 4;
                continue;
            }
            let opened = rest.find("{{").and_then(|open| {
                let close = rest.get(open..)?.find("}}")?;
                Some((open, open + close + 2))
            });
            if let (None, Some(open)) = (opened, rest.find("{{")) {
                let place = from.in_file(Span::new(at + open, at + open + 2));
                self.first_error = self.first_error.or(Some(place.start));
            }
            let (open, close) = opened.unwrap_or((rest.len(), rest.len()));
            from.copy_to(to, Span::new(at, at + open));
            if close > open {
                let name = rest.get(open + 2..close - 2).unwrap_or_default().trim();
                let value = parameters.get(name).or_else(|| self.variables.get(name));
                recipe::fill(to, from.in_file(Span::new(at + open, at + close)), value);
            }
            at += close;
        }
    }
}

/// The interpreter of `[script]` and `[script('bash')]`, among other attributes.
fn script_of(attributes: &str) -> Option<String> {
    let mut parts = attributes.split(['[', ',', ']']).map(str::trim);
    let own = parts.find_map(|part| part.strip_prefix("script"))?;
    match own.trim_start() {
        "" => Some(String::new()),
        rest => {
            let rest = rest.strip_prefix(['(', ':'])?;
            first_program(rest).map(str::to_owned)
        }
    }
}

/// The program that the first text in quotes names, without its folder.
fn first_program(code: &str) -> Option<&str> {
    let first = code.split(['"', '\'']).nth(1)?;
    first.split_whitespace().next()?.rsplit('/').next()
}

fn as_it_is(span: Span, text: &str) -> Logical {
    let mut code = Embedded::default();
    code.push(span, text);
    Logical { span, code }
}

/// Whether what stands before `:=` is a name, or `export` and a name.
fn is_assignment(before: &str) -> bool {
    let before = before.trim();
    let name = before.strip_prefix("export").map_or(before, |rest| {
        if rest.starts_with([' ', '\t']) {
            rest.trim()
        } else {
            before
        }
    });
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b"_-".contains(&b) || b.is_ascii_alphanumeric())
}

/// The inside of a value that is one text in quotes, without escapes.
fn literal(code: &str, start: usize) -> Option<Span> {
    let rest = code.get(start..)?;
    let value = rest.trim_start();
    let at = start + (rest.len() - value.len());
    let quote = value.chars().next().filter(|c| "\"'".contains(*c))?;
    let inner = value.get(1..)?;
    let end = inner.find(quote)?;
    let text = inner.get(..end)?;
    let behind = inner.get(end + 1..)?.trim_start();
    let is_whole = behind.is_empty() || behind.starts_with(['#', ':']);
    (is_whole && !text.contains('\\')).then(|| Span::new(at + 1, at + 1 + end))
}

/// The default of `env("NAME", "default")`, and of `env_var_or_default`, its older name.
fn default_of(code: &str, start: usize) -> Option<Span> {
    let rest = code.get(start..)?;
    let call = rest.trim();
    let inner = ["env(", "env_var_or_default("]
        .iter()
        .find_map(|name| call.strip_prefix(name)?.strip_suffix(')'))?;
    let (_, default) = inner.split_once(',')?;
    let from = start + rest.find(inner)? + (inner.len() - default.len());
    literal(code.get(..from + default.len())?, from)
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside,
        flags_are_words: false,
    };
    in_place::edits(text, facts, wishes, style)
}

fn beside(text: &str, _: &FileFacts, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    if given::is_of_command(fact) {
        return given::word_before(text, fact, (name, value));
    }
    let is_default =
        matches!(&fact.kind, FactKind::SetVariable(write) if write.how == HowSet::Default);
    if fact.api == LABEL && is_default {
        let line = format!("export {name} := \"{value}\"");
        return in_place::line_above(text, fact.span.start, &line);
    }
    if fact.api == LABEL {
        return given::line_like(text, fact, (name, value));
    }
    // A parameter more would take an argument.
    None
}
