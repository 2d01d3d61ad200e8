//! Index files beside the repository's own: copies that are changed and compared through the
//! `git` program. The repository's own index is only ever read here.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use gix::bstr::ByteSlice as _;

use super::difference::{TreeSide, unexpected};
use super::entries;
use super::{FileMode, GitError, ObjectId, RepoPath, Repository};

impl Repository {
    /// Writes entries into the index file `index`, which is not the repository's own.
    pub fn write_index_entries(
        &self,
        index: &Path,
        entries: &[(&RepoPath, TreeSide)],
    ) -> Result<(), GitError> {
        let mut input = Vec::new();
        let id_length = self.id_length()?;
        for (path, side) in entries {
            let mut line = String::new();
            // Mode 0 takes the entry out; the id must still have the length of this repository's.
            let _ = match side {
                Some((mode, id)) => write!(line, "{:06o} {id} 0\t", mode.octal()),
                None => write!(line, "0 {} 0\t", "0".repeat(id_length)),
            };
            input.extend_from_slice(line.as_bytes());
            input.extend_from_slice(path.as_bytes());
            input.push(0);
        }
        // A sparse index would get the same path twice (seen with Git 2.47).
        let arguments = [
            "-c",
            "index.sparse=false",
            "update-index",
            "-z",
            "--index-info",
        ];
        self.program()
            .with_variable("GIT_INDEX_FILE", index)
            .run(&arguments, &input)?;
        Ok(())
    }

    /// How many hexadecimal digits an id has here.
    fn id_length(&self) -> Result<usize, GitError> {
        if let Some(commit) = self.head()?.commit {
            return Ok(commit.to_string().len());
        }
        let arguments = ["hash-object", "-t", "tree", "--stdin"];
        Ok(self.program().run(&arguments, b"")?.line().len())
    }

    /// Lets the index file `index` learn times and sizes of the files `paths` as they are now.
    pub fn refresh_index(&self, index: &Path, paths: &[&RepoPath]) -> Result<(), GitError> {
        let git = self.program().with_variable("GIT_INDEX_FILE", index);
        // Git holds each path against each entry; past this, looking at all files is faster.
        if paths.len() > 200 {
            // Exit code 1 only says that some file differs.
            git.run_for_code(&["update-index", "-q", "--refresh"], b"")?;
            return Ok(());
        }
        if paths.is_empty() {
            return Ok(());
        }
        let input: Vec<u8> = paths
            .iter()
            .flat_map(|path| path.as_bytes().iter().copied().chain([0]))
            .collect();
        let arguments = [
            "add",
            "--refresh",
            "--pathspec-from-file=-",
            "--pathspec-file-nul",
        ];
        git.run_for_code(&arguments, &input)?;
        Ok(())
    }

    /// Makes the index file `index`, a copy, hold all its entries itself: of a split index, most
    /// lie in another file, which Git may remove at any time (`splitIndex.sharedIndexExpire`).
    pub fn join_split_index(&self, index: &Path) -> Result<(), GitError> {
        // Of a file that cannot be read, Git says why.
        if std::fs::read(index).is_ok_and(|content| !is_split(&content)) {
            return Ok(());
        }
        self.program()
            .with_variable("GIT_INDEX_FILE", index)
            .run(&["update-index", "--no-split-index"], b"")?;
        Ok(())
    }

    /// Every entry of the index file `index` with its mode, blob, stage and flags, but no times:
    /// two index files with the same listing say the same. Empty where there is no such file.
    pub fn index_listing(&self, index: &Path) -> Result<Vec<u8>, GitError> {
        let read_here = self
            .trusted_gix()
            .and_then(|gix| entries::listing(gix, index));
        if let Some(listing) = read_here {
            return Ok(listing);
        }
        let git = self.program().with_variable("GIT_INDEX_FILE", index);
        Ok(git.run(&["ls-files", "-z", "--stage", "-v"], b"")?.stdout)
    }

    /// What the index file `index` holds for `paths`, submodules and conflicts left out.
    pub fn index_blobs(
        &self,
        index: &Path,
        paths: &BTreeSet<RepoPath>,
    ) -> Result<Vec<(RepoPath, FileMode, ObjectId)>, GitError> {
        let read_here = self
            .trusted_gix()
            .and_then(|gix| entries::blobs(gix, index, paths));
        if let Some(blobs) = read_here {
            return Ok(blobs);
        }
        let git = self.program().with_variable("GIT_INDEX_FILE", index);
        let output = git.run(&["ls-files", "-z", "--stage"], b"")?;
        let mut found = Vec::new();
        for record in output.records() {
            // `100644 <id> 0<tab>path`
            let tab = record.iter().position(|byte| *byte == b'\t');
            let (head, path) = record.split_at(tab.ok_or_else(|| unexpected("ls-files"))?);
            let path = RepoPath::new(&path[1..]);
            if !paths.contains(&path) {
                continue;
            }
            let words: Vec<&str> = std::str::from_utf8(head)
                .map_err(|_| unexpected("ls-files"))?
                .split(' ')
                .collect();
            let [mode, id, "0"] = words[..] else { continue };
            let mode = u32::from_str_radix(mode, 8)
                .ok()
                .and_then(FileMode::from_octal);
            if let (Some(mode), Some(id)) = (mode, ObjectId::from_hex(id))
                && mode != FileMode::Gitlink
            {
                found.push((path, mode, id));
            }
        }
        Ok(found)
    }
}

/// Whether an index file has the extension `link` (gitformat-index(5), "Split index"): its name,
/// then a length that fits. A path that looks so by chance only costs a rewrite of the copy.
fn is_split(index: &[u8]) -> bool {
    let shortest = 20;
    index.find_iter(b"link").any(|at| {
        let Some([b'l', b'i', b'n', b'k', size @ ..]) = index.get(at..at + 8) else {
            return false;
        };
        let size = size
            .iter()
            .fold(0, |size, byte| size << 8 | usize::from(*byte));
        let rest = index.len() - at - 8;
        (shortest..=rest).contains(&size)
    })
}

#[cfg(test)]
mod tests {
    use super::is_split;

    #[test]
    fn only_the_extension_is_taken_for_a_split_index() {
        let mut index = b"DIRC....a/link\0\0\0\0\0\0link_to_file\0".to_vec();
        index.extend([0; 40]);
        assert!(!is_split(&index));
        index.extend(b"link\0\0\0\x14");
        index.extend([7; 40]);
        assert!(is_split(&index));
    }
}
