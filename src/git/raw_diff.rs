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
    let records = records(git, arguments)?;
    Ok(records
        .into_iter()
        .map(|record| (record.path, record.before, record.after))
        .collect())
}

/// The renames among the records that a command with `--raw -z -M` prints: new path, old path.
pub(super) fn renames(
    git: &GitProgram,
    arguments: &[&str],
) -> Result<Vec<(RepoPath, RepoPath)>, GitError> {
    let records = records(git, arguments)?;
    Ok(records
        .into_iter()
        .filter_map(|record| Some((record.renamed_to?, record.path)))
        .collect())
}

struct Record {
    path: RepoPath,
    renamed_to: Option<RepoPath>,
    before: TreeSide,
    after: TreeSide,
}

fn records(git: &GitProgram, arguments: &[&str]) -> Result<Vec<Record>, GitError> {
    let output = git.run(arguments, b"")?;
    let command = arguments.first().copied().unwrap_or_default();
    let unexpected = || super::difference::unexpected(command);
    let mut found = Vec::new();
    let mut records = output.records();
    while let (Some(header), Some(path)) = (records.next(), records.next()) {
        // `:100644 100644 <old id> <new id> M`, for a rename `R087` and a second path
        let header = std::str::from_utf8(header).map_err(|_| unexpected())?;
        let words: Vec<&str> = header.trim_start_matches(':').split(' ').collect();
        let [old_mode, new_mode, old_id, new_id, status] = words[..] else {
            return Err(unexpected());
        };
        if status == "U" {
            return Err(GitError::Unmerged {
                path: crate::text::printable(path),
            });
        }
        let renamed_to = if status.starts_with(['R', 'C']) {
            Some(RepoPath::new(records.next().ok_or_else(unexpected)?))
        } else {
            None
        };
        let side = |mode: &str, id: &str| {
            let mode = FileMode::from_octal(u32::from_str_radix(mode, 8).ok()?)?;
            ObjectId::from_hex(id).map(|id| (mode, id))
        };
        found.push(Record {
            path: RepoPath::new(path),
            renamed_to,
            before: side(old_mode, old_id),
            after: side(new_mode, new_id),
        });
    }
    Ok(found)
}
