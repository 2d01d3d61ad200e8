//! Whether a hook is as its manager writes it, so that it surely starts the manager and heeds what
//! that says: it consists of the lines that a manager's hook has, in their order, and of nothing
//! else. Of a hook that looks otherwise nothing is claimed, also where only the version differs.

use super::Event;
use super::hook_manager::Manager;

/// Interpreters that run the lines as they stand.
const SHELLS: [&str; 4] = [
    "#!/bin/sh",
    "#!/bin/bash",
    "#!/usr/bin/env sh",
    "#!/usr/bin/env bash",
];

/// How hk is switched off.
const SWITCH_OF_HK: &str = r#"test "${HK:-1}" = "0" || "#;

/// The folder that the hook lies in, as pre-commit and prek ask for it.
const OWN_FOLDER: &str = r#"HERE="$(cd "$(dirname "$0")" && pwd)""#;

/// Whether a hook file is as the manager writes it at the event.
pub(super) fn is_as_written(manager: Manager, text: &str, event: Event) -> bool {
    let lines = lines(text);
    is_for_a_shell(text)
        && match manager {
            Manager::Husky => starts_its_runner(&lines),
            Manager::Lefthook => is_of_lefthook(&lines, event),
            Manager::PreCommit => is_of_pre_commit(&lines, event),
            Manager::Prek => is_of_prek(&lines, event),
            Manager::Hk => is_of_hk(&lines, event),
        }
}

/// Whether a command of the configuration is; only hk writes one.
pub(super) fn is_command_as_written(manager: Manager, command: &str, event: Event) -> bool {
    let Some(command) = command.strip_prefix(SWITCH_OF_HK) else {
        return false;
    };
    let after_path = command
        .strip_prefix("PATH=\"$PATH\":")
        .and_then(|rest| rest.split_once(' '))
        .filter(|(folder, _)| is_word(folder));
    manager == Manager::Hk && runs_hk(after_path.map_or(command, |(_, rest)| rest), event)
}

/// Whether a shell reads the file, as far as its first line says.
pub(super) fn is_for_a_shell(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    SHELLS.contains(&first.trim_end())
}

/// The lines that are no comment.
fn lines(text: &str) -> Vec<&str> {
    let says = |line: &&str| !line.is_empty() && !line.starts_with('#');
    text.lines().map(str::trim).filter(says).collect()
}

/// A word that means what it says, in quotes or without.
fn is_word(word: &str) -> bool {
    let within = |quote: char| word.strip_prefix(quote)?.strip_suffix(quote);
    let is_plain = |c: char| c.is_alphanumeric() || "_./+,:@%-".contains(c);
    let is_plain_word = || !word.is_empty() && word.chars().all(is_plain);
    within('"')
        .or_else(|| within('\''))
        .map_or_else(is_plain_word, |inner| {
            !inner.contains(['"', '\'', '$', '`', '\\'])
        })
}

