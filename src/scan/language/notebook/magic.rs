//! Lines that IPython reads itself: `%env`, `!command`.

use crate::scan::catalogue::is_of_interest;
use crate::scan::fact::{Fact, FactKind, HowSet, Value, VariableWrite, When, Whose};
use crate::scan::language::command::command_facts;
use crate::scan::language::python::Escaped;
use crate::text::Span;

/// The labels of the magics that set a variable.
pub(super) const ENV: &str = "%env";
const SET_ENV: &str = "%set_env";
/// The label of what a shell's command sets, whose text stands in the cell as it is.
const SHELL: &str = "shell";

/// What a line says, `code` being all of the code.
pub(super) fn facts(code: &str, escaped: Escaped, into: &mut Vec<Fact>) {
    let Escaped { span, when } = escaped;
    let Some(text) = code.get(span.start..span.end) else {
        return;
    };
    let end = span.start + text.trim_end().len();
    let from = |length: usize| Span::new(end.min(span.start + length), end);
    let whole = Escaped {
        span: from(0),
        when,
    };
    if text.starts_with("!!") {
        shell(code, from(2), when, into);
    } else if text.starts_with('!') {
        shell(code, from(1), when, into);
    } else if text.starts_with('%') && !text.starts_with("%%") {
        let name = text[..end - span.start]
            .split(' ')
            .next()
            .unwrap_or_default();
        let rest = from(name.len());
        match name {
            ENV => into.extend(set(code, ENV, whole, rest)),
            SET_ENV => into.extend(set(code, SET_ENV, whole, rest)),
            "%sx" | "%system" => shell(code, rest, when, into),
            "%time" | "%timeit" => {
                // `%time !command`
                let behind = &code[rest.start..rest.end];
                if let Some(command) = behind.trim_start().strip_prefix('!') {
                    shell(code, Span::new(end - command.len(), end), when, into);
                }
            }
            _ => {}
        }
    }
}

/// What a shell makes of a `script`, a piece of `code`.
pub(super) fn shell(code: &str, script: Span, when: When, into: &mut Vec<Fact>) {
    let text = filled_in(code.get(script.start..script.end).unwrap_or_default());
    let moved = |span: Span| Span::new(span.start + script.start, span.end + script.start);
    into.extend(command_facts(&text, when).into_iter().map(|fact| Fact {
        span: moved(fact.span),
        value: fact.value.map(moved),
        api: match fact.kind {
            FactKind::SetVariable(_) => SHELL,
            _ => fact.api,
        },
        ..fact
    }));
}

