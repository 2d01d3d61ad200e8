//! `gpuguard.toml`: which cards may be used, how code must select them, what the hook does.
//!
//! The types here are the policy as the rest of the program sees it: checked, with defaults
//! filled in. [`load()`] reads files; [`selection`] is CUDA's own selection rules over the cards.

mod backup;
mod check;
mod file;
mod layer;
mod load;
mod merge;
mod origin;
mod preset;
mod run;
pub mod selection;
mod surroundings;
mod tree;
mod weakened_lists;
mod weakening;

use std::collections::BTreeMap;
use std::time::Duration;

pub use backup::{BackupPolicy, Retention, parse_duration, parse_size};
pub use file::schema;
pub use load::{FILE_NAME, PolicyError, load, load_from, parse};
pub use origin::{Origin, PolicySource, Setting, SourceRole};
pub use preset::{Preset, policy_for_cards};
pub use run::{OnViolation, RunPolicy};
pub use surroundings::{DEADLINE_VARIABLE, MODE_VARIABLE, STORE_VARIABLE, Surroundings, user_file};
pub use tree::{Folder, PolicyTree};
pub use weakening::{Weakening, WithoutWord, root_weakenings, weakenings};

/// The languages that are read, as a policy names them.
pub const LANGUAGE_NAMES: &[&str] = &[
    "python",
    "notebook",
    "dotenv",
    "yaml",
    "json",
    "c++",
    "rust",
    "dockerfile",
    "toml",
    "ini",
    "make",
    "just",
    "shell",
    "fish",
    "powershell",
    "batch",
    "xml",
    "markdown",
];

/// The name for files that are not read at all.
pub const NO_LANGUAGE: &str = "none";

/// The most cards that a machine can have: ranks are 0 to one less. No system has as many.
pub(crate) const MOST_CARDS: u32 = 64;

/// A checked policy: at least one card is allowed, and names, ranks and severities make sense.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The files it was made of, nearest first.
    pub sources: Vec<PolicySource>,
    /// Every value with who says so.
    pub settings: Vec<Setting>,
    /// The machine's cards, in the order the policy names them.
    pub cards: Vec<Card>,
    /// What code has to set before it uses CUDA.
    pub environment: RequiredEnvironment,
    /// What is scanned.
    pub scan: ScanPolicy,
    /// Severities that differ from each rule's own, by code (`GG018`).
    pub severities: BTreeMap<String, Severity>,
    /// Severities for some files only; the later one counts.
    pub overrides: Vec<Override>,
    /// Languages of files that their names do not tell; the later one counts.
    pub languages: Vec<LanguageOfFiles>,
    /// What the Git hook does.
    pub hook: HookPolicy,
    /// How the card itself is checked.
    pub gpu_check: GpuCheckPolicy,
    /// How `gpuguard run` watches a program.
    pub run: RunPolicy,
    /// Where backups lie, and which are kept.
    pub backup: BackupPolicy,
}

/// One physical card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// NVIDIA's product name, or the part of it that tells the cards apart (`RTX 3090`).
    pub name: String,
    /// Whether code may use it.
    pub usage: Usage,
    /// As `nvidia-smi -L` prints it: `GPU-` and 32 hexadecimal digits in five groups.
    pub uuid: Option<String>,
    /// Place among the machine's cards sorted by PCI domain, bus and device, from 0. This is
    /// the index that `CUDA_DEVICE_ORDER=PCI_BUS_ID` gives, not the PCI bus number.
    pub pci_rank: Option<u32>,
    /// The least total memory a card must have to be taken for this one, in GiB.
    pub min_memory_gib: Option<u32>,
}

/// Whether a card is for use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Code may select it.
    Allowed,
    /// Code must never select it.
    Forbidden,
}

/// The environment variables the policy demands, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredEnvironment {
    /// Value of `CUDA_DEVICE_ORDER`; always `PCI_BUS_ID`, the only order in which an index means
    /// the same card everywhere.
    pub device_order: String,
    /// Value of `CUDA_VISIBLE_DEVICES`, such as `1` or a UUID.
    pub visible_devices: String,
    /// Who sets the two variables.
    pub set_in: SetIn,
}

