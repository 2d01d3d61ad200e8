//! Writes remedies where a value stands in the file as it is: for every language but Python.

use crate::scan::fact::{Fact, FactKind, FileFacts, VariableWrite, Whose};
use crate::scan::remedy::{Change, Site, Wish, Written};
use crate::text::{Edit, Span};

/// So many facts before and behind one are looked at for the card beside it.
const NEIGHBOURS: usize = 4;

/// What a language has to say of its own.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// Writes a variable (name, value) for the same program as the one that a fact writes.
    pub(super) beside: fn(&str, &FileFacts, &Fact, (&str, &str)) -> Option<Edit>,
    /// Whether a launcher's flag can be taken out with the blank before it.
    pub(super) flags_are_words: bool,
}

/// The edits for each wish; `None` for one that cannot be written for certain.
pub(super) fn edits(
    text: &str,
    facts: &FileFacts,
    wishes: &[Wish<'_>],
    style: Style,
) -> Vec<Option<Written>> {
    wishes
        .iter()
        .map(|wish| {
            let edits = edits_of(text, facts, wish, style)?;
            (!edits.is_empty()).then_some(Written {
                edits,
                only_that: true,
            })
        })
        .collect()
}

fn edits_of(text: &str, facts: &FileFacts, wish: &Wish<'_>, style: Style) -> Option<Vec<Edit>> {
    let site = wish.site;
    match wish.change {
        Change::Value(value) => is_harmless(value).then(|| {
            let span = site.value?;
            Some(vec![replaced(span, value)])
        })?,
        Change::Index(index) => {
            let span = site.value?;
            if stands_in_list(text, facts, span) {
                return None;
            }
            let written = text.get(span.start..span.end)?;
            Some(vec![replaced(
                span,
                &reindexed(written, site.index?, *index)?,
            )])
        }
        Change::Name(name) => {
            let (_, write) = written_at(facts, site)?;
            Some(vec![replaced(
                place_of_name(text, site.span, &write.name)?,
                name,
            )])
        }
        Change::SetBeside(name, value) => {
            let (fact, _) = written_at(facts, site)?;
            Some(vec![(style.beside)(text, facts, fact, (name, value))?])
        }
        Change::SetFirst(settings) => {
            // Beside what nobody sees, nobody would see it either.
            let (fact, write) = written_at(facts, site)?;
            if write.whose == Whose::Nobody {
                return None;
            }
            let is_missing = |name: &str| {
                facts.facts.iter().all(
                    |fact| !matches!(&fact.kind, FactKind::SetVariable(write) if write.name == name),
                )
            };
            settings
                .iter()
                .filter(|(name, _)| is_missing(name))
                .map(|(name, value)| (style.beside)(text, facts, fact, (name, value)))
                .collect()
        }
        Change::Remove if style.flags_are_words => {
            let is_flag = |fact: &Fact| matches!(fact.kind, FactKind::LauncherFlag { .. });
            facts.at(site.span).iter().find(|fact| is_flag(fact))?;
            let before = text.get(..site.span.start)?;
            let blank = before.ends_with([' ', '\t']);
            blank.then(|| vec![replaced(Span::new(site.span.start - 1, site.span.end), "")])
        }
        Change::Remove | Change::MoveFirst => None,
    }
}

fn replaced(span: Span, replacement: &str) -> Edit {
    Edit {
        span,
        replacement: replacement.to_owned(),
    }
}

/// Whether the card beside a card stands in the same list: with another index, the list could name
/// one card twice.
fn stands_in_list(text: &str, facts: &FileFacts, value: Span) -> bool {
    if is_one_of_numbers(text, value) || is_one_of_words(text, value) {
        return true;
    }
    let (before, behind) = facts.facts.split_at(
        facts
            .facts
            .partition_point(|fact| fact.span.start <= value.start),
    );
    let place = |fact: &Fact| {
        let selects = matches!(fact.kind, FactKind::SelectIndex { .. });
        selects.then(|| fact.value.unwrap_or(fact.span))
    };
    let before = before.iter().rev().filter_map(place);
    let behind = behind.iter().filter_map(place);
    let is_same_list = |start: usize, end: usize| text.get(start..end).is_some_and(is_separator);
    let before = before
        .take(NEIGHBOURS)
        .find(|place| place.end <= value.start);
    let behind = behind
        .take(NEIGHBOURS)
        .find(|place| place.start >= value.end);
    before.is_some_and(|before| is_same_list(before.end, value.start))
        || behind.is_some_and(|behind| is_same_list(value.end, behind.start))
}

/// Whether a number is one of several in brackets: `{0, 1}`, `[0, 1]`.
fn is_one_of_numbers(text: &str, value: Span) -> bool {
    /// So far is looked for the brackets; a list that goes on there has more numbers.
    const FARTHEST: usize = 256;
    let is_inner = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_whitespace() || *byte == b',';
    let bytes = text.as_bytes();
    let before = bytes.get(..value.start).unwrap_or_default();
    let before = before.iter().rev().take(FARTHEST);
    let behind = bytes.get(value.end..).unwrap_or_default();
    let behind = behind.iter().take(FARTHEST);
    let ends = |sign: Option<&u8>, brackets: &[u8]| sign.is_none_or(|sign| brackets.contains(sign));
    let is_list = ends(before.clone().find(|byte| !is_inner(byte)), b"{[")
        && ends(behind.clone().find(|byte| !is_inner(byte)), b"}]");
    let has_digit = |byte: &u8| byte.is_ascii_digit();
    is_list
        && (before.take_while(|byte| is_inner(byte)).any(has_digit)
            || behind.take_while(|byte| is_inner(byte)).any(has_digit))
}

/// Whether the word before or behind a value differs from it by its number alone: `--devices cuda:0
/// cuda:1`.
fn is_one_of_words(text: &str, value: Span) -> bool {
    let is_blank = |c: char| matches!(c, ' ' | '\t');
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
    let letters = |word: &str| word.replace(|c: char| c.is_ascii_digit(), "");
    let Some(own) = text.get(value.start..value.end) else {
        return false;
    };
    let is_alike = |word: &str| {
        word.len() <= own.len() + 2
            && word.contains(|c: char| c.is_ascii_digit())
            && letters(word) == letters(own)
    };
    let behind = text.get(value.end..).unwrap_or_default();
    let behind = behind.strip_prefix(['"', '\'']).unwrap_or(behind);
    let next = behind.trim_start_matches(is_blank);
    let next_word = || next.trim_start_matches(['"', '\'']).split(is_end).next();
    let before = text.get(..value.start).unwrap_or_default();
    let before = before.strip_suffix(['"', '\'']).unwrap_or(before);
    let last = before.trim_end_matches(is_blank);
    let last_word = || last.trim_end_matches(['"', '\'']).rsplit(is_end).next();
    next.len() < behind.len() && next_word().is_some_and(is_alike)
        || last.len() < before.len() && last_word().is_some_and(is_alike)
}

/// Whether nothing but the next element of a list begins in a text that stands between two cards.
fn is_separator(between: &str) -> bool {
    /// Longer texts are more than the end of one call and the start of another.
    const LONGEST: usize = 200;
    let line = between.lines().next().unwrap_or_default();
    between.len() <= LONGEST
        && line.contains(',')
        && !between.contains(['=', ';', '{', '}'])
        && !between.contains("--")
        && !between.replace("::", "").contains(':')
}

/// The variable that is written at a site.
fn written_at(facts: &FileFacts, site: Site) -> Option<(&Fact, &VariableWrite)> {
    let here = facts.at(site.span).iter();
    here.filter(|fact| fact.value == site.value)
        .find_map(|fact| match &fact.kind {
            FactKind::SetVariable(write) => Some((fact, write)),
            _ => None,
        })
}

/// Whether no language reads anything but these characters into a value.
fn is_harmless(value: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_,:.".contains(c);
    !value.is_empty() && value.chars().all(plain)
}

/// A text with one number in it, with another one instead.
fn reindexed(written: &str, from: u32, to: u32) -> Option<String> {
    let start = written.find(|c: char| c.is_ascii_digit())?;
    let rest = &written[start..];
    let length = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (number, behind) = rest.split_at(length);
    let only = !behind.contains(|c: char| c.is_ascii_digit());
    (only && number.parse() == Ok(from)).then(|| format!("{}{to}{behind}", &written[..start]))
}

/// Where a variable's name stands in the code that writes it.
fn place_of_name(text: &str, code: Span, name: &str) -> Option<Span> {
    let written = text.get(code.start..code.end)?;
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    written.match_indices(name).find_map(|(at, _)| {
        let apart =
            !written[..at].ends_with(is_part) && !written[at + name.len()..].starts_with(is_part);
        apart.then(|| Span::new(code.start + at, code.start + at + name.len()))
    })
}

/// The line end that a text uses.
pub(super) fn line_end(text: &str) -> &'static str {
    let first = text.find('\n');
    let is_windows = first.is_some_and(|at| text[..at].ends_with('\r'));
    if is_windows { "\r\n" } else { "\n" }
}