/// The script with `$` before what IPython fills in (`{gpu}`), which the shell never sees.
fn filled_in(script: &str) -> String {
    let mut text = String::with_capacity(script.len());
    let mut rest = script;
    while let Some((before, behind)) = rest.split_once('{') {
        text.push_str(before);
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.[]".contains(&byte);
        let end = behind.bytes().position(|byte| !is_name(byte));
        let fills_in = end.is_some_and(|end| end > 0 && behind[end..].starts_with('}'));
        text.push(if fills_in { '$' } else { '{' });
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// `NAME=value` or `NAME value`: everything behind the first `=`, or else behind the first blank,
/// is the value, quotes and comments included. `%env NAME` only prints.
fn set(code: &str, api: &'static str, whole: Escaped, rest: Span) -> Option<Fact> {
    let text = code.get(rest.start..rest.end)?;
    let text = text.trim_start();
    let split = text.find('=').or_else(|| text.find([' ', '\t']))?;
    let name = text[..split].trim_end();
    let is_name = name.bytes().all(|c| c == b'_' || c.is_ascii_alphanumeric());
    if !is_name || !is_of_interest(name) {
        return None;
    }
    let written = text[split + 1..].trim_start();
    // A line that goes on behind a backslash is joined with a blank.
    let continued = written.contains("\\\n") || written.contains("\\\r");
    let value = if written.contains(['{', '$']) || continued {
        Value::Dynamic
    } else {
        Value::Known(written.to_owned())
    };
    let known = value.known().is_some();
    Some(Fact {
        span: whole.span,
        value: known.then(|| Span::new(rest.end - written.len(), rest.end)),
        api,
        when: whole.when,
        kind: FactKind::SetVariable(VariableWrite {
            name: name.to_owned(),
            value,
            how: HowSet::Assigned,
            whose: Whose::Own,
            one_of_several: false,
        }),
    })
}

/// Whether a fact's value stands there without quotes of Python's.
pub(super) fn is_bare(api: &str) -> bool {
    [ENV, SET_ENV, SHELL].contains(&api)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::fact::When;

    /// The variables a line sets: whose, name, value, and the text of the value's span.
    fn set(line: &str) -> Vec<(Whose, String, Value<String>, Option<String>)> {
        let code = format!("x\n{line}");
        let mut found = Vec::new();
        let escaped = Escaped {
            span: Span::new(2, code.len()),
            when: When::Loading,
        };
        facts(&code, escaped, &mut found);
        let written = |fact: Fact| {
            let value = fact.value.map(|span| code[span.start..span.end].to_owned());
            match fact.kind {
                FactKind::SetVariable(write) => (write.whose, write.name, write.value, value),
                other => panic!("{other:?}"),
            }
        };
        found.into_iter().map(written).collect()
    }

    #[test]
    fn env_sets_what_ipython_would_set() {
        for (line, value) in [
            ("%env CUDA_VISIBLE_DEVICES=1", "1"),
            ("%env CUDA_VISIBLE_DEVICES 1", "1"),
            ("%env   CUDA_VISIBLE_DEVICES = 0,1  ", "0,1"),
            ("%set_env CUDA_VISIBLE_DEVICES=1", "1"),
            ("%set_env CUDA_VISIBLE_DEVICES 1", "1"),
            ("%env CUDA_VISIBLE_DEVICES='1'", "'1'"),
            (
                "%env CUDA_VISIBLE_DEVICES=1 # the big one",
                "1 # the big one",
            ),
            ("%env CUDA_VISIBLE_DEVICES=", ""),
        ] {
            let name = "CUDA_VISIBLE_DEVICES".to_owned();
            let known = Value::Known(value.to_owned());
            let expected = vec![(Whose::Own, name, known, Some(value.to_owned()))];
            assert_eq!(set(line), expected, "{line}");
        }
    }

    #[test]
    fn what_ipython_fills_in_is_not_known() {
        for line in [
            "%env CUDA_VISIBLE_DEVICES={gpu}",
            "%env CUDA_VISIBLE_DEVICES=$gpu",
            "%env CUDA_VISIBLE_DEVICES=\\\n1",
        ] {
            let name = "CUDA_VISIBLE_DEVICES".to_owned();
            assert_eq!(
                set(line),
                vec![(Whose::Own, name, Value::Dynamic, None)],
                "{line}"
            );
        }
    }

    #[test]
    fn other_magics_set_nothing() {
        for line in [
            "%env",
            "%env CUDA_VISIBLE_DEVICES",
            "%env PATH=CUDA_VISIBLE_DEVICES=1",
            "%env CUDA_VISIBLE_DEVICES 0 = 1",
            "%env\tCUDA_VISIBLE_DEVICES=1",
            "%run train.py CUDA_VISIBLE_DEVICES=1",
            "%load_ext CUDA_VISIBLE_DEVICES",
            "%matplotlib inline",
            "%",
            "%%env CUDA_VISIBLE_DEVICES=1",
            "?CUDA_VISIBLE_DEVICES=1",
            "!",
            "!!",
        ] {
            assert_eq!(set(line), [], "{line}");
        }
    }

    #[test]
    fn commands_are_read_by_the_shells_reader() {
        for line in [
            "!CUDA_VISIBLE_DEVICES=0 python train.py",
            "!!CUDA_VISIBLE_DEVICES=0 python train.py",
            "%sx CUDA_VISIBLE_DEVICES=0 python train.py",
            "%system CUDA_VISIBLE_DEVICES=0 python train.py",
            "%time !CUDA_VISIBLE_DEVICES=0 python train.py",
        ] {
            let found = set(line);
            assert_eq!(found.len(), 1, "{line}");
            assert_eq!(found[0].0, Whose::Child, "{line}");
            assert_eq!(found[0].3.as_deref(), Some("0"), "{line}");
        }
    }
}
