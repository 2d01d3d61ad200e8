//! The hook's steps: exact index → snapshot → scan → card check.
//!
//! Reads only. The index, the working tree and HEAD are the same afterwards, whatever happens.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::{Event, Gate, is_trial, unchecked};
use crate::backup::{
    BackupError, BackupSummary, ContentSource, Decision, SnapshotEntry, SnapshotRequest, Store,
    Verdict, Version,
};
use crate::git::{Blob, FileMode, GitError, Head, Repository};
use crate::gpu::{self, CardVerdict};
use crate::judge;
use crate::outcome::{Answer, Outcome};
use crate::policy::{GpuCheckMode, OnError, Policy, PolicyError};
use crate::source::{Change, ChangedFile, RepositoryPolicyError, Unstaged};
use crate::sys::clock::Timestamp;
use crate::sys::environment;

/// Why a hook could not judge.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// What is staged cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A policy below the root is wrong.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The snapshot cannot be made.
    #[error("the snapshot could not be made")]
    Backup(#[from] BackupError),
}

impl From<RepositoryPolicyError> for HookError {
    fn from(error: RepositoryPolicyError) -> Self {
        match error {
            RepositoryPolicyError::Policy(error) => Self::Policy(error),
            RepositoryPolicyError::Git(error) => Self::Git(error),
        }
    }
}

/// Judges what is staged or merged, after saving it: by `policy`, the root's, and by those below
/// the root.
pub fn run(
    event: Event,
    repository: &Repository,
    policy: &Policy,
    now: Timestamp,
) -> Result<Outcome, HookError> {
    // A trial leaves no trace.
    let takes_notes = !is_trial();
    if takes_notes {
        unchecked::forget_passed(repository);
    }
    let limit = policy.scan.max_file_bytes;
    let change = Change::staged(repository, limit)?;
    let outcome = judge_index(event, repository, &change, policy, now)?;
    if takes_notes && outcome.answer() == Answer::Fine {
        // Without the note the commit counts as unchecked, which is no reason to refuse it.
        let _ = unchecked::note_passed(repository, &change);
    }
    Ok(outcome)
}

fn judge_index(
    event: Event,
    repository: &Repository,
    change: &Change<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Outcome, HookError> {
    let mut outcome = Outcome::default();
    if change.files.is_empty() {
        return Ok(outcome);
    }
    let mut store = None;
    // Both sides of a clean merge are commits: there is nothing that Git could not bring back.
    if policy.hook.snapshot && event.gate != Gate::Merge {
        let opened = Store::open(repository, &policy.backup).map_err(HookError::from);
        let saved = opened.and_then(|opened| {
            let store = store.insert(opened);
            snapshot(
                (event, store),
                repository,
                &change.files,
                now,
                &mut outcome.notes,
            )
        });
        match saved {
            Ok(summary) => outcome.backup = Some(summary),
            // Nothing saved is no reason to judge nothing.
            Err(error) if policy.hook.on_error == OnError::Pass => {
                outcome
                    .notes
                    .push(format!("{}; `hook.on-error` lets that pass", chain(&error)));
            }
            Err(error) => return Err(error),
        }
    }
    let by = judge::By {
        root: policy,
        side: change.new_side(),
        before: change.base(),
    };
    let judged = judge::judge_by_policies(repository, change, by, now, &mut |_, _| {});
    let judged = judged.map(|judged| {
        outcome.files = judged.files;
        outcome.weakened = judged.weakened.weakenings;
        outcome.refuses_weakened = judged.weakened.is_refused;
    });
    if judged.is_ok() {
        let uses_gpu = outcome.files.iter().any(|file| file.uses_gpu);
        let refused = outcome.findings().any(|(_, finding)| finding.blocks());
        if !refused && policy.gpu_check.mode != GpuCheckMode::Off {
            outcome.card = Some(card(uses_gpu, repository, policy, now));
        }
    }
    if let (Some(backup), Some(store)) = (&outcome.backup, &store) {
        // A verdict that cannot be noted is one that is not known; the commit is none the worse.
        let verdict = verdict(&outcome, judged.is_ok());
        let _ = store.note_verdict(&backup.id, &verdict);
    }
    judged?;
    Ok(outcome)
}

/// Checks the card, or says why not.
fn card(uses_gpu: bool, repository: &Repository, policy: &Policy, now: Timestamp) -> CardVerdict {
    if !uses_gpu {
        return CardVerdict::skipped("no staged file uses the GPU", None);
    }
    // GitHub, GitLab, Travis and others set it to `true`.
    let in_ci = environment::text("CI").is_some_and(|value| value != "false" && value != "0");
    if in_ci && policy.gpu_check.mode != GpuCheckMode::Required {
        return CardVerdict::skipped(
            "this is CI (`CI` is set)",
            Some("`mode = \"required\"` under `[gpu-check]` checks it here too"),
        );
    }
    let cache = repository.common_dir().join("gpuguard");
    gpu::check(policy, Some(&cache), now)
}

fn verdict(outcome: &Outcome, judged: bool) -> Verdict {
    let new = || outcome.findings().filter(|(_, finding)| finding.introduced);
    let errors = new().filter(|(_, finding)| finding.blocks()).count();
    let card_refused = outcome.card.as_ref().is_some_and(CardVerdict::refuses);
    let decision = match (judged, outcome.answer()) {
        (false, _) => Decision::NotJudged,
        (true, Answer::Fine) => Decision::Passed,
        (true, Answer::No) => Decision::Blocked,
    };
    Verdict::new(decision, (errors, new().count() - errors), card_refused)
}

/// An error and what caused it, in one line.
fn chain(error: &HookError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        let _ = write!(text, ": {error}");
        next = error.source();
    }
    text
}

