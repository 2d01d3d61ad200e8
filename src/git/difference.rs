//! Where index and working tree differ from a commit, and files as a checkout writes them, all
//! through the `git` program.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::{FileMode, GitError, GitProgram, ObjectId, RepoPath, Repository};
use super::{entries, raw_diff};
use crate::sys::file;

/// One side of a difference: mode and object, or nothing.
pub type TreeSide = Option<(FileMode, ObjectId)>;

/// One path on which the index or the working tree differs from a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What the commit has.
    pub commit: TreeSide,
    /// What the index has.
    pub index: TreeSide,
    /// Whether the file is not what the index has: these bytes are nowhere in Git.
    pub edited: bool,
}

/// Which entries of the index are not as they seem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexEntries {
    /// All paths of the index, sorted.
    pub paths: Vec<RepoPath>,
    /// Those kept out of the working tree by a sparse checkout, or by hand (`skip-worktree`).
    pub sparse: HashSet<RepoPath>,
    /// Those Git is told not to look at (`assume-unchanged`).
    pub assumed: HashSet<RepoPath>,
    /// The first unmerged path.
    pub unmerged: Option<RepoPath>,
}

impl IndexEntries {
    /// Whether the index has the path.
    pub fn holds(&self, path: &RepoPath) -> bool {
        self.paths.binary_search(path).is_ok()
    }

    /// Whether Git does not see what is done to the file.
    pub fn is_hidden(&self, path: &RepoPath) -> bool {
        self.sparse.contains(path) || self.assumed.contains(path)
    }
}

/// How index and working tree differ from a commit.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Every path on which one of them differs.
    pub differences: BTreeMap<RepoPath, Difference>,
    /// What the index holds.
    pub entries: IndexEntries,
}

impl Repository {
    /// Compares index and working tree with `commit`.
    ///
    /// # Errors
    /// [`GitError::Unmerged`] while the index holds conflicts.
    pub fn compare(&self, commit: ObjectId) -> Result<Comparison, GitError> {
        let worktree = self.worktree()?;
        let read_here = self
            .trusted_gix()
            .and_then(|gix| entries::compare(gix, (worktree, self.index_path()), commit));
        let (mut comparison, mut suspects) = match read_here {
            Some(read) => read,
            None => self.compare_with_program(commit)?,
        };
        if let Some(path) = &comparison.entries.unmerged {
            let path = path.to_string();
            return Err(GitError::Unmerged { path });
        }
        if !suspects.is_empty() {
            suspects = self.really_changed(&self.program(), suspects)?;
        }
        for (path, index) in suspects {
            let unstaged = Difference {
                commit: index,
                index,
                edited: true,
            };
            let differences = &mut comparison.differences;
            differences.entry(path).or_insert(unstaged).edited = true;
        }
        Ok(comparison)
    }

    /// The same, before it is known which of the files with other times really differ.
    fn compare_with_program(
        &self,
        commit: ObjectId,
    ) -> Result<(Comparison, Vec<(RepoPath, TreeSide)>), GitError> {
        let git = self.program();
        let commit = commit.to_string();
        // Each only reads; together they take as long as the slowest.
        let (staged, suspects, entries) = std::thread::scope(|scope| {
            let staged = scope.spawn(|| raw_diff::staged_against(&git, &commit));
            let entries = scope.spawn(|| index_entries(&git));
            let suspects = worktree_differences(&git);
            (staged.join(), suspects, entries.join())
        });
        let stopped = |_| unexpected("diff-index");
        let mut differences = BTreeMap::new();
        for (path, commit, index) in staged.map_err(stopped)?? {
            let edited = false;
            let difference = Difference {
                commit,
                index,
                edited,
            };
            differences.insert(path, difference);
        }
        let entries = entries.map_err(stopped)??;
        let comparison = Comparison {
            differences,
            entries,
        };
        Ok((comparison, suspects?))
    }

    /// The tracked paths whose file is not what the index has.
    pub fn edited_paths(&self) -> Result<HashSet<RepoPath>, GitError> {
        let git = self.program();
        let mut suspects = worktree_differences(&git)?;
        if !suspects.is_empty() {
            suspects = self.really_changed(&git, suspects)?;
        }
        Ok(suspects.into_iter().map(|(path, _)| path).collect())
    }

    /// Of files that have another time than the index noted, those whose content differs, as `git
    /// status` tells them apart: a copy of the index learns the truth.
    fn really_changed(
        &self,
        git: &GitProgram,
        suspects: Vec<(RepoPath, TreeSide)>,
    ) -> Result<Vec<(RepoPath, TreeSide)>, GitError> {
        let folder = tempfile::tempdir().map_err(|source| GitError::NoProgram { source })?;
        let copy = folder.path().join("index");
        if file::copy(self.index_path(), &copy).is_err() {
            return Ok(suspects);
        }
        let paths: Vec<&RepoPath> = suspects.iter().map(|(path, _)| path).collect();
        self.refresh_index(&copy, &paths)?;
        worktree_differences(&git.clone().with_variable("GIT_INDEX_FILE", &copy))
    }

