//! Finding, reading and checking the policy file; every error names file, line and column.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::file::{
    CardEntry, GpuCheckWord, OnErrorWord, PolicyFile, SetInWord, SeverityWord, UsageWord,
};
use super::{
    Card, GpuCheckMode, GpuCheckPolicy, HookPolicy, OnError, Policy, RequiredEnvironment,
    ScanPolicy, SetIn, Severity, Usage,
};
use crate::text::{LineIndex, Position};

/// Name of the policy file, in the root of the repository.
pub const FILE_NAME: &str = "gpuguard.toml";

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// There is no file at the place.
    #[error("no policy: `{}` does not exist", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("the policy `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a valid policy.
    #[error("{}:{}:{}: {message}", path.display(), position.line, position.column)]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where in it.
        position: Position,
        /// The text of that line.
        line_text: String,
        /// What is wrong.
        message: String,
        /// What to write instead.
        hint: Option<String>,
    },
}

/// Reads and checks the policy at `path`.
pub fn load(path: &Path) -> Result<Policy, PolicyError> {
    let content = match std::fs::read(path) {
        Ok(content) => content,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            return Err(PolicyError::Missing {
                path: path.to_owned(),
            });
        }
        Err(source) => {
            return Err(PolicyError::Unreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    parse(path, &content)
}

/// Checks the `content` of a policy; `path` is only for messages and [`Policy::origin`].
pub fn parse(path: &Path, content: &[u8]) -> Result<Policy, PolicyError> {
    let text = match std::str::from_utf8(content) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let valid = String::from_utf8_lossy(&content[..error.valid_up_to()]);
            let place = Place { path, text: &valid };
            return Err(place.invalid(
                valid.len()..valid.len(),
                "the file is not UTF-8",
                Some("save it as UTF-8, which TOML requires".to_owned()),
            ));
        }
    };
    let place = Place { path, text };
    let file: PolicyFile = toml::from_str(text).map_err(|error| place.invalid_syntax(&error))?;
    if *file.version.get_ref() != 1 {
        return Err(place.invalid(
            file.version.span(),
            format!(
                "version {} of the policy format is not known",
                file.version.get_ref()
            ),
            Some("this gpuguard reads `version = 1`".to_owned()),
        ));
    }
    let cards = place.cards(file.card.unwrap_or_default())?;
    let environment = place.environment(&file.environment, &cards)?;
    let mut severities = std::collections::BTreeMap::new();
    for (code, severity) in file.rules {
        place.check_rule_code(&code)?;
        severities.insert(code.into_inner(), severity.into());
    }
    for glob in &file.scan.exclude {
        place.check_glob(glob)?;
    }
    let deadline = *file.gpu_check.deadline_ms.get_ref();
    if !(100..=600_000).contains(&deadline) {
        return Err(place.invalid(
            file.gpu_check.deadline_ms.span(),
            format!("a deadline of {deadline} ms is out of range"),
            Some("give 100 to 600000 milliseconds; 5000 is the default".to_owned()),
        ));
    }
    Ok(Policy {
        origin: Some(path.to_owned()),
        cards,
        environment,
        scan: ScanPolicy {
            exclude: file
                .scan
                .exclude
                .into_iter()
                .map(Spanned::into_inner)
                .collect(),
            max_file_bytes: u64::from(file.scan.max_file_mib) * 1024 * 1024,
        },
        severities,
        hook: HookPolicy {
            on_error: match file.hook.on_error {
                OnErrorWord::Block => OnError::Block,
                OnErrorWord::Pass => OnError::Pass,
            },
            snapshot: file.hook.snapshot,
        },
        gpu_check: GpuCheckPolicy {
            mode: match file.gpu_check.mode {
                GpuCheckWord::Auto => GpuCheckMode::Auto,
                GpuCheckWord::Required => GpuCheckMode::Required,
                GpuCheckWord::Off => GpuCheckMode::Off,
            },
            deadline: Duration::from_millis(u64::from(deadline)),
            cache: Duration::from_secs(u64::from(file.gpu_check.cache_minutes) * 60),
        },
    })
}