/// Saves what the commit touches: what it replaces, what it commits, and what is not staged.
fn snapshot(
    (event, store): (Event, &Store),
    repository: &Repository,
    files: &[ChangedFile],
    now: Timestamp,
    notes: &mut Vec<String>,
) -> Result<BackupSummary, HookError> {
    let head: Head = repository.head()?;
    let mut request = SnapshotRequest::new(event.name, head);
    request.may_refer = true;
    for file in files {
        for (version, side) in [
            (Version::Before, file.before.as_ref()),
            (Version::Staged, file.after.as_ref()),
        ] {
            match side.and_then(|side| Some((side, side.content.as_ref()?))) {
                Some((side, Blob::Bytes(content))) => request.entries.push(SnapshotEntry {
                    path: file.path.clone(),
                    version,
                    mode: side.mode,
                    content: ContentSource::Blob(side.id, Arc::clone(content)),
                }),
                Some((_, Blob::TooLarge { bytes })) => notes.push(format!(
                    "{} ({version}, {} MiB) is larger than `scan.max-file-mib` and not in the \
                     snapshot; Git holds it",
                    file.path,
                    bytes.div_ceil(1 << 20),
                )),
                Some((_, Blob::Missing)) => notes.push(format!(
                    "{} ({version}) is not in this clone: it is not in the snapshot, and all of \
                     the file counts as new",
                    file.path,
                )),
                None if side.is_none() => {
                    request.absent.push((file.path.clone(), version));
                }
                None => {}
            }
        }
        match file.unstaged(repository) {
            Unstaged::File(found) => request.entries.extend(unstaged(&found, file)),
            Unstaged::Gone
                if file
                    .after
                    .as_ref()
                    .is_some_and(|after| after.mode != FileMode::Gitlink) =>
            {
                request.absent.push((file.path.clone(), Version::Worktree));
            }
            Unstaged::Gone | Unstaged::Same => {}
        }
    }
    Ok(store.create(&request, now)?)
}

/// The working tree's version, where it is not what is staged: bytes Git could not bring back.
fn unstaged(found: &Path, file: &ChangedFile) -> Option<SnapshotEntry> {
    let metadata = found.symlink_metadata().ok()?;
    let mode = FileMode::of_file(&metadata)?;
    let staged = match file
        .after
        .as_ref()
        .and_then(|staged| staged.content.as_ref())
    {
        Some(Blob::Bytes(bytes)) => Some(bytes),
        _ => None,
    };
    // The same length: only then can it be the same, and only then is it read here.
    // Other systems have no such bits.
    let same_mode = file.after.as_ref().is_some_and(|after| after.mode == mode) || !cfg!(unix);
    let same = mode != FileMode::Symlink
        && same_mode
        && staged.is_some_and(|staged| {
            staged.len() as u64 == metadata.len()
                && std::fs::read(found).is_ok_and(|bytes| bytes == **staged)
        });
    (!same).then(|| SnapshotEntry {
        path: file.path.clone(),
        version: Version::Worktree,
        mode,
        content: ContentSource::File(found.to_owned()),
    })
}
