//! `Start-Process python -ArgumentList '--device', 'cuda:1'`: the program that it starts.

use crate::scan::language::command::Word;
use crate::text::Span;

const NAMES: &[&str] = &["start-process", "saps", "start"];

/// Parameters that stand alone; every other one takes a word.
const SWITCHES: &[&str] = &[
    "-confirm",
    "-loaduserprofile",
    "-nonewwindow",
    "-passthru",
    "-usenewenvironment",
    "-wait",
    "-whatif",
];

/// The words of the program that a command starts, if it is such a command.
pub(super) fn started(text: &str, words: &[Word]) -> Option<Vec<Word>> {
    let (first, rest) = words.split_first()?;
    if !NAMES.contains(&first.text.to_ascii_lowercase().as_str()) {
        return None;
    }
    let mut program: Option<&Word> = None;
    let mut arguments: &[Word] = &[];
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        let parameter = word.plain.then(|| word.text.to_ascii_lowercase());
        let parameter = parameter.filter(|text| text.starts_with('-'));
        let from = at + usize::from(parameter.is_some());
        let length = list_at(text, rest.get(from..).unwrap_or_default());
        let list = rest.get(from..from + length).unwrap_or_default();
        at = from + length;
        match parameter.as_deref() {
            Some(switch) if SWITCHES.contains(&switch) => at = from,
            Some(name) if "-filepath".starts_with(name) => program = list.first(),
            Some("-args") => arguments = list,
            Some(name) if "-argumentlist".starts_with(name) => arguments = list,
            Some(_) => {}
            None if program.is_none() => program = list.first(),
            None => arguments = list,
        }
    }
    // The elements are joined by blanks.
    let arguments = arguments.iter().flat_map(parts);
    Some(program.cloned().into_iter().chain(arguments).collect())
}

/// How many words are one list: a comma stands before each but the first.
fn list_at(text: &str, words: &[Word]) -> usize {
    let behind_comma = |word: &&Word| {
        let before = text.get(..word.span.start).unwrap_or_default();
        before.trim_end().ends_with(',')
    };
    let more = words.iter().skip(1).take_while(behind_comma).count();
    (1 + more).min(words.len())
}

/// A text cut at its blanks, with the places of its parts.
fn parts(word: &Word) -> Vec<Word> {
    if !word.text.contains(char::is_whitespace) || !word.references.is_empty() {
        return vec![word.clone()];
    }
    let literal = word.literal();
    let mut at = 0;
    let mut parts = Vec::new();
    for part in word.text.split(char::is_whitespace) {
        if !part.is_empty() {
            let place = literal.map(|all| Span::new(all.start + at, all.start + at + part.len()));
            parts.push(Word {
                text: part.to_owned(),
                span: place.unwrap_or(word.span),
                plain: place.is_some(),
                dynamic: word.dynamic,
                opaque: word.opaque,
                ..Word::default()
            });
        }
        at += part.len() + 1;
    }
    parts
}