/// The file being checked, for messages that point into it.
struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    fn invalid(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> PolicyError {
        let index = LineIndex::new(self.text);
        PolicyError::Invalid {
            path: self.path.to_owned(),
            position: index.position(self.text, span.start),
            line_text: index.line_text(self.text, span.start).to_owned(),
            message: message.into(),
            hint,
        }
    }

    fn invalid_syntax(&self, error: &toml::de::Error) -> PolicyError {
        let message = error.message();
        let hint = suggestion(message);
        self.invalid(
            error.span().unwrap_or(0..0),
            message.trim().replace('\n', " "),
            hint,
        )
    }

    fn cards(&self, entries: Vec<Spanned<CardEntry>>) -> Result<Vec<Card>, PolicyError> {
        let mut cards: Vec<Card> = Vec::with_capacity(entries.len());
        for entry in entries {
            let whole = entry.span();
            let entry = entry.into_inner();
            if entry.name.get_ref().trim().is_empty() {
                return Err(self.invalid(
                    entry.name.span(),
                    "the card has an empty name",
                    Some("write the product name, such as `name = \"RTX 3090\"`".to_owned()),
                ));
            }
            if let Some(uuid) = &entry.uuid {
                self.check_uuid(uuid)?;
            }
            if entry.uuid.is_none() && entry.pci_rank.is_none() {
                return Err(self.invalid(
                    whole,
                    format!("nothing says which card `{}` is", entry.name.get_ref()),
                    Some("give it `pci-rank = N` (its place by PCI address, from 0) or `uuid = \"GPU-…\"`; `nvidia-smi -L` lists both".to_owned()),
                ));
            }
            let card = Card {
                name: entry.name.into_inner(),
                usage: match entry.usage {
                    UsageWord::Allowed => Usage::Allowed,
                    UsageWord::Forbidden => Usage::Forbidden,
                },
                uuid: entry.uuid.as_ref().map(|uuid| uuid.get_ref().clone()),
                pci_rank: entry.pci_rank.as_ref().map(|rank| *rank.get_ref()),
                min_memory_gib: entry.min_memory_gib,
            };
            if let (Some(rank), Some(other)) = (
                &entry.pci_rank,
                cards
                    .iter()
                    .find(|c| c.pci_rank.is_some() && c.pci_rank == card.pci_rank),
            ) {
                return Err(self.invalid(
                    rank.span(),
                    format!(
                        "`{}` and `{}` have the same PCI rank",
                        other.name, card.name
                    ),
                    Some("each card has a rank of its own, counted from 0".to_owned()),
                ));
            }
            if let (Some(uuid), Some(other)) = (
                &entry.uuid,
                cards
                    .iter()
                    .find(|c| c.uuid.is_some() && c.uuid == card.uuid),
            ) {
                return Err(self.invalid(
                    uuid.span(),
                    format!("`{}` and `{}` have the same UUID", other.name, card.name),
                    None,
                ));
            }
            cards.push(card);
        }
        if !cards.iter().any(|card| card.usage == Usage::Allowed) {
            let message = if cards.is_empty() {
                "the policy names no card"
            } else {
                "the policy allows no card"
            };
            return Err(self.invalid(
                0..0,
                message,
                Some(
                    "add a `[[card]]` with `use = \"allowed\"`; `gpuguard init` writes an example"
                        .to_owned(),
                ),
            ));
        }
        Ok(cards)
    }

    fn environment(
        &self,
        table: &super::file::EnvironmentTable,
        cards: &[Card],
    ) -> Result<RequiredEnvironment, PolicyError> {
        if let Some(order) = &table.device_order
            && order.get_ref() != "PCI_BUS_ID"
        {
            return Err(self.invalid(
                order.span(),
                format!(
                    "CUDA_DEVICE_ORDER cannot be required to be `{}`",
                    order.get_ref()
                ),
                Some(
                    "only `PCI_BUS_ID` gives an index that means the same card everywhere"
                        .to_owned(),
                ),
            ));
        }
        let device_order = "PCI_BUS_ID".to_owned();
        let visible_devices = match &table.visible_devices {
            Some(value) => {
                self.check_visible_devices(value, cards)?;
                value.get_ref().clone()
            }
            None => super::preset::visible_devices_for(cards).ok_or_else(|| {
                self.invalid(
                    0..0,
                    "CUDA_VISIBLE_DEVICES is not given and does not follow from the cards",
                    Some("add `CUDA_VISIBLE_DEVICES = \"…\"` under `[environment]`".to_owned()),
                )
            })?,
        };
        let set_in = match table.set_in {
            SetInWord::EachFile => SetIn::EachFile,
            SetInWord::EntryPoints => SetIn::EntryPoints,
            SetInWord::Outside => SetIn::Outside,
        };
        Ok(RequiredEnvironment {
            device_order,
            visible_devices,
            set_in,
        })
    }

    fn check_visible_devices(
        &self,
        value: &Spanned<String>,
        cards: &[Card],
    ) -> Result<(), PolicyError> {
        use super::selection::{CudaEnvironment, Slot, visible};
        let environment = CudaEnvironment {
            order: Some("PCI_BUS_ID"),
            visible_devices: Some(value.get_ref()),
        };
        let seen = visible(cards, environment);
        let problem = if seen.slots.is_empty() {
            Some("selects no card".to_owned())
        } else {
            seen.slots.iter().find_map(|slot| match slot {
                Slot::Card(card) if card.usage == Usage::Forbidden => {
                    Some(format!("selects `{}`, which the policy forbids", card.name))
                }
                Slot::Unknown => Some("selects a card that the policy does not name".to_owned()),
                Slot::Card(_) => None,
            })
        };
        match problem {
            None => Ok(()),
            Some(problem) => Err(self.invalid(
                value.span(),
                format!("CUDA_VISIBLE_DEVICES = \"{}\" {problem}", value.get_ref()),
                super::preset::visible_devices_for(cards).map(|right| {
                    format!("the allowed cards are `CUDA_VISIBLE_DEVICES = \"{right}\"`")
                }),
            )),
        }
    }

    fn check_uuid(&self, uuid: &Spanned<String>) -> Result<(), PolicyError> {
        let groups: Vec<&str> = uuid
            .get_ref()
            .strip_prefix("GPU-")
            .unwrap_or_default()
            .split('-')
            .collect();
        let right = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
            && groups
                .iter()
                .all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()));
        if right {
            return Ok(());
        }
        Err(self.invalid(
            uuid.span(),
            format!("`{}` is not the UUID of a card", uuid.get_ref()),
            Some(
                "copy it from `nvidia-smi -L`: `GPU-` and 32 hexadecimal digits in five groups"
                    .to_owned(),
            ),
        ))
    }

    fn check_rule_code(&self, code: &Spanned<String>) -> Result<(), PolicyError> {
        let text = code.get_ref();
        let number = text
            .strip_prefix("GG")
            .and_then(|digits| digits.parse::<u32>().ok());
        if text.len() == 5 && number.is_some_and(|number| (1..=18).contains(&number)) {
            return Ok(());
        }
        Err(self.invalid(
            code.span(),
            format!("`{text}` is not the code of a rule"),
            Some("codes are GG001 to GG018; `gpuguard rule` lists the rules".to_owned()),
        ))
    }

    fn check_glob(&self, glob: &Spanned<String>) -> Result<(), PolicyError> {
        let mut builder = ignore::gitignore::GitignoreBuilder::new("");
        match builder.add_line(None, glob.get_ref()) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.invalid(
                glob.span(),
                format!("`{}` is not a valid glob: {error}", glob.get_ref()),
                None,
            )),
        }
    }
}

impl From<SeverityWord> for Severity {
    fn from(word: SeverityWord) -> Self {
        match word {
            SeverityWord::Off => Self::Off,
            SeverityWord::Warning => Self::Warning,
            SeverityWord::Error => Self::Error,
        }
    }
}

/// What was probably meant. serde words an unknown key or value as ``unknown field `a`,
/// expected one of `b`, `c` ``: the first name is the reader's, the others are ours.
fn suggestion(message: &str) -> Option<String> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let written = names.next()?;
    let known: Vec<&str> = names.collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3).max(1));
    match nearest {
        Some((_, name)) => Some(format!("did you mean `{name}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known here: {}", known.join(", "))),
    }
}
