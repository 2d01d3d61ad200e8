//! Replacing file after file, each only if it still is what the snapshot holds, and going back
//! when one of them cannot be replaced.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::journal::Desk;
use super::place::{Place, Standing, remove_empty_tree, sum_of};
use super::{Event, RollbackError};
use crate::backup::{Entry, Sum, VerifiedBackup};
use crate::sys::file;

/// One path to change.
pub(super) struct Step {
    pub(super) place: Place,
    /// What stood there when the snapshot was taken.
    pub(super) before: Standing,
    /// The same in the snapshot; `None` where there was no file.
    pub(super) saved: Option<Entry>,
    /// What is to stand there; `None` where nothing is.
    pub(super) staged: Option<(PathBuf, Sum)>,
}

/// A run that cannot go on.
pub(super) struct Stopped {
    /// How many of `order` were begun.
    done: Vec<usize>,
    path: String,
    fault: Fault,
}

enum Fault {
    System(io::Error),
    ChangedMeanwhile,
}

/// What came of going back.
pub(super) struct Back {
    stopped: Stopped,
    failed: Option<(String, io::Error)>,
}

/// Takes all steps, removals first, and proves the result.
pub(super) fn apply(
    root: &Path,
    steps: &[Step],
    hear: &mut dyn FnMut(&Event),
) -> Result<(), Stopped> {
    let mut done = Vec::new();
    let (writes, removals): (Vec<usize>, Vec<usize>) =
        (0..steps.len()).partition(|at| steps[*at].staged.is_some());
    for at in removals.iter().rev().chain(&writes) {
        let step = &steps[*at];
        let halt = |done: &[usize], fault| Stopped {
            done: done.to_vec(),
            path: step.place.path.to_string(),
            fault,
        };
        match step.is_unchanged(root) {
            Ok(true) => {}
            Ok(false) => return Err(halt(&done, Fault::ChangedMeanwhile)),
            Err(error) => return Err(halt(&done, Fault::System(error))),
        }
        // Noted before it is done: going back looks at what is really there.
        done.push(*at);
        if let Err(error) = step.take(root) {
            return Err(halt(&done, Fault::System(error)));
        }
        hear(&Event::Changed {
            done: done.len(),
            all: steps.len(),
        });
    }
    for at in removals {
        steps[at].place.remove_empty_parents(root);
    }
    let synced = sync_folders(root, steps).and_then(|()| prove(root, steps));
    synced.map_err(|source| Stopped {
        done,
        path: "the working tree".to_owned(),
        fault: Fault::System(source),
    })
}

impl Step {
    /// Whether what stands here still is what the snapshot holds. Folders may have gone or come
    /// with the steps before this one.
    fn is_unchanged(&self, root: &Path) -> io::Result<bool> {
        let now = self.place.look(root)?;
        Ok(match (&self.before, &now) {
            (Standing::Leaf { .. }, _) | (_, Standing::Leaf { .. }) => self.before == now,
            _ => now != Standing::Special,
        })
    }

    fn take(&self, root: &Path) -> io::Result<()> {
        match &self.staged {
            None => file::remove(&self.place.file),
            Some((staged, _)) => {
                if self.place.look(root)? == Standing::Folder {
                    remove_empty_tree(&self.place.file)?;
                }
                self.place.put(root, staged)
            }
        }
    }

    /// Puts back what stood here, unless someone has changed it since.
    fn take_back(&self, root: &Path, saved: &mut VerifiedBackup, scratch: &Path) -> io::Result<()> {
        let ours = match (self.place.look(root)?, &self.staged) {
            (Standing::Leaf { .. }, Some((_, sum))) => sum_of(&self.place.file)? == *sum,
            (Standing::Leaf { .. } | Standing::Special, _) => false,
            (Standing::Absent | Standing::Folder, _) => true,
        };
        if !ours {
            return Ok(());
        }
        match &self.saved {
            Some(entry) => {
                if self.place.look(root)? == Standing::Folder {
                    remove_empty_tree(&self.place.file)?;
                }
                saved
                    .unpack(entry, scratch)
                    .map_err(|error| io::Error::other(error.to_string()))?;
                self.place.put(root, scratch)
            }
            None if matches!(self.place.look(root)?, Standing::Leaf { .. }) => {
                file::remove(&self.place.file)?;
                self.place.remove_empty_parents(root);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Stopped {
    /// All files were in their places, but the index could not follow.
    pub(super) fn index(steps: &[Step], source: io::Error) -> Self {
        Self {
            done: (0..steps.len()).collect(),
            path: "the index".to_owned(),
            fault: Fault::System(source),
        }
    }

    /// Where it stopped, and why.
    pub(super) fn into_cause(self) -> (String, io::Error) {
        let source = match self.fault {
            Fault::System(source) => source,
            Fault::ChangedMeanwhile => io::Error::other("another program changed it just now"),
        };
        (self.path, source)
    }

    /// Puts back every file that was changed: what is new first, then what was there before.
    pub(super) fn go_back(
        self,
        root: &Path,
        steps: &[Step],
        saved: &mut VerifiedBackup,
        desk: &Desk,
    ) -> Back {
        let mut failed = None;
        let (old, new): (Vec<usize>, Vec<usize>) =
            self.done.iter().partition(|at| steps[**at].saved.is_some());
        for (number, at) in new.into_iter().chain(old).enumerate() {
            let step = &steps[at];
            let scratch = desk.scratch().join(format!("back-{number}"));
            if let Err(error) = step.take_back(root, saved, &scratch) {
                failed = Some((step.place.path.to_string(), error));
            }
        }
        Back {
            stopped: self,
            failed,
        }
    }
}

impl Back {
    pub(super) fn went_back(&self) -> bool {
        self.failed.is_none()
    }

    pub(super) fn into_error(self, snapshot: String) -> RollbackError {
        match (self.failed, self.stopped.fault) {
            (Some((path, source)), _) => RollbackError::HalfDone { path, source },
            (None, Fault::System(source)) => RollbackError::WentBack {
                path: self.stopped.path,
                snapshot,
                source,
            },
            (None, Fault::ChangedMeanwhile) => RollbackError::ChangedMeanwhile {
                path: self.stopped.path,
                snapshot,
            },
        }
    }
}

/// Makes the names of all changed files durable.
fn sync_folders(root: &Path, steps: &[Step]) -> io::Result<()> {
    let folders: BTreeSet<&Path> = steps
        .iter()
        .flat_map(|step| step.place.file.ancestors().skip(1))
        .filter(|folder| folder.starts_with(root))
        .collect();
    for folder in folders {
        if folder.is_dir() {
            file::sync_folder(folder)?;
        }
    }
    Ok(())
}

/// Reads every changed file once more.
fn prove(root: &Path, steps: &[Step]) -> io::Result<()> {
    for step in steps {
        let right = match &step.staged {
            Some((_, sum)) => sum_of(&step.place.file)? == *sum,
            None => !matches!(step.place.look(root)?, Standing::Leaf { .. }),
        };
        if !right {
            return Err(io::Error::other(format!(
                "`{}` is not what was written",
                step.place.path
            )));
        }
    }
    Ok(())
}
