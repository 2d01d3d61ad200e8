//! Why gpuguard does not run at an event, and what runs in its place, in words.

use std::path::{Path, PathBuf};

use super::{GATE_OF_ALL, shown};
use crate::git::Repository;
use crate::gpu::Diagnosis;
use crate::hook::install::{Join, Managed, Manager, default_events};
use crate::hook::place::Place;
use crate::hook::shim::HookFile;
use crate::hook::wiring::{Counts, Step, Whose, Wiring};
use crate::hook::{Event, joined, written_hook};
use crate::sys::file;

/// Longer files are not looked into.
const LIMIT: u64 = 1 << 20;

/// What runs, first to last.
pub(super) fn in_order(wiring: &Wiring) -> String {
    let words = wiring.steps.iter().flat_map(in_words);
    words.collect::<Vec<_>>().join(", then ")
}

/// A hook's name, with the earlier one that it runs.
pub(super) fn in_words(step: &Step) -> Vec<String> {
    match step {
        Step::Config {
            name,
            origin,
            counts,
            ..
        } => {
            let off = match counts {
                Counts::Yes => "",
                Counts::SwitchedOff { .. } => " (switched off)",
                Counts::NotRead => " (not by this Git)",
            };
            vec![format!("hook.{name} of {origin}{off}")]
        }
        Step::File {
            path,
            is_executable,
            previous,
            ..
        } => {
            let mut words: Vec<String> = previous
                .iter()
                .map(|path| format!("`{}`", shown(path)))
                .collect();
            let off = if *is_executable {
                ""
            } else {
                " (not executable, so it does not run)"
            };
            words.push(format!("`{}`{off}", shown(path)));
            words
        }
    }
}

/// The hook manager at an event.
pub(super) fn managed(root: &Path, event: Event) -> Option<Managed> {
    let repository = Repository::discover(root).ok()?;
    let place = Place::of(&repository, false).ok()?;
    place.manager(event).ok()?
}

/// Why gpuguard does not run, and what to do.
pub(super) fn why_not(wiring: &Wiring, event: Event, root: &Path) -> Diagnosis {
    let name = event.name;
    let place = format!("`{}`", shown(root));
    let cure = if default_events(name == "pre-receive").contains(&event) {
        "`gpuguard install`, there"
    } else {
        "`gpuguard install --hooks all`, there, if it is wanted"
    };
    // The file stands last; where it would run, it counts.
    let mut ours = wiring
        .steps
        .iter()
        .filter(|step| step.whose() != Whose::Theirs);
    if let Some(step) = ours.next_back() {
        return broken(step, &format!("{name} in {place}"));
    }
    match managed(root, event) {
        Some(managed) if managed.join == Join::Runs => return by_manager(&managed, name, &place),
        Some(managed) if managed.join == Join::Perhaps => {
            return Diagnosis::wrong(
                format!(
                    "{name} in {place}: `{}` names gpuguard, but not surely so that {} runs it and \
                     heeds it",
                    shown(&managed.file),
                    managed.manager.name()
                ),
                format!("`gpuguard install --hooks {name}` stays beside it, and prints the lines"),
            );
        }
        _ => {}
    }
    if let Some((manager, aside)) = moved_aside(wiring, event) {
        return Diagnosis::note(
            format!(
                "{name} in {place}: {manager} took the place of gpuguard's hook file and runs it as \
                 `{}`; that was not tried, since it would run other things too",
                shown(&aside)
            ),
            Some("`gpuguard install` takes the place back, and runs the other first"),
        );
    }
    if let Some(who) = called_by_others(wiring) {
        return Diagnosis::wrong(
            format!(
                "{name} in {place}: {who} names gpuguard; whether that works was not tried, since \
                 it would run other things too"
            ),
            "`gpuguard install` runs it first, and gpuguard itself after it",
        );
    }
    let found = format!(
        "nothing runs gpuguard for {name} in {place} (hook files are looked for in `{}`)",
        shown(&wiring.folder)
    );
    // The others are further gates.
    if name == GATE_OF_ALL || name == "pre-receive" {
        Diagnosis::wrong(found, cure)
    } else {
        Diagnosis::note(found, Some(cure))
    }
}

