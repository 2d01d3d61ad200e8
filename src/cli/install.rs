//! `gpuguard install` and `gpuguard uninstall`.

use std::path::{Path, PathBuf};

use super::{Failure, Screen};
use crate::git::Repository;
use crate::hook::install::{
    self, Change, Installed, Join, Manager, Mechanism, Removed, Request, WhyFile, Wired,
};
use crate::hook::{self, Event, Gate, GlobalChange};
use crate::outcome::Answer;
use crate::policy::{self, PolicyError};
use crate::source::{self, Judged, PolicyFrom, RepositoryPolicyError};
use crate::sys::environment;

/// Make Git run gpuguard before each commit in a repository
///
/// Git 2.54 and later get an entry in the repository's own configuration; older ones, and
/// repositories that have a hook file already, a hook file in the folder Git itself names. The hook
/// that was there keeps running, first, and its refusal counts. Where a hook manager runs gpuguard
/// by its own configuration, it is left to that. Safe to run again: it then updates the path of the
/// program, and keeps the events that are wired.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    gpuguard install\n  \
    gpuguard install --hooks all                 commits, merges, pushes, and what was unchecked\n  \
    gpuguard install --shim                      also for an older Git on this machine\n  \
    gpuguard install /srv/git/project.git        a bare repository, at each push to it\n  \
    gpuguard install --global                    every repository of yours that has a policy")]
pub(super) struct InstallArguments {
    /// The repository, or a folder in it [default: the current folder]
    #[arg(value_name = "REPO")]
    repository: Option<PathBuf>,
    /// The Git events, and no others [default: pre-commit,pre-merge-commit, in a bare repository
    /// pre-receive]
    ///
    /// pre-commit and pre-merge-commit judge what is committed, post-commit notes commits that were
    /// not judged, pre-push judges what is pushed, pre-receive what is pushed here. `all` is
    /// pre-receive in a bare repository, and the others where there is a working tree.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = parse_choice)]
    hooks: Vec<Choice>,
    /// Write hook files, which every Git runs, also where the configuration would do
    #[arg(long)]
    shim: bool,
    /// For every repository of yours, by your own Git configuration (Git 2.54 and later)
    ///
    /// It does nothing where there is no gpuguard.toml, or where gpuguard is installed.
    #[arg(long, conflicts_with_all = ["repository", "shim"])]
    global: bool,
}

/// One word of `--hooks`.
#[derive(Clone, Copy, Debug)]
enum Choice {
    One(Event),
    All,
}

fn parse_choice(name: &str) -> Result<Choice, String> {
    if name == "all" {
        return Ok(Choice::All);
    }
    hook::event(name).map(Choice::One).ok_or_else(|| {
        let known: Vec<&str> = hook::EVENTS.iter().map(|event| event.name).collect();
        format!("one of {}, or all", known.join(", "))
    })
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
    /// Take out what `gpuguard install --global` wrote
    #[arg(long, conflicts_with = "repository")]
    global: bool,
}

pub(super) fn install(arguments: &InstallArguments, screen: &Screen) -> Result<Answer, Failure> {
    let program = environment::current_exe()
        .map_err(|error| Failure::new("this program's own file is not known").because(&error))?;
    let folder = folder(arguments.repository.as_deref())?;
    if arguments.global {
        let events = global_events(&arguments.hooks);
        let change = hook::install_globally(&program, events.as_deref())?;
        tell_global(&change, screen);
        screen.say(&format!("  program: {}", program.display()));
        return Ok(Answer::Fine);
    }
    let is_bare = || Ok::<bool, Failure>(Repository::discover(&folder)?.worktree().is_err());
    let mut events = Vec::new();
    for choice in &arguments.hooks {
        match choice {
            Choice::One(event) => events.push(*event),
            Choice::All if is_bare()? => events.extend(hook::event("pre-receive")),
            Choice::All => {
                let here = |event: &Event| event.gate != Gate::Receive;
                events.extend(hook::EVENTS.into_iter().filter(here));
            }
        }
    }
    let request = Request {
        program: &program,
        events: (!events.is_empty()).then_some(events),
        by_file: arguments.shim,
    };
    let installed = install::install(&folder, &request)?;
    tell_installed(&installed, &program, screen);
    Ok(Answer::Fine)
}

