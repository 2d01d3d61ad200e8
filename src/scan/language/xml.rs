//! XML as `JetBrains`' editors write it: run configurations, with the variables and parameters of
//! the program that each starts.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::command::facts_in_piece;
use super::file_name::{has_extension, is_below, is_called};
use super::given::Given;
use super::{Language, ReaderFailed, clue, in_place};
use crate::git::RepoPath;
use crate::scan::embedded::Embedded;
use crate::scan::fact::{COMMENT_PREFIX, Comment, Detail, Fact, FileFacts, When, Whose};
use crate::scan::language::within;
use crate::scan::remedy::{Wish, Written};
use crate::scan::scopes::Scopes;
use crate::text::{Edit, Span};

/// The label of a variable.
const LABEL: &str = "env";

pub(super) const XML: Language = Language {
    name: "xml",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: super::plain_words,
};

fn claims(path: &RepoPath, _content: &[u8]) -> bool {
    let of_editor = is_below(path, ".idea")
        && (is_below(path, "runConfigurations") || is_called(path, &["workspace.xml"]));
    has_extension(path, &["xml"])
        && (of_editor || is_below(path, ".run") || path.file_name().ends_with(b".run.xml"))
}

fn read(text: &str, _detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let mut file = FileFacts {
        environment_is_given: true,
        ..FileFacts::default()
    };
    let mut elements = Elements::default();
    let mut scopes = Vec::new();
    let mut program = Program::default();
    let mut started: Option<usize> = None;
    let mut above: Vec<usize> = Vec::new();
    loop {
        let at = offset(reader.buffer_position(), text);
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(Event::Start(tag) | Event::Empty(tag)) => {
                let end = offset(reader.buffer_position(), text);
                elements.start(text, tag.name().as_ref(), Span::new(at, end));
                for comment in above.drain(..) {
                    if let Some(comment) = file.comments.get_mut(comment) {
                        comment.covers = Span::new(at, end);
                    }
                }
                if tag.name().as_ref() == "configuration" {
                    started = Some(at);
                }
                file.facts
                    .extend(facts_of(text, &tag, Span::new(at, end), &mut program));
            }
            Ok(Event::End(tag)) => {
                if !elements.end(tag.name().as_ref()) {
                    file.errors += 1;
                    file.first_error.get_or_insert(at);
                }
                if tag.name().as_ref() == "configuration" {
                    file.facts.extend(std::mem::take(&mut program).facts());
                    let end = offset(reader.buffer_position(), text);
                    scopes.extend(started.take().map(|start| Span::new(start, end)));
                }
            }
            Ok(Event::Comment(_)) => {
                let end = offset(reader.buffer_position(), text);
                if let Some(comment) = comment(text, Span::new(at, end)) {
                    above.push(file.comments.len());
                    file.comments.push(comment);
                }
            }
            Ok(_) => {}
            Err(_) => {
                file.errors += 1;
                file.first_error.get_or_insert(at);
                // Where it can not go on, it stays.
                if offset(reader.buffer_position(), text) == at {
                    break;
                }
            }
        }
    }
    file.facts.extend(program.facts());
    scopes.extend(started.map(|start| Span::new(start, text.len())));
    if let Some((_, at)) = elements.open.first() {
        file.errors += 1;
        file.first_error.get_or_insert(*at);
    }
    file.facts.sort_by_key(|fact| fact.span);
    file.scopes = Scopes::new(scopes);
    Ok(file)
}

/// So many elements are looked at for the one that ends.
const FARTHEST: usize = 64;

/// The elements that are open, with their places.
#[derive(Default)]
struct Elements {
    open: Vec<(String, usize)>,
}

impl Elements {
    fn start(&mut self, text: &str, name: &str, tag: Span) {
        let is_empty = text
            .get(tag.start..tag.end)
            .is_some_and(|tag| tag.ends_with("/>"));
        if !is_empty {
            self.open.push((name.to_owned(), tag.start));
        }
    }

    /// Whether the innermost element has the name; the one that has it ends with all in it.
    fn end(&mut self, name: &str) -> bool {
        let innermost = self.open.iter().rev().take(FARTHEST);
        let inside = innermost
            .map(|(open, _)| open)
            .position(|open| open == name);
        if let Some(inside) = inside {
            self.open.truncate(self.open.len() - inside - 1);
        }
        inside == Some(0)
    }
}

fn offset(position: u64, text: &str) -> usize {
    usize::try_from(position).map_or(text.len(), |at| at.min(text.len()))
}

