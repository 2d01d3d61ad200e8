//! Reading `git diff-index --raw -z` and its kin (git-diff(1), "Raw output format").

use super::{FileMode, GitError, GitProgram, ObjectId, RepoPath, TreeSide};

/// One record: path, old side, new side.
pub(super) type RawChange = (RepoPath, TreeSide, TreeSide);

/// What the index changes against the commit or tree `base`; not what is only intended to be
/// added.
///
/// # Errors
/// [`GitError::Unmerged`] while the index holds conflicts.
pub(super) fn staged_against(git: &GitProgram, base: &str) -> Result<Vec<RawChange>, GitError> {
    run(
        git,
        &[
            "diff-index",
            "--cached",
            "--raw",
            "-z",
            "--no-renames",
            "--no-abbrev",
            "--ita-invisible-in-index",
            "--ignore-submodules=none",
            base,
        ],
    )
}

/// The records that a command with `--raw -z` prints.
pub(super) fn run(git: &GitProgram, arguments: &[&str]) -> Result<Vec<RawChange>, GitError> {
    let output = git.run(arguments, b"")?;
    let command = arguments.first().copied().unwrap_or_default();
    let mut found = Vec::new();
    let mut records = output.records();
    while let (Some(header), Some(path)) = (records.next(), records.next()) {
        // `:100644 100644 <old id> <new id> M`
        let header =
            std::str::from_utf8(header).map_err(|_| super::difference::unexpected(command))?;
        let words: Vec<&str> = header.trim_start_matches(':').split(' ').collect();
        let [old_mode, new_mode, old_id, new_id, status] = words[..] else {
            return Err(super::difference::unexpected(command));
        };
        if status == "U" {
            return Err(GitError::Unmerged {
                path: crate::text::printable(path),
            });
        }
        let side = |mode: &str, id: &str| {
            let mode = FileMode::from_octal(u32::from_str_radix(mode, 8).ok()?)?;
            ObjectId::from_hex(id).map(|id| (mode, id))
        };
        found.push((
            RepoPath::new(path),
            side(old_mode, old_id),
            side(new_mode, new_id),
        ));
    }
    Ok(found)
}
