//! Whether the configuration of a hook manager runs gpuguard at an event. Only what `install`
//! prints counts, in its place: not the word in a comment or an `echo`, nor another stage or
//! section, a condition, or a refusal that is thrown away. What is not surely so is not so.

use super::hook_manager::Manager;
use super::{Event, Gate};

/// A line that is no comment, and how far it is indented.
#[derive(Clone, Copy, Debug)]
struct Line<'t> {
    indent: usize,
    text: &'t str,
}

/// The lines that say something; `comment` begins those that do not.
fn lines<'t>(text: &'t str, comment: &str) -> Vec<Line<'t>> {
    let line = |text: &'t str| Line {
        indent: text.len() - text.trim_start().len(),
        text: text.trim(),
    };
    let says = |line: &Line<'_>| !line.text.is_empty() && !line.text.starts_with(comment);
    text.lines().map(line).filter(says).collect()
}

/// Whether `text`, a configuration of `manager`, runs gpuguard at `event` and heeds its refusal.
pub(super) fn runs_gpuguard(manager: Manager, text: &str, event: Event) -> bool {
    match manager {
        Manager::Husky => in_script(text, event),
        Manager::Lefthook => in_lefthook(text, event),
        Manager::PreCommit | Manager::Prek => in_framework(text, event),
        Manager::Hk => in_hk(text, event),
    }
}

/// Whether it says the word at all, outside of comments.
pub(super) fn names_gpuguard(text: &str) -> bool {
    let is_remark = |line: &&str| !line.starts_with('#') && !line.starts_with("//");
    let mut lines = text.lines().map(str::trim).filter(is_remark);
    lines.any(|line| line.contains("gpuguard"))
}

/// A script of sh: the line is the last command, and nothing before it can end the script, change
/// what the line means, or hide it.
fn in_script(text: &str, event: Event) -> bool {
    let own = Manager::Husky.lines(event);
    let lines = lines(text, "#");
    let Some((last, first)) = lines.split_last() else {
        return false;
    };
    let is_own = last.text == own.trim_end() || last.text == format!("exec {}", own.trim_end());
    is_own && first.iter().all(|line| is_plain_command(line.text))
}

/// Whether a line starts one program with its arguments, and does nothing to the shell that comes
/// to gpuguard after it, nor to what Git has told that.
fn is_plain_command(line: &str) -> bool {
    // What the shell itself does; `git` may change what is staged.
    const NOT_PROGRAMS: [&str; 51] = [
        "alias", "bg", "break", "builtin", "case", "cd", "command", "continue", "declare", "do",
        "done", "elif", "else", "enable", "esac", "eval", "exec", "exit", "export", "fc", "fg",
        "fi", "for", "function", "getopts", "git", "hash", "if", "kill", "let", "local", "logout",
        "popd", "pushd", "read", "readonly", "return", "select", "set", "shift", "shopt", "source",
        "suspend", "then", "trap", "typeset", "ulimit", "umask", "unalias", "unset", "until",
    ];
    // How husky begins its scripts up to version 8.
    if line.starts_with(". \"$(dirname") && line.ends_with("/husky.sh\"") {
        return true;
    }
    let closed = |quote: char| line.matches(quote).count().is_multiple_of(2);
    let first = line.split_whitespace().next().unwrap_or_default();
    let is_name = |name: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.')
            && name.len() > 1
            && name.chars().all(is_plain)
    };
    is_name(first)
        && !NOT_PROGRAMS.contains(&first)
        && !["wait", "while"].contains(&first)
        && closed('"')
        && closed('\'')
        && !line.contains([';', '&', '|', '(', ')', '{', '}', '`', '\\', '<'])
}

/// YAML lines below `key:`, where the key stands once; `None` where it does not.
fn block<'l, 't>(lines: &'l [Line<'t>], key: &str) -> Option<&'l [Line<'t>]> {
    let own = lines.first()?.indent;
    let is_it = |line: &Line<'_>| {
        line.indent == own
            && line
                .text
                .strip_suffix(':')
                .is_some_and(|found| found == key)
    };
    let at = lines.iter().position(is_it)?;
    let rest = lines.get(at + 1..)?;
    if rest.iter().any(is_it) {
        return None;
    }
    // The items of a list may stand as far left as its key.
    let is_inside =
        |line: &&Line<'_>| line.indent > own || (line.indent == own && line.text.starts_with("- "));
    rest.get(..rest.iter().take_while(is_inside).count())
}

/// The keys of a block of YAML, or whatever else stands as far left.
fn keys<'t>(lines: &[Line<'t>]) -> impl Iterator<Item = &'t str> {
    let own = lines.first().map_or(0, |line| line.indent);
    let at_left = lines.iter().filter(move |line| line.indent == own);
    at_left.map(|line| line.text.split(':').next().unwrap_or(line.text))
}

/// The items of a list of YAML, each as a block of its own.
fn items<'t>(lines: &[Line<'t>]) -> Vec<Vec<Line<'t>>> {
    let own = lines.first().map_or(0, |line| line.indent);
    let mut items: Vec<Vec<Line<'t>>> = Vec::new();
    for line in lines {
        match line.text.strip_prefix("- ") {
            Some(rest) if line.indent == own => {
                let text = rest.trim_start();
                let indent = own + line.text.len() - text.len();
                items.push(vec![Line { indent, text }]);
            }
            _ => match items.last_mut() {
                Some(item) => item.push(*line),
                None => return Vec::new(),
            },
        }
    }
    items
}

