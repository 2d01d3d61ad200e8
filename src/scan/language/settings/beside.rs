//! Writes a variable beside another one, as the settings around it are laid out.

use super::variable::LATER_STEPS;
use crate::scan::fact::{Fact, FactKind, FileFacts};
use crate::scan::language::in_place::line_end;
use crate::text::{Edit, Span};

/// What is written of a fact, and around it.
struct Place<'t> {
    text: &'t str,
    span: Span,
    /// The line up to it.
    before: &'t str,
    /// All of it.
    written: &'t str,
}

impl<'t> Place<'t> {
    fn of(text: &'t str, fact: &Fact) -> Option<Self> {
        // A line of its own would be needed, and nobody knows in what shell.
        if fact.api == LATER_STEPS {
            return None;
        }
        let written = text.get(fact.span.start..fact.span.end)?;
        let before = text.get(..fact.span.start)?;
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        Some(Self {
            text,
            span: fact.span,
            before: &before[line..],
            written,
        })
    }

    fn insert(at: usize, replacement: String) -> Edit {
        Edit {
            span: Span::new(at, at),
            replacement,
        }
    }
}

/// Beside a variable in YAML.
pub(in crate::scan::language) fn in_yaml(
    text: &str,
    _: &FileFacts,
    fact: &Fact,
    variable: (&str, &str),
) -> Option<Edit> {
    let place = Place::of(text, fact)?;
    if let Some(edit) = of_pair(&place, variable) {
        return Some(edit);
    }
    if let Some(edit) = of_assignment(&place, fact, variable) {
        return Some(edit);
    }
    if !is_entry_of(&place, fact) {
        return None;
    }
    let (name, value) = variable;
    let quote = quote_of(text, fact);
    let name = requoted(&place, name)?;
    let entry = format!("{name}: {quote}{value}{quote}");
    if place.before.trim_end().ends_with(['{', ',']) {
        return Some(Place::insert(fact.span.start, format!("{entry}, ")));
    }
    // Below what stands before it in its own line: the sign of a list's element.
    let indentation: String = place
        .before
        .chars()
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    let end = line_end(text);
    Some(Place::insert(
        fact.span.start,
        format!("{entry}{end}{indentation}"),
    ))
}

/// Beside a variable in JSON.
pub(in crate::scan::language) fn in_json(
    text: &str,
    _: &FileFacts,
    fact: &Fact,
    variable: (&str, &str),
) -> Option<Edit> {
    let place = Place::of(text, fact)?;
    if let Some(edit) = of_pair(&place, variable) {
        return Some(edit);
    }
    if let Some(edit) = of_assignment(&place, fact, variable) {
        return Some(edit);
    }
    if !is_entry_of(&place, fact) {
        return None;
    }
    let name = requoted(&place, variable.0)?;
    let colon = place.written.split_once(':')?.1;
    let blank = if colon.starts_with(' ') { " " } else { "" };
    let entry = format!("{name}:{blank}\"{}\"", variable.1);
    let separator = if place.before.trim().is_empty() {
        format!(",{}{}", line_end(text), place.before)
    } else {
        format!(",{blank}")
    };
    Some(Place::insert(
        fact.span.start,
        format!("{entry}{separator}"),
    ))
}

/// Whether a fact is an entry of the settings, not code that a text in them holds.
fn is_entry_of(place: &Place<'_>, fact: &Fact) -> bool {
    let FactKind::SetVariable(write) = &fact.kind else {
        return false;
    };
    let key = place.written.trim_start_matches(['"', '\'']);
    key.strip_prefix(write.name.as_str())
        .is_some_and(is_behind_key)
}

/// A name with the quotes of the key that the fact begins with.
fn requoted(place: &Place<'_>, name: &str) -> Option<String> {
    let first = place.written.chars().next()?;
    Some(match first {
        '"' | '\'' => format!("{first}{name}{first}"),
        _ => name.to_owned(),
    })
}

/// The quote around a fact's value.
fn quote_of(text: &str, fact: &Fact) -> &'static str {
    let before = fact
        .value
        .and_then(|value| text.get(..value.start)?.chars().next_back());
    match before {
        Some('"') => "\"",
        Some('\'') => "'",
        _ => "",
    }
}

