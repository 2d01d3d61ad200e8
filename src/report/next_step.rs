//! What to type next, where something was found.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::git::RepoPath;
use crate::outcome::{Act, Outcome};
use crate::scan::{Finding, Safety};

/// So many files are named in a command.
const NAMED: usize = 4;

/// After a refusal: the fix, what brings it in, and the page of a rule.
pub(super) fn after_refusal(act: &Act, outcome: &Outcome) -> Option<String> {
    let blocking: Vec<_> = outcome
        .findings()
        .filter(|(_, finding)| finding.blocks())
        .map(|(file, finding)| (&file.path, finding))
        .collect();
    let rule = blocking.iter().map(|(_, finding)| finding.rule).min()?;
    let files: BTreeSet<&RepoPath> = blocking.iter().map(|(path, _)| *path).collect();
    let is_right = |path: &&RepoPath| outcome.right_in_worktree.contains(*path);
    let step = if files.iter().all(is_right) {
        let staged = named(files.iter().copied(), &outcome.prefix);
        let add = staged.map_or_else(|| "`git add` it".to_owned(), |f| format!("`git add {f}`"));
        format!(
            "the working tree is right already: {add}, {}",
            act.once_staged
        )
    } else {
        format!("{}, {}", fix(&blocking, &outcome.prefix), act.again)
    };
    Some(format!("{step}; `gpuguard rule {rule}` explains"))
}

/// After a pass with warnings.
pub(super) fn after_warnings(outcome: &Outcome) -> Option<String> {
    let found: Vec<_> = outcome
        .introduced()
        .map(|(file, finding)| (&file.path, finding))
        .collect();
    let rule = found.iter().map(|(_, finding)| finding.rule).min()?;
    let explains = format!("`gpuguard rule {rule}` explains");
    Some(if found.iter().any(|(_, finding)| finding.fix.is_some()) {
        format!("{}; {explains}", fix(&found, &outcome.prefix))
    } else {
        explains
    })
}

/// What to do about these findings: a command for what a machine can mend, which names the files,
/// since more than is asked for must not be changed by a command that was copied.
fn fix(findings: &[(&RepoPath, &Finding)], prefix: &str) -> String {
    let with = |safety: Safety| {
        findings
            .iter()
            .filter(move |(_, finding)| finding.fix.as_ref().is_some_and(|it| it.safety == safety))
    };
    let (safe, unsafe_) = (with(Safety::Safe).count(), with(Safety::Unsafe).count());
    let all = findings.len();
    let lines = if all == 1 { "line" } else { "lines" };
    let mendable: BTreeSet<&RepoPath> = with(Safety::Safe)
        .chain(with(Safety::Unsafe))
        .map(|(path, _)| *path)
        .collect();
    if mendable.is_empty() {
        return format!("fix the {lines}");
    }
    let only_safe: BTreeSet<&RepoPath> = with(Safety::Safe).map(|(path, _)| *path).collect();
    if safe == all {
        return match named(only_safe.into_iter(), prefix) {
            Some(files) => format!("`gpuguard fix {files}`"),
            None => "`gpuguard fix` with these files (`--diff` shows it)".to_owned(),
        };
    }
    if safe + unsafe_ == all {
        return match named(mendable.into_iter(), prefix) {
            Some(files) => format!("`gpuguard fix --unsafe-fixes {files}` (`--diff` shows it)"),
            None => "`gpuguard fix --unsafe-fixes` with these files (`--diff` shows it)".to_owned(),
        };
    }
    match (safe, named(only_safe.into_iter(), prefix)) {
        (0, _) => {
            let files = named(mendable.into_iter(), prefix);
            let files = files.map_or_else(
                || "` with these files".to_owned(),
                |files| format!(" {files}`"),
            );
            format!(
                "`gpuguard fix --unsafe-fixes{files} mends {unsafe_} of {all}, then fix the rest"
            )
        }
        (_, Some(files)) => {
            format!("`gpuguard fix {files}` mends {safe} of {all}, then fix the rest")
        }
        (_, None) => {
            format!("`gpuguard fix` with these files mends {safe} of {all}, then fix the rest")
        }
    }
}

/// The files as words of a command; nothing where they are many, or one cannot be typed.
fn named<'p>(paths: impl Iterator<Item = &'p RepoPath>, prefix: &str) -> Option<String> {
    let words: Option<Vec<String>> = paths.map(|path| word(path, prefix)).collect();
    words
        .filter(|words| words.len() <= NAMED)
        .map(|words| words.join(" "))
}

/// A path as seen from the folder `prefix` (`sub/`), as a word that every shell takes for what it
/// says.
fn word(path: &RepoPath, prefix: &str) -> Option<String> {
    let path = &*relative(path.as_str()?, prefix);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    // Within double quotes these mean themselves, in sh, fish, PowerShell and cmd.
    let is_quotable = |c: char| is_plain(c) || c.is_alphanumeric() || " +,@#()[]=".contains(c);
    if path.starts_with('-') || !path.chars().all(is_quotable) {
        return None;
    }
    Some(if path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("\"{path}\"")
    })
}

/// `path` as it is typed in the folder `prefix`; both begin at the root.
fn relative<'p>(path: &'p str, prefix: &str) -> Cow<'p, str> {
    let mut rest = path;
    let mut folders = prefix.split_terminator('/').peekable();
    while let Some(folder) = folders.peek() {
        match rest
            .strip_prefix(folder)
            .and_then(|rest| rest.strip_prefix('/'))
        {
            Some(inner) => rest = inner,
            None => break,
        }
        folders.next();
    }
    match folders.count() {
        0 => Cow::Borrowed(rest),
        up => Cow::Owned(format!("{}{rest}", "../".repeat(up))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_in_every_shell_or_none() {
        let word = |path: &str| word(&RepoPath::new(path), "");
        assert_eq!(word("src/a.py").as_deref(), Some("src/a.py"));
        assert_eq!(word("a b/t 1.py").as_deref(), Some("\"a b/t 1.py\""));
        assert_eq!(word("größe.py").as_deref(), Some("\"größe.py\""));
        for hostile in [
            "-rf",
            "$(reboot).py",
            "a`b`.py",
            "a\"b.py",
            "a;b.py",
            "a\nb.py",
        ] {
            assert_eq!(word(hostile), None, "{hostile}");
        }
    }

    #[test]
    fn names_are_as_one_types_them_in_the_folder_where_one_stands() {
        assert_eq!(relative("sub/a.py", ""), "sub/a.py");
        assert_eq!(relative("sub/a.py", "sub/"), "a.py");
        assert_eq!(relative("sub/in/a.py", "sub/"), "in/a.py");
        assert_eq!(relative("a.py", "sub/in/"), "../../a.py");
        assert_eq!(relative("subway/a.py", "sub/"), "../subway/a.py");
        assert_eq!(relative("sub/b/a.py", "sub/in/"), "../b/a.py");
    }
}