fn in_lefthook(text: &str, event: Event) -> bool {
    const OF_THE_FILE: [&str; 7] = [
        "assert_lefthook_installed",
        "colors",
        "glob_matcher",
        "min_version",
        "no_tty",
        "output",
        "skip_lfs",
    ];
    const OF_AN_EVENT: [&str; 6] = ["jobs", "commands", "scripts", "parallel", "piped", "follow"];
    let lines = lines(text, "#");
    let is_event = |key: &str| {
        ["pre-", "post-", "commit-msg", "prepare-"]
            .iter()
            .any(|start| key.starts_with(start))
    };
    if !keys(&lines).all(|key| is_event(key) || OF_THE_FILE.contains(&key)) {
        return false;
    }
    let Some(section) = block(&lines, event.name) else {
        return false;
    };
    let Some(jobs) = block(section, "jobs") else {
        return false;
    };
    let printed = Manager::Lefthook.lines(event);
    let printed = printed
        .lines()
        .skip(2)
        .map(|line| line.trim_start_matches(['-', ' ']));
    let mut printed: Vec<&str> = printed.collect();
    printed.sort_unstable();
    let is_printed = |item: &Vec<Line<'_>>| {
        let mut found: Vec<&str> = item.iter().map(|line| line.text).collect();
        found.sort_unstable();
        found == printed
    };
    keys(section).all(|key| OF_AN_EVENT.contains(&key)) && items(jobs).iter().any(is_printed)
}

/// pre-commit and prek.
fn in_framework(text: &str, event: Event) -> bool {
    // `files` and `exclude` for all hooks would keep files from this one too.
    const OF_THE_FILE: [&str; 8] = [
        "repos",
        "ci",
        "default_install_hook_types",
        "default_language_version",
        "default_stages",
        "fail_fast",
        "minimum_pre_commit_version",
        "minimum_prek_version",
    ];
    let lines = lines(text, "#");
    let Some(repos) = block(&lines, "repos") else {
        return false;
    };
    keys(&lines).all(|key| OF_THE_FILE.contains(&key) || key.starts_with("- "))
        && items(repos).iter().any(|repo| {
            let of = |key: &str| {
                let mut values = repo.iter().filter_map(|line| {
                    line.text
                        .strip_prefix(key)?
                        .strip_prefix(':')
                        .map(str::trim)
                });
                values.next().unwrap_or_default()
            };
            let is_known =
                |key: &str| ["repo", "rev", "hooks"].contains(&key) || key.starts_with("- ");
            let hooks = block(repo, "hooks").map(items).unwrap_or_default();
            keys(repo).all(is_known) && hooks.iter().any(|hook| is_hook(hook, of("repo"), event))
        })
}

/// Whether an entry of the framework's list is gpuguard's, for the event.
fn is_hook(hook: &[Line<'_>], repo: &str, event: Event) -> bool {
    // They change how it is shown, and nothing else.
    const HARMLESS: [&str; 4] = ["name", "description", "verbose", "require_serial"];
    const STAGES: [&str; 3] = ["pre-commit", "pre-merge-commit", "pre-push"];
    let mut lines: Vec<&str> = hook.iter().map(|line| line.text).collect();
    let key = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    lines.retain(|line| !HARMLESS.contains(&key(line).as_str()));
    lines.sort_unstable();
    let is_run_by_ours = STAGES.contains(&event.name);
    if repo == "local" {
        let stages = lines.iter().position(|line| key(line) == "stages");
        let stages = stages.map(|at| lines.remove(at)).unwrap_or_default();
        let list = stages.trim_start_matches("stages:").trim();
        let list = list
            .strip_prefix('[')
            .and_then(|list| list.strip_suffix(']'));
        let mut list = list.unwrap_or_default().split(',').map(str::trim);
        return is_run_by_ours
            && list.any(|stage| stage == event.name)
            && lines
                == [
                    // Else a commit that only deletes files, such as the policy, is not judged.
                    "always_run: true",
                    "entry: gpuguard hook run framework",
                    "id: gpuguard",
                    "language: system",
                    "pass_filenames: false",
                ];
    }
    let name = repo
        .trim_end_matches('/')
        .rsplit(['/', ':'])
        .next()
        .unwrap_or_default();
    // The list of its hooks says so already.
    lines.retain(|line| *line != "always_run: true");
    is_run_by_ours
        && name.trim_end_matches(".git") == "gpuguard"
        && (lines == ["id: gpuguard"] || lines == ["id: gpuguard-system"])
}

/// hk: blocks within blocks, each opened and closed on a line of its own.
fn in_hk(text: &str, event: Event) -> bool {
    if event.gate == Gate::Push {
        // hk hands nothing on of what Git says of a push.
        return false;
    }
    let printed = Manager::Hk.lines(event);
    let step = printed
        .lines()
        .map(str::trim)
        .find(|line| line.contains("check = "));
    let path = [
        "hooks {".to_owned(),
        format!("[\"{}\"] {{", event.name),
        "steps {".to_owned(),
    ];
    let mut open: Vec<&str> = Vec::new();
    let mut is_there = false;
    for line in lines(text, "//") {
        let is_in =
            |depth: usize| open.len() == depth && open.iter().zip(&path).all(|(a, b)| a == b);
        if Some(line.text) == step && is_in(3) {
            is_there = true;
        } else if line.text == "}" {
            open.pop();
        } else if line.text.ends_with('{') {
            open.push(line.text);
        } else if is_in(2)
            && ![
                "fix = true",
                "fix = false",
                "stash = \"git\"",
                "stash = \"none\"",
            ]
            .contains(&line.text)
        {
            // A condition, or another thing that may keep the steps from running.
            return false;
        }
    }
    is_there
}

#[cfg(test)]
mod tests;
