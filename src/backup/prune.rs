//! Removing the backups that no rule keeps, and none that holds the only copy of something.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::retention::{self, Fate, Held, Keep, Remove, Ruling};
use super::unsaved::Elsewhere;
use super::{BackupError, BackupId, Store, sweep};
use crate::git::Repository;
use crate::policy::Retention;
use crate::sys::clock::Timestamp;
use crate::sys::file;
use crate::sys::lock::FileLock;

/// How long `backup prune` waits for others to be done.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a run beside a commit may look at, in backups and in bytes.
const MOST_EXAMINED: usize = 16;
const MOST_READ: u64 = 8 * 1024 * 1024;
/// A run that has not written down its snapshot made it within this time.
const UNSETTLED: Duration = Duration::from_hours(1);

/// How much work a prune may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// As much as it takes, waiting for others.
    Full,
    /// What goes unnoticed beside a commit: no waiting, and what is not looked at stays.
    Slight,
}

/// What a prune goes by.
#[derive(Clone, Debug)]
pub struct Pruning {
    /// The rules.
    pub retention: Retention,
    /// The time to count from.
    pub now: Timestamp,
    /// Backups that an undo or an unfinished run needs.
    pub needed: BTreeSet<BackupId>,
    /// Whether a run is going on whose snapshot is not known.
    pub unsettled: bool,
    /// How much work it may make.
    pub effort: Effort,
}

/// What a prune would do. While it lives, no other one decides anything.
#[derive(Debug)]
pub struct PrunePlan<'s> {
    store: &'s Store,
    effort: Effort,
    /// The fate of every backup, newest first.
    pub rulings: Vec<Ruling>,
    /// Held for as long as what was decided counts.
    deciding: Option<FileLock>,
}

impl Store {
    /// Decides what becomes of every backup, and removes nothing.
    pub fn plan_prune(
        &self,
        pruning: &Pruning,
        repository: &Repository,
    ) -> Result<PrunePlan<'_>, BackupError> {
        self.plan_prune_telling(pruning, repository, &mut |_, _| {})
    }

    /// The same; `told` hears how many of the backups that may go have been looked into.
    pub fn plan_prune_telling(
        &self,
        pruning: &Pruning,
        repository: &Repository,
        told: &mut dyn FnMut(u64, u64),
    ) -> Result<PrunePlan<'_>, BackupError> {
        let mut plan = PrunePlan {
            store: self,
            effort: pruning.effort,
            rulings: Vec::new(),
            deciding: None,
        };
        if self.folders().all(|folder| !folder.exists()) {
            return Ok(plan);
        }
        let lock = sweep::deciding(&self.home, pruning.effort.patience());
        plan.deciding = Some(lock.map_err(|error| self.unlocked(error))?);
        let held = self.held()?;
        let mut needed = pruning.needed.clone();
        if pruning.unsettled {
            let recent = held.iter().filter(|held| is_recent(held, pruning.now));
            needed.extend(recent.map(|held| held.id.clone()));
        }
        plan.rulings = retention::rule(&pruning.retention, pruning.now, held, &needed);
        plan.keep_only_copies(repository, told)?;
        Ok(plan)
    }

    /// All backups, newest first.
    fn held(&self) -> Result<Vec<Held>, BackupError> {
        let mut all = Vec::new();
        for id in self.present()? {
            // Of one that cannot be read it is not known what it refers to; it counts as itself.
            let archive = self
                .resolve(&id)
                .map_or_else(|_| id.clone(), |it| it.archive);
            let found = self.archive_path(&archive).metadata();
            all.push(Held {
                created: id.created(),
                archive_bytes: found.map_or(0, |found| found.len()),
                archive,
                id,
            });
        }
        // Of those made in the same second, the manifests tell which is newer.
        for same in all.chunk_by_mut(|a, b| a.created == b.created) {
            if same.len() > 1 {
                let time = |held: &Held| self.listed(&held.id).ok().map(|it| it.manifest.created);
                same.sort_by_cached_key(|held| std::cmp::Reverse(time(held)));
            }
        }
        Ok(all)
    }

    fn unlocked(&self, source: io::Error) -> BackupError {
        let folder = self.folder.clone();
        if source.kind() == io::ErrorKind::WouldBlock {
            BackupError::InUse { folder }
        } else {
            BackupError::NoLock { folder, source }
        }
    }
}

fn is_recent(held: &Held, now: Timestamp) -> bool {
    held.created.is_none_or(|created| {
        u64::try_from(now.as_second().saturating_sub(created.as_second()))
            .map_or(true, |age| age <= UNSETTLED.as_secs())
    })
}

impl Effort {
    fn patience(self) -> Duration {
        match self {
            Self::Full => PATIENCE,
            Self::Slight => Duration::ZERO,
        }
    }
}

