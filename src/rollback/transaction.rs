//! One run, from the lock to the finished index: snapshot, staging, journal, replacing, proof.
//! Until the journal says `applying` nothing of the user's is changed, and an error before that
//! leaves nothing behind but the snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::apply::{Step, apply};
use super::journal::{Journal, LeftFile, LeftFiles, NextIndex, Operation, Phase, Rest, Wrote};
use super::place::Marks;
use super::safety::{steps, sync_all};
use super::{RollbackError, Workplace};
use crate::backup::{StoredPath, Sum, VerifiedBackup};
use crate::git::{FileMode, ObjectId, RepoPath};
use crate::sys::{file, lock::FileLock};

/// What a run has just done or is about to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The snapshot with everything that will change is made and verified.
    Saved {
        /// Its id.
        snapshot: String,
    },
    /// New contents lie ready; the next step changes the first file.
    Prepared,
    /// So many of the files are in their places.
    Changed {
        /// Done so far.
        done: usize,
        /// All of them.
        all: usize,
    },
    /// All files are in their places and proved; the index comes next.
    IndexNext,
    /// The new index lies under the lock's name; one rename puts it in its place.
    IndexReady,
    /// The index is in its place; the journal goes next.
    Finished,
}

/// What a finished run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The snapshot that undoes it; `None` where everything was right already, and nothing was
    /// saved or noted.
    pub snapshot: Option<String>,
    /// How many files were written.
    pub written: usize,
    /// How many files were removed.
    pub removed: usize,
}

/// What a run is to do.
pub(super) struct Job {
    /// `rollback`, `undo`, `restore` or `fix`; also the snapshot's trigger.
    pub(super) kind: &'static str,
    pub(super) what: String,
    pub(super) writes: BTreeSet<RepoPath>,
    pub(super) removals: BTreeSet<RepoPath>,
    /// Blobs that perhaps only the index has: Git throws them away once it does not.
    pub(super) staged: Vec<(RepoPath, FileMode, ObjectId)>,
    /// Whether the index takes part: it is locked and saved.
    pub(super) index: IndexPart,
    /// The snapshot an interrupted run is brought to, where that is not its own.
    pub(super) bring_to: Option<String>,
    /// What the index may say for the saved one to take its place as a whole.
    pub(super) accepted: Vec<Sum>,
    pub(super) start: Start,
    pub(super) unneeded: Unneeded,
}

/// What becomes of a run that finds everything as it is to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unneeded {
    /// It is saved and noted like any other.
    Noted,
    /// It ends before anything is saved: the last run stays the one that an undo takes back.
    Dropped,
}

/// How the index takes part.
pub(super) enum IndexPart {
    /// Not at all.
    Left,
    /// Whatever it is.
    Any,
    /// Only if it still is the one the plan was made from.
    Planned(Option<Marks>),
}

/// What a run begins with.
pub(super) enum Start {
    /// A settled working tree.
    Fresh,
    /// The journal of a killed run, which stays until this one is finished. `record` is the
    /// snapshot to note as the finished run's.
    Recovery {
        record: Option<String>,
        killed: Box<Journal>,
    },
}

/// New contents, ready to be renamed into their places.
pub(super) struct Staging {
    pub(super) files: BTreeMap<RepoPath, PathBuf>,
    pub(super) index: NewIndex,
    /// Whether permission bits count beyond "executable or not".
    pub(super) exact_permissions: bool,
}

/// What becomes of the index.
pub(super) enum NewIndex {
    Keep,
    /// `refresh` are the paths whose times it is to learn once they are in their places.
    Replace {
        file: PathBuf,
        refresh: Vec<RepoPath>,
    },
    Remove,
}

/// A process that was just killed may hold its lock a moment longer, through a child that has
/// been forked and not yet become `git`.
const PATIENCE: Duration = Duration::from_millis(300);

type Stage<'s> = &'s mut dyn FnMut(&Path) -> Result<Staging, RollbackError>;