    /// Of `paths`, which Git is told not to look at, those whose file is not what the index has.
    pub fn hidden_changes(&self, paths: &[&RepoPath]) -> Result<Vec<RepoPath>, GitError> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let folder = tempfile::tempdir().map_err(|source| GitError::NoProgram { source })?;
        let copy = folder.path().join("index");
        file::copy(self.index_path(), &copy).map_err(|source| GitError::NoProgram { source })?;
        let git = self.program().with_variable("GIT_INDEX_FILE", &copy);
        let mut input = Vec::new();
        for path in paths {
            input.extend_from_slice(path.as_bytes());
            input.push(0);
        }
        for flag in ["--no-assume-unchanged", "--no-skip-worktree"] {
            git.run(&["update-index", "-z", flag, "--stdin"], &input)?;
        }
        self.refresh_index(&copy, paths)?;
        let mut changed = worktree_differences(&git)?;
        changed.retain(|(path, _)| paths.contains(&path));
        Ok(changed.into_iter().map(|(path, _)| path).collect())
    }

    /// Whether this is a sparse checkout.
    pub fn is_sparse_checkout(&self) -> Result<bool, GitError> {
        let arguments = ["config", "--type=bool", "--get", "core.sparseCheckout"];
        let (_, output, _) = self.program().run_for_code(&arguments, b"")?;
        Ok(output.line() == "true")
    }

    /// Whether `commit` has a file or folder `path`.
    pub fn commit_has(&self, commit: ObjectId, path: &RepoPath) -> Result<bool, GitError> {
        let Some(path) = path.below(Path::new("")) else {
            return Ok(false);
        };
        let commit = commit.to_string();
        let arguments: [&OsStr; 6] = [
            "ls-tree".as_ref(),
            "-z".as_ref(),
            "--full-tree".as_ref(),
            commit.as_ref(),
            "--".as_ref(),
            path.as_os_str(),
        ];
        Ok(!self.program().run(&arguments, b"")?.stdout.is_empty())
    }

    /// Writes files below `folder` (which must exist and be empty) as a checkout would: line
    /// ends, encodings and filters as the attributes of `attributes` ask for, or those of the
    /// working tree. `scratch` is the name of an index file that does not exist yet.
    pub fn check_out_beside(
        &self,
        entries: &[(&RepoPath, TreeSide)],
        attributes: Option<ObjectId>,
        (folder, scratch): (&Path, &Path),
    ) -> Result<(), GitError> {
        self.write_index_entries(scratch, entries)?;
        let mut input = Vec::new();
        for (path, _) in entries {
            input.extend_from_slice(path.as_bytes());
            input.push(0);
        }
        let mut prefix = OsString::from("--prefix=");
        prefix.push(folder);
        prefix.push("/");
        let mut arguments: Vec<OsString> = Vec::new();
        if let Some(tree) = attributes {
            arguments.push(format!("--attr-source={tree}").into());
        }
        arguments.extend(["checkout-index", "-z", "--stdin"].map(OsString::from));
        arguments.push(prefix);
        self.program()
            .with_variable("GIT_INDEX_FILE", scratch)
            .run(&arguments, &input)?;
        Ok(())
    }

    /// Stores each file's bytes, unfiltered, as a blob. No name may hold a line end.
    pub fn store_blobs(&self, files: &[&Path]) -> Result<Vec<ObjectId>, GitError> {
        let mut ids = Vec::with_capacity(files.len());
        let mut input = Vec::new();
        for file in files {
            input.extend_from_slice(file.as_os_str().as_encoded_bytes());
            input.push(b'\n');
        }
        let arguments = ["hash-object", "-w", "--no-filters", "--stdin-paths"];
        let output = self.program().run(&arguments, &input)?;
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            ids.push(ObjectId::from_hex(line).ok_or_else(|| unexpected("hash-object"))?);
        }
        if ids.len() == files.len() {
            Ok(ids)
        } else {
            Err(unexpected("hash-object"))
        }
    }
}

/// Paths whose file is not what the index has, with what the index has.
fn worktree_differences(git: &GitProgram) -> Result<Vec<(RepoPath, TreeSide)>, GitError> {
    let arguments = [
        "diff-files",
        "--raw",
        "-z",
        "--no-renames",
        "--no-abbrev",
        "--ignore-submodules=none",
    ];
    let found = raw_diff::run(git, &arguments)?;
    Ok(found
        .into_iter()
        .map(|(path, index, _)| (path, index))
        .collect())
}

/// The entries of the index by kind.
fn index_entries(git: &GitProgram) -> Result<IndexEntries, GitError> {
    let output = git.run(&["ls-files", "-z", "-v"], b"")?;
    let mut entries = IndexEntries::default();
    for record in output.records() {
        let (Some(tag), Some(path)) = (record.first(), record.get(2..)) else {
            return Err(unexpected("ls-files"));
        };
        let path = RepoPath::new(path);
        if tag.is_ascii_lowercase() {
            entries.assumed.insert(path.clone());
        }
        match tag.to_ascii_uppercase() {
            b'S' => drop(entries.sparse.insert(path.clone())),
            b'M' => entries.unmerged = entries.unmerged.or_else(|| Some(path.clone())),
            _ => {}
        }
        entries.paths.push(path);
    }
    entries.paths.dedup();
    Ok(entries)
}

pub(super) fn unexpected(command: &str) -> GitError {
    GitError::Unexpected {
        command: command.to_owned(),
    }
}