impl PrunePlan<'_> {
    /// The backups that go, newest first.
    pub fn removals(&self) -> impl Iterator<Item = (&BackupId, Remove)> {
        self.rulings.iter().filter_map(|ruling| match ruling.fate {
            Fate::Removed(why) => Some((&ruling.held.id, why)),
            Fate::Kept(_) => None,
        })
    }

    /// Newest first: of several that hold the same, the newest stays.
    fn keep_only_copies(
        &mut self,
        repository: &Repository,
        told: &mut dyn FnMut(u64, u64),
    ) -> Result<(), BackupError> {
        let all = self.removals().count() as u64;
        if all == 0 {
            return Ok(());
        }
        let mut done = 0;
        let stay = self.rulings.iter().filter_map(|ruling| match ruling.fate {
            Fate::Kept(_) => Some(ruling.held.archive.clone()),
            Fate::Removed(_) => None,
        });
        let budget = (self.effort == Effort::Slight).then_some(MOST_READ);
        let mut elsewhere = Elsewhere::new(self.store, repository, stay.collect(), budget)?;
        let mut examined = 0;
        for ruling in &mut self.rulings {
            let Held { id, archive, .. } = &ruling.held;
            if matches!(ruling.fate, Fate::Kept(_)) {
                continue;
            }
            told(done, all);
            done += 1;
            // What only refers to an archive holds nothing itself.
            if archive != id {
                continue;
            }
            let keep = if self.effort == Effort::Slight && examined == MOST_EXAMINED {
                Some(Keep::NotExamined)
            } else {
                examined += 1;
                elsewhere.reason_to_keep(id)?
            };
            if let Some(keep) = keep {
                elsewhere.stays(id);
                ruling.fate = Fate::Kept(vec![keep]);
            }
        }
        Ok(())
    }

    /// Removes what goes. Gives how many backups that were; one that somebody refers to since it
    /// was decided stays.
    pub fn carry_out(&mut self) -> Result<usize, BackupError> {
        let going: Vec<BackupId> = self.removals().map(|(id, _)| id.clone()).collect();
        if going.is_empty() {
            return Ok(0);
        }
        let mut alone = Vec::new();
        for folder in self.store.folders().filter(|folder| folder.exists()) {
            let lock = sweep::alone(folder, self.effort.patience());
            alone.push(lock.map_err(|error| self.store.unlocked(error))?);
        }
        let going = self.still_going(going)?;
        let places: Vec<(&BackupId, PathBuf)> = going
            .iter()
            .map(|id| (id, self.store.folder_of(id).to_owned()))
            .collect();
        for id in &going {
            // What refers goes before what is referred to.
            for name in [self.store.verdict_path(id), self.store.reference_path(id)] {
                remove(&name).map_err(stays(id))?;
            }
        }
        for (id, folder) in &places {
            let outgoing = sweep::outgoing(folder, id);
            match file::rename(&folder.join(format!("{id}.zip")), &outgoing) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(stays(id)(error));
                }
                _ => {}
            }
        }
        // That they are gone must last before the first sum goes.
        let folders: BTreeMap<&PathBuf, &BackupId> =
            places.iter().map(|(id, folder)| (folder, *id)).collect();
        for (folder, id) in folders {
            file::sync_folder(folder).map_err(stays(id))?;
        }
        for (id, folder) in &places {
            let sidecar = folder.join(format!("{id}.zip.sha256"));
            for name in [sidecar, sweep::outgoing(folder, id)] {
                remove(&name).map_err(stays(id))?;
            }
        }
        drop(alone);
        Ok(going.len())
    }

    /// Less the archives that a backup made since then refers to. From the oldest on: a run that
    /// is stopped leaves the newest.
    fn still_going(&mut self, going: Vec<BackupId>) -> Result<Vec<BackupId>, BackupError> {
        let mut referred = BTreeMap::new();
        for id in self.store.references()? {
            if !going.contains(&id)
                && let Ok(resolved) = self.store.resolve(&id)
            {
                referred.insert(resolved.archive, id);
            }
        }
        for ruling in &mut self.rulings {
            if let (Fate::Removed(_), Some(by)) = (&ruling.fate, referred.get(&ruling.held.id)) {
                ruling.fate = Fate::Kept(vec![Keep::ReferredTo(by.clone())]);
            }
        }
        let still = going.into_iter().rev();
        Ok(still.filter(|id| !referred.contains_key(id)).collect())
    }
}

fn stays(id: &BackupId) -> impl FnOnce(io::Error) -> BackupError {
    let id = id.to_string();
    move |source| BackupError::Stays { id, source }
}

/// Removes a file that may be gone already.
fn remove(path: &Path) -> io::Result<()> {
    match file::remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
