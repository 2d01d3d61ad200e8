//! Whether the hook really works here: it is run, on a harmless index, in every working tree, and
//! without what a terminal gives. Other people's hooks are told of and never run.

mod backups;
mod bypass;
mod policy;
mod proof;
mod server;
mod trial;
mod unwired;
mod working_tree;

use std::path::{Path, PathBuf};

use super::install::Join;
use super::wiring::{READS_CONFIG, Step, Whose, Wiring};
use super::{EVENTS, Event, Gate};
use crate::git::{GitError, Repository};
use crate::gpu::Diagnosis;
use crate::text::printable;
pub(super) use proof::prove;
pub use trial::is_trial;
use trial::{Fired, Surroundings, Trial};
use working_tree::{WorkingTree, working_trees};

/// The oldest Git that gpuguard can ask for the places of hooks (`rev-parse --path-format`).
const OLDEST_GIT: (u32, u32) = (2, 31);

/// The event that every repository with gpuguard answers; the others are further gates.
const GATE_OF_ALL: &str = "pre-commit";

/// Looks at the hook of the repository that `directory` lies in: whether it fires, what runs
/// beside it, what goes past it, and by which policy it judges.
pub fn diagnose(directory: &Path) -> Vec<Diagnosis> {
    let repository = match Repository::discover(directory) {
        Ok(repository) => repository,
        Err(GitError::NoRepository { .. }) => {
            return vec![Diagnosis::note(
                "there is no repository here, so no hook was looked at",
                Some("start it in a repository"),
            )];
        }
        Err(error) => {
            return vec![Diagnosis::wrong(
                format!("the repository cannot be opened: {}", words(&error)),
                "mend what Git complains about: `git status`",
            )];
        }
    };
    let git = match OwnGit::find() {
        Ok(git) => git,
        Err(wrong) => return vec![wrong],
    };
    let mut found = vec![git.diagnosis()];
    let is_bare = repository.worktree().is_err();
    if is_bare && working_tree::is_elsewhere(&repository) {
        found.push(Diagnosis::wrong(
            format!(
                "`{}` is the Git directory of a working tree that lies elsewhere, so no hook was \
                 looked at",
                shown(repository.git_dir())
            ),
            "`gpuguard doctor` in that working tree",
        ));
        return found;
    }
    found.extend(if is_bare {
        server::diagnose(&repository)
    } else {
        policy::diagnose(&repository, is_for_all_only(&repository, git.version))
    });
    let is_judged = found.iter().all(|one| !one.is_wrong());
    let mut wired = Vec::new();
    match working_trees(&repository) {
        // It could not be asked.
        _ if git.version < OLDEST_GIT => {}
        Ok(trees) => {
            let examined = Examination {
                git: &git,
                repository: &repository,
                is_judged,
            };
            found.extend(examined.of(&trees));
            wired = wired_events(&trees, git.version);
            found.extend(backups::diagnose(&repository).filter(|_| !is_bare));
        }
        Err(error) => found.push(Diagnosis::wrong(
            format!("the working trees cannot be listed: {}", words(&error)),
            "mend what Git complains about: `git worktree list`",
        )),
    }
    found.extend(bypass::switched_off_here());
    found.push(if is_bare {
        bypass::bypasses_of_a_server()
    } else {
        bypass::bypasses(&wired)
    });
    found.extend(bypass::gone_past(&repository));
    found
}

/// The `git` that this process finds.
struct OwnGit {
    file: PathBuf,
    version: (u32, u32),
    words: String,
}

impl OwnGit {
    fn find() -> Result<Self, Diagnosis> {
        let missing = || {
            Diagnosis::wrong(
                "there is no `git` on PATH, so nothing runs a hook from here",
                "install Git, or put it on PATH: https://git-scm.com/downloads",
            )
        };
        let file = trial::programs_on_path("git").next().ok_or_else(missing)?;
        let words = trial::version_words(&file).ok_or_else(missing)?;
        let version = super::config_entry::numbers(&words).unwrap_or_default();
        Ok(Self {
            file,
            version,
            words,
        })
    }

