//! Commands in settings: scripts of CI jobs, lists of words, the options of a container.

use super::name::normal;
use super::reader::{Reader, in_another_language, reader};
use super::tree::{Entry, Kind, Node, Scalar};
use super::walk::{Around, Sense, Walk};
use super::{later_steps, program};
use crate::scan::catalogue;
use crate::scan::embedded::Embedded;
use crate::scan::fact::{Fact, FactKind, HowSet, Value, VariableWrite, When, Whose};
use crate::scan::language::command::{
    Exports, Word, facts_in_piece, script, with_python, word_facts_in_piece,
};
use crate::scan::language::given::counted_inside;
use crate::scan::language::placeholder::is_filled_in;
use crate::scan::language::within;
use crate::text::Span;

/// The label of what commands of another place set.
const LABEL: &str = "shell command";

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
    "shell",
    "shell_command",
    "test_command",
];

/// Keys of lists whose elements are the words of one command.
const WORDS: &[&str] = &["argv", "cmd", "command", "entrypoint"];

/// Whether a key holds options that a container is started with.
fn is_container_options(name: &str) -> bool {
    matches!(name, "options" | "run_args") || name.contains("docker") || name.contains("container")
}

/// A script, or the words of a command; whether the entry says nothing else.
pub(super) fn of_entry<'t>(walk: &mut Walk<'t>, entry: &'t Entry, around: Around<'t>) -> bool {
    let name = normal(&entry.key);
    if is_container_options(&name) {
        if name == "run_args" {
            // Whatever the file starts besides runs in the container that these give cards to.
            walk.scope(around.owner);
        }
        return container_options(walk, &entry.value, around);
    }
    if around.sense == Sense::Prose {
        return false;
    }
    if let (Some(language), Kind::Scalar(scalar)) =
        (in_another_language(&name, entry, around), &entry.value.kind)
    {
        let lines = std::iter::once((scalar, entry.value.span));
        read_as(walk, lines, around, &Reader::Another(language));
        return true;
    }
    if name == "addopts" {
        program::of_pytest(walk, &entry.value, around);
        return true;
    }
    let is_named = || {
        let outer = around.outer_key;
        outer.ends_with("Command") && program::is_lifecycle(&normal(outer))
    };
    if program::is_lifecycle(&name) || is_named() {
        let around = Around {
            // It runs where the container is made.
            in_container: around.in_container && name != "initialize_command",
            ..around
        };
        if let Kind::List(elements) = &entry.value.kind
            && !are_lines(elements)
        {
            let facts = word_facts_in_piece(&listed(elements), When::Loading);
            add(walk, facts, entry.value.span, around);
            return true;
        }
        if let Kind::Scalar(scalar) = &entry.value.kind {
            text(walk, std::iter::once((scalar, entry.value.span)), around);
            return true;
        }
    }
    let is_script = SCRIPTS.contains(&name.as_str())
        || around.outer_key == "scripts"
        || around.outer_key == "tasks" && is_short_task(&entry.value);
    if !is_script {
        return false;
    }
    match &entry.value.kind {
        Kind::Scalar(scalar) => {
            text(walk, std::iter::once((scalar, entry.value.span)), around);
            true
        }
        Kind::List(elements) => {
            if !WORDS.contains(&name.as_str()) || are_lines(elements) {
                lines(walk, elements, around);
                return true;
            }
            // The words of a command were read with what stands beside them.
            elements.iter().all(|element| element.scalar().is_some())
        }
        _ => false,
    }
}

/// Whether a task is nothing but its command, or its commands (Taskfile's short form).
fn is_short_task(task: &Node) -> bool {
    task.text().is_some_and(|text| text.trim().contains(' ')) || are_lines(task.elements())
}

/// The commands of a list, which one shell runs; what is none, such as another task, is read by
/// itself.
fn lines<'t>(walk: &mut Walk<'t>, elements: &'t [Node], around: Around<'t>) {
    let commands = elements
        .iter()
        .filter_map(|element| Some((element.scalar()?, element.span)));
    text(walk, commands, around);
    let others = || elements.iter().filter(|element| element.scalar().is_none());
    // Commands that stand elsewhere may set the order, as most scripts do before their mask.
    let is_reference = |other: &&Node| !matches!(other.kind, Kind::Map(_));
    if let (Some(first), Some(last)) = (elements.first(), elements.last())
        && let Some(reference) = others().find(is_reference)
        && others().count() < elements.len()
    {
        walk.scope(Some(Span::new(first.span.start, last.span.end)));
        walk.fact(reference.span, None, LABEL, shared_order(around));
    }
    others().for_each(|other| walk.node(other, around));
}

