//! The facts as types: what `gpuguard report --format json` prints, and what the pages show.

use schemars::JsonSchema;
use serde::Serialize;

/// All that `gpuguard report` knows. Keys may be added; none is renamed or removed, and none
/// changes its meaning, as long as `version` is 1.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "gpuguard report")]
pub struct Dashboard {
    /// 1.
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// When it was made, as ISO 8601 in UTC.
    pub made: String,
    /// The version of gpuguard that made it.
    pub gpuguard: String,
    /// What it is about.
    pub repository: RepositoryFacts,
    /// The policy that all was judged by.
    pub policy: String,
    /// The cards, as the policy names them.
    pub cards: Vec<Card>,
    /// What now is held against, if that was asked for.
    pub since: Option<Since>,
    /// The files now.
    pub now: Counts,
    /// The files at `since`.
    pub then: Option<Counts>,
    /// The rules that found something, now or then, by code.
    pub rules: Vec<RuleFact>,
    /// The files that have a problem now, or had one then, by path.
    pub files: Vec<FileFact>,
    /// The findings now, by path and place.
    pub findings: Vec<FindingFact>,
    /// What comments in the code allow, by path and place; none of it is among the findings.
    pub allowed: Vec<AllowedFact>,
    /// Files that were not read, by path.
    pub skipped: Vec<SkippedFact>,
    /// The commits since then.
    pub commits: Option<Commits>,
    /// How many findings there were, from then to now; at most some sixty points.
    pub steps: Vec<Step>,
    /// What is saved.
    pub backups: BackupFacts,
    /// The checks of the card that are recorded here, newest first.
    pub card_checks: Vec<CardFact>,
    /// The soaks that are recorded here, newest first.
    pub soaks: Vec<SoakFact>,
    /// What nobody has verified, a sentence each.
    pub not_verified: Vec<String>,
}

/// What the report is about.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RepositoryFacts {
    /// The name of its folder.
    pub name: String,
    /// The branch, unless HEAD is detached.
    pub branch: Option<String>,
    /// The commit at HEAD.
    pub commit: Option<String>,
    /// How many files differ from that commit; `null` where Git cannot say.
    pub uncommitted: Option<usize>,
    /// How many of the files that were read Git does not track.
    pub untracked: usize,
}

/// A card of the policy.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Card {
    /// Its name.
    pub name: String,
    /// Whether code may use it.
    pub allowed: bool,
}

/// What now is held against.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Since {
    /// The tag's name, or what else was given.
    pub name: String,
    /// Its commit.
    pub commit: String,
    /// When that was committed.
    pub date: String,
}

/// Files, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// How many were read.
    pub analysed: usize,
    /// How many of these have no problem.
    pub clean: usize,
    /// How many have one.
    pub with_problems: usize,
    /// How many use the GPU.
    pub use_gpu: usize,
    /// How many were not read.
    pub skipped: usize,
    /// How many have syntax errors and were read as far as that goes.
    pub with_syntax_errors: usize,
    /// How many problems there are.
    pub findings: usize,
    /// How many of these block a commit.
    pub errors: usize,
    /// How many more comments allow.
    pub allowed: usize,
}

/// What one rule found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleFact {
    /// Its code.
    pub rule: String,
    /// What it finds, in one line.
    pub summary: String,
    /// How often now.
    pub now: usize,
    /// In how many files now.
    pub files: usize,
    /// How often then.
    pub then: Option<usize>,
}

/// A file that has a problem, or had one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileFact {
    /// Its path; bytes that are not UTF-8 stand as `\xff`.
    pub path: String,
    /// Its path then, where it was renamed.
    pub was: Option<String>,
    /// What became of it.
    pub state: FileState,
    /// How many problems it has now.
    pub now: usize,
    /// How many it had then.
    pub then: Option<usize>,
    /// The rules, by code: those of now, of a corrected file those of then.
    pub rules: Vec<String>,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileState {
    /// It has problems; nothing is known of then.
    Problems,
    /// It had problems and has them still, not more than then.
    Open,
    /// It had problems and has more.
    Worse,
    /// It has problems, and had none or was not there.
    New,
    /// It had problems and has none.
    Corrected,
    /// It had problems and is not there any more, or is not read any more.
    Gone,
}

