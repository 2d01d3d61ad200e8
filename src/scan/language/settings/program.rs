//! Programs that settings start: a program or module beside its arguments, as editors write them.

use super::script::{add, are_lines, listed, push, text, word};
use super::tree::{Kind, Node, Scalar};
use super::walk::{Around, Sense, Walk};
use crate::scan::catalogue::flag::program_of_image;
use crate::scan::embedded::Embedded;
use crate::scan::fact::When;
use crate::scan::language::command::{Word, facts_in_piece, word_facts_in_piece};
use crate::scan::language::within;
use crate::text::Span;

/// The commands of a `devcontainer.json`, each a text, the words of one command, or several by name.
/// Source: "Lifecycle scripts" of the Development Container Specification.
const LIFECYCLE: &[&str] = &[
    "initialize_command",
    "on_create_command",
    "post_attach_command",
    "post_create_command",
    "post_start_command",
    "update_content_command",
];

/// Whether a key holds a command of a container's life.
pub(super) fn is_lifecycle(name: &str) -> bool {
    LIFECYCLE.contains(&name)
}

/// What the keys of one map start together: a program with its arguments.
pub(super) fn of_map<'t>(walk: &mut Walk<'t>, node: &'t Node, around: Around<'t>) {
    if around.sense == Sense::Prose {
        return;
    }
    let program = ["command", "program", "runtimeExecutable"]
        .iter()
        .find_map(|key| node.get(key));
    let arguments = node.get("args");
    let elements = arguments.map(Node::elements).unwrap_or_default();
    let command = program.map(Node::elements).unwrap_or_default();
    if let Some((script, span)) = shell_script(command, elements) {
        text(walk, std::iter::once((script, span)), around);
        return;
    }
    if let Some((image, options)) = of_image(node, program.or(arguments)) {
        if let Kind::Scalar(scalar) = &options.kind {
            with_text(walk, &[image], (scalar, options.span), around);
        } else {
            let words = std::iter::once(image).chain(listed(options.elements()));
            let words: Vec<Word> = words.collect();
            let facts = word_facts_in_piece(&words, When::Loading);
            add(walk, facts, options.span, around);
        }
        return;
    }
    let mut words = started(node, program);
    if words.is_empty() {
        return;
    }
    if let Some(arguments) = arguments
        && let Kind::Scalar(scalar) = &arguments.kind
    {
        with_text(walk, &words, (scalar, arguments.span), around);
        return;
    }
    words.extend(listed(elements));
    let facts = word_facts_in_piece(&words, When::Loading);
    add(walk, facts, node.span, around);
}

/// The program that an image starts, with the options for it: `command` in compose, `args` in
/// Kubernetes.
fn of_image<'t>(node: &Node, options: Option<&'t Node>) -> Option<(Word, &'t Node)> {
    let image = node.get("image")?;
    let program = program_of_image(image.text()?)?;
    let options = options?;
    let first = options.elements().first().unwrap_or(options);
    let are_options = first.text()?.trim_start().starts_with('-');
    if !are_options || node.get("entrypoint").is_some() {
        return None;
    }
    let program = Word {
        text: program.to_owned(),
        span: Span::new(options.span.start, options.span.start),
        ..Word::default()
    };
    Some((program, options))
}

/// The words before the arguments: the program, or Python's module.
fn started(node: &Node, program: Option<&Node>) -> Vec<Word> {
    let plain = |text: &str, span: Span| Word {
        text: text.to_owned(),
        span,
        ..Word::default()
    };
    match program.map(|program| (program, &program.kind)) {
        Some((_, Kind::List(elements))) if !are_lines(elements) => listed(elements),
        Some((program, Kind::Scalar(scalar))) if !scalar.text.contains(char::is_whitespace) => {
            let mut words = Vec::new();
            if is_python(&scalar.text) || node.get("program").is_some() {
                words.push(plain("python", program.span));
            }
            words.push(word(scalar, program.span));
            words
        }
        None if node.get("args").is_some() => match node.get("module") {
            Some(module) => module.text().map_or_else(Vec::new, |name| {
                let words = ["python", "-m", name];
                words.map(|text| plain(text, module.span)).to_vec()
            }),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Options that pytest is always started with.
pub(super) fn of_pytest(walk: &mut Walk<'_>, options: &Node, around: Around<'_>) {
    let start = Span::new(options.span.start, options.span.start);
    let words = ["python", "-m", "pytest"].map(|text| Word {
        text: text.to_owned(),
        span: start,
        ..Word::default()
    });
    match &options.kind {
        Kind::Scalar(scalar) => with_text(walk, &words, (scalar, options.span), around),
        Kind::List(elements) => {
            let words: Vec<Word> = words.into_iter().chain(listed(elements)).collect();
            let facts = word_facts_in_piece(&words, When::Loading);
            add(walk, facts, options.span, around);
        }
        _ => {}
    }
}

/// Arguments as one text.
fn with_text(
    walk: &mut Walk<'_>,
    words: &[Word],
    (scalar, span): (&Scalar, Span),
    around: Around<'_>,
) {
    let start = Span::new(span.start, span.start);
    let mut code = Embedded::default();
    code.start_cell(1);
    for word in words {
        code.push(start, &word.text);
        code.push(start, " ");
    }
    push(&mut code, scalar, span, walk.text);
    let facts = facts_in_piece(code.code(), When::Loading);
    add(walk, within::placed(facts, &code), span, around);
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
