//! Whether the hook can save what it judges; it refuses what it cannot save.

use std::path::Path;

use super::{shown, words};
use crate::backup::Store;
use crate::git::Repository;
use crate::gpu::Diagnosis;
use crate::source::{self, Judged};
use crate::sys::file;

const CURE: &str = "mend its rights, name another place (`store` in `[backup]`, \
                    GPUGUARD_BACKUP_STORE), or save nothing (`snapshot = false` in `[hook]`)";

/// Looks without writing. What stands in the way of the policy itself is told of elsewhere.
pub(super) fn diagnose(repository: &Repository) -> Option<Diagnosis> {
    let (policy, _) = source::policy_of(repository, Judged::Staged).ok()?;
    if !policy.hook.snapshot {
        return None;
    }
    let store = match Store::open(repository, &policy.backup) {
        Ok(store) => store,
        Err(error) => {
            return Some(Diagnosis::wrong(
                format!("nothing can be saved: {}", words(&error)),
                CURE,
            ));
        }
    };
    let folder = store.folder();
    let is_there = |path: &&Path| path.symlink_metadata().is_ok();
    let nearest = folder.ancestors().find(is_there)?;
    (!file::is_writable_folder(nearest)).then(|| {
        Diagnosis::wrong(
            format!(
                "backups cannot be written to `{}`, so the hook refuses every commit",
                shown(folder)
            ),
            CURE,
        )
    })
}