/// `name: NAME` with `value: x`: the same once more, as an element of its own before it.
fn of_pair(place: &Place<'_>, (name, value): (&str, &str)) -> Option<Edit> {
    let key = place.written.trim_start_matches(['"', '\'']);
    if !["name", "Name", "key", "value", "Value"]
        .iter()
        .any(|own| key.strip_prefix(own).is_some_and(is_behind_key))
    {
        return None;
    }
    let copy = pair_with(place.written, name, value)?;
    let is_in_braces = place
        .text
        .get(..place.span.start)?
        .trim_end()
        .ends_with('{');
    if is_in_braces {
        let open = place.text.get(..place.span.start)?.rfind('{')?;
        let close = place.text.get(place.span.end..)?.find('}')?;
        let behind = place.text.get(place.span.end..place.span.end + close)?;
        let ahead = place.text.get(open..place.span.start)?;
        // Other keys, or a comment, are nobody's to copy.
        if !behind.trim().is_empty() {
            return None;
        }
        let line = place.text.get(..open)?.rsplit('\n').next()?;
        let separator = if line.trim().is_empty() {
            format!(",{}{line}", line_end(place.text))
        } else {
            ", ".to_owned()
        };
        return Some(Place::insert(
            open,
            format!("{ahead}{copy}{behind}}}{separator}"),
        ));
    }
    let is_element = place.before.trim() == "-";
    is_element.then(|| {
        let end = line_end(place.text);
        Place::insert(place.span.start, format!("{copy}{end}{}", place.before))
    })
}

fn is_behind_key(rest: &str) -> bool {
    rest.trim_start_matches(['"', '\''])
        .trim_start()
        .starts_with(':')
}

/// The pair with another name and value; what stands between them stays.
fn pair_with(written: &str, name: &str, value: &str) -> Option<String> {
    let lines_or_members = written.contains('\n') || written.contains(',');
    let of_value = ["value", "Value"]
        .iter()
        .filter_map(|key| written.rfind(key))
        .max()?;
    let colon = of_value + written[of_value..].find(':')?;
    let old = written[colon + 1..].trim();
    let old_at = written.len() - written[colon + 1..].trim_start().len();
    // The value has to be the last thing.
    if !lines_or_members || old.contains('\n') || old.contains(',') && !old.starts_with(['"', '\''])
    {
        return None;
    }
    let quote = old.chars().next().filter(|c| matches!(c, '"' | '\''));
    let quote = quote.map_or(String::new(), String::from);
    let head = &written[..old_at];
    let old_name = head
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .find(|word| crate::scan::catalogue::is_of_interest(word))?;
    let head = head.replacen(old_name, name, 1);
    Some(format!("{head}{quote}{value}{quote}"))
}

/// `NAME=value` as an element of a list, or before a command.
fn of_assignment(place: &Place<'_>, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    let equals = place.written.find('=')?;
    let own = place.written.trim_start_matches(['"', '\'']);
    let own_name = own.split('=').next()?;
    if !own_name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        || equals == 0
    {
        return None;
    }
    let written = format!("{name}={value}");
    let ahead = place.before.chars().next_back();
    let behind = place.text.get(fact.span.end..)?.chars().next();
    let quote = ahead.filter(|c| matches!(c, '"' | '\''));
    let stands_alone = quote.is_none_or(|quote| behind == Some(quote));
    let around = place.before.trim_end_matches(['"', '\'']);
    let rest = place.text.get(fact.span.end..)?.lines().next()?;
    let ends_line = rest.trim_start_matches(['"', '\'', ',']).trim();
    let ends_line = ends_line.is_empty() || ends_line.starts_with('#');
    if stands_alone && around.trim() == "-" && ends_line {
        let quote = quote.map_or(String::new(), String::from);
        let end = line_end(place.text);
        let line = fact.span.start - place.before.len();
        return Some(Place::insert(
            line,
            format!("{}{written}{quote}{end}", place.before),
        ));
    }
    let in_list = around.trim_end().ends_with(['[', ',']) || around.trim().is_empty();
    if let (true, Some(quote), true) = (stands_alone, quote, in_list) {
        let separator = if around.trim().is_empty() {
            format!(",{}{around}", line_end(place.text))
        } else {
            ", ".to_owned()
        };
        let at = fact.span.start - 1;
        return Some(Place::insert(
            at,
            format!("{quote}{written}{quote}{separator}"),
        ));
    }
    // In front of a command, or behind an `export`.
    Some(Place::insert(fact.span.start, format!("{written} ")))
}
