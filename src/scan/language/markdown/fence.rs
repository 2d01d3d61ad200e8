//! Fences: which language one is in, and what of it is typed where it shows a session.

use crate::scan::embedded::Embedded;
use crate::scan::language::Language;
use crate::text::Span;

/// What a fence is called, with the name of the language. A language that is not read is no more
/// than a name.
const NAMES: &[(&[&str], &str)] = &[
    (
        &[
            "python", "py", "python3", "py3", "pycon", "ipython", "ipython3",
        ],
        "python",
    ),
    (
        &[
            "bash",
            "console",
            "ksh",
            "sh",
            "sh-session",
            "shell",
            "shell-session",
            "shellsession",
            "shellscript",
            "terminal",
            "zsh",
        ],
        "shell",
    ),
    (&["fish"], "fish"),
    (&["powershell", "pwsh", "ps", "ps1"], "powershell"),
    (&["bat", "batch", "batchfile", "cmd", "dos"], "batch"),
    (&["yaml", "yml"], "yaml"),
    (&["json", "json5", "jsonc"], "json"),
    (&["toml"], "toml"),
    (&["cfg", "ini", "systemd"], "ini"),
    (&["containerfile", "docker", "dockerfile"], "dockerfile"),
    (&["make", "makefile"], "make"),
    (&["just", "justfile"], "just"),
    (
        &["c", "c++", "cc", "cpp", "cu", "cuda", "cuda-cpp", "cxx"],
        "c++",
    ),
    (&["rs", "rust"], "rust"),
    (&["dotenv", "env"], "dotenv"),
];

/// The language that a fence says it is in.
pub(super) fn language(info: &str) -> Option<&'static Language> {
    let word = word(info);
    let (_, name) = NAMES
        .iter()
        .find(|(names, _)| names.contains(&word.as_str()))?;
    Language::called(name)
}

/// The first word of a fence's info, without attributes: `rust` of `rust,no_run`, `python` of
/// `{python}` and of `{.python .numberLines}`.
pub(super) fn word(info: &str) -> String {
    let info = info.trim();
    let info = of_directive(info)
        .unwrap_or(info)
        .trim()
        .trim_start_matches('{')
        .trim_start();
    let info = info.trim_start_matches('.');
    let end = info.find(|c: char| c.is_whitespace() || ",{}:=".contains(c));
    info.get(..end.unwrap_or(info.len()))
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// Directives of `MyST` behind which the language stands.
const DIRECTIVES: &[&str] = &["{code-block}", "{code-cell}", "{code}", "{sourcecode}"];

/// What stands behind the name of a directive.
fn of_directive(info: &str) -> Option<&str> {
    let info = info.trim_start();
    DIRECTIVES
        .iter()
        .find_map(|directive| info.strip_prefix(directive))
}

/// The code of a directive without its options: lines like `:linenos:`, or between two `---`.
pub(super) fn without_options(info: &str, code: Embedded) -> Embedded {
    if of_directive(info).is_none() {
        return code;
    }
    let text = code.code();
    let first = text.lines().next().unwrap_or_default().trim_end();
    let is_option = |line: &str| {
        let name = line
            .strip_prefix(':')
            .and_then(|rest| rest.split(':').next());
        name.is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|b| b == b'-' || b.is_ascii_lowercase())
        }) && line.trim_start_matches(':').contains(':')
    };
    let mut behind = 0;
    if first == "---" {
        let mut lines = text.split_inclusive('\n');
        behind = lines.next().map_or(0, str::len);
        for line in lines {
            behind += line.len();
            if line.trim_end() == "---" {
                break;
            }
        }
    } else {
        for line in text.split_inclusive('\n') {
            if !is_option(line) {
                break;
            }
            behind += line.len();
        }
    }
    if behind == 0 {
        return code;
    }
    let mut rest = Embedded::default();
    code.copy_to(&mut rest, Span::new(behind, text.len()));
    rest
}

/// Fences that show a session: what has no prompt is what a program printed.
const SESSIONS: &[&str] = &[
    "console",
    "pycon",
    "sh-session",
    "shell-session",
    "shellsession",
];

/// The code of a fence as somebody types it.
pub(super) fn without_prompts(word: &str, code: Embedded) -> Embedded {
    let text = code.code();
    let of_python = text.lines().any(|line| line.starts_with(">>> "));
    let prompts: &[&str] = if of_python {
        &[">>> ", "... "]
    } else {
        &["$ ", "% ", "> ", "# "]
    };
    // A `#` alone begins a comment, and a `>` a redirection.
    let is_session = of_python
        || SESSIONS.contains(&word)
        || (is_shell(word) && text.lines().any(|line| prompt(line, &["$ "]).is_some()));
    if !is_session {
        return code;
    }
    let mut typed = Embedded::default();
    let mut start = 0;
    let mut goes_on = false;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        // A line that goes on needs no prompt.
        let skipped = prompt(line, prompts).or_else(|| goes_on.then_some(0));
        if let Some(skipped) = skipped {
            code.copy_to(&mut typed, Span::new(start + skipped, end));
            goes_on = line.trim_end().ends_with('\\');
        } else {
            goes_on = false;
        }
        start = end;
    }
    typed
}

fn is_shell(word: &str) -> bool {
    NAMES
        .iter()
        .any(|(names, name)| *name == "shell" && names.contains(&word))
}

/// Where a line's text begins behind its prompt: `$ `, `(venv) $ `, `user@host:~$ `.
fn prompt(line: &str, prompts: &[&str]) -> Option<usize> {
    let content = line.trim_start();
    let blank = line.len() - content.len();
    if let Some(prompt) = prompts.iter().find(|prompt| content.starts_with(**prompt)) {
        return Some(blank + prompt.len());
    }
    let end = content.find("$ ")?;
    let ahead = content.get(..end)?;
    let is_host = ahead.contains('@') && !ahead.contains(char::is_whitespace);
    let is_name = ahead.starts_with('(') && ahead.trim_end().ends_with(')');
    (is_host || is_name).then_some(blank + end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_names_the_language() {
        for (info, expected) in [
            ("python", "python"),
            ("Python title=\"a\"", "python"),
            ("{python}", "python"),
            ("{.bash .x}", "bash"),
            ("{code-block} python", "python"),
            ("{code-cell} ipython3", "ipython3"),
            ("{code-block}", ""),
            ("{note} python", "note"),
            ("rust,no_run", "rust"),
            ("python:a.py", "python"),
            ("", ""),
        ] {
            assert_eq!(word(info), expected, "{info}");
        }
        assert!(language("py").is_some() && language("text").is_none());
    }

    #[test]
    fn what_is_typed_has_a_prompt() {
        for (word, text, expected) in [
            ("console", "$ a \\\n  b\nout\n(x) $ c\n", "a \\\n  b\nc\n"),
            ("bash", "$ a\nout\n", "a\n"),
            ("bash", "a\n# b\n", "a\n# b\n"),
            ("console", "me@host:~$ a\nCUDA $ b\n", "a\n"),
            ("python", ">>> a\n... b\n1\n", "a\nb\n"),
            ("yaml", "a: $ b\n$ c\n", "a: $ b\n$ c\n"),
        ] {
            let mut code = Embedded::default();
            code.push(Span::new(0, text.len()), text);
            assert_eq!(without_prompts(word, code).code(), expected, "{text}");
        }
    }
}
