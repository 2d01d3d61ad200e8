//! The policy file as it is written: one field for each key. Its doc comments are the
//! documentation and the JSON schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::backup::{DURATION_PATTERN, KEPT, SIZE_PATTERN, STORE_PATTERN};
use super::check::{CACHE_MINUTES, DEADLINE_MS, EVERY_MS, GRACE_MS, MAX_FILE_MIB};
use super::{LANGUAGE_NAMES, MOST_CARDS, NO_LANGUAGE};

/// A card's UUID as a regular expression.
macro_rules! uuid_pattern {
    () => {
        "GPU-[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    };
}

/// Numbers or UUIDs with single commas between them.
const VISIBLE_DEVICES_PATTERN: &str = concat!(
    "^((0|[1-9][0-9]?)(,(0|[1-9][0-9]?))*|",
    uuid_pattern!(),
    "(,",
    uuid_pattern!(),
    ")*)$"
);

/// What `extends` may be: a TOML file, and no backslash, which only one system reads as the end of
/// a folder.
const EXTENDS_PATTERN: &str = r"^([A-Za-z]:.*|[^\\]*)\.toml$";

/// Policy of gpuguard: which graphics cards code may select, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PolicyFile {
    /// Version of this format; 1.
    #[schemars(with = "u32", range(min = 1, max = 1))]
    pub(super) version: Spanned<u32>,
    /// Another policy whose keys count where this one says nothing: a path relative to this file
    /// and within the repository, or an absolute one. Of `[[card]]` and the mask that shows them,
    /// those of one file count; `exclude`, `[[override]]` and `[[language]]` come behind those of
    /// the other policy.
    #[schemars(with = "Option<String>", regex(pattern = EXTENDS_PATTERN))]
    pub(super) extends: Option<Spanned<String>>,
    /// The machine's cards. At least one is allowed. They may stand in the policy that is
    /// extended, or in the user's own file.
    #[serde(default)]
    #[schemars(
        with = "Vec<CardEntry>",
        length(min = 1),
        extend("contains" = { "required": ["use"], "properties": { "use": { "const": "allowed" } } })
    )]
    pub(super) card: Option<Vec<Spanned<CardEntry>>>,
    /// The environment variables that select the allowed card.
    #[serde(default)]
    pub(super) environment: EnvironmentTable,
    /// What is scanned.
    #[serde(default)]
    pub(super) scan: ScanTable,
    /// Severity of single rules, by code: `GG018 = "warning"`.
    #[serde(default)]
    #[schemars(
        with = "BTreeMap<String, SeverityWord>",
        extend("propertyNames" = { "pattern": "^GG(0(0[1-9]|1[0-8])|10[12])$" })
    )]
    pub(super) rules: BTreeMap<Spanned<String>, SeverityWord>,
    /// Severities for some files only. Where several fit a file, the later one counts.
    #[serde(default, rename = "override")]
    #[schemars(with = "Vec<OverrideEntry>")]
    pub(super) overrides: Vec<OverrideEntry>,
    /// Languages of files that their names do not tell. Where several fit a file, the later one
    /// counts.
    #[serde(default)]
    #[schemars(with = "Vec<LanguageEntry>")]
    pub(super) language: Vec<LanguageEntry>,
    /// What the Git hook does.
    #[serde(default)]
    pub(super) hook: HookTable,
    /// How the card itself is checked.
    #[serde(default)]
    pub(super) gpu_check: GpuCheckTable,
    /// How `gpuguard run` watches a program.
    #[serde(default)]
    pub(super) run: RunTable,
    /// Where backups lie, and which are kept.
    #[serde(default)]
    pub(super) backup: BackupTable,
}

/// One physical card.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("anyOf" = [{ "required": ["pci-rank"] }, { "required": ["uuid"] }]))]
pub(super) struct CardEntry {
    /// NVIDIA's product name, or the part of it that tells the cards apart.
    #[schemars(with = "String", regex(pattern = r"\S"))]
    pub(super) name: Spanned<String>,
    /// `allowed` or `forbidden`.
    #[serde(rename = "use")]
    pub(super) usage: UsageWord,
    /// UUID as `nvidia-smi -L` prints it, `GPU-…`.
    #[schemars(
        with = "Option<String>",
        regex(pattern = concat!("^", uuid_pattern!(), "$"))
    )]
    pub(super) uuid: Option<Spanned<String>>,
    /// Place among all cards sorted by PCI address, from 0: the index that
    /// `CUDA_DEVICE_ORDER=PCI_BUS_ID` gives.
    #[schemars(with = "Option<u32>", range(min = 0, max = MOST_CARDS - 1))]
    pub(super) pci_rank: Option<Spanned<u32>>,
    /// The least total memory the card must have, in GiB.
    pub(super) min_memory_gib: Option<u32>,
}

