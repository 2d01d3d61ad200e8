//! New contents for files of the working tree, put in place like those of a backup: all of them,
//! or none. The index is left alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::place::{Place, sum_of};
use super::transaction::{IndexPart, Job, NewIndex, Staging, Start, Unneeded};
use super::{Done, Event, RollbackError, Workplace, survey};
use crate::backup::Sum;
use crate::git::RepoPath;
use crate::sys::file;

/// A new content for a file that is there.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The file.
    pub path: RepoPath,
    /// The sum of the content that the new one was made from.
    pub before: Sum,
    /// The new content.
    pub content: Vec<u8>,
}

impl Workplace<'_> {
    /// Puts new contents in the place of those they were made from. `kind` says what is done
    /// (`fix`): it is the snapshot's trigger, and what an undo names.
    ///
    /// # Errors
    /// [`RollbackError::ChangedMeanwhile`] where a file no longer is what its new content was
    /// made from.
    pub fn replace(
        &self,
        kind: &'static str,
        replacements: &[Replacement],
        hear: &mut dyn FnMut(&Event),
    ) -> Result<Done, RollbackError> {
        let _alive = self.enter()?;
        self.check_uninterrupted()?;
        let writes: BTreeSet<RepoPath> = replacements
            .iter()
            .map(|replacement| replacement.path.clone())
            .collect();
        let removals = survey::files_in_the_way(&self.root, &writes, &BTreeSet::new())?;
        let plural = if writes.len() == 1 { "" } else { "s" };
        let job = Job {
            kind,
            what: format!("{} file{plural}", writes.len()),
            writes,
            removals,
            staged: Vec::new(),
            index: IndexPart::Left,
            bring_to: None,
            accepted: Vec::new(),
            start: Start::Fresh,
            unneeded: Unneeded::Noted,
        };
        let saved = RefCell::new(String::new());
        let mut stage = |scratch: &Path| {
            self.stage_contents(replacements, scratch)?.map_err(|path| {
                RollbackError::ChangedMeanwhile {
                    path: path.to_string(),
                    snapshot: saved.borrow().clone(),
                }
            })
        };
        let mut listen = |event: &Event| {
            if let Event::Saved { snapshot } = event {
                saved.borrow_mut().clone_from(snapshot);
            }
            hear(event);
        };
        self.run(&job, &mut stage, &mut listen)
    }

    /// Writes the new contents beside the tree, with the permissions of the old; the path of a
    /// file that has changed, if there is one.
    fn stage_contents(
        &self,
        replacements: &[Replacement],
        scratch: &Path,
    ) -> Result<Result<Staging, RepoPath>, RollbackError> {
        let folder = scratch.join("new");
        let failed = |path: &Path, source| RollbackError::Scratch {
            path: path.to_owned(),
            source,
        };
        file::create_private_folder(&folder).map_err(|error| failed(&folder, error))?;
        let mut files: BTreeMap<RepoPath, PathBuf> = BTreeMap::new();
        for (number, replacement) in replacements.iter().enumerate() {
            let place = Place::new(&self.root, &replacement.path)?;
            // The snapshot was taken just before: what is changed after it is noticed when the
            // file is replaced.
            if sum_of(&place.file).ok() != Some(replacement.before) {
                return Ok(Err(replacement.path.clone()));
            }
            let staged = folder.join(number.to_string());
            let written = file::create_new(&staged, &replacement.content)
                .and_then(|()| place.file.symlink_metadata())
                .and_then(|old| file::set_permissions(&staged, old.permissions()));
            written.map_err(|error| failed(&staged, error))?;
            files.insert(replacement.path.clone(), staged);
        }
        Ok(Ok(Staging {
            files,
            index: NewIndex::Keep,
            exact_permissions: false,
        }))
    }
}
