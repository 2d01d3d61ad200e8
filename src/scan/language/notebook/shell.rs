//! Commands of a shell, as far as they set CUDA's variables.

use crate::scan::fact::{Fact, FactKind, HowSet, Value, VariableWrite, When, Whose};
use crate::text::Span;

/// The label of these facts.
pub(super) const SHELL: &str = "shell";

/// Other variables are of no interest to any rule.
pub(super) fn is_of_interest(name: &str) -> bool {
    name.starts_with("CUDA_")
        && name
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

/// Commands that run the rest of their words as a command.
const WRAPPERS: [&str; 8] = [
    "command", "env", "exec", "nice", "nohup", "sudo", "time", "timeout",
];

/// A word of a command, without its quotes.
struct Word {
    text: String,
    span: Span,
    /// Whether a shell, or IPython before it, fills something in.
    dynamic: bool,
}

/// What the commands in `script`, a piece of `code`, set.
pub(super) fn facts(code: &str, script: Span, when: When, into: &mut Vec<Fact>) {
    let commands = commands(code, script);
    for (at, words) in commands.iter().enumerate() {
        let is_last = at + 1 == commands.len();
        let Some(first) = words.first() else { continue };
        let exports = match first.text.as_str() {
            "export" | "set" => true,
            "declare" | "typeset" => words.iter().any(|word| word.text == "-x"),
            _ => false,
        };
        let (set, whose) = if exports {
            // Who comes later in the same shell inherits it.
            let whose = if is_last { Whose::Nobody } else { Whose::Child };
            (&words[1..], whose)
        } else {
            let program = words.iter().position(|word| {
                let before_program = assignment(code, word).is_some()
                    || word.text.starts_with('-')
                    || WRAPPERS.contains(&word.text.as_str());
                !before_program
            });
            match program {
                Some(program) => (&words[..program], Whose::Child),
                None => (&words[..], Whose::Nobody),
            }
        };
        for word in set {
            if let Some(assigned) = assignment(code, word) {
                into.extend(fact(code, word, assigned, (whose, when)));
            }
        }
    }
}

/// `NAME=value`: the name, and where the value starts in the word's text and in the code.
fn assignment<'c>(code: &'c str, word: &Word) -> Option<(&'c str, usize)> {
    let written = code.get(word.span.start..word.span.end)?;
    let (name, _) = written.split_once('=')?;
    let starts = name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic());
    let fits = starts && name.bytes().all(|c| c == b'_' || c.is_ascii_alphanumeric());
    fits.then_some((name, name.len() + 1))
}

fn fact(
    code: &str,
    word: &Word,
    (name, value_at): (&str, usize),
    (whose, when): (Whose, When),
) -> Option<Fact> {
    if !is_of_interest(name) {
        return None;
    }
    let written = Span::new(word.span.start + value_at, word.span.end);
    let value = if word.dynamic {
        Value::Dynamic
    } else {
        Value::Known(word.text.get(value_at..)?.to_owned())
    };
    Some(Fact {
        span: word.span,
        value: value.known().and_then(|_| unquoted(code, written)),
        api: SHELL,
        when,
        kind: FactKind::SetVariable(VariableWrite {
            name: name.to_owned(),
            value,
            how: HowSet::Assigned,
            whose,
            one_of_several: false,
        }),
    })
}

/// The value inside its quotes; `None` where it is put together from pieces.
fn unquoted(code: &str, written: Span) -> Option<Span> {
    let text = code.get(written.start..written.end)?;
    let quoted = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    let inside = quoted('"').or_else(|| quoted('\''));
    let span = match inside {
        Some(_) => Span::new(written.start + 1, written.end - 1),
        None => written,
    };
    (!code[span.start..span.end].contains(['"', '\'', '\\'])).then_some(span)
}

/// The simple commands, by their words. What follows a here-document is not read.
fn commands(code: &str, script: Span) -> Vec<Vec<Word>> {
    let mut commands = vec![Vec::new()];
    let mut at = script.start;
    while let Some(next) = next_char(code, at, script.end) {
        match next {
            ' ' | '\t' | '\r' => at += 1,
            '\n' | ';' | '&' | '|' | '(' | ')' => {
                if commands.last().is_some_and(|words| !words.is_empty()) {
                    commands.push(Vec::new());
                }
                at += 1;
            }
            '#' => at += comment(&code[at..script.end]),
            '<' if code[at..script.end].starts_with("<<") => break,
            _ => {
                let word = word(code, at, script.end);
                at = word.span.end;
                if let Some(words) = commands.last_mut()
                    && !word.span_is_empty()
                {
                    words.push(word);
                }
            }
        }
    }
    commands.retain(|words| !words.is_empty());
    commands
}

fn next_char(code: &str, at: usize, end: usize) -> Option<char> {
    code.get(at..end)?.chars().next()
}

