//! Where a repository's backups lie: inside the common Git directory, or where the policy says;
//! and where they lay before the policy said so, since what is there is still theirs.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::{BackupError, BackupId, Store, Sum};
use crate::git::{GitError, Repository};
use crate::policy::{BackupPolicy, PolicyError, Surroundings};
use crate::source::{self, Judged, RepositoryPolicyError};
use crate::sys::real_path::real_path;
use crate::sys::{environment, file};

/// In the common Git directory: the folder of all that is gpuguard's.
const HOME: &str = "gpuguard";
/// In that folder: the backups, where nothing else is said.
const BACKUPS: &str = "backups";
/// In that folder: the other places that have backups, one on each line.
const PLACES: &str = "stores";
/// No list of places comes near.
const LIMIT: u64 = 1024 * 1024;

impl Store {
    /// The store inside the common Git directory, where nothing else is said.
    pub fn at(common_dir: &Path) -> Self {
        let home = common_dir.join(HOME);
        let mut store = Self {
            folder: home.join(BACKUPS),
            earlier: Vec::new(),
            home,
        };
        store.find_earlier();
        store
    }

    /// The store of a repository by the policy that counts in its working tree. One that cannot
    /// be read says nothing: it must not stand between people and their backups. Where there is
    /// none, the user's own file and variables count.
    pub fn of(repository: &Repository) -> Result<Self, BackupError> {
        match source::policy_of(repository, Judged::WorkingTree) {
            Ok((policy, _)) => Self::open(repository, &policy.backup),
            Err(RepositoryPolicyError::Policy(PolicyError::Missing { .. })) => {
                let surroundings = Surroundings::of_this_process().unwrap_or_default();
                Self::open(repository, &surroundings.backup())
            }
            Err(_) => Ok(Self::at(repository.common_dir())),
        }
    }

    /// The same for who goes back to what was saved: a policy that names a place where no backups
    /// may lie must not stand in the way either, and what is saved before lies in the usual one.
    pub fn of_whatever_policy(repository: &Repository) -> Self {
        Self::of(repository).unwrap_or_else(|_| Self::at(repository.common_dir()))
    }

    /// The store of a repository by a policy.
    ///
    /// # Errors
    /// [`BackupError::Place`] where no backups may lie there.
    pub fn open(repository: &Repository, policy: &BackupPolicy) -> Result<Self, BackupError> {
        let mut store = Self::at(repository.common_dir());
        if let Some(setting) = &policy.store {
            let folder = place(repository, setting).map_err(|reason| BackupError::Place {
                setting: setting.clone(),
                reason,
            })?;
            store.folder = folder;
            store.find_earlier();
        }
        Ok(store)
    }

    fn find_earlier(&mut self) {
        let list = file::read_at_most(&self.home.join(PLACES), LIMIT).unwrap_or_default();
        let list = String::from_utf8_lossy(&list).into_owned();
        let usual = self.home.join(BACKUPS);
        self.earlier = std::iter::once(usual)
            .chain(list.lines().map(PathBuf::from))
            .filter(|place| *place != self.folder && place.is_absolute() && place.is_dir())
            .collect();
    }

    /// Notes a place of its own, so that its backups are found when the policy says another.
    pub(super) fn remember(&self) -> io::Result<()> {
        let Some(place) = self.folder.to_str() else {
            return Ok(());
        };
        if self.folder == self.home.join(BACKUPS) || place.contains('\n') {
            return Ok(());
        }
        let path = self.home.join(PLACES);
        let list = file::read_at_most(&path, LIMIT).unwrap_or_default();
        let mut list = String::from_utf8_lossy(&list).into_owned();
        if list.lines().any(|line| line == place) {
            return Ok(());
        }
        list.push_str(place);
        list.push('\n');
        file::create_private_folder(&self.home)?;
        file::write_atomic(&path, list.as_bytes())
    }

    /// All folders that have backups, the one for new ones first.
    pub(super) fn folders(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.folder).chain(&self.earlier)
    }

    /// The folder that a backup lies in, or would.
    pub(super) fn folder_of(&self, id: &BackupId) -> &Path {
        let has = |folder: &&PathBuf| {
            ["zip", "ref.json", "zip.sha256"]
                .iter()
                .any(|ending| folder.join(format!("{id}.{ending}")).exists())
        };
        if self.earlier.is_empty() {
            return &self.folder;
        }
        self.folders().find(has).unwrap_or(&self.folder)
    }
}

/// Why backups may not lie where the policy says.
#[derive(Debug, thiserror::Error)]
pub enum PlaceFault {
    /// `~` stands for a folder that is not known.
    #[error("the home folder is not known")]
    NoHome,
    /// It is among what Git keeps.
    #[error("it lies among Git's own files")]
    GitFolder,
    /// It is in the working tree and would be committed.
    #[error("it lies in the working tree `{}`, and Git does not ignore it", root.display())]
    WorkingTree {
        /// The working tree's root.
        root: PathBuf,
    },
    /// Git cannot be asked whether it ignores it.
    #[error("Git cannot be asked whether it ignores it")]
    Git(#[from] GitError),
}

/// The folder for a repository's backups by the policy's words: absolute, below `~`, or relative
/// to the common Git directory, which all working trees share.
fn place(repository: &Repository, setting: &str) -> Result<PathBuf, PlaceFault> {
    let common_dir = repository.common_dir();
    let asked = match setting.strip_prefix('~') {
        Some(rest) => {
            let home = environment::home_dir().ok_or(PlaceFault::NoHome)?;
            home.join(rest.trim_start_matches('/'))
        }
        None => common_dir.join(setting),
    };
    // By their true names: a link must not lead around what is checked, nor to another place.
    let asked = true_name(&without_dots(&asked));
    let true_common_dir = true_name(common_dir);
    if let Ok(inside) = asked.strip_prefix(&true_common_dir) {
        return if inside.starts_with(HOME) && inside != Path::new(HOME) {
            Ok(common_dir.join(inside))
        } else {
            Err(PlaceFault::GitFolder)
        };
    }
    // Others may keep theirs there too.
    let main = main_root(&true_common_dir);
    let name = main.unwrap_or(&true_common_dir).file_name();
    let name = name.unwrap_or_default().to_string_lossy();
    let sum = Sum::of(true_common_dir.as_os_str().as_encoded_bytes()).to_string();
    let digits = sum.get(..8).unwrap_or_default();
    let folder = asked.join(format!("{name}-{digits}"));
    let own = repository.worktree().ok().map(true_name);
    for root in [own.as_deref(), main].into_iter().flatten() {
        if folder.starts_with(root) && !repository.ignores(root, &folder.join("backup.zip"))? {
            return Err(PlaceFault::WorkingTree {
                root: root.to_owned(),
            });
        }
    }
    Ok(folder)
}

/// A path without links, as far as it exists.
fn true_name(path: &Path) -> PathBuf {
    for existing in path.ancestors() {
        if let (Ok(known), Ok(rest)) = (real_path(existing), path.strip_prefix(existing)) {
            // `known` joined with nothing would get a `/` at its end.
            return if rest.as_os_str().is_empty() {
                known
            } else {
                known.join(rest)
            };
        }
    }
    path.to_owned()
}

/// The main working tree of a repository that has its Git directory in it.
fn main_root(common_dir: &Path) -> Option<&Path> {
    let named_git = common_dir.file_name().is_some_and(|name| name == ".git");
    common_dir.parent().filter(|_| named_git)
}

fn without_dots(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(whole.pop()),
            other => whole.push(other),
        }
    }
    whole
}
