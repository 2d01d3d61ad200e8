//! Writes the lines that set variables before anything can start CUDA.

use super::lines::{end_of_line, line_end_before, line_end_for, start_of_line};
use crate::scan::fact::{EarlyWrite, FileFacts, Opening, Value};
use crate::text::{Edit, Span};

const IMPORT: &str = "import os";

/// A line to write.
#[derive(Clone, Copy)]
pub(super) struct Setting<'s> {
    /// The variable.
    pub(super) name: &'s str,
    /// Its value.
    pub(super) value: &'s str,
    /// Whether it is only set where nothing is set yet.
    pub(super) default: bool,
}

/// Sets those of the variables that the file does not set; `None` where it sets them all, or
/// removes one again.
pub(super) fn set_first(
    text: &str,
    facts: &FileFacts,
    settings: &[(String, String)],
) -> Option<Vec<Edit>> {
    let mut missing = Vec::new();
    for (name, value) in settings {
        let mut set = false;
        for (fact, write) in facts.writes(name) {
            if write.value != Value::Absent {
                set = true;
            } else if fact.when.is_loading() && !set {
                // What is set before it is removed here.
                return None;
            }
        }
        if !set {
            missing.push(Setting {
                name,
                value,
                default: false,
            });
        }
    }
    let order: Vec<&str> = settings.iter().map(|(name, _)| name.as_str()).collect();
    insert(text, facts.opening.as_ref()?, &missing, &order)
}

/// Inserts lines that set variables. `order` is the order in which they are to stand.
pub(super) fn insert(
    text: &str,
    opening: &Opening,
    missing: &[Setting<'_>],
    order: &[&str],
) -> Option<Vec<Edit>> {
    let plain = |word: &str| {
        word.chars()
            .all(|c| !c.is_control() && !"\"'\\".contains(c))
    };
    if missing.is_empty()
        || !missing
            .iter()
            .all(|setting| plain(setting.name) && plain(setting.value))
    {
        return None;
    }
    let place = |variable: &str| order.iter().position(|name| *name == variable);
    let beside = opening
        .early
        .iter()
        .find_map(|early| Some((early, place(&early.variable)?)));
    if let Some((early, at)) = beside {
        let (before, after): (Vec<Setting<'_>>, Vec<Setting<'_>>) = missing
            .iter()
            .partition(|setting| place(setting.name) < Some(at));
        return Some(beside_write(text, early, &before, &after));
    }
    Some(at_opening(text, opening, missing))
}

/// Lines above and below a line that sets another of the variables.
fn beside_write(
    text: &str,
    early: &EarlyWrite,
    before: &[Setting<'_>],
    after: &[Setting<'_>],
) -> Vec<Edit> {
    let end = line_end_for(text, early.line.start);
    let line = |setting: &Setting<'_>| assignment(&early.environment, setting, early.quote);
    let mut edits = Vec::new();
    let mut below: Vec<Setting<'_>> = after.to_vec();
    if is_below_comment(text, early.line.start) {
        // What the comment is about stays right below it.
        below.splice(0..0, before.iter().copied());
    } else if !before.is_empty() {
        let lines: String = before
            .iter()
            .flat_map(|s| [line(s), end.to_owned()])
            .collect();
        edits.push(inserted(early.line.start, lines));
    }
    if !below.is_empty() {
        let lines = below
            .iter()
            .flat_map(|s| [end.to_owned(), line(s)])
            .collect();
        edits.push(inserted(early.line.end, lines));
    }
    edits
}

fn is_below_comment(text: &str, line: usize) -> bool {
    let end = line - line_end_before(text, line).map_or(0, str::len);
    end < line
        && text
            .get(start_of_line(text, end)..end)
            .is_some_and(|above| above.trim_start().starts_with('#'))
}

fn at_opening(text: &str, opening: &Opening, missing: &[Setting<'_>]) -> Vec<Edit> {
    let environment = opening.environment.as_deref().unwrap_or("os.environ");
    let imports = opening.environment.is_none();
    let settings = missing
        .iter()
        .map(|setting| assignment(environment, setting, opening.quote));
    if opening.inline {
        let import = imports.then(|| IMPORT.to_owned());
        let parts: Vec<String> = import.into_iter().chain(settings).collect();
        return vec![inserted(opening.at, parts.join("; ") + "; ")];
    }
    let end = line_end_for(text, opening.at);
    let mut edits = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    let place = opening.import.filter(|_| imports);
    match place {
        Some(place) if place.at == opening.at => {
            lines.extend([IMPORT.to_owned(), String::new()]);
        }
        Some(place) => {
            let blank = if place.apart { end } else { "" };
            edits.push(inserted(place.at, format!("{IMPORT}{end}{blank}")));
        }
        None => {}
    }
    let is_blank = |line: Option<&str>| line.is_some_and(|line| line.trim().is_empty());
    let above = opening.at - line_end_before(text, opening.at).map_or(0, str::len);
    let above = text.get(start_of_line(text, above)..above);
    if lines.is_empty() && opening.at > 0 && !is_blank(above) {
        lines.push(String::new());
    }
    if imports && place.is_none() {
        lines.extend([IMPORT.to_owned(), String::new()]);
    }
    lines.extend(settings);
    if !is_blank(text.get(opening.at..end_of_line(text, opening.at))) {
        lines.push(String::new());
    }
    let lines = lines.into_iter().flat_map(|line| [line, end.to_owned()]);
    edits.push(inserted(opening.at, lines.collect()));
    edits
}

fn assignment(environment: &str, setting: &Setting<'_>, quote: char) -> String {
    let Setting { name, value, .. } = setting;
    if setting.default {
        format!("{environment}.setdefault({quote}{name}{quote}, {quote}{value}{quote})")
    } else {
        format!("{environment}[{quote}{name}{quote}] = {quote}{value}{quote}")
    }
}

fn inserted(at: usize, replacement: String) -> Edit {
    Edit {
        span: Span::new(at, at),
        replacement,
    }
}
