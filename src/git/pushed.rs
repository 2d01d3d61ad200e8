//! What a push adds to a repository: which commits are new there, and what they are built on.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::{GitError, ObjectId, Output, Repository};

/// More commits would not go on a command line everywhere.
const MOST_NAMED: usize = 512;

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
    /// All that the remote of this name is known to have, by its remote-tracking branches.
    Remote(String),
    /// These commits and their ancestors; nothing where there are none.
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
        let output = self.list_new(&["--boundary"], &input, known)?;
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

    /// All commits that `tips` add to what is `known`, and to the commits `besides`: one question
    /// for all of them.
    pub fn new_among(
        &self,
        tips: &[ObjectId],
        known: &KnownHistory,
        besides: &[ObjectId],
    ) -> Result<HashSet<ObjectId>, GitError> {
        let mut input = String::new();
        for tip in tips {
            let _ = writeln!(input, "{tip}");
        }
        for commit in besides {
            let _ = writeln!(input, "^{commit}");
        }
        let output = self.list_new(&[], &input, known)?;
        Ok(String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(ObjectId::from_hex)
            .collect())
    }

    /// The commits that objects lead to, in order; `None` for one that leads to none.
    pub fn commits_of(&self, objects: &[ObjectId]) -> Result<Vec<Option<ObjectId>>, GitError> {
        let mut input = String::new();
        for object in objects {
            let _ = writeln!(input, "{object}^{{commit}}");
        }
        let arguments = ["cat-file", "--batch-check=%(objectname)"];
        let output = self.reading_program().run(&arguments, input.as_bytes())?;
        let text = String::from_utf8_lossy(&output.stdout);
        // Behind what is no commit stands why.
        let mut commits = text.lines().map(ObjectId::from_hex);
        Ok(objects.iter().map(|_| commits.next().flatten()).collect())
    }

    /// The branches that have a file of the name at their root, by full name, with their tips; of
    /// those that have the same file only the first.
    pub fn branches_with(&self, file: &str) -> Result<Vec<(String, ObjectId)>, GitError> {
        let arguments = [
            "for-each-ref",
            "--format=%(objectname) %(refname)",
            "refs/heads",
        ];
        let output = self.reading_program().run(&arguments, b"")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let branches: Vec<(String, ObjectId)> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(tip, name)| Some((name.to_owned(), ObjectId::from_hex(tip)?)))
            .collect();
        let mut input = String::new();
        for (_, tip) in &branches {
            let _ = writeln!(input, "{tip}:{file}");
        }
        let arguments = ["cat-file", "--batch-check=%(objecttype) %(objectname)"];
        let output = self.reading_program().run(&arguments, input.as_bytes())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut seen = HashSet::new();
        let first = text
            .lines()
            .map(|line| line.starts_with("blob ") && seen.insert(line));
        Ok(branches
            .into_iter()
            .zip(first)
            .filter_map(|(branch, first)| first.then_some(branch))
            .collect())
    }

    /// The latest commits that all of `commits` come from; none where they have no common ones, or
    /// are more than can be asked about.
    pub fn common_to_all(&self, commits: &[ObjectId]) -> Result<Vec<ObjectId>, GitError> {
        if commits.len() < 2 || commits.len() > MOST_NAMED {
            let one = commits.first().filter(|_| commits.len() == 1);
            return Ok(Vec::from_iter(one.copied()));
        }
        let words = ["merge-base", "--all", "--octopus"].map(str::to_owned);
        let mut arguments = words.to_vec();
        arguments.extend(commits.iter().map(ObjectId::to_string));
        let (_, output, _) = self.reading_program().run_for_code(&arguments, b"")?;
        Ok(String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(ObjectId::from_hex)
            .collect())
    }

    /// The commits that those in `input` lead to, one a line, without what is `known`.
    fn list_new(
        &self,
        how: &[&str],
        input: &str,
        known: &KnownHistory,
    ) -> Result<Output, GitError> {
        // `--stdin` first, so that no `--not` is for it.
        let words = [&["rev-list"], how, &["--stdin", "--not"]].concat();
        let mut arguments: Vec<String> = words.into_iter().map(str::to_owned).collect();
        match known {
            KnownHistory::OwnRefs => arguments.push("--all".to_owned()),
            KnownHistory::Remote(name) => {
                // Another remote's branches may lie in the folder of this one's.
                let others = self.reading_program().run(&["remote"], b"")?;
                let within = format!("{name}/");
                arguments.extend(
                    String::from_utf8_lossy(&others.stdout)
                        .lines()
                        .filter(|other| other.starts_with(&within))
                        .map(|other| format!("--exclude={other}/*")),
                );
                arguments.push(format!("--remotes={name}"));
            }
            KnownHistory::Commits(commits) => {
                arguments.extend(commits.iter().map(ObjectId::to_string));
            }
        }
        self.reading_program().run(&arguments, input.as_bytes())
    }

    /// Those of `commits` that are no ancestors of another one.
    fn independent(&self, commits: Vec<ObjectId>) -> Result<Vec<ObjectId>, GitError> {
        if commits.len() < 2 {
            return Ok(commits);
        }
        let mut arguments = vec!["merge-base".to_owned(), "--independent".to_owned()];
        arguments.extend(commits.iter().take(MOST_NAMED).map(ObjectId::to_string));
        let output = self.reading_program().run(&arguments, b"")?;
        Ok(String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(ObjectId::from_hex)
            .collect())
    }

    /// The remote of this name, or of this address, if anything is known of it. Where `address` is
    /// what is pushed to, it is the one that this clone fetches from.
    pub fn tracked_remote(
        &self,
        remote: &str,
        address: Option<&str>,
    ) -> Result<Option<String>, GitError> {
        if self.has_tracking_branches(remote)?
            && match address {
                Some(address) => self.is_fetched_from(remote, address)?,
                None => true,
            }
        {
            return Ok(Some(remote.to_owned()));
        }
        let question = ["config", "-z", "--get-regexp", r"^remote\..*\.url$"];
        let (_, output, _) = self.reading_program().run_for_code(&question, b"")?;
        for record in output.records().map(String::from_utf8_lossy) {
            let named = record
                .split_once('\n')
                .filter(|(_, url)| same_place(url, address.unwrap_or(remote)))
                .and_then(|(key, _)| key.strip_prefix("remote.")?.rsplit_once('.'));
            if let Some((name, _)) = named
                && self.has_tracking_branches(name)?
                && self.is_fetched_from(name, address.unwrap_or(remote))?
            {
                return Ok(Some(name.to_owned()));
            }
        }
        Ok(None)
    }

    /// Whether what is pushed to at `address` is where this remote's branches are fetched from.
    fn is_fetched_from(&self, remote: &str, address: &str) -> Result<bool, GitError> {
        let git = self.reading_program();
        // With `url.<base>.insteadOf`, as Git fetches.
        let (_, fetched, _) = git.run_for_code(&["ls-remote", "--get-url", remote], b"")?;
        if same_place(&fetched.line(), address) {
            return Ok(true);
        }
        // Another way to the same repository, by `url.<base>.pushInsteadOf`.
        let key = format!("remote.{remote}.pushurl");
        let (code, _, _) = git.run_for_code(&["config", "--get-all", &key], b"")?;
        let question = ["remote", "get-url", "--push", remote];
        let (_, pushed, _) = git.run_for_code(&question, b"")?;
        Ok(code != Some(0) && pushed.line() == address)
    }

    /// Whether a remote is configured by this name.
    pub fn is_remote(&self, name: &str) -> Result<bool, GitError> {
        let key = format!("remote.{name}.url");
        let question = ["config", "--get-all", &key];
        Ok(self.reading_program().run_for_code(&question, b"")?.0 == Some(0))
    }

    /// Whether there are remote-tracking branches of the remote of this name.
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

