//! The working trees of a repository.

use std::path::{Path, PathBuf};

use crate::git::{GitError, GitProgram, Repository};

/// A working tree of the repository; the first is the main one.
pub(super) struct WorkingTree {
    pub(super) root: PathBuf,
    pub(super) is_there: bool,
}

pub(super) fn working_trees(repository: &Repository) -> Result<Vec<WorkingTree>, GitError> {
    // A bare repository is listed too, and has none.
    if let Err(GitError::Bare { .. }) = repository.worktree() {
        return Ok(Vec::new());
    }
    let question = ["worktree", "list", "--porcelain"];
    let listed = repository.program().run(&question, b"")?;
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let blocks = text.split("\n\n").filter(|block| {
        let mut lines = block.lines();
        !lines.any(|line| line == "bare")
    });
    let roots = blocks.filter_map(|block| block.lines().next()?.strip_prefix("worktree "));
    Ok(roots
        .map(|root| {
            let root = root_of(Path::new(root), repository);
            WorkingTree {
                is_there: root.is_dir(),
                root,
            }
        })
        .collect())
}

/// Whether a repository that no working tree was found for has one, as with
/// `git init --separate-git-dir`: nothing in it says where.
pub(super) fn is_elsewhere(repository: &Repository) -> bool {
    let git = GitProgram::in_directory(repository.git_dir());
    let said = git.run(&["config", "--type=bool", "--get", "core.bare"], b"");
    said.is_ok_and(|said| said.line() == "false")
}

/// Git lists the Git directory where that lies elsewhere, as a submodule's does; its configuration
/// says where the working tree is, or it is the one that was started from.
fn root_of(listed: &Path, repository: &Repository) -> PathBuf {
    let common_dir = repository.common_dir();
    let real = |path: &Path| path.canonicalize().ok();
    if real(listed).is_none() || real(listed) != real(common_dir) {
        return listed.to_owned();
    }
    let git = GitProgram::in_directory(common_dir);
    let said = git.run(&["config", "--get", "core.worktree"], b"").ok();
    let root = said.and_then(|said| real(&common_dir.join(said.path()?)));
    let here = || {
        let is_main = real(repository.git_dir()) == real(common_dir);
        let worktree = repository.worktree().ok().filter(|_| is_main);
        worktree.map(Path::to_owned)
    };
    root.or_else(here).unwrap_or_else(|| listed.to_owned())
}
