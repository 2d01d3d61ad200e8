//! What Git tracks.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use super::{GitError, RepoPath, Repository};

impl Repository {
    /// The paths in the index at or below `folder`, each once. Whether they are ignored makes no
    /// difference: Git ignores only what it does not track (gitignore(5)).
    pub fn tracked_paths(&self, folder: &RepoPath) -> Result<BTreeSet<RepoPath>, GitError> {
        let below = folder.below(Path::new("")).unwrap_or_default();
        let mut arguments: Vec<&OsStr> = ["ls-files", "-z", "--cached", "--"]
            .map(AsRef::as_ref)
            .to_vec();
        if !below.as_os_str().is_empty() {
            arguments.push(below.as_os_str());
        }
        let output = self.program().run(&arguments, b"")?;
        Ok(output.records().map(RepoPath::new).collect())
    }

    /// The paths that a merge has left in conflict.
    pub fn unmerged_paths(&self) -> Result<BTreeSet<RepoPath>, GitError> {
        let output = self.program().run(&["ls-files", "-z", "--unmerged"], b"")?;
        // `100644 <id> 1<TAB>path`
        let path = |record: &[u8]| {
            let tab = record.iter().position(|byte| *byte == b'\t')?;
            Some(RepoPath::new(&record[tab + 1..]))
        };
        Ok(output.records().filter_map(path).collect())
    }

    /// Whether Git ignores a file below the root of a working tree, by its rules alone.
    pub fn ignores(&self, root: &Path, file: &Path) -> Result<bool, GitError> {
        let arguments: [&OsStr; 6] = [
            // It knows only plain paths, and refuses to be told so.
            "--no-literal-pathspecs".as_ref(),
            "check-ignore".as_ref(),
            "--quiet".as_ref(),
            "--no-index".as_ref(),
            "--".as_ref(),
            file.as_os_str(),
        ];
        let git = super::GitProgram::in_directory(root);
        match git.run_for_code(&arguments, b"")? {
            (Some(0), ..) => Ok(true),
            (Some(1), ..) => Ok(false),
            (code, _, stderr) => Err(GitError::Program {
                command: "check-ignore".to_owned(),
                code,
                stderr,
            }),
        }
    }
}
