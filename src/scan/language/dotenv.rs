//! Files of variables: `.env` and its variants, and systemd's `environment.d/*.conf`.
//!
//! One `NAME=value` on a line, an `export` before it where the reader knows that. Quotes are taken
//! off by every reader but `docker --env-file`, so they are taken off here too; a `#` behind a
//! blank ends a value without quotes. What a `$` or a backquote decides is dynamic.

use super::file_name::{has_extension, is_below};
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
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        facts.extend(variable(line, start));
        start += line.len();
    }
    Ok(FileFacts {
        facts,
        environment_is_given: true,
        // One program reads all of it.
        scopes: Scopes::new(vec![Span::new(0, text.len())]),
        comments: remark::comments(text, &["#"]),
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
    if !catalogue::is_of_interest(name) {
        return None;
    }
    let written = rest.trim_start();
    let value_at = from + (assignment.len() - written.len());
    let (value, inside) = value(written);
    let end = value_at + inside.end + usize::from(inside.start > 0);
    let known = !value.contains(['$', '`']) || written.starts_with('\'');
    Some(Fact {
        span: Span::new(from, end),
        value: known.then(|| Span::new(value_at + inside.start, value_at + inside.end)),
        api: LABEL,
        when: When::Loading,
        kind: FactKind::SetVariable(VariableWrite {
            name: name.to_owned(),
            value: if known {
                Value::Known(value.to_owned())
            } else {
                Value::Dynamic
            },
            how: HowSet::Assigned,
            whose: Whose::Child,
            one_of_several: false,
        }),
    })
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