impl FileState {
    /// The word that JSON has for it too.
    pub fn word(self) -> &'static str {
        match self {
            Self::Problems => "problems",
            Self::Open => "open",
            Self::Worse => "worse",
            Self::New => "new",
            Self::Corrected => "corrected",
            Self::Gone => "gone",
        }
    }
}

/// A problem now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FindingFact {
    /// The rule's code.
    pub rule: String,
    /// Whether it blocks a commit that brings it in.
    pub error: bool,
    /// The file.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
    /// Whether `gpuguard fix` mends it.
    pub fixable: bool,
    /// Whether it was not there then; `null` where that was not asked for.
    pub new: Option<bool>,
    /// The line of code, or its first part.
    pub code: String,
}

/// A finding that a comment allows.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AllowedFact {
    /// The rule's code.
    pub rule: String,
    /// The file.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// Why, in the comment's words.
    pub reason: String,
    /// The last day on which it is allowed.
    pub until: Option<String>,
    /// The line of code, or its first part.
    pub code: String,
}

/// A file that was not read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SkippedFact {
    /// The file.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// The commits since then.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Commits {
    /// How many there are, merged ones too.
    pub count: usize,
    /// Those along the first parents, newest first; at most a thousand.
    pub list: Vec<CommitFact>,
}

/// A commit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CommitFact {
    /// Its id.
    pub id: String,
    /// When it was committed.
    pub date: String,
    /// The first line of its message.
    pub subject: String,
}

/// How it stood at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// The commit; `null` for the working tree as it is now.
    pub commit: Option<String>,
    /// When it was committed.
    pub date: Option<String>,
    /// The first line of its message.
    pub subject: Option<String>,
    /// How many problems there were.
    pub findings: usize,
    /// How many files had one.
    pub with_problems: usize,
}

/// What is saved.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct BackupFacts {
    /// How many were whole when they were last verified.
    pub whole: usize,
    /// How many were damaged.
    pub damaged: usize,
    /// How many nobody has verified.
    pub never_verified: usize,
    /// How many have a manifest that cannot be read; these are not in the list.
    pub unreadable: usize,
    /// How many commits the hook let pass, as far as it was noted.
    pub passed: usize,
    /// How many it refused.
    pub blocked: usize,
    /// How many it could not judge.
    pub not_judged: usize,
    /// All of them, newest first.
    pub list: Vec<BackupFact>,
}

/// A backup.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BackupFact {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub created: String,
    /// What made it: `pre-commit`, `manual`, `rollback`, ….
    pub trigger: String,
    /// Where HEAD stood.
    pub commit: Option<String>,
    /// How many files it holds.
    pub files: usize,
    /// The archive's sum, as the file beside it has it.
    pub sha256: Option<String>,
    /// What the hook decided.
    pub verdict: Option<String>,
    /// Whether it was whole when it was last verified.
    pub whole: Option<bool>,
    /// When that was.
    pub verified: Option<String>,
}

/// A check of the card.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CardFact {
    /// When.
    pub at: String,
    /// The answer, in the words of `gpu check --format json`.
    pub status: String,
    /// The card.
    pub card: Option<String>,
    /// Its UUID.
    pub uuid: Option<String>,
    /// What happened.
    pub message: String,
}

/// A soak.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SoakFact {
    /// When it ended.
    pub at: String,
    /// The answer, in the words of `gpu check --format json`.
    pub status: String,
    /// The card.
    pub card: Option<String>,
    /// Whether it ran for the whole time.
    pub finished: bool,
    /// Seconds of work.
    pub seconds: f64,
    /// Kernel rounds with right results.
    pub rounds: u64,
    /// Memory patterns that were found right.
    pub patterns: u64,
    /// How much memory was tested, in MiB.
    pub memory_mib: u64,
    /// The hottest that it was, in °C.
    pub hottest_celsius: Option<u32>,
    /// What happened.
    pub message: String,
}
