//! `gpuguard install` and `gpuguard uninstall`.

use std::path::{Path, PathBuf};

use super::{Failure, Screen};
use crate::hook::install::{self, Change, Installed, Mechanism, Removed, WhyFile};
use crate::outcome::Answer;
use crate::policy;
use crate::sys::environment;

/// Make Git run gpuguard before each commit in a repository
///
/// Git 2.54 and later get an entry in the repository's own configuration; older ones, and
/// repositories that have a hook file already, a hook file in the folder Git itself names. The hook
/// that was there keeps running, first, and its refusal counts. Safe to run again: it then updates
/// the path of the program.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard install\n  \
    gpuguard install --shim            also for an older Git on this machine\n  \
    gpuguard install ../other-project")]
pub(super) struct InstallArguments {
    /// The repository, or a folder in it [default: the current folder]
    #[arg(value_name = "REPO")]
    repository: Option<PathBuf>,
    /// Write a hook file, which every Git runs, also where the configuration would do
    #[arg(long)]
    shim: bool,
}

/// Take gpuguard out of a repository; the hook that was there before is put back
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard uninstall\n  \
    gpuguard uninstall ../other-project")]
pub(super) struct UninstallArguments {
    /// The repository, or a folder in it [default: the current folder]
    #[arg(value_name = "REPO")]
    repository: Option<PathBuf>,
}

pub(super) fn install(arguments: &InstallArguments, screen: &Screen) -> Result<Answer, Failure> {
    let program = environment::current_exe()
        .map_err(|error| Failure::new("this program's own file is not known").because(&error))?;
    let folder = folder(arguments.repository.as_deref())?;
    let installed = install::install(&folder, &program, arguments.shim)?;
    tell_installed(&installed, &program, screen);
    Ok(Answer::Fine)
}

pub(super) fn uninstall(
    arguments: &UninstallArguments,
    screen: &Screen,
) -> Result<Answer, Failure> {
    let removed = install::uninstall(&folder(arguments.repository.as_deref())?)?;
    tell_removed(&removed, screen);
    Ok(Answer::Fine)
}

fn folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let current = environment::current_dir()
        .map_err(|error| Failure::new("the current folder cannot be read").because(&error))?;
    Ok(given.map_or_else(|| current.clone(), |given| current.join(given)))
}

fn tell_installed(installed: &Installed, program: &Path, screen: &Screen) {
    let worktree = installed.worktree.display();
    screen.say(&match installed.change {
        _ if installed.switched_off => {
            format!("installed, but switched off: no `git commit` in `{worktree}` is checked")
        }
        Change::Installed => format!("installed: each `git commit` in `{worktree}` is now checked"),
        Change::Updated => format!("updated: each `git commit` in `{worktree}` is checked"),
        Change::Unchanged => {
            format!("already installed: each `git commit` in `{worktree}` is checked")
        }
    });
    tell_mechanism(&installed.mechanism, screen);
    screen.say(&format!("  program: {}", program.display()));
    if let Some(other) = &installed.other_hook {
        let path = other.path.display();
        if !other.executable {
            screen.say(&format!(
                "  the hook `{path}` is not executable: it did not run before and does not run now"
            ));
        } else if matches!(installed.mechanism, Mechanism::File { .. }) {
            screen.say(&format!(
                "  the hook that was there keeps running, before gpuguard: `{path}`"
            ));
        }
    }
    for warning in &installed.warnings {
        screen.warn(&format!("warning: {warning}"));
    }
    if installed.worktree.join(policy::FILE_NAME).is_file() {
        screen.say(&format!("  policy: {}", policy::FILE_NAME));
    } else {
        screen.warn(&format!(
            "warning: there is no policy `{}` yet\n  hint: `gpuguard init` writes one from the \
             cards found, `gpuguard init --preset rtx3090` the founding rig's",
            policy::FILE_NAME
        ));
    }
}

/// How Git comes to run gpuguard, and why so.
fn tell_mechanism(mechanism: &Mechanism, screen: &Screen) {
    match mechanism {
        Mechanism::Config { command } => {
            screen.say(&format!(
                "  configuration: hook.gpuguard.command = {command}"
            ));
            screen.say("  why: Git 2.54 and later read it, and no other hook has to run first");
            screen.say(
                "  note: an older Git on this machine (a graphical program may bring its own) does \
                 not read it and checks nothing; `gpuguard install --shim` serves both",
            );
        }
        Mechanism::File { path, why } => {
            screen.say(&format!("  hook file: {}", path.display()));
            screen.say(match why {
                WhyFile::OldGit => "  why: Git before 2.54 reads no hooks from the configuration",
                WhyFile::OtherHook => {
                    "  why: the other pre-commit hook has to run first, so that what it stages is \
                     judged"
                }
                WhyFile::Asked => "  why: --shim; every Git runs it",
            });
        }
    }
}

fn tell_removed(removed: &Removed, screen: &Screen) {
    let worktree = removed.worktree.display();
    if removed.is_nothing() {
        screen.say(&format!(
            "gpuguard is not installed in `{worktree}`: nothing was changed"
        ));
    } else {
        screen.say(&format!(
            "uninstalled: `git commit` in `{worktree}` is no longer checked"
        ));
    }
    if removed.config {
        screen.say("  configuration: the entries of hook.gpuguard were removed");
    }
    for path in &removed.files {
        if removed.restored.contains(path) {
            screen.say(&format!(
                "  hook file: the earlier hook is back at {}",
                path.display()
            ));
        } else {
            screen.say(&format!("  hook file: {} was removed", path.display()));
        }
    }
    for warning in &removed.warnings {
        screen.warn(&format!("warning: {warning}"));
    }
}
