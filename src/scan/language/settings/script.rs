//! Commands in settings: scripts of CI jobs, lists of words, the options of a container.

use super::name::normal;
use super::tree::{Entry, Kind, Node, Scalar};
use super::variable;
use super::walk::{Around, Sense, Walk};
use crate::scan::embedded::Embedded;
use crate::scan::fact::{Fact, FactKind, When, Whose};
use crate::scan::language::command::{
    Exports, Word, facts_in_piece, script, with_python, word_facts_in_piece,
};
use crate::scan::language::{Language, python, shell, within};
use crate::text::Span;

/// Keys of scripts: a text, or a list of lines.
const SCRIPTS: &[&str] = &[
    "after_script",
    "bash",
    "before_script",
    "cmd",
    "cmds",
    "command",
    "commands",
    "entry",
    "entrypoint",
    "run",
    "script",
    "scripts",
    "setup",
    "shell_command",
    "test_command",
];

/// Keys of lists whose elements are the words of one command.
const WORDS: &[&str] = &["argv", "cmd", "command", "entrypoint"];

/// Whether a key holds options that a container is started with.
fn is_container_options(name: &str) -> bool {
    matches!(name, "options" | "run_args") || name.contains("docker") || name.contains("container")
}

/// What the keys of one map start together: a program with its arguments.
pub(super) fn of_map(walk: &mut Walk<'_>, node: &Node, around: Around<'_>) {
    if around.sense == Sense::Prose {
        return;
    }
    let mut words: Vec<Word> = Vec::new();
    let program = ["command", "program", "runtimeExecutable"]
        .iter()
        .find_map(|key| node.get(key));
    match program.map(|program| &program.kind) {
        Some(Kind::List(elements)) if !are_lines(elements) => words.extend(listed(elements)),
        Some(Kind::Scalar(scalar)) if !scalar.text.contains(char::is_whitespace) => {
            let span = program.map_or(node.span, |program| program.span);
            if is_python(&scalar.text) || node.get("program").is_some() {
                words.push(Word {
                    text: "python".to_owned(),
                    span,
                    ..Word::default()
                });
            }
            words.push(word(scalar, span));
        }
        _ => {}
    }
    let arguments = node.get("args").map(Node::elements).unwrap_or_default();
    let command = program.map(Node::elements).unwrap_or_default();
    if let Some((script, span)) = shell_script(command, arguments) {
        text(walk, std::iter::once((script, span)), around);
        return;
    }
    if !words.is_empty() {
        words.extend(listed(arguments));
        add(
            walk,
            word_facts_in_piece(&words, When::Loading),
            node.span,
            around,
        );
    }
}

fn is_python(program: &str) -> bool {
    let extension = std::path::Path::new(program).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("py"))
}

/// The script in `[sh, -c]` with its arguments: read where it stands, line by line.
fn shell_script<'t>(command: &'t [Node], arguments: &'t [Node]) -> Option<(&'t Scalar, Span)> {
    let mut words = command.iter().chain(arguments);
    let program = words.next()?.text()?.rsplit('/').next()?;
    if !["bash", "sh", "zsh", "dash"].contains(&program) {
        return None;
    }
    let option = words.next()?.text()?;
    let is_script = option.starts_with('-') && !option.starts_with("--") && option.ends_with('c');
    let script = words.next().filter(|_| is_script)?;
    Some((script.scalar()?, script.span))
}

/// A script, or the words of a command; whether the entry says nothing else.
pub(super) fn of_entry(walk: &mut Walk<'_>, entry: &Entry, around: Around<'_>) -> bool {
    let name = normal(&entry.key);
    if is_container_options(&name) {
        return container_options(walk, &entry.value, around);
    }
    if around.sense == Sense::Prose {
        return false;
    }
    let is_script = SCRIPTS.contains(&name.as_str()) || around.outer_key == "scripts";
    if !is_script {
        return false;
    }
    match &entry.value.kind {
        Kind::Scalar(scalar) => {
            text(walk, std::iter::once((scalar, entry.value.span)), around);
            true
        }
        Kind::List(elements) if elements.iter().all(|element| element.scalar().is_some()) => {
            if !WORDS.contains(&name.as_str()) || are_lines(elements) {
                let lines = elements
                    .iter()
                    .filter_map(|element| Some((element.scalar()?, element.span)));
                text(walk, lines, around);
            }
            // The words of a command were read with what stands beside them.
            true
        }
        _ => false,
    }
}

/// Whether a list is of whole commands, not of the words of one.
fn are_lines(elements: &[Node]) -> bool {
    elements
        .first()
        .and_then(Node::text)
        .is_some_and(|first| first.trim().contains(' '))
}

/// The shell that a step of a workflow names for its script, or a workflow for all of its steps.
pub(super) fn shell_of(node: &Node) -> Option<&str> {
    let of_step = node.get("shell").filter(|_| node.get("run").is_some());
    let of_all = || node.at(&["defaults", "run", "shell"]);
    of_step.or_else(of_all)?.text()
}

/// Who reads the scripts of a step.
enum Reader {
    /// sh, bash, or what nobody named.
    Shell,
    Another(&'static Language),
    /// A language that is not read.
    Nobody,
}

/// The reader that a shell's name means: `python`, `pwsh`, `bash -e {0}`.
fn reader(shell: &str) -> Reader {
    let program = shell.split_whitespace().next().unwrap_or_default();
    let program = program.rsplit(['/', '\\']).next().unwrap_or_default();
    match program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "" | "bash" | "sh" | "zsh" | "dash" => Reader::Shell,
        "python" => Reader::Another(&python::PYTHON),
        "pwsh" | "powershell" => Reader::Another(&shell::POWERSHELL),
        "cmd" => Reader::Another(&shell::BATCH),
        // Filled in later: most are shells.
        _ if variable::is_decided_later(program) => Reader::Shell,
        _ => Reader::Nobody,
    }
}

