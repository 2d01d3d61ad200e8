//! Revisions as people write them (gitrevisions(7)), asked from the `git` program: it alone knows
//! them all, in every kind of repository.

use super::{GitError, ObjectId, Repository};

/// What the name of a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A tag.
    Tag,
    /// A branch, here or of a remote.
    Branch,
    /// Any other name of gitrevisions(7): an object id, `HEAD~2`, ….
    Commit,
}

impl Repository {
    /// The commit that `name` leads to: a tag's, else a branch's, else what Git takes the name
    /// for.
    ///
    /// # Errors
    /// [`GitError::UnknownName`] with a tag or branch of a similar name, where there is one.
    pub fn named_commit(&self, name: &str) -> Result<(NameKind, ObjectId), GitError> {
        let missing = match self.tag_commit(name) {
            Ok(commit) => return Ok((NameKind::Tag, commit)),
            Err(GitError::NoTag { name, similar }) => (name, similar),
            Err(error) => return Err(error),
        };
        for folder in ["heads", "remotes"] {
            if let Some(commit) = self.commit_named(&format!("refs/{folder}/{name}"))? {
                return Ok((NameKind::Branch, commit));
            }
        }
        match self.commit_named(name)? {
            Some(commit) => Ok((NameKind::Commit, commit)),
            None => Err(self.no_commit(missing)),
        }
    }

    fn no_commit(&self, (name, similar): (String, Option<String>)) -> GitError {
        let branches = || {
            let arguments = ["for-each-ref", "--format=%(refname:strip=2)", "refs/heads"];
            let output = self.reading_program().run(&arguments, b"").ok()?;
            let names = String::from_utf8_lossy(&output.stdout).into_owned();
            super::tag::most_similar(&name, names.lines())
        };
        let similar = similar.or_else(branches);
        GitError::UnknownName { name, similar }
    }

    /// The commit that `revision` names; `None` where this clone has none of that name.
    pub fn commit_named(&self, revision: &str) -> Result<Option<ObjectId>, GitError> {
        let commit = format!("{revision}^{{commit}}");
        let arguments = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ];
        let (code, output, _) = self.reading_program().run_for_code(&arguments, b"")?;
        Ok((code == Some(0))
            .then(|| ObjectId::from_hex(&output.line()))
            .flatten())
    }

    /// The best common ancestors of two commits: several after a criss-cross merge, none where
    /// their histories have nothing in common, or end before it in a shallow clone.
    pub fn merge_bases(&self, one: ObjectId, other: ObjectId) -> Result<Vec<ObjectId>, GitError> {
        let (one, other) = (one.to_string(), other.to_string());
        let arguments = ["merge-base", "--all", &one, &other];
        match self.reading_program().run_for_code(&arguments, b"")? {
            (Some(0 | 1), output, _) => Ok(String::from_utf8_lossy(&output.stdout)
                .lines()
                .filter_map(ObjectId::from_hex)
                .collect()),
            (code, _, stderr) => Err(GitError::Program {
                command: "merge-base".to_owned(),
                code,
                stderr,
            }),
        }
    }

    /// The remote and the branch there that `name` is of (`origin/main`), whether or not this clone
    /// has it.
    pub fn remote_branch(&self, name: &str) -> Option<(String, String)> {
        let name = name.strip_prefix("refs/remotes/").unwrap_or(name);
        let output = self.reading_program().run(&["remote"], b"").ok()?;
        let remotes = String::from_utf8_lossy(&output.stdout).into_owned();
        remotes.lines().find_map(|remote| {
            let branch = name.strip_prefix(remote)?.strip_prefix('/')?;
            (!branch.is_empty()).then(|| (remote.to_owned(), branch.to_owned()))
        })
    }

    /// Whether the clone's history ends early (`git clone --depth`).
    pub fn is_shallow(&self) -> bool {
        self.common_dir().join("shallow").exists()
    }
}