    fn diagnosis(&self) -> Diagnosis {
        let shown = format!("{} is {}", shown(&self.file), self.words);
        if self.version < OLDEST_GIT {
            return Diagnosis::wrong(
                format!("{shown}, and gpuguard needs 2.31"),
                "install a newer Git: https://git-scm.com/downloads",
            );
        }
        Diagnosis::ok(if self.version < READS_CONFIG {
            format!("{shown}: it runs hook files, and none from the configuration")
        } else {
            format!("{shown}: it runs hooks from the configuration, then hook files")
        })
    }
}

struct Examination<'d> {
    git: &'d OwnGit,
    repository: &'d Repository,
    /// Whether there is a policy to judge by: else the hook refuses, and is right.
    is_judged: bool,
}

impl Examination<'_> {
    fn of(&self, trees: &[WorkingTree]) -> Vec<Diagnosis> {
        let mut found = Vec::new();
        if trees.is_empty() {
            found.push(Diagnosis::note(
                format!(
                    "`{}` is a bare repository: nothing is committed in it",
                    shown(self.repository.git_dir())
                ),
                None,
            ));
        }
        for tree in trees.iter().filter(|tree| !tree.is_there) {
            found.push(Diagnosis::note(
                format!("the working tree `{}` is gone", shown(&tree.root)),
                Some("`git worktree prune` forgets it"),
            ));
        }
        let is_bare = trees.is_empty();
        let places: Vec<&Path> = if is_bare {
            vec![self.repository.git_dir()]
        } else {
            let there = trees.iter().filter(|tree| tree.is_there);
            there.map(|tree| tree.root.as_path()).collect()
        };
        for event in EVENTS {
            // A push is received where nobody works, as a rule: elsewhere only what is wired counts.
            if (event.gate == Gate::Receive) == is_bare {
                found.extend(self.event(event, &places));
            } else if let Some(main) = places.first().filter(|_| !is_bare)
                && self.is_wired(event, main)
            {
                found.extend(self.event(event, &[main]));
            }
        }
        found
    }

    fn is_wired(&self, event: Event, place: &Path) -> bool {
        Wiring::read(place, event.name, self.git.version)
            .is_ok_and(|wiring| wiring.running().next().is_some())
    }

    /// One event in all places.
    fn event(&self, event: Event, places: &[&Path]) -> Vec<Diagnosis> {
        let mut found = Vec::new();
        let mut order_before: Option<String> = None;
        let mut in_config = false;
        for place in places {
            let wiring = match Wiring::read(place, event.name, self.git.version) {
                Ok(wiring) => wiring,
                Err(error) => {
                    found.push(Diagnosis::wrong(
                        format!("{}: {}", event.name, words(&error)),
                        "mend what Git complains about: `git config --list --show-origin`",
                    ));
                    continue;
                }
            };
            let order = unwired::in_order(&wiring);
            if order_before.as_ref() != Some(&order) && !wiring.steps.is_empty() {
                found.push(Diagnosis::ok(format!(
                    "{} in `{}` runs {order}",
                    event.name,
                    shown(place)
                )));
            }
            in_config |= wiring.running().any(|step| step.config_name().is_some());
            let is_wired = wiring.running().next().is_some();
            // That a further gate is not asked for is said once.
            if is_wired || event.name == GATE_OF_ALL || order_before.is_none() {
                found.extend(self.examine(event, place, &wiring));
            }
            order_before = Some(order);
        }
        found.extend(in_config.then(older_git).flatten());
        found
    }

    /// One event in one working tree.
    fn examine(&self, event: Event, root: &Path, wiring: &Wiring) -> Vec<Diagnosis> {
        let place = format!("`{}`", shown(root));
        let mut found = Vec::new();
        let own = wiring.running().filter(|step| step.whose() == Whose::Ours);
        let times = own.count();
        if times > 1 {
            found.push(Diagnosis::wrong(
                format!("{} in {place} runs gpuguard {times} times", event.name),
                "`gpuguard install` leaves one",
            ));
        }
        let Some(step) = wiring.at_work() else {
            found.push(unwired::why_not(wiring, event, root));
            return found;
        };
        found.push(self.try_out(event, root, wiring, step));
        let late = wiring.after_work().filter(|_| event.gate.judges_index());
        found.extend(late.map(|late| unwired::late(late, event, root)));
        found
    }

    fn try_out(&self, event: Event, root: &Path, wiring: &Wiring, step: &Step) -> Diagnosis {
        let place = shown(root);
        let trial = trial_of(self.git, event, root, (wiring, step));
        let here = trial.run(Surroundings::AsHere);
        let bare = trial.run(Surroundings::GraphicalClient);
        let stops = |fired: &Fired| match fired {
            Fired::Passed => false,
            // Without a policy that is its duty, and said above.
            Fired::Refused { by_program, .. } => self.is_judged || !by_program,
            Fired::Nothing { .. } => true,
        };
        let hardly_any = if event.gate == Gate::Receive {
            "hardly any variables (no PATH)"
        } else {
            "a graphical client's (no PATH, no terminal)"
        };
        let where_it_fails = match (stops(&here), stops(&bare)) {
            (false, false) if !wiring.is_sound(step, self.repository.common_dir(), event) => {
                return Diagnosis::wrong(
                    format!(
                        "{} in `{place}` starts gpuguard, but its hook file is not as this version \
                         writes it, and may not heed what gpuguard says",
                        event.name
                    ),
                    "`gpuguard install` writes it anew, and keeps what was changed",
                );
            }
            (false, false) => {
                let how = match here {
                    Fired::Refused { .. } => "fires and refuses for want of a policy",
                    _ => "fires",
                };
                return Diagnosis::ok(format!(
                    "{} {how} in `{place}`, with this shell's variables and with {hardly_any}",
                    event.name
                ));
            }
            (true, _) => "",
            (false, true) => " with a graphical client's variables (no PATH, no terminal)",
        };
        let failed = if stops(&here) { here } else { bare };
        let (said, cure) = failed.words();
        Diagnosis::wrong(
            format!(
                "{} in `{place}` does not work{where_it_fails}: {said}",
                event.name
            ),
            cure.unwrap_or_else(|| "`gpuguard install` writes it anew".to_owned()),
        )
    }
}