/// An order that commands of another place may set.
fn shared_order(around: Around<'_>) -> FactKind {
    FactKind::SetVariable(VariableWrite {
        name: "CUDA_DEVICE_ORDER".to_owned(),
        value: Value::Dynamic,
        how: HowSet::Shared,
        whose: around.whose(),
        one_of_several: false,
    })
}

/// Whether a list is of whole commands, not of the words of one.
pub(super) fn are_lines(elements: &[Node]) -> bool {
    let mut commands = elements.iter().filter_map(Node::text);
    commands
        .next()
        .is_some_and(|first| first.trim().contains(' '))
}

/// A list of commands under whatever key, such as one that others refer to: known by a mask in front
/// of one of them. Whether it is one.
pub(super) fn of_list<'t>(walk: &mut Walk<'t>, elements: &'t [Node], around: Around<'t>) -> bool {
    let sets_mask = |element: &Node| element.text().is_some_and(is_masked_command);
    let is_script = is_of_settings(around) && elements.iter().any(sets_mask);
    if is_script {
        lines(walk, elements, around);
    }
    is_script
}

/// The same for one text.
pub(super) fn of_text<'t>(
    walk: &mut Walk<'t>,
    node: &Node,
    scalar: &'t Scalar,
    around: Around<'t>,
) -> bool {
    let is_script = is_of_settings(around) && is_masked_command(&scalar.text);
    if is_script {
        text(walk, std::iter::once((scalar, node.span)), around);
    }
    is_script
}

fn is_of_settings(around: Around<'_>) -> bool {
    matches!(around.sense, Sense::Settings | Sense::Resources)
}

/// Words that a sentence goes on with behind `NAME=value`, where a command has its program.
const OF_SENTENCES: &[&str] = &[
    "and", "are", "as", "because", "but", "by", "can", "does", "for", "from", "has", "here",
    "hides", "if", "in", "instead", "is", "makes", "means", "must", "not", "on", "only", "or",
    "selects", "set", "should", "shows", "so", "to", "use", "uses", "was", "when", "which", "will",
    "with", "works",
];

/// Whether a text is a command with one of CUDA's variables in front of it.
fn is_masked_command(text: &str) -> bool {
    let mut is_masked = false;
    for line in text.trim_start().lines() {
        let (line, goes_on) = match line.trim_end().strip_suffix('\\') {
            Some(line) => (line, true),
            None => (line, false),
        };
        for word in line.split_whitespace() {
            let Some((name, _)) = word.split_once('=') else {
                let is_part = |c: char| c.is_ascii_alphanumeric() || "_-./$~{}:+\"'".contains(c);
                return is_masked && word.chars().all(is_part) && !OF_SENTENCES.contains(&word);
            };
            let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
            if !name.chars().all(is_part) {
                return false;
            }
            is_masked |= catalogue::is_of_interest(name);
        }
        if !goes_on {
            return false;
        }
    }
    false
}

/// Lines that one shell reads.
pub(super) fn text<'t>(
    walk: &mut Walk<'_>,
    lines: impl Iterator<Item = (&'t Scalar, Span)>,
    around: Around<'_>,
) {
    read_as(walk, lines, around, &reader(around.shell));
}

/// Lines that one program reads.
fn read_as<'t>(
    walk: &mut Walk<'_>,
    lines: impl Iterator<Item = (&'t Scalar, Span)>,
    around: Around<'_>,
    reader: &Reader,
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
    let mut later = later_steps::variables(code.code());
    for fact in &mut later {
        if let FactKind::SetVariable(write) = &mut fact.kind {
            write.whose = around.whose();
        }
    }
    walk.facts(within::placed(later, &code));
    let (facts, scopes) = match reader {
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

/// Adds a scalar's text with its places.
pub(super) fn push(code: &mut Embedded, scalar: &Scalar, span: Span, text: &str) {
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

pub(super) fn listed(elements: &[Node]) -> Vec<Word> {
    elements
        .iter()
        .filter_map(|element| Some(word(element.scalar()?, element.span)))
        .collect()
}

pub(super) fn word(scalar: &Scalar, span: Span) -> Word {
    Word {
        text: scalar.text.clone(),
        span: scalar.inside.unwrap_or(span),
        dynamic: scalar.text.contains('$') || is_filled_in(&scalar.text),
        plain: scalar.inside.is_some(),
        ..Word::default()
    }
}

/// What a command does; what it exports counts for whatever else is read with it.
pub(super) fn add(walk: &mut Walk<'_>, mut facts: Vec<Fact>, span: Span, around: Around<'_>) {
    if facts.is_empty() {
        return;
    }
    if around.in_container {
        facts = counted_inside(facts);
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
