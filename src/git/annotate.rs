//! Making annotated tags, through the `git` program: only it follows `tag.gpgSign`, the identity
//! rules, every ref format and the reference-transaction hook.

use super::{GitError, GitProgram, Repository};

impl Repository {
    /// Creates the annotated tag `name` on HEAD's commit. An existing tag is never moved.
    ///
    /// # Errors
    /// [`GitError::TagExists`], [`GitError::BadTagName`], [`GitError::NoCommit`], or what `git tag`
    /// says (no identity, no signing key).
    pub fn create_annotated_tag(&self, name: &str, message: &str) -> Result<(), GitError> {
        let git: GitProgram = self.program();
        let reference = format!("refs/tags/{name}");
        if name.starts_with('-')
            || git.run_for_code(&["check-ref-format", &reference], b"")?.0 != Some(0)
        {
            return Err(GitError::BadTagName {
                name: name.to_owned(),
            });
        }
        let Some(commit) = self.head()?.commit else {
            return Err(GitError::NoCommit);
        };
        let (found, _, _) =
            git.run_for_code(&["show-ref", "--verify", "--quiet", &reference], b"")?;
        if found == Some(0) {
            return Err(GitError::TagExists {
                name: name.to_owned(),
            });
        }
        git.run(
            &[
                "tag",
                "--annotate",
                "--cleanup=verbatim",
                "--file=-",
                name,
                &commit.to_string(),
            ],
            format!("{message}\n").as_bytes(),
        )?;
        Ok(())
    }
}
