//! One repository: where things lie, and reading objects from it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{
    Blob, FileMode, GitError, GitProgram, ObjectId, RepoPath, StagedChange, batch, staged,
};

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
    Gix(Box<gix::Repository>),
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
        let options = || gix::open::Options::default().bail_if_untrusted(true);
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
        let absolute = |path: &Path| {
            if path.is_absolute() {
                path.to_owned()
            } else {
                repository.current_dir().join(path)
            }
        };
        Some(Self {
            worktree: repository.workdir().map(absolute).map(|path| clean(&path)),
            git_dir: clean(&absolute(repository.git_dir())),
            common_dir: clean(&absolute(repository.common_dir())),
            index_path: clean(&absolute(&repository.index_path())),
            reader: Reader::Gix(Box::new(repository)),
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

    /// Where HEAD stands.
    pub fn head(&self) -> Result<Head, GitError> {
        if let Reader::Gix(repository) = &self.reader
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

    /// The commits that are being merged in besides HEAD (`MERGE_HEAD`); empty outside a merge.
    pub fn merge_heads(&self) -> Vec<ObjectId> {
        // A pseudo-ref: a plain file in every ref format (gitglossary(7), "pseudoref").
        let text = std::fs::read_to_string(self.git_dir.join("MERGE_HEAD")).unwrap_or_default();
        text.lines()
            .filter_map(|line| ObjectId::from_hex(line.trim()))
            .collect()
    }

    /// What is about to be committed: every path on which the index differs from HEAD, sorted.
    /// Never writes the index; paths that are only intended to be added are left out.
    ///
    /// # Errors
    /// [`GitError::Unmerged`] while the index holds conflicts.
    pub fn staged_changes(&self) -> Result<Vec<StagedChange>, GitError> {
        if let Reader::Gix(repository) = &self.reader {
            let root = self.worktree.as_deref();
            match staged::with_gix(repository, root, &self.index_path) {
                Ok(changes) => return Ok(changes),
                Err(staged::Doubt::Unmerged(path)) => return Err(GitError::Unmerged { path }),
                Err(staged::Doubt::AskProgram) => {}
            }
        }
        staged::with_program(&self.program(), self.head()?.commit)
    }

    /// The contents of blobs, in the order asked for; those above `limit` bytes are not loaded.
    pub fn blobs(&self, ids: &[ObjectId], limit: u64) -> Result<Vec<Blob>, GitError> {
        if let Reader::Gix(repository) = &self.reader {
            let read: Option<Vec<Blob>> = ids
                .iter()
                .map(|id| read_blob(repository, *id, limit))
                .collect();
            if let Some(blobs) = read {
                return Ok(blobs);
            }
        }
        batch::blobs(&self.program(), ids, limit)
    }

    /// Mode and blob of `path` in `commit`; `None` where the commit has no such file.
    pub fn entry_at(
        &self,
        commit: ObjectId,
        path: &RepoPath,
    ) -> Result<Option<(FileMode, ObjectId)>, GitError> {
        if let Reader::Gix(repository) = &self.reader
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