pub(super) fn uninstall(
    arguments: &UninstallArguments,
    screen: &Screen,
) -> Result<Answer, Failure> {
    if arguments.global {
        tell_global(&hook::uninstall_globally()?, screen);
        return Ok(Answer::Fine);
    }
    let removed = install::uninstall(&folder(arguments.repository.as_deref())?)?;
    tell_removed(&removed, screen);
    Ok(Answer::Fine)
}

/// The events that are asked for; `None` where none are named.
fn global_events(choices: &[Choice]) -> Option<Vec<Event>> {
    let mut events = Vec::new();
    for choice in choices {
        match choice {
            Choice::One(event) => events.push(*event),
            Choice::All => {
                let here = |event: &Event| event.gate != Gate::Receive;
                events.extend(hook::EVENTS.into_iter().filter(here));
            }
        }
    }
    (!events.is_empty()).then_some(events)
}

fn tell_global(change: &GlobalChange, screen: &Screen) {
    if change.wired.is_empty() {
        screen.say(if change.unwired.is_empty() {
            "gpuguard is not installed for all repositories: nothing was changed"
        } else {
            "uninstalled for all repositories; those that have gpuguard installed keep it"
        });
    } else {
        screen.say("installed for all your repositories: nothing happens where there is no policy");
        screen.say(&format!(
            "  configuration: hook.gpuguard-global-… for {}",
            change.wired.join(", ")
        ));
        screen.say(&format!("  scripts: {}", change.folder.display()));
    }
    for event in &change.unwired {
        screen.say(&format!("  {event}: no longer"));
    }
    for warning in &change.warnings {
        screen.warn(&format!("warning: {warning}"));
    }
}

fn folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let current = environment::current_dir()
        .map_err(|error| Failure::new("the current folder cannot be read").because(&error))?;
    Ok(given.map_or_else(|| current.clone(), |given| current.join(given)))
}

fn tell_installed(installed: &Installed, program: &Path, screen: &Screen) {
    let place = installed.place.display();
    let what = gated(&installed.wired, |wired| !wired.switched_off);
    screen.say(&match installed.change() {
        _ if what.is_empty() => {
            format!("installed, but switched off: nothing in `{place}` is checked")
        }
        Change::Installed => format!("installed: each {what} in `{place}` is now checked"),
        Change::Updated => format!("updated: each {what} in `{place}` is checked"),
        Change::Unchanged => format!("already installed: each {what} in `{place}` is checked"),
    });
    let off = gated(&installed.wired, |wired| wired.switched_off);
    if !what.is_empty() && !off.is_empty() {
        screen.warn(&format!("  switched off: no {off} is checked"));
    }
    tell_mechanisms(&installed.wired, screen);
    for event in &installed.unwired {
        screen.say(&format!("  {event}: no longer"));
    }
    screen.say(&format!("  program: {}", program.display()));
    for wired in &installed.wired {
        tell_others(wired, screen);
    }
    for warning in &installed.warnings {
        screen.warn(&format!("warning: {warning}"));
    }
    tell_managers(&installed.wired, screen);
    let Some(worktree) = &installed.worktree else {
        return;
    };
    tell_policy(worktree, screen);
}

/// By which policy it judges, or why it will refuse every commit.
fn tell_policy(worktree: &Path, screen: &Screen) {
    let found = Repository::discover(worktree)
        .map_err(RepositoryPolicyError::from)
        .and_then(|repository| source::policy_of(&repository, Judged::Staged));
    match found {
        Ok((_, PolicyFrom::OnlyBelow)) => screen.say(&format!(
            "  policy: {} in folders below the root only; other files are not judged",
            policy::FILE_NAME
        )),
        Ok(_) => screen.say(&format!("  policy: {}", policy::FILE_NAME)),
        Err(RepositoryPolicyError::Policy(PolicyError::Missing { .. })) => screen.warn(&format!(
            "warning: there is no policy `{}` yet, so each commit is refused\n  hint: `gpuguard init` writes \
             one from the cards found, `gpuguard init --preset rtx3090` the founding rig's",
            policy::FILE_NAME
        )),
        Err(error) => {
            screen.warn(
                "warning: the policy cannot be used, and each commit is refused until it is mended",
            );
            screen.failure(&error.into());
        }
    }
}