/// Severities for some files only.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct OverrideEntry {
    /// Globs of the files, in `.gitignore` syntax: `tests/`, `*_cpu.py`.
    #[schemars(with = "Vec<String>", length(min = 1))]
    pub(super) paths: Spanned<Vec<Spanned<String>>>,
    /// Severity of single rules in these files, by code: `{ GG007 = "warning" }`.
    #[schemars(
        with = "BTreeMap<String, SeverityWord>",
        extend("propertyNames" = { "pattern": "^GG0(0[1-9]|1[0-8])$" })
    )]
    pub(super) rules: BTreeMap<Spanned<String>, SeverityWord>,
}

/// The language of some files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LanguageEntry {
    /// Globs of the files, in `.gitignore` syntax: `*.conf.tmpl`, `bin/`.
    #[schemars(with = "Vec<String>", length(min = 1))]
    pub(super) paths: Spanned<Vec<Spanned<String>>>,
    /// The language they are read as, or `none` for files that are not to be read.
    #[serde(rename = "as")]
    #[schemars(with = "String", extend("enum" = language_words()))]
    pub(super) name: Spanned<String>,
}

/// What the name of a language may be.
fn language_words() -> Vec<&'static str> {
    LANGUAGE_NAMES
        .iter()
        .copied()
        .chain([NO_LANGUAGE])
        .collect()
}

/// The environment variables that select the allowed card.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct EnvironmentTable {
    /// Required value of `CUDA_DEVICE_ORDER`: `PCI_BUS_ID` (the default), the only order in
    /// which an index means the same card everywhere.
    #[serde(rename = "CUDA_DEVICE_ORDER")]
    #[schemars(with = "Option<DeviceOrderWord>")]
    pub(super) device_order: Option<Spanned<String>>,
    /// Required value of `CUDA_VISIBLE_DEVICES`: PCI ranks or whole UUIDs of allowed cards, with
    /// single commas between them. By default the ranks of all allowed cards.
    #[serde(rename = "CUDA_VISIBLE_DEVICES")]
    #[schemars(with = "Option<String>", regex(pattern = VISIBLE_DEVICES_PATTERN))]
    pub(super) visible_devices: Option<Spanned<String>>,
    /// Who sets them: `each-file` that uses the GPU (the default), `entry-points` only (files
    /// that are started), or `outside` the code.
    #[schemars(with = "Option<SetInWord>", extend("default" = "each-file"))]
    pub(super) set_in: Option<Spanned<SetInWord>>,
}

/// What is scanned.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct ScanTable {
    /// Globs of paths that are not scanned, in `.gitignore` syntax.
    #[schemars(with = "Vec<String>")]
    pub(super) exclude: Vec<Spanned<String>>,
    /// Larger files are skipped by name, in MiB: 1 to 1024.
    #[schemars(
        with = "Option<u32>",
        range(min = *MAX_FILE_MIB.start(), max = *MAX_FILE_MIB.end()),
        extend("default" = 16)
    )]
    pub(super) max_file_mib: Option<Spanned<u32>>,
}

/// What the Git hook does. The policy at the root of the repository says so for all of it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct HookTable {
    /// What a failure of gpuguard itself does to the commit: `block` or `pass`.
    #[schemars(with = "Option<OnErrorWord>", extend("default" = "block"))]
    pub(super) on_error: Option<Spanned<OnErrorWord>>,
    /// Whether the files a commit touches are saved first.
    #[schemars(with = "Option<bool>", extend("default" = true))]
    pub(super) snapshot: Option<Spanned<bool>>,
    /// What becomes of a commit or push that loosens the policy: `warn` names what is looser,
    /// `refuse` refuses it at every gate, and has a server judge each branch by the policy of the
    /// default branch. The policy that was there before says so.
    #[schemars(with = "Option<OnWeakeningWord>", extend("default" = "warn"))]
    pub(super) weakening: Option<Spanned<OnWeakeningWord>>,
}

/// How the card itself is checked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct GpuCheckTable {
    /// `auto`: when a commit touches code that uses the GPU, skipped without a driver;
    /// `required`: likewise, but a missing driver refuses the commit; `off`: never.
    #[schemars(with = "Option<GpuCheckWord>", extend("default" = "auto"))]
    pub(super) mode: Option<Spanned<GpuCheckWord>>,
    /// How long the check may take before it is given up, in milliseconds.
    #[schemars(
        with = "Option<u32>",
        range(min = *DEADLINE_MS.start(), max = *DEADLINE_MS.end()),
        extend("default" = 5000)
    )]
    pub(super) deadline_ms: Option<Spanned<u32>>,
    /// How long a good result counts, in minutes; 0 checks every time.
    #[schemars(with = "Option<u32>", extend("default" = CACHE_MINUTES))]
    pub(super) cache_minutes: Option<Spanned<u32>>,
}