fn comment(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

/// The word that starts at `start`; a line end behind a backslash is a word of nothing.
fn word(code: &str, start: usize, end: usize) -> Word {
    let (mut text, mut dynamic, mut quote) = (String::new(), false, None);
    let mut at = start;
    let mut nothing = true;
    while let Some(next) = next_char(code, at, end) {
        if quote.is_none() && " \t\r\n;&|()<>".contains(next) && at > start {
            break;
        }
        let length = next.len_utf8();
        match (next, quote) {
            ('"' | '\'', None) => {
                quote = Some(next);
                nothing = false;
            }
            (next, Some(open)) if next == open => quote = None,
            ('\\', open) if open != Some('\'') => {
                let behind = &code[at + 1..end];
                let line_end = ["\r\n", "\n"]
                    .iter()
                    .find(|line| behind.starts_with(**line));
                if let Some(line_end) = line_end {
                    at += 1 + line_end.len();
                    if quote.is_none() && nothing {
                        break;
                    }
                    continue;
                }
                if let Some(escaped) = behind.chars().next() {
                    text.push(escaped);
                    at += escaped.len_utf8();
                }
                nothing = false;
            }
            _ => {
                // IPython fills in `{x}` and `$x` in any quotes, before the shell sees them.
                dynamic |= "$`{*?".contains(next);
                text.push(next);
                nothing = false;
            }
        }
        at += length;
    }
    Word {
        span: Span::new(if nothing { at } else { start }, at),
        text,
        dynamic,
    }
}

impl Word {
    fn span_is_empty(&self) -> bool {
        self.span.start == self.span.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a script sets: whose, `name=value` with `?` for a dynamic value, and the text at the
    /// value's span.
    fn set(script: &str) -> Vec<String> {
        let code = format!("%%bash\n{script}");
        let mut found = Vec::new();
        facts(&code, Span::new(7, code.len()), When::Loading, &mut found);
        let shown = |fact: &Fact| match &fact.kind {
            FactKind::SetVariable(write) => {
                let value = write.value.known().map_or("?", String::as_str);
                let span = fact.value.map_or("-", |span| &code[span.start..span.end]);
                format!("{:?} {}={value} {span}", write.whose, write.name)
            }
            other => panic!("{other:?}"),
        };
        found.iter().map(shown).collect()
    }

    #[test]
    fn who_sees_a_variable_is_told_apart() {
        for (script, expected) in [
            ("export CUDA_X=1", &["Nobody CUDA_X=1 1"][..]),
            ("export CUDA_X=1\n", &["Nobody CUDA_X=1 1"]),
            ("CUDA_X=1", &["Nobody CUDA_X=1 1"]),
            ("set CUDA_X=1", &["Nobody CUDA_X=1 1"]),
            ("CUDA_X=1; python a.py", &["Nobody CUDA_X=1 1"]),
            ("CUDA_X=1 python a.py", &["Child CUDA_X=1 1"]),
            ("A=1 CUDA_X=1 B=2 python a.py", &["Child CUDA_X=1 1"]),
            ("env -i CUDA_X=1 nohup python a.py", &["Child CUDA_X=1 1"]),
            ("export CUDA_X=1 && python a.py", &["Child CUDA_X=1 1"]),
            ("export CUDA_X=1\npython a.py", &["Child CUDA_X=1 1"]),
            ("export A=1 CUDA_X=1; python a", &["Child CUDA_X=1 1"]),
            ("declare -x CUDA_X=1; python a", &["Child CUDA_X=1 1"]),
            (
                "cd x && CUDA_X=1 python a.py | tee log",
                &["Child CUDA_X=1 1"],
            ),
            (
                "CUDA_X=1 \\\n  CUDA_Y=2 \\\n  python a.py",
                &["Child CUDA_X=1 1", "Child CUDA_Y=2 2"],
            ),
        ] {
            assert_eq!(set(script), expected, "{script}");
        }
    }

    #[test]
    fn values_are_read_as_a_shell_does() {
        for (written, expected) in [
            ("'0,1'", "0,1 0,1"),
            ("\"0,1\"", "0,1 0,1"),
            ("", " "),
            ("''", " "),
            ("0\\,1", "0,1 -"),
            ("0\",1\"", "0,1 -"),
            ("$GPU", "? -"),
            ("\"${GPU:-0}\"", "? -"),
            ("{gpu}", "? -"),
            ("`pick`", "? -"),
            ("é", "é é"),
        ] {
            let script = format!("CUDA_X={written} python a.py");
            assert_eq!(
                set(&script),
                [format!("Child CUDA_X={expected}")],
                "{script}"
            );
        }
    }

    #[test]
    fn what_sets_nothing_is_passed_over() {
        for script in [
            "",
            "\\",
            "\\\n",
            "'open CUDA_X=1",
            "# export CUDA_X=1",
            "echo CUDA_X=1",
            "python a.py CUDA_X=1",
            "export CUDA_X",
            "export MYCUDA_X=1",
            "echo 'export CUDA_X=1'",
            "cat > run.sh <<EOF\nexport CUDA_X=1\nEOF",
            "nvidia-smi -i 1",
        ] {
            assert_eq!(set(script), Vec::<String>::new(), "{script}");
        }
    }
}
