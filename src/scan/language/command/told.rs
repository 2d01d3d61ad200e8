//! Texts among a program's arguments that it runs as commands: `sh -c '…'`, `sbatch --wrap='…'`.

use super::{HOLE, Word};

/// Shells that take a text with `-c`.
pub(super) const SHELLS: &[&str] = &["bash", "sh", "zsh", "dash", "ksh", "fish"];

/// The text that a shell is told to run.
pub(super) fn inner_text<'w>(name: &str, arguments: &'w [Word]) -> Option<&'w Word> {
    if !SHELLS.contains(&name) && !name.eq_ignore_ascii_case("cmd") {
        return None;
    }
    let at = arguments.iter().position(|word| {
        ["/c", "/k"]
            .iter()
            .any(|own| word.text.eq_ignore_ascii_case(own))
            || (word.text.starts_with('-')
                && !word.text.starts_with("--")
                && word.text.ends_with('c'))
    })?;
    arguments.get(at + 1)
}

/// The text of Slurm's `--wrap="…"`.
pub(super) fn wrapped_text(arguments: &[Word]) -> Option<Word> {
    let at = arguments
        .iter()
        .position(|word| word.text.split('=').next() == Some("--wrap"))?;
    let word = arguments.get(at)?;
    match word.text.split_once('=') {
        Some((_, text)) => Some(Word {
            text: text.to_owned(),
            span: word.span,
            quoted: word.quoted,
            dynamic: word.dynamic,
            ..Word::default()
        }),
        None => arguments.get(at + 1).cloned(),
    }
}

/// The text that `powershell -Command` and `Invoke-Expression` run.
pub(super) fn powershell_text<'w>(name: &str, arguments: &'w [Word]) -> Option<&'w Word> {
    let is = |names: &[&str]| names.iter().any(|own| own.eq_ignore_ascii_case(name));
    if is(&["invoke-expression", "iex"]) {
        return match arguments {
            [only] => Some(only),
            [option, text] if option.text.eq_ignore_ascii_case("-command") => Some(text),
            _ => None,
        };
    }
    if !is(&["powershell", "pwsh"]) {
        return None;
    }
    let at = arguments.iter().position(|word| {
        ["-command", "-c"]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(&word.text))
    })?;
    // Several words are one text, whose places are not kept.
    match arguments.get(at + 1..)? {
        [only] => Some(only),
        _ => None,
    }
}

/// A word of `parallel`'s command, with a hole where a job's input stands: `{}`, `{1}`, `{/.}`.
pub(super) fn per_job(word: &Word) -> Word {
    let Some((before, behind)) = word.text.split_once('{') else {
        return word.clone();
    };
    let mut text = before.to_owned();
    let mut rest = behind;
    loop {
        let length = rest.find(|c: char| !(c.is_ascii_digit() || "#%/.+-_=".contains(c)));
        let length = length.unwrap_or(rest.len());
        match rest.get(length..).and_then(|rest| rest.strip_prefix('}')) {
            Some(after) => {
                text.push(HOLE);
                rest = after;
            }
            None => text.push('{'),
        }
        let Some((before, behind)) = rest.split_once('{') else {
            text.push_str(rest);
            break;
        };
        text.push_str(before);
        rest = behind;
    }
    let mut filled = Word {
        text,
        span: word.span,
        ..Word::default()
    };
    filled.hide();
    filled
}