/// How `gpuguard run` watches a program.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RunTable {
    /// What happens when the program, or one that it started, uses a card that is not allowed:
    /// `end` ends them all, `report` lets them go on. The exit code is 97 in either case.
    #[schemars(with = "Option<OnViolationWord>", extend("default" = "end"))]
    pub(super) on_violation: Option<Spanned<OnViolationWord>>,
    /// How often the cards are looked at, in milliseconds: 50 to 60000.
    #[schemars(
        with = "Option<u32>",
        range(min = *EVERY_MS.start(), max = *EVERY_MS.end()),
        extend("default" = 200)
    )]
    pub(super) every_ms: Option<Spanned<u32>>,
    /// How long programs that are ended have before they are killed, in milliseconds: 0 to
    /// 600000.
    #[schemars(
        with = "Option<u32>",
        range(min = *GRACE_MS.start(), max = *GRACE_MS.end()),
        extend("default" = 5000)
    )]
    pub(super) grace_ms: Option<Spanned<u32>>,
}

/// Where backups lie and which are kept: those that any of the `keep-` keys keeps. Without any
/// such key, nothing is removed; with one, the hook removes what no rule keeps. Content that is nowhere else stays.
/// The policy at the root of the repository says so for all of it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct BackupTable {
    /// Where they lie: an absolute folder, one below `~/`, or one relative to the common Git
    /// directory, which all working trees share. By default `gpuguard/backups` in that. Outside of
    /// it each repository has a folder of its own there.
    #[schemars(with = "Option<String>", regex(pattern = STORE_PATTERN))]
    pub(super) store: Option<Spanned<String>>,
    /// Keep the newest so many: 1 to 100000.
    #[schemars(with = "Option<u32>", range(min = *KEPT.start(), max = *KEPT.end()))]
    pub(super) keep_last: Option<Spanned<u32>>,
    /// Keep the newest of each of the last so many days (UTC) that have any: 1 to 100000.
    #[schemars(with = "Option<u32>", range(min = *KEPT.start(), max = *KEPT.end()))]
    pub(super) keep_daily: Option<Spanned<u32>>,
    /// Keep all that are not older than this: hours, days, weeks, such as `36h`, `14d`, `1w12h`.
    #[schemars(with = "Option<String>", regex(pattern = DURATION_PATTERN))]
    pub(super) keep_within: Option<Spanned<String>>,
    /// The most that all archives may take together, such as `2GiB` (B, KiB, MiB, GiB, TiB): the
    /// oldest go, whatever else is said.
    #[schemars(with = "Option<String>", regex(pattern = SIZE_PATTERN))]
    pub(super) max_size: Option<Spanned<String>>,
}

/// Whether code may use a card.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum UsageWord {
    /// Code may select it.
    Allowed,
    /// Code must never select it.
    Forbidden,
}

/// The device order, in CUDA's spelling.
#[derive(JsonSchema)]
#[expect(dead_code, non_camel_case_types, reason = "only its schema is used")]
pub(super) enum DeviceOrderWord {
    /// Cards counted by PCI address.
    PCI_BUS_ID,
}

/// Who sets the variables.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SetInWord {
    /// Every file that uses the GPU.
    EachFile,
    /// Files that are started.
    EntryPoints,
    /// A profile, a service, a container.
    Outside,
}

/// What a finding does to a commit.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SeverityWord {
    /// Not reported.
    Off,
    /// Reported, never blocks.
    Warning,
    /// Blocks when introduced.
    Error,
}

/// What a failure of gpuguard itself does to the commit.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnErrorWord {
    /// The commit is refused.
    Block,
    /// The commit passes, with a warning.
    Pass,
}

/// What happens to a change that loosens the policy.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnWeakeningWord {
    /// What it loosens is named.
    Warn,
    /// It is refused.
    Refuse,
}

/// When the card is checked.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum GpuCheckWord {
    /// When GPU code is committed; skipped without a driver.
    Auto,
    /// When GPU code is committed; a missing driver is a failure.
    Required,
    /// Never.
    Off,
}

/// What happens to a program that uses a card that is not allowed.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnViolationWord {
    /// It is ended, with all that it started.
    End,
    /// It goes on, and is reported.
    Report,
}

/// The JSON schema of `gpuguard.toml`, for editors (`gpuguard schema` prints it).
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(PolicyFile).to_value()
}