/// Where the required variables are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SetIn {
    /// In every file that uses the GPU (the founding project's rule).
    #[default]
    EachFile,
    /// In the files that are started: those with an `if __name__ == "__main__"` or a shebang.
    EntryPoints,
    /// Outside the code: a profile, a service, a container.
    Outside,
}

/// What a finding does to a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Not reported.
    Off,
    /// Reported; never blocks.
    Warning,
    /// Reported; blocks when the change introduces it.
    Error,
}

/// The language of some files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageOfFiles {
    /// Globs in `.gitignore` syntax.
    pub paths: Vec<String>,
    /// One of [`LANGUAGE_NAMES`], or [`NO_LANGUAGE`].
    pub name: String,
}

/// Severities for some files only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Globs of repository paths, in `.gitignore` syntax.
    pub paths: Vec<String>,
    /// Severities by code.
    pub severities: BTreeMap<String, Severity>,
}

/// What is scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanPolicy {
    /// Globs of repository paths that are not scanned, in `.gitignore` syntax.
    pub exclude: Vec<String>,
    /// Files larger than this are skipped by name, in bytes.
    pub max_file_bytes: u64,
}

/// What the Git hook does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookPolicy {
    /// What an internal failure (a broken repository, a full disk) does to the commit.
    pub on_error: OnError,
    /// Whether each commit's files are saved before it is judged.
    pub snapshot: bool,
    /// What a change does that loosens the policy.
    pub weakening: OnWeakening,
}

/// What happens to a commit when gpuguard itself fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The commit is refused.
    #[default]
    Block,
    /// The commit passes, with a warning.
    Pass,
}

/// What happens to a change that loosens the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnWeakening {
    /// What it loosens is named.
    #[default]
    Warn,
    /// It is refused.
    Refuse,
}

/// How the card is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuCheckPolicy {
    /// When the hook checks the card, and whether a missing driver is a failure.
    pub mode: GpuCheckMode,
    /// How long the whole check may take before its process is given up.
    pub deadline: Duration,
    /// How long a good result counts.
    pub cache: Duration,
}

/// When the card is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GpuCheckMode {
    /// When a commit touches code that uses the GPU; without a driver the check is skipped.
    #[default]
    Auto,
    /// Likewise, and a missing driver refuses the commit.
    Required,
    /// Never by the hook.
    Off,
}

impl Severity {
    /// The word for it in a policy.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Policy {
    /// Who says the value of a key, as [`Setting::key`] names it.
    pub fn origin_of(&self, key: &str) -> Option<&Origin> {
        let mut settings = self.settings.iter();
        settings
            .find(|setting| setting.key == key)
            .map(|setting| &setting.origin)
    }

    /// What counts at the root of a repository that has policies only in folders below it: nothing
    /// is judged by it.
    pub fn of_no_file(surroundings: &Surroundings) -> Self {
        merge::nothing_judged(surroundings)
    }

    /// Whether it is [`Policy::of_no_file`]; every other names a card.
    pub fn judges_nothing(&self) -> bool {
        self.cards.is_empty()
    }

    /// The cards code may use.
    pub fn allowed_cards(&self) -> impl Iterator<Item = &Card> {
        self.cards
            .iter()
            .filter(|card| card.usage == Usage::Allowed)
    }

    /// The keys that this policy says itself and that count at the root only, where it lies below
    /// the root: those of `[hook]` and `[backup]`.
    pub fn without_effect(&self) -> impl Iterator<Item = &Setting> {
        let own = self.sources.first();
        let own = own.filter(|own| {
            let name = own.path.rsplit_once('/').map(|(_, name)| name);
            own.role == SourceRole::Policy && name == Some(FILE_NAME)
        });
        let is_of_the_root = |key: &str| key.starts_with("hook.") || key.starts_with("backup.");
        self.settings.iter().filter(move |setting| {
            is_of_the_root(&setting.key)
                && match (&setting.origin, own) {
                    (Origin::File { path, .. }, Some(own)) => *path == own.path,
                    _ => false,
                }
        })
    }

    /// The severity the policy gives to a rule, if it names it.
    pub fn severity_of(&self, rule: &str) -> Option<Severity> {
        self.severities.get(rule).copied()
    }
}
