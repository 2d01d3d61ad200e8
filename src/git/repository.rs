//! One repository: where things lie, and reading objects from it.

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{
    Blob, FileMode, GitError, GitProgram, ObjectId, RepoPath, StagedChange, batch, staged,
};
use crate::sys::environment;

/// An opened repository. Reads through gix; where gix cannot read it for certain (a reftable, a
/// sparse index, an unknown extension, a foreign owner), through the `git` program.
#[derive(Debug)]
pub struct Repository {
    reader: Reader,
    worktree: Option<PathBuf>,
    git_dir: PathBuf,
    common_dir: PathBuf,
    index_path: PathBuf,
}

/// Who reads.
#[derive(Debug)]
enum Reader {
    Gix {
        repository: Box<gix::Repository>,
        /// The index, read when it is first asked for; `None` where it cannot be read.
        index: OnceCell<Option<Box<gix::index::File>>>,
    },
    Program,
}

/// Where HEAD stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The branch's short name; `None` when detached.
    pub branch: Option<String>,
    /// The commit; `None` before the first one.
    pub commit: Option<ObjectId>,
}

/// `extensions.*` keys that change nothing for a reader, or that gix follows.
const KNOWN_EXTENSIONS: [&str; 5] = [
    "noop",
    "objectformat",
    "worktreeconfig",
    "preciousobjects",
    "relativeworktrees",
];

impl Repository {
    /// Opens the repository that `directory` lies in, or the one that Git's own environment
    /// (`GIT_DIR`, `GIT_INDEX_FILE`, `GIT_WORK_TREE`, as set for hooks) names.
    pub fn discover(directory: &Path) -> Result<Self, GitError> {
        match Self::open_with_gix(directory) {
            Some(repository) => Ok(repository),
            None => Self::open_with_program(directory),
        }
    }

    /// Opens the repository through the `git` program only, as [`Repository::discover`] does when
    /// gix is in doubt; tests hold the two against each other.
    pub fn discover_with_program(directory: &Path) -> Result<Self, GitError> {
        Self::open_with_program(directory)
    }

    fn open_with_gix(directory: &Path) -> Option<Self> {
        // Objects that lie elsewhere too, as those of a push that is not yet accepted
        // (git-receive-pack(1), "Quarantine Environment").
        let elsewhere = ["GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"];
        if elsewhere
            .iter()
            .any(|name| environment::variable(name).is_some())
        {
            return None;
        }
        // What is committed is the object of that id, not one that `git replace` shows instead.
        let options = || {
            gix::open::Options::default()
                .bail_if_untrusted(true)
                .config_overrides(["core.useReplaceRefs=false"])
        };
        let trust = gix::sec::trust::Mapping {
            full: options(),
            reduced: options(),
        };
        let repository = gix::ThreadSafeRepository::discover_with_environment_overrides_opts(
            directory,
            gix::discover::upwards::Options {
                match_ceiling_dir_or_error: false,
                ..Default::default()
            },
            trust,
        )
        .ok()?
        .to_thread_local();
        let unknown = repository
            .config_snapshot()
            .plumbing()
            .sections_by_name("extensions")
            .is_some_and(|sections| {
                sections
                    .flat_map(|section| section.value_names().collect::<Vec<_>>())
                    .any(|name| !KNOWN_EXTENSIONS.contains(&name.to_ascii_lowercase().as_str()))
            });
        if unknown {
            return None;
        }
        // gix looks into the folder that Git ends its search before (git(1)).
        let ceilings = environment::variable("GIT_CEILING_DIRECTORIES").unwrap_or_default();
        if let Some(root) = repository.workdir()
            && root != directory
            && std::env::split_paths(&ceilings).any(|ceiling| ceiling == root)
        {
            return None;
        }
        let absolute = |path: &Path| {
            if path.is_absolute() {
                path.to_owned()
            } else {
                repository.current_dir().join(path)
            }
        };
        let worktree = worktree_of(&repository).map(|path| clean(&absolute(&path)));
        // Git goes to the root first, and reads the variable there.
        let index_path = match (named_index(), &worktree) {
            (Some(index), Some(root)) => root.join(index),
            _ => absolute(&repository.index_path()),
        };
        Some(Self {
            worktree,
            git_dir: clean(&absolute(repository.git_dir())),
            common_dir: clean(&absolute(repository.common_dir())),
            index_path: clean(&index_path),
            reader: Reader::Gix {
                repository: Box::new(repository),
                index: OnceCell::new(),
            },
        })
    }

