//! Files of one name, in whatever folders.

use std::collections::BTreeSet;

use gix::bstr::ByteSlice as _;

use super::{FileMode, GitError, NewSide, ObjectId, RepoPath, Repository};

/// A folder, and the entry of the name in it.
type InFolder = (RepoPath, (FileMode, ObjectId));

impl Repository {
    /// The entries called `name` in `folders`, sorted; `None` for every folder below the root.
    pub fn named_in(
        &self,
        side: NewSide,
        name: &[u8],
        folders: Option<&BTreeSet<RepoPath>>,
    ) -> Result<Vec<InFolder>, GitError> {
        let entry = |folder: &RepoPath| {
            let path = folder.join(name);
            match side {
                NewSide::Index => self.staged_entry(&path),
                NewSide::Commit(commit) => self.entry_at(commit, &path),
            }
        };
        // Each look is cheap for gix, and a process for the program.
        let looked_in: BTreeSet<RepoPath> = match folders {
            Some(folders) if folders.len() < 8 || !self.reads_with_program() => folders.clone(),
            _ => {
                let all = self.folders_with(side, name)?;
                let wanted = |folder: &RepoPath| folders.is_none_or(|some| some.contains(folder));
                all.into_iter().filter(wanted).collect()
            }
        };
        let mut found = Vec::new();
        for folder in looked_in {
            if let Some(entry) = entry(&folder)? {
                found.push((folder, entry));
            }
        }
        Ok(found)
    }

    /// The files of a commit whose names end so, each with its mode and id, as Git lists them: the
    /// same where these files are the same.
    pub fn listed_with_ending(&self, commit: ObjectId, ending: &[u8]) -> Result<Vec<u8>, GitError> {
        let commit = commit.to_string();
        let arguments = ["ls-tree", "-r", "-z", "--full-tree", &commit];
        let output = self.reading_program().run(&arguments, b"")?;
        let records = output.records().filter(|record| record.ends_with(ending));
        Ok(records.collect::<Vec<_>>().join(&0))
    }

    /// The folders below the root in which there is a file of the name.
    fn folders_with(&self, side: NewSide, name: &[u8]) -> Result<Vec<RepoPath>, GitError> {
        let mut ending = vec![b'/'];
        ending.extend_from_slice(name);
        let folder = |path: &[u8]| path.strip_suffix(ending.as_slice()).map(RepoPath::new);
        if let (NewSide::Index, Some(index)) = (side, self.index()) {
            let entries = index.entries().iter();
            return Ok(entries
                .filter_map(|entry| folder(entry.path(index).as_bytes()))
                .collect());
        }
        let git = self.reading_program();
        let output = match side {
            NewSide::Index => git.run(&["ls-files", "-z", "--cached"], b"")?,
            NewSide::Commit(commit) => {
                let commit = commit.to_string();
                git.run(
                    &["ls-tree", "-r", "-z", "--full-tree", "--name-only", &commit],
                    b"",
                )?
            }
        };
        Ok(output.records().filter_map(folder).collect())
    }
}