impl Workplace<'_> {
    /// The lock that says that a run is alive.
    pub(super) fn enter(&self) -> Result<FileLock, RollbackError> {
        let failed = |source| RollbackError::Scratch {
            path: self.desk.folder.clone(),
            source,
        };
        file::create_private_folder(&self.desk.folder).map_err(failed)?;
        match FileLock::acquire(&self.desk.lock_path(), PATIENCE) {
            Ok(lock) => Ok(lock),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(RollbackError::Busy),
            Err(error) => Err(failed(error)),
        }
    }

    /// Does a job; the caller holds the lock of [`Workplace::enter`].
    pub(super) fn run(
        &self,
        job: &Job,
        stage: Stage<'_>,
        hear: &mut dyn FnMut(&Event),
    ) -> Result<Done, RollbackError> {
        let mut journal = Journal::new(job.kind, &job.what);
        journal.bring_to.clone_from(&job.bring_to);
        journal.accepted.clone_from(&job.accepted);
        if let Start::Recovery { record, killed } = &job.start {
            // Files are changed already: a second kill must find that written down.
            journal.phase = Phase::Applying;
            journal.snapshot.clone_from(record);
            journal.wrote.clone_from(&killed.wrote);
            journal.left = killed.left;
            journal.rest.clone_from(&killed.rest);
        }
        let scratch = |source| RollbackError::Scratch {
            path: self.desk.scratch(),
            source,
        };
        file::discard_scratch(&self.desk.scratch()).map_err(scratch)?;
        self.desk.write_journal(&journal)?;
        let ready = match self.prepare(job, &mut journal, stage, hear) {
            Ok(Some(ready)) => ready,
            Ok(None) => {
                self.give_up(job, &journal);
                return Ok(Done {
                    snapshot: None,
                    written: 0,
                    removed: 0,
                });
            }
            Err(error) => {
                self.give_up(job, &journal);
                return Err(match error {
                    RollbackError::Git(source) => RollbackError::Unprepared { source },
                    other => other,
                });
            }
        };
        self.carry_out(job, journal, ready, hear)
    }

    /// Everything that changes nothing of the user's. `None` where there is nothing to do, and
    /// nothing to note.
    fn prepare(
        &self,
        job: &Job,
        journal: &mut Journal,
        stage: Stage<'_>,
        hear: &mut dyn FnMut(&Event),
    ) -> Result<Option<Ready>, RollbackError> {
        let scratch = self.desk.scratch();
        let failed = |source| RollbackError::Scratch {
            path: scratch.clone(),
            source,
        };
        file::create_private_folder(&scratch).map_err(failed)?;
        self.lock_index(job, journal, &scratch)?;
        if !matches!(job.index, IndexPart::Left) {
            self.keep_index(&scratch)?;
        }
        let mut early = None;
        if job.unneeded == Unneeded::Dropped {
            let staging = stage(&scratch)?;
            if self.is_done_already(job, &staging)? {
                return Ok(None);
            }
            early = Some(staging);
        }
        let (saved, standings) = self.snapshot(job, &scratch)?;
        let snapshot = saved.manifest().id.clone();
        if matches!(job.start, Start::Fresh) {
            journal.snapshot = Some(snapshot.clone());
        }
        journal.bring_to.get_or_insert_with(|| snapshot.clone());
        let event = Event::Saved { snapshot };
        hear(&event);
        let staging = match early {
            Some(staging) => staging,
            None => stage(&scratch)?,
        };
        let steps = steps(job, &saved, standings, &staging)?;
        if matches!(job.start, Start::Fresh) {
            journal.wrote = written(&steps, &scratch);
            journal.rest = rest(&steps, &staging.index, &scratch);
        }
        sync_all(&steps).map_err(failed)?;
        journal.phase = Phase::Applying;
        self.desk.write_journal(journal)?;
        hear(&Event::Prepared);
        Ok(Some(Ready {
            saved,
            steps,
            index: staging.index,
        }))
    }

    fn carry_out(
        &self,
        job: &Job,
        mut journal: Journal,
        mut ready: Ready,
        hear: &mut dyn FnMut(&Event),
    ) -> Result<Done, RollbackError> {
        let result = apply(&self.root, &ready.steps, hear).and_then(|()| {
            hear(&Event::IndexNext);
            self.replace_index(&mut journal, &ready.index, hear)
                .map_err(|source| super::apply::Stopped::index(&ready.steps, source))
        });
        if let Err(stopped) = result {
            let back = stopped.go_back(&self.root, &ready.steps, &mut ready.saved, &self.desk);
            if back.went_back() {
                self.give_up(job, &journal);
            }
            return Err(back.into_error(ready.saved.manifest().id.clone()));
        }
        hear(&Event::Finished);
        let snapshot = ready.saved.manifest().id.clone();
        self.finish(&journal)
            .map_err(|source| RollbackError::Unfinished {
                path: self.desk.folder.clone(),
                source,
            })?;
        let written = ready
            .steps
            .iter()
            .filter(|step| step.staged.is_some())
            .count();
        Ok(Done {
            snapshot: Some(snapshot),
            written,
            removed: ready.steps.len() - written,
        })
    }

    /// Notes the run and removes its traces.
    pub(super) fn finish(&self, journal: &Journal) -> io::Result<()> {
        self.release_index(journal)?;
        // The undo of a killed run is none that could be undone: it was as if never begun.
        if let Some(snapshot) = &journal.snapshot {
            self.desk.record(&Operation {
                kind: journal.kind.clone(),
                what: journal.what.clone(),
                snapshot: snapshot.clone(),
                finished: self.now.to_string(),
                left: journal.left,
                files: left_files(journal),
            })?;
        }
        // The journal goes last: a lock without one could not be told from a foreign one.
        self.desk.clear()
    }

    /// Ends a run that changed nothing. A recovery's journal stays: the killed run's files are
    /// still to be brought back.
    fn give_up(&self, job: &Job, journal: &Journal) {
        // What cannot be removed now is removed by the next run: the journal tells of it.
        let _ = self.release_index(journal);
        let _ = match job.start {
            Start::Fresh => self.desk.clear(),
            Start::Recovery { .. } => file::discard_scratch(&self.desk.scratch()),
        };
    }
}