/// What is judged at the events for which `holds` is true: `commit, merge and push`.
fn gated(wired: &[Wired], holds: fn(&Wired) -> bool) -> String {
    let mut words = Vec::new();
    for wired in wired.iter().filter(|wired| holds(wired)) {
        let is_judged = wired.event.gate != Gate::Note;
        if is_judged && !words.contains(&wired.event.refuses) {
            words.push(wired.event.refuses);
        }
    }
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
        None => String::new(),
    }
}

/// How Git comes to run gpuguard, and why so.
fn tell_mechanisms(wired: &[Wired], screen: &Screen) {
    let mut has_config = false;
    let mut told = None;
    for Wired {
        event, mechanism, ..
    } in wired
    {
        match mechanism {
            Mechanism::Config { command } => {
                screen.say(&format!("  {}: configuration: {command}", event.name));
                has_config = true;
            }
            Mechanism::File { path, why } => {
                screen.say(&format!("  {}: hook file: {}", event.name, path.display()));
                if told != Some(*why) {
                    screen.say(match why {
                        WhyFile::OldGit => {
                            "  why: Git before 2.54 reads no hooks from the configuration"
                        }
                        WhyFile::OtherHook => {
                            "  why: the other hook has to run first, so that what it stages is \
                             judged"
                        }
                        WhyFile::StartsProgram => {
                            "  why: Git for Windows starts it itself, without sh"
                        }
                        WhyFile::Asked => "  why: --shim; every Git runs it",
                    });
                    told = Some(*why);
                }
            }
            Mechanism::Manager(managed) => screen.say(&format!(
                "  {}: run by {}, as `{}` says",
                event.name,
                managed.manager.name(),
                managed.file.display()
            )),
        }
    }
    if has_config {
        screen.say("  why: Git 2.54 and later read it, and no other hook has to run first");
        screen.say(
            "  note: an older Git on this machine (a graphical program may bring its own) does \
             not read it and checks nothing; `gpuguard install --shim` serves both",
        );
    }
}

/// The hooks of others that keep running.
fn tell_others(wired: &Wired, screen: &Screen) {
    let Some(other) = &wired.other_hook else {
        return;
    };
    let path = other.path.display();
    if !other.executable {
        screen.say(&format!(
            "  the hook `{path}` is not executable: it did not run before and does not run now"
        ));
    } else if matches!(wired.mechanism, Mechanism::File { .. }) {
        screen.say(&format!(
            "  the hook that was there keeps running, before gpuguard: `{path}`"
        ));
    }
}

/// What to add to the configuration of a hook manager that is there.
fn tell_managers(wired: &[Wired], screen: &Screen) {
    let mut told = Vec::new();
    for Wired {
        event,
        mechanism,
        beside,
        ..
    } in wired
    {
        let Some(managed) = beside else {
            continue;
        };
        let lines = managed.manager.lines(*event);
        let name = managed.manager.name();
        let file = managed.file.display();
        if managed.join == Join::Perhaps {
            screen.warn(&format!(
                "note: `{file}` names gpuguard, but not surely so that {name} runs it at {} and \
                 heeds it: gpuguard stays beside it, and may run twice",
                event.name
            ));
        }
        if lines.is_empty() || told.contains(&lines) {
            continue;
        }
        let where_to = match managed.manager {
            Manager::Husky => ", as its last line,",
            _ => "",
        };
        let lasts = match mechanism {
            Mechanism::File { .. } => {
                "when it writes its hook files anew, gpuguard is no longer run"
            }
            _ => "gpuguard runs beside it",
        };
        screen.warn(&format!(
            "note: {name} manages the {} hook here; {lasts}. To have {name} run it, for everybody \
             who works here, add to `{file}`{where_to} and run `gpuguard install` again:\n",
            event.name
        ));
        screen.warn(lines.trim_end());
        screen.warn("");
        told.push(lines);
    }
}

fn tell_removed(removed: &Removed, screen: &Screen) {
    let place = removed.place.display();
    if removed.is_nothing() {
        screen.say(&format!(
            "gpuguard is not installed in `{place}`: nothing was changed"
        ));
    } else if removed.still.is_empty() {
        screen.say(&format!(
            "uninstalled: nothing in `{place}` is checked any more"
        ));
    } else {
        screen.say(&format!("uninstalled: what was wired in `{place}` is out"));
    }
    for still in &removed.still {
        screen.warn(&format!("warning: {still}"));
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
