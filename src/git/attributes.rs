//! Which files other `.gitattributes` would give other bytes.

use std::ffi::OsString;
use std::path::Path;

use super::difference::unexpected;
use super::{GitError, ObjectId, RepoPath, Repository, TreeSide};

/// The attributes that decide about bytes in the working tree (gitattributes(5)).
const DECIDING: [&str; 6] = [
    "text",
    "crlf",
    "eol",
    "working-tree-encoding",
    "filter",
    "ident",
];

impl Repository {
    /// Those of `paths` that have other deciding attributes in `tree` than in the working tree.
    pub fn with_other_attributes(
        &self,
        paths: Vec<RepoPath>,
        tree: ObjectId,
    ) -> Result<Vec<RepoPath>, GitError> {
        let mut input = Vec::new();
        for path in &paths {
            input.extend_from_slice(path.as_bytes());
            input.push(0);
        }
        let check = |source: Option<String>| {
            let mut arguments: Vec<OsString> = source.map(OsString::from).into_iter().collect();
            arguments.extend(["check-attr", "--stdin", "-z"].map(OsString::from));
            arguments.extend(DECIDING.map(OsString::from));
            self.program().run(&arguments, &input)
        };
        let (here, there) = (check(None)?, check(Some(format!("--attr-source={tree}")))?);
        let here: Vec<&[u8]> = here.records().collect();
        let there: Vec<&[u8]> = there.records().collect();
        // Path, attribute and value for each attribute.
        let each = 3 * DECIDING.len();
        if here.len() != each * paths.len() || there.len() != here.len() {
            return Err(unexpected("check-attr"));
        }
        let sides = here.chunks(each).zip(there.chunks(each));
        let differ = paths.into_iter().zip(sides);
        let differ = differ.filter(|(_, (here, there))| here != there);
        Ok(differ.map(|(path, _)| path).collect())
    }

    /// Writes a tree of these entries; `scratch` is the name of an index file that does not exist
    /// yet.
    pub fn write_tree(
        &self,
        entries: &[(&RepoPath, TreeSide)],
        scratch: &Path,
    ) -> Result<ObjectId, GitError> {
        self.write_index_entries(scratch, entries)?;
        let git = self.program().with_variable("GIT_INDEX_FILE", scratch);
        let output = git.run(&["write-tree"], b"")?;
        ObjectId::from_hex(&output.line()).ok_or_else(|| unexpected("write-tree"))
    }
}
