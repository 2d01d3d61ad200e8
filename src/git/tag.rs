//! Tags and what Git is in the middle of, read with git2; the `git` program is asked where git2
//! does not understand the repository (reftable, SHA-256, a split index, another owner).

use std::path::Path;

use super::{GitError, ObjectId, Repository};

/// Something Git has begun and not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `git merge`
    Merge,
    /// `git rebase` or `git am`
    Rebase,
    /// `git cherry-pick`
    CherryPick,
    /// `git revert`
    Revert,
    /// `git bisect`
    Bisect,
}

impl Operation {
    /// The subcommand that began it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Rebase => "rebase",
            Self::CherryPick => "cherry-pick",
            Self::Revert => "revert",
            Self::Bisect => "bisect",
        }
    }
}

impl Repository {
    /// The commit that `refs/tags/NAME` leads to; a branch of the same name does not matter.
    pub fn tag_commit(&self, name: &str) -> Result<ObjectId, GitError> {
        match self.tag_with_git2(name) {
            Some(found) => found,
            None => self.tag_with_program(name),
        }
    }

    /// `None` where git2 cannot say for certain.
    fn tag_with_git2(&self, name: &str) -> Option<Result<ObjectId, GitError>> {
        let repository = git2::Repository::open(self.git_dir()).ok()?;
        let reference = match repository.find_reference(&format!("refs/tags/{name}")) {
            Ok(reference) => reference,
            Err(error) if error.code() == git2::ErrorCode::NotFound => {
                let names = repository.tag_names(None).ok()?;
                let names: Vec<String> = names
                    .iter()
                    .filter_map(|name| name.ok().flatten().map(str::to_owned))
                    .collect();
                return Some(Err(no_tag(name, &names)));
            }
            Err(_) => return None,
        };
        let object = reference.peel(git2::ObjectType::Any).ok()?;
        let commit = match object.peel(git2::ObjectType::Commit) {
            Ok(commit) => commit,
            Err(error)
                if error.code() == git2::ErrorCode::Peel
                    || error.code() == git2::ErrorCode::InvalidSpec =>
            {
                return Some(Err(GitError::TagWithoutCommit {
                    name: name.to_owned(),
                }));
            }
            Err(_) => return None,
        };
        ObjectId::from_hex(&commit.id().to_string()).map(Ok)
    }

    fn tag_with_program(&self, name: &str) -> Result<ObjectId, GitError> {
        let git = self.program();
        let parse = |what: String| {
            git.run_for_code(
                &[
                    "rev-parse",
                    "--verify",
                    "--quiet",
                    "--end-of-options",
                    &what,
                ],
                b"",
            )
        };
        let (code, output, _) = parse(format!("refs/tags/{name}^{{commit}}"))?;
        if code == Some(0)
            && let Some(commit) = ObjectId::from_hex(&output.line())
        {
            return Ok(commit);
        }
        let (code, _, _) = parse(format!("refs/tags/{name}"))?;
        if code == Some(0) {
            return Err(GitError::TagWithoutCommit {
                name: name.to_owned(),
            });
        }
        let output = git.run(
            &["for-each-ref", "--format=%(refname:strip=2)", "refs/tags"],
            b"",
        )?;
        let names: Vec<String> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(str::to_owned)
            .collect();
        Err(no_tag(name, &names))
    }

    /// What Git is in the middle of, if anything.
    pub fn operation(&self) -> Option<Operation> {
        use git2::RepositoryState as State;
        let Ok(repository) = git2::Repository::open(self.git_dir()) else {
            return operation_by_files(self.git_dir());
        };
        match repository.state() {
            State::Clean => None,
            State::Merge => Some(Operation::Merge),
            State::Revert | State::RevertSequence => Some(Operation::Revert),
            State::CherryPick | State::CherryPickSequence => Some(Operation::CherryPick),
            State::Bisect => Some(Operation::Bisect),
            State::Rebase
            | State::RebaseInteractive
            | State::RebaseMerge
            | State::ApplyMailbox
            | State::ApplyMailboxOrRebase => Some(Operation::Rebase),
        }
    }
}

/// The files by which Git itself knows (wt-status.c, `wt_status_get_state`).
fn operation_by_files(git_dir: &Path) -> Option<Operation> {
    [
        ("rebase-merge", Operation::Rebase),
        ("rebase-apply", Operation::Rebase),
        ("MERGE_HEAD", Operation::Merge),
        ("CHERRY_PICK_HEAD", Operation::CherryPick),
        ("REVERT_HEAD", Operation::Revert),
        ("BISECT_LOG", Operation::Bisect),
    ]
    .into_iter()
    .find(|(name, _)| git_dir.join(name).exists())
    .map(|(_, operation)| operation)
}

fn no_tag(name: &str, names: &[String]) -> GitError {
    GitError::NoTag {
        name: crate::text::printable(name.as_bytes()),
        similar: most_similar(name, names.iter().map(String::as_str)),
    }
}

/// The name that was probably meant.
pub(super) fn most_similar<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    // Who stops in the middle of a name means it, too; of a letter or two that says nothing.
    let is_begun = |known: &str| name.len() > 2 && known.starts_with(name);
    names
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .filter(|(edits, known)| *edits <= 1 + name.len() / 5 || is_begun(known))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, known)| known.to_owned())
}
