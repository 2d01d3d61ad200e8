//! The commits between two others, and the files of a commit, as the `git` program tells them.

use super::difference::unexpected;
use super::{FileMode, GitError, ObjectId, RepoPath, Repository};

/// A commit, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// When it was committed, as ISO 8601 with its own offset.
    pub date: String,
    /// The first line of its message; bytes that are not UTF-8 are replaced.
    pub subject: String,
}

impl Repository {
    /// The last commit in the history of HEAD that added or changed a file.
    pub fn last_commit_with(&self, path: &RepoPath) -> Result<Option<ObjectId>, GitError> {
        let Some(path) = path.as_str() else {
            return Ok(None);
        };
        let arguments = [
            "log",
            "-1",
            "--no-show-signature",
            "--diff-filter=AM",
            "--format=%H",
            "HEAD",
            "--",
            path,
        ];
        let output = self.reading_program().run(&arguments, b"")?;
        Ok(ObjectId::from_hex(&output.line()))
    }

    /// The commits of `tip` that `base` does not have, along the first parents, oldest first.
    pub fn first_parents(&self, base: ObjectId, tip: ObjectId) -> Result<Vec<Commit>, GitError> {
        let range = format!("{base}..{tip}");
        let arguments = [
            "log",
            "--first-parent",
            "--reverse",
            "--no-show-signature",
            "-z",
            FORMAT,
            &range,
            "--",
        ];
        commits(&self.reading_program().run(&arguments, b"")?.stdout)
    }

    /// One commit.
    pub fn commit(&self, id: ObjectId) -> Result<Commit, GitError> {
        let id = id.to_string();
        let arguments = ["log", "-1", "--no-show-signature", "-z", FORMAT, &id, "--"];
        let found = commits(&self.reading_program().run(&arguments, b"")?.stdout)?;
        found.into_iter().next().ok_or_else(|| unexpected("log"))
    }

    /// How many commits `tip` has that `base` does not have, merged ones too.
    pub fn count_commits(&self, base: ObjectId, tip: ObjectId) -> Result<usize, GitError> {
        let range = format!("{base}..{tip}");
        let output = self
            .reading_program()
            .run(&["rev-list", "--count", &range, "--"], b"")?;
        output.line().parse().map_err(|_| unexpected("rev-list"))
    }

    /// The files of a commit, links and submodules left out, sorted as Git sorts them.
    pub fn files_of(&self, commit: ObjectId) -> Result<Vec<(RepoPath, ObjectId)>, GitError> {
        let commit = commit.to_string();
        let arguments = ["ls-tree", "-r", "-z", "--full-tree", &commit];
        let output = self.reading_program().run(&arguments, b"")?;
        let mut files = Vec::new();
        for record in output.records() {
            // `100644 blob <id><TAB>path`
            let tab = record.iter().position(|byte| *byte == b'\t');
            let (entry, path) = tab
                .and_then(|tab| record.split_at_checked(tab))
                .ok_or_else(|| unexpected("ls-tree"))?;
            let entry = String::from_utf8_lossy(entry);
            let mut words = entry.split(' ');
            let mode = words.next().and_then(|it| u32::from_str_radix(it, 8).ok());
            let id = words.nth(1).and_then(ObjectId::from_hex);
            let (Some(mode), Some(id)) = (mode, id) else {
                return Err(unexpected("ls-tree"));
            };
            if FileMode::from_octal(mode).is_some_and(FileMode::is_file) {
                files.push((RepoPath::new(path.get(1..).unwrap_or_default()), id));
            }
        }
        Ok(files)
    }
}

/// Three fields for each commit.
const FORMAT: &str = "--format=%H%x00%cI%x00%s";

fn commits(output: &[u8]) -> Result<Vec<Commit>, GitError> {
    let output = output.strip_suffix(b"\0").unwrap_or(output);
    if output.is_empty() {
        return Ok(Vec::new());
    }
    let fields: Vec<&[u8]> = output.split(|byte| *byte == 0).collect();
    fields
        .chunks(3)
        .map(|fields| {
            let text = |at: usize| fields.get(at).map(|field| String::from_utf8_lossy(field));
            let (Some(id), Some(date), Some(subject)) = (text(0), text(1), text(2)) else {
                return Err(unexpected("log"));
            };
            Ok(Commit {
                id: ObjectId::from_hex(&id).ok_or_else(|| unexpected("log"))?,
                date: date.into_owned(),
                subject: subject.into_owned(),
            })
        })
        .collect()
}
