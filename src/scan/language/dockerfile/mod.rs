//! Dockerfiles: what an image sets for its containers, and what is run while it is built and later.
//!
//! Each stage has an environment of its own. An `ARG` with a default is followed into the `ENV` that
//! takes it over; any other `$` is decided later. A reader of our own, since one that parses the
//! whole file stops at its first error.

mod instruction;
mod words;

use super::file_name::{has_extension, is_called};
use super::logical::{Joining, Lines};
use super::{Language, ReaderFailed, clue, given, in_place, remark};
use crate::git::RepoPath;
use crate::scan::fact::{Detail, Fact, FileFacts};
use crate::scan::remedy::{Wish, Written};
use crate::scan::scopes::Scopes;
use crate::text::{Edit, Span};
use instruction::Stage;

pub(super) const DOCKERFILE: Language = Language {
    name: "dockerfile",
    claims,
    worth_reading: clue::speaks_of_gpus,
    read,
    edits,
    plain: super::plain_words,
};

/// Names of files that only begin like a Dockerfile.
const OTHERS: &[&str] = &[
    "dockerignore",
    "em",
    "in",
    "j2",
    "jinja",
    "jinja2",
    "json",
    "md",
    "mustache",
    "py",
    "rst",
    "sh",
    "template",
    "tmpl",
    "tpl",
    "txt",
    "yaml",
    "yml",
];

fn claims(path: &RepoPath, _content: &[u8]) -> bool {
    if has_extension(path, OTHERS) {
        return false;
    }
    let name = path.file_name();
    let begins = |prefix: &[u8]| {
        name.len() > prefix.len()
            && name.starts_with(prefix)
            && name
                .get(prefix.len())
                .is_some_and(|byte| b".-_".contains(byte))
    };
    is_called(path, &["Dockerfile", "Containerfile"])
        || has_extension(path, &["dockerfile", "containerfile"])
        || begins(b"Dockerfile")
        || begins(b"Containerfile")
}

fn read(text: &str, detail: Detail) -> Result<FileFacts, ReaderFailed> {
    let escape = escape(text);
    let joining = Joining {
        escape,
        joint: "",
        comments: &["#"],
        blanks_follow: true,
    };
    let mut lines = Lines::new(text);
    let mut stage = Stage::new(detail, escape);
    let mut starts: Vec<usize> = Vec::new();
    while let Some(line) = lines.joined(joining) {
        let content = line.code.code().trim_start();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if stage.instruction(&line, &mut lines) {
            starts.push(line.span.start);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let scopes = starts.iter().copied().zip(ends);
    let stages = scopes.map(|(start, end)| Span::new(start, end));
    let scopes = stages.chain(stage.scopes).collect();
    Ok(FileFacts {
        facts: stage.facts,
        environment_is_given: true,
        scopes: Scopes::new(scopes),
        first_error: stage.first_error,
        errors: stage.errors,
        comments: remark::comments(text, &["#"]),
        ..FileFacts::default()
    })
}

/// What makes a line go on: a directive above everything else can say so.
fn escape(text: &str) -> char {
    for line in text.lines() {
        let Some(directive) = line.trim().strip_prefix('#') else {
            break;
        };
        let Some((name, value)) = directive.split_once('=') else {
            break;
        };
        if name.trim().eq_ignore_ascii_case("escape") {
            return if value.trim() == "`" { '`' } else { '\\' };
        }
    }
    '\\'
}

fn edits(text: &str, facts: &FileFacts, wishes: &[Wish<'_>]) -> Vec<Option<Written>> {
    let style = in_place::Style {
        beside,
        flags_are_words: false,
    };
    in_place::edits(text, facts, wishes, style)
}

/// In front of a command for it alone, else as an instruction of its own above the one that sets
/// the mask.
fn beside(text: &str, _: &FileFacts, fact: &Fact, (name, value): (&str, &str)) -> Option<Edit> {
    let line = text.get(..fact.span.start)?.rsplit('\n').next()?;
    let word = line.trim_start().split([' ', '\t']).next()?;
    if word.eq_ignore_ascii_case("env") {
        let line = format!("{word} {name}={value}");
        return in_place::line_above(text, fact.span.start, &line);
    }
    given::word_before(text, fact, (name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        for (name, is_one) in [
            ("Dockerfile", true),
            ("docker/dockerfile", true),
            ("Dockerfile.gpu", true),
            ("Dockerfile-cuda", true),
            ("a/train.dockerfile", true),
            ("Containerfile", true),
            ("Dockerfile.dockerignore", false),
            ("Dockerfile.j2", false),
            ("Dockerfile.em", false),
            ("Dockerfiles", false),
            ("Dockerfile.py", false),
        ] {
            assert_eq!(claims(&RepoPath::new(name), b""), is_one, "{name}");
        }
    }

    #[test]
    fn a_directive_says_what_makes_a_line_go_on() {
        for (text, expected) in [
            ("# syntax=docker/dockerfile:1\n# escape=`\nFROM a", '`'),
            ("FROM a\n# escape=`\n", '\\'),
            ("# a comment\n# escape=`\n", '\\'),
            ("", '\\'),
        ] {
            assert_eq!(escape(text), expected, "{text}");
        }
    }
}
