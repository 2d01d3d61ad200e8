//! Finding, reading and checking the policy file; every error names file, line and column.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::check::Place;
use super::file::{
    GpuCheckTable, GpuCheckWord, HookTable, OnErrorWord, PolicyFile, ScanTable, SeverityWord,
};
use super::{GpuCheckMode, GpuCheckPolicy, HookPolicy, OnError, Policy, ScanPolicy, Severity};
use crate::sys::file;
use crate::text::Position;

/// Name of the policy file, in the root of the repository.
pub const FILE_NAME: &str = "gpuguard.toml";

/// The most bytes a policy may have: a large one has a few thousand.
const MOST_BYTES: u64 = 1 << 20;

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
        source: io::Error,
    },
    /// What is there is a folder, a pipe or a device.
    #[error("the policy `{}` is not a regular file", path.display())]
    NotAFile {
        /// Where it is.
        path: PathBuf,
    },
    /// The file is far too large for a policy.
    #[error("the policy `{}` is larger than {} KiB", path.display(), MOST_BYTES >> 10)]
    TooLarge {
        /// The file.
        path: PathBuf,
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

/// Reads and checks the policy at `path`, which may be a link to a regular file.
pub fn load(path: &Path) -> Result<Policy, PolicyError> {
    let unreadable = |source: io::Error| PolicyError::Unreadable {
        path: path.to_owned(),
        source,
    };
    // A pipe would be waited for, and a device may never end.
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => {
            return Err(PolicyError::NotAFile {
                path: path.to_owned(),
            });
        }
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            return Err(PolicyError::Missing {
                path: path.to_owned(),
            });
        }
        Err(source) => return Err(unreadable(source)),
    }
    let mut content = Vec::new();
    path.canonicalize()
        .and_then(|target| file::open_regular(&target))
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut content))
        .map_err(unreadable)?;
    parse(path, &content)
}

/// Checks the `content` of a policy; `path` is only for messages and [`Policy::origin`].
pub fn parse(path: &Path, content: &[u8]) -> Result<Policy, PolicyError> {
    if content.len() as u64 > MOST_BYTES {
        return Err(PolicyError::TooLarge {
            path: path.to_owned(),
        });
    }
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
    place.check_version(&file.version)?;
    place.check_deadline(&file.gpu_check.deadline_ms)?;
    place.check_max_file(&file.scan.max_file_mib)?;
    let cards = place.cards(file.card.unwrap_or_default())?;
    let environment = place.environment(&file.environment, &cards)?;
    let severities = place.severities(file.rules)?;
    let overrides = place.overrides(file.overrides)?;
    let languages = place.languages(file.language)?;
    for glob in &file.scan.exclude {
        place.check_glob(glob)?;
    }
    Ok(Policy {
        origin: Some(path.to_owned()),
        cards,
        environment,
        scan: file.scan.into(),
        severities,
        overrides,
        languages,
        hook: file.hook.into(),
        gpu_check: file.gpu_check.into(),
        run: place.run(&file.run)?,
        backup: place.backup(&file.backup)?,
    })
}

impl From<ScanTable> for ScanPolicy {
    fn from(table: ScanTable) -> Self {
        Self {
            exclude: table.exclude.into_iter().map(Spanned::into_inner).collect(),
            max_file_bytes: u64::from(table.max_file_mib.into_inner()) * 1024 * 1024,
        }
    }
}

impl From<HookTable> for HookPolicy {
    fn from(table: HookTable) -> Self {
        Self {
            on_error: match table.on_error {
                OnErrorWord::Block => OnError::Block,
                OnErrorWord::Pass => OnError::Pass,
            },
            snapshot: table.snapshot,
        }
    }
}

impl From<GpuCheckTable> for GpuCheckPolicy {
    fn from(table: GpuCheckTable) -> Self {
        Self {
            mode: match table.mode {
                GpuCheckWord::Auto => GpuCheckMode::Auto,
                GpuCheckWord::Required => GpuCheckMode::Required,
                GpuCheckWord::Off => GpuCheckMode::Off,
            },
            deadline: Duration::from_millis(u64::from(table.deadline_ms.into_inner())),
            cache: Duration::from_secs(u64::from(table.cache_minutes) * 60),
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
