//! What a push adds to a repository: which commits are new there, and what they are built on.

use std::fmt::Write as _;

use super::{GitError, ObjectId, Output, Repository};

/// The commits that one tip adds to what is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewCommits {
    /// The new ones, newest first.
    pub commits: Vec<ObjectId>,
    /// The known commits that they are built on, none of which is an ancestor of another; empty
    /// where the new ones have no parents outside.
    pub bases: Vec<ObjectId>,
}

/// What a repository has already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownHistory {
    /// All that its own refs lead to.
    OwnRefs,
    /// All that the remote of this name is known to have, by its remote-tracking branches; of all
    /// remotes where this one has none.
    Remote(String),
    /// These commits and their ancestors.
    Commits(Vec<ObjectId>),
}

impl Repository {
    /// What `tip` adds to what is `known`, and to the commits `besides`.
    pub fn new_commits(
        &self,
        tip: ObjectId,
        known: &KnownHistory,
        besides: &[ObjectId],
    ) -> Result<NewCommits, GitError> {
        let mut input = format!("{tip}\n");
        for commit in besides {
            let _ = writeln!(input, "^{commit}");
        }
        let output = self.list_new("--boundary", &input, known)?;
        let mut new = NewCommits::default();
        let mut boundary = Vec::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            match line.strip_prefix('-') {
                Some(line) => boundary.extend(ObjectId::from_hex(line)),
                None => new.commits.extend(ObjectId::from_hex(line)),
            }
        }
        new.bases = self.independent(boundary)?;
        Ok(new)
    }

    /// Whether none of `tips` adds a commit to what is `known`: one question for all of them.
    pub fn adds_nothing(&self, tips: &[ObjectId], known: &KnownHistory) -> Result<bool, GitError> {
        let mut input = String::new();
        for tip in tips {
            let _ = writeln!(input, "{tip}");
        }
        let output = self.list_new("--max-count=1", &input, known)?;
        Ok(output.stdout.is_empty())
    }

    /// The commits that those in `input` lead to, one a line, without what is `known`.
    fn list_new(&self, how: &str, input: &str, known: &KnownHistory) -> Result<Output, GitError> {
        // `--stdin` first, so that no `--not` is for it.
        let mut arguments = ["rev-list", how, "--stdin", "--not"]
            .map(str::to_owned)
            .to_vec();
        match known {
            KnownHistory::OwnRefs => arguments.push("--all".to_owned()),
            KnownHistory::Remote(name) if self.has_tracking_branches(name)? => {
                arguments.push(format!("--remotes={name}"));
            }
            KnownHistory::Remote(_) => arguments.push("--remotes".to_owned()),
            KnownHistory::Commits(commits) => {
                arguments.extend(commits.iter().map(ObjectId::to_string));
            }
        }
        self.reading_program().run(&arguments, input.as_bytes())
    }

    /// Those of `commits` that are no ancestors of another one.
    fn independent(&self, commits: Vec<ObjectId>) -> Result<Vec<ObjectId>, GitError> {
        /// More would not go on a command line everywhere.
        const MOST: usize = 512;
        if commits.len() < 2 {
            return Ok(commits);
        }
        let mut arguments = vec!["merge-base".to_owned(), "--independent".to_owned()];
        arguments.extend(commits.iter().take(MOST).map(ObjectId::to_string));
        let output = self.reading_program().run(&arguments, b"")?;
        Ok(String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(ObjectId::from_hex)
            .collect())
    }

    /// Whether anything is known of the remote of this name. A remote that is named by its
    /// address has no such branches.
    fn has_tracking_branches(&self, remote: &str) -> Result<bool, GitError> {
        // No name of a remote holds these, and `--remotes=` would take them for a pattern.
        if remote.is_empty() || remote.contains(['*', '?', '[', '\\']) {
            return Ok(false);
        }
        let pattern = format!("refs/remotes/{remote}/");
        let arguments = ["for-each-ref", "--count=1", "--format=%(refname)", &pattern];
        let output = self.reading_program().run(&arguments, b"")?;
        Ok(!output.stdout.is_empty())
    }

    /// The parents of a commit.
    pub fn parents_of(&self, commit: ObjectId) -> Result<Vec<ObjectId>, GitError> {
        let arguments = ["rev-list", "--no-walk", "--parents", &commit.to_string()];
        let line = self.reading_program().run(&arguments, b"")?.line();
        Ok(line
            .split(' ')
            .skip(1)
            .filter_map(ObjectId::from_hex)
            .collect())
    }

    /// Short id and first line of the message of each commit, made safe to print.
    pub fn commit_titles(&self, commits: &[ObjectId]) -> Result<Vec<String>, GitError> {
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        // Not `git log`, which shows signatures and more where the configuration says so.
        let mut arguments = vec!["rev-list".to_owned(), "--no-walk=unsorted".to_owned()];
        arguments.push("--format=tformat:%h %s".to_owned());
        arguments.extend(commits.iter().map(ObjectId::to_string));
        let output = self.reading_program().run(&arguments, b"")?;
        Ok(output
            .stdout
            .split(|byte| *byte == b'\n')
            // Before each comes a line `commit <id>`.
            .skip(1)
            .step_by(2)
            .map(crate::text::printable)
            .collect())
    }
}
