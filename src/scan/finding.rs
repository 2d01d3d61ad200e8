//! What a scan of one file gives.

use super::embedded::CellPosition;
use super::remedy::{Fix, Safety};
use crate::git::RepoPath;
use crate::policy::Severity;
use crate::sys::clock::Date;
use crate::text::{Position, Span};

/// What was found in one file.
#[derive(Clone, Debug)]
pub struct FileScan {
    /// The file, relative to the repository or to the folder that was scanned.
    pub path: RepoPath,
    /// How far it was read.
    pub reading: Reading,
    /// Its findings, by place.
    pub findings: Vec<Finding>,
    /// Findings that a comment in the file allows, by place.
    pub suppressed: Vec<Suppressed>,
    /// Whether its code uses the GPU, or selects one.
    pub uses_gpu: bool,
    /// The places whose card is decided at run time, where these were asked for.
    pub dynamic: Vec<DynamicPlace>,
}

/// A place that selects a card which only the running program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DynamicPlace {
    /// Where it starts.
    pub start: Position,
    /// The API, such as `torch.device`.
    pub api: &'static str,
}

/// How far a file was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Read and understood.
    Whole,
    /// Read as far as it goes: the parser met errors, the first on this line.
    WithErrors {
        /// Line of the first syntax error, from 1.
        line: usize,
    },
    /// Not scanned.
    Skipped(SkipReason),
}

/// Why a file was not scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The policy's `scan.exclude` names it.
    Excluded,
    /// No policy lies above it, in a repository that has some in other folders.
    NoPolicy,
    /// It holds NUL bytes.
    Binary,
    /// It is larger than `scan.max-file-mib`.
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// Its text encoding is not known.
    Undecodable,
    /// It was named, and is in no language that is read.
    NoLanguage,
    /// A Git LFS pointer: the content is elsewhere.
    LfsPointer,
    /// A copy that Jupyter keeps of another file (`.ipynb_checkpoints`).
    Checkpoint,
    /// It is not in the format that its name promises.
    Malformed {
        /// The format.
        format: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
    /// It could not be opened or read.
    Unreadable {
        /// What the system said.
        reason: String,
    },
}

/// One place where code breaks a rule.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule's code, `GG006`.
    pub rule: &'static str,
    /// What it does to a commit; the policy's severity where it names the rule.
    pub severity: Severity,
    /// The code that breaks it: bytes of the file's text, or of the code embedded in it.
    pub span: Span,
    /// Where the span starts in the file.
    pub start: Position,
    /// Where the span ends in the file (the position behind its last character).
    pub end: Position,
    /// Where the span starts in its cell, in a notebook.
    pub cell: Option<CellPosition>,
    /// The lines the span lies on, without the last line end; shown under the message. Of a
    /// very long line only the part around the span.
    pub source: String,
    /// Byte offset of `source`, counted as `span` is.
    pub source_offset: usize,
    /// What is wrong, and which card the line would really use.
    pub message: String,
    /// Short text for the caret line.
    pub label: String,
    /// How to fix it.
    pub help: String,
    /// The API the fact came from, such as `torch.device` or `os.environ`.
    pub api: &'static str,
    /// Whether the change that is judged brings it in; always so when whole files are judged.
    pub introduced: bool,
    /// How to mend it, where the file's language can write that.
    pub fix: Option<Fix>,
    /// Names the finding wherever its line moves.
    pub fingerprint: Fingerprint,
}

/// A finding that a comment allows: it neither blocks nor is it shown unless asked for.
#[derive(Clone, Debug)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// Why, in the comment's words; empty where it does not say.
    pub reason: String,
    /// The last day on which it is allowed.
    pub until: Option<Date>,
}

/// Equal for the same finding in two versions of a file, also when lines moved or were laid out
/// otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub String);

impl std::fmt::Display for SkipReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Excluded => f.write_str("excluded by the policy"),
            Self::NoPolicy => f.write_str("no gpuguard.toml in its folder or above it"),
            Self::Binary => f.write_str("binary"),
            Self::TooLarge { bytes } => write!(f, "too large ({} MiB)", bytes.div_ceil(1 << 20)),
            Self::Undecodable => f.write_str("unknown text encoding"),
            Self::NoLanguage => f.write_str("in no language that gpuguard reads"),
            Self::LfsPointer => f.write_str("Git LFS pointer, content not scanned"),
            Self::Checkpoint => f.write_str("a copy that Jupyter keeps of another file"),
            Self::Malformed { format, reason } => write!(f, "not a {format}: {reason}"),
            Self::Unreadable { reason } => write!(f, "cannot be read: {reason}"),
        }
    }
}

impl Finding {
    /// Whether `gpuguard fix` mends it.
    pub fn is_fixable(&self) -> bool {
        self.fix
            .as_ref()
            .is_some_and(|fix| fix.safety == Safety::Safe)
    }

    /// Whether it refuses the change that is judged.
    pub fn blocks(&self) -> bool {
        self.introduced && self.severity == Severity::Error
    }

    /// Whether it is about the file as a whole: something is missing in it.
    pub(crate) fn is_about_file(&self) -> bool {
        self.fingerprint.0 == self.rule
    }

    /// Whether it is about what a variable is set to, which decides for the whole file.
    pub(crate) fn is_about_variable(&self) -> bool {
        const RULES: &[&str] = &[
            "GG002", "GG003", "GG004", "GG005", "GG012", "GG014", "GG015", "GG016", "GG017",
        ];
        RULES.contains(&self.rule)
    }
}

impl FileScan {
    /// All findings, those that comments allow behind the others.
    pub fn with_suppressed(&self) -> impl Iterator<Item = &Finding> {
        let suppressed = self.suppressed.iter().map(|suppressed| &suppressed.finding);
        self.findings.iter().chain(suppressed)
    }

    /// A file that was not scanned.
    pub fn skipped(path: RepoPath, reason: SkipReason) -> Self {
        Self {
            path,
            reading: Reading::Skipped(reason),
            findings: Vec::new(),
            suppressed: Vec::new(),
            uses_gpu: false,
            dynamic: Vec::new(),
        }
    }
}
