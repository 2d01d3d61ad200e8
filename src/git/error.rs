//! What can go wrong when a repository is read or the `git` program is run.

use std::path::PathBuf;

/// Why Git's data could not be had.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The folder is in no repository.
    #[error("`{}` is not in a Git repository", directory.display())]
    NoRepository {
        /// Where the search began.
        directory: PathBuf,
    },
    /// The repository has no working tree.
    #[error("`{}` is a bare repository: it has no working tree", git_dir.display())]
    Bare {
        /// The repository.
        git_dir: PathBuf,
    },
    /// There is no index where `GIT_INDEX_FILE` says.
    #[error("there is no index `{}`, which GIT_INDEX_FILE names", path.display())]
    NoIndex {
        /// Its place.
        path: PathBuf,
    },
    /// The `git` program cannot be started.
    #[error("the `git` program cannot be started")]
    NoProgram {
        /// What the system said.
        source: std::io::Error,
    },
    /// The `git` program refused.
    #[error("`git {command}` failed: {stderr}")]
    Program {
        /// The subcommand.
        command: String,
        /// Its exit code; `None` when a signal ended it.
        code: Option<i32>,
        /// What it said, made safe to print.
        stderr: String,
    },
    /// `git` printed what no Git prints.
    #[error("`git {command}` printed something unexpected")]
    Unexpected {
        /// The subcommand.
        command: String,
    },
    /// There is no such tag.
    #[error("there is no tag `{name}`")]
    NoTag {
        /// The name asked for.
        name: String,
        /// A tag of a similar name.
        similar: Option<String>,
    },
    /// There is no tag, branch or commit of that name.
    #[error("there is no tag, branch or commit `{name}`")]
    UnknownName {
        /// The name asked for.
        name: String,
        /// A tag or branch of a similar name.
        similar: Option<String>,
    },
    /// The tag is there, but does not lead to a commit.
    #[error("the tag `{name}` does not point to a commit")]
    TagWithoutCommit {
        /// The tag.
        name: String,
    },
    /// The tag is there already.
    #[error("the tag `{name}` exists already")]
    TagExists {
        /// The tag.
        name: String,
    },
    /// No tag can have this name (git-check-ref-format(1)).
    #[error("`{name}` is not a valid name for a tag")]
    BadTagName {
        /// The name asked for.
        name: String,
    },
    /// HEAD has no commit yet.
    #[error("the branch has no commit yet")]
    NoCommit,
    /// The index holds conflicts.
    #[error("`{path}` is unmerged: its conflict is not resolved in the index")]
    Unmerged {
        /// The first such path, made safe to print.
        path: String,
    },
    /// An object the index or a commit names cannot be read.
    #[error("the object {id} cannot be read: {reason}")]
    Object {
        /// The object.
        id: String,
        /// What the reader said.
        reason: String,
    },
    /// A partial clone lacks an object that a range of commits needs, and nothing is fetched.
    #[error("the object {id} is not in this clone")]
    Missing {
        /// The object.
        id: String,
    },
}