/// An attribute's value as it stands in the file.
struct Attribute {
    text: String,
    span: Span,
    is_verbatim: bool,
}

/// An attribute of a tag that stands at a place.
fn attribute(text: &str, tag: Span, name: &str) -> Option<Attribute> {
    let code = text.get(tag.start..tag.end)?;
    let (at, quote) = ["\"", "'"].iter().find_map(|quote| {
        let opening = format!(" {name}={quote}");
        let at = code.find(&opening)?;
        Some((at + opening.len(), *quote))
    })?;
    let written = code.get(at..)?;
    let written = written.get(..written.find(quote)?)?;
    let start = tag.start + at;
    let value = quick_xml::escape::unescape(written).ok()?;
    Some(Attribute {
        span: Span::new(start, start + written.len()),
        is_verbatim: value == written,
        text: value.into_owned(),
    })
}

/// The program of one configuration, whose options stand in any order.
#[derive(Default)]
struct Program {
    script: Option<String>,
    is_module: bool,
    arguments: Vec<Attribute>,
}

impl Program {
    /// What the command line does that the configuration starts.
    fn facts(self) -> Vec<Fact> {
        let is_part = |c: &char| c.is_ascii_alphanumeric() || "_-./".contains(*c);
        let script = self.script.unwrap_or_default();
        let script: String = script.chars().filter(is_part).collect();
        let dash_m = if self.is_module { "-m " } else { "" };
        let script = if script.is_empty() {
            "script.py"
        } else {
            &script
        };
        let start = format!("python {dash_m}{script} ");
        let command = |arguments: Attribute| command(&start, &arguments);
        self.arguments.into_iter().flat_map(command).collect()
    }
}

/// What a command line does whose start stands elsewhere.
fn command(start: &str, value: &Attribute) -> Vec<Fact> {
    let mut code = Embedded::default();
    code.push(Span::new(value.span.start, value.span.start), start);
    if value.is_verbatim {
        code.push(value.span, &value.text);
    } else {
        super::logical::push_otherwise(&mut code, value.span, &value.text);
    }
    within::placed(facts_in_piece(code.code(), When::Loading), &code)
}

fn facts_of(text: &str, tag: &BytesStart<'_>, span: Span, program: &mut Program) -> Vec<Fact> {
    let (Some(name), Some(value)) = (
        attribute(text, span, "name"),
        attribute(text, span, "value"),
    ) else {
        return Vec::new();
    };
    match tag.name().as_ref() {
        "env" => {
            let given = Given {
                dynamic: value.text.contains('$'),
                inside: value.is_verbatim.then_some(value.span),
                text: value.text,
            };
            given
                .fact(&name.text, span, (LABEL, Whose::Child))
                .into_iter()
                .collect()
        }
        "option" => {
            match name.text.as_str() {
                "SCRIPT_TEXT" => return command("", &value),
                "SCRIPT_NAME" => program.script = Some(value.text),
                "MODULE_MODE" => program.is_module = value.text == "true",
                "PARAMETERS" | "SCRIPT_OPTIONS" => program.arguments.push(value),
                _ => {}
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn comment(text: &str, span: Span) -> Option<Comment> {
    let inside = text.get(span.start..span.end)?.strip_prefix("<!--")?;
    let words = inside.strip_suffix("-->").unwrap_or(inside);
    let trimmed = words.trim();
    if !trimmed.starts_with(COMMENT_PREFIX) {
        return None;
    }
    let start = span.start + 4 + (words.len() - words.trim_start().len());
    let end = start + trimmed.len();
    Some(Comment {
        span: Span::new(start, end),
        text: trimmed.to_owned(),
        covers: Span::new(end, end),
        heads_file: false,
    })
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside,
        flags_are_words: false,
    };
    in_place::edits(text, facts, wishes, style)
}

/// Another `<env …/>` above this one.
fn beside(text: &str, _: &FileFacts, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    let line = text.get(..fact.span.start)?.rsplit('\n').next()?;
    let is_env = text.get(fact.span.start..)?.starts_with("<env ");
    let tag = format!("<env name=\"{name}\" value=\"{value}\" />");
    if !is_env {
        return None;
    }
    if line.trim().is_empty() {
        return in_place::line_above(text, fact.span.start, &tag);
    }
    Some(Edit {
        span: Span::new(fact.span.start, fact.span.start),
        replacement: tag,
    })
}
