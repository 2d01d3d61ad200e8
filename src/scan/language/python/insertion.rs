//! Writes the lines that set variables before anything can start CUDA.

use super::lines::{end_of_line, line_end_before, line_end_for, start_of_line};
use crate::scan::fact::{EarlyWrite, FileFacts, Opening, Value};
use crate::text::{Edit, Span};

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
    Some(vec![at_opening(text, opening, missing)])
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

fn at_opening(text: &str, opening: &Opening, missing: &[Setting<'_>]) -> Edit {
    let environment = opening.environment.as_deref().unwrap_or("os.environ");
    let imports = opening.environment.is_none();
    let settings = missing
        .iter()
        .map(|setting| assignment(environment, setting, opening.quote));
    if opening.inline {
        let import = imports.then(|| "import os".to_owned());
        let parts = import.into_iter().chain(settings);
        return inserted(opening.at, parts.map(|part| format!("{part}; ")).collect());
    }
    let end = line_end_for(text, opening.at);
    let mut lines: Vec<String> = Vec::new();
    let line_above = opening.at - line_end_before(text, opening.at).map_or(0, str::len);
    let above = text.get(start_of_line(text, line_above)..line_above);
    let above_is_blank = opening.at == 0 || above.is_some_and(|line| line.trim().is_empty());
    if !above_is_blank && !(imports && opening.follows_import) {
        lines.push(String::new());
    }
    if imports {
        lines.extend(["import os".to_owned(), String::new()]);
    }
    lines.extend(settings);
    let here = text.get(opening.at..end_of_line(text, opening.at));
    if here.is_some_and(|line| !line.trim().is_empty()) {
        lines.push(String::new());
    }
    inserted(
        opening.at,
        lines
            .into_iter()
            .flat_map(|line| [line, end.to_owned()])
            .collect(),
    )
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