/// Whether two addresses name the same repository, by whatever way (git-fetch(1), "GIT URLS").
fn same_place(one: &str, other: &str) -> bool {
    one == other || place(one).is_some_and(|found| Some(found) == place(other))
}

/// Host and path of an address, without the way, the user and the port; `None` of a local path.
fn place(address: &str) -> Option<(String, &str)> {
    let (host, path) = match address.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest.split_once('/')?,
        None => {
            let (host, path) = address.split_once(':')?;
            // A path, or a drive of Windows.
            if host.contains('/') || host.len() < 2 {
                return None;
            }
            (host, path)
        }
    };
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    Some((host.to_ascii_lowercase(), path))
}

#[cfg(test)]
mod tests {
    use super::same_place;

    #[test]
    fn ways_to_one_repository_are_known() {
        let one = "https://example.org/team/rig.git";
        for other in [
            "git@example.org:team/rig.git",
            "ssh://git@Example.org:2222/team/rig",
            "https://me@example.org/team/rig/",
        ] {
            assert!(same_place(one, other), "{other}");
        }
        for other in [
            "https://example.org/me/rig.git",
            "https://example.com/team/rig.git",
            "/team/rig.git",
            "C:/team/rig.git",
            "file:///team/rig.git",
        ] {
            assert!(!same_place(one, other), "{other}");
        }
        assert!(same_place("../rig.git", "../rig.git"));
        assert!(!same_place("../rig.git", "../other.git"));
    }
}
