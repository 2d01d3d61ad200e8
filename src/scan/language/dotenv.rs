//! Files of variables: `.env` and its variants, and systemd's `environment.d/*.conf`.
//!
//! One `NAME=value` on a line, an `export` before it where the reader knows that. Quotes are taken
//! off by every reader but `docker --env-file`, so they are taken off here too; a `#` behind a
//! blank ends a value without quotes. What a `$` or a backquote decides is dynamic.

use super::file_name::{has_extension, is_below};
use super::given::{default_of, device_of};
use super::placeholder::is_filled_in;
use super::{Language, ReaderFailed, clue, in_place, remark};
use crate::git::RepoPath;
use crate::scan::catalogue;
use crate::scan::fact::{
    Detail, Fact, FactKind, FileFacts, HowSet, Value, VariableWrite, When, Whose,
};
use crate::scan::remedy::{Wish, Written};
use crate::scan::scopes::Scopes;
use crate::text::{Edit, Span};

/// The label of a line's fact.
const LABEL: &str = ".env";

pub(super) const DOTENV: Language = Language {
    name: "dotenv",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: super::plain_words,
};

fn claims(path: &RepoPath, _content: &[u8]) -> bool {
    let name = path.file_name();
    has_extension(path, &["env"])
        || name == b".env"
        || name.starts_with(b".env.")
        || name.ends_with(b".env.example")
        || (is_below(path, "environment.d") && has_extension(path, &["conf"]))
}

fn read(text: &str, _detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let mut facts = Vec::new();
    let mut first_error = None;
    let mut start = 0;
    // Where the lines of a value end.
    let mut behind = 0;
    for line in text.split_inclusive('\n') {
        facts.extend(variable(line, start));
        if start >= behind && first_error.is_none() {
            match lines_of_value(text, line, start) {
                Ok(end) => behind = end,
                Err(at) => first_error = Some(at),
            }
        }
        start += line.len();
    }
    Ok(FileFacts {
        facts,
        environment_is_given: true,
        // One program reads all of it.
        scopes: Scopes::new(vec![Span::new(0, text.len())]),
        comments: remark::comments(text, &["#"]),
        first_error,
        errors: usize::from(first_error.is_some()),
        ..FileFacts::default()
    })
}

/// The fact of a line that stands at `start`, if it sets a variable of interest.
fn variable(line: &str, start: usize) -> Option<Fact> {
    let content = line.trim();
    if content.starts_with('#') {
        return None;
    }
    let at = start + (line.len() - line.trim_start().len());
    let assignment = match content.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => content,
    };
    let from = at + (content.len() - assignment.len());
    let (name, rest) = assignment.split_once('=')?;
    let name = name.trim_end();
    let written = rest.trim_start();
    let value_at = from + (assignment.len() - written.len());
    let (value, inside) = value(written);
    let span = Span::new(from, value_at + inside.end + usize::from(inside.start > 0));
    let mut place = Span::new(value_at + inside.start, value_at + inside.end);
    if !catalogue::is_of_interest(name) {
        return device_of(name, value, (span, Some(place)));
    }
    let is_literal = written.starts_with('\'');
    let default = default_of(value).filter(|_| !is_literal);
    if let Some(default) = default {
        place.end -= 1;
        place.start = place.end - default.len();
    }
    let value = default.unwrap_or(value);
    let known = (!value.contains(['$', '`']) || is_literal) && !is_filled_in(value);
    Some(Fact {
        span,
        value: known.then_some(place),
        api: LABEL,
        when: When::Loading,
        kind: FactKind::SetVariable(VariableWrite {
            name: name.to_owned(),
            value: if known {
                Value::Known(value.to_owned())
            } else {
                Value::Dynamic
            },
            how: if default.is_some() {
                HowSet::Default
            } else {
                HowSet::Assigned
            },
            whose: Whose::Child,
            one_of_several: false,
        }),
    })
}

/// Where the value ends that begins on a line: a quote may go over several lines, as long as nothing
/// stands behind its end. Where it has no end, where it begins.
fn lines_of_value(text: &str, line: &str, start: usize) -> Result<usize, usize> {
    let end = start + line.len();
    let Some((name, written)) = line.split_once('=') else {
        return Ok(end);
    };
    let value = written.trim_start();
    let at = end - value.len();
    let Some(quote) = value.chars().next().filter(|c| "\"'".contains(*c)) else {
        return Ok(end);
    };
    let inner = value.get(1..).unwrap_or_default();
    if name.trim_start().starts_with('#') || inner.contains(quote) {
        return Ok(end);
    }
    let below = text.get(end..).unwrap_or_default();
    let length = closing(below, quote).ok_or(at)?;
    let behind = below.get(length..).unwrap_or_default();
    let rest = behind.lines().next().unwrap_or_default().trim();
    if rest.is_empty() || rest.starts_with('#') {
        Ok(end + length)
    } else {
        Err(at)
    }
}

/// How far the end of a quote is, with it.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && quote == '"' {
            characters.next();
        } else if c == quote {
            return Some(at + 1);
        }
    }
    None
}

/// The value at the start of a text, and where it is in it.
fn value(written: &str) -> (&str, Span) {
    for quote in ['"', '\''] {
        if let Some(rest) = written.strip_prefix(quote)
            && let Some(length) = rest.find(quote)
        {
            return (&rest[..length], Span::new(1, 1 + length));
        }
    }
    let comment = [" #", "\t#"].iter().filter_map(|sign| written.find(sign));
    let end = comment.min().unwrap_or(written.len());
    let value = if written.starts_with('#') {
        ""
    } else {
        written[..end].trim_end()
    };
    (value, Span::new(0, value.len()))
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside,
        flags_are_words: false,
    };
    in_place::edits(text, facts, wishes, style)
}

fn beside(text: &str, _: &FileFacts, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    let line = text[..fact.span.start]
        .rsplit('\n')
        .next()
        .unwrap_or_default();
    // With `export` where the line has it.
    in_place::line_above(
        text,
        fact.span.start,
        &format!("{}{name}={value}", line.trim_start()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lose_their_quotes_and_comments() {
        for (written, expected) in [
            ("1", "1"),
            ("\"0,1\"", "0,1"),
            ("'1' # x", "1"),
            ("1 # x", "1"),
            ("1#x", "1#x"),
            ("# x", ""),
            ("", ""),
            ("\"1", "\"1"),
        ] {
            let (found, span) = value(written);
            assert_eq!(found, expected, "{written}");
            assert_eq!(&written[span.start..span.end], expected, "{written}");
        }
    }
}