/// A trial of one of the hooks that are wired, without the others.
fn trial_of<'t>(
    git: &'t OwnGit,
    event: Event,
    root: &'t Path,
    (wiring, step): (&'t Wiring, &'t Step),
) -> Trial<'t> {
    let names = wiring.steps.iter().filter_map(Step::config_name);
    Trial {
        git: &git.file,
        version: git.version,
        root,
        event,
        step,
        others: names
            .filter(|name| step.config_name() != Some(name))
            .collect(),
    }
}

/// Another Git on PATH that passes by what the configuration says.
fn older_git() -> Option<Diagnosis> {
    let other = trial::programs_on_path("git").find_map(|file| {
        let words = trial::version_words(&file)?;
        let version = super::config_entry::numbers(&words)?;
        (version < READS_CONFIG).then_some((file, words))
    });
    let (file, words) = other?;
    Some(Diagnosis::note(
        format!(
            "{} is {words}, which passes by the hook in the configuration",
            shown(&file)
        ),
        Some("`gpuguard install --shim` serves every Git"),
    ))
}

/// The events that gpuguard is run for in the main working tree, by a manager too.
fn wired_events(trees: &[WorkingTree], version: (u32, u32)) -> Vec<&'static str> {
    let Some(main) = trees.iter().find(|tree| tree.is_there) else {
        return Vec::new();
    };
    let is_wired = |event: &Event| {
        let by_manager = || {
            unwired::managed(&main.root, *event).is_some_and(|managed| managed.join == Join::Runs)
        };
        Wiring::read(&main.root, event.name, version)
            .is_ok_and(|wiring| wiring.running().next().is_some())
            || by_manager()
    };
    let events = EVENTS.into_iter().filter(is_wired);
    events.map(|event| event.name).collect()
}

/// Whether gpuguard runs here only as in all repositories of the user: then it does nothing where
/// there is no policy.
fn is_for_all_only(repository: &Repository, version: (u32, u32)) -> bool {
    let root = repository.worktree().unwrap_or(repository.git_dir());
    Wiring::read(root, GATE_OF_ALL, version).is_ok_and(|wiring| {
        let at_work = wiring.at_work();
        at_work.is_some_and(|step| step.whose() == Whose::OursForAll)
    })
}

fn shown(path: &Path) -> String {
    printable(path.as_os_str().as_encoded_bytes())
}

/// An error and what caused it, in one line.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    printable(text.as_bytes())
}