/// A new line above the one that `at` is on, indented like it.
pub(super) fn line_above(text: &str, at: usize, line: &str) -> Option<Edit> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let own = &text[start..];
    let indentation = &own[..own.len() - own.trim_start_matches([' ', '\t']).len()];
    Some(Edit {
        span: Span::new(start, start),
        replacement: format!("{indentation}{line}{}", line_end(text)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_number_gets_another_index() {
        assert_eq!(reindexed("cuda:1", 1, 0).as_deref(), Some("cuda:0"));
        assert_eq!(reindexed("1", 1, 0).as_deref(), Some("0"));
        assert_eq!(reindexed("0,1", 1, 0), None);
        assert_eq!(reindexed("cuda:1", 2, 0), None);
        assert_eq!(reindexed("cuda", 1, 0), None);
    }

    #[test]
    fn what_stands_between_two_elements_of_a_list_is_told_from_other_code() {
        for between in [
            ", ",
            ",1,",
            ")?, CudaContext::new(",
            "\", \"",
            ",\n    ",
            "), torch::Device(torch::kCUDA, ",
        ] {
            assert!(is_separator(between), "{between}");
        }
        for between in [
            "",
            "; g(a, ",
            ", b: ",
            ", b=",
            "}, {",
            ")\nf(a, ",
            "', '--other', '",
            " --other ",
        ] {
            assert!(!is_separator(between), "{between}");
        }
    }

    #[test]
    fn one_of_several_numbers_in_brackets_is_known() {
        let at = |text: &str| {
            let at = text.find('1').unwrap();
            is_one_of_numbers(text, Span::new(at, at + 1))
        };
        for text in ["{0, 1}", "[1,\n 2]", "a = {2,1}", "[0, 1,]"] {
            assert!(at(text), "{text}");
        }
        for text in ["[1]", "{1}", "f(0, 1)", "[x, 1]", "{1,}", "f(1)"] {
            assert!(!at(text), "{text}");
        }
    }

    #[test]
    fn one_of_several_words_is_known() {
        let at = |text: &str| {
            let at = text.find("cuda:1").unwrap();
            is_one_of_words(text, Span::new(at, at + 6))
        };
        for text in [
            "--d cuda:1 cuda:0",
            "cuda:0 cuda:1",
            "\"cuda:1\" \"cuda:2\"",
        ] {
            assert!(at(text), "{text}");
        }
        for text in [
            "--d cuda:1 cpu",
            "cuda:1",
            "cuda:1\ncuda:0",
            "2 cuda:1 --x 0",
        ] {
            assert!(!at(text), "{text}");
        }
    }

    #[test]
    fn a_line_is_written_above_another() {
        let text = "a\r\n\tb = 1\r\n";
        let edit = line_above(text, 6, "c = 2").unwrap();
        let written = crate::text::apply(text, &[edit]).unwrap();
        assert_eq!(written, "a\r\n\tc = 2\r\n\tb = 1\r\n");
    }

    #[test]
    fn a_name_is_found_as_a_whole_word() {
        let text = "XCUDA_VISIBLE=1 CUDA_VISIBLE=2";
        let span = place_of_name(text, Span::new(0, text.len()), "CUDA_VISIBLE").unwrap();
        assert_eq!(span, Span::new(16, 28));
    }
}