    fn open_with_program(directory: &Path) -> Result<Self, GitError> {
        let git = GitProgram::in_directory(directory);
        let ask = |what: &[&str]| -> Result<(Option<i32>, String, String), GitError> {
            let mut arguments = vec!["rev-parse", "--path-format=absolute"];
            arguments.extend(what);
            let (code, output, complaint) = git.run_for_code(&arguments, b"")?;
            Ok((code, output.line(), complaint))
        };
        let (code, git_dir, complaint) = ask(&["--absolute-git-dir"])?;
        if code != Some(0) {
            // Git's word for "nothing here"; anything else (an owner it distrusts, a broken
            // configuration) is told as Git tells it.
            if complaint.contains("not a git repository") {
                return Err(GitError::NoRepository {
                    directory: directory.to_owned(),
                });
            }
            return Err(GitError::Program {
                command: "rev-parse".to_owned(),
                code,
                stderr: complaint,
            });
        }
        let (_, common_dir, _) = ask(&["--git-common-dir"])?;
        let (_, index_path, _) = ask(&["--git-path", "index"])?;
        let (code, worktree, _) = ask(&["--show-toplevel"])?;
        Ok(Self {
            reader: Reader::Program,
            worktree: (code == Some(0) && !worktree.is_empty()).then(|| PathBuf::from(worktree)),
            git_dir: git_dir.into(),
            common_dir: common_dir.into(),
            index_path: index_path.into(),
        })
    }

    /// The root of the working tree.
    pub fn worktree(&self) -> Result<&Path, GitError> {
        self.worktree.as_deref().ok_or_else(|| GitError::Bare {
            git_dir: self.git_dir.clone(),
        })
    }

    /// This working tree's own Git directory.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The Git directory that all linked working trees share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The index: the one Git is about to commit where `GIT_INDEX_FILE` names it.
    pub fn index_path(&self) -> &Path {
        &self.index_path
    }

    /// Whether objects are read through the `git` program, because gix was in doubt.
    pub fn reads_with_program(&self) -> bool {
        matches!(self.reader, Reader::Program)
    }

    /// The `git` program, run at the root of the working tree (in the Git directory of a bare
    /// repository).
    pub fn program(&self) -> GitProgram {
        GitProgram::in_directory(self.worktree.as_deref().unwrap_or(&self.git_dir))
    }

    /// The same for reading objects as they are, without `git replace`.
    pub(super) fn reading_program(&self) -> GitProgram {
        self.program().with_variable("GIT_NO_REPLACE_OBJECTS", "1")
    }

    /// The repository as gix reads it, where it is read by gix.
    pub(super) fn gix(&self) -> Option<&gix::Repository> {
        match &self.reader {
            Reader::Gix { repository, .. } => Some(repository),
            Reader::Program => None,
        }
    }

