//! What happened in all rooms, and the exit code that follows. Shown by [`crate::report`].

use std::time::Duration;

use crate::backup::BackupSummary;
use crate::git::RepoPath;
use crate::gpu::CardVerdict;
use crate::policy::Weakening;
use crate::scan::{DynamicPlace, FileScan, Finding, Reading, SkipReason, Suppressed};

/// The answer of a command, as a process exit code (the contract: 0 fine, 1 "no", 2 could not).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Everything is fine.
    Fine,
    /// The answer is "no": violations, a damaged backup, the wrong card.
    No,
}

/// What Git is about to do, in the words of a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Its name: `commit`, `push of main`.
    pub name: String,
    /// Which of several it is, where there can be several.
    pub subject: Option<String>,
    /// What is said where there is nothing in it.
    pub nothing: &'static str,
    /// What a refusal leaves as it was.
    pub kept: &'static str,
    /// What to do once the code is right.
    pub again: &'static str,
    /// The same where it only has to be staged.
    pub once_staged: &'static str,
    /// The command that shows all findings.
    pub shows_all: String,
}

impl Act {
    /// `git commit`.
    pub fn commit() -> Self {
        Self {
            name: "commit".to_owned(),
            subject: None,
            nothing: "nothing is staged",
            kept: "nothing was committed, nothing was changed",
            again: "`git add` and commit again",
            once_staged: "and commit again",
            shows_all: "gpuguard scan --staged".to_owned(),
        }
    }

    /// `git merge`, which has put files and index together before it asks.
    pub fn merge() -> Self {
        Self {
            name: "merge".to_owned(),
            nothing: "it brings no file that is scanned",
            kept: "nothing was committed; `git merge --abort` goes back",
            again: "`git add` and `git commit`",
            once_staged: "then `git commit`",
            ..Self::commit()
        }
    }

    /// What lies between two commits, where nobody pushes: `range` as `A..B`.
    pub fn range(range: &str) -> Self {
        Self {
            name: range.to_owned(),
            subject: Some(range.to_owned()),
            nothing: "it brings no file that is scanned",
            kept: "nothing was changed",
            again: "commit again",
            once_staged: "commit again",
            shows_all: format!("gpuguard scan --range {range}"),
        }
    }

    /// All files as they are, because somebody asks for them.
    pub fn all_files() -> Self {
        Self {
            name: "run over all files".to_owned(),
            subject: Some("all files".to_owned()),
            nothing: "there is none that is scanned",
            kept: "nothing was changed",
            again: "run it again",
            once_staged: "run it again",
            shows_all: "gpuguard scan .".to_owned(),
        }
    }

    /// `git push` to the branch or tag `name`, whose new tip is `tip`, held against `base`.
    pub fn push(name: &str, base: Option<&str>, tip: &str) -> Self {
        Self {
            name: format!("push of {name}"),
            subject: Some(name.to_owned()),
            nothing: "it brings no file that is scanned",
            kept: "nothing was pushed, nothing was changed",
            again: "commit and push again",
            once_staged: "commit and push again",
            shows_all: match base {
                Some(base) => format!("gpuguard scan --range {base}..{tip}"),
                None => "gpuguard scan .".to_owned(),
            },
        }
    }
}

/// What a scan or a hook run did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Each file looked at, by path.
    pub files: Vec<FileScan>,
    /// The snapshot, if one was made.
    pub backup: Option<BackupSummary>,
    /// What the card check said, if one was made or skipped for a reason worth telling.
    pub card: Option<CardVerdict>,
    /// Files that refuse the change and are right in the working tree: only not staged.
    pub right_in_worktree: Vec<RepoPath>,
    /// In what the change loosens the policy itself.
    pub weakened: Vec<Weakening>,
    /// Whether that is refused.
    pub refuses_weakened: bool,
    /// Whether a file that is too large to be read is refused.
    pub refuses_too_large: bool,
    /// Whether the places whose card is decided at run time were asked for.
    pub lists_dynamic: bool,
    /// The folder below the root in which the user stands, as Git tells a hook (`sub/`); empty at
    /// the root. Names to be typed are as they are from there.
    pub prefix: String,
    /// Things worth saying that decide nothing, one line each.
    pub notes: Vec<String>,
    /// How long it all took.
    pub elapsed: Duration,
}

impl Outcome {
    /// Whether the change is refused.
    pub fn answer(&self) -> Answer {
        let refused_by_card = self.card.as_ref().is_some_and(CardVerdict::refuses);
        if refused_by_card
            || self.refuses_weakened
            || self.refused_as_too_large().next().is_some()
            || self.findings().any(|(_, finding)| finding.blocks())
        {
            Answer::No
        } else {
            Answer::Fine
        }
    }

    /// In what the policy is loosened, where that is refused.
    pub fn refused_weakenings(&self) -> impl Iterator<Item = &Weakening> {
        let refused = self.refuses_weakened.then_some(&self.weakened);
        refused.into_iter().flatten()
    }

    /// All findings with their files, in order.
    pub fn findings(&self) -> impl Iterator<Item = (&FileScan, &Finding)> {
        self.files
            .iter()
            .flat_map(|file| file.findings.iter().map(move |finding| (file, finding)))
    }

    /// The findings that the change brings in, with their files, in order; of whole files, all.
    pub fn introduced(&self) -> impl Iterator<Item = (&FileScan, &Finding)> {
        self.findings().filter(|(_, finding)| finding.introduced)
    }

    /// What comments allow, with the files.
    pub fn suppressed(&self) -> impl Iterator<Item = (&FileScan, &Suppressed)> {
        self.files.iter().flat_map(|file| {
            file.suppressed
                .iter()
                .map(move |suppressed| (file, suppressed))
        })
    }

    /// The places whose card is decided at run time, with their files, in order.
    pub fn dynamic(&self) -> impl Iterator<Item = (&FileScan, &DynamicPlace)> {
        self.files
            .iter()
            .flat_map(|file| file.dynamic.iter().map(move |place| (file, place)))
    }

    /// The files that were not scanned, and why.
    pub fn skipped(&self) -> impl Iterator<Item = (&FileScan, &SkipReason)> {
        self.files.iter().filter_map(|file| match &file.reading {
            Reading::Skipped(reason) => Some((file, reason)),
            Reading::Whole | Reading::WithErrors { .. } => None,
        })
    }

    /// The files that are refused because they are too large to be read.
    pub fn refused_as_too_large(&self) -> impl Iterator<Item = &FileScan> {
        self.skipped()
            .filter(|(_, reason)| {
                self.refuses_too_large && matches!(reason, SkipReason::TooLarge { .. })
            })
            .map(|(file, _)| file)
    }

    /// How many files were scanned.
    pub fn scanned(&self) -> usize {
        self.files.len() - self.skipped().count()
    }
}