/// Lines that one shell reads.
fn text<'t>(
    walk: &mut Walk<'_>,
    lines: impl Iterator<Item = (&'t Scalar, Span)>,
    around: Around<'_>,
) {
    let mut code = Embedded::default();
    code.start_cell(1);
    let mut all: Option<Span> = None;
    for (scalar, span) in lines {
        push(&mut code, scalar, span, walk.text);
        code.push(Span::new(span.end, span.end), "\n");
        all = Some(all.map_or(span, |all| Span::new(all.start, span.end)));
    }
    let Some(span) = all else {
        return;
    };
    // What a step writes for those that follow, whoever reads it: no piece of the file has these
    // for itself.
    walk.facts(within::placed(for_later_steps(code.code()), &code));
    let (facts, scopes) = match reader(around.shell) {
        Reader::Shell => of_shell(&code),
        Reader::Another(language) => {
            let inner = within::read(language, &code, walk.detail);
            (inner.facts, inner.scopes)
        }
        Reader::Nobody => return,
    };
    for scope in scopes {
        walk.scope(Some(scope));
    }
    add(walk, facts, span, around);
}

/// A script's facts, and the pieces of it with an environment of their own. As a whole it has the
/// environment of the step.
fn of_shell(code: &Embedded) -> (Vec<Fact>, Vec<Span>) {
    let found = with_python(script(code.code(), When::Loading, Exports::Children));
    let whole = Span::new(0, code.code().len());
    let scopes = found.scopes.into_iter().filter(|scope| *scope != whole);
    let scopes = scopes.map(|scope| code.in_file(scope)).collect();
    (within::placed(found.facts, code), scopes)
}

/// `echo NAME=value >> $GITHUB_ENV`: the variables of a workflow's steps that follow.
fn for_later_steps(code: &str) -> Vec<Fact> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in code.split_inclusive('\n') {
        if line.contains("GITHUB_ENV") {
            let is_end = |c: char| c.is_whitespace() || "\"'".contains(c);
            let mut at = start;
            for word in line.split(is_end) {
                found.extend(variable::assigned(word, at));
                at += word.len() + 1;
            }
        }
        start += line.len();
    }
    found
}

/// Adds a scalar's text with its places.
fn push(code: &mut Embedded, scalar: &Scalar, span: Span, text: &str) {
    match (&scalar.inside, &scalar.pieces) {
        (Some(inside), _) => code.push(*inside, &scalar.text),
        (None, Some(pieces)) => {
            for (file, piece) in pieces.pieces() {
                code.push(file, piece);
            }
        }
        (None, None) if text.get(span.start..span.end).is_some() => {
            code.push(span, &scalar.text);
        }
        (None, None) => {}
    }
}

/// `--gpus all` beside an image, and `runArgs`.
fn container_options(walk: &mut Walk<'_>, value: &Node, around: Around<'_>) -> bool {
    let docker = ["docker", "run"].map(|text| Word {
        text: text.to_owned(),
        span: Span::new(value.span.start, value.span.start),
        ..Word::default()
    });
    match &value.kind {
        Kind::Scalar(scalar) if scalar.text.trim_start().starts_with('-') => {
            let mut code = Embedded::default();
            code.start_cell(1);
            code.push(Span::new(value.span.start, value.span.start), "docker run ");
            push(&mut code, scalar, value.span, walk.text);
            let facts = facts_in_piece(code.code(), When::Loading);
            add(walk, within::placed(facts, &code), value.span, around);
            true
        }
        Kind::List(elements) => {
            let dashed = |node: &Node| node.text().is_some_and(|text| text.starts_with('-'));
            if !elements.first().is_some_and(dashed) {
                return false;
            }
            let words: Vec<Word> = docker.into_iter().chain(listed(elements)).collect();
            add(
                walk,
                word_facts_in_piece(&words, When::Loading),
                value.span,
                around,
            );
            true
        }
        _ => false,
    }
}

fn listed(elements: &[Node]) -> Vec<Word> {
    elements
        .iter()
        .filter_map(|element| Some(word(element.scalar()?, element.span)))
        .collect()
}

fn word(scalar: &Scalar, span: Span) -> Word {
    Word {
        text: scalar.text.clone(),
        span: scalar.inside.unwrap_or(span),
        dynamic: scalar.text.contains('$') || scalar.text.contains("{{"),
        plain: scalar.inside.is_some(),
        ..Word::default()
    }
}

/// What a command does; what it exports counts for whatever else is read with it.
fn add(walk: &mut Walk<'_>, mut facts: Vec<Fact>, span: Span, around: Around<'_>) {
    if facts.is_empty() {
        return;
    }
    let before_others = matches!(around.key, "before_script" | "setup");
    for fact in &mut facts {
        if let FactKind::SetVariable(write) = &mut fact.kind {
            if before_others && write.whose == Whose::Nobody {
                write.whose = Whose::Child;
            }
            if around.in_container && write.whose == Whose::Child {
                write.whose = Whose::Container;
            }
        }
    }
    walk.scope(Some(span));
    walk.facts(facts);
}