    /// Where HEAD stands.
    pub fn head(&self) -> Result<Head, GitError> {
        if let Reader::Gix { repository, .. } = &self.reader
            && let Ok(head) = repository.head()
        {
            use gix::head::Kind;
            let branch = head.referent_name().map(|name| name.shorten().to_string());
            let commit = match &head.kind {
                Kind::Unborn(_) => None,
                _ => repository.head_id().ok().map(|id| ObjectId(id.detach())),
            };
            if commit.is_some() || matches!(head.kind, Kind::Unborn(_)) {
                return Ok(Head { branch, commit });
            }
        }
        let git = self.program();
        let (code, branch, _) =
            git.run_for_code(&["symbolic-ref", "--quiet", "--short", "HEAD"], b"")?;
        let branch = (code == Some(0)).then(|| branch.line());
        let (code, commit, _) =
            git.run_for_code(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], b"")?;
        let commit = if code == Some(0) {
            ObjectId::from_hex(&commit.line())
        } else {
            None
        };
        Ok(Head { branch, commit })
    }

    /// The commits that are being merged in besides HEAD; empty outside a merge.
    pub fn merge_heads(&self) -> Vec<ObjectId> {
        // A pseudo-ref: a plain file in every ref format (gitglossary(7), "pseudoref").
        let text = std::fs::read_to_string(self.git_dir.join("MERGE_HEAD")).unwrap_or_default();
        let noted: Vec<ObjectId> = text
            .lines()
            .filter_map(|line| ObjectId::from_hex(line.trim()))
            .collect();
        if !noted.is_empty() {
            return noted;
        }
        // `git merge` writes the file only behind its hook; until then it names each commit by a
        // variable, `GITHEAD_<id>`, which its merge drivers read too.
        let mut named: Vec<ObjectId> = environment::all()
            .filter_map(|(name, _)| ObjectId::from_hex(name.to_str()?.strip_prefix("GITHEAD_")?))
            .collect();
        named.sort_unstable();
        named
    }

    /// What is about to be committed: every path on which the index differs from HEAD, sorted.
    /// Never writes the index; paths that are only intended to be added are left out.
    ///
    /// # Errors
    /// [`GitError::Unmerged`] while the index holds conflicts; [`GitError::NoIndex`] where
    /// `GIT_INDEX_FILE` names one that is not there, which would say that all files are deleted.
    pub fn staged_changes(&self) -> Result<Vec<StagedChange>, GitError> {
        let changes = self.staged_as_read()?;
        if !changes.is_empty() && named_index().is_some() && !self.index_path.exists() {
            return Err(GitError::NoIndex {
                path: self.index_path.clone(),
            });
        }
        Ok(changes)
    }

    fn staged_as_read(&self) -> Result<Vec<StagedChange>, GitError> {
        if let Reader::Gix { repository, .. } = &self.reader
            && let Some(index) = self.index()
        {
            let root = self.worktree.as_deref();
            match staged::with_gix(repository, root, index) {
                Ok(changes) => return Ok(changes),
                Err(staged::Doubt::Unmerged(path)) => return Err(GitError::Unmerged { path }),
                Err(staged::Doubt::AskProgram) => {}
            }
        }
        staged::with_program(&self.reading_program(), self.head()?.commit)
    }

    /// Mode and blob of `path` in the index; `None` where it is not there, is in conflict, or is
    /// only intended to be added.
    pub fn staged_entry(&self, path: &RepoPath) -> Result<Option<(FileMode, ObjectId)>, GitError> {
        if let Some(index) = self.index() {
            return Ok(staged::entry(index, path));
        }
        let Some(relative) = path.below(Path::new("")) else {
            return Ok(None);
        };
        let arguments: [&OsStr; 6] = [
            "ls-files".as_ref(),
            "--stage".as_ref(),
            "--debug".as_ref(),
            "-z".as_ref(),
            "--".as_ref(),
            relative.as_os_str(),
        ];
        let output = self.program().run(&arguments, b"")?;
        Ok(parse_staged(&output.stdout))
    }

    /// The index, where gix can read it for certain.
    pub(super) fn index(&self) -> Option<&gix::index::File> {
        let Reader::Gix { repository, index } = &self.reader else {
            return None;
        };
        index
            .get_or_init(|| staged::read_index(repository, &self.index_path).map(Box::new))
            .as_deref()
    }

    /// gix, where it can be trusted.
    pub(super) fn trusted_gix(&self) -> Option<&gix::Repository> {
        match &self.reader {
            Reader::Gix { repository, .. } => Some(repository),
            Reader::Program => None,
        }
    }

    /// The contents of blobs, in the order asked for; those above `limit` bytes are not loaded.
    pub fn blobs(&self, ids: &[ObjectId], limit: u64) -> Result<Vec<Blob>, GitError> {
        if let Reader::Gix { repository, .. } = &self.reader {
            let read: Option<Vec<Blob>> = ids
                .iter()
                .map(|id| read_blob(repository, *id, limit))
                .collect();
            if let Some(blobs) = read {
                return Ok(blobs);
            }
        }
        batch::blobs(&self.reading_program(), ids, limit)
    }

    /// Mode and blob of `path` in `commit`; `None` where the commit has no such file.
    pub fn entry_at(
        &self,
        commit: ObjectId,
        path: &RepoPath,
    ) -> Result<Option<(FileMode, ObjectId)>, GitError> {
        if let Reader::Gix { repository, .. } = &self.reader
            && let Ok(commit) = repository.find_commit(commit.0)
            && let Ok(tree) = commit.tree()
            && let Ok(entry) = tree.lookup_entry(path.as_bytes().split(|byte| *byte == b'/'))
        {
            return Ok(entry.and_then(|entry| {
                let mode = FileMode::from_octal(u32::from(entry.mode().value()))?;
                Some((mode, ObjectId(entry.object_id())))
            }));
        }
        let Some(path) = path.below(Path::new("")) else {
            return Ok(None);
        };
        let commit = commit.to_string();
        let arguments: [&OsStr; 5] = [
            "ls-tree".as_ref(),
            "-z".as_ref(),
            "--full-tree".as_ref(),
            commit.as_ref(),
            path.as_os_str(),
        ];
        let output = self.program().run(&arguments, b"")?;
        Ok(output.records().next().and_then(|record| {
            let text = std::str::from_utf8(record.split(|byte| *byte == b'\t').next()?).ok()?;
            let mut words = text.split(' ');
            let mode = FileMode::from_octal(u32::from_str_radix(words.next()?, 8).ok()?)?;
            Some((mode, ObjectId::from_hex(words.nth(1)?)?))
        }))
    }
}

