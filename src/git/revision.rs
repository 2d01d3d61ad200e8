//! Revisions as people write them (gitrevisions(7)), asked from the `git` program: it alone knows
//! them all, in every kind of repository.

use super::{GitError, ObjectId, Repository};

impl Repository {
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

    /// Whether the clone's history ends early (`git clone --depth`).
    pub fn is_shallow(&self) -> bool {
        self.common_dir().join("shallow").exists()
    }
}