/// Version 9: each hook only reads `h`, beside it.
fn starts_its_runner(lines: &[&str]) -> bool {
    matches!(
        lines,
        [r#". "$(dirname "$0")/h""# | r#". "$(dirname -- "$0")/h""#]
    )
}

/// Whether husky's `h` is as husky writes it: it runs the script one folder up, and ends as that.
pub(super) fn is_runner_of_husky(text: &str) -> bool {
    const SCRIPT: [&str; 2] = [
        r#"n=$(basename "$0")"#,
        r#"s=$(dirname "$(dirname "$0")")/$n"#,
    ];
    const OTHERS: [&str; 8] = [
        r#"if [ -f "$HOME/.huskyrc" ]; then"#,
        "fi",
        r#"[ "$HUSKY" = "2" ] && set -x"#,
        r#"[ ! -f "$s" ] && exit 0"#,
        r#"i="${XDG_CONFIG_HOME:-$HOME/.config}/husky/init.sh""#,
        r#"[ -f "$i" ] && . "$i""#,
        r#"[ "${HUSKY-}" = "0" ] && exit 0"#,
        r#"export PATH="node_modules/.bin:$PATH""#,
    ];
    let lines = lines(text);
    let mut parts = lines.splitn(2, |line| *line == r#"sh -e "$s" "$@""#);
    let (Some(before), Some(["c=$?", said @ .., "exit $c"])) = (parts.next(), parts.next()) else {
        return false;
    };
    let is_said = |line: &&str| {
        line.starts_with("[ $c ") && line.contains(" ] && echo \"") && !line.contains([';', '`'])
    };
    // It tells of a file of older versions.
    let is_advice = |line: &str| {
        line.starts_with("echo \"husky - ")
            && line.ends_with('"')
            && !line.contains([';', '`', '$'])
    };
    let is_known = |line: &&str| SCRIPT.contains(line) || OTHERS.contains(line) || is_advice(line);
    SCRIPT.iter().all(|line| before.contains(line))
        && before.iter().all(is_known)
        && said.iter().all(is_said)
}

/// Its switches, a function that finds lefthook, and the call.
fn is_of_lefthook(lines: &[&str], event: Event) -> bool {
    let Some(at) = lines.iter().position(|line| *line == "call_lefthook()") else {
        return false;
    };
    let (Some(switches), Some([_, "{", body @ .., "}", call])) = (lines.get(..at), lines.get(at..))
    else {
        return false;
    };
    let is_switch = |switch: &[&str]| match switch {
        [r#"if [ "$LEFTHOOK" = "0" ]; then"#, "exit 0", "fi"] => true,
        [condition, "set -x", "fi"] => {
            condition.starts_with("if [ \"$LEFTHOOK_VERBOSE\" = ")
                && condition.matches([';', '&', '|', '`']).count() == 1
        }
        _ => false,
    };
    *call == format!("call_lefthook run \"{}\" \"$@\"", event.name)
        && switches.chunks(3).all(is_switch)
        && body.iter().all(|line| is_search_for_lefthook(line))
}

/// A line of the function that finds lefthook and starts it.
fn is_search_for_lefthook(line: &str) -> bool {
    const PACKAGE_MANAGERS: [&str; 12] = [
        "go", "bundle", "yarn", "pnpm", "npx", "swift", "mint", "uv", "composer", "mise", "devbox",
        "pixi",
    ];
    if matches!(line, "then" | "else" | "fi" | "exit 1") {
        return true;
    }
    let is_simple = |text: &str| !text.contains([';', '&', '|', '`', '<', '>', '(', '!']);
    let question = line.strip_prefix("if ").or(line.strip_prefix("elif "));
    if let Some(question) = question {
        return is_simple(question.trim_end_matches(" >/dev/null 2>&1"));
    }
    if let Some(call) = line.strip_suffix(" \"$@\"") {
        let first = call.split(' ').next().unwrap_or_default();
        let is_itself = first.trim_end_matches('"').ends_with("lefthook")
            || first == "\"$LEFTHOOK_BIN\""
            || first.ends_with("/lefthook/bin/index.js\"");
        let by_another = PACKAGE_MANAGERS.contains(&first) && call.contains(" lefthook")
            || call == "mint run csjones/lefthook-plugin";
        return is_simple(call) && (is_itself && first == call || by_another);
    }
    let starts = [
        "dir=\"$(git rev-parse --show-toplevel",
        "osArch=$(uname",
        "cpuArch=$(uname",
        "echo \"Can't find lefthook",
    ];
    starts.iter().any(|start| line.starts_with(start))
        && !line.contains(['&', '`'])
        && !line.contains("exit")
}

/// Its Python, what it is told, and the two ways to start it.
fn is_of_pre_commit(lines: &[&str], event: Event) -> bool {
    let [
        python,
        told,
        OWN_FOLDER,
        r#"ARGS+=(--hook-dir "$HERE" -- "$@")"#,
        r#"if [ -x "$INSTALL_PYTHON" ]; then"#,
        by_python,
        "elif command -v pre-commit > /dev/null; then",
        r#"exec pre-commit "${ARGS[@]}""#,
        "else",
        complaint,
        "exit 1",
        "fi",
    ] = lines
    else {
        return false;
    };
    let event = event.name;
    python.strip_prefix("INSTALL_PYTHON=").is_some_and(is_word)
        && *told == format!("ARGS=(hook-impl --config=.pre-commit-config.yaml --hook-type={event})")
        && *by_python == r#"exec "$INSTALL_PYTHON" -mpre_commit "${ARGS[@]}""#
        && complaint.starts_with("echo '")
}

/// Its program, and its start.
fn is_of_prek(lines: &[&str], event: Event) -> bool {
    let [
        OWN_FOLDER,
        program,
        r#"if [ ! -x "$PREK" ]; then"#,
        r#"PREK="prek""#,
        "fi",
        start,
    ] = lines
    else {
        return false;
    };
    let options = start
        .strip_prefix("exec \"$PREK\" hook-impl ")
        .and_then(|rest| rest.strip_suffix(" -- \"$@\""));
    let of_event = format!("--hook-type={}", event.name);
    let is_known = |option: &str| {
        let config = option.strip_prefix("--config=");
        option == of_event
            || option == "--hook-dir=\"$HERE\""
            || option
                .strip_prefix("--script-version=")
                .is_some_and(is_word)
            || config.is_some_and(|file| file.trim_matches('"') == ".pre-commit-config.yaml")
    };
    program.strip_prefix("PREK=").is_some_and(is_word)
        && options.is_some_and(|options| {
            let mut options = options.split(' ');
            options.clone().any(|option| option == of_event) && options.all(is_known)
        })
}

/// One line.
fn is_of_hk(lines: &[&str], event: Event) -> bool {
    let [line] = lines else {
        return false;
    };
    let Some(rest) = line.strip_prefix(SWITCH_OF_HK) else {
        return false;
    };
    let inner = rest
        .strip_prefix("{ PATH=\"$PATH\":")
        .and_then(|rest| rest.strip_suffix("; }"))
        .and_then(|inner| inner.split_once("; export PATH; "))
        .filter(|(folder, _)| is_word(folder));
    let start = inner.map_or(rest, |(_, start)| start);
    let call = start.strip_prefix("exec ");
    call.is_some_and(|call| runs_hk(call, event))
}

fn runs_hk(call: &str, event: Event) -> bool {
    let by_mise = call.split_once(" x -- ").or(call.split_once(" x hk -- "));
    let is_mise = |program: &str| is_program(program, "mise");
    let by_mise = by_mise.filter(|(program, _)| is_mise(program));
    let call = by_mise.map_or(call, |(_, rest)| rest);
    let mut words = call.split(' ');
    is_program(words.next().unwrap_or_default(), "hk")
        && words.next() == Some("run")
        && words.next() == Some(event.name)
        && words.all(|word| ["--from-hook", "--staged", "\"$@\""].contains(&word))
}

/// Whether a word names a program, with its folder or without.
fn is_program(word: &str, name: &str) -> bool {
    let file = word.trim_matches(['"', '\'']).rsplit('/').next();
    is_word(word) && file == Some(name)
}

#[cfg(test)]
mod tests;
