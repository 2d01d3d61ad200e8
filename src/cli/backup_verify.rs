//! `gpuguard backup verify`: every byte of one backup, or of all, held against its sums.

use std::collections::HashSet;

use super::paths::shown;
use super::progress::{Interruptible, Unit};
use super::{Failure, Screen};
use crate::backup::{BackupError, BackupId, Store};
use crate::outcome::Answer;
use crate::sys::clock;

pub(super) fn verify(store: &Store, ids: &[BackupId], screen: &Screen) -> Result<Answer, Failure> {
    let size = |id| {
        let archive = store.archive_path(id).metadata();
        archive.map_or(0, |found| found.len())
    };
    let sizes: u64 = ids.iter().map(size).sum();
    let mut run = Run {
        store,
        screen,
        // Once for the archive's sum, once for what is in it.
        work: screen.interruptible(
            "verifying",
            Unit::Bytes,
            "not all backups were verified, nothing was changed",
        )?,
        all: sizes.saturating_mul(2),
        done: 0,
        whole: HashSet::new(),
    };
    let mut damaged = 0;
    let mut found = Vec::new();
    for id in ids {
        let checked = run.check(id);
        found.push((id.clone(), matches!(checked, Ok(true))));
        match checked {
            Ok(true) => {}
            Ok(false) => damaged += 1,
            Err(error @ (BackupError::Damaged { .. } | BackupError::Newer { .. })) => {
                damaged += 1;
                screen.warn(&format!("{error}"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    drop(run);
    store.note_verified(&found, clock::now());
    let whole = ids.len() - damaged;
    screen.say(&match (ids, damaged) {
        ([], _) => format!(
            "no backups in `{}`: nothing was verified",
            shown(store.folder())
        ),
        ([id], 0) => format!("the backup `{id}` is whole"),
        _ => format!("{whole} whole, {damaged} damaged, {} in all", ids.len()),
    });
    Ok(if damaged == 0 {
        Answer::Fine
    } else {
        Answer::No
    })
}

struct Run<'s> {
    store: &'s Store,
    screen: &'s Screen,
    work: Interruptible<'s>,
    /// How many bytes there are to read, and how many are read.
    all: u64,
    done: u64,
    /// Archives that were read already: several backups may refer to one.
    whole: HashSet<BackupId>,
}

impl Run<'_> {
    /// Whether a backup is whole, and holds nothing that must not be written.
    fn check(&mut self, id: &BackupId) -> Result<bool, BackupError> {
        let archive = self.store.archive_of(id)?;
        if self.whole.contains(&archive) {
            return Ok(true);
        }
        let (done, all, work) = (&mut self.done, self.all, &mut self.work);
        let backup = self.store.verify(id, &mut |read| {
            *done += read;
            work.at(*done, all);
        })?;
        let refused = backup.manifest().refused();
        for (path, reason) in &refused {
            self.screen.warn(&format!(
                "the backup `{id}` holds `{path}`, which must not be written: {reason}"
            ));
        }
        if refused.is_empty() {
            self.whole.insert(archive);
        }
        Ok(refused.is_empty())
    }
}
