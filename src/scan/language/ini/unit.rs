//! Programs that systemd, Podman or supervisord start: their variables and their command.

use super::tree::{Section, Setting};
use crate::scan::embedded::Embedded;
use crate::scan::fact::{Cards, Fact, FactKind, HowSet, Value, When, Whose};
use crate::scan::language::command::{Word, facts_in_piece, word_facts_in_piece};
use crate::scan::language::given::{Given, write_of};
use crate::scan::language::within;
use crate::text::Span;

/// The label of a variable of systemd's.
pub(super) const SYSTEMD: &str = "Environment=";
/// The label of a variable of supervisord's.
pub(super) const SUPERVISOR: &str = "environment=";

/// Whether a section starts a program.
pub(super) fn is_one(name: &str) -> bool {
    matches!(
        name,
        "Service" | "Socket" | "Mount" | "Swap" | "Container" | "Manager"
    ) || name == "supervisord"
        || ["program:", "eventlistener:", "fcgi-program:"]
            .iter()
            .any(|kind| name.starts_with(kind))
}

/// What a section's keys say.
pub(super) fn facts(section: &Section) -> Vec<Fact> {
    let mut facts = Vec::new();
    let whose = if section.name == "Container" {
        Whose::Container
    } else {
        Whose::Child
    };
    for setting in &section.keys {
        match setting.name.as_str() {
            "Environment" | "DefaultEnvironment" => {
                for word in words(&joined(setting)) {
                    facts.extend(variable(&word, (SYSTEMD, whose)));
                }
            }
            "UnsetEnvironment" => {
                for word in words(&joined(setting)) {
                    facts.extend(removed(&word));
                }
            }
            "PodmanArgs" if section.name == "Container" => {
                let code = joined(setting);
                let mut run = Embedded::default();
                run.start_cell(1);
                let start = setting.lines.first().map_or(0, |(span, _)| span.start);
                run.push(Span::new(start, start), "podman run ");
                code.copy_to(&mut run, Span::new(0, code.code().len()));
                let found = facts_in_piece(run.code(), When::Loading);
                facts.extend(within::placed(found, &run));
            }
            "AddDevice" => facts.extend(device(setting)),
            "environment" => facts.extend(listed(setting)),
            "command" => {
                let code = joined(setting);
                let found = facts_in_piece(code.code(), When::Loading);
                facts.extend(within::placed(found, &code));
            }
            name if name.starts_with("Exec") => {
                let mut words = words(&joined(setting));
                if let Some(first) = words.first_mut() {
                    let program = first.text.trim_start_matches(['@', '-', ':', '+', '!']);
                    first.text = program.to_owned();
                }
                facts.extend(word_facts_in_piece(&words, When::Loading));
            }
            _ => {}
        }
    }
    for fact in &mut facts {
        if let Some(write) = write_of(fact)
            && write.whose == Whose::Child
        {
            write.whose = whose;
        }
    }
    facts
}

/// A value's lines as one.
fn joined(setting: &Setting) -> Embedded {
    let mut code = Embedded::default();
    for (at, (span, line)) in setting.lines.iter().enumerate() {
        if at > 0 {
            code.push(Span::new(span.start, span.start), " ");
        }
        let line = line.strip_suffix('\\').unwrap_or(line);
        code.push(Span::new(span.start, span.start + line.len()), line);
    }
    code
}

/// Words as systemd parts them: quotes are taken off wherever they stand in a word
/// (`extract_first_word` of systemd's `src/basic/extract-word.c`). Their places are in the file.
fn words(code: &Embedded) -> Vec<Word> {
    let text = code.code();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.trim_start().is_empty()) {
        at += rest.len() - rest.trim_start().len();
        let (word, end) = word(code, at);
        found.push(word);
        at = end.max(at + 1);
    }
    found
}