/// The index that Git names to its hooks.
fn named_index() -> Option<PathBuf> {
    let index = environment::variable("GIT_INDEX_FILE")?;
    (!index.is_empty()).then(|| index.into())
}

/// The root of the working tree. Where `GIT_DIR` is set without `GIT_WORK_TREE` (as Git does for
/// the hooks of a repository made with `--separate-git-dir`), it is the current folder, see
/// git(1), "--git-dir".
fn worktree_of(repository: &gix::Repository) -> Option<PathBuf> {
    if let Some(worktree) = repository.workdir() {
        return Some(worktree.to_owned());
    }
    let named = environment::variable("GIT_DIR").is_some();
    let bare = repository.config_snapshot().boolean("core.bare");
    (named && bare == Some(false)).then(|| repository.current_dir().to_owned())
}

/// Reads `<mode> <id> <stage>\t<path>\0` and, from `--debug`, `flags: <hex>`.
fn parse_staged(output: &[u8]) -> Option<(FileMode, ObjectId)> {
    const INTENT_TO_ADD: u32 = 1 << 29;
    let text = String::from_utf8_lossy(output);
    let (entry, rest) = text.split_once('\t')?;
    let mut words = entry.split(' ');
    let mode = FileMode::from_octal(u32::from_str_radix(words.next()?, 8).ok()?)?;
    let id = ObjectId::from_hex(words.next()?)?;
    let (_, flags) = rest.rsplit_once("flags: ")?;
    let flags = u32::from_str_radix(flags.trim(), 16).ok()?;
    (words.next() == Some("0") && flags & INTENT_TO_ADD == 0).then_some((mode, id))
}

/// A blob through gix; `None` where it cannot be read (a partial clone, a broken pack).
fn read_blob(repository: &gix::Repository, id: ObjectId, limit: u64) -> Option<Blob> {
    let bytes = repository.find_header(id.0).ok()?.size();
    if bytes > limit {
        return Some(Blob::TooLarge { bytes });
    }
    let mut blob = repository.find_blob(id.0).ok()?;
    Some(Blob::Bytes(blob.take_data().into()))
}

/// `path` without `.` and `x/..`, by words alone; symbolic links are left alone.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir
                if matches!(
                    cleaned.components().next_back(),
                    Some(std::path::Component::Normal(_))
                ) =>
            {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}
