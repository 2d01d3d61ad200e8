//! Variables in a line for a shell: `CUDA_VISIBLE_DEVICES=1 python train.py`, `export …`.

use crate::scan::fact::{Value, Whose};

/// A variable that a shell's line sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) value: Value<String>,
    pub(super) whose: Whose,
}

/// More commands and words than these are not looked at.
const MOST: usize = 64;

/// The variables that a line sets, for its own commands or for nobody.
pub(super) fn assignments(line: &str) -> Vec<Assignment> {
    let commands: Vec<&str> = line
        .split([';', '\n', '&', '|'])
        .map(str::trim)
        .filter(|command| !command.is_empty())
        .take(MOST)
        .collect();
    let mut all = Vec::new();
    for (at, command) in commands.iter().enumerate() {
        let more = at + 1 < commands.len();
        let mut words = command.split_whitespace().take(MOST).peekable();
        let exports = words
            .next_if(|word| ["export", "set", "env"].contains(word))
            .is_some_and(|word| word != "env");
        let mut here = Vec::new();
        while let Some((name, value)) = words.peek().and_then(|word| assignment(word)) {
            here.push((name.to_owned(), unquoted(value)));
            words.next();
        }
        // Exported, it is for the commands behind; before a command, for that one.
        let seen = if exports {
            more
        } else {
            words.peek().is_some()
        };
        let whose = if seen { Whose::Child } else { Whose::Nobody };
        all.extend(
            here.into_iter()
                .map(|(name, value)| Assignment { name, value, whose }),
        );
    }
    all
}

/// `NAME=value`.
pub(super) fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, value))
}

/// A value without its quotes; not known where the shell computes it.
fn unquoted(value: &str) -> Value<String> {
    if value.contains(['$', '`']) {
        return Value::Dynamic;
    }
    Value::Known(value.trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_has_its_owner() {
        let read = |line| -> Vec<(String, Value<String>, Whose)> {
            let all = assignments(line).into_iter();
            all.map(|found| (found.name, found.value, found.whose))
                .collect()
        };
        let one =
            |value: &str, whose| vec![("X".to_owned(), Value::Known(value.to_owned()), whose)];
        assert_eq!(read("X=1 python a.py"), one("1", Whose::Child));
        assert_eq!(read("env X='1' python a.py"), one("1", Whose::Child));
        assert_eq!(read("export X=1"), one("1", Whose::Nobody));
        assert_eq!(
            read("export X=\"1\" && python a.py"),
            one("1", Whose::Child)
        );
        assert_eq!(read("X=1"), one("1", Whose::Nobody));
        assert_eq!(read("cd a; X=1 b"), one("1", Whose::Child));
        assert_eq!(read("X=$Y b")[0].1, Value::Dynamic);
        assert_eq!(read("python a.py X=1"), []);
        assert_eq!(read("a --b=1"), []);
        assert_eq!(read(""), []);
    }
}