/// The word that starts at a place, and where it ends.
fn word(code: &Embedded, start: usize) -> (Word, usize) {
    let text = code.code();
    let mut bare = String::new();
    // What stands in the last pair of quotes, and where they end.
    let mut quoted: Option<(Span, usize)> = None;
    let mut exact = true;
    let mut at = start;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if c.is_whitespace() {
            break;
        }
        let behind = text.get(at + c.len_utf8()..).unwrap_or_default();
        if let Some(inner) = quotation(c, behind) {
            let inside = Span::new(at + 1, at + 1 + inner.len());
            exact &= quoted.is_none() && !inner.contains('\\');
            bare.push_str(inner);
            at = inside.end + 1;
            quoted = Some((inside, at));
            continue;
        }
        exact &= !matches!(c, '\\' | '"' | '\'');
        bare.push(c);
        at += c.len_utf8();
        if let Some(escaped) = behind.chars().next().filter(|_| c == '\\') {
            bare.push(escaped);
            at += escaped.len_utf8();
        }
    }
    let inside = match quoted {
        Some((inside, _)) if inside.end - inside.start == bare.len() => inside,
        _ => Span::new(start, at),
    };
    let place = code.verbatim(inside);
    // Quotes around the end of it, as in `NAME="value"`.
    let end = quoted.filter(|(_, end)| exact && *end == at);
    let word = Word {
        span: place.unwrap_or_else(|| code.in_file(inside)),
        dynamic: bare.contains(['$', '%']),
        plain: place.is_some() && exact && inside.end - inside.start == bare.len(),
        quoted: end.and_then(|(inside, _)| code.verbatim(inside)),
        text: bare,
        ..Word::default()
    };
    (word, at)
}

/// What stands between a quote and the next one like it, which may be escaped.
fn quotation(quote: char, behind: &str) -> Option<&str> {
    if !matches!(quote, '"' | '\'') {
        return None;
    }
    let mut characters = behind.char_indices();
    while let Some((at, c)) = characters.next() {
        if c == '\\' {
            characters.next();
        } else if c == quote {
            return behind.get(..at);
        }
    }
    None
}

fn variable(word: &Word, label: (&'static str, Whose)) -> Option<Fact> {
    let (name, value) = word.text.split_once('=')?;
    // A quote without an end: systemd takes none of it.
    if name.starts_with(['"', '\'']) {
        return None;
    }
    let start = word.span.start + name.len() + 1;
    let whole = word.plain.then(|| Span::new(start, word.span.end));
    let quoted = word
        .quoted
        .filter(|quoted| quoted.end - quoted.start == value.len());
    let given = Given {
        text: value.to_owned(),
        dynamic: word.text.contains('%'),
        inside: whole.or(quoted),
    };
    given.fact(name, word.span, label)
}

fn removed(word: &Word) -> Option<Fact> {
    let name = word.text.split('=').next().unwrap_or_default();
    let given = Given::literal("", word.span);
    let mut fact = given.fact(name, word.span, ("UnsetEnvironment=", Whose::Child))?;
    fact.value = None;
    if let Some(write) = write_of(&mut fact) {
        write.value = Value::Absent;
        write.how = HowSet::Removed;
    }
    Some(fact)
}

/// Podman's `AddDevice=nvidia.com/gpu=all`.
fn device(setting: &Setting) -> Option<Fact> {
    let (span, line) = setting.lines.first()?;
    let card = line.strip_prefix("nvidia.com/gpu=")?;
    let cards = if card == "all" {
        Cards::All
    } else {
        Cards::Listed(vec![card.to_owned()])
    };
    Some(Fact {
        span: *span,
        value: Some(Span::new(span.end - card.len(), span.end)),
        api: "container",
        when: When::Loading,
        kind: FactKind::Container(cards),
    })
}

/// supervisord's `NAME="value",NAME=value`.
fn listed(setting: &Setting) -> Vec<Fact> {
    let mut found = Vec::new();
    for (span, line) in &setting.lines {
        let mut quote: Option<char> = None;
        let mut start = 0;
        let ends = line.char_indices().filter_map(|(at, c)| {
            match quote {
                Some(open) if c == open => quote = None,
                None if matches!(c, '"' | '\'') => quote = Some(c),
                None if c == ',' => return Some(at),
                _ => {}
            }
            None
        });
        let ends: Vec<usize> = ends.collect();
        for end in ends.into_iter().chain([line.len()]) {
            let written = line.get(start..end).unwrap_or_default();
            let at = span.start + start + (written.len() - written.trim_start().len());
            found.extend(one_listed(written.trim(), at));
            start = end + 1;
        }
    }
    found
}

fn one_listed(written: &str, at: usize) -> Option<Fact> {
    let (name, value) = written.split_once('=')?;
    let from = at + name.len() + 1 + (value.len() - value.trim_start().len());
    let value = value.trim_start();
    // A comment begins behind a blank.
    let value = value.split(" ;").next().unwrap_or(value).trim_end();
    let bare = ["\"", "'"]
        .iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let (text, start) = bare.map_or((value, from), |bare| (bare, from + 1));
    let given = Given {
        text: text.to_owned(),
        dynamic: text.contains('%'),
        inside: Some(Span::new(start, start + text.len())),
    };
    let span = Span::new(at, from + value.len());
    given.fact(name.trim_end(), span, (SUPERVISOR, Whose::Child))
}