/// What a recovery must know to tell our files from those the user has edited since, and to put
/// those in their places that are not there yet.
fn written(steps: &[Step], scratch: &Path) -> Vec<Wrote> {
    let staged = steps.iter().filter_map(|step| {
        let (file, sum) = step.staged.as_ref()?;
        Some(Wrote {
            path: StoredPath::new(&step.place.path),
            sum: *sum,
            staged: below(scratch, file),
        })
    });
    staged.collect()
}

/// What a finished run has made of the files.
fn left_files(journal: &Journal) -> Option<LeftFiles> {
    let written = journal.wrote.iter().map(|wrote| LeftFile {
        path: wrote.path.clone(),
        sum: wrote.sum,
    });
    Some(LeftFiles {
        written: written.collect(),
        removed: journal.rest.as_ref()?.removes.clone(),
    })
}

fn rest(steps: &[Step], index: &NewIndex, scratch: &Path) -> Option<Rest> {
    let removed = steps.iter().filter(|step| step.staged.is_none());
    let index = match index {
        NewIndex::Keep => NextIndex::Keep,
        NewIndex::Remove => NextIndex::Remove,
        NewIndex::Replace { file, refresh } => NextIndex::Replace {
            file: below(scratch, file)?,
            refresh: refresh.iter().map(StoredPath::new).collect(),
        },
    };
    Some(Rest {
        removes: removed
            .map(|step| StoredPath::new(&step.place.path))
            .collect(),
        index,
    })
}

fn below(scratch: &Path, file: &Path) -> Option<StoredPath> {
    let relative = RepoPath::from_relative(file.strip_prefix(scratch).ok()?)?;
    Some(StoredPath::new(&relative))
}

/// Everything that is needed to change the first file.
struct Ready {
    saved: VerifiedBackup,
    steps: Vec<Step>,
    index: NewIndex,
}