/// gpuguard's hook file under the name that pre-commit and prek give what they find and run first.
fn moved_aside(wiring: &Wiring, event: Event) -> Option<(&'static str, PathBuf)> {
    let path = wiring.steps.iter().find_map(|step| match step {
        Step::File { path, .. } if step.runs() => Some(path),
        _ => None,
    })?;
    let text = file::read_at_most(path, LIMIT).ok()?;
    let text = String::from_utf8_lossy(&text);
    let manager = Manager::of_hook(&text)?;
    let is_run = matches!(manager, Manager::PreCommit | Manager::Prek)
        && written_hook::is_as_written(manager, &text, event);
    let aside = HookFile::in_folder(&wiring.folder, event.name).moved_aside_whole();
    aside.filter(|_| is_run).map(|path| (manager.name(), path))
}

/// A manager runs it by the lines that `install` prints.
fn by_manager(managed: &Managed, event: &str, place: &str) -> Diagnosis {
    let (file, name) = (shown(&managed.file), managed.manager.name());
    Diagnosis::note(
        format!(
            "{event} in {place}: {name} runs gpuguard, by the lines in `{file}`; that was not \
             tried, since it would run other things too"
        ),
        Some(&format!(
            "`gpuguard install --shim --hooks {event}` does without {name}"
        )),
    )
}

/// Somebody else's hook runs after gpuguard has judged, and may stage more.
pub(super) fn late(step: &Step, event: Event, root: &Path) -> Diagnosis {
    let found = format!(
        "{} in `{}` runs {} after gpuguard, so what that stages is not judged",
        event.name,
        shown(root),
        in_words(step).join(", then ")
    );
    match managed(root, event) {
        // Beside a manager's hook file one of ours would not last.
        Some(managed) => Diagnosis::note(
            found,
            Some(&format!(
                "let {} run it (`gpuguard install` prints the lines), or `gpuguard install --shim`",
                managed.manager.name()
            )),
        ),
        None => Diagnosis::wrong(found, "`gpuguard install` lets it run first"),
    }
}

/// What of somebody else's names gpuguard, outside of comments.
fn called_by_others(wiring: &Wiring) -> Option<String> {
    wiring
        .steps
        .iter()
        .filter(|step| step.runs())
        .find_map(|step| match step {
            Step::File { path, .. } => {
                let content = file::read_at_most(path, LIMIT).unwrap_or_default();
                joined::names_gpuguard(&String::from_utf8_lossy(&content))
                    .then(|| format!("`{}`", shown(path)))
            }
            Step::Config { name, command, .. } => command
                .contains("gpuguard")
                .then(|| format!("hook.{name}.command")),
        })
}

/// Why a hook of ours does not run.
fn broken(step: &Step, place: &str) -> Diagnosis {
    match step {
        Step::Config { name, counts, .. } if *counts == Counts::NotRead => Diagnosis::wrong(
            format!("{place}: this Git does not read hook.{name} from the configuration"),
            "`gpuguard install` writes a hook file for it",
        ),
        Step::Config {
            name,
            counts: Counts::SwitchedOff { key },
            ..
        } => Diagnosis::wrong(
            format!("{place}: hook.{name} is switched off by {key}"),
            format!("`git config {key} true`"),
        ),
        Step::Config { name, .. } => Diagnosis::wrong(
            format!("{place}: hook.{name} does not run"),
            "`gpuguard install` writes it anew",
        ),
        Step::File { path, .. } => Diagnosis::wrong(
            format!(
                "{place}: `{}` is not executable, so Git passes over it",
                shown(path)
            ),
            "`gpuguard install` mends it",
        ),
    }
}
