//! Which language a script in settings is in: by the shell that is named, the machine, or its key.

use super::tree::{Entry, Node};
use super::variable;
use super::walk::Around;
use crate::git::RepoPath;
use crate::scan::language::{Language, ini, python, shell};

/// Longer keys are no file's name.
const LONGEST_FILE_NAME: usize = 64;

/// Texts in another language, by their keys: Azure's steps in `PowerShell`, tox's old settings in
/// `pyproject.toml`, files in an object of Kubernetes.
pub(super) fn in_another_language(
    name: &str,
    entry: &Entry,
    around: Around<'_>,
) -> Option<&'static Language> {
    match name {
        "powershell" | "pwsh" => Some(&shell::POWERSHELL),
        "legacy_tox_ini" => Some(&ini::INI),
        _ if around.outer_key == "data" && around.in_container => {
            let is_file = entry.key.contains('.') && entry.key.len() <= LONGEST_FILE_NAME;
            let path = || RepoPath::new(entry.key.as_str());
            is_file.then(|| Language::of(&path(), b"")).flatten()
        }
        _ => None,
    }
}

/// The shell that a step of a workflow names for its script, or a workflow for all of its steps.
pub(super) fn shell_of(node: &Node) -> Option<&str> {
    if let Some(shell) = node.get("task").and_then(shell_of_task) {
        return Some(shell);
    }
    let of_step = node.get("shell").filter(|_| node.get("run").is_some());
    let of_all = || node.at(&["defaults", "run", "shell"]);
    of_step.or_else(of_all)?.text()
}

/// The shell of one of Azure's tasks, such as `PowerShell@2`, whose script stands in its inputs.
fn shell_of_task(task: &Node) -> Option<&str> {
    let (name, _) = task.text()?.split_once('@')?;
    match name {
        "PowerShell" | "AzurePowerShell" => Some("pwsh"),
        "Bash" | "ShellScript" => Some("bash"),
        "BatchScript" => Some("cmd"),
        "PythonScript" => Some("python"),
        _ => None,
    }
}

/// The shell of a job's machine, where nobody names one.
pub(super) fn shell_of_machine(node: &Node) -> &'static str {
    let machine = node.get("runs-on");
    let is_windows = |node: &Node| {
        let text = node.text().unwrap_or_default();
        text.get(..7)
            .is_some_and(|start| start.eq_ignore_ascii_case("windows"))
    };
    let mut named = machine
        .into_iter()
        .chain(machine.map(Node::elements).unwrap_or_default());
    if named.any(is_windows) { "pwsh" } else { "" }
}

/// Who reads the scripts of a step.
pub(super) enum Reader {
    /// sh, bash, or what nobody named.
    Shell,
    Another(&'static Language),
    /// A language that is not read.
    Nobody,
}

/// The reader that a shell's name means: `python`, `pwsh`, `bash -e {0}`.
pub(super) fn reader(shell: &str) -> Reader {
    let program = shell.split_whitespace().next().unwrap_or_default();
    let program = program.rsplit(['/', '\\']).next().unwrap_or_default();
    match program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "" | "bash" | "sh" | "zsh" | "dash" => Reader::Shell,
        "python" => Reader::Another(&python::PYTHON),
        "pwsh" | "powershell" => Reader::Another(&shell::POWERSHELL),
        "cmd" => Reader::Another(&shell::BATCH),
        // Filled in later: most are shells.
        _ if variable::is_decided_later(program) => Reader::Shell,
        _ => Reader::Nobody,
    }
}
